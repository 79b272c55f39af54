import type { Edge, Workflow } from "../domain/workflow.ts";
import { END, START, targetsOf } from "../domain/workflow.ts";
import { edgeFrom } from "./flow.ts";

/**
 * The nodes that can still come, in the order of the file, of a run that has done these (each once, as they first
 * ended). Of a choice that has been made only the branch that was taken counts.
 */
export function aheadOf(workflow: Workflow, done: readonly string[]): readonly string[] {
  const place = new Map(done.map((id, index) => [id, index]));
  const found = new Set<string>();
  const visit = (id: string): void => {
    if (id === END || found.has(id) || place.has(id)) return;
    found.add(id);
    for (const next of targets(workflow, id)) visit(next);
  };
  if (done.length === 0) for (const next of targets(workflow, START)) visit(next);
  for (const id of done) for (const next of taken(edgeFrom(workflow, id), place)) visit(next);
  return workflow.nodes.map((node) => node.id).filter((id) => found.has(id));
}

function targets(workflow: Workflow, id: string): string[] {
  const edge = edgeFrom(workflow, id);
  return edge === undefined ? [] : targetsOf(edge).map(({ to }) => to);
}

/** Where a node that has ended leads to: of a choice the place that came after it, when one did. */
function taken(edge: Edge | undefined, place: ReadonlyMap<string, number>): readonly string[] {
  if (edge === undefined) return [];
  const all = targetsOf(edge).map(({ to }) => to);
  if (edge.kind === "to") return all;
  const from = place.get(edge.from) ?? 0;
  const chosen = all.filter((to) => (place.get(to) ?? -1) > from);
  return chosen.length > 0 ? chosen : all;
}
