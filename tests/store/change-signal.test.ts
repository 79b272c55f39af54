import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { openStore } from "../../src/store/store.ts";
import { temporaryFolder } from "./support/folder.ts";
import { createManualClock } from "./support/manual-clock.ts";
import { waitUntil } from "./support/wait.ts";

test("onChange() tells of own commits, once for a group, and not of reads", async () => {
  const store = await openStore({ path: ":memory:", clock: createManualClock() });
  let count = 0;
  const stop = store.changes.onChange(() => {
    count += 1;
  });
  await store.system.setting("a");
  await store.runs.requestCancel("none").catch(() => {});
  expect(count).toBe(0);
  await Promise.all([store.system.setSetting("a", "1"), store.system.setSetting("b", "2")]);
  await waitUntil("the change to be told", () => count > 0);
  expect(count).toBe(1);
  stop();
  await store.system.setSetting("a", "2");
  await store.system.setting("a");
  expect(count).toBe(1);
  await store.close();
});

test("onChange() tells of commits by another connection, and then the change can be read", async () => {
  await using folder = await temporaryFolder();
  const store = await openStore({ path: folder.database, clock: createManualClock() });
  const seen: (string | undefined)[] = [];
  store.changes.onChange(() => {
    void store.system.setting("a").then((value) => seen.push(value));
  });
  using other = new Database(folder.database);
  for (const value of ["1", "2"]) {
    other.run("INSERT OR REPLACE INTO settings VALUES ('a', ?)", [value]);
    await waitUntil(`the change to ${value}`, () => seen.at(-1) === value);
  }
  await store.close();
});

test("every listener is told, also when one function listens twice", async () => {
  const store = await openStore({ path: ":memory:", clock: createManualClock() });
  let count = 0;
  const listener = () => {
    count += 1;
  };
  const stopFirst = store.changes.onChange(listener);
  store.changes.onChange(listener);
  await store.system.setSetting("a", "1");
  await waitUntil("both", () => count === 2);
  stopFirst();
  await store.system.setSetting("a", "2");
  await waitUntil("one", () => count === 3);
  await store.close();
});
