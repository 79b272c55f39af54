import { expect, test } from "bun:test";
import fc from "fast-check";
import {
  type Arrow,
  arrowsOf,
  backArrows,
  branchesFrom,
  type Digraph,
  digraphOf,
  dominatorsFrom,
  loopsOf,
  orderFrom,
  reachableFrom,
  reversed,
} from "../../src/lib/digraph.ts";

/** `a>b b>c` */
function graphOf(text: string) {
  return digraphOf(
    text.split(" ").map((arrow) => {
      const [from = "", to = ""] = arrow.split(">");
      return { from, to };
    }),
  );
}

const NODES = ["a", "b", "c", "d", "e", "f"];
const arrows: fc.Arbitrary<Arrow[]> = fc.array(
  fc.record({ from: fc.constantFrom("r", ...NODES), to: fc.constantFrom(...NODES) }),
  { maxLength: 14 },
);

test("digraphOf keeps the order of the arrows and each of them once", () => {
  expect([...graphOf("a>c a>b a>c b>c")]).toEqual([
    ["a", ["c", "b"]],
    ["b", ["c"]],
  ]);
});

test("reachableFrom holds its origin only on a circle, and follows only open arrows", () => {
  const graph = graphOf("a>b b>c c>b c>d");
  expect([...reachableFrom("a", graph)].toSorted()).toEqual(["b", "c", "d"]);
  expect([...reachableFrom("b", graph)].toSorted()).toEqual(["b", "c", "d"]);
  expect([...reachableFrom("a", graph, ({ to }) => to !== "c")]).toEqual(["b"]);
});

test("loopsOf joins the loops of one header and leaves out what cannot come back", () => {
  const graph = graphOf("r>h h>a h>b a>h b>h b>x x>y");
  const backs = backArrows("r", graph);
  expect(backs).toEqual([
    { from: "a", to: "h" },
    { from: "b", to: "h" },
  ]);
  expect([...loopsOf(backs, graph)]).toEqual([["h", new Set(["h", "a", "b"])]]);
});

test("backArrows: without them no circle can be reached, and each closes one", () => {
  fc.assert(
    fc.property(arrows, (all) => {
      const graph = digraphOf(all);
      const backs = backArrows("r", graph);
      const isBack = (arrow: Arrow) =>
        backs.some((back) => back.from === arrow.from && back.to === arrow.to);
      for (const id of ["r", ...reachableFrom("r", graph)])
        expect(reachableFrom(id, graph, (arrow) => !isBack(arrow)).has(id)).toBe(false);
      for (const { from, to } of backs)
        expect(from === to || reachableFrom(to, graph).has(from)).toBe(true);
    }),
  );
});

test("loopsOf: every circle through a back arrow of a loop lies in that loop", () => {
  fc.assert(
    fc.property(arrows, (all) => {
      const graph = digraphOf(all);
      const backs = backArrows("r", graph);
      for (const [header, loop] of loopsOf(backs, graph)) {
        expect(loop.has(header)).toBe(true);
        for (const id of loop) expect(reachableFrom(id, graph).has(header)).toBe(true);
      }
    }),
  );
});

const textOf = (graph: Digraph) =>
  arrowsOf(graph)
    .map(({ from, to }) => `${from}>${to}`)
    .toSorted();

test("reversed twice is the graph itself", () => {
  fc.assert(
    fc.property(arrows, (all) => {
      const graph = digraphOf(all);
      expect(textOf(reversed(reversed(graph)))).toEqual(textOf(graph));
    }),
  );
});

test("dominatorsFrom: without the parent of a node nothing leads to it, and no later node is needed", () => {
  fc.assert(
    fc.property(arrows, (all) => {
      const graph = digraphOf(all);
      const parents = dominatorsFrom("r", graph);
      expect([...parents.keys()].toSorted()).toEqual([...reachableFrom("r", graph)].toSorted());
      for (const [id, parent] of parents) {
        const needed = [...parents.keys()].filter(
          (other) => other !== id && !reachableFrom("r", graph, ({ to }) => to !== other).has(id),
        );
        const chain: string[] = [];
        for (let at = parent; at !== "r"; at = parents.get(at) ?? "r") chain.push(at);
        expect(chain.toSorted()).toEqual(needed.toSorted());
      }
    }),
  );
});

test("orderFrom puts each node after those that lead to it, back arrows aside", () => {
  fc.assert(
    fc.property(arrows, (all) => {
      const graph = digraphOf(all);
      const backs = textOf(digraphOf(backArrows("r", graph)));
      const forward = arrowsOf(graph).filter(({ from, to }) => !backs.includes(`${from}>${to}`));
      const order = orderFrom("r", digraphOf(forward));
      expect(new Set(order)).toEqual(new Set(["r", ...reachableFrom("r", graph)]));
      for (const { from, to } of forward)
        if (order.includes(from)) expect(order.indexOf(from)).toBeLessThan(order.indexOf(to));
    }),
  );
});

test("backArrows does not depend on the order of the arrows where each circle has one way in", () => {
  const graph = "r>a a>b b>a b>c c>d d>c d>a";
  const backs = ["b>a", "d>a", "d>c"];
  expect(textOf(digraphOf(backArrows("r", graphOf(graph))))).toEqual(backs);
  const reverse = graph.split(" ").toReversed().join(" ");
  expect(textOf(digraphOf(backArrows("r", graphOf(reverse))))).toEqual(backs);
});

const isWeak = ({ from }: Arrow) => from === "b";

test("backArrows turns back weak arrows where a circle has several ways in", () => {
  for (const graph of ["r>a r>c c>b a>b b>a", "r>c r>a c>b a>b b>a"])
    expect(backArrows("r", graphOf(graph), isWeak)).toEqual([{ from: "b", to: "a" }]);
});

test("branchesFrom names what all ways to a node have in common", () => {
  expect(branchesFrom("r", graphOf("r>a r>b a>c c>d b>j d>j j>x"))).toEqual(
    new Map([
      ["a", "a"],
      ["b", "b"],
      ["c", "a"],
      ["d", "a"],
      ["j", "j"],
      ["x", "j"],
    ]),
  );
});
