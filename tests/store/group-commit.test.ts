import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { type GroupCommit, createGroupCommit } from "../../src/store/group-commit.ts";
import { addToSums, defineSums } from "../../src/store/sum-write.ts";
import { temporaryFolder } from "./support/folder.ts";

function open(path: string): Database {
  const client = new Database(path, { create: true });
  client.run("PRAGMA journal_mode = WAL; PRAGMA busy_timeout = 1");
  client.run("CREATE TABLE IF NOT EXISTS t (x INTEGER UNIQUE CHECK (x >= 0))");
  return client;
}

function groupOn(client: Database, onCommit: () => void): GroupCommit {
  return createGroupCommit(client, { onCommit, lockWaitMs: 5_000 });
}

function rows(client: Database): number[] {
  return client
    .query<{ x: number }, []>("SELECT x FROM t ORDER BY x")
    .all()
    .map((row) => row.x);
}

/** How often each promise did what; a rejection by its message. */
async function settle(promises: readonly Promise<unknown>[]): Promise<unknown[]> {
  const results = await Promise.allSettled(promises);
  return results.map((result) =>
    result.status === "fulfilled" ? result.value : String(result.reason),
  );
}

test("writes asked for in one turn are committed together, in order", async () => {
  const client = open(":memory:");
  let commitCount = 0;
  const group = groupOn(client, () => {
    commitCount += 1;
  });
  const seen: boolean[] = [];
  const write = (x: number) =>
    group.write(() => {
      seen.push(client.inTransaction);
      client.run("INSERT INTO t VALUES (?)", [x]);
      return rows(client);
    });
  expect(await Promise.all([write(1), write(2), write(3)])).toEqual([[1], [1, 2], [1, 2, 3]]);
  expect([commitCount, seen]).toEqual([1, [true, true, true]]);
});

test("writes asked for a few awaits later in the same turn join the group", async () => {
  const client = open(":memory:");
  let commitCount = 0;
  const group = groupOn(client, () => {
    commitCount += 1;
  });
  const later = async (awaits: number) => {
    for (let index = 0; index < awaits; index += 1) await Promise.resolve();
    return await group.write(() => client.run("INSERT INTO t VALUES (?)", [awaits]));
  };
  await Promise.all([later(0), later(3), later(50)]);
  expect([rows(client), commitCount]).toEqual([[0, 3, 50], 1]);
});

test("a promise resolves only when another connection can see the write", async () => {
  await using folder = await temporaryFolder();
  using client = open(folder.database);
  using other = open(folder.database);
  const group = groupOn(client, () => {});
  const visible = await Promise.all(
    [1, 2, 3].map((x) =>
      group.write(() => client.run("INSERT INTO t VALUES (?)", [x])).then(() => rows(other)),
    ),
  );
  expect(visible).toEqual([
    [1, 2, 3],
    [1, 2, 3],
    [1, 2, 3],
  ]);
});

test("a member that fails changes nothing and fails alone", async () => {
  const client = open(":memory:");
  const group = groupOn(client, () => {});
  const insert = (...values: number[]) =>
    group.write(() => {
      for (const x of values) client.run("INSERT INTO t VALUES (?)", [x]);
      return values.length;
    });
  const outcome = await settle([
    insert(1),
    insert(2, 3, -1),
    insert(4),
    group.write(() => {
      client.run("INSERT INTO t VALUES (9)");
      throw new Error("no");
    }),
    insert(5),
    insert(1),
  ]);
  expect(outcome).toEqual([
    1,
    expect.stringContaining("CHECK constraint failed"),
    1,
    "Error: no",
    1,
    expect.stringContaining("UNIQUE constraint failed"),
  ]);
  expect(rows(client)).toEqual([1, 4, 5]);
  expect(client.inTransaction).toBe(false);
});

test("sums are written once for a group, without those of members that fail or were rolled back", async () => {
  const client = open(":memory:");
  client.run("CREATE TABLE sums (name TEXT PRIMARY KEY, count INTEGER, size_max INTEGER)");
  client.run("CREATE TABLE writes (count INTEGER)");
  client.run("CREATE TRIGGER noted AFTER INSERT ON sums BEGIN INSERT INTO writes VALUES (1); END");
  client.run("CREATE TRIGGER again AFTER UPDATE ON sums BEGIN INSERT INTO writes VALUES (1); END");
  const insert = "INSERT INTO sums (name, count, size_max) VALUES (?, ?, ?)";
  const table = defineSums(insert, ["count", "size_max"]);
  const group = groupOn(client, () => {});
  const add = (name: string, size: number, x?: number) =>
    group.write(() => {
      addToSums(client, { table, key: [name], sums: [1, size] });
      if (x !== undefined) client.run("INSERT INTO t VALUES (?)", [x]);
    });
  const found = () => client.query("SELECT * FROM sums ORDER BY name").values();
  const writeCount = () => client.query("SELECT count(*) FROM writes").values();
  await Promise.all([add("a", 5), add("a", 3), add("b", 1), add("a", 4)]);
  expect([found(), writeCount()]).toEqual([
    [
      ["a", 3, 5],
      ["b", 1, 1],
    ],
    [[2]],
  ]);
  const outcome = await settle([add("a", 9), add("b", 7, -1), add("a", 1, 2), add("c", 2, -1)]);
  expect(outcome.map((value) => value === undefined)).toEqual([true, false, true, false]);
  // Alone in its group, and all of a group whose COMMIT fails.
  await settle([add("a", 99, -1)]);
  client.run("PRAGMA foreign_keys = ON");
  client.run("CREATE TABLE parent (id INTEGER PRIMARY KEY)");
  client.run("CREATE TABLE child (id REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED)");
  const orphan = group.write(() => client.run("INSERT INTO child VALUES (7)"));
  await settle([orphan, add("a", 99)]);
  await add("b", 2);
  expect([found(), writeCount()]).toEqual([
    [
      ["a", 5, 9],
      ["b", 2, 2],
    ],
    [[4]],
  ]);
});

test("nothing is kept and all reject when the storage is full", async () => {
  await using folder = await temporaryFolder();
  using client = open(folder.database);
  client.run("CREATE TABLE big (data TEXT)");
  client.run("PRAGMA max_page_count = 8");
  const group = groupOn(client, () => {});
  const outcome = await settle([
    group.write(() => client.run("INSERT INTO t VALUES (1)")),
    group.write(() => client.run("INSERT INTO big VALUES (?)", ["x".repeat(100_000)])),
    group.write(() => client.run("INSERT INTO t VALUES (2)")),
  ]);
  const full = "SQLiteError: database or disk is full";
  expect(outcome).toEqual([full, full, full]);
  expect(rows(client)).toEqual([]);
  expect(await settle([group.write(() => "again")])).toEqual(["again"]);
});

test("nothing is kept and all reject when COMMIT fails", async () => {
  const client = open(":memory:");
  client.run("PRAGMA foreign_keys = ON; CREATE TABLE p (id INTEGER PRIMARY KEY)");
  client.run("CREATE TABLE c (p INTEGER REFERENCES p (id) DEFERRABLE INITIALLY DEFERRED)");
  const group = groupOn(client, () => {});
  const outcome = await settle([
    group.write(() => client.run("INSERT INTO t VALUES (1)")),
    group.write(() => client.run("INSERT INTO c VALUES (404)")),
  ]);
  expect(outcome).toEqual([
    expect.stringContaining("FOREIGN KEY constraint failed"),
    expect.stringContaining("FOREIGN KEY constraint failed"),
  ]);
  expect([rows(client), client.inTransaction]).toEqual([[], false]);
});

test("onCommit is called for changes only", async () => {
  const client = open(":memory:");
  let commitCount = 0;
  const group = groupOn(client, () => {
    commitCount += 1;
  });
  await group.write(() => rows(client));
  expect(commitCount).toBe(0);
  await group.write(() => client.run("INSERT INTO t VALUES (1)"));
  expect(commitCount).toBe(1);
});

test("a lock of another connection is waited for without blocking the thread", async () => {
  await using folder = await temporaryFolder();
  using client = open(folder.database);
  using other = open(folder.database);
  const group = groupOn(client, () => {});
  other.run("BEGIN IMMEDIATE");
  const written = group.write(() => client.run("INSERT INTO t VALUES (1)"));
  // Timers run although the write waits: the lock is given back by one.
  setTimeout(() => other.run("COMMIT"), 50);
  await written;
  await group.idle();
  expect(rows(other)).toEqual([1]);
});

test("many more writes than fit one transaction are all committed", async () => {
  const client = open(":memory:");
  let commitCount = 0;
  const group = groupOn(client, () => {
    commitCount += 1;
  });
  const values = Array.from({ length: 2_000 }, (_, index) => index);
  const writes = values.map((x) => group.write(() => client.run("INSERT INTO t VALUES (?)", [x])));
  await group.idle();
  expect(rows(client)).toEqual(values);
  await Promise.all(writes);
  expect(commitCount).toBe(4);
});
