/** The files that tools may use, and failures of the file system in words that help a model. */
import type { FileHandle } from "node:fs/promises";
import { relative } from "node:path";
import { AppError } from "../domain/error.ts";
import { errorCode } from "../lib/atomic-file.ts";
import {
  atPlaceInside,
  contains,
  type Folders,
  openInside,
  PathError,
  type Place,
  realPathOf,
  resolveInside,
} from "../lib/inside-folder.ts";
import type { ToolSettings } from "../domain/tool-settings.ts";

/** @throws AppError `forbidden`, `invalid`, `tool_failed`, in all of them. */
export interface FileAccess {
  /** The real path, which may not exist yet. */
  resolve(path: string): Promise<string>;
  /** Calls `work` with a regular file that is open for reading, and closes it. */
  read<T>(path: string, work: (file: FileHandle) => Promise<T>): Promise<T>;
  /** Calls `work` with a place to write to, in a folder that is there. */
  write<T>(path: string, work: (place: Place) => Promise<T>): Promise<T>;
  /** Runs `work` with failures of the file system turned into words about `path`. */
  told<T>(path: string, work: () => Promise<T>): Promise<T>;
  /** A real path as tools name it: inside of the workspace relative to it. */
  shown(realPath: string): string;
  /** Whether a real path is off limits though it lies in an allowed folder. */
  isHidden(realPath: string): Promise<boolean>;
  /** Whether a folder is, or leads to, a place that is known by its path: off limits, or a folder for tools. */
  isFixed(realPath: string): Promise<boolean>;
}

/** Files that SQLite keeps beside a database. */
const SIDE_FILES = ["", "-wal", "-shm", "-journal"];

/** @param protectedPaths Files and folders of the product that are never touched, the workspace in them excepted. */
export function createFileAccess(
  { workspace, allowedPaths }: Pick<ToolSettings, "workspace" | "allowedPaths">,
  protectedPaths: readonly string[],
): FileAccess {
  const folders: Folders = {
    roots: [workspace, ...allowedPaths],
    hidden: protectedPaths.flatMap((path) => SIDE_FILES.map((end) => path + end)),
  };
  return {
    resolve: (path) => told(path, () => resolveInside(path, folders)),
    read: (path, work) =>
      told(path, async () => {
        const file = await openInside(path, folders);
        try {
          return await work(file);
        } finally {
          await file.close();
        }
      }),
    write: (path, work) => told(path, () => atPlaceInside(path, folders, work)),
    told,
    shown: (realPath) =>
      contains(workspace, realPath) ? relative(workspace, realPath) || "." : realPath,
    isHidden: async (realPath) => {
      try {
        await resolveInside(realPath, folders);
        return false;
      } catch (error) {
        if (error instanceof PathError) return true;
        throw error;
      }
    },
    isFixed: async (path) => {
      const places = await Promise.all([...folders.roots, ...folders.hidden].map(realPathOf));
      return places.some((place) => contains(path, place));
    },
  };
}

async function told<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw fileError(path, error);
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: "the system refuses access",
  EBUSY: "it is in use",
  EEXIST: "it is there already",
  EISDIR: "it is a folder",
  EMFILE: "too many files are open",
  ENAMETOOLONG: "the name is too long",
  ENOSPC: "there is no space left",
  ENOTDIR: "a part of the path is not a folder",
  ENOTEMPTY: "the folder is not empty",
  EPERM: "the system refuses access",
  EROFS: "the disk cannot be written",
};

function fileError(path: string, error: unknown): unknown {
  if (error instanceof PathError) {
    if (error.reason === "invalid") return new AppError("invalid", error.message, { cause: error });
    return new AppError("forbidden", error.message, {
      fix: "Use a path relative to the workspace, such as notes/today.txt; the owner adds folders with ALLOWED_PATHS.",
      cause: error,
    });
  }
  const code = errorCode(error);
  if (error instanceof AppError || code === undefined) return error;
  if (code === "ENOENT") {
    return new AppError("tool_failed", `There is no file ${path}.`, {
      fix: "Look with file_glob which files there are.",
      cause: error,
    });
  }
  const reason = REASONS[code];
  if (reason === undefined) return error;
  return new AppError("tool_failed", `${path} cannot be used: ${reason}.`, { cause: error });
}
