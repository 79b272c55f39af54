/**
 * Putting a copy in the place of the database. It is staged first, whole and checked, as `<database>.staged`;
 * the next start that has the data folder for itself moves the present files aside and the staged one into their
 * place. Every step is one rename that may be found done: a start that is killed in the middle is finished by the
 * one after it, and until the last rename the staged file says that it has to be.
 */
import { constants, Database, SQLiteError } from "bun:sqlite";
import {
  constants as fileConstants,
  copyFileSync,
  existsSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { pathToFileURL } from "node:url";
import { MIGRATIONS } from "../../drizzle/index.ts";
import { AppError } from "../domain/error.ts";
import { COMPANIONS, copyDatabase, syncFile, timestamp } from "./backup.ts";
import { translateDatabaseError } from "./error.ts";
import { pendingMigrations } from "./migrate.ts";

const STAGED = ".staged";
/** What the database before a restore is called from then on, with the time after it. */
export const SET_ASIDE = ".before-restore-";

/** @throws AppError `disk_full`, `permission_denied`, `not_found`, …: as opening the database. */
export function saveBackup(path: string, target: string): void {
  if (!existsSync(path)) {
    throw new AppError("not_found", `There is no database at ${path}.`, {
      fix: "Run `agents start` once to create it.",
    });
  }
  try {
    copyDatabase(path, target);
  } catch (error) {
    throw translateDatabaseError(error, target);
  }
}

/**
 * Checks that a file is a whole database of this product that this version can open.
 * @param file What it is called in errors.
 * @throws AppError `not_found`, `config_invalid` (not ours), `database_corrupt`, `database_newer`.
 */
export function checkBackup(path: string, file = path): void {
  if (!existsSync(path)) throw new AppError("not_found", `There is no file ${file}.`);
  const flags = constants.SQLITE_OPEN_READONLY | constants.SQLITE_OPEN_URI;
  try {
    // Immutable: a copy has no log of its own, and nothing is to be written beside it.
    const client = new Database(`${pathToFileURL(path).href}?immutable=1`, flags);
    try {
      const pending = pendingMigrations(client, MIGRATIONS);
      if (pending.length === MIGRATIONS.length) throw notOurs(file);
      const [fault] = client
        .query<{ integrity_check: string }, []>("PRAGMA integrity_check(1)")
        .all();
      if (fault?.integrity_check !== "ok") throw damaged(file, fault?.integrity_check);
    } finally {
      client.close(true);
    }
  } catch (error) {
    if (error instanceof SQLiteError && error.code === "SQLITE_NOTADB") throw notOurs(file);
    if (error instanceof SQLiteError && error.code?.startsWith("SQLITE_CORRUPT") === true)
      throw damaged(file, error);
    throw translateDatabaseError(error, file);
  }
}

/** Makes the copy ready for the next start. @throws AppError as `checkBackup`; `disk_full`, `permission_denied`. */
export function stageRestore(path: string, file: string): void {
  const part = `${path}${STAGED}.part`;
  try {
    if (!existsSync(file)) throw new AppError("not_found", `There is no file ${file}.`);
    copyFileSync(file, part, fileConstants.COPYFILE_FICLONE);
    checkBackup(part, file);
    syncFile(part);
    renameSync(part, `${path}${STAGED}`);
  } catch (error) {
    throw translateDatabaseError(error, part);
  } finally {
    rmSync(part, { force: true });
  }
}

/**
 * Puts what was staged into its place. Only with the data folder held and no store open.
 * @returns the name that the database before it has now; undefined when nothing was staged.
 * @throws AppError `permission_denied`, `read_only`, `disk_full`.
 */
export function applyStaged(path: string): string | undefined {
  const staged = `${path}${STAGED}`;
  try {
    const stat = statSync(staged, { throwIfNoEntry: false });
    if (stat === undefined) return undefined;
    // The same name whenever it is gone on with, so that the files of one database stay together.
    const aside = `${path}${SET_ASIDE}${timestamp(stat.mtimeMs)}`;
    for (const suffix of ["", ...COMPANIONS]) {
      if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix);
    }
    renameSync(staged, path);
    return aside;
  } catch (error) {
    throw translateDatabaseError(error, path);
  }
}

function notOurs(file: string): AppError {
  return new AppError("config_invalid", `${file} is no database of agents.`, {
    fix: "Choose a file that `agents backup` or the settings page has made.",
  });
}

function damaged(file: string, cause: unknown): AppError {
  return new AppError("database_corrupt", `${file} is damaged.`, {
    fix: "Choose another backup.",
    cause,
  });
}
