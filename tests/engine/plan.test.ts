import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { StepAttempt } from "../../src/domain/run.ts";
import { type Edge, END, START, type Workflow } from "../../src/domain/workflow.ts";
import { type LatestAttempts, plan } from "../../src/engine/plan.ts";
import { graph, line, llmNode } from "./fixture.ts";

type Latest = Pick<StepAttempt, "attempt" | "state" | "error" | "retryAt">;
const DONE: Latest = { attempt: 1, state: "succeeded", error: null, retryAt: null };
const ERROR = { code: "timeout", message: "Too slow." } as const;

function planAt(workflow: Workflow, attempts: LatestAttempts, nowMs = 0) {
  return plan(workflow, { attempts, values: { a: 1 }, nowMs });
}

/** A random acyclic graph: each node depends on some nodes before it, or on START; leaves end. */
const acyclic = fc.integer({ min: 1, max: 12 }).chain((count) =>
  fc
    .tuple(
      ...Array.from({ length: count }, (_, index) =>
        fc.subarray(Array.from({ length: index }, (__, id) => `n${id}`)),
      ),
    )
    .map((sources): Workflow => {
      const edges: Edge[] = sources.flatMap((froms, index) =>
        (froms.length === 0 ? [START] : froms).map((from) => ({ from, to: `n${index}` })),
      );
      const leaves = sources
        .map((_, index) => `n${index}`)
        .filter((id) => edges.every((edge) => edge.from !== id));
      return graph(
        sources.map((_, index) => llmNode(`n${index}`)),
        [...edges, ...leaves.map((from) => ({ from, to: END }))],
      );
    }),
);

const linear = fc
  .integer({ min: 1, max: 20 })
  .map((count) => line(Array.from({ length: count }, (_, index) => llmNode(`n${index}`))));

describe("plan()", () => {
  for (const [name, workflows] of [
    ["line", linear],
    ["acyclic graph", acyclic],
  ] as const) {
    test(`drains every ${name} in topological order and starts no node twice`, () => {
      fc.assert(
        fc.property(workflows, fc.infiniteStream(fc.nat()), (workflow, choices) => {
          const attempts = new Map<string, Latest>();
          const order: string[] = [];
          for (;;) {
            const next = planAt(workflow, attempts);
            if (next.kind === "finished") break;
            if (next.kind !== "start") throw new Error(`unexpected ${next.kind}`);
            // Any of the steps that may start ends first.
            const chosen = next.steps[(choices.next().value ?? 0) % next.steps.length];
            if (chosen === undefined) throw new Error("nothing to start");
            expect(order).not.toContain(chosen.key);
            for (const { from, to } of workflow.edges)
              if (to === chosen.key && from !== START) expect(order).toContain(from);
            order.push(chosen.key);
            attempts.set(chosen.key, DONE);
          }
          expect(order.toSorted()).toEqual(workflow.nodes.map((node) => node.id).toSorted());
        }),
      );
    });
  }

  test("offers everything whose incoming edges are done, and nothing else", () => {
    const nodes = ["a", "b", "c", "d"].map((id) => llmNode(id));
    const fork = graph(nodes, [
      { from: START, to: "a" },
      { from: "a", to: "b" },
      { from: "a", to: "c" },
      { from: "b", to: "d" },
      { from: "c", to: "d" },
      { from: "d", to: END },
    ]);
    const keys = (done: string[]) => {
      const next = planAt(fork, new Map(done.map((id) => [id, DONE])));
      return next.kind === "start" ? next.steps.map((step) => step.key) : next.kind;
    };
    expect(keys([])).toEqual(["a"]);
    expect(keys(["a"])).toEqual(["b", "c"]);
    expect(keys(["a", "c"])).toEqual(["b"]);
    expect(keys(["a", "b", "c"])).toEqual(["d"]);
    expect(keys(["a", "b", "c", "d"])).toBe("finished");
  });

  test("keeps the number of an interrupted attempt and raises that of a failed one when it is due", () => {
    const node = llmNode("a");
    const workflow = line([node]);
    const step = (attempt: number) => ({ kind: "start", steps: [{ key: "a", node, attempt }] });
    const at = (latest: Latest, nowMs: number) => planAt(workflow, new Map([["a", latest]]), nowMs);
    expect(at({ ...DONE, state: "running", attempt: 2 }, 0)).toEqual(step(2) as never);
    const failed: Latest = { attempt: 2, state: "failed", error: ERROR, retryAt: 50 };
    expect(at(failed, 49)).toEqual({ kind: "wait", untilMs: 50 });
    expect(at(failed, 50)).toEqual(step(3) as never);
    expect(at({ ...failed, retryAt: null }, 50)).toEqual({ kind: "failed", error: ERROR });
  });

  test("gives as outputs the values of all fields that nodes write", () => {
    const workflow = line([llmNode("a"), llmNode("b")]);
    const attempts = new Map([
      ["a", DONE],
      ["b", DONE],
    ]);
    const values = { topic: "x", a: "A", a_count: 1, b: "B" };
    expect(plan(workflow, { attempts, values, nowMs: 0 })).toEqual({
      kind: "finished",
      outputs: { a: "A", a_count: 1, b: "B", b_count: null },
    });
  });

  test("refuses a graph with a node that nothing leads to", () => {
    const workflow = graph([llmNode("a"), llmNode("b")], [{ from: START, to: "a" }]);
    expect(() => planAt(workflow, new Map([["a", DONE]]))).toThrow("can never start");
  });
});
