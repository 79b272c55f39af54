/**
 * Where the nodes and edges of a workflow stand in a drawing. The layout is dagre's; this file knows sizes
 * and what is drawn. Loaded only where a graph is wanted.
 */
import { Graph, layout as placeAll } from "@dagrejs/dagre";
import { END, type NodeKind, START, type Workflow } from "../domain/workflow.ts";
import { clip } from "../lib/clip.ts";
import { digraphOf, orderFrom } from "../lib/digraph.ts";
import {
  type Drawing,
  END_RADIUS,
  NODE_HEIGHT,
  NODE_WIDTH,
  type PlacedEdge,
  type PlacedNode,
  type Point,
  round,
} from "./drawing.ts";
import { type Way, waysOf } from "./ways.ts";

/** Larger workflows are shown as a list only: a drawing of them helps nobody. */
export const DRAWN_NODE_COUNT_MAX = 200;
/**
 * Ranks that all lines cross together. Laying out takes half a millisecond for each, and the dashboard answers
 * nobody meanwhile; a drawing with more is a thicket.
 */
export const DRAWN_LINE_LENGTH_MAX = 1_000;
/** A drawing from left to right may be this wide; a wider one goes from top to bottom. */
const WIDTH_MAX = 640;

const NODE_GAP = 24;
const RANK_GAP = 34;
const MARGIN = 6;
/** How far the line of a node that repeats itself stands out. */
const LOOP_WIDTH = 26;
/** Size of START and END. */
const ENDS = { width: END_RADIUS * 2, height: END_RADIUS * 2 };
const LABEL_HEIGHT = 16;
const LABEL_CHAR_WIDTH = 6.2;
const LABEL_CHARS_MAX = 28;

/** A workflow never changes, so it is laid out once. */
const drawings = new WeakMap<Workflow, Drawing>();

/** Lays a workflow out. Undefined above DRAWN_NODE_COUNT_MAX nodes, and with lines above DRAWN_LINE_LENGTH_MAX. */
export function drawWorkflow(workflow: Workflow): Drawing | undefined {
  if (workflow.nodes.length > DRAWN_NODE_COUNT_MAX) return undefined;
  const known = drawings.get(workflow);
  if (known !== undefined) return known;
  if (lineLength(waysOf(workflow)) > DRAWN_LINE_LENGTH_MAX) return undefined;
  const wide = layOut(workflow, "LR");
  const drawing = wide.width <= WIDTH_MAX ? wide : layOut(workflow, "TB");
  drawings.set(workflow, drawing);
  return drawing;
}

/** Ranks from the beginning to the end of each line, added up, with each node as far from START as it can be. */
function lineLength(ways: readonly Way[]): number {
  const graph = digraphOf(ways);
  const order = orderFrom(START, graph);
  const places = new Map(order.map((id, index) => [id, index]));
  const ranks = new Map<string, number>();
  for (const from of order)
    for (const to of graph.get(from) ?? [])
      if ((places.get(from) ?? 0) < (places.get(to) ?? 0))
        ranks.set(to, Math.max(ranks.get(to) ?? 0, (ranks.get(from) ?? 0) + 1));
  const rankOf = (id: string) => ranks.get(id) ?? 0;
  return ways.reduce((sum, { from, to }) => sum + Math.abs(rankOf(to) - rankOf(from)), 0);
}

function layOut(workflow: Workflow, direction: "LR" | "TB"): Drawing {
  const graph = new Graph({ multigraph: false });
  graph.setGraph({
    rankdir: direction,
    nodesep: NODE_GAP,
    ranksep: RANK_GAP,
    marginx: MARGIN,
    marginy: MARGIN,
  });
  graph.setNode(START, { ...ENDS });
  const ways = waysOf(workflow);
  const loops = ways.filter((way) => way.from === way.to);
  for (const { id } of workflow.nodes) {
    // Room on both sides, so that the node stays in the middle.
    const loop = loops.find((way) => way.from === id);
    const room = loop === undefined ? 0 : LOOP_WIDTH + textWidth(loop.label ?? "");
    graph.setNode(id, { width: NODE_WIDTH + 2 * room, height: NODE_HEIGHT });
  }
  graph.setNode(END, { ...ENDS });
  for (const { from, to, label } of ways) {
    // dagre sends the line of a loop off somewhere: it is drawn here.
    if (from === to) continue;
    const width = label === undefined ? 0 : textWidth(label);
    const height = label === undefined ? 0 : LABEL_HEIGHT;
    graph.setEdge(from, to, { width, height, labelpos: "c" });
  }
  placeAll(graph);
  const centres = new Map(graph.nodes().map((id) => [id, centreOf(graph.node(id))]));
  const looping = new Set(loops.map((way) => way.from));
  /** Where the line to a node with a loop meets it: its place in the layout is wider than its box. */
  const meet = (id: string, from: Point | undefined) => {
    const centre = centres.get(id);
    return looping.has(id) && centre !== undefined && from !== undefined
      ? meetBox(centre, from)
      : undefined;
  };
  const kinds = new Map(workflow.nodes.map((node) => [node.id, node.kind]));
  const edges = ways.map((way) => {
    const { from, to } = way;
    if (from === to) return loopAt(centreOf(graph.node(from)), way);
    const placed: PlacedLine = graph.edge(from, to);
    const points = [...(placed.points ?? [])];
    const [first, last] = [meet(from, points[1]), meet(to, points.at(-2))];
    if (first !== undefined) points[0] = first;
    if (last !== undefined) points[points.length - 1] = last;
    return placeEdge(way, { ...placed, points });
  });
  const nodes = graph.nodes().map((id) => placeNode(id, kinds.get(id), graph.node(id)));
  return fit({ nodes, edges });
}

/**
 * dagre counts nodes and labels only: lines that go round them may stand out on any side. And it counts the
 * room of a loop on both sides of its node, of which one stays empty.
 */
function fit({ nodes, edges }: Pick<Drawing, "nodes" | "edges">): Drawing {
  const points = [
    ...edges.flatMap((edge) => edge.points),
    ...nodes.flatMap((node) => corners(node, node)),
    ...edges.flatMap(({ label }) =>
      label === undefined
        ? []
        : corners(label.at, { width: textWidth(label.title), height: LABEL_HEIGHT }),
    ),
  ];
  const [left, right] = extent(points.map(({ x }) => x));
  const [top, bottom] = extent(points.map(({ y }) => y));
  const move = <P extends Point>(point: P): P => ({
    ...point,
    x: round(point.x - left),
    y: round(point.y - top),
  });
  return {
    width: right - left,
    height: bottom - top,
    nodes: nodes.map(move),
    edges: edges.map((edge) => moveEdge(edge, move)),
  };
}

function corners({ x, y }: Point, { width, height }: { width: number; height: number }): Point[] {
  return [
    { x: x - width / 2, y: y - height / 2 },
    { x: x + width / 2, y: y + height / 2 },
  ];
}

/** From where to where a side of the drawing goes so that all of it is inside. */
function extent(places: readonly number[]): readonly [start: number, end: number] {
  return [Math.floor(Math.min(...places)) - MARGIN, Math.ceil(Math.max(...places)) + MARGIN];
}

function moveEdge(
  { label, points, ...edge }: PlacedEdge,
  move: (point: Point) => Point,
): PlacedEdge {
  const moved = { ...edge, points: points.map(move) };
  return label === undefined ? moved : { ...moved, label: { ...label, at: move(label.at) } };
}

/** What dagre says about an edge. */
interface PlacedLine {
  readonly points?: readonly Point[];
  readonly x?: number;
  readonly y?: number;
}

/** Where a line from a point to the centre of a node's box comes into it. */
function meetBox(centre: Point, from: Point): Point {
  const [dx, dy] = [from.x - centre.x, from.y - centre.y];
  const scale = Math.min(
    dx === 0 ? Infinity : NODE_WIDTH / 2 / Math.abs(dx),
    dy === 0 ? Infinity : NODE_HEIGHT / 2 / Math.abs(dy),
  );
  return Number.isFinite(scale) ? { x: centre.x + dx * scale, y: centre.y + dy * scale } : centre;
}

function placeEdge({ from, to, label }: Way, { points = [], x, y }: PlacedLine): PlacedEdge {
  const rounded = points.map((point) => ({ x: round(point.x), y: round(point.y) }));
  if (label === undefined || x === undefined || y === undefined)
    return { from, to, points: rounded };
  return { from, to, points: rounded, label: labelAt(label, { x: round(x), y: round(y) }) };
}

function placeNode(
  id: string,
  kind: NodeKind | undefined,
  centre: { x?: number; y?: number },
): PlacedNode {
  const size = kind === undefined ? ENDS : { width: NODE_WIDTH, height: NODE_HEIGHT };
  return { id, kind, ...centreOf(centre), ...size };
}

function centreOf({ x = 0, y = 0 }: { x?: number; y?: number }): Point {
  return { x: round(x), y: round(y) };
}

/** Out of the node's right side and back into it. */
function loopAt(centre: Point, { from, to, label }: Way): PlacedEdge {
  const side = round(centre.x + NODE_WIDTH / 2);
  const rise = NODE_HEIGHT / 3;
  const points = [
    { x: side, y: round(centre.y - rise / 2) },
    { x: side + LOOP_WIDTH, y: round(centre.y - rise) },
    { x: side + LOOP_WIDTH, y: round(centre.y + rise) },
    { x: side, y: round(centre.y + rise / 2) },
  ];
  if (label === undefined) return { from, to, points };
  const at = { x: round(side + LOOP_WIDTH + textWidth(label) / 2), y: centre.y };
  return { from, to, points, label: labelAt(label, at) };
}

function labelAt(label: string, at: Point): NonNullable<PlacedEdge["label"]> {
  return { text: clip(label, LABEL_CHARS_MAX), title: label, at };
}

function textWidth(label: string): number {
  return Math.ceil(clip(label, LABEL_CHARS_MAX).length * LABEL_CHAR_WIDTH);
}
