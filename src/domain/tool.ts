/** The port to tools that a model may call. Implementations live in `tool/`, one file a tool. */
import type { Json, JsonObject } from "../lib/json.ts";
import type { ToolSpec } from "./model.ts";
import type { McpServer, ToolUse } from "./workflow.ts";

/** Characters of a tool's answer that the model sees; the rest is cut with a notice. */
export const TOOL_OUTPUT_CHARS_MAX = 8_000;
/** Rounds of tool calls in one step before the model must answer. */
export const TOOL_ROUNDS_MAX = 10;
export const TOOL_TIMEOUT_MS = 30_000;

/** The tools that need no server, in the order of the documentation. */
export const TOOL_NAMES = [
  "web_search",
  "serper_search",
  "web_scrape",
  "http_client",
  "file_read",
  "file_write",
  "file_glob",
  "file_move",
  "sql_query",
  "dataframe_to_csv",
  "json_parse",
  "yaml_parse",
  "shell",
  "process",
  "env_vars",
] as const;
export type ToolName = (typeof TOOL_NAMES)[number];

export interface ToolContext {
  readonly signal: AbortSignal;
  /** Stable over crashes and retries of the same call: `runId/stepKey/attempt.ordinal`. */
  readonly idempotencyKey: string;
  /** The `config` map of the workflow file. */
  readonly config: Json;
  /** Takes what a program writes while it runs, for the log of the run. */
  readonly onOutput: (stream: "stdout" | "stderr", text: string) => void;
}

export interface Tool {
  readonly spec: ToolSpec;
  /** @throws AppError `missing_key`, `sandbox_unavailable`, `invalid` (config): asked before the first model call. */
  check(config: Json): Promise<void>;
  /** @throws AppError `tool_failed`, `invalid` (arguments), `forbidden`, `timeout`, `cancelled`. */
  run(input: JsonObject, context: ToolContext): Promise<Json>;
}

/** A tool that is ready to be called, with the words that the workflow says about it. */
export interface OpenTool {
  readonly use: ToolUse;
  readonly tool: Tool;
}

export interface ToolPort {
  /** Tools that need no server. */
  readonly names: readonly string[];
  /**
   * Makes tools ready: looks them up, starts the MCP servers they belong to, checks them. `server.*` becomes one
   * entry for each tool of the server; a model knows the tools of a server as `server__tool`.
   * @throws AppError `invalid` for a name that is not there, what `check` throws, `tool_failed` when a server cannot be started.
   */
  open(
    uses: readonly ToolUse[],
    scope: {
      readonly servers: Readonly<Record<string, McpServer>>;
      readonly signal: AbortSignal;
    },
  ): Promise<readonly OpenTool[]>;
  /** Ends the servers that were started. */
  close(): Promise<void>;
}
