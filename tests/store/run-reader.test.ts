/** A run read in pieces gives what its journal holds. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Journal, StepAttempt, StepWrite } from "../../src/domain/run.ts";
import { PIECE_BYTES_MAX } from "../../src/domain/run-reader.ts";
import type { Json, JsonObject } from "../../src/lib/json.ts";
import { openStore, type Store } from "../../src/store/store.ts";
import { call, start, write } from "../conformance/support.ts";
import { createManualClock } from "./support/manual-clock.ts";
import { newRun, saveWorkflow, startRun } from "./support/seed.ts";

const ROUND_COUNT = 8;
const LARGE = "x".repeat(PIECE_BYTES_MAX);

let store: Store;
let journal: Journal;

beforeAll(async () => {
  store = await openStore({ path: ":memory:", clock: createManualClock() });
  const { runs } = store;
  const mine = await startRun(store, newRun(await saveWorkflow(store.workflows), "r1"));
  for (let round = 1; round <= ROUND_COUNT; round += 1) {
    const key = round === 1 ? "a" : `a#${round}`;
    await write(store, mine, { steps: [begin(key, "a"), done(key, ["b"])] });
  }
  await write(store, mine, { steps: [begin("m", "m", { itemCount: 5, input: LARGE })] });
  await write(store, mine, { steps: [0, 1, 2].map((index) => begin(`m[${index}]`, "m")) });
  await runs.recordCall(mine, { ...call(0), key: "m[0]" }, []);
  await runs.recordCall(mine, { ...call(1), key: "m[0]", result: LARGE }, []);
  await write(store, mine, {
    steps: [
      done("m[0]", [], { text: LARGE }),
      failed("m[1]", { retryAt: null, next: [] }),
      failed("m[2]", { retryAt: 5, next: null }),
      begin("m[2]", "m", { attempt: 2 }),
    ],
  });
  journal = await runs.journal("r1");
});
afterAll(() => store.close());

function begin(
  key: string,
  nodeId: string,
  more: { attempt?: number; itemCount?: number; input?: Json } = {},
): StepWrite {
  return start(key, { nodeId, ...more });
}

function done(key: string, next: readonly string[], patch: JsonObject = {}): StepWrite {
  return { type: "succeed", key, attempt: 1, patch, next };
}

function failed(
  key: string,
  after: { readonly retryAt: number | null; readonly next: readonly string[] | null },
): StepWrite {
  return { type: "fail", key, attempt: 1, error: { code: "timeout", message: "Late." }, ...after };
}

const names = (steps: readonly StepAttempt[]) => steps.map((step) => `${step.key}/${step.attempt}`);
const own = () => journal.steps.filter((step) => !step.key.endsWith("]"));

describe("RunReader", () => {
  test("glance() leaves large values out and says so", async () => {
    const { runReader, runs } = store;
    const run = await runs.get("r1");
    expect(await runReader.glance("r1")).toEqual({ ...run, omitted: {} } as never);
    await runs.create(
      newRun(await saveWorkflow(store.workflows), "r2", { inputs: { text: LARGE } }),
      { text: LARGE },
    );
    const large = await runReader.glance("r2");
    expect(large).toMatchObject({ inputs: {}, values: {}, id: "r2" });
    const bytes = JSON.stringify({ text: LARGE }).length;
    expect(large?.omitted).toEqual({ inputs: bytes, values: bytes });
    expect(await runReader.glance("none")).toBeUndefined();
  });

  test("steps() gives windows of attempts that are no items, in order", async () => {
    const { runReader } = store;
    expect(names(await runReader.steps("r1", { limit: 100 }))).toEqual(names(own()));
    const last = await runReader.steps("r1", { limit: 3 });
    expect(names(last)).toEqual(names(own().slice(-3)));
    const before = last[0]?.startedSeq ?? 0;
    expect(names(await runReader.steps("r1", { limit: 2, before }))).toEqual(
      names(own().slice(-5, -3)),
    );
    const after = own()[1]?.startedSeq ?? 0;
    expect(names(await runReader.steps("r1", { limit: 2, after }))).toEqual(
      names(own().slice(2, 4)),
    );
    const [map] = last.slice(-1);
    expect([map?.input, map?.omitted]).toEqual([null, { input: LARGE.length + 2 }]);
  });

  test("overview() sums up the attempts of each node", async () => {
    const [first, second] = await store.runReader.overview("r1");
    expect(first).toMatchObject({
      nodeId: "a",
      roundCount: ROUND_COUNT,
      attemptCount: ROUND_COUNT,
      failedCount: 0,
      next: ["b"],
    });
    expect(first?.newest.key).toBe(`a#${ROUND_COUNT}`);
    expect(second).toMatchObject({ nodeId: "m", roundCount: 1, next: [] });
  });

  test("items() and their counts tell how far a map is, also of items that have not begun", async () => {
    const { runReader } = store;
    expect(await runReader.itemCounts("r1", "m")).toEqual({
      count: 5,
      states: { succeeded: 1, failed: 1, running: 1 },
    });
    const items = await runReader.items("r1", { map: "m", from: 1, limit: 5 });
    expect(names(items)).toEqual(["m[1]/1", "m[2]/2"]);
    expect(names(await runReader.notableItems("r1", "m", 5))).toEqual(["m[1]/1"]);
    expect(await runReader.itemCounts("r1", "a")).toEqual({ count: 0, states: {} });
  });

  test("calls() leaves large parts out, step() has all", async () => {
    const { runReader } = store;
    const window = { key: "m[0]", attempt: 1, limit: 5 };
    const [small, large] = await runReader.calls("r1", window);
    expect(small).toEqual({ ...journal.calls[0], omitted: {} } as never);
    expect([large?.result, large?.omitted]).toEqual([null, { result: LARGE.length + 2 }]);
    const whole = await runReader.step("r1", "m[0]");
    expect(whole).toEqual({
      attempts: journal.steps.filter((step) => step.key === "m[0]"),
      calls: journal.calls,
    });
  });

  test("lastSeq() is the number of the newest event", async () => {
    const events = await store.runs.events("r1", 0, 1_000);
    expect(await store.runReader.lastSeq("r1")).toBe(events.length);
    expect(await store.runReader.lastSeq("none")).toBe(0);
  });
});
