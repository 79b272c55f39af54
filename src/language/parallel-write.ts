/**
 * Nodes that may run at the same time must not write the same field, unless the field says how that is
 * merged. Two nodes may run at the same time when a fork leads to both of them on ways that share no node,
 * and neither waits for the other.
 */
import type { Edge } from "../domain/workflow.ts";
import { type Arrow, arrowsOf, branchesFrom, type Digraph, digraphOf } from "../lib/digraph.ts";
import { type FlowGraph, graphOf, reachersIn } from "./flow.ts";
import type { GraphContext } from "./graph.ts";
import type { Path } from "./report.ts";

/**
 * How often it is looked whether a fork crowds a loop, which takes about a millisecond in a large workflow.
 * In one with more forks and loops each is taken to do so: a `merge` is easily written.
 */
const LOOP_LOOK_COUNT_MAX = 1_000;

interface Writer {
  readonly id: string;
  /** Where the node says that it writes the field. */
  readonly path: Path;
}

export function checkParallelWrites(edges: readonly Edge[], context: GraphContext): void {
  const forks = edges.filter((edge) => edge.kind === "to" && edge.to.length > 1);
  if (forks.length === 0) return;
  const parts = graphOf({ nodes: context.read, edges });
  const { forward: graph, loops } = parts;
  const waits = waitsIn(parts);
  const arrows = arrowsOf(graph);
  const crowdable = [...loops.values()]
    .map((members) => readLoop(members, arrows))
    .filter((loop) => canBeCrowded(loop, waits));
  let looks = 0;
  const left = writersByField(context);
  // Of each field those that one other does not wait for: in most workflows none, and then no fork is looked at.
  const loose = new Map<string, readonly Writer[]>();
  for (const [field, writers] of left) {
    const found = writers.filter(({ id }) => writers.some((other) => isLoose(id, other.id, waits)));
    loose.set(field, found);
    const isInLoop = crowdable.some((loop) => findPairIn(loop, writers) !== undefined);
    if (found.length === 0 && !isInLoop) left.delete(field);
  }
  const settle = (field: string, pair: Pair | undefined) => {
    if (pair === undefined) return;
    // One problem a field: its `merge` is the answer to all of them.
    left.delete(field);
    report(field, pair, context);
  };
  for (const { from } of forks) {
    if (left.size === 0) return;
    const branches = branchesFrom(from, graph);
    for (const field of left.keys())
      settle(field, findPair(loose.get(field) ?? [], { branches, waits }));
    for (const loop of crowdable) {
      const pairs = [...left].map(
        ([field, writers]) => [field, findPairIn(loop, writers)] as const,
      );
      if (pairs.every(([, pair]) => pair === undefined)) continue;
      looks += 1;
      if (looks <= LOOP_LOOK_COUNT_MAX && !isCrowded(loop, from, { branches, waits })) continue;
      for (const [field, pair] of pairs) settle(field, pair);
    }
  }
}

/** Whether a node waits for another one that is under way. */
function waitsIn(parts: FlowGraph): (id: string, other: string) => boolean {
  const known = new Map<string, ReadonlySet<string>>();
  return (id, other) => {
    const reachers = known.get(id) ?? reachersIn(parts, id);
    known.set(id, reachers);
    return reachers.has(other);
  };
}

/** Neither waits for the other. */
function isLoose(one: string, other: string, waits: Together["waits"]): boolean {
  return one !== other && !waits(one, other) && !waits(other, one);
}

/** A loop, with what tells whether several of its rounds may run at once. */
interface LoopParts {
  readonly members: ReadonlySet<string>;
  /** The arrows into it. */
  readonly entries: readonly Arrow[];
  /** Where its arrows back to its begin come from. */
  readonly lasts: readonly string[];
  /** One round of it. */
  readonly round: () => Digraph;
}

function readLoop(members: ReadonlySet<string>, arrows: readonly Arrow[]): LoopParts {
  const [header = ""] = members;
  const inner = arrows.filter(({ from, to }) => members.has(from) && members.has(to));
  let round: Digraph | undefined;
  return {
    members,
    entries: arrows.filter(({ from, to }) => !members.has(from) && members.has(to)),
    lasts: inner.flatMap(({ from, to }) => (to === header ? [from] : [])),
    round: () => (round ??= digraphOf(inner.filter(({ to }) => to !== header))),
  };
}

/** Whether there are two ways in, or back to the begin, that do not wait for each other. */
function canBeCrowded({ entries, lasts }: LoopParts, waits: Together["waits"]): boolean {
  const hasTwo = (ids: readonly string[]) =>
    ids.some((one) => ids.some((other) => isLoose(one, other, waits)));
  return hasTwo(lasts) || hasTwo([...new Set(entries.map(({ to }) => to))]);
}

/**
 * Whether several rounds of a loop may run at once: branches of a fork in it go back to its begin, or branches
 * of a fork before it enter it, and neither waits for the other.
 */
function isCrowded(loop: LoopParts, fork: string, outside: Together): boolean {
  if (!loop.members.has(fork)) {
    const reached = loop.entries.filter(({ from }) => from === fork || outside.branches.has(from));
    return haveTwo([...new Set(reached.map(({ to }) => to))], outside);
  }
  const branches = branchesFrom(fork, loop.round());
  const sources = loop.lasts.filter((from) => branches.has(from));
  return haveTwo(sources, { branches, waits: outside.waits });
}

/** Two places in different branches, neither of which waits for the other. */
function haveTwo(places: readonly string[], { branches, waits }: Together): boolean {
  return places.some((one) =>
    places.some((other) => branches.get(one) !== branches.get(other) && isLoose(one, other, waits)),
  );
}

function findPairIn({ members }: LoopParts, writers: readonly Writer[]): Pair | undefined {
  const [left, right] = writers.filter(({ id }) => members.has(id));
  return left === undefined || right === undefined ? undefined : [left, right];
}

type Pair = readonly [Writer, Writer];

/** For fields without `merge` that more than one node writes. */
function writersByField({ read, nodes, maps, fields }: GraphContext): Map<string, Writer[]> {
  const merged = new Set(
    fields?.flatMap((field) => (field.merge === undefined ? [] : [field.name])),
  );
  const writers = new Map<string, Writer[]>();
  const add = (field: string, writer: Writer) => {
    if (!merged.has(field)) writers.set(field, [...(writers.get(field) ?? []), writer]);
  };
  for (const [index, { id, outputs, onError }] of read.entries()) {
    const path = nodes[index]?.path ?? [];
    const map = maps.get(id);
    if (map !== undefined) {
      add(map.spec.collectField, { id, path: [...map.path, "collect_field"] });
      continue;
    }
    const names = new Set(outputs.map(({ name }) => name));
    for (const name of names) add(name, { id, path: [...path, "outputs"] });
    const errorField = onError.kind === "fail" ? undefined : onError.errorField;
    if (errorField !== undefined && !names.has(errorField))
      add(errorField, { id, path: [...path, "on_error", "error_field"] });
  }
  for (const [field, { length }] of writers) if (length < 2) writers.delete(field);
  return writers;
}

interface Together {
  /** By node, the first node after the fork that every way to it passes. */
  readonly branches: ReadonlyMap<string, string>;
  readonly waits: (id: string, other: string) => boolean;
}

function findPair(writers: readonly Writer[], { branches, waits }: Together): Pair | undefined {
  // Behind a join there is one branch with very many nodes: only pairs of two branches are looked at.
  const groups = Map.groupBy(writers, ({ id }) => branches.get(id));
  groups.delete(undefined);
  const earlier: Writer[] = [];
  for (const group of groups.values()) {
    for (const left of earlier) {
      const right = group.find(({ id }) => isLoose(left.id, id, waits));
      if (right !== undefined) return [left, right];
    }
    earlier.push(...group);
  }
  return undefined;
}

function report(field: string, [left, right]: Pair, { reporter, fields }: GraphContext): void {
  const isList = fields?.find(({ name }) => name === field)?.type.kind === "list";
  reporter.error(right.path, {
    code: "parallel-write",
    message: `\`${left.id}\` and \`${right.id}\` may run at the same time, and both write \`${field}\`.`,
    fix: `Add \`merge: ${isList ? "append" : "last"}\` to the state field, or let them write different fields.`,
    part: field,
  });
}
