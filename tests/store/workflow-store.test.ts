import { expect, test } from "bun:test";
import { WORKFLOW_SOURCE_BYTES_MAX } from "../../src/domain/workflow.ts";
import { openStore } from "../../src/store/store.ts";
import { codeOf } from "./support/error-code.ts";
import { createManualClock } from "./support/manual-clock.ts";
import { newRun } from "./support/seed.ts";

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
