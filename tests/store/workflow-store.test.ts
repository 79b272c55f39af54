import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import {
  RECENT_RUN_COUNT,
  WORKFLOW_SOURCE_BYTES_MAX,
  type WorkflowOrder,
  type WorkflowStore,
} from "../../src/domain/workflow.ts";
import { openStore } from "../../src/store/store.ts";
import { codeOf } from "./support/error-code.ts";
import { temporaryFolder } from "./support/folder.ts";
import { createManualClock } from "./support/manual-clock.ts";
import { claim, newRun } from "./support/seed.ts";

async function setup() {
  const clock = createManualClock();
  const store = await openStore({ path: ":memory:", clock });
  return { clock, store, workflows: store.workflows };
}

const TEA = { name: "tea", description: "About tea", source: "a: 1", format: "yaml" } as const;

function sha256(text: string): string {
  return new Bun.CryptoHasher("sha256").update(text).digest("hex");
}

test("save() makes a workflow with its first version", async () => {
  const { clock, workflows } = await setup();
  const saved = await workflows.save(TEA);
  const now = clock.now();
  expect(saved).toEqual({
    id: expect.stringMatching(/^[0-9a-z]{16}$/),
    name: "tea",
    description: "About tea",
    createdAt: now,
    updatedAt: now,
    version: {
      hash: sha256("a: 1"),
      workflowId: saved.id,
      number: 1,
      source: "a: 1",
      format: "yaml",
      createdAt: now,
    },
  });
  expect(await workflows.get(saved.id)).toEqual(saved);
  expect(await workflows.get("tea")).toEqual(saved);
  expect(await workflows.get("none")).toBeUndefined();
});

test("save() of the same text changes nothing; a new text is the next version", async () => {
  const { clock, workflows } = await setup();
  const first = await workflows.save(TEA);
  clock.advance(10);
  expect(await workflows.save(TEA)).toEqual(first);
  const second = await workflows.save({ ...TEA, description: null, source: "a: 2" });
  expect(second).toMatchObject({
    id: first.id,
    description: null,
    createdAt: first.createdAt,
    updatedAt: clock.now(),
    version: { number: 2, source: "a: 2" },
  });
  expect(await workflows.versions(first.id)).toEqual([second.version, first.version]);
  expect(await workflows.version(first.id, first.version.hash)).toEqual(first.version);
  expect(await workflows.version(first.id, "none")).toBeUndefined();
});

test("save() of an earlier text makes that version the present one again", async () => {
  const { workflows } = await setup();
  const first = await workflows.save(TEA);
  await workflows.save({ ...TEA, source: "a: 2" });
  expect((await workflows.save(TEA)).version).toEqual(first.version);
  expect((await workflows.get("tea"))?.version).toEqual(first.version);
  expect(await workflows.versions(first.id)).toHaveLength(2);
});

test("save() at once from several places makes each version once", async () => {
  const { workflows } = await setup();
  const texts = ["a", "b", "a", "c", "b", "a"];
  await Promise.all(texts.map((source) => workflows.save({ ...TEA, source })));
  const [record] = await workflows.list({ limit: 5 });
  const versions = await workflows.versions(record?.id ?? "");
  expect(versions.map(({ number, source }) => [number, source])).toEqual([
    [3, "c"],
    [2, "b"],
    [1, "a"],
  ]);
});

test("save() refuses a text above the limit, counted in bytes", async () => {
  const { workflows } = await setup();
  const source = "ü".repeat(WORKFLOW_SOURCE_BYTES_MAX / 2);
  expect(await codeOf(workflows.save({ ...TEA, source }))).toBe("fulfilled");
  expect(await codeOf(workflows.save({ ...TEA, source: `${source}x` }))).toBe("too_large");
});

test("list() gives the newest first, by words of the name", async () => {
  const { clock, workflows } = await setup();
  for (const name of ["Green tea", "black_tea 100%", "Ale"]) {
    await workflows.save({ ...TEA, name });
    clock.advance(1);
  }
  const names = async (options: Parameters<typeof workflows.list>[0]) =>
    (await workflows.list(options)).map((record) => record.name);
  expect(await names({ limit: 9 })).toEqual(["Ale", "black_tea 100%", "Green tea"]);
  expect(await names({ limit: 1 })).toEqual(["Ale"]);
  expect(await names({ limit: 9, search: "TEA green" })).toEqual(["Green tea"]);
  expect(await names({ limit: 9, search: "0%" })).toEqual(["black_tea 100%"]);
  expect(await names({ limit: 9, search: "n_t" })).toEqual([]);
  await workflows.save({ ...TEA, name: "Green tea", source: "b: 1" });
  expect(await names({ limit: 1 })).toEqual(["Green tea"]);
});

test("remove() takes a workflow with its versions, but not one that has runs", async () => {
  const { store, workflows } = await setup();
  const tea = await workflows.save(TEA);
  const ale = await workflows.save({ ...TEA, name: "ale" });
  await store.runs.create(newRun(ale, "r1"), {});
  await workflows.remove(tea.id);
  expect(await workflows.get("tea")).toBeUndefined();
  expect(await workflows.versions(tea.id)).toEqual([]);
  expect(await codeOf(workflows.remove(tea.id))).toBe("not_found");
  expect(await codeOf(workflows.remove(ale.id))).toBe("conflict");
  expect(await workflows.get("ale")).toEqual(ale);
});

describe("save() with a base", () => {
  test("makes a version only of what was seen", async () => {
    const { workflows } = await setup();
    const first = await workflows.save({ ...TEA, base: null });
    expect(await codeOf(workflows.save({ ...TEA, source: "a: 2", base: null }))).toBe("conflict");
    const seen = first.version.hash;
    const second = await workflows.save({ ...TEA, source: "a: 2", base: seen });
    expect(second.version.number).toBe(2);
    expect(await codeOf(workflows.save({ ...TEA, source: "a: 3", base: seen }))).toBe("conflict");
    expect(await workflows.save({ ...TEA, source: "a: 2", base: seen })).toEqual(second);
    const gone = { ...TEA, name: "gone", base: seen };
    expect(await codeOf(workflows.save(gone))).toBe("conflict");
    expect(await workflows.get("tea")).toEqual(second);
  });
});

/** Workflows a, b and c; a has three runs, b one that failed, c none. */
async function world() {
  const { clock, store, workflows } = await setup();
  const add = async (name: string) => {
    clock.advance(1);
    return workflows.save({ ...TEA, name, source: name });
  };
  const [a, b, c] = [await add("a tea"), await add("b Tea"), await add("c")];
  for (const id of ["r1", "r2", "r4"]) await store.runs.create(newRun(a, id), {});
  await store.runs.create(newRun(b, "r3"), {});
  await store.runs.requestCancel("r1");
  await store.runs.failRun(await claim(store.queue, "w", "r3"), { code: "timeout", message: "" });
  return { store, workflows, clock, a, b, c };
}
const names = async (
  workflows: WorkflowStore,
  filter: Partial<Parameters<WorkflowStore["listings"]>[0]>,
) => {
  const found = await workflows.listings({ order: "changed", sinceMs: 0, ...filter });
  return found.map(({ name }) => name);
};

describe("listings() and figures()", () => {
  const HOUR = 3_600_000;

  test("finds by words, by last result, and orders by name, change and last run", async () => {
    const { workflows, c } = await world();
    expect(await workflows.listings({ order: "changed", sinceMs: 0, search: "c" })).toEqual([
      {
        id: c.id,
        name: "c",
        description: "About tea",
        updatedAt: c.updatedAt,
        versionHash: c.version.hash,
        versionNumber: 1,
      },
    ]);
    expect(await names(workflows, {})).toEqual(["c", "b Tea", "a tea"]);
    expect(await names(workflows, { order: "name" })).toEqual(["a tea", "b Tea", "c"]);
    expect(await names(workflows, { order: "run" })).toEqual(["a tea", "b Tea", "c"]);
    expect(await names(workflows, { search: "TEA b" })).toEqual(["b Tea"]);
    expect(await names(workflows, { lastResult: "failed" })).toEqual(["b Tea"]);
    expect(await names(workflows, { lastResult: "queued" })).toEqual(["a tea"]);
    expect(await names(workflows, { lastResult: "cancelled" })).toEqual([]);
    expect(await names(workflows, { lastResult: "never" })).toEqual(["c"]);
  });

  test("sums the spans that begin in time, and gives the newest runs of each workflow", async () => {
    await using folder = await temporaryFolder();
    const clock = createManualClock();
    const store = await openStore({ path: folder.database, clock });
    const { workflows } = store;
    const a = await workflows.save({ ...TEA, name: "a", source: "a" });
    const b = await workflows.save({ ...TEA, name: "b", source: "b" });
    for (let index = 10; index < 30; index += 1)
      await store.runs.create(newRun(a, `r${index}`), {});
    using client = new Database(folder.database);
    const add = (id: string, startsAt: number, sums: readonly number[]) =>
      client.run(
        `INSERT OR REPLACE INTO workflow_spans
           (workflow_id, starts_at, span_ms, created, succeeded, failed, duration_ms, cost_nano_usd)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
        [id, startsAt, HOUR, ...sums],
      );
    // Long after the runs above were made: the store itself sums these up.
    const now = clock.now() + 1_000 * HOUR;
    add(a.id, now - 2 * HOUR, [4, 3, 1, 600, 50]);
    add(a.id, now - HOUR, [1, 1, 0, 400, 10]);
    add(a.id, now - 9 * HOUR, [9, 9, 9, 9, 9]);
    add(b.id, now - HOUR, [2, 0, 2, 10, 20]);

    const sinceMs = now - 3 * HOUR;
    const [first, second, unknown] = await workflows.figures([a.id, b.id, "none"], sinceMs);
    const { recent, ...sums } = first ?? { recent: [] };
    expect(sums).toMatchObject({ created: 5, succeeded: 4, failed: 1 });
    expect(sums).toMatchObject({ durationMs: 1000, costNanoUsd: 60 });
    expect(recent.map(({ id }) => id)).toEqual(
      Array.from({ length: RECENT_RUN_COUNT }, (_, index) => `r${29 - index}`),
    );
    expect(second).toMatchObject({ created: 2, failed: 2, recent: [] });
    expect(unknown).toMatchObject({ created: 0, recent: [] });
    const order = (by: WorkflowOrder) => names(workflows, { order: by, sinceMs });
    expect(await order("cost")).toEqual(["a", "b"]);
    expect(await order("success")).toEqual(["b", "a"]);
    await store.close();
  });
});
