/** Opens the SQLite file: folder, file, modes, pragmas, migrations. Synchronous; errors are untranslated. */
import { Database, SQLiteError, constants } from "bun:sqlite";
import { closeSync, mkdirSync, openSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { pathToFileURL } from "node:url";
import { type BunSQLiteDatabase, drizzle } from "drizzle-orm/bun-sqlite";
import { AppError } from "../domain/error.ts";
import { backUp } from "./backup.ts";
import { type Migration, migrate, pendingMigrations } from "./migrate.ts";

export const MEMORY_PATH = ":memory:";
const FOLDER_MODE_PRIVATE = 0o700;
const FILE_MODE_PRIVATE = 0o600;
/** SQLite waits this long for a lock, blocking the thread; whoever needs longer waits asynchronously. */
const BUSY_TIMEOUT_MS = 20;
/** The write-ahead log is cut back to this size when it has been copied into the database. */
const WAL_BYTES_MAX = 64 * 1024 * 1024;
/** Pages in the write-ahead log before a commit copies them back. */
const WAL_PAGE_COUNT = 4_000;

export type Db = BunSQLiteDatabase & { $client: Database };

export interface OpenOptions {
  readonly path: string;
  readonly nowMs: number;
  readonly readOnly: boolean;
  readonly migrations: readonly Migration[];
}

/** What opening did, for the messages of `start`. */
export interface OpenResult {
  readonly migrated: string[];
  /** Path of the copy made before existing data was migrated. */
  readonly backup: string | undefined;
  /** True when there was no database before. */
  readonly created: boolean;
}

export interface OpenDatabase {
  readonly client: Database;
  readonly db: Db;
  readonly opened: OpenResult;
}

/**
 * Opens or creates the database and migrates it.
 * @throws SQLiteError and system errors as they come; AppError as `pendingMigrations`.
 */
export function openDatabase(options: OpenOptions): OpenDatabase {
  if (options.readOnly) return openReadOnly(options);
  const created = ensureFile(options.path);
  const client = new Database(options.path, { readwrite: true, create: false, strict: true });
  try {
    setPragmas(client);
    const { migrated, backup } = migrate(client, options.migrations, {
      nowMs: options.nowMs,
      ...(options.path === MEMORY_PATH
        ? {}
        : {
            backUp: (label: string) => backUp(options.path, { label, nowMs: options.nowMs }),
          }),
    });
    return { client, db: wrap(client), opened: { migrated, backup, created } };
  } catch (error) {
    client.close(true);
    throw error;
  }
}

/** Creates folder (0700) and file (0600). SQLite gives its companion files the mode of the database. */
function ensureFile(path: string): boolean {
  if (path === MEMORY_PATH) return true;
  const known = statSync(path, { throwIfNoEntry: false });
  if (known !== undefined) return known.size === 0;
  mkdirSync(dirname(path), { recursive: true, mode: FOLDER_MODE_PRIVATE });
  closeSync(openSync(path, "a", FILE_MODE_PRIVATE));
  return true;
}

function setPragmas(client: Database): void {
  client.run(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
  const mode = client.query<{ journal_mode: string }, []>("PRAGMA journal_mode").get();
  // Only when needed: switching asks for an exclusive lock.
  if (mode?.journal_mode === "delete") client.run("PRAGMA journal_mode = WAL");
  client.run("PRAGMA synchronous = FULL");
  client.run("PRAGMA foreign_keys = ON");
  client.run(`PRAGMA journal_size_limit = ${WAL_BYTES_MAX}`);
  client.run(`PRAGMA wal_autocheckpoint = ${WAL_PAGE_COUNT}`);
}

/** @throws AppError `not_found` without a file, `unavailable` when it has to be migrated first. */
function openReadOnly(options: OpenOptions): OpenDatabase {
  const { path } = options;
  if (statSync(path, { throwIfNoEntry: false }) === undefined) {
    throw new AppError("not_found", `There is no database at ${path}.`, {
      fix: "Run `agents start` once to create it.",
    });
  }
  const { client, pending } = firstRead(path, options.migrations);
  if (pending > 0) {
    client.close(true);
    throw new AppError("unavailable", `The database ${path} was written by an older version.`, {
      fix: "Run `agents start` once to bring it up to date.",
    });
  }
  return { client, db: wrap(client), opened: { migrated: [], backup: undefined, created: false } };
}

/** The first read tells whether the file can be used at all. */
function firstRead(
  path: string,
  migrations: readonly Migration[],
): { client: Database; pending: number } {
  const read = (client: Database) => {
    try {
      client.run(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
      return { client, pending: pendingMigrations(client, migrations).length };
    } catch (error) {
      client.close(true);
      throw error;
    }
  };
  try {
    return read(new Database(path, { readonly: true, strict: true }));
  } catch (error) {
    if (!canReadImmutable(path, error)) throw error;
    const flags = constants.SQLITE_OPEN_READONLY | constants.SQLITE_OPEN_URI;
    return read(new Database(`${pathToFileURL(path).href}?immutable=1`, flags));
  }
}

/**
 * Without the right, or the space, to create its companion files SQLite opens nothing. Where there is
 * no write-ahead log the file itself is complete, and nobody can be writing it: it may be read as it
 * stands.
 */
function canReadImmutable(path: string, error: unknown): boolean {
  if (!(error instanceof SQLiteError)) return false;
  if (!/^SQLITE_(CANTOPEN|READONLY|IOERR_SHM)/.test(error.code ?? "")) return false;
  return (statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) === 0;
}

function wrap(client: Database): Db {
  return drizzle({ client, casing: "snake_case" });
}
