import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Segments, Sparkline } from "../../../views/part/chart.tsx";
import { drawWorkflow } from "../../../src/graph/layout.ts";
import { Graph, nodeOrder } from "../../../views/part/graph.tsx";
import { ProblemList } from "../../../views/part/problem-list.tsx";
import { progressOf } from "../../../views/part/run-progress.ts";
import { PROBLEMS, run, WORKFLOW } from "../fixtures.ts";
import { text } from "../pages.tsx";

const numbers = (html: string) =>
  [...html.matchAll(/-?\d+(?:\.\d+)?/g)].map(([number]) => Number(number));

test("Sparkline() stays inside its box for any data, and is flat for none", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(1_000_000), { maxLength: 60 }), async (values) => {
      const html = await text(<Sparkline values={values} tone="info" />);
      const line = /<path class="spark-line" d="([^"]*)"/.exec(html)?.[1] ?? "";
      expect(html).not.toContain("NaN");
      for (const [index, value] of numbers(line).entries()) {
        expect(value).toBeGreaterThanOrEqual(-0.05);
        expect(value).toBeLessThanOrEqual(index % 2 === 0 ? 240 : 40);
      }
    }),
  );
});

test("Segments() draws each step, and one bar for many", async () => {
  const few = await text(<Segments states={["succeeded", "running", "queued"]} label="1 of 3" />);
  expect(few.match(/<rect/g)).toHaveLength(3);
  const rest = Array.from({ length: 29 }, () => "queued" as const);
  const done = Array.from({ length: 10 }, () => "succeeded" as const);
  const many = await text(<Segments states={[...done, "failed", ...rest]} label="" />);
  expect(
    [...many.matchAll(/class="seg s-(\w+)" x="([\d.]+)"[^>]* width="([\d.]+)"/g)].map(
      ([, ...match]) => match,
    ),
  ).toEqual([
    ["queued", "0", "96"],
    ["succeeded", "0", "24"],
    ["failed", "24", "4"],
  ]);
});

describe("Graph()", () => {
  test("draws every node once, with its state as a word, inside the drawing", async () => {
    const drawing = drawWorkflow(WORKFLOW);
    if (drawing === undefined) throw new Error("not drawn");
    const nodes = WORKFLOW.nodes.map(({ id }) => ({
      id,
      href: `#${id}`,
      note: "Queued",
      state: "queued" as const,
    }));
    const html = await text(<Graph drawing={drawing} nodes={nodes} label="Steps" />);
    const [, width = 0, height = 0] = /viewBox="0 0 (\d+) (\d+)"/.exec(html)?.map(Number) ?? [];
    const boxes = [
      ...html.matchAll(/class="node-box" x="([\d.]+)" y="([\d.]+)" width="(\d+)" height="(\d+)"/g),
    ];
    expect(boxes).toHaveLength(4);
    for (const [, x, y, boxWidth, boxHeight] of boxes) {
      expect(Number(x) + Number(boxWidth)).toBeLessThan(width);
      expect(Number(y) + Number(boxHeight)).toBeLessThan(height);
    }
    expect(html.match(/class="edge "/g)).toHaveLength(5);
  });

  test("nodeOrder() follows the edges, whatever the order in the file, and drops no node", () => {
    const shuffled = { ...WORKFLOW, nodes: WORKFLOW.nodes.toReversed() };
    expect(nodeOrder(shuffled)).toEqual(["research", "outline", "write", "review"]);
    const loop = {
      ...shuffled,
      edges: [
        { kind: "to", from: "START", to: ["write"] },
        { kind: "to", from: "write", to: ["write"] },
      ] as const,
    };
    expect(nodeOrder(loop)).toEqual(["write", "review", "outline", "research"]);
  });
});

describe("progressOf()", () => {
  test("of a run that goes on: what is done of what can still come", () => {
    const going = run("running");
    expect(progressOf(going)).toEqual({
      states: ["succeeded", "succeeded", "running", "queued"],
      note: "2/4",
      label: "2 steps done, 2 to come",
    });
    const [last = ""] = going.nodeIds.slice(-1);
    expect(
      progressOf({ ...going, nodeIds: [...going.nodeIds, "other"] }, { ahead: [last] }),
    ).toEqual({
      states: ["succeeded", "succeeded", "running"],
      note: "2 +1",
      label: "2 steps done, up to 1 to come",
    });
  });

  test("of a run that is over: what it has done, and no branch that was not taken", () => {
    const { note, states } = progressOf(run("cancelled"));
    expect([note, states]).toEqual(["2", ["succeeded", "succeeded", "cancelled"]]);
    const done = { ...run("succeeded"), doneNodeIds: ["a"], nodeIds: ["a", "b", "c"] };
    expect(progressOf(done)).toEqual({ states: ["succeeded"], note: "1", label: "1 step done" });
  });
});

test("ProblemList() puts the caret under the place, also in a very long line", async () => {
  const [problem] = PROBLEMS;
  if (problem === undefined) throw new Error("no problem");
  const source = `${"x".repeat(500)}wrong${"y".repeat(500)}`;
  const html = await text(
    <ProblemList
      problems={[{ ...problem, line: 1, column: 501, text: "wrong" }]}
      source={source}
    />,
  );
  const [, shown = "", caret = ""] = /1 <\/span>(.*)\n<span[^>]*>(.*)<\/span>/.exec(html) ?? [];
  expect(shown.length).toBeLessThanOrEqual(110);
  expect(shown.slice(caret.indexOf("^") - 2, caret.lastIndexOf("^") - 1)).toBe("wrong");
});

test("ProblemList() survives a place that is not in the text", async () => {
  const [problem] = PROBLEMS;
  if (problem === undefined) throw new Error("no problem");
  const html = await text(
    <ProblemList problems={[{ ...problem, line: 900, column: 7 }]} source="a" />,
  );
  expect(html).toContain("line 900:7");
});
