import { afterEach, expect, test } from "bun:test";
import { mkdtemp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { followFolder } from "../../src/app/workflow-folder.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { openStore } from "../../src/store/store.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function setUp() {
  const folder = await mkdtemp(join(tmpdir(), "agents-folder-"));
  cleanups.push(() => rm(folder, { recursive: true, force: true }));
  const store = await openStore({ path: ":memory:", clock: systemClock });
  cleanups.push(() => store.close());
  const faults: string[] = [];
  const follow = () => {
    const stop = followFolder(folder, {
      workflows: store.workflows,
      knownTools: [],
      clock: systemClock,
      onFault: (text) => faults.push(text),
    });
    cleanups.push(stop);
    return stop;
  };
  return { folder, store, faults, follow };
}

const source = (prompt: string) => `schema_version: "1.0"
flow: {name: hello}
state: {fields: {text: {type: str, default: ""}}}
nodes:
  - {id: say, prompt: "${prompt}", outputs: [text], output_schema: {type: str}}
edges:
  - {from: START, to: say}
  - {from: say, to: END}
`;

async function until(condition: () => unknown): Promise<void> {
  const limit = performance.now() + 10_000;
  while (!(await condition())) {
    if (performance.now() > limit) throw new Error(`never: ${String(condition)}`);
    await Bun.sleep(10);
  }
}

test("followFolder() saves the files that are there, tells of a broken one, and takes up changes", async () => {
  const { folder, store, faults, follow } = await setUp();
  await Bun.write(join(folder, "hello.yaml"), source("one"));
  await Bun.write(join(folder, "broken.yaml"), "schema_version: nine");
  await Bun.write(join(folder, "notes.txt"), "not a workflow");
  follow();
  await until(async () => (await store.workflows.get("hello"))?.version.number === 1);
  await until(() => faults.length === 1);
  expect(faults[0]).toContain("broken.yaml has errors");

  // As editors save: written beside, then renamed.
  await Bun.write(join(folder, ".hello.tmp"), source("two"));
  await rename(join(folder, ".hello.tmp"), join(folder, "hello.yaml"));
  await until(async () => (await store.workflows.get("hello"))?.version.number === 2);
  expect((await store.workflows.get("hello"))?.version.source).toBe(source("two"));
  expect(faults).toHaveLength(1);
});

test("followFolder() does not go back to an older text that the folder still has at a start", async () => {
  const { folder, store, faults, follow } = await setUp();
  await Bun.write(join(folder, "hello.yaml"), source("one"));
  follow()();
  await until(() => true);
  const stop = follow();
  await until(async () => (await store.workflows.get("hello")) !== undefined);
  stop();
  const { id } = await store.workflows.save({
    name: "hello",
    description: null,
    source: source("from a page"),
    format: "yaml",
  });
  // A second file tells when the scan is over.
  await Bun.write(join(folder, "zzz.yaml"), "schema_version: nine");
  follow();
  await until(() => faults.length > 0);
  expect((await store.workflows.get(id))?.version.source).toBe(source("from a page"));
});

test("followFolder() takes a folder that is not there for an empty one", async () => {
  const { folder, store, faults } = await setUp();
  const stop = followFolder(join(folder, "missing"), {
    workflows: store.workflows,
    knownTools: [],
    clock: systemClock,
    onFault: (text) => faults.push(text),
  });
  stop();
  expect(await store.workflows.list({ limit: 10 })).toEqual([]);
  expect(faults).toEqual([]);
});
