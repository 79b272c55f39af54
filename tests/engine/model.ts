/**
 * A simple model of what a random workflow does: it goes through the blocks one after the other, each once
 * all blocks before it are done. No tokens, no time, no journal: nothing here is shared with the engine
 * but the names of its steps.
 */
import { isJsonObject, type Json, type JsonObject } from "../../src/lib/json.ts";
import {
  type Behaviour,
  type Block,
  type Graph,
  type Program,
  reachedBlocks,
  tailOf,
  type Target,
} from "./random-workflow.ts";

export interface Expected {
  /** The key of the step that fails the run; undefined when it succeeds. */
  readonly failedKey: string | undefined;
  readonly values: JsonObject;
  /** Every model and tool call that is made in the end: `kind path/key/firstAttempt.ordinal`. */
  readonly calls: readonly string[];
  /** Executions by node, of this workflow alone. */
  readonly executions: Readonly<Record<string, number>>;
  readonly exhaustedCount: number;
}

/** What a scripted node leaves: a number that depends on all that it could know without a race. */
export function digest(...parts: readonly Json[]): string {
  return Bun.hash(JSON.stringify(parts, sortKeys)).toString(36);
}

function sortKeys(_: string, value: unknown): unknown {
  return isJsonObject(value)
    ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
    : value;
}

/** The nodes that lead to a node, whose results it has seen when it starts. */
export function predecessors(
  workflow: Program["workflow"],
): ReadonlyMap<string, readonly string[]> {
  const before = new Map<string, Set<string>>();
  const add = (from: string, to: string) => {
    if (from !== "START") before.set(to, (before.get(to) ?? new Set()).add(from));
  };
  for (const edge of workflow.edges) {
    const targets =
      edge.kind === "to"
        ? edge.to
        : edge.kind === "routes"
          ? edge.routes.map((route) => route.to)
          : [edge.from, edge.exitTo];
    for (const to of targets) add(edge.from, to);
  }
  for (const { id, onError } of workflow.nodes) if (onError.kind === "route") add(id, onError.to);
  return new Map(Array.from(before, ([to, froms]) => [to, [...froms].toSorted()]));
}

/** Which of its routes a node takes in its nth execution. */
export function pickOf(id: string, number: number, count: number): number {
  return Number(Bun.hash(`${id} ${number}`) % BigInt(count));
}

export function expectedOf(program: Program, initial: JsonObject): Expected {
  const model = createModel(program, { path: "root", initial });
  model.runGraph(program.graph);
  return model.result();
}

interface Place {
  /** Which run it is: `root`, or the step that has started it. */
  readonly path: string;
  readonly initial: JsonObject;
}

function createModel(program: Program, { path, initial }: Place) {
  const workflow = path === "root" ? program.workflow : program.childWorkflow;
  const before = predecessors(workflow);
  const values: Record<string, Json> = { ...initial };
  const executions: Record<string, number> = {};
  const calls: string[] = [];
  let failedKey: string | undefined;
  let exhaustedCount = 0;

  function next(id: string): { key: string; number: number } {
    const number = (executions[id] ?? 0) + 1;
    executions[id] = number;
    return { key: number === 1 ? id : `${id}#${number}`, number };
  }

  function seen(id: string): Json[] {
    return (before.get(id) ?? []).map((one) => values[`v_${one}`] ?? values[`c_${one}`] ?? null);
  }

  /** Makes the calls of all attempts. @returns false when none of them succeeds. */
  function attempt(key: string, { calls: kinds, failures }: Behaviour): boolean {
    const count = failures?.count ?? 0;
    const isRefused = failures?.code === "output_invalid";
    const call = (ordinal: number, number: number) =>
      calls.push(`${kinds[ordinal]} ${path}/${key}/${number}.${ordinal}`);
    // What an attempt after a refused answer had found before is asked for anew.
    const refusedCount = isRefused ? count : 0;
    for (let index = 1; index <= refusedCount; index += 1)
      for (let ordinal = 0; ordinal < (failures?.afterCalls ?? 0); ordinal += 1)
        call(ordinal, index);
    const first = isRefused ? count + 1 : 1;
    const isBroken = failures?.code === "tool_failed";
    const made = isBroken ? failures.afterCalls : kinds.length;
    for (let ordinal = 0; ordinal < made; ordinal += 1) call(ordinal, first);
    return !isBroken;
  }

  function write(key: string, patch: JsonObject): void {
    const { log, ...rest } = patch;
    Object.assign(values, rest);
    if (log === undefined) return;
    const others = Array.isArray(values["log"]) ? values["log"] : [];
    values["log"] = [...others, key];
    values["total"] = Number(values["total"] ?? 0) + 1;
    const nodes = Array.isArray(values["seen"]) ? values["seen"] : [];
    const id = key.split("#")[0] ?? key;
    if (!nodes.includes(id)) values["seen"] = [...nodes, id];
  }

  function scripted(id: string, behaviour: Behaviour): { number: number; isDone: boolean } {
    const inputs = seen(id);
    const { key, number } = next(id);
    const isDone = attempt(key, behaviour);
    if (isDone) write(key, { [`v_${id}`]: digest(id, number, inputs), log: [key] });
    return { number, isDone };
  }

  function runChild(key: string): JsonObject {
    const place = {
      path: `${path}/${key}`,
      initial: childInitial(program, values["topic"] ?? null),
    };
    const child = createModel(program, place);
    child.runGraph(program.child);
    calls.push(...child.result().calls);
    return child.result().values;
  }

  function runNode(block: Extract<Block, { kind: "node" }>): readonly Target[] {
    const { id, does, behaviour, isSkipped, onError, out } = block;
    if (isSkipped) {
      next(id);
      return out.targets;
    }
    if (does === "wait" || does === "approval") {
      next(id);
      return out.targets;
    }
    if (does === "workflow") {
      const { key } = next(id);
      values[`v_${id}`] = runChild(key);
      return out.targets;
    }
    const { number, isDone } = scripted(id, behaviour);
    if (!isDone) {
      if (onError === undefined) failedKey = number === 1 ? id : `${id}#${number}`;
      else values[`error_${id}`] = "It is broken.";
      if (onError?.kind === "route") return [onError.to];
      return onError === undefined ? [] : out.targets;
    }
    if (out.kind === "fork") return out.targets;
    const pick = pickOf(id, number, out.targets.length);
    values[`pick_${id}`] = pick;
    return out.targets.slice(pick, pick + 1);
  }

  function runLoop(block: Extract<Block, { kind: "loop" }>): void {
    const { id, behaviour, doneEvery, maxIterations } = block;
    for (let round = 1; ; round += 1) {
      const { number } = scripted(id, behaviour);
      const isDone = doneEvery > 0 && number % doneEvery === 0;
      values[`done_${id}`] = isDone;
      if (isDone) return;
      if (round === maxIterations) {
        exhaustedCount += 1;
        return;
      }
    }
  }

  function runMap(block: Extract<Block, { kind: "map" }>): void {
    const { id, does, behaviour, itemCount, skipsFirst } = block;
    const inputs = seen(id);
    const { key, number } = next(id);
    const results: Json[] = [];
    for (let index = 0; index < itemCount; index += 1) {
      if (skipsFirst && index === 0) continue;
      const item = `${key}[${index}]`;
      if (does === "workflow") results.push(runChild(item));
      else {
        const isBroken = index === behaviour.failingItem;
        const { calls: kinds } = behaviour;
        const failures = { count: 1, code: "tool_failed", afterCalls: kinds.length } as const;
        const isDone = attempt(item, isBroken ? { calls: kinds, failures } : behaviour);
        if (isDone) results.push(digest(id, number, inputs, index, index * 10));
      }
    }
    values[`c_${id}`] = results;
  }

  function runBlock(block: Block): readonly Target[] {
    switch (block.kind) {
      case "node":
        return runNode(block);
      case "loop":
        runLoop(block);
        return block.out.targets;
      case "map":
        runMap(block);
        return block.out.targets;
      case "circle": {
        const { id, inner, roundCount, behaviour } = block;
        const tail = tailOf(id);
        for (;;) {
          scripted(id, behaviour);
          runGraph(inner);
          const { number } = scripted(tail, { calls: [] });
          values[`again_${tail}`] = number % roundCount !== 0;
          if (number % roundCount === 0) return block.out.targets;
        }
      }
    }
  }

  function runGraph(inner: Graph): void {
    const active = new Set(inner.entries);
    const reached = reachedBlocks(inner);
    for (const [index, block] of inner.blocks.entries()) {
      if (!active.has(index) || !reached.has(index)) continue;
      for (const target of runBlock(block)) if (target !== "out") active.add(target);
    }
  }

  const result = (): Expected => ({ failedKey, values, calls, executions, exhaustedCount });
  return { runGraph, result };
}

/** What a called workflow begins with. */
export function childInitial({ childWorkflow }: Program, topic: Json): JsonObject {
  const defaults = childWorkflow.state.map((field) => [field.name, field.default]);
  return { ...Object.fromEntries(defaults), topic };
}

/** Values in which lists whose order depends on who was quicker are sorted. */
export function settled(values: JsonObject): JsonObject {
  const sorted = ["log", "seen"].map((name) => {
    const list = values[name];
    return [name, Array.isArray(list) ? list.map(String).toSorted() : null] as const;
  });
  return { ...values, ...Object.fromEntries(sorted) };
}
