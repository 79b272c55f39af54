/** All tools by name. A new tool is one file, its name in `domain/tool.ts` and one line here. */
import { AppError } from "../domain/error.ts";
import type { HttpPort } from "../domain/http.ts";
import type { McpPort } from "../domain/mcp.ts";
import type { ToolSpec } from "../domain/model.ts";
import type { StartProgram } from "../domain/program.ts";
import type { SandboxPort } from "../domain/sandbox.ts";
import {
  type OpenTool,
  type Tool,
  TOOL_NAMES,
  type ToolName,
  type ToolPort,
} from "../domain/tool.ts";
import type { McpServer, ToolUse } from "../domain/workflow.ts";
import { nearest } from "../lib/nearest.ts";
import { createDataframeToCsv } from "./dataframe-to-csv.ts";
import { createEnvVars } from "./env-vars.ts";
import { createFileAccess, type FileAccess } from "./file-access.ts";
import { createFileGlob } from "./file-glob.ts";
import { createFileMove } from "./file-move.ts";
import { createFileRead } from "./file-read.ts";
import { createFileWrite } from "./file-write.ts";
import { createHttpClient } from "./http-client.ts";
import { createJsonParse } from "./json-parse.ts";
import { createProcess } from "./process.ts";
import { createSerperSearch } from "./serper-search.ts";
import type { ToolSettings } from "../domain/tool-settings.ts";
import { createShell } from "./shell.ts";
import { createSqlQuery } from "./sql-query.ts";
import { createWebScrape } from "./web-scrape.ts";
import { createWebSearch } from "./web-search.ts";
import { createYamlParse } from "./yaml-parse.ts";

export interface ToolDeps {
  readonly settings: ToolSettings;
  readonly http: HttpPort;
  readonly sandbox: SandboxPort;
  readonly mcp: McpPort;
  readonly startProgram: StartProgram;
  /** What `env_vars` shows, without what looks secret. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The data folder and the database: never touched by file tools; the workspace is, also when it lies inside. */
  readonly protectedPaths: readonly string[];
  readonly redact: (text: string) => string;
}

const CREATORS: Readonly<Record<ToolName, (deps: ToolDeps, files: FileAccess) => Tool>> = {
  web_search: ({ settings, http }) => createWebSearch(settings.search, http),
  serper_search: ({ settings, http }) => createSerperSearch(settings.search, http),
  web_scrape: ({ http }) => createWebScrape(http),
  http_client: ({ http }) => createHttpClient(http),
  file_read: (_, files) => createFileRead(files),
  file_write: (_, files) => createFileWrite(files),
  file_glob: (_, files) => createFileGlob(files),
  file_move: (_, files) => createFileMove(files),
  sql_query: ({ startProgram }, files) => createSqlQuery(files, startProgram),
  dataframe_to_csv: (_, files) => createDataframeToCsv(files),
  json_parse: createJsonParse,
  yaml_parse: createYamlParse,
  shell: ({ sandbox }) => createShell({ sandbox }),
  process: ({ sandbox }) => createProcess({ sandbox }),
  env_vars: ({ environment, redact, settings }) =>
    createEnvVars({ environment, redact, hidden: Object.values(settings.variables) }),
};

/** What models are told of every tool, for the documentation. */
export function toolSpecs(deps: ToolDeps): readonly ToolSpec[] {
  const files = createFileAccess(deps.settings, deps.protectedPaths);
  return TOOL_NAMES.map((name) => CREATORS[name](deps, files).spec);
}

export function createToolPort(deps: ToolDeps): ToolPort {
  const files = createFileAccess(deps.settings, deps.protectedPaths);
  // Made at their first use: a worker that needs none of them pays for none.
  const made = new Map<string, Tool>();
  const builtIn = (name: string): Tool | undefined => {
    const known = TOOL_NAMES.find((one) => one === name);
    const tool = made.get(name) ?? (known && CREATORS[known](deps, files));
    if (tool !== undefined) made.set(name, tool);
    return tool;
  };
  return {
    names: TOOL_NAMES,
    async open(uses, { servers, signal }) {
      const opened = await Promise.all(
        uses.map(async (use) => {
          const tool = builtIn(use.name);
          return tool === undefined
            ? openServerTools(deps.mcp, use, { servers, signal })
            : [{ use, tool }];
        }),
      );
      const tools = onePerName(opened.flat());
      await Promise.all(tools.map(({ use, tool }) => tool.check(use.config)));
      return tools;
    },
    close: () => deps.mcp.close(),
  };
}

async function openServerTools(
  mcp: McpPort,
  use: ToolUse,
  scope: {
    readonly servers: Readonly<Record<string, McpServer>>;
    readonly signal: AbortSignal;
  },
): Promise<readonly OpenTool[]> {
  const [, serverName = "", toolName = ""] = /^([^.]+)\.(.+)$/.exec(use.name) ?? [];
  if (serverName === "")
    throw unknown(`There is no tool named \`${use.name}\`.`, use.name, TOOL_NAMES);
  const server = Object.hasOwn(scope.servers, serverName) ? scope.servers[serverName] : undefined;
  if (server === undefined) {
    const names = Object.keys(scope.servers);
    throw unknown(`There is no MCP server named \`${serverName}\`.`, serverName, names);
  }
  const tools = await mcp.tools({ ...server, name: serverName }, scope.signal);
  const wanted = toolName === "*" ? tools : tools.filter(({ name }) => name === toolName);
  if (wanted.length === 0 && toolName !== "*") {
    const names = tools.map(({ name }) => name);
    throw unknown(`The MCP server \`${serverName}\` has no tool \`${toolName}\`.`, toolName, names);
  }
  return wanted.map(({ tool }) => ({ use, tool }));
}

function unknown(message: string, word: string, names: readonly string[]): AppError {
  const near = nearest(word, names);
  const known =
    names.length === 0 ? "Add it to `config.mcp_servers`" : `Use one of: ${names.join(", ")}`;
  return new AppError("invalid", message, {
    fix: near === undefined ? `${known}.` : `Write \`${near}\`. ${known}.`,
  });
}

const isWide = ({ use }: OpenTool) => use.name.endsWith(".*");

/** What names a tool itself wins over `server.*`, so that one tool of many can have its own settings. */
function onePerName(tools: readonly OpenTool[]): readonly OpenTool[] {
  const ordered = [...tools.filter(isWide), ...tools.filter((open) => !isWide(open))];
  const byName = new Map(ordered.map((open) => [open.tool.spec.name, open]));
  return tools.filter((open) => byName.get(open.tool.spec.name) === open);
}
