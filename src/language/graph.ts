/** The edges: they name real nodes, begin at START once, and lead through every node to END. */
import { type Edge, END, START, type WorkflowNode } from "../domain/workflow.ts";
import { backArrows, digraphOf, reachableFrom, reversed } from "../lib/digraph.ts";
import type { Json } from "../lib/json.ts";
import { checkReference, type EdgeContext, type Entry, readEntry, type Way } from "./edge.ts";
import type { MappedNode } from "./map.ts";
import { checkParallelWrites } from "./parallel-write.ts";
import { listOf, member } from "./raw.ts";
import type { Reporter } from "./report.ts";

export interface GraphContext extends EdgeContext {
  /** As `nodes`, read. */
  readonly read: readonly WorkflowNode[];
  readonly maps: ReadonlyMap<string, MappedNode>;
}

/** Checks the whole graph. @returns one edge for START and one for each node. */
export function readEdges(file: Json, context: GraphContext): Edge[] {
  const { reporter, nodes } = context;
  const before = reporter.errorCount();
  const raw = listOf(member(file, "edges"));
  const entries = raw.map((each, index) => readEntry(each, ["edges", index], context));
  const found = entries.filter((entry) => entry !== undefined);
  const escapes = readEscapes(context);
  checkStarts(found, reporter);
  const edges = joinEntries(found, reporter);
  checkForks(found, edges, reporter);
  checkLoops(found, context);
  // An edge that could not be read may be the one that would seem to be missing.
  const allRead = raw.length > 0 && entries.every((each) => each && each.ways.length > 0);
  const ways = [...found.flatMap((entry) => entry.ways), ...escapes];
  if (allRead) checkEnds(found, context);
  // With a broken reference, or a node without a name, every node behind it would be unreachable too.
  const isSound = () => reporter.errorCount() === before;
  if (!allRead || !isSound() || nodes.some((node) => node.id === undefined)) return edges;
  checkPaths(ways, context);
  if (isSound()) checkEndless(found, edges, reporter);
  if (isSound()) checkParallelWrites(edges, context);
  return edges;
}

/** The ways that `on_error` adds. */
function readEscapes(context: GraphContext): Way[] {
  return context.read.flatMap((node, index) => {
    const { id, onError } = node;
    if (onError.kind !== "route" || node.map !== undefined) return [];
    const path = [...(context.nodes[index]?.path ?? []), "on_error", "route"];
    checkReference(onError.to, { path, wrong: START }, context);
    if (onError.to === id) {
      context.reporter.error(path, {
        code: "bad-edge",
        message: `\`${id}\` would be started again and again for as long as it fails.`,
        fix: "Write `retry: {max_attempts: …}`, or name another node.",
      });
    }
    return [{ from: id, to: onError.to, path, kind: "error" as const }];
  });
}

function checkStarts(entries: readonly Entry[], reporter: Reporter): void {
  for (const entry of entries.filter(({ from }) => from === START).slice(1)) {
    reporter.error(entry.path, {
      code: "many-starts",
      message: "More than one edge begins at START.",
      fix: "Keep one; `to: [a, b]` begins with several nodes side by side.",
    });
  }
}

/** Several plain edges of one node are one fork, as in CA; twice the same edge is a slip. */
function joinEntries(entries: readonly Entry[], reporter: Reporter): Edge[] {
  const edges = new Map<string, Edge>();
  for (const { from, kind, path, ways, edge } of entries) {
    const earlier = edges.get(from);
    checkTargets(ways, { earlier, from }, reporter);
    if (earlier === undefined) {
      edges.set(from, edge);
    } else if (
      kind !== undefined &&
      from !== START &&
      (earlier.kind !== "to" || edge.kind !== "to")
    ) {
      reporter.error(path, {
        code: "bad-edge",
        message: `\`${from}\` has ${KIND_TEXTS[earlier.kind]} already: a node has one kind of way out.`,
        fix: "Remove one of the two edges, or join them into one.",
      });
    } else if (earlier.kind === "to" && edge.kind === "to") {
      edges.set(from, { ...earlier, to: [...new Set([...earlier.to, ...edge.to])] });
    }
  }
  return [...edges.values()];
}

/** A branch that goes nowhere. */
function checkForks(entries: readonly Entry[], edges: readonly Edge[], reporter: Reporter): void {
  for (const edge of edges) {
    if (edge.kind !== "to" || edge.to.length < 2 || !edge.to.includes(END)) continue;
    const ways = entries.flatMap((entry) => entry.ways);
    const way = ways.find(({ from, to }) => from === edge.from && to === END);
    reporter.warning(way?.path ?? ["edges"], {
      code: "no-effect",
      message: `\`${edge.from}\` leads to other nodes too, and the run goes on with them.`,
      fix: "Remove END here.",
    });
  }
}

const KIND_TEXTS: Readonly<Record<Edge["kind"], string>> = {
  to: "an edge",
  routes: "`routes`",
  loop: "a `loop`",
};

function checkTargets(
  ways: readonly Way[],
  { earlier, from }: { earlier: Edge | undefined; from: string },
  reporter: Reporter,
): void {
  const seen = new Set(earlier?.kind === "to" ? earlier.to : []);
  for (const way of ways) {
    if (way.kind !== "to" && way.kind !== "parallel") continue;
    if (seen.has(way.to) && (from !== START || earlier === undefined)) {
      reporter.error(way.path, {
        code: "duplicate-edge",
        message: `The edge from \`${from}\` to \`${way.to}\` is here twice.`,
        fix: "Remove one of the two.",
      });
    }
    seen.add(way.to);
  }
}

/** A loop that nothing in it can end. */
function checkLoops(entries: readonly Entry[], { read, fields, reporter }: GraphContext): void {
  for (const { from, path, edge } of entries) {
    if (edge.kind !== "loop" || edge.conditionField === "") continue;
    const node = read.find(({ id }) => id === from);
    const field = fields?.find(({ name }) => name === edge.conditionField);
    if (node === undefined || field?.type.kind !== "bool") continue;
    const written = node.map === undefined ? node.outputs.map(({ name }) => name) : [];
    if (written.includes(edge.conditionField)) continue;
    reporter.warning([...path, "loop", "condition_field"], {
      code: "no-effect",
      message: `\`${from}\` does not write \`${edge.conditionField}\`, so it cannot end its loop.`,
      fix: `Add \`${edge.conditionField}\` to the outputs of \`${from}\`.`,
    });
  }
}

/** A way in and a way out. */
function checkEnds(entries: readonly Entry[], { reporter, nodes }: GraphContext): void {
  const ids = nodes.flatMap((node) => node.id ?? []);
  const ways = entries.flatMap((entry) => entry.ways);
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

/** Every node can be reached from START and can reach END. */
function checkPaths(ways: readonly Way[], { reporter, nodes }: GraphContext): void {
  const graph = digraphOf(ways);
  const forward = reachableFrom(START, graph);
  const backward = reachableFrom(END, reversed(graph));
  const sources = new Set(ways.filter(({ kind }) => kind !== "error").map(({ from }) => from));
  for (const { id, path } of nodes) {
    if (id === undefined || id === START || id === END) continue;
    if (!forward.has(id)) {
      reporter.error([...path, "id"], {
        code: "unreachable",
        message: `No path leads from START to \`${id}\`.`,
        fix: `Add an edge with \`to: ${id}\`, or remove the node.`,
      });
    } else if (!backward.has(id) || !sources.has(id)) {
      reporter.error([...path, "id"], {
        code: "dead-end",
        message: `No path leads from \`${id}\` to END.`,
        fix: `Add \`{from: ${id}, to: END}\`, or an edge to a node that gets there.`,
      });
    }
  }
}

/** No node has this id. */
const ANYWHERE = "";

/** A circle of edges that are always taken never ends, even if a branch of it does. */
function checkEndless(entries: readonly Entry[], edges: readonly Edge[], reporter: Reporter): void {
  const arrows = edges.flatMap((edge) =>
    certainTargets(edge).map((to) => ({ from: edge.from, to })),
  );
  // Conditions may lead to any node: the search begins at each of them.
  const roots = edges.map(({ from }) => ({ from: ANYWHERE, to: from }));
  for (const back of backArrows(ANYWHERE, digraphOf([...roots, ...arrows]))) {
    const ways = entries.flatMap((entry) => entry.ways);
    const way = ways.find(({ from, to }) => from === back.from && to === back.to);
    reporter.error(way?.path ?? ["edges"], {
      code: "endless",
      message: `\`${back.to}\` leads back to itself on edges that are always taken: it never ends.`,
      fix: "Write `routes` with a condition on the way back, or a `loop`.",
    });
  }
}

/** Where a run goes sooner or later, whatever the state is. */
function certainTargets(edge: Edge): readonly string[] {
  if (edge.kind === "to") return edge.to;
  if (edge.kind === "loop") return [edge.exitTo];
  const targets = [...new Set(edge.routes.map(({ to }) => to))];
  return targets.length === 1 ? targets : [];
}
