/** Small workflows for the engine's tests. */
import type {
  Edge,
  LlmNode,
  OutputField,
  RetryPolicy,
  Workflow,
} from "../../src/domain/workflow.ts";
import { END, START } from "../../src/domain/workflow.ts";

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
    llm: {},
    retry: NO_RETRY,
    ...changes,
  };
}

export function graph(nodes: readonly LlmNode[], edges: readonly Edge[]): Workflow {
  const outputs = nodes.flatMap((node) => node.outputs);
  return {
    name: "test",
    state: [
      { name: "topic", type: { kind: "str" }, required: true, default: null },
      ...outputs.map(({ name, type }) => ({ name, type, required: false, default: null })),
    ],
    nodes,
    edges,
  };
}

/** START → first → … → last → END. */
export function line(nodes: readonly LlmNode[]): Workflow {
  const ids = [START, ...nodes.map((node) => node.id), END];
  return graph(
    nodes,
    ids.slice(1).map((to, index) => ({ from: ids[index] ?? START, to })),
  );
}
