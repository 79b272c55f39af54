/**
 * Copies of the database beside it, and what is done with a damaged one.
 *
 * A backup `agents.db.backup-<last migration>-<time>` is made before existing data is migrated; the
 * newest three are kept. A damaged file is never overwritten or deleted, only renamed.
 */
import { Database } from "bun:sqlite";
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";

const BACKUP_COUNT_MAX = 3;
const FILE_MODE_PRIVATE = 0o600;
/** SQLite's own files beside the database. */
export const COMPANIONS = ["-wal", "-shm", "-journal"];

/** `20261120T104116123Z`: sorts by time, and every file system takes it. */
export function timestamp(nowMs: number): string {
  return new Date(nowMs).toISOString().replaceAll(/[-:.]/g, "");
}

/** The end of a backup's name. */
function timeOf(name: string): string {
  return name.slice(name.lastIndexOf("-") + 1);
}

/** Oldest first. */
function backups(path: string): string[] {
  const prefix = `${basename(path)}.backup-`;
  return readdirSync(dirname(path))
    .filter((name) => name.startsWith(prefix) && !name.endsWith(".part"))
    .toSorted((a, b) => timeOf(a).localeCompare(timeOf(b)))
    .map((name) => join(dirname(path), name));
}

/** The newest backup of a database, as an absolute path; undefined when there is none to be seen. */
export function latestBackup(path: string): string | undefined {
  // Asked for while reporting another failure: a folder that cannot be listed has nothing to offer.
  try {
    return backups(path).at(-1);
  } catch {
    return undefined;
  }
}

/**
 * Writes a consistent copy, also while others read and write. The name appears only when the copy is
 * complete. @returns the path of the copy.
 */
export function backUp(path: string, options: { label: string; nowMs: number }): string {
  const target = `${path}.backup-${options.label}-${timestamp(options.nowMs)}`;
  copyDatabase(path, target);
  for (const old of backups(path).slice(0, -BACKUP_COUNT_MAX)) rmSync(old, { force: true });
  return target;
}

/** The same to a place of the caller's choice, which is replaced. @throws SQLiteError and system errors. */
export function copyDatabase(path: string, target: string): void {
  const part = `${target}.part`;
  closeSync(openSync(part, "w", FILE_MODE_PRIVATE));
  try {
    const source = new Database(path, { readonly: true });
    try {
      source.run("VACUUM INTO ?", [part]);
    } finally {
      source.close(true);
    }
    syncFile(part);
    renameSync(part, target);
  } finally {
    rmSync(part, { force: true });
  }
}

/** A power cut after the rename must not leave an empty file. */
export function syncFile(path: string): void {
  const file = openSync(path, "r+");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/**
 * Renames a damaged database, with SQLite's files beside it, to `<name>.corrupt-<time>`, so that the
 * next start begins anew. Only for an explicit demand of the user, with no store open on it.
 * @returns the new paths; empty when there was no file.
 */
export function setAsideCorrupt(path: string, nowMs: number): string[] {
  const target = `${path}.corrupt-${timestamp(nowMs)}`;
  const moved: string[] = [];
  for (const suffix of ["", ...COMPANIONS]) {
    if (!existsSync(path + suffix)) continue;
    renameSync(path + suffix, target + suffix);
    moved.push(target + suffix);
  }
  return moved;
}
