/** The graphs of the engine's benchmark, as workflow files. `langgraph/worker.py` and `mastra/worker.mjs` have the same. */
import type { JsonObject } from "../../src/lib/json.ts";

export const SHAPES = ["chain", "fork", "map"] as const;
export type Shape = (typeof SHAPES)[number];

/**
 * What a step does. `wait`: nothing (a wait for a time that is past), as in the other engines. `tool`, `model`: one call of a
 * tool or a model that answers at once; the call is checkpointed by itself, which the others do not do.
 */
export const STEP_KINDS = ["wait", "tool", "model"] as const;
export type StepKind = (typeof STEP_KINDS)[number];

/** Steps of one run: ten in a row; one, eight side by side, one; a hundred items. */
export const STEPS_PER_RUN: Readonly<Record<Shape, number>> = { chain: 10, fork: 10, map: 100 };
const BRANCHES = numbered(STEPS_PER_RUN.fork - 2, "branch");
const ITEMS = numbered(STEPS_PER_RUN.map, "item");
export const INSTANT_TOOL = "instant";

export interface Graph {
  readonly source: string;
  readonly nodeIds: readonly string[];
  /** Inputs, and state to begin with. */
  readonly values: JsonObject;
}

const BODIES: Readonly<Record<StepKind, string>> = {
  wait: 'wait: {until: "2000-01-01T00:00:00Z"}',
  tool: `tool: ${INSTANT_TOOL}, arguments: {text: "{state.text}"}, outputs: [text]`,
  model: `prompt: "{state.text}", outputs: [text], output_schema: {type: str}`,
};

function chain(kind: StepKind): Graph {
  const ids = numbered(STEPS_PER_RUN.chain, "step");
  const stops = ["START", ...ids, "END"];
  const edges = stops.slice(1).map((to, index) => `{from: ${stops[index]}, to: ${to}}`);
  return toGraph(ids, kind, edges);
}

function fork(kind: StepKind): Graph {
  return toGraph(["first", ...BRANCHES, "join"], kind, [
    "{from: START, to: first}",
    `{from: first, to: [${BRANCHES.join(", ")}]}`,
    ...BRANCHES.map((id) => `{from: ${id}, to: join}`),
    "{from: join, to: END}",
  ]);
}

function map(kind: StepKind): Graph {
  const spec =
    "{items_field: items, target_node: item, collect_field: results, max_concurrency: 16}";
  return toGraph(["item"], kind, [`{from: START, parallel: ${spec}}`, "{from: item, to: END}"]);
}

function toGraph(ids: readonly string[], kind: StepKind, edges: readonly string[]): Graph {
  const source = `schema_version: "1.0"
flow: {name: bench}
state:
  fields:
    text: {type: str, required: true, merge: last}
    items: {type: "list[str]", required: true}
    results: {type: list}
nodes:
${ids.map((id) => `  - {id: ${id}, ${BODIES[kind]}}\n`).join("")}edges:
${edges.map((edge) => `  - ${edge}\n`).join("")}config: {llm: {provider: demo, model: demo}}
`;
  return { source, nodeIds: ids, values: { text: "x", items: ITEMS, results: null } };
}

const BUILDERS = { chain, fork, map } as const satisfies Record<Shape, unknown>;

export function graphOf(shape: Shape, kind: StepKind): Graph {
  return BUILDERS[shape](kind);
}

function numbered(count: number, name: string): string[] {
  return Array.from({ length: count }, (_, index) => `${name}${index}`);
}
