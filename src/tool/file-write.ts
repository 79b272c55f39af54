/** Writes text files. */
import { constants } from "node:fs";
import { open, stat } from "node:fs/promises";
import * as z from "zod";
import { AppError } from "../domain/error.ts";
import type { Tool } from "../domain/tool.ts";
import { errorCode, writeFileAtomic } from "../lib/atomic-file.ts";
import { defineTool } from "./define-tool.ts";
import type { FileAccess } from "./file-access.ts";

const CONTENT_CHARS_MAX = 5_000_000;
const MODE_DEFAULT = 0o644;

const input = z.object({
  path: z.string().describe("The file, relative to the workspace. Missing folders are created."),
  content: z.string().max(CONTENT_CHARS_MAX).describe("The text."),
  append: z
    .boolean()
    .optional()
    .describe("true adds to the end of the file; else the file is replaced."),
});

/** The tool `file_write`. */
export function createFileWrite(files: FileAccess): Tool {
  return defineTool({
    name: "file_write",
    description: "Writes a text file in the workspace: replaces it as a whole, or adds to its end.",
    input,
    run: async ({ path, content, append = false }) =>
      files.write(path, async (place) => {
        if (append) await appendTo(place.path, content, path);
        else await replaceFile(place.path, content);
        const { size } = await stat(place.path);
        return { path: files.shown(place.realPath), bytes: size };
      }),
  });
}

/** Seen whole or not at all; keeps the rights of the file that was there. */
export async function replaceFile(path: string, content: string): Promise<void> {
  await writeFileAtomic(path, content, await modeOf(path));
}

async function modeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).mode & 0o777;
  } catch (error) {
    if (errorCode(error) === "ENOENT") return MODE_DEFAULT;
    throw error;
  }
}

async function appendTo(path: string, content: string, name: string): Promise<void> {
  const { O_WRONLY, O_APPEND, O_CREAT } = constants;
  // Neither a link nor a named pipe that somebody has put there meanwhile.
  const safe = (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
  const file = await open(path, O_WRONLY | O_APPEND | O_CREAT | safe, MODE_DEFAULT);
  try {
    if (!(await file.stat()).isFile()) throw new AppError("invalid", `${name} is not a file.`);
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}
