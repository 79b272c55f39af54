/**
 * The nodes of a workflow as a drawing. Workflows are chains, so the layout is one: rows of a few
 * nodes, read like text, joined by a line that turns at the end of each row.
 */
import type { RunState } from "../../src/domain/run.ts";
import { START, type Workflow } from "../../src/domain/workflow.ts";
import { StateGlyph } from "./badge.tsx";
import { round } from "./chart.tsx";

/** Larger workflows are shown as a list only: a drawing of them helps nobody. */
export const GRAPH_NODE_COUNT_MAX = 60;

const NODE_WIDTH = 172;
const NODE_HEIGHT = 48;
const GAP_X = 34;
const GAP_Y = 30;
const COLUMN_COUNT = 4;
const END_GAP = 22;
const END_RADIUS = 5;
const PAD = 4;
const NAME_CHARS_MAX = 18;
const NOTE_CHARS_MAX = 22;

export interface GraphNode {
  readonly id: string;
  readonly href: string;
  readonly note: string;
  /** Undefined where there is no run: the node is then drawn without a state. */
  readonly state: RunState | undefined;
}

/** The node ids in the order in which they run; what START does not lead to comes last. */
export function nodeOrder(workflow: Workflow): string[] {
  const next = new Map(workflow.edges.map((edge) => [edge.from, edge.to]));
  const known = new Set(workflow.nodes.map((node) => node.id));
  const order = new Set<string>();
  let id = next.get(START);
  while (id !== undefined && known.has(id) && !order.has(id)) {
    order.add(id);
    id = next.get(id);
  }
  return [...order, ...[...known].filter((rest) => !order.has(rest))];
}

export function Graph(props: { nodes: readonly GraphNode[]; label: string }) {
  const { nodes } = props;
  const columns = Math.min(COLUMN_COUNT, nodes.length);
  const rows = Math.ceil(nodes.length / COLUMN_COUNT);
  const side = PAD + END_RADIUS * 2 + END_GAP;
  const width = 2 * side + columns * NODE_WIDTH + (columns - 1) * GAP_X;
  const height = 2 * PAD + rows * NODE_HEIGHT + (rows - 1) * GAP_Y;
  const places = nodes.map((_, index) => ({
    x: side + (index % COLUMN_COUNT) * (NODE_WIDTH + GAP_X),
    y: PAD + Math.floor(index / COLUMN_COUNT) * (NODE_HEIGHT + GAP_Y),
  }));
  return (
    <div class="graph-wrap" tabindex={0} role="region" aria-label={`${props.label}, may scroll`}>
      <svg
        class={columns === COLUMN_COUNT ? "graph wide" : "graph"}
        viewBox={`0 0 ${width} ${height}`}
        width={width}
        height={height}
        role="group"
        aria-label={props.label}
      >
        <Ends places={places} last={nodes.at(-1)?.state} />
        {nodes.map((node, index) => (
          <Link node={node} from={places[index - 1]} to={places[index]} />
        ))}
        {nodes.map((node, index) => (
          <Node node={node} place={places[index] ?? { x: 0, y: 0 }} />
        ))}
      </svg>
    </div>
  );
}

interface Place {
  readonly x: number;
  readonly y: number;
}

function Node(props: { node: GraphNode; place: Place }) {
  const { node, place } = props;
  const stateless = node.state === undefined;
  const left = place.x + (stateless ? 14 : 36);
  return (
    <a href={node.href} class={`node s-${node.state ?? "none"}`}>
      <title>{node.id}</title>
      <rect
        class="node-box"
        x={place.x}
        y={place.y}
        width={NODE_WIDTH}
        height={NODE_HEIGHT}
        rx="9"
      />
      {node.state === undefined ? null : (
        <g transform={`translate(${place.x + 12} ${place.y + NODE_HEIGHT / 2 - 8})`}>
          <StateGlyph state={node.state} />
        </g>
      )}
      <text class="node-name" x={left} y={place.y + 21}>
        {clip(node.id, NAME_CHARS_MAX)}
      </text>{" "}
      <text class="node-note" x={left} y={place.y + 36}>
        {clip(node.note, NOTE_CHARS_MAX)}
      </text>
    </a>
  );
}

/** The line that leads to a node. */
function Link(props: { node: GraphNode; from: Place | undefined; to: Place | undefined }) {
  const { from, to } = props;
  if (from === undefined || to === undefined) return null;
  const y = from.y + NODE_HEIGHT / 2;
  const path =
    from.y === to.y
      ? `M${from.x + NODE_WIDTH} ${y}H${to.x}`
      : turn({ x: from.x + NODE_WIDTH, y }, { x: to.x, y: to.y + NODE_HEIGHT / 2 });
  return <path class={`edge ${edgeClass(props.node.state)}`} d={path} aria-hidden="true" />;
}

/** From the end of a row to the start of the next, through the gap between them. */
function turn(from: Place, to: Place): string {
  const out = 16;
  const radius = 8;
  const middle = round((from.y + to.y) / 2);
  return [
    `M${from.x} ${from.y}h${out - radius}q${radius} 0 ${radius} ${radius}`,
    `V${middle - radius}q0 ${radius} ${-radius} ${radius}`,
    `H${to.x - out + radius}q${-radius} 0 ${-radius} ${radius}`,
    `V${to.y - radius}q0 ${radius} ${radius} ${radius}H${to.x}`,
  ].join("");
}

function Ends(props: { places: readonly Place[]; last: RunState | undefined }) {
  const first = props.places[0];
  const last = props.places.at(-1);
  if (first === undefined || last === undefined) return null;
  const startY = first.y + NODE_HEIGHT / 2;
  const endX = last.x + NODE_WIDTH;
  const endY = last.y + NODE_HEIGHT / 2;
  const reached = props.last === undefined || props.last === "succeeded";
  return (
    <g aria-hidden="true">
      <circle class="graph-end" cx={PAD + END_RADIUS} cy={startY} r={END_RADIUS} />
      <path class="edge" d={`M${PAD + 2 * END_RADIUS} ${startY}h${END_GAP}`} />
      <path class={reached ? "edge" : "edge edge-idle"} d={`M${endX} ${endY}h${END_GAP}`} />
      <circle class="graph-end stop" cx={endX + END_GAP + END_RADIUS} cy={endY} r={END_RADIUS} />
    </g>
  );
}

function edgeClass(state: RunState | undefined): string {
  if (state === "running") return "edge-live";
  return state === "queued" || state === "cancelled" ? "edge-idle" : "";
}

function clip(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}
