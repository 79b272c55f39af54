import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { MIGRATIONS } from "../../drizzle/index.ts";
import { AppError } from "../../src/domain/error.ts";
import { assert } from "../../src/lib/assert.ts";
import { openDatabase } from "../../src/store/database.ts";
import { migrate } from "../../src/store/migrate.ts";
import { openStore } from "../../src/store/store.ts";
import { start, succeed, write } from "../conformance/support.ts";
import { temporaryFolder } from "./support/folder.ts";
import { createManualClock } from "./support/manual-clock.ts";

function migration(name: string, sql: string) {
  return { name, sql, sha256: new Bun.CryptoHasher("sha256").update(sql).digest("hex") };
}

const ONE = migration("0001", "CREATE TABLE t1 (x)");
const TWO = migration("0002", "CREATE TABLE t2 (x)");
const THREE = migration("0003", "CREATE TABLE t3 (x)");
const AT = { nowMs: 1_790_000_000_000 };

function apply(client: Database, ...list: Parameters<typeof migrate>[1]): string[] {
  return migrate(client, list, AT).migrated;
}

function codeOfThrown(work: () => unknown): string {
  try {
    work();
    return "nothing";
  } catch (error) {
    return error instanceof AppError ? error.code : String(error);
  }
}

describe("migrate()", () => {
  test("applies each migration once and records it with its digest", () => {
    const client = new Database(":memory:");
    expect(apply(client, ONE, TWO)).toEqual(["0001", "0002"]);
    expect(apply(client, ONE, TWO)).toEqual([]);
    expect(client.query("SELECT * FROM migrations ORDER BY name").all()).toEqual([
      { name: "0001", sha256: ONE.sha256, applied_at: AT.nowMs },
      { name: "0002", sha256: TWO.sha256, applied_at: AT.nowMs },
    ]);
  });

  test("applies a migration that was merged after a later one", () => {
    const client = new Database(":memory:");
    apply(client, ONE, THREE);
    expect(apply(client, ONE, TWO, THREE)).toEqual(["0002"]);
  });

  test("keeps the children of a rebuilt table, and foreign keys on", () => {
    const client = new Database(":memory:");
    client.run("PRAGMA foreign_keys = ON");
    const tables = `CREATE TABLE p (id INTEGER PRIMARY KEY);
      CREATE TABLE c (id INTEGER PRIMARY KEY, p INTEGER REFERENCES p (id) ON DELETE CASCADE);
      INSERT INTO p VALUES (1); INSERT INTO c VALUES (1, 1);`;
    const rebuild = `CREATE TABLE __new_p (id INTEGER PRIMARY KEY, n TEXT);
      INSERT INTO __new_p (id) SELECT id FROM p; DROP TABLE p; ALTER TABLE __new_p RENAME TO p;`;
    apply(client, migration("0001", tables), migration("0002", rebuild));
    expect(client.query("SELECT count(*) AS n FROM c").get()).toEqual({ n: 1 });
    expect(client.query("PRAGMA foreign_keys").get()).toEqual({ foreign_keys: 1 });
  });

  test("refuses a migration that leaves orphans", () => {
    const client = new Database(":memory:");
    const orphan = `CREATE TABLE p (id INTEGER PRIMARY KEY);
      CREATE TABLE c (p INTEGER REFERENCES p (id)); INSERT INTO c VALUES (7);`;
    expect(() => apply(client, migration("0001", orphan))).toThrow("1 orphans");
    expect(client.query("SELECT name FROM sqlite_schema").all()).toEqual([]);
  });

  test("leaves nothing behind when one of several migrations fails", () => {
    const client = new Database(":memory:");
    const bad = migration("0002", "CREATE TABLE t (x); nonsense");
    expect(() => apply(client, ONE, bad)).toThrow("syntax error");
    expect(client.query("SELECT name FROM sqlite_schema").all()).toEqual([]);
    expect(client.inTransaction).toBe(false);
  });

  test("refuses a database with migrations, or digests, that it does not know", () => {
    const client = new Database(":memory:");
    apply(client, ONE, THREE);
    expect(codeOfThrown(() => apply(client, ONE, TWO))).toBe("database_newer");
    const changed = migration("0001", "CREATE TABLE t1 (x, y)");
    expect(codeOfThrown(() => apply(client, changed, THREE))).toBe("database_newer");
    expect(client.query("SELECT name FROM migrations ORDER BY name").all()).toEqual([
      { name: "0001" },
      { name: "0003" },
    ]);
  });

  test("refuses the database of another program", () => {
    const client = new Database(":memory:");
    client.run("CREATE TABLE bookmarks (url)");
    expect(codeOfThrown(() => apply(client, ONE))).toBe("config_invalid");
    expect(client.query("SELECT name FROM sqlite_schema").all()).toEqual([{ name: "bookmarks" }]);
  });
});

function open(path: string, migrations: Parameters<typeof migrate>[1], nowMs = AT.nowMs) {
  return openDatabase({ path, nowMs, readOnly: false, migrations });
}

describe("openDatabase()", () => {
  test("copies existing data before it migrates, and keeps the last three copies", async () => {
    await using folder = await temporaryFolder();
    const list = [ONE];
    const first = open(folder.database, list);
    first.client.run("INSERT INTO t1 VALUES ('kept')");
    first.client.close(true);
    expect(first.opened).toEqual({ migrated: ["0001"], backup: undefined, created: true });
    const made: string[] = [];
    for (const number of [2, 3, 4, 5, 6]) {
      const next = migration(`000${number}`, `CREATE TABLE t${number} (x); DELETE FROM t1`);
      list.push(next);
      const { client, opened } = open(folder.database, list, AT.nowMs + number);
      client.run("INSERT INTO t1 VALUES (?)", [number]);
      client.close(true);
      expect(opened.migrated).toEqual([next.name]);
      made.push(basename(opened.backup ?? "none"));
    }
    expect(made[0]).toBe("agents.db.backup-0001-20260921T141320002Z");
    const kept = made.slice(-3);
    expect((await readdir(folder.path)).toSorted()).toEqual(["agents.db", ...kept]);
    const copyPath = join(folder.path, kept[0] ?? "");
    using copy = new Database(copyPath, { readonly: true });
    expect(copy.query("SELECT x FROM t1").all()).toEqual([{ x: 3 }]);
    expect((await stat(copyPath)).mode & 0o777).toBe(0o600);
  });

  test("makes no copy when nothing is to be migrated", async () => {
    await using folder = await temporaryFolder();
    open(folder.database, [ONE]).client.close(true);
    const { client, opened } = open(folder.database, [ONE]);
    client.close(true);
    expect(opened).toEqual({ migrated: [], backup: undefined, created: false });
    expect(await readdir(folder.path)).toEqual(["agents.db"]);
  });

  test("leaves data and schema as they were when a migration fails", async () => {
    await using folder = await temporaryFolder();
    const { client } = open(folder.database, [ONE]);
    client.run("INSERT INTO t1 VALUES (1)");
    client.close(true);
    const bad = migration("0002", "DELETE FROM t1; CREATE TABLE t2 (x); nonsense");
    expect(() => open(folder.database, [ONE, bad])).toThrow("syntax error");
    const again = open(folder.database, [ONE]);
    expect(again.client.query("SELECT x FROM t1").all()).toEqual([{ x: 1 }]);
    again.client.close(true);
  });
});

test("openStore() from several processes at once migrates once", async () => {
  await using folder = await temporaryFolder();
  const script = `${import.meta.dir}/support/open-process.ts`;
  const children = Array.from({ length: 6 }, () =>
    Bun.spawn([process.execPath, script, folder.database], {
      stdio: ["ignore", "pipe", "inherit"],
    }),
  );
  const reports = await Promise.all(
    children.map(async (child): Promise<{ migrated: string[] }> =>
      JSON.parse(await new Response(child.stdout).text()),
    ),
  );
  const names = MIGRATIONS.map((entry) => entry.name);
  expect(reports.flatMap((report) => report.migrated)).toEqual(names);
  const store = await openStore({ path: folder.database, clock: createManualClock() });
  expect(store.opened.migrated).toEqual([]);
  await store.close();
});

/** A database as versions before 0002 wrote it, with a run in each state. */
async function makeOld(path: string): Promise<void> {
  const { client } = open(path, MIGRATIONS.slice(0, 2));
  client.run(await Bun.file(`${import.meta.dir}/support/before-0002.sql`).text());
  client.close(true);
}

describe("0002_extend_runs", () => {
  test("keeps runs, steps and calls, and tells where each attempt ended", async () => {
    await using folder = await temporaryFolder();
    await makeOld(folder.database);
    const clock = createManualClock();
    const store = await openStore({ path: folder.database, clock });
    expect(store.opened).toMatchObject({
      migrated: MIGRATIONS.slice(2).map(({ name }) => name),
      created: false,
    });
    const placesOf = async (id: string) =>
      (await store.runs.journal(id)).steps.map(
        ({ key, attempt, state, startedSeq, endedSeq, next }) =>
          [key, attempt, state, startedSeq, endedSeq, next].join(" "),
      );
    expect(await placesOf("done")).toEqual([
      "read 1 succeeded 3 5 write",
      "write 1 succeeded 6 7 END",
    ]);
    expect(await placesOf("running")).toEqual([
      "read 1 succeeded 3 4 write",
      "write 1 running 5  ",
    ]);
    expect(await placesOf("waiting")).toEqual([
      "read 1 succeeded 3 4 write",
      "write 1 failed 5 6 ",
    ]);
    // Given back between two steps: the one node that is left comes next; of two the graph must tell.
    expect(await placesOf("between")).toEqual(["read 1 succeeded 3 4 write"]);
    expect(await placesOf("early")).toEqual(["read 1 succeeded 3 4 "]);
    // What was stopped ended with its run.
    expect(await placesOf("cancelled")).toEqual(["read 1 cancelled 3 4 "]);
    expect(await store.runs.get("done")).toMatchObject({
      state: "succeeded",
      origin: null,
      depth: 0,
      rootId: "done",
      wakeCount: 0,
      values: { topic: "tea", text: "hot" },
      doneNodeIds: ["read", "write"],
      costNanoUsd: 7,
    });
    const { calls, signals } = await store.runs.journal("done");
    expect([calls.map((call) => call.result), signals]).toEqual([["ok"], []]);
    expect((await store.runs.find("nning"))?.id).toBe("running");
    expect((await store.runs.list({ limit: 9 })).map((run) => run.id)).toEqual([
      "waiting",
      "running",
      "queued",
      "early",
      "done",
      "cancelled",
      "between",
    ]);
    expect((await store.runs.recentEvents(2)).map((stored) => stored.event.type)).toEqual([
      "step.failed",
      "run.waiting",
    ]);
    await store.close();
    using client = new Database(folder.database);
    expect(client.query("PRAGMA integrity_check").all()).toEqual([{ integrity_check: "ok" }]);
    expect(client.query("PRAGMA foreign_key_check").all()).toEqual([]);
  });

  test("lets interrupted and waiting runs go on", async () => {
    await using folder = await temporaryFolder();
    await makeOld(folder.database);
    const clock = createManualClock();
    const store = await openStore({ path: folder.database, clock });
    const claims = await store.queue.fetch("new", 9);
    expect(claims).toEqual([
      { runId: "queued", worker: "new", epoch: 1, recovered: false },
      { runId: "waiting", worker: "new", epoch: 2, recovered: false },
      { runId: "running", worker: "new", epoch: 2, recovered: true },
    ]);
    const [, waiting, running] = claims;
    assert(waiting !== undefined && running !== undefined, "claimed above");
    const [taken] = await write(store, running, {
      steps: [{ type: "start", key: "write", nodeId: "write", attempt: 1, input: "new" }],
    });
    expect(taken).toMatchObject({ input: { prompt: "w" }, recoveryCount: 1, startedSeq: 5 });
    await write(store, running, {
      steps: [succeed("write", { patch: { text: "hot" }, next: ["END"] })],
      turn: { state: "succeeded", outputs: {} },
    });
    expect(await store.runs.get("running")).toMatchObject({
      state: "succeeded",
      values: { topic: "tea", text: "hot" },
      doneNodeIds: ["read", "write"],
    });
    const again = await write(store, waiting, { steps: [start("write", { attempt: 2 })] });
    expect(again).toMatchObject([{ attempt: 2, state: "running" }]);
    expect(await store.runs.counts()).toMatchObject({ running: 2, succeeded: 2, cancelled: 1 });
    await store.close();
  });
});
