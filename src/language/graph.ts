/** The edges: they name real nodes, begin at START once, and lead through every node to END. */
import { type Edge, END, START, type StateField } from "../domain/workflow.ts";
import type { Json } from "../lib/json.ts";
import { listOf, mapOf, member, textOf } from "./raw.ts";
import type { Path, Reporter } from "./report.ts";

const EDGE_KINDS = ["to", "routes", "loop", "parallel"];

interface NodePlace {
  /** Undefined when the file states none that could be read. */
  readonly id: string | undefined;
  readonly path: Path;
}

export interface GraphContext {
  readonly reporter: Reporter;
  readonly nodes: readonly NodePlace[];
  readonly fields: readonly StateField[] | undefined;
}

/** One way out of an edge, with the place where its target is stated. */
interface Way {
  readonly from: string;
  readonly to: string;
  readonly path: Path;
  /** Index of the edge; ways of one edge are alternatives or branches of each other. */
  readonly edge: number;
}

/** Checks the whole graph and returns its plain edges. */
export function readEdges(file: Json, context: GraphContext): Edge[] {
  const { reporter, nodes } = context;
  const before = reporter.errorCount();
  const perEdge = listOf(member(file, "edges")).map((raw, index) => readEdge(raw, index, context));
  const ways = perEdge.flat();
  checkStarts(ways, reporter);
  checkForks(file, ways, reporter);
  // An edge that could not be read may be the one that would seem to be missing.
  const allRead = ways.length > 0 && perEdge.every((each) => each.length > 0);
  if (allRead) checkEnds(ways, context);
  // With a broken reference, or a node without a name, every node behind it would be unreachable too.
  const complete = allRead && nodes.every((node) => node.id !== undefined);
  if (reporter.errorCount() === before && complete) checkPaths(ways, context);
  return ways.map(({ from, to }) => ({ from, to }));
}

function readEdge(raw: Json, edge: number, context: GraphContext): Way[] {
  const { reporter } = context;
  const path = ["edges", edge];
  const kinds = kindsOf(raw);
  const from = textOf(member(raw, "from"));
  if (from === undefined) return [];
  if (kinds.length !== 1) {
    reporter.error(path, {
      code: "bad-edge",
      message:
        kinds.length === 0
          ? "The edge leads nowhere."
          : `The edge has ${kinds.map((kind) => `\`${kind}\``).join(" and ")}: only one is possible.`,
      fix: kinds.length === 0 ? "Add `to:` with a node id or END." : "Keep one of them.",
    });
  }
  checkReference(from, [...path, "from"], { ...context, wrong: END });
  const ways = targetsOf(raw, path, from).map(({ to, path: at }) => ({ from, to, edge, path: at }));
  for (const way of ways) checkReference(way.to, way.path, { ...context, wrong: START });
  checkRoutes(raw, path, reporter);
  checkFields(raw, path, context);
  return ways;
}

function kindsOf(raw: Json | undefined): string[] {
  return EDGE_KINDS.filter((kind) => member(raw, kind) !== undefined);
}

function targetsOf(raw: Json, path: Path, from: string): { to: string; path: Path }[] {
  const found: { to: Json | undefined; path: Path }[] = [];
  const to = member(raw, "to");
  if (typeof to === "string") found.push({ to, path: [...path, "to"] });
  for (const [index, target] of listOf(to).entries())
    found.push({ to: target, path: [...path, "to", index] });
  for (const [index, route] of listOf(member(raw, "routes")).entries())
    found.push({ to: member(route, "to"), path: [...path, "routes", index, "to"] });
  const loop = member(raw, "loop");
  if (loop !== undefined) {
    found.push({ to: member(loop, "exit_to") ?? END, path: [...path, "loop", "exit_to"] });
    found.push({ to: from, path: [...path, "from"] });
  }
  const target = member(member(raw, "parallel"), "target_node");
  found.push({ to: target, path: [...path, "parallel", "target_node"] });
  return found.flatMap((each) => {
    const text = textOf(each.to);
    return text === undefined ? [] : [{ to: text, path: each.path }];
  });
}

function checkReference(
  id: string,
  path: Path,
  { reporter, nodes, wrong }: GraphContext & { wrong: string },
): void {
  if (id === wrong) {
    reporter.error(path, {
      code: "bad-edge",
      message: wrong === END ? "Nothing comes after END." : "Nothing leads to START.",
      fix: "Write a node id here.",
    });
  }
  if (id === START || id === END || nodes.some((node) => node.id === undefined || node.id === id))
    return;
  const ids = nodes.flatMap((node) => node.id ?? []);
  reporter.error(path, {
    code: "unknown-node",
    message: `There is no node \`${id}\`.`,
    fix: ids.length === 0 ? "Add the node." : `Add the node, or write one of: ${shortList(ids)}.`,
    word: id,
    among: [...ids, wrong === END ? START : END],
  });
}

function shortList(ids: readonly string[]): string {
  const most = 8;
  return ids.length <= most ? ids.join(", ") : `${ids.slice(0, most).join(", ")}, …`;
}

function checkRoutes(raw: Json, path: Path, reporter: Reporter): void {
  const routes = listOf(member(raw, "routes"));
  const defaults = routes.filter(
    (route) => textOf(member(member(route, "condition"), "logic")) === "default",
  );
  if (routes.length === 0 || defaults.length === 1) return;
  reporter.error([...path, "routes"], {
    code: "bad-routes",
    message: `The routes have ${defaults.length === 0 ? "no" : "more than one"} default.`,
    fix: "End the list with one `{condition: {logic: default}, to: …}`.",
    at: "key",
  });
}

/** State fields that loops and parallel edges name, with the kind of value they must hold. */
const EDGE_FIELDS = [
  { edge: "loop", key: "condition_field", kind: "bool" },
  { edge: "parallel", key: "items_field", kind: "list" },
  { edge: "parallel", key: "collect_field", kind: "list" },
] as const;

function checkFields(raw: Json, path: Path, { fields, reporter }: GraphContext): void {
  for (const { edge, key, kind } of EDGE_FIELDS) {
    const name = textOf(member(mapOf(member(raw, edge)), key));
    if (name === undefined || fields === undefined) continue;
    const field = fields.find((each) => each.name === name);
    if (field === undefined) {
      reporter.error([...path, edge, key], {
        code: "unknown-field",
        message: `The state has no field \`${name}\`.`,
        fix: `Add \`${name}\` to \`state.fields\`, with type ${kind}.`,
        word: name,
        among: fields.map((each) => each.name),
      });
    } else if (field.type.kind !== kind && field.type.kind !== "any") {
      reporter.error([...path, edge, key], {
        code: "type-mismatch",
        message: `\`${name}\` must be a ${kind} here and is ${field.type.kind} in the state.`,
        fix: `Name a state field of type ${kind}.`,
      });
    }
  }
}

function checkStarts(ways: readonly Way[], reporter: Reporter): void {
  const starts = ways.filter((way) => way.from === START);
  for (const way of starts) {
    if (way.edge === starts[0]?.edge) continue;
    reporter.error(["edges", way.edge], {
      code: "many-starts",
      message: "More than one edge begins at START.",
      fix: "Keep one, and begin the others at a node.",
    });
  }
}

/** A way in and a way out. */
function checkEnds(ways: readonly Way[], { reporter, nodes }: GraphContext): void {
  const ids = nodes.flatMap((node) => node.id ?? []);
  const sources = new Set(ways.map((way) => way.from));
  const targets = new Set(ways.map((way) => way.to));
  if (!sources.has(START)) {
    const first = ids[0] ?? ways.find((way) => !targets.has(way.from))?.from ?? "…";
    reporter.error(["edges"], {
      code: "no-start",
      message: "No edge begins at START.",
      fix: `Add \`{from: START, to: ${first}}\`.`,
      at: "key",
    });
  }
  if (!targets.has(END)) {
    const last = ids.at(-1) ?? ways.find((way) => !sources.has(way.to))?.to ?? "…";
    reporter.error(["edges"], {
      code: "no-end",
      message: "No edge leads to END.",
      fix: `Add \`{from: ${last}, to: END}\`.`,
      at: "key",
    });
  }
}

/** Two plain edges from one node are a fork, in CA as well; twice the same edge is a slip. */
function checkForks(file: Json, ways: readonly Way[], reporter: Reporter): void {
  const seen = new Map<string, Way>();
  const edges = listOf(member(file, "edges"));
  for (const way of ways) {
    if (way.from === START || kindsOf(edges[way.edge]).join() !== "to") continue;
    const earlier = seen.get(way.from);
    if (earlier === undefined) {
      seen.set(way.from, way);
    } else if (earlier.to === way.to) {
      reporter.error(["edges", way.edge], {
        code: "duplicate-edge",
        message: `The edge from \`${way.from}\` to \`${way.to}\` is here twice.`,
        fix: "Remove one of the two.",
      });
    } else {
      reporter.error(["edges", way.edge], {
        code: "unsupported",
        message: `\`${way.from}\` leads to \`${earlier.to}\` and to \`${way.to}\`: this version cannot run branches side by side.`,
        fix: "Put the nodes one after the other.",
      });
    }
  }
}

/** Every node can be reached from START and can reach END. */
function checkPaths(ways: readonly Way[], { reporter, nodes }: GraphContext): void {
  const forward = collect(START, ways, (way) => [way.from, way.to]);
  const backward = collect(END, ways, (way) => [way.to, way.from]);
  for (const { id, path } of nodes) {
    if (id === undefined) continue;
    if (!forward.has(id)) {
      reporter.error([...path, "id"], {
        code: "unreachable",
        message: `No path leads from START to \`${id}\`.`,
        fix: `Add an edge with \`to: ${id}\`, or remove the node.`,
      });
    } else if (!backward.has(id)) {
      reporter.error([...path, "id"], {
        code: "dead-end",
        message: `No path leads from \`${id}\` to END.`,
        fix: `Add \`{from: ${id}, to: END}\`, or an edge to a node that gets there.`,
      });
    }
  }
}

function collect(
  origin: string,
  ways: readonly Way[],
  ends: (way: Way) => readonly [string, string],
): Set<string> {
  const next = new Map<string, string[]>();
  for (const way of ways) {
    const [from, to] = ends(way);
    next.set(from, [...(next.get(from) ?? []), to]);
  }
  const found = new Set([origin]);
  for (const id of found) for (const other of next.get(id) ?? []) found.add(other);
  return found;
}
