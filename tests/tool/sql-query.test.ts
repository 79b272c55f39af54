import { Database } from "bun:sqlite";
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Json } from "../../src/lib/json.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { startProgram } from "../../src/process/program.ts";
import { createWorld, failure, type World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await createWorld();
  const database = new Database(join(world.workspace, "shop.db"), { create: true });
  database.run("PRAGMA journal_mode = WAL");
  database.run("CREATE TABLE teas (id INTEGER PRIMARY KEY, name TEXT, price REAL, picture BLOB)");
  database.run(
    "INSERT INTO teas (name, price, picture) VALUES ('Sencha', 4.5, x'0102'), ('Assam', NULL, NULL)",
  );
  database.close();
  await writeFile(join(world.workspace, "no.db"), "this is no database, but a text file");
  await symlink(join(world.workspace, "shop.db"), join(world.workspace, "link.db"));
});
afterAll(() => world[Symbol.asyncDispose]());

const query = (text: string, connection = "sqlite:///shop.db", config: Json = null) =>
  world.call("sql_query", { query: text, connection_string: connection }, { config });

describe("sql_query", () => {
  test("returns rows and columns", async () => {
    expect(await query("SELECT *, 9007199254740993 AS big FROM teas ORDER BY id")).toEqual({
      columns: ["id", "name", "price", "picture", "big"],
      rows: [
        { id: 1, name: "Sencha", price: 4.5, picture: "<2 bytes>", big: "9007199254740993" },
        { id: 2, name: "Assam", price: null, picture: null, big: "9007199254740993" },
      ],
    });
    for (const text of [
      "WITH t AS (SELECT 1 AS n) SELECT n FROM t",
      "-- first; a comment\nselect 1 as n;",
      "/* ; */ SELECT 1 AS n ; ;",
      "VALUES (1)",
      "SELECT ';' AS n",
    ])
      expect(await query(text)).toMatchObject({ rows: [expect.anything()] });
  });

  test("takes the file in every spelling, or from the config", async () => {
    const count = "SELECT count(*) AS n FROM teas";
    const answer = { columns: ["n"], rows: [{ n: 2 }] };
    for (const connection of ["shop.db", "sqlite:///shop.db", "SQLITE:///shop.db", "link.db"])
      expect(await query(count, connection)).toEqual(answer);
    expect(await query(count, `sqlite:///${join(world.workspace, "shop.db")}`)).toEqual(answer);
    const config = { database: "shop.db" };
    expect(await world.call("sql_query", { query: count }, { config })).toEqual(answer);
    expect(await failure(world.call("sql_query", { query: count }))).toMatchObject({
      code: "invalid",
      message: "No database is named.",
    });
  });

  test.each([
    "DELETE FROM teas",
    "PRAGMA query_only = OFF",
    "ATTACH DATABASE '/etc/passwd' AS x",
    "VACUUM INTO 'copy.db'",
    "EXPLAIN SELECT 1",
    "SELECT 1; DELETE FROM teas",
    "SELECT 1; SELECT 2",
    "  ",
    "/* SELECT */ DELETE FROM teas",
    "'SELECT' ",
    "--\nDROP TABLE teas",
  ])("%j is refused before anything is opened", async (text) => {
    expect((await failure(query(text))).code).toBe("invalid");
  });

  test.each([
    ["WITH t AS (SELECT 1) DELETE FROM teas", "The statement does not only read"],
    [
      "WITH t AS (SELECT 9, 'x') INSERT INTO teas (id, name) SELECT * FROM t",
      "The statement does not only read",
    ],
    ["SELECT load_extension('x')", "not authorized"],
    ["SELECT * FROM nowhere", "no such table: nowhere"],
    ["SELECT ?1", "The statement has parameters that nobody gives"],
    ["SELECT", "incomplete input"],
    ["SELECT zeroblob(900000000) || zeroblob(900000000)", ""],
  ])("%j fails in SQLite: %s", async (text, reason) => {
    const error = await failure(query(text));
    expect(error.code).toBe("tool_failed");
    expect(error.message).toContain(reason);
  });

  test("writes nothing, whatever it is asked", async () => {
    const before = readdirSync(world.workspace).filter((name) => !/-(?:wal|shm)$/.test(name));
    await failure(query("WITH t AS (SELECT 1) DELETE FROM teas"));
    expect(await query("SELECT count(*) AS n FROM teas")).toMatchObject({ rows: [{ n: 2 }] });
    expect(readdirSync(world.workspace).filter((name) => !/-(?:wal|shm)$/.test(name))).toEqual(
      before,
    );
  });

  test("a file that is no database, is not there, or is of another kind", async () => {
    expect((await failure(query("SELECT 1 FROM x", "no.db"))).message).toContain("not a database");
    expect((await failure(query("SELECT 1", "none.db"))).message).toBe("There is no file none.db.");
    expect(existsSync(join(world.workspace, "none.db"))).toBe(false);
    expect((await failure(query("SELECT 1", "postgres://u:p@h/d"))).message).toBe(
      "`postgres` databases cannot be read.",
    );
  });

  test("long answers are cut with a note", async () => {
    const numbers = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c)";
    expect(await query(`${numbers} SELECT x FROM c`)).toMatchObject({
      note: "Cut: the first 1000 rows. Use LIMIT and OFFSET, or aggregate.",
    });
    const wide = await query(`${numbers} SELECT hex(zeroblob(50000)) AS x FROM c`);
    expect(JSON.stringify(wide).length).toBeLessThan(600_000);
  });

  test("a query that runs for ever is ended with the signal's reason", async () => {
    const pids: number[] = [];
    const controller = new AbortController();
    const reason = new Error("over");
    const work = world.call(
      "sql_query",
      {
        query:
          "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c",
        connection_string: "shop.db",
      },
      {
        signal: controller.signal,
        deps: {
          startProgram: (request) => {
            const program = startProgram(request, systemClock);
            pids.push(program.pid);
            return program;
          },
        },
      },
    );
    while (pids.length === 0) await Bun.sleep(5);
    controller.abort(reason);
    expect(await work.catch((error: unknown) => error)).toBe(reason);
    expect(() => process.kill(pids[0] ?? 0, 0)).toThrow();
  });
});
