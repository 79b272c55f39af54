/** A workflow as a drawing. Where everything stands is decided in `src/graph`. */
import {
  type Drawing,
  END_RADIUS,
  pathOf,
  type PlacedEdge,
  type PlacedNode,
} from "../../src/graph/drawing.ts";
import {
  END,
  START,
  targetsOf,
  type Workflow,
  type WorkflowNode,
} from "../../src/domain/workflow.ts";
import { clip } from "../../src/lib/clip.ts";
import { type NodeState, StateGlyph } from "./badge.tsx";
import { nodeNote } from "./node.tsx";

const NAME_CHARS_MAX = 18;
const NOTE_CHARS_MAX = 22;
/** Distance of the words from the left edge of a node, without and with a glyph. */
const INDENT = 14;
const INDENT_GLYPH = 36;

export interface GraphNode {
  readonly id: string;
  readonly href: string;
  readonly note: string;
  /** Undefined where there is no run: the node is then drawn without a state. */
  readonly state: NodeState | undefined;
}

/** The node ids in the order in which a run reaches them; what START does not lead to comes last. */
export function nodeOrder(workflow: Workflow): string[] {
  const order = new Set([START]);
  for (const id of order)
    for (const edge of workflow.edges)
      if (edge.from === id) for (const { to } of targetsOf(edge)) order.add(to);
  for (const { id } of workflow.nodes) order.add(id);
  order.delete(START);
  order.delete(END);
  return [...order];
}

/** Its nodes in that order. */
export function nodesInOrder(workflow: Workflow): WorkflowNode[] {
  return nodeOrder(workflow).flatMap((id) => workflow.nodes.find((node) => node.id === id) ?? []);
}

/** What is drawn of a workflow where there is no run. */
export function planNodes(workflow: Workflow, hrefOf: (id: string) => string): GraphNode[] {
  return nodesInOrder(workflow).map((node) => ({
    id: node.id,
    href: hrefOf(node.id),
    note: nodeNote(node),
    state: undefined,
  }));
}

export function Graph(props: {
  drawing: Drawing;
  nodes: readonly GraphNode[];
  label: string;
  /** Of the drawing; needed where a page has several. */
  id?: string;
  /** Edges that were taken, as `from to`; undefined where there is no run. */
  taken?: ReadonlySet<string>;
}) {
  const { drawing, taken } = props;
  const tip = `${props.id ?? "graph"}-tip`;
  const { width, height } = drawing;
  const nodes = new Map(props.nodes.map((node) => [node.id, node]));
  return (
    <div class="graph-wrap" tabindex={0} role="region" aria-label={`${props.label}, may scroll`}>
      <svg
        class="graph"
        viewBox={`0 0 ${width} ${height}`}
        width={width}
        height={height}
        role="group"
        aria-label={props.label}
      >
        <defs>
          <marker
            id={tip}
            viewBox="0 0 8 8"
            refX="7"
            refY="4"
            markerWidth="6"
            markerHeight="6"
            orient="auto"
          >
            <path class="edge-tip" d="M0 0L8 4L0 8z" />
          </marker>
        </defs>
        {drawing.edges.map((edge) => (
          <Edge edge={edge} state={edgeState(edge, nodes, taken)} tip={tip} />
        ))}
        {drawing.nodes.map((place) => {
          const node = nodes.get(place.id);
          return node === undefined ? <End place={place} /> : <Node node={node} place={place} />;
        })}
      </svg>
    </div>
  );
}

function Node(props: { node: GraphNode; place: PlacedNode }) {
  const { node, place } = props;
  const left = place.x - place.width / 2;
  const top = place.y - place.height / 2;
  const words = left + (node.state === undefined ? INDENT : INDENT_GLYPH);
  return (
    <a href={node.href} class={`node s-${node.state ?? "none"}`}>
      <title>{node.id}</title>
      <rect class="node-box" x={left} y={top} width={place.width} height={place.height} rx="9" />
      {node.state === undefined ? null : (
        <g transform={`translate(${left + 12} ${place.y - 8})`}>
          <StateGlyph state={node.state} />
        </g>
      )}
      <text class="node-name" x={words} y={top + 21}>
        {clip(node.id, NAME_CHARS_MAX)}
      </text>{" "}
      <text class="node-note" x={words} y={top + 36}>
        {clip(node.note, NOTE_CHARS_MAX)}
      </text>
    </a>
  );
}

function End(props: { place: PlacedNode }) {
  const { id, x, y } = props.place;
  const kind = id === START ? "graph-end" : "graph-end stop";
  return <circle class={kind} cx={x} cy={y} r={END_RADIUS - 1} aria-hidden="true" />;
}

function Edge(props: { edge: PlacedEdge; state: string; tip: string }) {
  const { edge, state, tip } = props;
  return (
    <g aria-hidden="true">
      <path class={`edge ${state}`} d={pathOf(edge)} marker-end={`url(#${tip})`} />
      {edge.label === undefined ? null : (
        <text class="edge-label" x={edge.label.at.x} y={edge.label.at.y + 4}>
          <title>{edge.label.title}</title>
          {edge.label.text}
        </text>
      )}
    </g>
  );
}

/** A way that the run has not gone is dashed; one that leads to what is on now is lively. */
function edgeState(
  { from, to }: PlacedEdge,
  nodes: ReadonlyMap<string, GraphNode>,
  taken: ReadonlySet<string> | undefined,
): string {
  if (taken === undefined) return "";
  if (!taken.has(`${from} ${to}`)) return "edge-idle";
  return nodes.get(to)?.state === "running" ? "edge-live" : "";
}
