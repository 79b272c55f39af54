/**
 * The journal of one run in memory, kept equal to the stored one by the worker that holds the claim
 * (its only writer). Made from what the store has, so a crash leaves nothing to reconstruct, and one
 * made anew decides the same as one that has been kept.
 *
 * Executions that have ended are forgotten but for what later ones need: counts, and results of items.
 */
import type { ErrorRecord } from "../domain/error.ts";
import type { StepKey } from "../domain/event.ts";
import type { Journal, Run, Signal, StepAttempt, StepCall, Wait } from "../domain/run.ts";
import { applyPatch } from "../domain/state.ts";
import { START, type Workflow, type WorkflowNode } from "../domain/workflow.ts";
import { assert } from "../lib/assert.ts";
import { isJsonObject, type Json, type JsonObject } from "../lib/json.ts";
import { type AttemptLog, createAttemptLog, type FinishedCalls } from "./attempt-log.ts";
import { createFlowMarks, type FlowMarks } from "./flow-marks.ts";
import {
  attemptsByKey,
  type JournaledExecution,
  momentsOf,
  readExecution,
} from "./journal-order.ts";
import { stepKey, stepNumber } from "./key.ts";
import { newAttempt } from "./new-attempt.ts";
import { shapeOf } from "./shape.ts";

/** One execution of a node, or of one item of its map, that has not ended. */
export interface OpenStep {
  readonly key: StepKey;
  readonly node: WorkflowNode;
  /** How often the node has been executed since its loop on itself was entered, this time included. */
  readonly round: number;
  readonly item: ItemPlace | undefined;
  /** Set for a map: an execution that consists of those of its items. */
  readonly map: OpenMap | undefined;
  /** The newest. */
  readonly attempt: StepAttempt;
  /** This process executes it. */
  readonly isActive: boolean;
  /** `seq` of the signal that it goes on with. */
  readonly consuming: number | undefined;
  /** It is as the journal had it when this worker was given the run. */
  readonly isAsRead: boolean;
}

export interface ItemPlace {
  readonly mapKey: StepKey;
  readonly index: number;
  readonly value: Json;
}

export interface OpenMap {
  readonly items: readonly Json[];
  readonly begun: ReadonlySet<number>;
  /** The first item that has not begun; `items.length` when all have. */
  readonly nextIndex: number;
  /** Items that have begun and not ended. */
  readonly openCount: number;
  /** Of the items that have succeeded, by index. */
  readonly results: ReadonlyMap<number, Json>;
}

interface BegunStep {
  readonly key: StepKey;
  readonly node: WorkflowNode;
  readonly attempt: number;
  readonly input: Json;
  readonly startedAt: number;
  readonly item?: ItemPlace;
  /** The items, when it is a map. */
  readonly items?: readonly Json[];
  /** `seq` of the signal that it goes on with. */
  readonly consuming?: number;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

interface MapState extends Mutable<OpenMap> {
  readonly results: Map<number, Json>;
  readonly begun: Set<number>;
}

interface StepState extends Mutable<OpenStep> {
  map: MapState | undefined;
}

interface HistoryStart {
  readonly values: JsonObject;
  /** Where START leads to. */
  readonly entry: readonly string[];
}

/**
 * Reading members answer for now. Changing members are for the run's loop alone, which writes the same
 * changes in the same order.
 */
export class History {
  readonly marks: FlowMarks;
  readonly #workflow: Workflow;
  readonly #open = new Map<StepKey, StepState>();
  readonly #log: AttemptLog = createAttemptLog();
  readonly #numbers = new Map<string, { readonly taken: Set<number>; lowest: number }>();
  readonly #children = new Map<string, Run>();
  readonly #signals = new Map<string, Signal[]>();
  /** `seq` of signals that steps go on with or have consumed. */
  readonly #taken = new Set<number>();
  #values: JsonObject;
  #activeCount = 0;
  #executionCount = 0;

  constructor(workflow: Workflow, journal: Journal, { values, entry }: HistoryStart) {
    this.#workflow = workflow;
    this.#values = values;
    this.marks = createFlowMarks(workflow);
    this.marks.put(START, entry, 0);
    this.#read(journal);
  }

  get values(): JsonObject {
    return this.#values;
  }

  /** Executions that have not ended, in the order in which they began. */
  get open(): ReadonlyMap<StepKey, OpenStep> {
    return this.#open;
  }

  get activeCount(): number {
    return this.#activeCount;
  }

  /** Executions that have ever begun, items of maps included. */
  get executionCount(): number {
    return this.#executionCount;
  }

  /** The key of the next execution of a node. */
  nextKey(nodeId: string): StepKey {
    const numbers = this.#numbersOf(nodeId);
    while (numbers.taken.has(numbers.lowest)) numbers.lowest += 1;
    return stepKey(nodeId, numbers.lowest);
  }

  /** Attempts that no longer count have used up their numbers too. */
  nextAttempt(key: StepKey): number {
    return (this.#log.newest(key)?.attempt ?? 0) + 1;
  }

  tryCount(key: StepKey): number {
    return this.#log.tryCount(key);
  }

  finishedCalls(key: StepKey): FinishedCalls {
    return this.#log.finishedCalls(key);
  }

  correction(key: StepKey): string | undefined {
    return this.#log.correction(key);
  }

  /** The first signal of this name that nothing has consumed or is about to. */
  signal(name: string): Signal | undefined {
    return this.#signals
      .get(name)
      ?.find(({ consumedBy, seq }) => consumedBy === null && !this.#taken.has(seq));
  }

  /** A run that a step waits for, once it has ended. */
  child(runId: string): Run | undefined {
    return this.#children.get(runId);
  }

  /** Begins an execution, a further attempt of one, or takes an attempt up. */
  begin(start: BegunStep): OpenStep {
    const { key, node, items, consuming } = start;
    const attempt = newAttempt({ ...start, nodeId: node.id });
    const step = this.#open.get(key) ?? this.#beginExecution(start, attempt);
    step.attempt = attempt;
    if (items !== undefined && step.map?.items !== items) step.map = emptyMap(items);
    if (step.map === undefined && !step.isActive) {
      step.isActive = true;
      this.#activeCount += 1;
    }
    step.consuming = consuming;
    step.isAsRead = false;
    if (consuming !== undefined) this.#taken.add(consuming);
    this.#log.put(attempt);
    return step;
  }

  /** Takes over what the store says about an attempt that was begun or taken up. */
  confirm(attempt: StepAttempt): void {
    this.#change(attempt.key, attempt);
  }

  wait(key: StepKey, wait: Wait): void {
    const step = this.#deactivate(key);
    // It has gone on and waits again: what it went on with is not used up.
    if (step.consuming !== undefined) this.#taken.delete(step.consuming);
    step.consuming = undefined;
    this.#change(key, { ...step.attempt, state: "waiting", wait });
  }

  /** The attempt has failed; the execution goes on at `retryAt`, or when a person lets it. */
  fail(key: StepKey, { error, retryAt }: { error: ErrorRecord; retryAt: number | null }): void {
    const step = this.#deactivate(key);
    step.consuming = undefined;
    this.#change(key, { ...step.attempt, state: "failed", error, retryAt });
  }

  /** The execution is over. Without a patch it has written nothing. */
  end(key: StepKey, { patch, next }: { patch?: JsonObject; next: readonly string[] }): void {
    const step = this.#deactivate(key);
    this.#open.delete(key);
    this.#log.forget(key);
    if (step.item !== undefined) {
      const map = this.#mapOf(step.item);
      map.openCount -= 1;
      if (patch !== undefined) map.results.set(step.item.index, itemResult(step.node, patch));
      return;
    }
    if (patch !== undefined)
      this.#values = applyPatch(this.#values, patch, shapeOf(this.#workflow).merges);
    this.marks.end(step.node.id);
    this.marks.put(step.node.id, next, step.round);
  }

  putCall(call: StepCall): void {
    // Of a step that has ended meanwhile, nobody asks for it.
    if (this.#open.has(call.key)) this.#log.putCall(call);
  }

  putSignals(signals: readonly Signal[]): void {
    this.#signals.clear();
    for (const signal of signals) {
      const list = this.#signals.get(signal.name);
      if (list === undefined) this.#signals.set(signal.name, [signal]);
      else list.push(signal);
    }
  }

  putChild(run: Run): void {
    this.#children.set(run.id, run);
  }

  /** Executions are begun and ended in the order of the log. */
  #read({ steps, calls, signals }: Journal): void {
    this.putSignals(signals);
    const executions = new Map<StepKey, JournaledExecution>();
    for (const [key, attempts] of attemptsByKey(steps)) {
      const execution = readExecution(this.#workflow, attempts);
      if (execution !== undefined) executions.set(key, execution);
      if (execution?.end === undefined) attempts.forEach((attempt) => this.#log.put(attempt));
    }
    this.#executionCount = executions.size;
    const rounds = new Map<StepKey, number>();
    for (const { type, execution } of momentsOf(executions.values())) {
      const { key, nodeId, end } = execution;
      if (type === "begin") {
        this.#numbersOf(nodeId).taken.add(stepNumber(key));
        rounds.set(key, this.marks.begin(nodeId));
        if (end === undefined) this.#reopen(execution, rounds.get(key) ?? 1);
      } else {
        this.marks.end(nodeId);
        this.marks.put(nodeId, end?.next ?? [], rounds.get(key) ?? 1);
      }
    }
    for (const execution of executions.values())
      if (execution.item !== undefined) this.#readItem(execution, execution.item);
    for (const call of calls) this.putCall(call);
  }

  #reopen({ key, nodeId, latest }: JournaledExecution, round: number, item?: ItemPlace): void {
    const node = this.#node(nodeId);
    const items = item === undefined && node.map !== undefined ? itemsOf(latest) : undefined;
    const map = items === undefined ? undefined : emptyMap(items);
    const place = { key, node, round, item, map };
    const standing = { attempt: latest, isActive: false, consuming: undefined, isAsRead: true };
    this.#open.set(key, { ...place, ...standing });
  }

  #readItem(execution: JournaledExecution, item: { mapKey: StepKey; index: number }): void {
    const map = this.#open.get(item.mapKey)?.map;
    // It has ended, and with it all of its items.
    if (map === undefined) return;
    this.#putItem(map, execution, item.index);
    const value = map.items[item.index] ?? null;
    if (execution.end === undefined) this.#reopen(execution, 1, { ...item, value });
  }

  #putItem(map: MapState, { nodeId, end }: JournaledExecution, index: number): void {
    map.begun.add(index);
    skipBegun(map);
    if (end === undefined) map.openCount += 1;
    else if (end.state === "succeeded" && end.patch !== null)
      map.results.set(index, itemResult(this.#node(nodeId), end.patch));
  }

  #beginExecution({ key, node, item }: BegunStep, attempt: StepAttempt): StepState {
    this.#executionCount += 1;
    const standing = { attempt, isActive: false, consuming: undefined, isAsRead: false };
    let round = 1;
    if (item === undefined) {
      this.#numbersOf(node.id).taken.add(stepNumber(key));
      round = this.marks.begin(node.id);
    } else {
      const map = this.#mapOf(item);
      map.begun.add(item.index);
      map.openCount += 1;
      skipBegun(map);
    }
    const step: StepState = { key, node, round, item, map: undefined, ...standing };
    this.#open.set(key, step);
    return step;
  }

  #deactivate(key: StepKey): StepState {
    const step = this.#open.get(key);
    assert(step !== undefined, `step ${key} is not open`);
    if (step.isActive) this.#activeCount -= 1;
    step.isActive = false;
    return step;
  }

  #change(key: StepKey, attempt: StepAttempt): void {
    const step = this.#open.get(key);
    assert(step !== undefined, `step ${key} is not open`);
    step.attempt = attempt;
    this.#log.put(attempt);
  }

  #mapOf({ mapKey }: ItemPlace): MapState {
    const map = this.#open.get(mapKey)?.map;
    assert(map !== undefined, `map ${mapKey} is not open`);
    return map;
  }

  #numbersOf(nodeId: string): { readonly taken: Set<number>; lowest: number } {
    const known = this.#numbers.get(nodeId);
    if (known !== undefined) return known;
    const numbers = { taken: new Set<number>(), lowest: 1 };
    this.#numbers.set(nodeId, numbers);
    return numbers;
  }

  #node(nodeId: string): WorkflowNode {
    const node = shapeOf(this.#workflow).nodes.get(nodeId);
    assert(
      node !== undefined,
      `the journal names node ${nodeId}, which the workflow does not have`,
    );
    return node;
  }
}

function emptyMap(items: readonly Json[]): MapState {
  return { items, nextIndex: 0, openCount: 0, results: new Map(), begun: new Set() };
}

function skipBegun(map: MapState): void {
  while (map.begun.has(map.nextIndex)) map.nextIndex += 1;
}

/** The list that a map was begun with; undefined when it could not begin. */
function itemsOf({ input }: StepAttempt): readonly Json[] | undefined {
  const items = isJsonObject(input) ? input["items"] : undefined;
  return Array.isArray(items) ? items : undefined;
}

/** What an item adds to the collected list. */
function itemResult({ outputs: [only, second] }: WorkflowNode, patch: JsonObject): Json {
  return only !== undefined && second === undefined ? (patch[only.name] ?? null) : patch;
}
