/** Small workflows for the engine's tests. */
import type {
  ApprovalNode,
  Edge,
  LlmNode,
  MergeMode,
  OutputField,
  RetryPolicy,
  WaitNode,
  Workflow,
  WorkflowCallNode,
  WorkflowNode,
} from "../../src/domain/workflow.ts";
import { END, START, STEP_CONCURRENCY_DEFAULT } from "../../src/domain/workflow.ts";

export const NO_RETRY: RetryPolicy = { maxAttempts: 1, backoff: "fixed", delayMs: 0, on: [] };
export const RETRY_ALL: RetryPolicy = {
  maxAttempts: 3,
  backoff: "fixed",
  delayMs: 100,
  on: ["invalid_output", "timeout", "rate_limit", "unavailable"],
};

/** Two outputs, so that every answer is a JSON object: `<id>` (text) and `<id>_count` (a number). */
export function outputsOf(id: string): OutputField[] {
  return [
    { name: id, type: { kind: "str" } },
    { name: `${id}_count`, type: { kind: "int" } },
  ];
}

export function llmNode(id: string, changes: Partial<LlmNode> = {}): LlmNode {
  return {
    kind: "llm",
    id,
    inputs: {},
    prompt: `Do ${id} about {topic}.`,
    outputs: outputsOf(id),
    tools: [],
    llm: { fallbacks: [] },
    cache: false,
    files: [],
    retry: NO_RETRY,
    onError: { kind: "fail" },
    ...changes,
  };
}

const PLAIN = { inputs: {}, outputs: [], retry: NO_RETRY, onError: { kind: "fail" } } as const;

export function approvalNode(id: string, changes: Partial<ApprovalNode> = {}): ApprovalNode {
  const asks = { kind: "approval", id, message: `May ${id}?` } as const;
  return { ...PLAIN, ...asks, onTimeout: "fail", onReject: "fail", ...changes };
}

export function waitNode(
  id: string,
  wait: WaitNode["wait"],
  changes: Partial<WaitNode> = {},
): WaitNode {
  return { ...PLAIN, kind: "wait", id, wait, ...changes };
}

export function callNode(
  id: string,
  workflow: string,
  changes: Partial<WorkflowCallNode> = {},
): WorkflowCallNode {
  return { ...PLAIN, kind: "workflow", id, workflow, arguments: { topic: "{topic}" }, ...changes };
}

export interface GraphOptions extends Partial<Omit<Workflow, "nodes" | "edges" | "state">> {
  /** Fields beside `topic` and the outputs of the nodes. */
  readonly fields?: readonly string[];
  readonly merges?: Readonly<Record<string, MergeMode>>;
}

export function graph(
  nodes: readonly WorkflowNode[],
  edges: readonly Edge[],
  { fields = [], merges = {}, ...changes }: GraphOptions = {},
): Workflow {
  const outputs = nodes.flatMap((node) => node.outputs);
  const collected = nodes.flatMap(({ map }) => (map === undefined ? [] : [map.collectField]));
  const any = [...fields, ...collected].map((name) => ({ name, type: { kind: "any" } as const }));
  const types = new Map([...any, ...outputs].map(({ name, type }) => [name, type]));
  return {
    name: "test",
    state: [
      { name: "topic", type: { kind: "str" }, required: true, default: null },
      ...Array.from(types, ([name, type]) => {
        const merge = merges[name];
        const field = { name, type, required: false, default: null };
        return merge === undefined ? field : { ...field, merge };
      }),
    ],
    nodes,
    edges,
    mcpServers: {},
    budget: {},
    onBudget: "fail",
    concurrency: STEP_CONCURRENCY_DEFAULT,
    ...changes,
  };
}

/** One `to` edge for each place: `{ START: ["a"], a: ["b", "c"] }`. */
export function to(ways: Readonly<Record<string, readonly string[]>>): Edge[] {
  return Object.entries(ways).map(([from, targets]) => ({ kind: "to", from, to: targets }));
}

/** START → first → … → last → END. */
export function line(nodes: readonly WorkflowNode[], options?: GraphOptions): Workflow {
  const ids = [START, ...nodes.map((node) => node.id), END];
  const ways = ids.slice(1).map((id, index) => [ids[index] ?? START, [id]] as const);
  return graph(nodes, to(Object.fromEntries(ways)), options);
}
