/** The graph of a workflow: where a run can go from a place, and what may still come to one. */
import { type Edge, START, targetsOf, type Workflow } from "../domain/workflow.ts";
import {
  type Arrow,
  backArrows,
  type Digraph,
  digraphOf,
  loopsOf,
  orderFrom,
  reachableFrom,
  reversed,
} from "../lib/digraph.ts";
import { oncePer } from "../lib/once-per.ts";

/** The parts of a workflow that make its graph. */
type Parts = Pick<Workflow, "nodes" | "edges">;

export interface FlowGraph {
  readonly forward: Digraph;
  readonly backward: Digraph;
  readonly backs: readonly Arrow[];
  /** By the node where the loop begins. */
  readonly loops: ReadonlyMap<string, ReadonlySet<string>>;
}

/** The graph of a workflow, or of one that is being read and is sound so far. */
export function graphOf(parts: Parts): FlowGraph {
  const arrows = arrowsOf(parts);
  const forward = digraphOf(arrows);
  const backs = backArrows(START, forward, canBeLeft(arrows));
  return { forward, backward: reversed(forward), backs, loops: loopsOf(backs, forward) };
}

/**
 * Arrows that a run may go on without. Where a circle can be entered at several places, such an arrow is
 * the one that leads back: a review that may send a draft back still waits for the first draft.
 */
function canBeLeft(arrows: readonly FlowArrow[]): (arrow: Arrow) => boolean {
  const certain = digraphOf(arrows.filter(({ isCertain }) => isCertain));
  return ({ from, to }) => certain.get(from)?.includes(to) !== true;
}

interface Flow extends FlowGraph {
  readonly edges: ReadonlyMap<string, Edge>;
  readonly reachers: Map<string, ReadonlySet<string>>;
}

/** Workflows never change, and every plan asks. */
const flowOf = oncePer((workflow: Workflow): Flow => ({
  ...graphOf(workflow),
  edges: new Map(workflow.edges.map((edge) => [edge.from, edge])),
  reachers: new Map(),
}));

export interface FlowArrow extends Arrow {
  /** The words beside it: a condition, `default`, `until done`, `on error`. */
  readonly label?: string;
  /** Taken when the node has failed for good. */
  readonly onError: boolean;
  /** Not of `routes` or `on_error`: a run takes it sooner or later. */
  readonly isCertain: boolean;
}

/** Every way from one place to another, in the order of the edges; those of `on_error` routes come last. */
export function arrowsOf({ nodes, edges }: Parts): FlowArrow[] {
  const arrows: FlowArrow[] = [];
  for (const edge of edges) {
    for (const { to, label } of targetsOf(edge))
      arrows.push({
        from: edge.from,
        to,
        onError: false,
        isCertain: edge.kind !== "routes",
        ...(label === undefined ? {} : { label }),
      });
  }
  for (const { id, onError } of nodes) {
    if (onError.kind === "route")
      arrows.push({ from: id, to: onError.to, label: "on error", onError: true, isCertain: false });
  }
  return arrows;
}

/** START and all places after it, each after those that lead to it; END may be among them. */
export function orderOf(parts: Parts): readonly string[] {
  const { backs } = graphOf(parts);
  const isBack = ({ from, to }: Arrow) =>
    backs.some((back) => back.from === from && back.to === to);
  return orderFrom(START, digraphOf(arrowsOf(parts).filter((arrow) => !isBack(arrow))));
}

/** The edge that begins at a node or at START. */
export function edgeFrom(workflow: Workflow, nodeId: string): Edge | undefined {
  return flowOf(workflow).edges.get(nodeId);
}

/** Where a run may go from a node or from START, each place once; END may be among them. */
export function successorsOf(workflow: Workflow, nodeId: string): readonly string[] {
  return flowOf(workflow).forward.get(nodeId) ?? [];
}

/** Where a run may come from, each place once; START may be among them. */
export function predecessorsOf(workflow: Workflow, nodeId: string): readonly string[] {
  return flowOf(workflow).backward.get(nodeId) ?? [];
}

/** The arrows that lead back to an earlier place; without them there is no circle. */
export function backEdgesOf(workflow: Workflow): readonly Arrow[] {
  return flowOf(workflow).backs;
}

/**
 * The places from which `nodeId` can still be reached in the same round: a way through a back edge of a
 * loop that holds `nodeId` would be its next round, and does not count. Never holds `nodeId` itself.
 */
export function reachersOf(workflow: Workflow, nodeId: string): ReadonlySet<string> {
  const { backward, backs, loops, reachers } = flowOf(workflow);
  const known = reachers.get(nodeId);
  if (known !== undefined) return known;
  const found = reachersIn({ backward, backs, loops }, nodeId);
  reachers.set(nodeId, found);
  return found;
}

/** `reachersOf` for a graph that is not a workflow yet. */
export function reachersIn(
  graph: Pick<FlowGraph, "backward" | "backs" | "loops">,
  nodeId: string,
): ReadonlySet<string> {
  const closed = graph.backs.filter(({ to }) => graph.loops.get(to)?.has(nodeId) === true);
  return reachableFrom(
    nodeId,
    graph.backward,
    (arrow) => !closed.some((back) => back.from === arrow.to && back.to === arrow.from),
  );
}
