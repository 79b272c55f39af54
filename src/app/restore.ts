/** `agents backup` and `agents restore`. */
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import type { Settings } from "../config/load.ts";
import { systemClock } from "../lib/clock.ts";
import { acquireInstance } from "../process/instance-lock.ts";
import { applyStaged, saveBackup, stageRestore } from "../store/restore.ts";
import { backupFile } from "./backups.ts";

/** Also while the product runs. @param file Undefined: into the folder for backups. @returns where it is. */
export async function backUpDatabase(
  { dataDir, databasePath }: Settings,
  file: string | undefined,
): Promise<string> {
  const target = file ?? backupFile({ dataDir }, systemClock.now());
  await mkdir(dirname(target), { recursive: true, mode: 0o700 });
  saveBackup(databasePath, target);
  return target;
}

/**
 * Puts a copy in the place of the database.
 * @param options.stage Only for the next start, also while the product runs.
 * @returns what the database before it is called now; undefined when there was none, or it is only staged.
 * @throws AppError `already_running`; as `stageRestore`.
 */
export async function restoreDatabase(
  { dataDir, databasePath }: Settings,
  file: string,
  { stage }: { stage: boolean },
): Promise<string | undefined> {
  if (stage) {
    stageRestore(databasePath, file);
    return undefined;
  }
  const startedAt = systemClock.now();
  const lock = acquireInstance(dataDir, { pid: process.pid, url: null, startedAt, version: "" });
  try {
    stageRestore(databasePath, file);
    return applyStaged(databasePath);
  } finally {
    lock.release();
  }
}
