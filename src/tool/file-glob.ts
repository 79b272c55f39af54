/** Finds files by a pattern. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { AppError } from "../domain/error.ts";
import type { Tool } from "../domain/tool.ts";
import { errorCode } from "../lib/atomic-file.ts";
import { defineTool } from "./define-tool.ts";
import type { FileAccess } from "./file-access.ts";

const RESULT_COUNT_MAX = 1_000;
const ENTRY_COUNT_MAX = 100_000;
const PATTERN_CHARS_MAX = 500;

const input = z.object({
  pattern: z
    .string()
    .min(1)
    .max(PATTERN_CHARS_MAX)
    .describe('Which files, such as "*.csv" or "reports/**/*.md"; "**" stands for any folders.'),
  base_path: z
    .string()
    .optional()
    .describe("The folder to look in, relative to the workspace; the workspace when left out."),
});

/** The tool `file_glob`. */
export function createFileGlob(files: FileAccess): Tool {
  return defineTool({
    name: "file_glob",
    description: "Lists the files that match a pattern, as paths for the other file tools.",
    input,
    async run({ pattern, base_path: basePath = "." }, { signal }) {
      if (/^[/\\]|^[a-z]:/i.test(pattern) || pattern.split(/[/\\]/).includes("..")) {
        throw new AppError("invalid", "The pattern must stay below base_path.", {
          fix: 'Use a pattern without ".." and give the folder as base_path.',
        });
      }
      const base = await files.resolve(basePath);
      const found = await files.told(basePath, () => walk(files, base, { pattern, signal }));
      return {
        files: found.paths.map((path) => files.shown(path)),
        ...(found.cut ? { note: "There are more; use a narrower pattern or base_path." } : {}),
      };
    },
  });
}

interface Search {
  readonly pattern: string;
  readonly signal: AbortSignal;
}

/** In the order of the names, folder by folder; links are not followed, hidden places not entered. */
async function walk(
  files: FileAccess,
  base: string,
  { pattern, signal }: Search,
): Promise<{ paths: string[]; cut: boolean }> {
  const glob = new Bun.Glob(pattern.replace(/^\.\//, ""));
  const depthMax = pattern.includes("**") ? Infinity : pattern.split("/").length;
  const paths: string[] = [];
  let left = ENTRY_COUNT_MAX;
  const visit = async (folder: string, below: string, depth: number): Promise<void> => {
    for (const entry of await entriesOf(folder)) {
      signal.throwIfAborted();
      left -= 1;
      if (left < 0 || paths.length > RESULT_COUNT_MAX) return;
      const name = below === "" ? entry.name : `${below}/${entry.name}`;
      const path = join(folder, entry.name);
      if (entry.isDirectory()) {
        // Folder by folder keeps the order and the memory small.
        // oxlint-disable-next-line no-await-in-loop
        if (depth < depthMax && !(await files.isHidden(path))) await visit(path, name, depth + 1);
        // oxlint-disable-next-line no-await-in-loop
      } else if (entry.isFile() && glob.match(name) && !(await files.isHidden(path))) {
        paths.push(path);
      }
    }
  };
  await visit(base, "", 1);
  return {
    paths: paths.slice(0, RESULT_COUNT_MAX),
    cut: left < 0 || paths.length > RESULT_COUNT_MAX,
  };
}

async function entriesOf(folder: string) {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.toSorted((left, right) => (left.name < right.name ? -1 : 1));
  } catch (error) {
    // Gone meanwhile, or not ours to read: the rest is still worth listing. An empty workspace may not exist yet.
    if (["ENOENT", "EACCES", "EPERM"].includes(errorCode(error) ?? "")) return [];
    throw error;
  }
}
