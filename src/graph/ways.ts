import { type Edge, targetsOf, type Workflow } from "../domain/workflow.ts";

export interface Way {
  readonly from: string;
  readonly to: string;
  readonly label?: string;
}

/** Every way out of every node, failures included; what leads to the same place is one. */
export function waysOf(workflow: Workflow): Way[] {
  const ways = workflow.edges.flatMap((edge) =>
    targetsOf(edge).map(({ to, label }) => toWay(edge, to, label)),
  );
  for (const { id, onError } of workflow.nodes)
    if (onError.kind === "route") ways.push({ from: id, to: onError.to, label: "on error" });
  const joined = new Map<string, Way>();
  for (const way of ways) {
    const key = `${way.from} ${way.to}`;
    const earlier = joined.get(key);
    joined.set(key, earlier === undefined ? way : join(earlier, way));
  }
  return [...joined.values()];
}

/** Two ways to one place: the words of both. */
function join({ from, to, label }: Way, other: Way): Way {
  const labels = [label, other.label].filter((words) => words !== undefined);
  if (labels.length === 0) return { from, to };
  // One of them is always open.
  return { from, to, label: labels.length === 1 ? `also ${labels[0]}` : labels.join(" or ") };
}

function toWay(edge: Edge, to: string, label: string | undefined): Way {
  const { from } = edge;
  if (label === undefined) return { from, to };
  const isRound = edge.kind === "loop" && to === from;
  return { from, to, label: isRound ? `${label}, max ${edge.maxIterations}×` : label };
}
