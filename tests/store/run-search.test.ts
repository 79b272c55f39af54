/**
 * Goal: every combination of filters finds what a plain filter over a list finds, page by page and both ways.
 * Method: random runs, random filters; and work that stays bounded where no index knows the answer.
 */
import { Database } from "bun:sqlite";
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { RUN_STATES, type Run, type RunFilter, type RunPage } from "../../src/domain/run.ts";
import type { WorkflowRecord } from "../../src/domain/workflow.ts";
import { firstIdAt } from "../../src/lib/id.ts";
import { CANDIDATE_COUNT_MAX } from "../../src/store/run-search.ts";
import { openStore, type Store } from "../../src/store/store.ts";
import { call, start } from "../conformance/support.ts";
import { temporaryFolder } from "./support/folder.ts";
import { createManualClock } from "./support/manual-clock.ts";
import { pageOf } from "./support/plain-page.ts";
import { newRun, saveWorkflow, startRun } from "./support/seed.ts";

const START_MS = 1_790_000_000_000;
const SPACING_MS = 60_000;
const COUNT = 60;
const TOPICS = ["green tea", "Green beans", "coffee", "greenhouse teapot", "A-B c_d"];

let store: Store;
let runs: Run[];
let flows: WorkflowRecord[];

beforeAll(async () => {
  store = await openStore({ path: ":memory:", clock: createManualClock() });
  flows = [
    await saveWorkflow(store.workflows, "tea_time"),
    await saveWorkflow(store.workflows, "other"),
  ];
  for (let index = 0; index < COUNT; index += 1) await addRun(index);
  const all = await store.runs.list({ limit: COUNT });
  runs = all.toReversed();
});
afterAll(() => store.close());

async function addRun(index: number): Promise<void> {
  const runId = `${firstIdAt(START_MS + index * SPACING_MS).slice(0, 10)}${String(index).padStart(6, "z")}`;
  const flow = flows[index % 3 === 0 ? 0 : 1];
  if (flow === undefined) return;
  const inputs = {
    topic: TOPICS[index % TOPICS.length] ?? "",
    list: [index, { deep: `user${index}` }],
  };
  const run = newRun(flow, runId, { inputs });
  const fate = index % 7;
  if (fate === 0) {
    await store.runs.create(run, {});
    return;
  }
  const mine = await startRun(store, run);
  await store.runs.write(mine, { steps: [start()], merges: {} });
  for (let ordinal = 0; ordinal < index % 4; ordinal += 1)
    await store.runs.recordCall(mine, call(ordinal), []);
  if (fate === 1) return;
  if (fate === 2) {
    await store.runs.failRun(mine, { code: "timeout", message: "Late." });
    return;
  }
  await store.runs.requestCancel(runId);
  await store.runs.cancelRun(mine);
}

const moment = fc.nat({ max: COUNT + 2 }).map((index) => START_MS + index * SPACING_MS);
const filters: fc.Arbitrary<RunFilter> = fc.record(
  {
    states: fc.subarray([...RUN_STATES]),
    workflowId: fc.constantFrom(0, 1).map((index) => ["tea_time", "other"][index] ?? ""),
    sinceMs: moment,
    untilMs: moment,
    search: fc
      .array(
        fc.constantFrom(
          "tea",
          "g",
          "green",
          "greenh",
          "teap",
          "time",
          "user1",
          "user12",
          "7",
          "zz",
          "c",
          "%",
        ),
        { maxLength: 3 },
      )
      .map((words) => words.join(" ")),
    order: fc.constantFrom("newest" as const, "dearest" as const),
    minCostNanoUsd: fc.constantFrom(0, 1, 500, 2_000),
    limit: fc.nat({ max: 12 }),
  },
  { requiredKeys: ["limit"] },
);

/** The ids of flows are only known when the store is there. */
function bind(filter: RunFilter): RunFilter {
  const flow = flows.find((one) => one.name === filter.workflowId);
  return flow === undefined ? filter : { ...filter, workflowId: flow.id };
}

const sketch = ({ runs: found, next, isPartial }: RunPage) => ({
  ids: found.map((run) => run.id),
  next,
  isPartial,
});

async function ids(filter: Partial<RunFilter>): Promise<string[]> {
  return sketch(await store.runs.page({ limit: 3, ...filter })).ids;
}

function id(index: number): string {
  return firstIdAt(START_MS + index);
}

describe("page()", () => {
  test("property: finds what a plain filter finds, all pages, and back again", async () => {
    await fc.assert(
      fc.asyncProperty(filters, async (random) => {
        const filter = bind(random);
        let before: string | undefined;
        for (let pageCount = 0; pageCount < COUNT; pageCount += 1) {
          const place = before === undefined ? {} : { before };
          const page = await store.runs.page({ ...filter, ...place });
          expect(sketch(page)).toEqual(sketch(pageOf(runs, { ...filter, ...place })));
          if (before !== undefined) {
            const back = await store.runs.page({ ...filter, after: before });
            const plain = pageOf(runs, { ...filter, after: before });
            expect(sketch(back).ids).toEqual(sketch(plain).ids);
          }
          if (page.next === undefined) break;
          before = page.next;
        }
      }),
      { numRuns: 300 },
    );
  });

  test("places of runs that are gone, and texts that are no places, end nothing", async () => {
    const [oldest, second] = runs;
    if (oldest === undefined || second === undefined) throw new Error("no runs");
    const between = `${oldest.id}0`;
    expect(await ids({ before: between })).toEqual([oldest.id]);
    expect(await ids({ search: "tea time", before: between })).toEqual([oldest.id]);
    expect(await ids({ search: "g", before: "" })).toEqual([]);
    expect(await ids({ order: "dearest", before: "what" })).toEqual(
      await ids({ order: "dearest" }),
    );
    expect(await ids({ order: "dearest", before: "1e9~x" })).toHaveLength(3);
  });

  test("gives up after so many candidates, says so, and goes on from there", async () => {
    await using folder = await temporaryFolder();
    const many = await openStore({ path: folder.database, clock: createManualClock() });
    const flow = await saveWorkflow(many.workflows, "many");
    const count = CANDIDATE_COUNT_MAX * 2 + 10;
    await Promise.all(
      Array.from({ length: count }, (_, index) =>
        // "teapo" is looked up by "teap", which all of them have.
        many.runs.create(
          newRun(flow, id(index), { inputs: { topic: index === 0 ? "teapot" : "teapigs" } }),
          {},
        ),
      ),
    );
    const first = await many.runs.page({ limit: 5, search: "teapo" });
    expect(sketch(first)).toEqual({
      ids: [],
      next: id(count - CANDIDATE_COUNT_MAX),
      isPartial: true,
    });
    const second = await many.runs.page({ limit: 5, search: "teapo", before: first.next ?? "" });
    expect(second.isPartial).toBe(true);
    const third = await many.runs.page({ limit: 5, search: "teapo", before: second.next ?? "" });
    expect(sketch(third)).toEqual({ ids: [id(0)], next: undefined, isPartial: false });
    // A rare state is gone through whole instead.
    await many.runs.requestCancel(id(0));
    const rare = await many.runs.page({ limit: 5, search: "teapo", states: ["cancelled"] });
    expect(sketch(rare)).toEqual({ ids: [id(0)], next: undefined, isPartial: false });
    await many.close();
  }, 20_000);

  test("a copy of the database finds by the same words", async () => {
    await using folder = await temporaryFolder();
    const source = await openStore({ path: folder.database, clock: createManualClock() });
    const flow = await saveWorkflow(source.workflows, "copied");
    for (const [index, topic] of ["one", "two", "three"].entries())
      await source.runs.create(newRun(flow, `r${index}`, { inputs: { topic } }), {});
    await source.runs.requestCancel("r0");
    await source.runs.remove("r0");
    await source.close();
    using client = new Database(folder.database);
    const path = `${folder.path}/copy.db`;
    // As a backup is made.
    client.run("VACUUM INTO ?", [path]);
    const copy = await openStore({ path, clock: createManualClock() });
    expect(sketch(await copy.runs.page({ limit: 5, search: "thr" })).ids).toEqual(["r2"]);
    expect(sketch(await copy.runs.page({ limit: 5, search: "one" })).ids).toEqual([]);
    await copy.close();
  });
});
