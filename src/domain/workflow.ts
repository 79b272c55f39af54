/**
 * A workflow as the rest of the product sees it: already parsed, checked and normalised by
 * `language/`. Nothing here knows YAML.
 */
import type { Json, JsonObject } from "../lib/json.ts";
import type { RunState } from "./run.ts";

export const WORKFLOW_SOURCE_BYTES_MAX = 1024 * 1024;
export const WORKFLOW_NODE_COUNT_MAX = 1000;
/** Steps of one run that are executed at the same time when its file does not say. */
export const STEP_CONCURRENCY_DEFAULT = 16;
export const STEP_CONCURRENCY_MAX = 256;
/** Items of one map. */
export const MAP_ITEM_COUNT_MAX = 10_000;

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
  /** How a value that a step writes joins the one that is there; `last` where none is stated. */
  readonly merge?: MergeMode;
}

/**
 * `last` replaces. `append`: lists are joined, other values become items. `union`: like append, each
 * value once. `sum`, `min`, `max`: numbers. `object`: keys of both, the new ones win.
 */
export const MERGE_MODES = ["last", "append", "union", "sum", "min", "max", "object"] as const;
export type MergeMode = (typeof MERGE_MODES)[number];

/** One model of one provider, as a workflow names it. */
export interface ModelChoice {
  readonly provider?: ProviderName;
  readonly model?: string;
  readonly apiBase?: string;
}

export const REASONING_LEVELS = ["none", "low", "medium", "high"] as const;
export type ReasoningLevel = (typeof REASONING_LEVELS)[number];

/** Model settings; a node's keys win over the workflow's, key by key. */
export interface LlmSettings extends ModelChoice {
  readonly temperature?: number;
  readonly maxTokens?: number;
  readonly reasoning?: ReasoningLevel;
  /** Asked in this order when the model before them cannot be used now. */
  readonly fallbacks: readonly ModelChoice[];
}

export interface ToolUse {
  /** `json_parse`; of an MCP server `server.tool`, or `server.*` for all of its tools. */
  readonly name: string;
  /** `continue` gives the model the failure as the tool's answer; `fail` fails the step. */
  readonly onError: "fail" | "continue";
  readonly config: Json;
  /** Limit for one call, in milliseconds; TOOL_TIMEOUT_MS when it has none. */
  readonly timeoutMs?: number;
}

/** How to reach an MCP server: a program that speaks on stdio, or an address (streamable HTTP). */
export type McpServer =
  | {
      readonly transport: "stdio";
      readonly command: string;
      readonly args: readonly string[];
      /** `${NAME}` in a value is taken from the environment of the product. */
      readonly env: Readonly<Record<string, string>>;
    }
  | {
      readonly transport: "http";
      readonly url: string;
      /** `${NAME}` in a value is taken from the environment of the product. */
      readonly headers: Readonly<Record<string, string>>;
    };

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

/** Where a result goes: one field of the state per output, with the type that it must have. */
export interface OutputField {
  readonly name: string;
  readonly type: StateType;
  readonly description?: string;
}

/**
 * What happens when a step has failed for good. `continue`: the run goes on as if the step had
 * succeeded with an empty patch. With `route` it goes on at that node instead. `errorField`: a state
 * field of type str that takes the message.
 */
export type OnError =
  | { readonly kind: "fail" }
  | { readonly kind: "continue"; readonly errorField?: string }
  | { readonly kind: "route"; readonly to: string; readonly errorField?: string };

/**
 * The node is executed once for each item of a list (`parallel` in the file). In its templates and its
 * condition `{item}` and `{index}` name the item. Each item's result (the value of its only
 * output, else an object of all outputs) is collected, in the order of the items; items that were
 * skipped, or failed with `on_error: continue`, are left out. Nothing else of the items reaches the
 * state.
 */
export interface MapSpec {
  readonly itemsField: string;
  readonly collectField: string;
  readonly maxConcurrency: number;
}

/** Names that templates and conditions of a map's node may use for the item. */
export const ITEM_LOCALS = ["item", "index"] as const;

/** What nodes of every kind have. */
interface NodeBase {
  readonly id: string;
  readonly description?: string;
  /** Local name → template; local names win over state in the node's other templates. */
  readonly inputs: Readonly<Record<string, string>>;
  readonly outputs: readonly OutputField[];
  /** Condition; where it is false the step is skipped: nothing is written and the run goes on. */
  readonly when?: string;
  /** Limit for one attempt, in milliseconds. */
  readonly timeoutMs?: number;
  readonly retry: RetryPolicy;
  readonly onError: OnError;
  readonly map?: MapSpec;
}

export const MEMORY_SCOPES = ["agent", "workflow", "node"] as const;
export type MemoryScope = (typeof MEMORY_SCOPES)[number];

/**
 * What an LLM node remembers. `agent`: all runs of this workflow share it; `workflow`: the nodes of one
 * run; `node`: this node in one run.
 */
export interface MemorySpec {
  readonly scope: MemoryScope;
  /** Entries read into a prompt, and kept in the namespace (the oldest go first). */
  readonly maxEntries: number;
  /** Entries older than this are forgotten, in milliseconds; none when the file states none. */
  readonly expiresAfterMs?: number;
}

export interface LlmNode extends NodeBase {
  readonly kind: "llm";
  readonly prompt: string;
  readonly outputDescription?: string;
  readonly tools: readonly ToolUse[];
  readonly llm: LlmSettings;
  readonly memory?: MemorySpec;
  /** An answer to the very same request is used again and costs nothing. */
  readonly cache: boolean;
  /** Templates of workspace paths, http(s) addresses or data: URLs of images and documents. */
  readonly files: readonly string[];
}

export const SANDBOX_PRESETS = ["low", "medium", "high", "max"] as const;

/** How code or a command is confined. */
export interface SandboxSpec {
  /** `auto`: whatever sandbox the machine has. */
  readonly mode: "auto" | "docker";
  readonly network: boolean;
  readonly limits: SandboxLimits;
}

export interface SandboxLimits {
  readonly timeMs: number;
  readonly memoryBytes: number;
  readonly cpuCount: number;
}

/** `code`: the values of `inputs` are the dict `inputs`; the answer is what the code leaves in `result`. */
export interface CodeNode extends NodeBase {
  readonly kind: "code";
  readonly language: "python" | "javascript";
  readonly code: string;
  readonly sandbox: SandboxSpec;
}

/** Calls one tool without a model. Strings in `arguments` are templates; a lone placeholder keeps its type. */
export interface ToolNode extends NodeBase {
  readonly kind: "tool";
  readonly tool: ToolUse;
  readonly arguments: JsonObject;
}

/** One HTTP request. Strings anywhere are templates; a lone placeholder in `body` keeps its type. */
export interface HttpNode extends NodeBase {
  readonly kind: "http";
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE" | "HEAD";
  readonly url: string;
  /** `${NAME}` in a value is taken from the environment of the product. */
  readonly headers: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  readonly body?: Json;
  /** `auto`: JSON where the answer says that it is, else text. */
  readonly response: "auto" | "json" | "text";
}

/** One command, never through a shell. Each entry of `command` is a template and stays one argument. */
export interface CliNode extends NodeBase {
  readonly kind: "cli";
  readonly command: readonly string[];
  /** Template; goes to standard input, or where an argument says `{prompt}`. */
  readonly prompt?: string;
  readonly env: Readonly<Record<string, string>>;
  /** Folder inside the workspace to work in. */
  readonly folder?: string;
  /** How standard output is read. */
  readonly response: "json" | "text";
  /** For programs that the owner of this machine has not allowed to run outside of a sandbox. */
  readonly sandbox: SandboxSpec;
}

/** Another agent: an A2A server (`a2a`), or a deployed workflow of CA (`run`: POST /run, /status/{id}). */
export interface AgentNode extends NodeBase {
  readonly kind: "agent";
  /** Templates: its address, or its id or name among the registered agents. */
  readonly target: { readonly url: string } | { readonly name: string };
  readonly protocol: "a2a" | "run";
  /** Template of the message for `a2a`. */
  readonly prompt?: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Another workflow of this product, by its name, as a run of its own. */
export interface WorkflowCallNode extends NodeBase {
  readonly kind: "workflow";
  readonly workflow: string;
  /** Inputs of that run. Strings are templates; a lone placeholder keeps its type. */
  readonly arguments: JsonObject;
}

/** Waits for a person. The outputs, by name: `approved` (bool), `comment` (str), `by` (str); or a single bool. */
export interface ApprovalNode extends NodeBase {
  readonly kind: "approval";
  /** Template: what is asked. */
  readonly message: string;
  /** How long to wait, in milliseconds; for ever when the file states none. */
  readonly waitMs?: number;
  readonly onTimeout: "fail" | "approve" | "reject";
  /** `fail`: a rejection fails the step; `continue`: it is an output like an approval. */
  readonly onReject: "fail" | "continue";
}

/** Waits for a time or for a named signal, whose payload becomes the output. */
export interface WaitNode extends NodeBase {
  readonly kind: "wait";
  readonly wait:
    | { readonly for: "duration"; readonly ms: number }
    /** Template of an ISO 8601 time. */
    | { readonly for: "time"; readonly at: string }
    | {
        readonly for: "signal";
        /** Template. */
        readonly name: string;
        readonly limitMs?: number;
        readonly onTimeout: "fail" | "continue";
      };
}

export type WorkflowNode =
  | LlmNode
  | CodeNode
  | ToolNode
  | HttpNode
  | CliNode
  | AgentNode
  | WorkflowCallNode
  | ApprovalNode
  | WaitNode;
export type NodeKind = WorkflowNode["kind"];

export const START = "START";
export const END = "END";

/** One way out of a `routes` edge; `condition` undefined is the default. The first that is true is taken. */
export interface Route {
  readonly condition?: string;
  readonly to: string;
}

/** How a run goes on after a node: exactly one edge for START and for each node. */
export type Edge =
  /** All of them, side by side. */
  | { readonly kind: "to"; readonly from: string; readonly to: readonly string[] }
  | { readonly kind: "routes"; readonly from: string; readonly routes: readonly Route[] }
  /** The node again until `conditionField` is true, at most `maxIterations` times in all; then `exitTo`. */
  | {
      readonly kind: "loop";
      readonly from: string;
      readonly conditionField: string;
      readonly maxIterations: number;
      readonly exitTo: string;
    };

/** Every place that an edge may lead to, with the words to put beside the arrow. */
export function targetsOf(edge: Edge): { readonly to: string; readonly label?: string }[] {
  switch (edge.kind) {
    case "to":
      return edge.to.map((to) => ({ to }));
    case "routes":
      return edge.routes.map(({ condition, to }) => ({ to, label: condition ?? "default" }));
    case "loop":
      return [
        { to: edge.from, label: `until ${edge.conditionField}` },
        { to: edge.exitTo, label: edge.conditionField },
      ];
  }
}

/** What a run may use up. Children of a run count towards it. */
export interface Budget {
  readonly maxCostNanoUsd?: number;
  readonly maxTokens?: number;
  /** From the creation of the run, waiting included, in milliseconds. */
  readonly maxDurationMs?: number;
}

export interface Workflow {
  readonly name: string;
  readonly description?: string;
  /** The author's own version text; free form. */
  readonly version?: string;
  readonly state: readonly StateField[];
  readonly nodes: readonly WorkflowNode[];
  /** One for START and one for each node. */
  readonly edges: readonly Edge[];
  readonly mcpServers: Readonly<Record<string, McpServer>>;
  readonly budget: Budget;
  /** `wait`: a run that is out of budget waits for a person to raise it, instead of failing. */
  readonly onBudget: "fail" | "wait";
  /** Steps of one run that are executed at the same time. */
  readonly concurrency: number;
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

/** Workflows in one answer, whatever is asked for. */
export const WORKFLOW_COUNT_MAX = 1_000;
/** Runs of one workflow that a list draws. */
export const RECENT_RUN_COUNT = 12;

export const WORKFLOW_ORDERS = ["changed", "name", "run", "success", "cost"] as const;
export type WorkflowOrder = (typeof WORKFLOW_ORDERS)[number];

export interface WorkflowFilter {
  /** Words that the name has, in any order. */
  readonly search?: string;
  /** How the newest run stands; `never` for workflows without one. */
  readonly lastResult?: RunState | "never";
  readonly order: WorkflowOrder;
  /** From when on runs count for `success` and `cost`, in epoch milliseconds. */
  readonly sinceMs: number;
}

/** A workflow without its text. */
export interface WorkflowListing {
  readonly id: string;
  readonly name: string;
  readonly description: string | null;
  readonly updatedAt: number;
  readonly versionHash: string;
  readonly versionNumber: number;
}

export interface RunMark {
  readonly id: string;
  readonly state: RunState;
  readonly createdAt: number;
}

/** How the runs of one workflow went. */
export interface WorkflowFigures {
  /** The newest first, at most RECENT_RUN_COUNT. */
  readonly recent: readonly RunMark[];
  readonly created: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly cancelled: number;
  /** Sum over the runs that ended. */
  readonly durationMs: number;
  readonly costNanoUsd: number;
}

/** Tells one state of a workflow from every other. */
export interface WorkflowMark {
  readonly hash: string;
  readonly updatedAt: number;
}

/** Stored workflows. All methods @throws AppError `database_*`, `disk_full`, `read_only`. */
export interface WorkflowStore {
  /**
   * Saves a text under the workflow's name; a new text makes a new version, the same text none.
   *
   * `base` is the hash of the version that the text was made from, null where there must be no workflow of
   * this name yet; without it whatever is there gets a new version.
   * @param input.expected The record as it was read: another one by now is left as it is.
   * @throws AppError `too_large` above WORKFLOW_SOURCE_BYTES_MAX; `conflict` when `base` or `expected` is not what is
   * there.
   */
  save(input: {
    name: string;
    description: string | null;
    source: string;
    format: "yaml" | "json";
    base?: string | null;
    expected?: WorkflowMark;
  }): Promise<WorkflowRecord>;
  /** In the order asked for, at most WORKFLOW_COUNT_MAX. */
  listings(filter: WorkflowFilter): Promise<WorkflowListing[]>;
  /** Of these workflows, in their order; an unknown id has no runs. */
  figures(workflowIds: readonly string[], sinceMs: number): Promise<WorkflowFigures[]>;
  /** By id or by name. */
  get(idOrName: string): Promise<WorkflowRecord | undefined>;
  /** Newest first, at most `limit`. `before`: keyset, the last one of the page before. */
  list(options: {
    limit: number;
    search?: string;
    before?: Pick<WorkflowRecord, "id" | "updatedAt">;
  }): Promise<WorkflowRecord[]>;
  version(workflowId: string, hash: string): Promise<WorkflowVersion | undefined>;
  versions(workflowId: string): Promise<WorkflowVersion[]>;
  /**
   * Removes a workflow that has no runs; @throws AppError `conflict` when it has some or `expected` is not
   * met, `not_found`.
   */
  remove(id: string, expected?: WorkflowMark): Promise<void>;
}
