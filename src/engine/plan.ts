/**
 * What a run does next, from its workflow and its history alone. Pure, and keyed by step key, never by
 * position: any worker that reads the same journal decides the same.
 *
 * The ends of executions put tokens before the nodes that they lead to. A node may start when it has a
 * token and nothing that is under way can still bring it another one in the same round; then it consumes
 * all that are there. So a line, a fork, a join and a loop are the same thing here.
 */
import { AppError, type ErrorRecord } from "../domain/error.ts";
import type { StepKey } from "../domain/event.ts";
import { type Signal, STEP_COUNT_MAX, type WaitingFor } from "../domain/run.ts";
import type { Workflow, WorkflowNode } from "../domain/workflow.ts";
import { assert } from "../lib/assert.ts";
import { defined } from "../lib/defined.ts";
import { isJsonObject, type Json, type JsonObject } from "../lib/json.ts";
import { type Beginning, beginMap, beginStep, type Render } from "./begin.ts";
import type { History, ItemPlace, OpenMap, OpenStep } from "./history.ts";
import { itemKey } from "./key.ts";
import type { WaitAnswer } from "./node/executor.ts";
import { shapeOf } from "./shape.ts";
import { answerTo } from "./wait-answer.ts";

interface MoveBase {
  readonly key: StepKey;
  readonly node: WorkflowNode;
  readonly attempt: number;
  readonly item: ItemPlace | undefined;
}

export type Move =
  /** A new execution, a further attempt of one, or an attempt that was interrupted or has waited. */
  | (MoveBase & {
      readonly type: "start";
      readonly input: JsonObject;
      /** It is a map of these. */
      readonly items?: readonly Json[];
      /** What it has waited for. */
      readonly answer?: WaitAnswer;
      readonly signal?: Signal;
    })
  | (MoveBase & { readonly type: "skip" })
  /** It would start, but has no input: it fails at once. */
  | (MoveBase & { readonly type: "refuse"; readonly error: AppError })
  /** All items of a map have ended. */
  | (MoveBase & { readonly type: "collect"; readonly patch: JsonObject });

export type Plan =
  /** To be made in this order; then there may be more. */
  | { readonly kind: "moves"; readonly moves: readonly Move[] }
  /** Steps are being executed; `dueAt`: when another one may start without any of them ending. */
  | { readonly kind: "busy"; readonly dueAt: number | null }
  /** Something may start, but nothing is to be started any more here. */
  | { readonly kind: "held" }
  | { readonly kind: "waiting"; readonly for: WaitingFor; readonly dueAt: number | null }
  | { readonly kind: "finished"; readonly outputs: JsonObject }
  | { readonly kind: "failed"; readonly error: ErrorRecord };

interface PlanOptions {
  readonly nowMs: number;
  /** Nothing more is to be started. */
  readonly isStopping: boolean;
  readonly render: Render;
}

export function plan(workflow: Workflow, history: History, options: PlanOptions): Plan {
  const found = findMoves(workflow, history, options);
  if (found.isOverLimit) return { kind: "failed", error: tooManySteps().toRecord() };
  const { moves, waits } = found;
  if (moves.length > 0) return { kind: "moves", moves };
  const dueAt = earliest(waits);
  if (history.activeCount > 0) return { kind: "busy", dueAt };
  if (found.isHeld) return { kind: "held" };
  if (history.open.size > 0) return { kind: "waiting", for: waitingFor(waits), dueAt };
  return { kind: "finished", outputs: outputsOf(workflow, history.values) };
}

interface Waiting {
  readonly for: WaitingFor;
  readonly dueAt: number | null;
}

interface Search {
  readonly workflow: Workflow;
  readonly history: History;
  readonly options: PlanOptions;
  readonly moves: Move[];
  readonly waits: Waiting[];
  /** Maps that have begun. */
  readonly maps: OpenStep[];
  /** Steps that may still be started at once. */
  slotCount: number;
  /** Executions that the run may still begin. */
  leftCount: number;
  isHeld: boolean;
  isOverLimit: boolean;
}

function findMoves(workflow: Workflow, history: History, options: PlanOptions): Search {
  const search: Search = {
    workflow,
    history,
    options,
    moves: [],
    waits: [],
    maps: [],
    slotCount: options.isStopping ? 0 : workflow.concurrency - history.activeCount,
    leftCount: STEP_COUNT_MAX - history.executionCount,
    isHeld: false,
    isOverLimit: false,
  };
  // A move that changes the values or puts tokens comes last: what follows from it is planned anew.
  STAGES.some((stage) => stage(search));
  return search;
}

/** Each @returns true when nothing more is to be planned for now. */
const STAGES: readonly ((search: Search) => boolean)[] = [
  goOnAll,
  (search) => search.maps.some((map) => collect(search, map)),
  // Steps are being executed, or slots would be free.
  ({ slotCount, options }) => slotCount <= 0 && !options.isStopping,
  beginNodes,
  (search) => search.maps.some((map) => beginItems(search, map)),
];

function goOnAll(search: Search): boolean {
  for (const step of search.history.open.values()) {
    if (step.map !== undefined && step.attempt.state === "running") search.maps.push(step);
    else if (!step.isActive && goOn(search, step)) return true;
  }
  return false;
}

function beginNodes(search: Search): boolean {
  const { nodes } = shapeOf(search.workflow);
  for (const nodeId of readyNodes(search.history)) {
    const node = nodes.get(nodeId);
    assert(node !== undefined, `no node ${nodeId}`);
    if (beginNode(search, node)) return true;
  }
  return false;
}

/** Nodes whose tokens wait for nothing. */
function* readyNodes({ marks }: History): Iterable<string> {
  let count = 0;
  for (const nodeId of marks.open.keys()) {
    if (marks.isBlocked(nodeId)) continue;
    count += 1;
    yield nodeId;
  }
  // Tokens that block each other and nothing else: the one that came first is let through.
  const [first] = marks.open.keys();
  if (count === 0 && marks.liveCount === 0 && first !== undefined) yield first;
}

/** Takes a slot; false when there is none. */
function takeSlot(search: Search): boolean {
  if (search.slotCount > 0) search.slotCount -= 1;
  else search.isHeld = true;
  return !search.isHeld;
}

/** Takes a slot for a new execution. */
function takeBeginning(search: Search): boolean {
  if (!takeSlot(search)) return false;
  search.leftCount -= 1;
  if (search.leftCount < 0) search.isOverLimit = true;
  return !search.isOverLimit;
}

/** @returns true when what follows has to be planned anew. */
function goOn(search: Search, step: OpenStep): boolean {
  const { state, retryAt, error } = step.attempt;
  if (state === "running") {
    if (takeSlot(search)) search.moves.push(takeUp(step));
  } else if (state === "waiting") {
    goOnWaiting(search, step);
  } else if (state === "failed" && retryAt !== null && retryAt > search.options.nowMs) {
    waitFor(search, error?.code === "rate_limited" ? "rate_limit" : "timer", retryAt);
  } else {
    // Its time has come; or it had failed for good or was stopped with its run, and a person lets it go on.
    return tryAgain(search, step);
  }
  return false;
}

/** The attempt as it was begun. */
function takeUp({ key, node, item, attempt }: OpenStep): Extract<Move, { type: "start" }> {
  const input = isJsonObject(attempt.input) ? attempt.input : {};
  return { type: "start", key, node, item, attempt: attempt.attempt, input };
}

function goOnWaiting(search: Search, step: OpenStep): void {
  const { history, options, moves } = search;
  const state = answerTo(step, { history, nowMs: options.nowMs });
  if (state.kind === "waiting")
    return waitFor(search, step.attempt.wait?.for ?? "timer", state.dueAt);
  const answered = state.kind === "answered" ? state : undefined;
  if (isPromised(search, answered?.signal) || !takeSlot(search)) return;
  const { answer, signal } = answered ?? {};
  moves.push({ ...takeUp(step), ...defined({ answer, signal }) });
}

function waitFor(search: Search, what: WaitingFor, dueAt: number | null): void {
  search.waits.push({ for: what, dueAt });
}

/** Another step of this plan goes on with the signal. */
function isPromised({ moves }: Search, signal: Signal | undefined): boolean {
  return (
    signal !== undefined &&
    moves.some((move) => move.type === "start" && move.signal?.seq === signal.seq)
  );
}

/** The next attempt, with the input of the one before it where that had one. */
function tryAgain(search: Search, step: OpenStep): boolean {
  if (!takeSlot(search)) return false;
  const { key, node, item, attempt, map } = step;
  const place = { key, node, item, attempt: attempt.attempt + 1 };
  const { input } = attempt;
  if (isJsonObject(input)) {
    const items = map?.items;
    return addBeginning(search, place, { kind: "begin", input, ...defined({ items }) });
  }
  const { values } = search.history;
  const beginning =
    item === undefined && node.map !== undefined
      ? beginMap(node.map.itemsField, values)
      : beginStep({ node, values, item, isFirst: false }, search.options.render);
  return addBeginning(search, place, beginning);
}

function beginNode(search: Search, node: WorkflowNode): boolean {
  if (!takeBeginning(search)) return true;
  const { history, options } = search;
  const key = history.nextKey(node.id);
  const place = { key, node, item: undefined, attempt: history.nextAttempt(key) };
  const { values } = history;
  if (node.map === undefined) {
    const beginning = beginStep({ node, values, item: undefined, isFirst: true }, options.render);
    return addBeginning(search, place, beginning);
  }
  // The map itself executes nothing: its items take the slots.
  search.slotCount += 1;
  return addBeginning(search, place, beginMap(node.map.itemsField, values));
}

/** @returns true when nothing more is to be planned for now. */
function beginItems(search: Search, { key: mapKey, node, map }: OpenStep): boolean {
  const { history, options } = search;
  let freeCount = (node.map?.maxConcurrency ?? 1) - (map?.openCount ?? 0);
  for (const index of unbegun(map)) {
    if (freeCount <= 0) return false;
    if (!takeBeginning(search)) return true;
    freeCount -= 1;
    const value = map?.items[index] ?? null;
    const key = itemKey(mapKey, index);
    const item = { mapKey, index, value };
    const place = { key, node, item, attempt: history.nextAttempt(key) };
    const beginning = beginStep(
      { node, values: history.values, item, isFirst: true },
      options.render,
    );
    if (addBeginning(search, place, beginning)) return true;
  }
  return false;
}

function* unbegun(map: OpenMap | undefined): Iterable<number> {
  if (map === undefined) return;
  for (let index = map.nextIndex; index < map.items.length; index += 1)
    if (!map.begun.has(index)) yield index;
}

/** @returns true for what may change the values or put tokens. */
function addBeginning(search: Search, place: MoveBase, beginning: Beginning): boolean {
  if (beginning.kind === "begin") {
    const { input, items } = beginning;
    search.moves.push({ type: "start", ...place, input, ...defined({ items }) });
    return false;
  }
  if (beginning.kind === "refuse") {
    search.moves.push({ type: "refuse", ...place, error: beginning.error });
    return true;
  }
  search.moves.push({ type: "skip", ...place });
  // Items put no tokens, and a skipped one changes nothing.
  return place.item === undefined;
}

/** Ends a map whose items have all ended. */
function collect(search: Search, step: OpenStep): boolean {
  const { key, node, map, attempt } = step;
  if (map === undefined || node.map === undefined) return false;
  if (map.openCount > 0 || map.nextIndex < map.items.length) return false;
  const results = map.items.flatMap((_, index): Json[] => {
    const result = map.results.get(index);
    return result === undefined ? [] : [result];
  });
  const patch = { [node.map.collectField]: results };
  search.moves.push({
    type: "collect",
    key,
    node,
    item: undefined,
    attempt: attempt.attempt,
    patch,
  });
  return true;
}

function earliest(waits: readonly Waiting[]): number | null {
  let dueAt = Infinity;
  for (const wait of waits) dueAt = Math.min(dueAt, wait.dueAt ?? Infinity);
  return dueAt === Infinity ? null : dueAt;
}

/** What a person could do something about comes first. */
const WAITING_ORDER = ["budget", "approval", "signal", "run", "rate_limit", "timer"] as const;

function waitingFor(waits: readonly Waiting[]): WaitingFor {
  return WAITING_ORDER.find((what) => waits.some((wait) => wait.for === what)) ?? "timer";
}

/** The outputs of a run: every field of the state that a step writes. */
function outputsOf(workflow: Workflow, values: JsonObject): JsonObject {
  return Object.fromEntries(
    shapeOf(workflow).outputNames.map((name) => [name, values[name] ?? null]),
  );
}

function tooManySteps(): AppError {
  return new AppError(
    "limit_reached",
    `The run has executed ${STEP_COUNT_MAX} steps, which is the most that a run may.`,
    { fix: "Look for a circle in the graph that never ends, or split the work over several runs." },
  );
}
