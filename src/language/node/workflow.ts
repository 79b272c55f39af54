import type { WorkflowCallNode } from "../../domain/workflow.ts";
import { mapOf, member, textOf } from "../raw.ts";
import { checkTemplatesIn } from "../text-check.ts";
import type { NodeContext, NodePart, Own } from "./part.ts";

export function readWorkflowNode(part: NodePart, context: NodeContext): Own<WorkflowCallNode> {
  const { raw, path, locals } = part;
  const call = member(raw, "workflow");
  const given = mapOf(member(call, "inputs"));
  checkTemplatesIn(given, { path: [...path, "workflow", "inputs"], locals }, context);
  return {
    kind: "workflow",
    workflow: textOf(call) ?? textOf(member(call, "name")) ?? "",
    arguments: given,
  };
}
