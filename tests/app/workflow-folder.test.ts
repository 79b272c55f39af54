import { afterEach, expect, test } from "bun:test";
import { mkdtemp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AppError } from "../../src/domain/error.ts";
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

async function until(condition: () => unknown, limitMs = 10_000): Promise<void> {
  const limit = performance.now() + limitMs;
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

test("followFolder() is not held up by many changes, each of which is a notice of its own", async () => {
  const { folder, store, follow } = await setUp();
  follow();
  for (let index = 0; index < 100; index += 1)
    await Bun.write(join(folder, `${index}.txt`), "not a workflow");
  await Bun.write(join(folder, "hello.yaml"), source("one"));
  await until(async () => (await store.workflows.get("hello")) !== undefined, 3_000);
});

test("followFolder() looks at a folder in which something changes all the time", async () => {
  const { folder, store, follow } = await setUp();
  await Bun.write(join(folder, "hello.yaml"), source("one"));
  follow();
  const busy = setInterval(() => void Bun.write(join(folder, "busy.log"), `${Math.random()}`), 50);
  cleanups.push(() => clearInterval(busy));
  await until(async () => (await store.workflows.get("hello")) !== undefined);
});

test("followFolder() does not go back to an older text when something changes as it starts", async () => {
  const { folder, store, faults, follow } = await setUp();
  await Bun.write(join(folder, "hello.yaml"), source("one"));
  const known = { name: "hello", description: null, format: "yaml" } as const;
  await store.workflows.save({ ...known, source: source("one") });
  await store.workflows.save({ ...known, source: source("from a page") });
  follow();
  await Bun.write(join(folder, "zzz.yaml"), "schema_version: nine");
  await until(() => faults.length > 0);
  expect((await store.workflows.get("hello"))?.version.source).toBe(source("from a page"));
});

test("followFolder() tries a file again that the database did not take", async () => {
  const { folder, store, faults } = await setUp();
  await Bun.write(join(folder, "hello.yaml"), source("one"));
  let refusals = 0;
  const stop = followFolder(folder, {
    workflows: {
      ...store.workflows,
      save(input) {
        refusals += 1;
        if (refusals === 1) throw new AppError("database_locked", "Not now.");
        return store.workflows.save(input);
      },
    },
    knownTools: [],
    clock: systemClock,
    onFault: (text) => faults.push(text),
  });
  cleanups.push(stop);
  await until(async () => (await store.workflows.get("hello")) !== undefined);
  expect(faults).toEqual([]);
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
