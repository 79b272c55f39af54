/** Moves and renames files. */
import { link, lstat, rename, unlink } from "node:fs/promises";
import * as z from "zod";
import { AppError } from "../domain/error.ts";
import type { Tool } from "../domain/tool.ts";
import { errorCode } from "../lib/atomic-file.ts";
import { pathExists } from "../lib/path-exists.ts";
import { defineTool } from "./define-tool.ts";
import type { FileAccess } from "./file-access.ts";

const input = z.object({
  source: z.string().describe("The file or folder to move, relative to the workspace."),
  dest: z.string().describe("Its new path. Missing folders are created."),
  overwrite: z
    .boolean()
    .optional()
    .describe("true replaces a file that is there; else that is an error."),
});

/** The tool `file_move`. */
export function createFileMove(files: FileAccess): Tool {
  return defineTool({
    name: "file_move",
    description: "Moves or renames a file or a folder in the workspace.",
    input,
    async run({ source, dest, overwrite = false }) {
      // First, so that a missing source leaves no folders behind.
      await files.told(source, async () => lstat(await files.resolve(source)));
      return files.write(source, async (from) => {
        if (await files.isFixed(from.realPath)) throw fixed(source);
        return files.write(dest, async (to) => {
          await (overwrite ? replace(from.path, to.path) : moveNew(from.path, to.path, dest));
          return { source: files.shown(from.realPath), dest: files.shown(to.realPath) };
        });
      });
    },
  });
}

/** A link to the file under its new name fails when the name is taken, whoever took it a moment ago. */
async function moveNew(from: string, to: string, name: string): Promise<void> {
  const isFolder = (await lstat(from)).isDirectory();
  if (!isFolder && (await linked(from, to, name))) return unlink(from);
  if (await pathExists(to)) throw taken(name);
  return replace(from, to);
}

/** @returns false where the file system has no hard links. */
async function linked(from: string, to: string, name: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (errorCode(error) === "EEXIST") throw taken(name);
    if (errorCode(error) === "EXDEV") throw otherDisk(error);
    return false;
  }
}

async function replace(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    throw errorCode(error) === "EXDEV" ? otherDisk(error) : error;
  }
}

/** Under another name, what is off limits in it would be open. */
function fixed(name: string): AppError {
  return new AppError("forbidden", `The folder ${name} may not be moved.`, {
    fix: "Move what is in it, one by one.",
  });
}

function taken(name: string): AppError {
  return new AppError("tool_failed", `There is a file ${name} already.`, {
    fix: "Use another dest, or overwrite: true.",
  });
}

function otherDisk(cause: unknown): AppError {
  return new AppError("tool_failed", "The two paths are on different disks.", {
    fix: "Read the file and write it anew.",
    cause,
  });
}
