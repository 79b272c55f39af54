/** Copies of the database put back: checked before, whole after, at whatever point a start is killed. */
import { Database } from "bun:sqlite";
import { afterEach, beforeEach, expect, test } from "bun:test";
import { copyFileSync, existsSync, readdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../src/lib/clock.ts";
import { applyStaged, checkBackup, saveBackup, stageRestore } from "../../src/store/restore.ts";
import { openStore } from "../../src/store/store.ts";
import { codeOf } from "./support/error-code.ts";
import { temporaryFolder } from "./support/folder.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let copy: string;
beforeEach(async () => {
  folder = await temporaryFolder();
  copy = join(folder.path, "copy.db");
});
afterEach(() => folder[Symbol.asyncDispose]());

async function save(name: string): Promise<void> {
  const store = await openStore({ path: folder.database, clock: systemClock });
  await store.workflows.save({ name, description: null, source: name, format: "yaml" });
  await store.close();
}

async function names(): Promise<string[]> {
  const store = await openStore({ path: folder.database, clock: systemClock });
  const found = await store.workflows.list({ limit: 10 });
  await store.close();
  return found.map(({ name }) => name).toSorted();
}

const failing = (work: () => unknown) => codeOf(Promise.resolve().then(work));

test("saveBackup() copies what is committed while a store is open on it", async () => {
  const store = await openStore({ path: folder.database, clock: systemClock });
  await store.workflows.save({ name: "one", description: null, source: "1", format: "yaml" });
  saveBackup(folder.database, copy);
  await store.workflows.save({ name: "two", description: null, source: "2", format: "yaml" });
  await store.close();
  checkBackup(copy);
  stageRestore(folder.database, copy);
  expect(await names()).toEqual(["one", "two"]);
  const aside = applyStaged(folder.database);
  expect(await names()).toEqual(["one"]);
  using before = new Database(aside ?? "");
  expect(before.query("SELECT name FROM workflows ORDER BY name").values()).toEqual([
    ["one"],
    ["two"],
  ]);
  expect(applyStaged(folder.database)).toBeUndefined();
});

test("stageRestore() takes nothing that is not a whole database of ours", async () => {
  await save("one");
  const path = (name: string) => join(folder.path, name);
  await Bun.write(path("text"), "no database at all");
  await Bun.write(path("empty"), "");
  const other = new Database(path("other"));
  other.run("CREATE TABLE t (x)");
  other.close();
  saveBackup(folder.database, copy);
  copyFileSync(copy, path("newer"));
  const newer = new Database(path("newer"));
  newer.run("INSERT INTO migrations VALUES ('9999_later', 'x', 1)");
  newer.close();
  const bytes = Buffer.from(await Bun.file(copy).arrayBuffer());
  await Bun.write(path("cut"), bytes.subarray(0, bytes.length / 2));
  expect({
    missing: await failing(() => stageRestore(folder.database, path("missing"))),
    text: await failing(() => stageRestore(folder.database, path("text"))),
    empty: await failing(() => stageRestore(folder.database, path("empty"))),
    other: await failing(() => stageRestore(folder.database, path("other"))),
    newer: await failing(() => stageRestore(folder.database, path("newer"))),
    cut: await failing(() => stageRestore(folder.database, path("cut"))),
  }).toEqual({
    missing: "not_found",
    text: "config_invalid",
    empty: "config_invalid",
    other: "config_invalid",
    newer: "database_newer",
    cut: "database_corrupt",
  });
  expect(applyStaged(folder.database)).toBeUndefined();
  expect(readdirSync(folder.path).filter((name) => name.includes("staged"))).toEqual([]);
  expect(await names()).toEqual(["one"]);
});

test("applyStaged() that was killed between any two steps is finished by the next", async () => {
  // As it is after a crash: the log beside it belongs to it.
  const setUp = async () => {
    await save("old");
    await Bun.write(`${folder.database}-wal`, "log of the old one");
    await Bun.write(`${folder.database}-shm`, "index");
  };
  await save("new");
  saveBackup(folder.database, copy);
  for (let doneCount = 0; doneCount <= 3; doneCount += 1) {
    for (const name of readdirSync(folder.path)) {
      if (name.includes(".before-restore-") || name.endsWith("-wal") || name.endsWith("-shm"))
        await Bun.file(join(folder.path, name)).delete();
    }
    await setUp();
    stageRestore(folder.database, copy);
    const stamp = new Date((await Bun.file(`${folder.database}.staged`).stat()).mtimeMs);
    const aside = `${folder.database}.before-restore-${stamp.toISOString().replaceAll(/[-:.]/g, "")}`;
    // What the killed one had done already.
    for (const suffix of ["", "-wal", "-shm"].slice(0, doneCount))
      renameSync(folder.database + suffix, aside + suffix);
    expect(applyStaged(folder.database)).toBe(aside);
    expect(["", "-wal", "-shm"].map((suffix) => existsSync(aside + suffix))).toEqual([
      true,
      true,
      true,
    ]);
    expect(existsSync(`${folder.database}-wal`)).toBe(false);
    expect(await names()).toEqual(["new"]);
  }
});
