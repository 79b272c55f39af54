/** `agents doctor --repair`: a damaged database is set aside, and the latest backup takes its place. */
import { constants } from "node:fs";
import { copyFile, rename } from "node:fs/promises";
import type { Settings } from "../config/load.ts";
import { AppError } from "../domain/error.ts";
import { systemClock } from "../lib/clock.ts";
import { acquireInstance } from "../process/instance-lock.ts";
import { latestBackup, setAsideCorrupt } from "../store/backup.ts";
import { openStore } from "../store/store.ts";

export interface Repair {
  /** The damaged files under their new names; nothing is deleted. */
  readonly setAside: readonly string[];
  /** The backup that was put in their place; undefined: the next start makes an empty database. */
  readonly restored: string | undefined;
}

/**
 * @returns what was done; undefined when the database is not damaged.
 * @throws AppError `already_running`; whatever else keeps the database from being opened.
 */
export async function repairDatabase(settings: Settings): Promise<Repair | undefined> {
  const { dataDir, databasePath: path } = settings;
  const startedAt = systemClock.now();
  const lock = acquireInstance(dataDir, { pid: process.pid, url: null, startedAt, version: "" });
  try {
    const store = await openStore({ path, clock: systemClock, readOnly: true });
    await store.close();
    return undefined;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    // No database yet, or one that the next start migrates: nothing to repair.
    if (error.code === "not_found" || error.code === "unavailable") return undefined;
    if (error.code !== "database_corrupt") throw error;
    const setAside = setAsideCorrupt(path, systemClock.now());
    const restored = latestBackup(path);
    if (restored !== undefined) {
      // Complete or not there: a copy that is cut off must not look like a database.
      await copyFile(restored, `${path}.restore`, constants.COPYFILE_FICLONE);
      await rename(`${path}.restore`, path);
    }
    return { setAside, restored };
  } finally {
    lock.release();
  }
}
