import type { Workflow } from "../domain/workflow.ts";
import type { Drawing } from "../graph/drawing.ts";

/** Where the nodes of a workflow stand. The layout is loaded with the first one that is drawn, not at start. */
export async function drawingOf(workflow: Workflow | undefined): Promise<Drawing | undefined> {
  if (workflow === undefined) return undefined;
  const { drawWorkflow } = await import("../graph/layout.ts");
  return drawWorkflow(workflow);
}
