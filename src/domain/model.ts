/**
 * The port to language models. `llm/` implements it with the AI SDK; the engine calls it once per
 * model call and checkpoints the result, so no implementation may loop over tools or retry.
 */
import type { Json, JsonObject } from "../lib/json.ts";
import type { ErrorRecord } from "./error.ts";
import type { ProviderName } from "./workflow.ts";

export type ModelMessage =
  | { readonly role: "system" | "user"; readonly text: string }
  | { readonly role: "assistant"; readonly text: string; readonly toolCalls: readonly ToolCall[] }
  | {
      readonly role: "tool";
      readonly callId: string;
      readonly name: string;
      readonly text: string;
    };

export interface ToolCall {
  readonly id: string;
  readonly name: string;
  readonly arguments: Json;
}

/** A tool as the model sees it. */
export interface ToolSpec {
  readonly name: string;
  readonly description: string;
  /** JSON Schema of the arguments; an object schema. */
  readonly parameters: JsonObject;
}

export interface ModelRequest {
  readonly provider: ProviderName;
  readonly model: string;
  readonly apiBase?: string;
  readonly temperature?: number;
  readonly maxTokens?: number;
  readonly messages: readonly ModelMessage[];
  readonly tools: readonly ToolSpec[];
  /** JSON Schema that the answer must satisfy; undefined for free text. */
  readonly output?: {
    readonly name: string;
    readonly description?: string;
    readonly schema: JsonObject;
  };
  readonly signal: AbortSignal;
}

/** Token counts of one call. `input` includes the cached ones; `output` includes reasoning. */
export interface Usage {
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
  readonly reasoning: number;
}

export interface ModelAnswer {
  readonly text: string;
  readonly toolCalls: readonly ToolCall[];
  /** `length`: cut at the token limit; `refused`: the provider's filter stopped it. */
  readonly finish: "stop" | "tool_calls" | "length" | "refused";
  readonly usage: Usage;
  /** Cost in billionths of a US dollar; null when the price is not known. Local and demo models cost 0. */
  readonly costNanoUsd: number | null;
  /** The model that answered, as the provider names it. */
  readonly model: string;
}

/** A stream never throws: it ends with exactly one `end`. */
export type ModelEvent =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "end"; readonly reason: "finished"; readonly answer: ModelAnswer }
  | { readonly type: "end"; readonly reason: "aborted" }
  | {
      readonly type: "end";
      readonly reason: "failed";
      readonly error: ErrorRecord;
      readonly retryAfterMs?: number;
    };

export interface ModelPort {
  /** Makes one call, streaming. Honours `signal` within milliseconds. */
  call(request: ModelRequest): AsyncIterable<ModelEvent>;
  /**
   * Fills in what a node left open and checks that the provider can be used at all.
   * @throws AppError `missing_key` (names the variable), `unknown_model`, `forbidden` (a key would go to
   * an address that only the workflow names), `invalid`.
   */
  resolve(settings: {
    provider?: ProviderName;
    model?: string;
    apiBase?: string;
  }): Promise<{ provider: ProviderName; model: string; apiBase?: string }>;
}
