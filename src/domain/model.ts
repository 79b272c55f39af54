/**
 * The port to language models. `llm/` implements it with the AI SDK; the engine calls it once per
 * model call and checkpoints the result, so no implementation may loop over tools or retry.
 */
import type { Json, JsonObject } from "../lib/json.ts";
import type { ErrorRecord } from "./error.ts";
import type { ModelChoice, ProviderName, ReasoningLevel } from "./workflow.ts";

/** An image or document that goes with a message. */
export interface ModelFile {
  readonly name: string;
  readonly mediaType: string;
  /** SHA-256 of the content, hex: what the journal keeps in place of the content. */
  readonly hash: string;
  readonly data: Uint8Array;
}

export type ModelMessage =
  | { readonly role: "system"; readonly text: string }
  | { readonly role: "user"; readonly text: string; readonly files?: readonly ModelFile[] }
  | {
      readonly role: "assistant";
      readonly text: string;
      readonly toolCalls: readonly ToolCall[];
      /** `ModelAnswer.thoughts` of the answer that this was. */
      readonly thoughts?: Json;
    }
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
  readonly reasoning?: ReasoningLevel;
  readonly messages: readonly ModelMessage[];
  readonly tools: readonly ToolSpec[];
  /** A model that refuses tools is asked without them, instead of failing. */
  readonly toolsOptional?: boolean;
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
  /**
   * With tool calls: what the provider wants back in the next round (signed or encrypted reasoning). Only the
   * adapter can read it; for another model it says nothing.
   */
  readonly thoughts?: Json;
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

/** What a provider counts together (one key, or one server), and how much of it may be used. */
export interface ModelAccount {
  /** The provider's name and a hash of its address and key. */
  readonly name: string;
  readonly limits: ProviderLimits;
}

export interface ModelPort {
  /** Makes one call, streaming. Honours `signal` within milliseconds. */
  call(request: ModelRequest): AsyncIterable<ModelEvent>;
  /**
   * Fills in what a node left open and checks that the provider can be used at all.
   * @throws AppError `missing_key` (names the variable), `unknown_model`, `forbidden` (a key would go to
   * an address that only the workflow names), `invalid`.
   */
  resolve(
    settings: ModelChoice,
  ): Promise<{ provider: ProviderName; model: string; apiBase?: string }>;
  /**
   * What the request costs before the first word of its answer: its input by a rough count of tokens, at
   * the list price. null when the price is not known; 0 for local and demo models.
   */
  estimateInputNanoUsd(request: Omit<ModelRequest, "signal">): Promise<number | null>;
  /** Tokens that a request to this model and its answer may have together; undefined when that is not known. */
  contextWindow(
    model: Pick<ModelRequest, "provider" | "model" | "apiBase">,
  ): Promise<number | undefined>;
  /** Whose turn a call to a resolved model is; undefined where nobody counts (the demo). */
  accountOf(model: Pick<ModelRequest, "provider" | "apiBase">): ModelAccount | undefined;
}

/** Answers to requests with `cache: true`. The key is a hash of everything that the answer depends on. */
export interface AnswerCache {
  get(key: string): Promise<ModelAnswer | undefined>;
  /** Keeps an answer; the first of several for one key stays. */
  put(key: string, answer: ModelAnswer): Promise<void>;
}

/** How much may be asked of one provider at once and per minute, by all workers together. */
export interface ProviderLimits {
  readonly concurrency?: number;
  readonly requestsPerMinute?: number;
}

/**
 * Turns at a provider, shared by all processes on one database. A turn that is not given back (its
 * worker died) is free again after a while.
 */
export interface ProviderTurns {
  /**
   * Takes a turn now or says when to ask again: also while the provider has asked everybody to wait.
   * `account` is a `ModelAccount.name`.
   */
  take(
    account: string,
    limits: ProviderLimits,
  ): Promise<
    | { readonly taken: true; release(): Promise<void> }
    | { readonly taken: false; readonly retryAtMs: number }
  >;
  /** The provider has asked to be left alone until then: holds for every worker. */
  block(account: string, untilMs: number): Promise<void>;
}

/** Reads what a workflow names as an image or document. */
export interface ModelFiles {
  /**
   * @param reference A path inside the workspace, an http(s) address or a data: URL.
   * @throws AppError `not_found`, `forbidden` (outside of the workspace, private address), `too_large`,
   * `invalid` (a kind of file that models do not take); the signal's reason.
   */
  read(reference: string, signal: AbortSignal): Promise<ModelFile>;
}
