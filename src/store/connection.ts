/**
 * The connection of this process to the database file, and its health.
 *
 * - Reads and writes go through one SQLite connection; writes by group commit.
 * - `ok`: both work. `degraded`: writes are refused at once with the reason; reads are answered as long
 *   as the file can be read at all, else refused with `unavailable`.
 * - A write that fails because of the storage makes it degraded. From then on the database is opened
 *   anew every RETRY_MS until that and a probe write succeed; then it is ok again, by itself. A damaged
 *   file must have been replaced as well, and pass a check. A file that has gone is waited for: an empty
 *   one in its place (of a disk that is not mounted) would lose every run.
 * - An in-memory database is never opened anew: its failures only reach the caller.
 */
import type { Database } from "bun:sqlite";
import { AppError } from "../domain/error.ts";
import { systemClock } from "../lib/clock.ts";
import { type ChangeWatch, createChangeWatch } from "./change-signal.ts";
import { type Db, MEMORY_PATH, type OpenDatabase, type OpenResult } from "./database.ts";
import { isBusy, translateDatabaseError } from "./error.ts";
import { type GroupCommit, createGroupCommit } from "./group-commit.ts";
import { type Health, createHealth } from "./health.ts";
import { waitForLock } from "./lock.ts";
import { ABSENT, type FileOptions, fingerprint, openForReading, reopen } from "./reopen.ts";

/** A degraded database is tried again this often. */
const RETRY_MS = 2_000;

/** Failures of a write that say something about the storage, not about the write. */
const STORAGE_CODES = new Set([
  "database_locked",
  "database_corrupt",
  "disk_full",
  "read_only",
  "permission_denied",
  "unavailable",
]);

/** What reads and writes work on. */
export interface Handle {
  readonly client: Database;
  readonly db: Db;
}

export interface Connection {
  /** @throws AppError; waits a while for a lock. */
  read<T>(work: (handle: Handle) => T): Promise<T>;
  /** Runs in a transaction, perhaps twice: see group-commit.ts. @throws AppError */
  write<T>(work: (handle: Handle) => T): Promise<T>;
  readonly changes: ChangeWatch;
  readonly opened: OpenResult;
  readonly health: Health;
  /** Waits for pending writes, then closes the file. */
  readonly close: () => Promise<void>;
}

interface Link {
  readonly changes: ChangeWatch;
  readonly health: Health;
  database(): (Handle & { readonly commits: GroupCommit }) | undefined;
  use(next: OpenDatabase): Promise<void>;
  close(): Promise<void>;
}

/** @param first The opened database, or why it could not be opened: then it begins degraded. */
export function createConnection(options: FileOptions, first: OpenDatabase | AppError): Connection {
  const failed = first instanceof AppError;
  const link = createLink(failed ? openForReading(options) : first, options.lockWaitMs);
  const { changes, health } = link;
  const degrade = createRecovery(options, link);
  if (failed) degrade.begin(first);

  return {
    changes,
    health,
    opened: failed ? { migrated: [], backup: undefined, created: false } : first.opened,
    async read(work) {
      const database = link.database();
      if (database === undefined) throw unavailable(health.failure());
      try {
        return work(database);
      } catch (error) {
        if (!isBusy(error)) throw translateDatabaseError(error, options.path);
      }
      try {
        const again = () => work(link.database() ?? database);
        return await waitForLock(again, options.lockWaitMs);
      } catch (error) {
        throw translateDatabaseError(error, options.path);
      }
    },
    async write(work) {
      if (options.readOnly) {
        throw new AppError("read_only", `The database ${options.path} is open for reading only.`);
      }
      const failure = health.failure();
      if (failure !== undefined) throw refused(failure, failure.code);
      const database = link.database();
      if (database === undefined) throw unavailable(undefined);
      try {
        return await database.commits.write(() => work(database));
      } catch (error) {
        const reason = translateDatabaseError(error, options.path);
        const translated = reason !== error && reason instanceof AppError;
        if (translated && STORAGE_CODES.has(reason.code)) degrade.begin(reason);
        throw reason;
      }
    },
    async close() {
      changes.stop();
      health.close();
      await degrade.stop();
      await link.close();
    },
  };
}

/** The SQLite connection in use, which recovery may exchange. */
function createLink(first: OpenDatabase | undefined, lockWaitMs: number): Link {
  const changes = createChangeWatch(() => database?.client);
  const withCommits = (next: OpenDatabase) => ({
    client: next.client,
    db: next.db,
    commits: createGroupCommit(next.client, { onCommit: changes.notify, lockWaitMs }),
  });
  let database = first === undefined ? undefined : withCommits(first);
  return {
    changes,
    health: createHealth(),
    database: () => database,
    async use(next) {
      const old = database;
      await old?.commits.idle();
      database = withCommits(next);
      old?.client.close(true);
      changes.notify();
    },
    async close() {
      const old = database;
      database = undefined;
      await old?.commits.idle();
      old?.client.close(true);
    },
  };
}

/** From a failure on: try again until the database works. */
function createRecovery(options: FileOptions, link: Link) {
  const stopped = new AbortController();
  const wasThere = fingerprint(options.path) !== ABSENT;
  let running: Promise<void> | undefined;

  async function recover(): Promise<void> {
    const damaged =
      link.health.failure()?.code === "database_corrupt" ? fingerprint(options.path) : undefined;
    while (!stopped.signal.aborted) {
      // oxlint-disable-next-line no-await-in-loop -- Each try follows a wait.
      await systemClock.sleep(RETRY_MS, stopped.signal);
      const found = fingerprint(options.path);
      if (stopped.signal.aborted || found === damaged || (wasThere && found === ABSENT)) continue;
      // oxlint-disable-next-line no-await-in-loop
      const { database, failure } = await reopen(options, damaged !== undefined);
      // oxlint-disable-next-line no-await-in-loop
      if (database !== undefined) await link.use(database);
      link.health.setFailure(failure);
      if (failure === undefined) return;
    }
  }

  return {
    begin(reason: AppError): void {
      if (stopped.signal.aborted || options.path === MEMORY_PATH) return;
      link.health.setFailure(reason);
      running ??= recover().finally(() => {
        running = undefined;
      });
    },
    async stop(): Promise<void> {
      stopped.abort();
      await running;
    },
  };
}

function refused(failure: AppError, code: AppError["code"]): AppError {
  return new AppError(code, failure.message, {
    ...(failure.fix === undefined ? {} : { fix: failure.fix }),
    cause: failure,
    retryAfterMs: RETRY_MS,
  });
}

function unavailable(failure: AppError | undefined): AppError {
  if (failure !== undefined) return refused(failure, "unavailable");
  return new AppError("unavailable", "The database is closed.", { fix: "Start again." });
}
