import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { McpPort } from "../../src/domain/mcp.ts";
import type { Tool } from "../../src/domain/tool.ts";
import type { McpServer, ToolUse } from "../../src/domain/workflow.ts";
import type { Json } from "../../src/lib/json.ts";
import { TOOL_NAMES } from "../../src/domain/tool.ts";
import { createToolPort } from "../../src/tool/registry.ts";
import { createWorld, failure, type World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

const use = (name: string, more: Partial<ToolUse> = {}): ToolUse => ({
  name,
  onError: "fail",
  config: null,
  ...more,
});

function serverTool(name: string): Tool {
  return {
    spec: { name, description: "", parameters: { type: "object" } },
    check: async () => {},
    run: async () => name,
  };
}

const server: McpServer = { transport: "stdio", command: "x", args: [], env: {} };
const mcp: McpPort = {
  tools: async ({ name }) =>
    ["read", "write", "read.more"].map((tool) => ({
      name: tool,
      tool: serverTool(`${name}__${tool}`),
    })),
  close: async () => {},
};

const open = async (uses: readonly ToolUse[]) => {
  const port = createToolPort({ ...world.deps, mcp });
  const scope = { servers: { files: server }, signal: new AbortController().signal };
  return (await port.open(uses, scope)).map((opened) => [opened.tool.spec.name, opened.use]);
};

test("the tools are those of configurable-agents", () => {
  expect([...TOOL_NAMES].toSorted()).toEqual([
    "dataframe_to_csv",
    "env_vars",
    "file_glob",
    "file_move",
    "file_read",
    "file_write",
    "http_client",
    "json_parse",
    "process",
    "serper_search",
    "shell",
    "sql_query",
    "web_scrape",
    "web_search",
    "yaml_parse",
  ]);
  expect(createToolPort(world.deps).names).toEqual(TOOL_NAMES);
});

test("every tool tells the model its parameters, each with words", async () => {
  const wanted = TOOL_NAMES.filter((name) => !["shell", "process"].includes(name));
  const settings = {
    ...world.deps.settings,
    search: { ...world.deps.settings.search, serper: { apiKey: "k", baseUrl: undefined } },
  };
  for (const name of wanted) {
    const { spec } = await world.open(name, null, { settings });
    expect(spec.name).toBe(name);
    expect(spec.parameters["type"], name).toBe("object");
    const properties = Object.entries(spec.parameters["properties"] ?? {});
    expect(properties.length, name).toBeGreaterThan(0);
    for (const [key, schema] of properties as [string, { description?: Json }][])
      expect(schema.description, `${name}.${key}`).toBeString();
    // Not every provider follows references.
    expect(JSON.stringify(spec.parameters)).not.toContain("$ref");
  }
});

describe("open()", () => {
  test("finds tools of servers by name and by star, a name wins over the star", async () => {
    const all = use("files.*");
    const one = use("files.write", { onError: "continue" });
    expect(await open([all, use("json_parse"), one])).toEqual([
      ["files__read", all],
      ["files__read.more", all],
      ["json_parse", use("json_parse")],
      ["files__write", one],
    ]);
    expect(await open([use("files.read.more")])).toEqual([
      ["files__read.more", use("files.read.more")],
    ]);
  });

  test.each([
    ["json_pars", "There is no tool named `json_pars`.", "Write `json_parse`. Use one of: web_s"],
    ["constructor", "There is no tool named `constructor`.", "Use one of: web_search"],
    ["file.read", "There is no MCP server named `file`.", "Write `files`. Use one of: files."],
    [
      "files.wrote",
      "The MCP server `files` has no tool `wrote`.",
      "Write `write`. Use one of: read, write, read.more.",
    ],
  ])("%s is refused with the names that there are", async (name, message, fix) => {
    const error = await failure(open([use(name)]));
    expect(error).toMatchObject({ code: "invalid", message });
    expect(error.fix).toStartWith(fix);
  });

  test("checks tools before they are used", async () => {
    expect(await failure(open([use("web_search")]))).toEqual({
      code: "missing_key",
      message: "The tool web_search needs a search service, and none is set up.",
      fix: "Set one of SERPER_API_KEY, TAVILY_API_KEY, BRAVE_API_KEY, SEARXNG_BASE_URL in the environment or in .env.",
    });
    expect((await failure(open([use("shell")]))).code).toBe("sandbox_unavailable");
    expect(await failure(open([use("json_parse", { config: { depth: 1 } })]))).toEqual({
      code: "invalid",
      message: 'The config of json_parse is not valid. Unrecognized key: "depth".',
      fix: "Remove `config` from the tool.",
    });
    expect(
      await failure(open([use("web_search", { config: { provider: "bing" } })])),
    ).toMatchObject({ code: "invalid", fix: "Use only these keys: provider." });
  });
});
