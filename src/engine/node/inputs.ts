import type { WorkflowNode } from "../../domain/workflow.ts";
import type { TemplateScope } from "../../language/template.ts";
import type { JsonObject } from "../../lib/json.ts";

/** The rendered `inputs` of a node, without what else its templates may name (the item of a map). */
export function pickInputs(node: Pick<WorkflowNode, "inputs">, scope: TemplateScope): JsonObject {
  return Object.fromEntries(
    Object.keys(node.inputs).map((name) => [name, scope.locals[name] ?? null]),
  );
}
