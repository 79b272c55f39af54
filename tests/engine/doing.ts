/** Nodes that do what a test says, in place of asking a model. */
import type { LlmNode, WorkflowNode } from "../../src/domain/workflow.ts";
import type { NodeExecutor, StepContext, StepResult } from "../../src/engine/node/executor.ts";
import type { NodeExecutors } from "../../src/engine/node/registry.ts";
import type { JsonObject } from "../../src/lib/json.ts";

/** @returns a patch, or a result as an executor gives it. */
export type Doing = (
  step: StepContext,
  input: JsonObject,
) => Promise<JsonObject | StepResult> | JsonObject | StepResult;

/** Executors for llm nodes, by node id; a node that is not named leaves nothing. What they are given are the locals. */
export function nodesDo(doings: Readonly<Record<string, Doing>>): Partial<NodeExecutors> {
  const llm: NodeExecutor<LlmNode, JsonObject> = {
    render: (_, { locals }) => ({ ...locals }),
    execute: async (node: WorkflowNode, input, step) => {
      const result = (await doings[node.id]?.(step, input)) ?? {};
      return "patch" in result || "wait" in result ? (result as StepResult) : { patch: result };
    },
  };
  return { llm };
}
