/**
 * Goal: a database that fails, at start or later, leaves a store that reads what it can, refuses writes
 * with the reason, never touches a damaged file, and is whole again by itself when the fault goes.
 */
import { describe, expect, test } from "bun:test";
import { copyFile, mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { DatabaseHealth } from "../../src/domain/service.ts";
import { type Store, openStore, openStoreDegradable } from "../../src/store/store.ts";
import { holdExclusively, makeDatabase, scribble } from "./support/damage.ts";
import { codeOf } from "./support/error-code.ts";
import { temporaryFolder } from "./support/folder.ts";
import { canMount, smallDisk } from "./support/machine.ts";
import { createManualClock } from "./support/manual-clock.ts";
import { waitUntil } from "./support/wait.ts";

const clock = createManualClock();

function stateOf(health: DatabaseHealth): string {
  return health.state === "ok" ? "ok" : health.code;
}

/** Collects every change of health. */
function follow(store: Store): string[] {
  const seen: string[] = [];
  store.onHealth((health) => seen.push(stateOf(health)));
  return seen;
}

async function recovered(store: Store): Promise<void> {
  await waitUntil("the database to work again", () => store.health().state === "ok", 15_000);
}

describe.concurrent("openStoreDegradable()", () => {
  test("gives an ordinary store for a database that works", async () => {
    await using folder = await temporaryFolder();
    const store = await openStoreDegradable({ path: folder.database, clock });
    expect(store.health()).toEqual({ state: "ok" });
    expect(store.opened.created).toBe(true);
    await store.close();
  });

  test("of a locked database refuses all, and recovers when the lock goes", async () => {
    await using folder = await temporaryFolder();
    await makeDatabase(folder.database);
    const lock = holdExclusively(folder.database);
    const store = await openStoreDegradable({ path: folder.database, clock });
    expect(store.health()).toEqual({
      state: "degraded",
      code: "database_locked",
      message: `The database ${folder.database} is locked by another program.`,
      fix: "Close the program that holds it (a database viewer, a backup or a sync tool), then try again.",
    });
    expect(await codeOf(store.system.setting("kept"))).toBe("unavailable");
    expect(await codeOf(store.system.setSetting("kept", "no"))).toBe("database_locked");
    const seen = follow(store);
    lock[Symbol.dispose]();
    await recovered(store);
    expect(await store.system.setting("kept")).toBe("yes");
    await store.system.setSetting("kept", "again");
    expect(seen).toEqual(["ok"]);
    await store.close();
  }, 20_000);

  test("of a damaged database leaves the file alone until it is replaced", async () => {
    await using folder = await temporaryFolder();
    await makeDatabase(folder.database);
    await copyFile(folder.database, join(folder.path, "good"));
    await scribble(folder.database, 0);
    const damaged = await Bun.file(folder.database).bytes();
    const store = await openStoreDegradable({ path: folder.database, clock });
    expect(stateOf(store.health())).toBe("database_corrupt");
    expect(await codeOf(store.system.setting("kept"))).toBe("unavailable");
    expect(await codeOf(store.system.setSetting("kept", "no"))).toBe("database_corrupt");
    expect(await Bun.file(folder.database).bytes()).toEqual(damaged);
    expect(await readdir(folder.path)).toEqual(expect.arrayContaining(["agents.db", "good"]));
    await copyFile(join(folder.path, "good"), folder.database);
    await recovered(store);
    expect(await store.system.setting("kept")).toBe("yes");
    await store.close();
  }, 20_000);

  test.skipIf(!canMount)(
    "of a read-only disk answers reads, and recovers",
    async () => {
      await using disk = await smallDisk("4m");
      const path = join(disk.path, "agents.db");
      await makeDatabase(path);
      disk.remount("ro");
      const store = await openStoreDegradable({ path, clock });
      expect(stateOf(store.health())).toBe("read_only");
      expect(await store.system.setting("kept")).toBe("yes");
      expect(await codeOf(store.system.setSetting("kept", "no"))).toBe("read_only");
      disk.remount("rw");
      await recovered(store);
      await store.system.setSetting("kept", "written");
      expect(await store.system.setting("kept")).toBe("written");
      await store.close();
    },
    20_000,
  );

  test("waits for a file that has gone instead of making an empty one", async () => {
    await using folder = await temporaryFolder();
    await makeDatabase(folder.database);
    await copyFile(folder.database, join(folder.path, "good"));
    await scribble(folder.database, 0);
    const store = await openStoreDegradable({ path: folder.database, clock });
    await Bun.file(folder.database).delete();
    // Longer than it takes to try again.
    await Bun.sleep(3_000);
    expect(stateOf(store.health())).toBe("database_corrupt");
    expect(await Bun.file(folder.database).exists()).toBe(false);
    await copyFile(join(folder.path, "good"), folder.database);
    await recovered(store);
    expect(await store.system.setting("kept")).toBe("yes");
    await store.close();
  }, 20_000);

  test("survives a folder that cannot be entered, and recovers", async () => {
    await using folder = await temporaryFolder();
    const parent = join(folder.path, "data");
    await mkdir(parent);
    const path = join(parent, "agents.db");
    await makeDatabase(path);
    await copyFile(path, join(folder.path, "good"));
    await scribble(path, 0);
    const store = await openStoreDegradable({ path, clock });
    await rename(parent, join(folder.path, "moved"));
    // A file where the folder was: asking for what is in it is an error of its own.
    await Bun.write(parent, "");
    await Bun.sleep(3_000);
    expect(stateOf(store.health())).toBe("database_corrupt");
    await rm(parent);
    await mkdir(parent);
    await copyFile(join(folder.path, "good"), path);
    await recovered(store);
    expect(await store.system.setting("kept")).toBe("yes");
    await store.close();
  }, 20_000);

  test("does not hide a newer schema", async () => {
    await using folder = await temporaryFolder();
    await makeDatabase(folder.database);
    const { Database } = await import("bun:sqlite");
    {
      using client = new Database(folder.database);
      client.run("INSERT INTO migrations VALUES ('9999_future', 'x', 0)");
    }
    const opening = openStoreDegradable({ path: folder.database, clock });
    expect(await codeOf(opening)).toBe("database_newer");
  });

  test("stops trying when it is closed", async () => {
    await using folder = await temporaryFolder();
    await Bun.write(folder.database, "this is no database, whatever its name says".repeat(200));
    const store = await openStoreDegradable({ path: folder.database, clock });
    const seen = follow(store);
    await store.close();
    expect(seen).toEqual([]);
  });
});

describe.concurrent("a running store", () => {
  test.skipIf(!canMount)(
    "on a full disk keeps reading and recovers with the space",
    async () => {
      await using disk = await smallDisk("2m");
      const store = await openStore({ path: join(disk.path, "agents.db"), clock });
      await store.system.setSetting("kept", "yes");
      const seen = follow(store);
      const ballast = join(disk.path, "ballast");
      await Bun.write(ballast, new Uint8Array(1_400_000));
      const big = (index: number) => store.system.setSetting(`big${index}`, "x".repeat(200_000));
      const outcome = await Promise.all([0, 1, 2, 3].map((index) => codeOf(big(index))));
      expect(outcome).toEqual(["disk_full", "disk_full", "disk_full", "disk_full"]);
      expect(stateOf(store.health())).toBe("disk_full");
      expect(await store.system.setting("kept")).toBe("yes");
      expect(await store.system.setting("big0")).toBeUndefined();
      await Bun.file(ballast).delete();
      await recovered(store);
      await big(1);
      expect(await store.system.setting("big1")).toHaveLength(200_000);
      expect([seen[0], seen.at(-1)]).toEqual(["disk_full", "ok"]);
      await store.close();
    },
    20_000,
  );

  test("locked by another program refuses writes, reads on, and recovers", async () => {
    await using folder = await temporaryFolder();
    const store = await openStoreDegradable({ path: folder.database, clock });
    await store.system.setSetting("kept", "yes");
    const { Database } = await import("bun:sqlite");
    using other = new Database(folder.database);
    other.run("BEGIN EXCLUSIVE");
    expect(await codeOf(store.system.setSetting("kept", "no"))).toBe("database_locked");
    expect(stateOf(store.health())).toBe("database_locked");
    expect(await store.system.setting("kept")).toBe("yes");
    // Longer than it takes to try again: opening succeeds under this lock, only writing does not.
    await Bun.sleep(3_000);
    expect(stateOf(store.health())).toBe("database_locked");
    other.run("COMMIT");
    await recovered(store);
    await store.system.setSetting("kept", "written");
    await store.close();
  }, 20_000);

  test("that meets a damaged page refuses writes until the file is replaced", async () => {
    await using folder = await temporaryFolder();
    await makeDatabase(folder.database);
    await copyFile(folder.database, join(folder.path, "good"));
    const store = await openStore({ path: folder.database, clock });
    await scribble(folder.database, 4096);
    expect(await codeOf(store.system.setSetting("kept", "no"))).toBe("database_corrupt");
    expect(stateOf(store.health())).toBe("database_corrupt");
    expect(await codeOf(store.system.setting("kept"))).toBe("database_corrupt");
    await copyFile(join(folder.path, "good"), folder.database);
    await recovered(store);
    expect(await store.system.setting("kept")).toBe("yes");
    await store.close();
  }, 20_000);

  test("a failing write of its own does not make it degraded", async () => {
    await using folder = await temporaryFolder();
    const store = await openStore({ path: folder.database, clock });
    expect(await codeOf(store.runs.requestCancel("none"))).toBe("not_found");
    expect(store.health()).toEqual({ state: "ok" });
    await store.close();
  });
});
