/** The only place that knows SQLite's and the file system's error codes. */
import { accessSync, constants, statfsSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { SQLiteError } from "bun:sqlite";
import { AppError } from "../domain/error.ts";
import { latestBackup } from "./backup.ts";

/** After this long a refused write may be tried again. */
const RETRY_AFTER_MS = 1_000;
/** SQLite's shared-memory file grows by this much at a time. */
const FREE_BYTES_MIN = 32 * 1_024;

/** True when another connection holds the lock that was needed: waiting may help. */
export function isBusy(error: unknown): boolean {
  return error instanceof SQLiteError && /^SQLITE_(BUSY|LOCKED)/.test(error.code ?? "");
}

/** True when the storage itself failed, so that nothing else in the transaction can succeed either. */
export function isStorageFailure(error: unknown): boolean {
  return (
    error instanceof SQLiteError &&
    /^SQLITE_(FULL|READONLY|IOERR|CORRUPT|NOTADB|CANTOPEN|PERM|BUSY|LOCKED|NOMEM)/.test(
      error.code ?? "",
    )
  );
}

/**
 * Says what a failure of the database means to the user. Failures that are not the database's pass
 * unchanged; SQLite failures that no outside reason explains (a broken constraint) become `internal`.
 */
export function translateDatabaseError(error: unknown, path: string): unknown {
  if (error instanceof AppError) return error;
  if (error instanceof SQLiteError) return translateSqlite(error, path);
  if (error instanceof Error && "code" in error && typeof error.code === "string") {
    return translateSystem(error.code, path, error);
  }
  return error;
}

function translateSqlite(error: SQLiteError, path: string): AppError {
  const code = error.code ?? "";
  if (code === "SQLITE_READONLY_DBMOVED") {
    return new AppError("read_only", `The database ${path} was moved or deleted while in use.`, {
      fix: "Put the file back, or start again to create a new one.",
      cause: error,
    });
  }
  if (/^SQLITE_(BUSY|LOCKED)/.test(code)) return locked(path, error);
  if (code.startsWith("SQLITE_FULL")) return diskFull(path, error);
  if (code.startsWith("SQLITE_READONLY")) return readOnly(path, error);
  if (code.startsWith("SQLITE_PERM")) return permissionDenied(path, error);
  if (code.startsWith("SQLITE_CANTOPEN")) return cannotOpen(path, error);
  if (/^SQLITE_(CORRUPT|NOTADB)/.test(code)) return corrupt(path, error);
  if (code.startsWith("SQLITE_IOERR")) {
    // Companion files that cannot grow are reported as a failure of the disk.
    if (isFull(path)) return diskFull(path, error);
    return new AppError("unavailable", `The disk failed while using the database ${path}.`, {
      fix: "Check the disk that holds the file; it is tried again by itself.",
      cause: error,
      retryAfterMs: RETRY_AFTER_MS,
    });
  }
  return AppError.from(error);
}

function translateSystem(code: string, path: string, cause: unknown): unknown {
  if (code === "EACCES" || code === "EPERM") return permissionDenied(path, cause);
  if (code === "ENOSPC" || code === "EDQUOT") return diskFull(path, cause);
  if (code === "EROFS") return readOnly(path, cause);
  if (["ENOTDIR", "EEXIST", "EISDIR", "ENOENT", "ENAMETOOLONG"].includes(code)) {
    return unusablePath(path, cause);
  }
  return cause;
}

function isFull(path: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(dirname(path));
    return bavail * bsize < FREE_BYTES_MIN;
  } catch {
    // A disk that cannot be asked has a fault of its own.
    return false;
  }
}

function locked(path: string, cause: unknown): AppError {
  return new AppError("database_locked", `The database ${path} is locked by another program.`, {
    fix: "Close the program that holds it (a database viewer, a backup or a sync tool), then try again.",
    cause,
    retryAfterMs: RETRY_AFTER_MS,
  });
}

function diskFull(path: string, cause: unknown): AppError {
  return new AppError("disk_full", `The disk that holds the database ${path} is full.`, {
    fix: `Free some space on the disk of ${dirname(path)}.`,
    cause,
    retryAfterMs: RETRY_AFTER_MS,
  });
}

function readOnly(path: string, cause: unknown): AppError {
  return new AppError("read_only", `The database ${path} cannot be written: it is read-only.`, {
    fix: `Make ${dirname(path)} and the files in it writable, or choose another folder with --data-dir.`,
    cause,
  });
}

function permissionDenied(path: string, cause: unknown): AppError {
  return new AppError("permission_denied", `No permission to use the database ${path}.`, {
    fix: `Give your user read and write permission on ${dirname(path)}, or choose another folder with --data-dir.`,
    cause,
  });
}

function unusablePath(path: string, cause: unknown): AppError {
  return new AppError("config_invalid", `The database cannot be kept at ${path}.`, {
    fix: "Choose another folder with --data-dir: the path must be a file in a folder.",
    cause,
  });
}

/** @param cause undefined when a check of ours found the fault. */
export function corrupt(path: string, cause: unknown): AppError {
  const backup = latestBackup(path);
  return new AppError("database_corrupt", `The database ${path} is damaged.`, {
    fix:
      backup === undefined
        ? "Run `agents doctor --repair` to set the file aside and begin with an empty database."
        : `Run \`agents doctor --repair\` to set the file aside and go back to the latest backup, ${backup}.`,
    cause,
  });
}

/** SQLite does not say why it could not open a file; the file system does. */
function cannotOpen(path: string, cause: unknown): AppError {
  try {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return unusablePath(path, cause);
    accessSync(dirname(path), constants.R_OK | constants.W_OK | constants.X_OK);
    accessSync(path, constants.R_OK | constants.W_OK);
  } catch (error) {
    const reason = translateDatabaseError(error, path);
    if (reason instanceof AppError) return reason;
  }
  return permissionDenied(path, cause);
}
