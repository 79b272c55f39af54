/** How a database that failed is tried again: opened anew, checked if it was damaged, written to. */
import type { Database } from "bun:sqlite";
import { statSync } from "node:fs";
import { AppError } from "../domain/error.ts";
import type { Clock } from "../lib/clock.ts";
import { MEMORY_PATH, type OpenDatabase, openDatabase } from "./database.ts";
import { corrupt, translateDatabaseError } from "./error.ts";
import { waitForLock } from "./lock.ts";
import type { Migration } from "./migrate.ts";

export interface FileOptions {
  readonly path: string;
  readonly clock: Clock;
  readonly readOnly: boolean;
  readonly migrations: readonly Migration[];
  /** How long reads and writes wait for a lock of another process. */
  readonly lockWaitMs: number;
}

/** Opens the file, waiting for locks. @throws AppError */
export function openFile(
  options: FileOptions,
  lockWaitMs = options.lockWaitMs,
): Promise<OpenDatabase> {
  const open = () => openDatabase({ ...options, nowMs: options.clock.now() });
  return translated({ path: options.path, lockWaitMs }, open);
}

/** For reading only; undefined when that fails too: the caller already knows the reason. */
export function openForReading(options: FileOptions): OpenDatabase | undefined {
  if (options.path === MEMORY_PATH) return undefined;
  try {
    return openDatabase({ ...options, nowMs: options.clock.now(), readOnly: true });
  } catch {
    return undefined;
  }
}

/**
 * Opens anew and tries a write. A connection that only reads is returned beside the failure, to answer
 * reads meanwhile.
 */
export async function reopen(
  options: FileOptions,
  wasDamaged: boolean,
): Promise<{ database?: OpenDatabase; failure?: AppError }> {
  let database: OpenDatabase;
  try {
    database = await openFile(options);
  } catch (error) {
    return { failure: AppError.from(error) };
  }
  const { client } = database;
  try {
    await translated(options, () => {
      if (wasDamaged) check(client, options.path);
      if (!options.readOnly) probe(client);
    });
    return { database };
  } catch (error) {
    return { database, failure: AppError.from(error) };
  }
}

/** What `fingerprint` says of a path where there is no file, or none that can be reached. */
export const ABSENT = "absent";

/** Changes when the file has been replaced or written. */
export function fingerprint(path: string): string {
  try {
    const stat = statSync(path, { throwIfNoEntry: false });
    return stat === undefined ? ABSENT : `${stat.ino} ${stat.size} ${stat.mtimeMs}`;
  } catch {
    // A folder that may not be entered, or that is none: opening the file says so.
    return ABSENT;
  }
}

async function translated<T>(
  { path, lockWaitMs }: Pick<FileOptions, "path" | "lockWaitMs">,
  work: () => T,
): Promise<T> {
  try {
    return await waitForLock(work, lockWaitMs);
  } catch (error) {
    throw translateDatabaseError(error, path);
  }
}

/** Writes one page in a transaction of its own, and changes nothing by it. */
function probe(client: Database): void {
  const version = client.query<{ user_version: number }, []>("PRAGMA user_version").get();
  client.run(`PRAGMA user_version = ${version?.user_version ?? 0}`);
}

function check(client: Database, path: string): void {
  const faults = client.query<{ quick_check: string }, []>("PRAGMA quick_check(1)").all();
  if (faults.some((fault) => fault.quick_check !== "ok")) {
    throw corrupt(path, faults[0]?.quick_check);
  }
}
