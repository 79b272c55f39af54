/**
 * A workflow as the rest of the product sees it: already parsed, checked and normalised by
 * `language/`. Nothing here knows YAML.
 */
import type { Json } from "../lib/json.ts";

export const WORKFLOW_SOURCE_BYTES_MAX = 1024 * 1024;
export const WORKFLOW_NODE_COUNT_MAX = 1000;

/** Providers that a workflow file may name. `demo` answers offline and is labelled as such everywhere. */
export const PROVIDERS = [
  "openai",
  "anthropic",
  "google",
  "ollama",
  "openai-compatible",
  "demo",
] as const;
export type ProviderName = (typeof PROVIDERS)[number];

/** The parsed form of a type string such as `dict[str, list[int]]`. `any` is an element without a stated type. */
export type StateType =
  | { readonly kind: "str" | "int" | "float" | "bool" | "any" }
  | { readonly kind: "list"; readonly item: StateType }
  | { readonly kind: "dict"; readonly key: StateType; readonly value: StateType }
  /** `fields: []` is an object of any shape. */
  | { readonly kind: "object"; readonly fields: readonly StateField[] };

export interface StateField {
  readonly name: string;
  readonly type: StateType;
  /** Must come with the inputs. */
  readonly required: boolean;
  /** The value when the inputs do not give one; null when the file states none. */
  readonly default: Json;
  readonly description?: string;
}

/** Model settings; a node's keys win over the workflow's, key by key. */
export interface LlmSettings {
  readonly provider?: ProviderName;
  readonly model?: string;
  readonly temperature?: number;
  readonly maxTokens?: number;
  readonly apiBase?: string;
}

export interface ToolUse {
  readonly name: string;
  /** `continue` gives the model the failure as the tool's answer; `fail` fails the step. */
  readonly onError: "fail" | "continue";
  readonly config: Json;
}

/** Failures that may be tried again, by the words used in `retry.on`. */
export const RETRY_REASONS = ["invalid_output", "timeout", "rate_limit", "unavailable"] as const;
export type RetryReason = (typeof RETRY_REASONS)[number];

export interface RetryPolicy {
  /** Tries in all, the first included; at least 1. */
  readonly maxAttempts: number;
  readonly backoff: "exponential" | "linear" | "fixed";
  /** First delay in milliseconds. */
  readonly delayMs: number;
  readonly on: readonly RetryReason[];
}

/** What an LLM node's answer must look like and where it goes: one field of the state per output. */
export interface OutputField {
  readonly name: string;
  readonly type: StateType;
  readonly description?: string;
}

export interface LlmNode {
  readonly kind: "llm";
  readonly id: string;
  readonly description?: string;
  /** Local name → template; local names win over state in the prompt. */
  readonly inputs: Readonly<Record<string, string>>;
  readonly prompt: string;
  readonly outputs: readonly OutputField[];
  readonly outputDescription?: string;
  readonly tools: readonly ToolUse[];
  readonly llm: LlmSettings;
  /** Limit for one attempt, in milliseconds. */
  readonly timeoutMs?: number;
  readonly retry: RetryPolicy;
}

export type WorkflowNode = LlmNode;
export type NodeKind = WorkflowNode["kind"];

export const START = "START";
export const END = "END";

export interface Edge {
  readonly from: string;
  readonly to: string;
}

export interface Workflow {
  readonly name: string;
  readonly description?: string;
  /** The author's own version text; free form. */
  readonly version?: string;
  readonly state: readonly StateField[];
  readonly nodes: readonly WorkflowNode[];
  readonly edges: readonly Edge[];
  /** Limit on a run's active time (not waiting), in milliseconds; none when the file states none. */
  readonly timeoutMs?: number;
}

/** A place in the source text; line and column count from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** One thing wrong (error) or doubtful (warning) in a workflow file. All are reported at once. */
export interface Problem extends Place {
  readonly severity: "error" | "warning";
  /** Stable, in kebab-case: `unknown-key`, `missing-key`, `unknown-field`, … */
  readonly code: string;
  /** What is wrong, as a sentence. */
  readonly message: string;
  /** What to do, as an imperative sentence. */
  readonly fix?: string;
  /** The offending text, one line. */
  readonly text?: string;
  /** The nearest valid name. */
  readonly suggestion?: string;
  /** Dotted path in the file: `nodes[1].outputs[0]`. */
  readonly path: string;
}

/** A stored workflow with its newest version. */
export interface WorkflowRecord {
  readonly id: string;
  readonly name: string;
  readonly description: string | null;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly version: WorkflowVersion;
}

/** An immutable version: saved again with the same text, it stays the same version. */
export interface WorkflowVersion {
  /** SHA-256 of the source text, hex. */
  readonly hash: string;
  readonly workflowId: string;
  /** 1, 2, 3 … within the workflow. */
  readonly number: number;
  readonly source: string;
  readonly format: "yaml" | "json";
  readonly createdAt: number;
}

/** Stored workflows. All methods @throws AppError `database_*`, `disk_full`, `read_only`. */
export interface WorkflowStore {
  /**
   * Saves a text under the workflow's name; a new text makes a new version, the same text none.
   * @throws AppError `too_large` above WORKFLOW_SOURCE_BYTES_MAX.
   */
  save(input: {
    name: string;
    description: string | null;
    source: string;
    format: "yaml" | "json";
  }): Promise<WorkflowRecord>;
  /** By id or by name. */
  get(idOrName: string): Promise<WorkflowRecord | undefined>;
  /** Newest first, at most `limit`. */
  list(options: { limit: number; search?: string }): Promise<WorkflowRecord[]>;
  version(workflowId: string, hash: string): Promise<WorkflowVersion | undefined>;
  versions(workflowId: string): Promise<WorkflowVersion[]>;
  /** Removes a workflow that has no runs; @throws AppError `conflict` when it has some, `not_found`. */
  remove(id: string): Promise<void>;
}
