/**
 * One running product per data folder. The lock is SQLite's exclusive lock on an empty database file:
 * the system takes it back when its holder dies in any way, it works alike on every platform, and no
 * process number can be mistaken for a living holder. `instance.json` beside it only tells who holds the
 * lock; it counts while the lock is held, and what a crash leaves of it means nothing.
 *
 * The lock file must not be opened by other means in the process that holds it: closing any handle of a
 * file drops a process's POSIX locks on it.
 */
import { Database } from "bun:sqlite";
import {
  accessSync,
  chmodSync,
  constants,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { AppError } from "../domain/error.ts";
import { STOP_GRACE_MS } from "../domain/service.ts";
import { errorCode } from "../lib/atomic-file.ts";
import type { Clock } from "../lib/clock.ts";
import { isJsonObject } from "../lib/json.ts";
import { stopper } from "./stop.ts";

const LOCK_FILE = "instance.lock";
const INFO_FILE = "instance.json";
const STOP_FILE = "instance.stop";
/** Someone who only looks whether the lock is held has it for an instant; a start waits for that. */
const LOCK_WAIT_MS = 250;
const POLL_MS = 50;
const STOP_FILE_POLL_MS = 500;
/** A product drains, then ends its children, each within STOP_GRACE_MS; and as long again. */
const STOP_WAIT_MS = 3 * STOP_GRACE_MS;

export interface InstanceInfo {
  readonly pid: number;
  /** Null until the dashboard listens. */
  readonly url: string | null;
  readonly startedAt: number;
  readonly version: string;
}

export interface InstanceLock {
  /** Tells the others what changed, as the url. */
  update(change: Partial<InstanceInfo>): void;
  release(): void;
}

/** What is known of the product that holds a data folder. */
export interface RunningInstance {
  /** Undefined for an instant after its start, and where its folder cannot be written. */
  readonly info: InstanceInfo | undefined;
}

/**
 * Takes the data folder for this process, creating it when it is not there.
 * @throws AppError `already_running` with the address of the first; `permission_denied`, `read_only`,
 * `disk_full`, `config_invalid` when the lock file cannot be made.
 */
export function acquireInstance(dataDir: string, info: InstanceInfo): InstanceLock {
  const lock = openLock(dataDir);
  if (!takeLock(lock, dataDir)) {
    lock.close();
    throw alreadyRunning(dataDir);
  }
  let current = info;
  const write = () => writeInfo(dataDir, current);
  rmSync(join(dataDir, STOP_FILE), { force: true });
  // What a crash left names a process number that may be anyone's now, and a full disk keeps it from
  // being written over.
  rmSync(join(dataDir, INFO_FILE), { force: true });
  write();
  return {
    update(change) {
      current = { ...current, ...change };
      write();
    },
    release() {
      rmSync(join(dataDir, INFO_FILE), { force: true });
      lock.close();
    },
  };
}

/** The product that runs on a data folder, if one does. Never fails: a folder that cannot be read has none. */
export function readInstance(dataDir: string): RunningInstance | undefined {
  if (!isHeld(dataDir)) return undefined;
  return { info: readInfo(dataDir) };
}

/**
 * Asks the product on a data folder to stop and waits until it has ended.
 * @throws AppError `not_running`; `timeout` when it has not ended after STOP_WAIT_MS; `forbidden` when it
 * belongs to another user.
 */
export async function stopInstance(dataDir: string, clock: Clock): Promise<InstanceInfo> {
  const info = readInstance(dataDir)?.info;
  if (info === undefined) {
    throw new AppError("not_running", `agents is not running on ${dataDir}.`, {
      fix: "Start it with `agents start`, or name its folder with --data-dir.",
    });
  }
  if (!stopper.ask(info.pid)) writeFileSync(join(dataDir, STOP_FILE), String(info.startedAt));
  const deadline = clock.now() + STOP_WAIT_MS;
  while (isHeld(dataDir)) {
    if (clock.now() > deadline) {
      throw new AppError("timeout", `agents (process ${info.pid}) did not stop in time.`, {
        fix: `End process ${info.pid} by force; nothing is lost, the next start resumes its runs.`,
      });
    }
    // Each look follows the one before.
    // oxlint-disable-next-line no-await-in-loop
    await clock.sleep(POLL_MS);
  }
  return info;
}

/**
 * Resolves when `agents stop` asked through its stop file, or when `signal` aborts. For Windows, where
 * a process cannot be asked by a signal.
 */
export async function watchStopFile(
  dataDir: string,
  { clock, signal, startedAt }: { clock: Clock; signal: AbortSignal; startedAt: number },
): Promise<void> {
  while (!signal.aborted && readText(join(dataDir, STOP_FILE)) !== String(startedAt)) {
    // oxlint-disable-next-line no-await-in-loop -- Each look follows the one before.
    await clock.sleep(STOP_FILE_POLL_MS, signal);
  }
}

function openLock(dataDir: string): Database {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    const lock = new Database(join(dataDir, LOCK_FILE), { create: true, readwrite: true });
    // SQLite gives its journal the rights of the file itself.
    chmodSync(join(dataDir, LOCK_FILE), 0o600);
    lock.run(`PRAGMA busy_timeout = ${LOCK_WAIT_MS}`);
    return lock;
  } catch (cause) {
    throw folderError(dataDir, cause);
  }
}

/** @returns false when another process holds it. */
function takeLock(lock: Database, dataDir: string): boolean {
  try {
    // With its journal in memory the lock writes nothing, so a full disk cannot refuse it.
    return tryRun(lock, "PRAGMA journal_mode = MEMORY") && tryRun(lock, "BEGIN EXCLUSIVE");
  } catch (cause) {
    lock.close();
    throw folderError(dataDir, cause);
  }
}

function isHeld(dataDir: string): boolean {
  let lock: Database;
  try {
    lock = new Database(join(dataDir, LOCK_FILE), { create: false, readwrite: true });
  } catch {
    // No lock file, no holder.
    return false;
  }
  try {
    // Reading needs the shared lock, which an exclusive one refuses.
    return !tryRun(lock, "SELECT count(*) FROM sqlite_master");
  } finally {
    lock.close();
  }
}

/** @returns false when another process holds the lock. */
function tryRun(lock: Database, sql: string): boolean {
  try {
    lock.run(sql);
    return true;
  } catch (error) {
    if (errorCode(error) === "SQLITE_BUSY") return false;
    throw error;
  }
}

function writeInfo(dataDir: string, info: InstanceInfo): void {
  const path = join(dataDir, INFO_FILE);
  try {
    writeFileSync(`${path}.tmp`, JSON.stringify(info), { mode: 0o600 });
    renameSync(`${path}.tmp`, path);
  } catch {
    // The lock is what counts: a full disk must not keep the product from starting.
  }
}

function readInfo(dataDir: string): InstanceInfo | undefined {
  const text = readText(join(dataDir, INFO_FILE));
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (!isJsonObject(value)) return undefined;
    const { pid, url, startedAt, version } = value;
    if (typeof pid !== "number" || typeof startedAt !== "number") return undefined;
    return {
      pid,
      url: typeof url === "string" ? url : null,
      startedAt,
      version: typeof version === "string" ? version : "",
    };
  } catch {
    // Half of a file from a full disk tells nothing.
    return undefined;
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // It is not there.
    return undefined;
  }
}

function alreadyRunning(dataDir: string): AppError {
  const info = readInfo(dataDir);
  const where = info?.url ?? undefined;
  const who = info === undefined ? "" : ` (process ${info.pid})`;
  return where === undefined
    ? new AppError("already_running", `agents is already running on ${dataDir}${who}.`, {
        fix: "Wait until it has started and see `agents status`, or end it with `agents stop`.",
      })
    : new AppError("already_running", `agents is already running at ${where}${who}.`, {
        fix: `Open ${where}, or end it with \`agents stop\`.`,
      });
}

function folderError(dataDir: string, cause: unknown): AppError {
  const given = errorCode(cause);
  const code = given?.startsWith("SQLITE_") === true ? (folderFault(dataDir) ?? given) : given;
  const message = `The data folder ${dataDir} cannot be written.`;
  if (code === "ENOTDIR" || code === "EEXIST") {
    const fix = "Name a folder, not a file, with --data-dir.";
    return new AppError("config_invalid", `The data folder ${dataDir} is no folder.`, {
      fix,
      cause,
    });
  }
  if (code === "EROFS" || code === "SQLITE_READONLY") {
    const fix = "Choose a folder that can be written with --data-dir.";
    return new AppError("read_only", message, { fix, cause });
  }
  if (code === "ENOSPC" || code === "SQLITE_FULL") {
    const fix = "Free space on that disk, or choose another folder with --data-dir.";
    return new AppError("disk_full", message, { fix, cause });
  }
  const fix = "Give yourself write permission on it, or choose another folder with --data-dir.";
  return new AppError("permission_denied", message, { fix, cause });
}

/** SQLite does not say why it cannot open a file; the file system does. */
function folderFault(dataDir: string): string | undefined {
  try {
    accessSync(dataDir, constants.W_OK | constants.X_OK);
    return undefined;
  } catch (error) {
    return errorCode(error);
  }
}
