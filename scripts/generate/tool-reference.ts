/** docs/tools.md: every tool with its parameters, from the schemas that check the calls. */
import type { ToolSpec } from "../../src/domain/model.ts";
import { assert } from "../../src/lib/assert.ts";
import { isJsonObject, type Json } from "../../src/lib/json.ts";
import { markdownTable } from "../../src/lib/markdown-table.ts";
import { type ToolDeps, toolSpecs } from "../../src/tool/registry.ts";
import { code, NOTICE, page } from "./markdown.ts";
import { describeType } from "./schema-walk.ts";
import * as texts from "./tool-texts.ts";

export function toolReference(): string {
  const specs = new Map(describedTools().map((spec) => [spec.name, spec]));
  const grouped = texts.GROUPS.flatMap(({ tools }) => tools);
  assert(
    grouped.length === specs.size && grouped.every((name) => specs.has(name)),
    "every tool stands in one group",
  );
  return page([
    "# Tools",
    NOTICE,
    ...texts.INTRODUCTION,
    ...texts.GROUPS.flatMap(({ title, tools }) => [
      `## ${title}`,
      ...tools.flatMap((name) => toolBlocks(specs.get(name))),
    ]),
    ...texts.SERVERS,
    ...texts.REACH,
    ...texts.ERRORS,
  ]);
}

/** What models are told of each tool. */
export function describedTools(): readonly ToolSpec[] {
  return toolSpecs(DESCRIBED);
}

function toolBlocks(spec: ToolSpec | undefined): string[] {
  assert(spec !== undefined, "the tool is there");
  return [
    `### ${code(spec.name)}`,
    spec.description,
    parameterTable(spec),
    ...(texts.NOTES[spec.name] ?? []),
  ];
}

function parameterTable({ parameters }: ToolSpec): string {
  const properties = isJsonObject(parameters["properties"]) ? parameters["properties"] : {};
  const required: readonly Json[] = Array.isArray(parameters["required"])
    ? parameters["required"]
    : [];
  const rows = Object.entries(properties).map(([name, schema]) => {
    const shape = isJsonObject(schema) ? schema : {};
    const { description } = shape;
    return [
      code(name),
      describeType(shape),
      required.includes(name) ? "yes" : "",
      // Signs in quoted examples would be read as Markdown.
      typeof description === "string" ? description.replaceAll(/"([^"]+)"/g, "`$1`") : "",
    ];
  });
  return markdownTable(["Parameter", "Value", "Required", "Meaning"], rows);
}

const never = () => Promise.reject(new Error("Only described, never called."));
const NONE = { apiKey: undefined, baseUrl: undefined };

/** Enough to describe the tools: nothing is called. */
const DESCRIBED: ToolDeps = {
  settings: {
    search: {
      provider: undefined,
      serper: NONE,
      tavily: NONE,
      brave: NONE,
      searxng: { baseUrl: undefined },
    },
    workspace: "/",
    allowedPaths: [],
    variables: {},
  },
  http: { request: never },
  sandbox: { check: never, run: never },
  mcp: { tools: never, close: never },
  startProgram: () => {
    throw new Error("Only described, never called.");
  },
  environment: {},
  protectedPaths: [],
  redact: (text) => text,
};
