import { AppError, type ErrorCode } from "../domain/error.ts";
import { errorCode } from "../lib/atomic-file.ts";

const FAILURES: Readonly<Record<string, { code: ErrorCode; what: string; fix: string }>> = {
  ENOENT: {
    code: "not_found",
    what: "there is no such file or folder",
    fix: "Check the path.",
  },
  EACCES: {
    code: "permission_denied",
    what: "permission denied",
    fix: "Give your user the right to use it, or choose another place.",
  },
  EPERM: {
    code: "permission_denied",
    what: "permission denied",
    fix: "Give your user the right to use it, or choose another place.",
  },
  EROFS: {
    code: "read_only",
    what: "the file system is read-only",
    fix: "Choose a folder that can be written, with --data-dir.",
  },
  ENOSPC: { code: "disk_full", what: "the disk is full", fix: "Free some space on the disk." },
  EDQUOT: {
    code: "disk_full",
    what: "your disk quota is used up",
    fix: "Free some space on the disk.",
  },
  EISDIR: { code: "invalid", what: "it is a folder", fix: "Name a file." },
  ENOTDIR: {
    code: "invalid",
    what: "a part of the path is a file, not a folder",
    fix: "Check the path.",
  },
  EEXIST: {
    code: "invalid",
    what: "a file is in the way",
    fix: "Move that file away, or choose another path.",
  },
};

/**
 * Translates a failure of the file system.
 * @param action What could not be done, to follow "Cannot": `read /a/b`.
 */
export function fileError(error: unknown, action: string): AppError {
  if (error instanceof AppError) return error;
  const failure = FAILURES[errorCode(error) ?? ""];
  if (failure === undefined) return new AppError("internal", `Cannot ${action}.`, { cause: error });
  return new AppError(failure.code, `Cannot ${action}: ${failure.what}.`, {
    fix: failure.fix,
    cause: error,
  });
}
