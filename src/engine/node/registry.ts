/** All node kinds. A new kind is a file beside this one and a line below. */
import type { NodeKind, WorkflowNode } from "../../domain/workflow.ts";
import type { JsonObject } from "../../lib/json.ts";
import type { StepContext } from "./executor.ts";
import { llmNode } from "./llm.ts";

const EXECUTORS = { llm: llmNode } as const satisfies Record<NodeKind, unknown>;

export interface PreparedStep {
  readonly input: JsonObject;
  execute(step: StepContext): Promise<JsonObject>;
}

/** Renders a node's input; what it returns executes the node with that input. @throws AppError `invalid`. */
export function prepareNode(node: WorkflowNode, values: JsonObject): PreparedStep {
  const executor = EXECUTORS[node.kind];
  const input = executor.render(node, values);
  return { input, execute: (step) => executor.execute(node, input, step) };
}
