/** Results of nodes without a model, as patches of the state. */
import { AppError } from "../../domain/error.ts";
import type { WorkflowNode } from "../../domain/workflow.ts";
import { readResult } from "../../language/output.ts";
import type { Json, JsonObject } from "../../lib/json.ts";

/** Reasons that an error message names; the others are in its details. */
const REASONS_SHOWN_MAX = 3;

/**
 * The patch for a node's outputs; a node without outputs drops the result. `what` names the result in
 * the error. @throws AppError `output_invalid` that says what was expected and what was there.
 */
export function toPatch(
  node: Pick<WorkflowNode, "id" | "outputs">,
  result: Json,
  what: string,
): JsonObject {
  const reading = readResult(node.outputs, result);
  if ("patch" in reading) return reading.patch;
  const { issues } = reading;
  const more = issues.length - REASONS_SHOWN_MAX;
  throw new AppError(
    "output_invalid",
    `${what} does not fit the outputs: ${issues.slice(0, REASONS_SHOWN_MAX).join(" ")}` +
      (more > 0 ? ` And ${more} more.` : ""),
    {
      fix: `Change what node \`${node.id}\` gives back, or the outputs that it names.`,
      cause: issues.map((issue) => `- ${issue}`).join("\n"),
    },
  );
}
