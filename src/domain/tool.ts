/** The port to tools that a model may call. Implementations live in `tool/`, one file a tool. */
import type { Json, JsonObject } from "../lib/json.ts";
import type { ToolSpec } from "./model.ts";

/** Characters of a tool's answer that the model sees; the rest is cut with a notice. */
export const TOOL_OUTPUT_CHARS_MAX = 8_000;
/** Rounds of tool calls in one step before the model must answer. */
export const TOOL_ROUNDS_MAX = 10;
export const TOOL_TIMEOUT_MS = 30_000;

export interface ToolContext {
  readonly signal: AbortSignal;
  /** Stable over crashes and retries of the same call: `runId/stepKey/attempt.ordinal`. */
  readonly idempotencyKey: string;
  /** The `config` map of the workflow file. */
  readonly config: Json;
}

export interface Tool {
  readonly spec: ToolSpec;
  /** @throws AppError `missing_key` when the tool cannot work as configured: asked before the first model call. */
  check(): void;
  /** @throws AppError `tool_failed`, `invalid` (arguments), `timeout`, `cancelled`. */
  run(input: JsonObject, context: ToolContext): Promise<Json>;
}

export interface ToolPort {
  get(name: string): Tool | undefined;
  readonly names: readonly string[];
}
