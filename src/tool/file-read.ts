/** Reads text files. */
import * as z from "zod";
import { AppError } from "../domain/error.ts";
import type { Tool } from "../domain/tool.ts";
import { defineTool } from "./define-tool.ts";
import type { FileAccess } from "./file-access.ts";

const CHARS_MAX = 50_000;
const FILE_BYTES_MAX = 50 * 1024 * 1024;

const input = z.object({
  path: z.string().describe("The file, relative to the workspace."),
  encoding: z
    .enum(["utf-8", "latin1", "utf-16le", "base64"])
    .optional()
    .describe("How its bytes are read; utf-8 when left out. base64 is for files that are no text."),
  offset: z.int().min(0).optional().describe("Characters to skip; 0 when left out."),
  limit: z
    .int()
    .min(1)
    .max(CHARS_MAX)
    .optional()
    .describe(`Characters to return at most; ${CHARS_MAX} when left out.`),
});

/** The tool `file_read`. */
export function createFileRead(files: FileAccess): Tool {
  return defineTool({
    name: "file_read",
    description:
      "Reads a file. Long files are read in pieces: the answer says in next_offset where the next piece begins.",
    input,
    run: async ({ path, encoding = "utf-8", offset = 0, limit = CHARS_MAX }) =>
      files.read(path, async (file) => {
        const { size } = await file.stat();
        if (size > FILE_BYTES_MAX) {
          throw new AppError(
            "tool_failed",
            `${path} is longer than ${FILE_BYTES_MAX / 1024 / 1024} MiB.`,
            { fix: "Use a smaller file." },
          );
        }
        const text = decode(await file.readFile(), encoding);
        const piece = text.slice(offset, offset + limit).toWellFormed();
        const end = offset + piece.length;
        return {
          path,
          bytes: size,
          chars: text.length,
          next_offset: end < text.length ? end : null,
          text: piece,
        };
      }),
  });
}

function decode(bytes: Uint8Array, encoding: "utf-8" | "latin1" | "utf-16le" | "base64"): string {
  return encoding === "base64" ? bytes.toBase64() : new TextDecoder(encoding).decode(bytes);
}
