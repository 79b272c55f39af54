/** What the engine looks up in a workflow again and again; read once, as workflows never change. */
import type { MergeModes } from "../domain/state.ts";
import type { Workflow, WorkflowNode } from "../domain/workflow.ts";
import { oncePer } from "../lib/once-per.ts";

interface WorkflowShape {
  readonly nodes: ReadonlyMap<string, WorkflowNode>;
  readonly merges: MergeModes;
  /** Every field that a step writes, also when it fails and the run survives it. */
  readonly outputNames: readonly string[];
}

export const shapeOf = oncePer((workflow: Workflow): WorkflowShape => {
  const merges = workflow.state.flatMap(({ name, merge }) =>
    merge === undefined ? [] : [[name, merge] as const],
  );
  return {
    nodes: new Map(workflow.nodes.map((node) => [node.id, node])),
    merges: Object.fromEntries(merges),
    outputNames: [...new Set(workflow.nodes.flatMap(outputNames))],
  };
});

function outputNames({ map, outputs, onError }: WorkflowNode): string[] {
  const names = map === undefined ? outputs.map((output) => output.name) : [map.collectField];
  const errorField = onError.kind === "fail" ? undefined : onError.errorField;
  return errorField === undefined ? names : [...names, errorField];
}
