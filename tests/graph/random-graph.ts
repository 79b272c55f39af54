/** Random graphs, also such that no file could state: a drawing must hold for all of them. */
import fc from "fast-check";
import {
  END,
  type Edge,
  START,
  STEP_CONCURRENCY_DEFAULT,
  type Workflow,
  type WorkflowNode,
} from "../../src/domain/workflow.ts";

const NODE_COUNT_MAX = 14;

const CONDITIONS = [
  "state.score > 0.7",
  'state.name == "<b>&amp;</b>"',
  "len(state.a_field_with_a_long_name) >= 12 and state.other_field_with_a_name",
  'state.text != "\u{1F600} \\"quoted\\" ]]>"',
];

export function waitNode(id: string, onErrorTo?: string): WorkflowNode {
  return {
    kind: "wait",
    id,
    wait: { for: "duration", ms: 1 },
    inputs: {},
    outputs: [],
    retry: { maxAttempts: 1, backoff: "fixed", delayMs: 0, on: [] },
    onError: onErrorTo === undefined ? { kind: "fail" } : { kind: "route", to: onErrorTo },
  };
}

export function workflowOf(nodes: readonly WorkflowNode[], edges: readonly Edge[]): Workflow {
  const config = {
    concurrency: STEP_CONCURRENCY_DEFAULT,
    mcpServers: {},
    budget: {},
    onBudget: "fail",
  } as const;
  return { name: "drawn", state: [], nodes, edges, ...config };
}

/** How a node goes on; targets by their number, which is taken modulo the count of places. */
const ways = fc.oneof(
  fc.record({
    kind: fc.constant("to" as const),
    to: fc.array(fc.nat(), { minLength: 1, maxLength: 4 }),
  }),
  fc.record({
    kind: fc.constant("routes" as const),
    to: fc.array(fc.nat(), { minLength: 1, maxLength: 4 }),
    conditions: fc.array(fc.constantFrom(...CONDITIONS), { minLength: 4, maxLength: 4 }),
  }),
  fc.record({ kind: fc.constant("loop" as const), to: fc.tuple(fc.nat()) }),
);

const nodePlan = fc.record({
  way: ways,
  onError: fc.option(fc.nat(), { freq: 4, nil: undefined }),
  length: fc.integer({ min: 1, max: 60 }),
});

export const graphs: fc.Arbitrary<Workflow> = fc
  .array(nodePlan, { minLength: 1, maxLength: NODE_COUNT_MAX })
  .map((plans) => {
    const ids = plans.map(({ length }, index) =>
      `n${index}${"_x".repeat(length)}`.slice(0, length + 2),
    );
    const places = [...ids, END];
    const place = (number: number) => places[number % places.length] ?? END;
    const edges = plans.map(({ way }, index) => toEdge(ids[index] ?? "", way, place));
    const nodes = plans.map(({ onError }, index) =>
      waitNode(ids[index] ?? "", onError === undefined ? undefined : place(onError)),
    );
    return workflowOf(nodes, [{ kind: "to", from: START, to: [place(0)] }, ...edges]);
  });

type Way = typeof ways extends fc.Arbitrary<infer Value> ? Value : never;

function toEdge(from: string, way: Way, place: (number: number) => string): Edge {
  if (way.kind === "to") return { kind: "to", from, to: [...new Set(way.to.map(place))] };
  if (way.kind === "loop")
    return {
      kind: "loop",
      from,
      conditionField: "done",
      maxIterations: 3,
      exitTo: place(way.to[0]),
    };
  const routes = way.to.map((number, index) => {
    const condition = way.conditions[index];
    const to = place(number);
    return index === way.to.length - 1 || condition === undefined ? { to } : { to, condition };
  });
  return { kind: "routes", from, routes };
}
