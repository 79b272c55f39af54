/** Where a run goes on after an execution, from the values that it has left. Pure. */
import { AppError } from "../domain/error.ts";
import { type Edge, START, type Workflow } from "../domain/workflow.ts";
import { evaluateCondition } from "../language/condition.ts";
import { edgeFrom } from "../language/flow.ts";
import { assert } from "../lib/assert.ts";
import type { JsonObject } from "../lib/json.ts";

export interface Next {
  readonly next: readonly string[];
  /** The loop goes on because it is over, not because its condition has become true: after that many rounds. */
  readonly exhaustedAfter?: number;
}

interface EndedExecution {
  readonly nodeId: string;
  /** Of the loop on itself that the node may be. */
  readonly round: number;
  readonly isSkipped: boolean;
}

/**
 * @param values What the execution has left; asked for only where the way depends on it.
 * @throws AppError `condition_failed`.
 */
export function nextAfter(
  workflow: Workflow,
  ended: EndedExecution,
  values: () => JsonObject,
): Next {
  const edge = edgeOf(workflow, ended.nodeId);
  if (edge.kind === "to") return { next: edge.to };
  if (edge.kind === "routes") return { next: [takeRoute(edge, values())] };
  return nextRound(edge, ended, values());
}

/** Where a run begins. @throws AppError `condition_failed`. */
export function entryOf(workflow: Workflow, initialValues: () => JsonObject): readonly string[] {
  const start = { nodeId: START, round: 0, isSkipped: false };
  return nextAfter(workflow, start, initialValues).next;
}

function edgeOf(workflow: Workflow, nodeId: string): Edge {
  const edge = edgeFrom(workflow, nodeId);
  assert(edge !== undefined, `node ${nodeId} has no way out`);
  return edge;
}

function takeRoute(edge: Extract<Edge, { kind: "routes" }>, values: JsonObject): string {
  const scope = { locals: {}, values };
  const route = edge.routes.find(
    ({ condition }) => condition === undefined || evaluateCondition(condition, scope),
  );
  if (route === undefined) {
    throw new AppError("condition_failed", `No route after \`${edge.from}\` applies.`, {
      fix: `Give the routes of \`${edge.from}\` a default.`,
    });
  }
  return route.to;
}

function nextRound(
  edge: Extract<Edge, { kind: "loop" }>,
  { round, isSkipped }: EndedExecution,
  values: JsonObject,
): Next {
  if (isSkipped || values[edge.conditionField] === true) return { next: [edge.exitTo] };
  if (round < edge.maxIterations) return { next: [edge.from] };
  return { next: [edge.exitTo], exhaustedAfter: round };
}
