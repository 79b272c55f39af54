/**
 * Random workflows whose outcome does not depend on who is quicker: acyclic graphs of blocks, where a block
 * is a node, a node that loops on itself, a map, or a circle with such a graph inside. Forks, joins,
 * routes, conditions, failures, retries, waits, approvals and workflows inside of workflows are all in it.
 */
import {
  type Edge,
  END,
  type NodeKind,
  type OnError,
  START,
  type Workflow,
  type WorkflowNode,
} from "../../src/domain/workflow.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { createSeededRandom, type SeededRandom } from "../../src/lib/seeded-random.ts";
import { approvalNode, callNode, graph, llmNode, RETRY_ALL, waitNode } from "./fixture.ts";

/** What a scripted node does in each of its executions. */
export interface Behaviour {
  readonly calls: readonly ("model" | "tool")[];
  /** Attempts of each execution that fail before one succeeds; all of them when it never does. */
  readonly failures?: {
    readonly count: number;
    readonly code: "timeout" | "output_invalid" | "tool_failed";
    /** Calls that each of these attempts makes, or finds made, before it fails. */
    readonly afterCalls: number;
  };
  /** Only this item of a map fails. */
  readonly failingItem?: number;
}

/** Where a block leads to: blocks of the same graph by their index, or out of it. */
export type Target = number | "out";

export type Out =
  | { readonly kind: "fork"; readonly targets: readonly Target[] }
  | { readonly kind: "routes"; readonly targets: readonly Target[] };

interface BlockBase {
  readonly id: string;
  readonly out: Out;
}

export type Block =
  | (BlockBase & {
      readonly kind: "node";
      readonly does: NodeKind;
      readonly behaviour: Behaviour;
      readonly isSkipped: boolean;
      readonly onError?:
        | { readonly kind: "continue" }
        | { readonly kind: "route"; readonly to: Target };
      readonly waitMs: number;
    })
  | (BlockBase & {
      readonly kind: "loop";
      readonly behaviour: Behaviour;
      /** Its condition is true in every execution whose number this divides; never for 0. */
      readonly doneEvery: number;
      readonly maxIterations: number;
    })
  | (BlockBase & {
      readonly kind: "map";
      readonly does: "llm" | "workflow";
      readonly behaviour: Behaviour;
      readonly itemCount: number;
      readonly skipsFirst: boolean;
      readonly maxConcurrency: number;
    })
  | (BlockBase & {
      readonly kind: "circle";
      readonly behaviour: Behaviour;
      /** Rounds of each entry. */
      readonly roundCount: number;
      readonly inner: Graph;
    });

export interface Graph {
  /** Each leads to later ones only; the first is the entry. */
  readonly blocks: readonly Block[];
  readonly entries: readonly number[];
}

export interface Program {
  readonly graph: Graph;
  readonly workflow: Workflow;
  /** Workflows that it calls: one line of nodes. */
  readonly child: Graph;
  readonly childWorkflow: Workflow;
}

const NEVER = 99;

export function randomProgram(seed: string): Program {
  const random = createSeededRandom(seed);
  const maker = createMaker(random);
  const top = maker.withFault(maker.graph({ prefix: "n", depth: 0 }));
  const child = maker.line();
  return {
    graph: top,
    workflow: compile("test", top, random),
    child,
    childWorkflow: compile("child", child, random),
  };
}

function createMaker(random: SeededRandom) {
  const chance = (percent: number) => random.integer(1, 100) <= percent;

  function behaviour(): Behaviour {
    const calls = Array.from({ length: random.integer(0, 2) }, () =>
      random.pick(["model", "tool"] as const),
    );
    if (!chance(25)) return { calls };
    const code = random.pick(["timeout", "output_invalid"] as const);
    const afterCalls = random.integer(0, calls.length);
    return { calls, failures: { count: random.integer(1, 2), code, afterCalls } };
  }

  function broken(): Behaviour {
    const { calls } = behaviour();
    return { calls, failures: { count: NEVER, code: "tool_failed", afterCalls: calls.length } };
  }

  function out(index: number, count: number, isSingle: boolean): Out {
    const later = Array.from({ length: count - index - 1 }, (_, offset) => index + 1 + offset);
    const all: readonly Target[] = [...later, "out"];
    const wanted = isSingle ? 1 : random.integer(1, Math.min(3, all.length));
    const targets = new Set<Target>();
    // Near ones first, so that most blocks are reached.
    if (later[0] !== undefined && chance(70)) targets.add(later[0]);
    while (targets.size < wanted) targets.add(all[random.integer(0, all.length - 1)] ?? "out");
    const isRouted = !isSingle && targets.size > 1 && chance(35);
    return { kind: isRouted ? "routes" : "fork", targets: [...targets] };
  }

  function node(id: string, index: number, count: number): Block {
    const does = random.pick(["llm", "llm", "llm", "llm", "wait", "approval", "workflow"] as const);
    const ways = out(index, count, false);
    const base = { kind: "node", id, does, waitMs: random.pick([0, 500, 5_000, 600_000]) } as const;
    if (does !== "llm")
      return {
        ...base,
        behaviour: { calls: [] },
        isSkipped: false,
        out: { ...ways, kind: "fork" },
      };
    const isSkipped = ways.kind === "fork" && chance(12);
    if (isSkipped || !chance(20)) return { ...base, behaviour: behaviour(), isSkipped, out: ways };
    // A failure that is survived writes nothing that a route could be chosen by.
    const survived = {
      ...base,
      behaviour: broken(),
      isSkipped,
      out: { ...ways, kind: "fork" },
    } as const;
    const [target] = out(index, count, true).targets;
    return chance(50) || target === undefined
      ? { ...survived, onError: { kind: "continue" } }
      : { ...survived, onError: { kind: "route", to: target } };
  }

  function block(index: number, count: number, place: { prefix: string; depth: number }): Block {
    const id = `${place.prefix}${index}`;
    const kind = random.integer(1, 100);
    const single = () => out(index, count, true);
    if (kind <= 12) {
      const maxIterations = random.integer(1, 3);
      const loop = { kind: "loop", id, maxIterations, doneEvery: random.integer(0, 3) } as const;
      return { ...loop, behaviour: behaviour(), out: single() };
    }
    if (kind <= 26) {
      const does = chance(25) ? "workflow" : "llm";
      const itemCount = random.integer(0, 4);
      const map = {
        kind: "map",
        id,
        does,
        itemCount,
        maxConcurrency: random.integer(1, 3),
      } as const;
      const ways = out(index, count, false);
      return {
        ...map,
        behaviour: does === "workflow" ? { calls: [] } : { ...behaviour(), ...failingItem(does) },
        skipsFirst: chance(30),
        out: { ...ways, kind: "fork" },
      };
    }
    if (kind <= 42 && place.depth < 2) {
      const inner = graphOf({ prefix: `${id}_`, depth: place.depth + 1 });
      const roundCount = random.integer(1, 3);
      return { kind: "circle", id, roundCount, inner, behaviour: behaviour(), out: single() };
    }
    return node(id, index, count);
  }

  function failingItem(does: string): { failingItem?: number } {
    return does === "llm" && chance(25) ? { failingItem: random.integer(0, 3) } : {};
  }

  function graphOf(place: { prefix: string; depth: number }): Graph {
    const count = random.integer(1, place.depth === 0 ? 6 : 3);
    const blocks = Array.from({ length: count }, (_, index) => block(index, count, place));
    const entries = blocks.flatMap((_, index) => (index === 0 || chance(15) ? [index] : []));
    return { blocks, entries };
  }

  /** One node after the other: what they leave does not depend on any race. */
  function line(): Graph {
    const count = random.integer(1, 3);
    const blocks = Array.from({ length: count }, (_, index): Block => ({
      kind: "node",
      id: `c${index}`,
      does: "llm",
      behaviour: behaviour(),
      isSkipped: false,
      waitMs: 0,
      out: { kind: "fork", targets: [index + 1 < count ? index + 1 : "out"] },
    }));
    return { blocks, entries: [0] };
  }

  /** Now and then one node fails for good and takes the run with it. */
  function withFault(top: Graph): Graph {
    if (!chance(12)) return top;
    const chosen = random.integer(0, top.blocks.length - 1);
    const blocks = top.blocks.map((one, index): Block => {
      if (index !== chosen || one.kind !== "node" || one.does !== "llm") return one;
      const { onError: _, ...rest } = one;
      return { ...rest, behaviour: broken(), isSkipped: false };
    });
    return { ...top, blocks };
  }

  return { graph: graphOf, line, withFault };
}

/** Blocks that a graph ever comes to; the others are left out of the workflow. */
export function reachedBlocks({ blocks, entries }: Graph): ReadonlySet<number> {
  const reached = new Set(entries);
  for (const [index, block] of blocks.entries()) {
    if (!reached.has(index)) continue;
    const escape =
      block.kind === "node" && block.onError?.kind === "route" ? [block.onError.to] : [];
    for (const target of [...block.out.targets, ...escape])
      if (target !== "out") reached.add(target);
  }
  return reached;
}

/** The lists that the maps of a graph go through. */
export function itemsOf({ blocks }: Graph): Record<string, number[]> {
  const lists = blocks.map((block): Record<string, number[]> => {
    if (block.kind === "circle") return itemsOf(block.inner);
    if (block.kind !== "map") return {};
    const items = Array.from({ length: block.itemCount }, (_, index) => index * 10);
    return { [`items_${block.id}`]: items };
  });
  return Object.assign({}, ...lists);
}

/** The values that a run of the program begins with. */
export function initialOf({
  workflow,
  graph: top,
}: Pick<Program, "workflow" | "graph">): JsonObject {
  const defaults = workflow.state.map((field) => [field.name, field.default]);
  return { ...Object.fromEntries(defaults), topic: "tea", ...itemsOf(top) };
}

/** The node in which a circle's round ends. */
export function tailOf(id: string): string {
  return `${id}_tail`;
}

function compile(name: string, top: Graph, random: SeededRandom): Workflow {
  const nodes: WorkflowNode[] = [];
  const edges: Edge[] = [];

  function compileGraph({ blocks, ...rest }: Graph, outside: string): string[] {
    const reached = reachedBlocks({ blocks, ...rest });
    const idOf = (target: Target) => (target === "out" ? outside : (blocks[target]?.id ?? outside));
    for (const [index, block] of blocks.entries())
      if (reached.has(index)) compileBlock(block, idOf);
    return rest.entries.map(idOf);
  }

  function leave(from: string, out: Out, idOf: (target: Target) => string): void {
    const targets = out.targets.map(idOf);
    if (out.kind === "fork") edges.push({ kind: "to", from, to: targets });
    else {
      const routes = targets.map((to, pick) =>
        pick === targets.length - 1 ? { to } : { condition: `pick_${from} == ${pick}`, to },
      );
      edges.push({ kind: "routes", from, routes });
    }
  }

  function compileBlock(block: Block, idOf: (target: Target) => string): void {
    const { id, out } = block;
    switch (block.kind) {
      case "node": {
        nodes.push(compileNode(block, idOf));
        return leave(id, out, idOf);
      }
      case "loop": {
        nodes.push(scripted(id, [`v_${id}`, `done_${id}`]));
        const exitTo = idOf(out.targets[0] ?? "out");
        const { maxIterations } = block;
        edges.push({ kind: "loop", from: id, conditionField: `done_${id}`, maxIterations, exitTo });
        return undefined;
      }
      case "map": {
        const map = { itemsField: `items_${id}`, collectField: `c_${id}` };
        const { maxConcurrency, skipsFirst } = block;
        const changes = {
          map: { ...map, maxConcurrency },
          onError: { kind: "continue" },
          ...(skipsFirst ? { when: "index > 0" } : {}),
        } as const;
        const outputs = [{ name: `r_${id}`, type: { kind: "any" } as const }];
        nodes.push(
          block.does === "workflow"
            ? callNode(id, "child", { ...changes, outputs })
            : { ...scripted(id, [`r_${id}`]), ...changes },
        );
        return leave(id, out, idOf);
      }
      case "circle": {
        const tail = tailOf(id);
        nodes.push(scripted(id, [`v_${id}`]));
        edges.push({ kind: "to", from: id, to: compileGraph(block.inner, tail) });
        nodes.push(scripted(tail, [`v_${tail}`, `again_${tail}`]));
        const exit = idOf(out.targets[0] ?? "out");
        const again = { condition: `again_${tail}`, to: id };
        edges.push({ kind: "routes", from: tail, routes: [again, { to: exit }] });
      }
    }
  }

  edges.push({ kind: "to", from: START, to: compileGraph(top, END) });
  const itemFields = nodes.flatMap(({ map }) => (map === undefined ? [] : [map.itemsField]));
  return graph(nodes, edges, {
    name,
    concurrency: random.pick([1, 2, 3, 16]),
    fields: ["log", "total", "seen", ...itemFields],
    merges: { log: "append", total: "sum", seen: "union" },
  });
}

function scripted(id: string, outputs: readonly string[]): WorkflowNode {
  return llmNode(id, {
    prompt: id,
    retry: RETRY_ALL,
    outputs: outputs.map((name) => ({ name, type: { kind: "any" } })),
  });
}

function compileNode(
  block: Extract<Block, { kind: "node" }>,
  idOf: (target: Target) => string,
): WorkflowNode {
  const { id, does, isSkipped, waitMs, out } = block;
  if (does === "wait") {
    const isSignal = waitMs === 500;
    return isSignal
      ? waitNode(id, { for: "signal", name: `go_${id}`, onTimeout: "fail" })
      : waitNode(id, { for: "duration", ms: waitMs });
  }
  if (does === "approval") return approvalNode(id);
  if (does === "workflow")
    return callNode(id, "child", { outputs: [{ name: `v_${id}`, type: { kind: "any" } }] });
  const picks = out.kind === "routes" ? [`pick_${id}`] : [];
  return {
    ...scripted(id, [`v_${id}`, ...picks]),
    onError: errorWay(block, idOf),
    ...(isSkipped ? { when: "topic == 'coffee'" } : {}),
  };
}

function errorWay(
  { id, onError }: Extract<Block, { kind: "node" }>,
  idOf: (target: Target) => string,
): OnError {
  if (onError === undefined) return { kind: "fail" };
  const errorField = `error_${id}`;
  return onError.kind === "continue"
    ? { kind: "continue", errorField }
    : { kind: "route", to: idOf(onError.to), errorField };
}
