/** What opening creates, and how each way of failing is told to the user. */
import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { chmod, mkdir, readdir, stat, truncate } from "node:fs/promises";
import { join } from "node:path";
import { AppError, type ErrorRecord } from "../../src/domain/error.ts";
import { setAsideCorrupt } from "../../src/store/backup.ts";
import { type StoreOptions, openStore } from "../../src/store/store.ts";
import { holdExclusively, makeDatabase, scribble } from "./support/damage.ts";
import { codeOf } from "./support/error-code.ts";
import { temporaryFolder } from "./support/folder.ts";
import { canMount, smallDisk, unprivileged } from "./support/machine.ts";
import { createManualClock } from "./support/manual-clock.ts";

function open(path: string, more: Partial<StoreOptions> = {}) {
  return openStore({ path, clock: createManualClock(), ...more });
}

/** The failure of opening as the user gets it, with `folder` for the folder's path. */
async function failure(path: string, folder: string, more?: object): Promise<ErrorRecord | "none"> {
  try {
    const store = await open(path, more);
    await store.close();
    return "none";
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const text = JSON.stringify(error.toRecord()).replaceAll(folder, "folder");
    const record: ErrorRecord = JSON.parse(text);
    return record;
  }
}

describe("openStore()", () => {
  test("creates folders and file for the user alone, and finds the data again", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "a", "b", "agents.db");
    const store = await open(path);
    expect(store.opened.created).toBe(true);
    expect(store.health()).toEqual({ state: "ok" });
    await store.system.setSetting("kept", "yes");
    const modes = await Promise.all(
      ["a", "a/b", "a/b/agents.db", "a/b/agents.db-wal", "a/b/agents.db-shm"].map(
        async (name) => (await stat(join(folder.path, name))).mode & 0o777,
      ),
    );
    expect(modes).toEqual([0o700, 0o700, 0o600, 0o600, 0o600]);
    await store.close();
    expect(await readdir(join(folder.path, "a", "b"))).toEqual(["agents.db"]);

    const again = await open(path);
    expect(again.opened).toEqual({ migrated: [], backup: undefined, created: false });
    expect(await again.system.setting("kept")).toBe("yes");
    await again.close();
  });

  test("makes every commit durable", async () => {
    await using folder = await temporaryFolder();
    const { openDatabase } = await import("../../src/store/database.ts");
    const { MIGRATIONS } = await import("../../drizzle/index.ts");
    const options = { path: folder.database, nowMs: 0, readOnly: false, migrations: MIGRATIONS };
    using client = openDatabase(options).client;
    const pragma = (name: string) => Object.values(client.query(`PRAGMA ${name}`).get() ?? {})[0];
    expect(["journal_mode", "synchronous", "foreign_keys"].map(pragma)).toEqual(["wal", 2, 1]);
  });

  test("refuses everything after close()", async () => {
    const store = await open(":memory:");
    await store.close();
    expect(await codeOf(store.system.setting("a"))).toBe("unavailable");
    expect(await codeOf(store.system.setSetting("a", "b"))).toBe("unavailable");
  });

  test("close() waits for writes that were asked for", async () => {
    await using folder = await temporaryFolder();
    const store = await open(folder.database);
    const written = store.system.setSetting("a", "b");
    await store.close();
    await written;
    const again = await open(folder.database);
    expect(await again.system.setting("a")).toBe("b");
    await again.close();
  });

  test("read-only reads, refuses writes and creates nothing", async () => {
    await using folder = await temporaryFolder();
    expect(await failure(folder.database, folder.path, { readOnly: true })).toEqual({
      code: "not_found",
      message: "There is no database at folder/agents.db.",
      fix: "Run `agents start` once to create it.",
    });
    expect(await readdir(folder.path)).toEqual([]);
    await makeDatabase(folder.database);
    const store = await open(folder.database, { readOnly: true });
    expect(await store.system.setting("kept")).toBe("yes");
    expect(await codeOf(store.system.setSetting("kept", "no"))).toBe("read_only");
    await store.close();
  });

  test("read-only refuses a database that has to be migrated first", async () => {
    await using folder = await temporaryFolder();
    await Bun.write(folder.database, "");
    expect(await failure(folder.database, folder.path, { readOnly: true })).toMatchObject({
      code: "unavailable",
    });
  });
});

describe("openStore() fails with", () => {
  test("database_locked when another program holds the file", async () => {
    await using folder = await temporaryFolder();
    await makeDatabase(folder.database);
    using _ = holdExclusively(folder.database);
    expect(await failure(folder.database, folder.path)).toEqual({
      code: "database_locked",
      message: "The database folder/agents.db is locked by another program.",
      fix: "Close the program that holds it (a database viewer, a backup or a sync tool), then try again.",
    });
  }, 15_000);

  test("database_newer for a schema that this executable does not know", async () => {
    await using folder = await temporaryFolder();
    await makeDatabase(folder.database);
    {
      using client = new Database(folder.database);
      client.run("INSERT INTO migrations VALUES ('9999_from_the_future', 'x', 0)");
    }
    const newer = {
      code: "database_newer",
      message: "The database was written by a newer version of agents (9999_from_the_future).",
      fix: "Use the newest version of agents, or choose another folder with --data-dir.",
    };
    expect(await failure(folder.database, folder.path)).toEqual(newer as ErrorRecord);
    expect(await failure(folder.database, folder.path, { readOnly: true })).toEqual(
      newer as ErrorRecord,
    );
  });

  test("database_corrupt for random bytes, and leaves the file alone", async () => {
    await using folder = await temporaryFolder();
    const bytes = crypto.getRandomValues(new Uint8Array(20_000));
    await Bun.write(folder.database, bytes);
    expect(await failure(folder.database, folder.path)).toEqual({
      code: "database_corrupt",
      message: "The database folder/agents.db is damaged.",
      fix: "Run `agents doctor --repair` to set the file aside and begin with an empty database.",
    });
    expect(await Bun.file(folder.database).bytes()).toEqual(bytes);
    expect(await readdir(folder.path)).toEqual(["agents.db"]);
  });

  test("database_corrupt for a truncated file, and offers the latest backup", async () => {
    await using folder = await temporaryFolder();
    await makeDatabase(folder.database);
    await truncate(folder.database, 9_000);
    await Bun.write(`${folder.database}.backup-0001_a-20260101T000000000Z`, "");
    await Bun.write(`${folder.database}.backup-0000_b-20260202T000000000Z`, "");
    expect(await failure(folder.database, folder.path)).toEqual({
      code: "database_corrupt",
      message: "The database folder/agents.db is damaged.",
      fix: "Run `agents doctor --repair` to set the file aside and go back to the latest backup, folder/agents.db.backup-0000_b-20260202T000000000Z.",
    });
  });

  test("config_invalid when the path cannot be a file of ours", async () => {
    await using folder = await temporaryFolder();
    await mkdir(folder.database);
    expect(await failure(folder.database, folder.path)).toEqual({
      code: "config_invalid",
      message: "The database cannot be kept at folder/agents.db.",
      fix: "Choose another folder with --data-dir: the path must be a file in a folder.",
    });
    await Bun.write(join(folder.path, "file"), "");
    const below = join(folder.path, "file", "agents.db");
    expect(await failure(below, folder.path)).toMatchObject({ code: "config_invalid" });
  });

  test.skipIf(!canMount)("disk_full when there is no room for the first tables", async () => {
    await using disk = await smallDisk("64k");
    expect(await failure(join(disk.path, "agents.db"), disk.path)).toEqual({
      code: "disk_full",
      message: "The disk that holds the database folder/agents.db is full.",
      fix: "Free some space on the disk of folder.",
    });
  });

  test.skipIf(!canMount)("read_only on a read-only disk, where reading still works", async () => {
    await using disk = await smallDisk("4m");
    const path = join(disk.path, "agents.db");
    await makeDatabase(path);
    disk.remount("ro");
    const readOnly = {
      code: "read_only",
      message: "The database folder/agents.db cannot be written: it is read-only.",
      fix: "Make folder and the files in it writable, or choose another folder with --data-dir.",
    };
    expect(await failure(path, disk.path)).toEqual(readOnly as ErrorRecord);
    const reading = await open(path, { readOnly: true });
    expect(await reading.system.setting("kept")).toBe("yes");
    await reading.close();
    expect(await failure(join(disk.path, "new", "agents.db"), disk.path)).toMatchObject({
      code: "read_only",
    });
  });

  test.skipIf(unprivileged === undefined)("permission_denied without the right to it", async () => {
    await using folder = await temporaryFolder();
    await makeDatabase(folder.database);
    await chmod(folder.path, 0o755);
    await chmod(folder.database, 0o000);
    const script = `${import.meta.dir}/support/open-failure-process.ts`;
    const attempt = async (path: string) => {
      const command = [...(unprivileged ?? []), process.execPath, script, path];
      const child = Bun.spawn(command, { stdio: ["ignore", "pipe", "inherit"] });
      return (await new Response(child.stdout).text()).replaceAll(folder.path, "folder").trim();
    };
    const denied = "permission_denied: No permission to use the database";
    expect(await attempt(folder.database)).toBe(`${denied} folder/agents.db.`);
    await chmod(folder.path, 0o555);
    expect(await attempt(join(folder.path, "new.db"))).toBe(`${denied} folder/new.db.`);
    await chmod(folder.path, 0o000);
    expect(await attempt(folder.database)).toBe(`${denied} folder/agents.db.`);
    await chmod(folder.path, 0o700);
  });
});

test("setAsideCorrupt() renames the database and its companions, and the next start begins anew", async () => {
  await using folder = await temporaryFolder();
  await makeDatabase(folder.database);
  await scribble(folder.database, 0);
  await Bun.write(`${folder.database}-wal`, "left over");
  const before = await Bun.file(folder.database).bytes();
  expect(setAsideCorrupt(folder.database, 1_790_000_000_000)).toEqual([
    `${folder.database}.corrupt-20260921T141320000Z`,
    `${folder.database}.corrupt-20260921T141320000Z-wal`,
  ]);
  expect(await Bun.file(`${folder.database}.corrupt-20260921T141320000Z`).bytes()).toEqual(before);
  expect(setAsideCorrupt(folder.database, 0)).toEqual([]);
  const store = await open(folder.database);
  expect([store.opened.created, await store.system.setting("kept")]).toEqual([true, undefined]);
  await store.close();
});
