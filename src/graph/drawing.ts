/** What a drawing of a workflow is made of. The layout itself is in `layout.ts`, which loads dagre. */
import type { NodeKind } from "../domain/workflow.ts";

export const NODE_WIDTH = 172;
export const NODE_HEIGHT = 48;
export const END_RADIUS = 6;

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** A node, or START or END (`kind` undefined). `x` and `y` are its centre. */
export interface PlacedNode extends Point {
  readonly id: string;
  readonly kind: NodeKind | undefined;
  readonly width: number;
  readonly height: number;
}

export interface PlacedEdge {
  readonly from: string;
  readonly to: string;
  /** Shortened; `title` has all of it. */
  readonly label?: { readonly text: string; readonly title: string; readonly at: Point };
  readonly points: readonly Point[];
}

export interface Drawing {
  readonly width: number;
  readonly height: number;
  readonly nodes: readonly PlacedNode[];
  readonly edges: readonly PlacedEdge[];
}

/** What a node kind is called where people read it. */
export const KIND_LABELS: Readonly<Record<NodeKind, string>> = {
  llm: "model",
  code: "code",
  tool: "tool",
  http: "HTTP request",
  cli: "command",
  agent: "agent",
  workflow: "workflow",
  approval: "approval",
  wait: "wait",
};

/** The path of an edge: a smooth line through its points. */
export function pathOf({ points }: Pick<PlacedEdge, "points">): string {
  const [first, ...rest] = points;
  if (first === undefined) return "";
  const start = `M${first.x} ${first.y}`;
  const last = rest.at(-1);
  if (last === undefined) return start;
  // Quadratic curves whose ends are the middles between the points.
  const inner = rest.slice(0, -1).map((point, index) => {
    const next = rest[index + 1] ?? last;
    const end =
      index === rest.length - 2
        ? last
        : { x: round((point.x + next.x) / 2), y: round((point.y + next.y) / 2) };
    return `Q${point.x} ${point.y} ${end.x} ${end.y}`;
  });
  return inner.length === 0 ? `${start}L${last.x} ${last.y}` : start + inner.join("");
}

/** Drawings need no more than a tenth of a pixel. */
export function round(value: number): number {
  return Math.round(value * 10) / 10;
}
