/**
 * Import directions between folders. This table is the architecture; docs/ARCHITECTURE.md explains it.
 *
 * Type-only imports count: a layer that knows another layer's types is coupled to it. Specifiers are
 * read with a regular expression because `Bun.Transpiler#scanImports` drops type-only imports.
 */
import { describe, expect, test } from "bun:test";
import { dirname, join } from "node:path";
import { Glob } from "bun";

/** What the composition root puts together. */
const PARTS = [
  "src/lib",
  "src/domain",
  "src/language",
  "src/engine",
  "src/store",
  "src/process",
  "src/mlflow",
  "src/llm",
  "src/tool",
  "src/http",
  "src/mcp",
  "src/agent",
  "src/sandbox",
  "src/web",
  "src/config",
  "examples",
];

const LAYERS: Record<string, readonly string[]> = {
  "src/lib": [
    "diff",
    "@codemirror/legacy-modes",
    "@codemirror/streamparser",
    "@lezer/markdown",
    "entities",
  ],
  "src/domain": ["src/lib", "zod"],
  "src/language": ["src/lib", "src/domain", "zod", "yaml"],
  "src/engine": ["src/lib", "src/domain", "src/language"],
  "src/store": ["src/lib", "src/domain", "drizzle", "drizzle-orm", "bun:sqlite"],
  "src/process": ["src/lib", "src/domain", "bun:sqlite"],
  "src/mlflow": ["src/lib", "src/domain"],
  "src/llm": ["src/lib", "src/domain", "ai", "@ai-sdk", "@pydantic/genai-prices"],
  "src/graph": ["src/lib", "src/domain", "@dagrejs/dagre"],
  "src/tool": ["src/lib", "src/domain", "zod", "yaml", "entities", "bun:sqlite"],
  "src/http": ["src/lib", "src/domain"],
  "src/mcp": ["src/lib", "src/domain", "@modelcontextprotocol/client"],
  "src/agent": ["src/lib", "src/domain"],
  "src/sandbox": ["src/lib", "src/domain"],
  "src/config": ["src/lib", "src/domain", "zod"],
  "src/web": [
    "src/lib",
    "src/domain",
    "src/language",
    "src/graph",
    "views",
    "hono",
    "hono-openapi",
    "zod",
    "cronstrue",
  ],
  "src/cli": [
    "src/lib",
    "src/domain",
    "src/language",
    "src/config",
    "src/graph",
    "src/app.ts",
    "@clack/prompts",
    "picocolors",
  ],
  "src/app.ts": ["src/app", ...PARTS],
  "src/app": PARTS,
  "src/main.ts": ["src/cli", "src/domain", "src/lib"],
  views: ["src/domain", "src/graph", "src/language", "src/lib", "hono", "htmx.org"],
  "drizzle/config.ts": ["drizzle-kit"],
  drizzle: [],
  examples: [],
};
const PLATFORM = ["bun", "node:"];

const files = [...new Glob("{src,views,drizzle,examples}/**/*.{ts,tsx}").scanSync(".")].filter(
  (file) => !file.endsWith(".d.ts"),
);

function layerOf(file: string): string | undefined {
  return Object.keys(LAYERS).find((layer) => file === layer || file.startsWith(`${layer}/`));
}

/** The imports of a text, as paths from the root or package names. */
function targets(file: string, text: string): string[] {
  return [...text.matchAll(/(?<!["'\w])(?:from|import)\s*\(?\s*["']([^"'\n]+)["']/g)].map(
    ([, specifier = ""]) =>
      specifier.startsWith(".") ? join(dirname(file), specifier).replaceAll("\\", "/") : specifier,
  );
}

function forbidden(file: string, text: string): string[] {
  const layer = layerOf(file);
  const allowed = [layer, ...(LAYERS[layer ?? ""] ?? [])];
  return targets(file, text).filter(
    (target) =>
      !PLATFORM.some(
        (name) => target === name || (name.endsWith(":") && target.startsWith(name)),
      ) && !allowed.some((prefix) => target === prefix || target.startsWith(`${prefix}/`)),
  );
}

describe("layers", () => {
  test("every source file belongs to a layer and imports only what the table allows", async () => {
    const faults: string[] = [];
    for (const file of files) {
      if (layerOf(file) === undefined) faults.push(`${file} belongs to no layer`);
      const text = await Bun.file(file).text();
      faults.push(...forbidden(file, text).map((target) => `${file} imports ${target}`));
    }
    expect(faults).toEqual([]);
  });

  test("a planted fault is found, type-only and dynamic imports included", () => {
    expect(
      forbidden(
        "src/engine/x.ts",
        `import type { Db } from "../store/database.ts";\nawait import("hono");`,
      ),
    ).toEqual(["src/store/database.ts", "hono"]);
  });
});
