import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { END, START, type Workflow } from "../../src/domain/workflow.ts";
import type { Drawing, PlacedNode, Point } from "../../src/graph/drawing.ts";
import { DRAWN_NODE_COUNT_MAX, drawWorkflow } from "../../src/graph/layout.ts";
import { waysOf } from "../../src/graph/ways.ts";
import { graphs, waitNode, workflowOf } from "./random-graph.ts";

/** Places are rounded to a tenth. */
const TOLERANCE = 0.11;
const LABEL_CHAR_WIDTH = 6.2;

function draw(workflow: Workflow): Drawing {
  const drawing = drawWorkflow(workflow);
  if (drawing === undefined) throw new Error("nothing is drawn");
  return drawing;
}

interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

function boxOf({ x, y, width, height }: PlacedNode): Box {
  return {
    left: x - width / 2,
    right: x + width / 2,
    top: y - height / 2,
    bottom: y + height / 2,
  };
}

function isInside({ x, y }: Point, box: Box): boolean {
  return (
    x >= box.left - TOLERANCE &&
    x <= box.right + TOLERANCE &&
    y >= box.top - TOLERANCE &&
    y <= box.bottom + TOLERANCE
  );
}

function overlap(one: Box, other: Box): boolean {
  return (
    one.left < other.right - TOLERANCE &&
    other.left < one.right - TOLERANCE &&
    one.top < other.bottom - TOLERANCE &&
    other.top < one.bottom - TOLERANCE
  );
}

function property(check: (workflow: Workflow, drawing: Drawing) => void): void {
  fc.assert(fc.property(graphs, (workflow) => check(workflow, draw(workflow))));
}

function wayName({ from, to }: { readonly from: string; readonly to: string }): string {
  return `${from} ${to}`;
}

function chain(count: number): Drawing {
  const ids = Array.from({ length: count }, (_, index) => `n${index}`);
  const edges = [START, ...ids].map((from, index) => ({
    kind: "to" as const,
    from,
    to: [ids[index] ?? END],
  }));
  return draw(
    workflowOf(
      ids.map((id) => waitNode(id)),
      edges,
    ),
  );
}

describe("drawWorkflow() of any graph", () => {
  test("draws START, END and every node once, inside the drawing", () => {
    property((workflow, drawing) => {
      const ids = [START, END, ...workflow.nodes.map(({ id }) => id)];
      expect(drawing.nodes.map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
      const sheet = { left: 0, top: 0, right: drawing.width, bottom: drawing.height };
      for (const node of drawing.nodes) {
        const box = boxOf(node);
        expect(isInside({ x: box.left, y: box.top }, sheet)).toBe(true);
        expect(isInside({ x: box.right, y: box.bottom }, sheet)).toBe(true);
      }
    });
  });

  test("lets no two boxes overlap", () => {
    property((_, { nodes }) => {
      const boxes = nodes.map(boxOf);
      for (const [index, box] of boxes.entries())
        for (const other of boxes.slice(index + 1)) expect(overlap(box, other)).toBe(false);
    });
  });

  test("draws every way once, from the edge of its node to the edge of the other", () => {
    property((workflow, { nodes, edges, width, height }) => {
      const boxes = new Map(nodes.map((node) => [node.id, boxOf(node)]));
      expect(edges.map(wayName)).toEqual(waysOf(workflow).map(wayName));
      for (const { from, to, points } of edges) {
        const [first, last] = [points[0], points.at(-1)];
        const [source, target] = [boxes.get(from), boxes.get(to)];
        expect(first !== undefined && source !== undefined && isInside(first, source)).toBe(true);
        expect(last !== undefined && target !== undefined && isInside(last, target)).toBe(true);
        const sheet = { left: 0, top: 0, right: width, bottom: height };
        for (const point of points) expect(isInside(point, sheet)).toBe(true);
      }
    });
  });

  test("keeps the words of every way inside the drawing, and all of them in its title", () => {
    property((workflow, { edges, width, height }) => {
      const labels = waysOf(workflow).map(({ label }) => label);
      expect(edges.map(({ label }) => label?.title)).toEqual(labels);
      for (const { label } of edges) {
        if (label === undefined) continue;
        const half = (label.text.length * LABEL_CHAR_WIDTH) / 2;
        expect(label.at.x - half).toBeGreaterThanOrEqual(-1);
        expect(label.at.x + half).toBeLessThanOrEqual(width + 1);
        expect(label.at.y).toBeGreaterThan(0);
        expect(label.at.y).toBeLessThan(height);
      }
    });
  });
});

test("drawWorkflow() draws a long chain from top to bottom and a short one from left to right", () => {
  const [short, long] = [chain(2), chain(9)];
  expect(short.width).toBeGreaterThan(short.height);
  expect(long.width).toBeLessThan(long.height);
});

test("drawWorkflow() lays a workflow out once, and none of more nodes than a person can follow", () => {
  const ids = Array.from({ length: DRAWN_NODE_COUNT_MAX + 1 }, (_, index) => `n${index}`);
  const edges = [{ kind: "to" as const, from: START, to: ids }];
  const nodes = ids.map((id) => waitNode(id));
  expect(drawWorkflow(workflowOf(nodes, edges))).toBeUndefined();
  const small = workflowOf(nodes.slice(0, 3), [{ kind: "to", from: START, to: ["n0"] }]);
  expect(drawWorkflow(small)).toBe(draw(small));
});

test("drawWorkflow() refuses a thicket of lines, which would take a minute to lay out", () => {
  const ids = Array.from({ length: 40 }, (_, index) => `n${index}`);
  const edges = ids.map((from, index) => ({
    kind: "to" as const,
    from,
    to: [...ids.slice(index + 1), END],
  }));
  const start = { kind: "to" as const, from: START, to: ["n0"] };
  const nodes = ids.map((id) => waitNode(id));
  expect(drawWorkflow(workflowOf(nodes, [start, ...edges]))).toBeUndefined();
});
