/** Checks JSON and picks a part out of it. */
import * as z from "zod";
import { AppError } from "../domain/error.ts";
import type { Tool } from "../domain/tool.ts";
import type { Json } from "../lib/json.ts";
import { defineTool } from "./define-tool.ts";
import { selectPart } from "./select-part.ts";

const TEXT_CHARS_MAX = 1_000_000;

const input = z.object({
  text: z.string().max(TEXT_CHARS_MAX).describe("The JSON text."),
  path: z
    .string()
    .optional()
    .describe('Where the wanted part is, such as "items.0.name"; all of it when left out.'),
});

/** The tool `json_parse`. */
export function createJsonParse(): Tool {
  return defineTool({
    name: "json_parse",
    description: "Parses JSON text and returns it, or the part of it at a path.",
    input,
    run: async ({ text, path }) => selectPart(parse(text), path ?? ""),
  });
}

function parse(text: string): Json {
  try {
    return JSON.parse(text);
  } catch (error) {
    const reason = error instanceof SyntaxError ? error.message : "it cannot be read";
    throw new AppError("invalid", `The text is not JSON: ${reason}.`, {
      fix: "Give the JSON alone, without text before or after it.",
      cause: error,
    });
  }
}
