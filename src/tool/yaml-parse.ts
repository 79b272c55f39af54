/** Reads YAML and picks a part out of it. */
import * as z from "zod";
import { AppError } from "../domain/error.ts";
import type { Tool } from "../domain/tool.ts";
import type { Json } from "../lib/json.ts";
import { defineTool } from "./define-tool.ts";
import { selectPart } from "./select-part.ts";

const TEXT_CHARS_MAX = 1_000_000;
/** Values that aliases may stand for in all: a short text can name billions. */
const ALIAS_COUNT_MAX = 100;

const input = z.object({
  text: z.string().max(TEXT_CHARS_MAX).describe("The YAML text: one document."),
  path: z
    .string()
    .optional()
    .describe('Where the wanted part is, such as "items.0.name"; all of it when left out.'),
});

/** The tool `yaml_parse`. */
export function createYamlParse(): Tool {
  return defineTool({
    name: "yaml_parse",
    description: "Parses YAML text and returns it as JSON, or the part of it at a path.",
    input,
    run: async ({ text, path }) => selectPart(await parse(text), path ?? ""),
  });
}

async function parse(text: string): Promise<Json> {
  // Heavy, and used by few workflows.
  const { parse: parseYaml } = await import("yaml");
  try {
    const value: unknown = parseYaml(text, {
      maxAliasCount: ALIAS_COUNT_MAX,
      logLevel: "error",
      stringKeys: true,
    });
    // Dates and numbers that JSON does not have become what JSON makes of them.
    return JSON.parse(JSON.stringify(value ?? null));
  } catch (error) {
    const reason = error instanceof Error ? error.message.split("\n", 1)[0] : "it cannot be read";
    throw new AppError("invalid", `The text is not YAML: ${reason?.replace(/[.:]$/, "")}.`, {
      fix: "Give one YAML document alone, without text before or after it.",
      cause: error,
    });
  }
}
