/**
 * What becomes of a step: its end, or the reason why it has none, is turned into what is written about
 * it and laid over the history. The only place that turns an error into retry, fail, continue or route.
 */
import { AppError, type ErrorRecord } from "../domain/error.ts";
import type { RunEvent } from "../domain/event.ts";
import type { BrokenCalls, StepWrite, Totals } from "../domain/run.ts";
import { applyPatch } from "../domain/state.ts";
import { assert } from "../lib/assert.ts";
import { defined } from "../lib/defined.ts";
import type { JsonObject } from "../lib/json.ts";
import type { AttemptEnd } from "./attempt.ts";
import { finalStepError, toErrorRecord } from "./failure.ts";
import type { OpenStep } from "./history.ts";
import { type Next, nextAfter } from "./next.ts";
import type { StepResult } from "./node/executor.ts";
import type { Move } from "./plan.ts";
import { decideRetry } from "./retry.ts";
import type { RunContext } from "./run-context.ts";
import { shapeOf } from "./shape.ts";

/** A postponed attempt goes on after this at the earliest, so that none spins. */
const POSTPONE_MS_MIN = 20;

/** What is to be written at once. */
export interface Change {
  readonly steps: StepWrite[];
  readonly events: RunEvent[];
  /** Steps to be executed once it is written, by the position of their `start` among those of `steps`. */
  readonly launches: Map<number, Extract<Move, { type: "start" }>>;
  startCount: number;
  /** Of attempts that the end of the run has cut off. */
  readonly brokenCalls: BrokenCalls[];
  /** The first failure that the run does not survive. */
  failure: ErrorRecord | undefined;
}

export function emptyChange(): Change {
  return {
    steps: [],
    events: [],
    launches: new Map(),
    startCount: 0,
    brokenCalls: [],
    failure: undefined,
  };
}

type StepEngine = Pick<
  RunContext,
  "workflow" | "history" | "clock" | "random" | "redact" | "reportError"
>;

/** Takes in how an attempt has ended. */
export function settleEnd(engine: StepEngine, change: Change, end: AttemptEnd): void {
  const step = engine.history.open.get(end.key);
  assert(step !== undefined, `${end.key} has ended before`);
  const { outcome, brokenCallCount, childTotals } = end;
  change.events.push(...end.events);
  switch (outcome.kind) {
    case "aborted":
      if (brokenCallCount > 0)
        change.brokenCalls.push({ ...placeOf(step), count: brokenCallCount });
      return;
    case "postponed": {
      const { wait } = outcome;
      const soonest = engine.clock.now() + POSTPONE_MS_MIN;
      const later =
        wait.for === "budget" ? wait : { ...wait, untilMs: Math.max(wait.untilMs, soonest) };
      return putWait(engine, change, { step, wait: later, brokenCallCount });
    }
    case "failed":
      return putFailure(engine, change, {
        step,
        error: outcome.error,
        brokenCallCount,
        childTotals,
      });
    case "result": {
      const { result } = outcome;
      return "wait" in result
        ? putWait(engine, change, { step, wait: result.wait, brokenCallCount })
        : putResult(engine, change, { step, result, brokenCallCount, childTotals });
    }
  }
}

/** Takes in a step that begins, goes on, or comes to nothing before it begins. */
export function makeMove(engine: StepEngine, change: Change, move: Move): void {
  switch (move.type) {
    case "start":
      if (move.items === undefined) change.launches.set(change.startCount, move);
      putStart(engine, change, move);
      return;
    case "skip":
      return putSkip(engine, change, move);
    case "refuse": {
      const step = putStart(engine, change, { ...move, input: null });
      return putFailure(engine, change, { step, error: move.error });
    }
    case "collect": {
      const step = engine.history.open.get(move.key);
      assert(step !== undefined, `map ${move.key} is not open`);
      return putResult(engine, change, { step, result: { patch: move.patch } });
    }
  }
}

function putStart(
  { history, clock }: StepEngine,
  change: Change,
  move: Pick<Move, "key" | "node" | "attempt" | "item"> & {
    /** null: it has none, as nothing could be rendered. */
    readonly input: JsonObject | null;
  } & Pick<Extract<Move, { type: "start" }>, "items" | "signal">,
): OpenStep {
  const { key, node, attempt, input, item, items, signal } = move;
  const itemCount = items?.length;
  change.startCount += 1;
  change.steps.push({
    type: "start",
    key,
    nodeId: node.id,
    attempt,
    input,
    ...defined({ itemCount }),
  });
  return history.begin({
    key,
    node,
    attempt,
    input,
    startedAt: clock.now(),
    ...defined({ item, items, consuming: signal?.seq }),
  });
}

function putSkip(engine: StepEngine, change: Change, move: Extract<Move, { type: "skip" }>): void {
  const { key, node, attempt, item } = move;
  const { history, clock } = engine;
  const step = history.begin({
    key,
    node,
    attempt,
    input: null,
    startedAt: clock.now(),
    ...defined({ item }),
  });
  let next: readonly string[];
  try {
    ({ next } = nextOf(engine, step, { isSkipped: true }));
  } catch (error) {
    change.startCount += 1;
    change.steps.push({ type: "start", key, nodeId: node.id, attempt, input: null });
    return putFailure(engine, change, { step, error: AppError.from(error) });
  }
  change.steps.push({ type: "skip", key, nodeId: node.id, next });
  history.end(key, { next });
}

interface Waiting {
  readonly step: OpenStep;
  readonly wait: Extract<StepWrite, { type: "wait" }>["wait"];
  readonly brokenCallCount: number;
}

function putWait({ history }: StepEngine, change: Change, waiting: Waiting): void {
  const { step, wait, brokenCallCount } = waiting;
  const { key, attempt } = placeOf(step);
  change.steps.push({ type: "wait", key, attempt, wait, ...broken(brokenCallCount) });
  history.wait(key, wait);
}

interface Success {
  readonly step: OpenStep;
  readonly result: Exclude<StepResult, { wait: unknown }>;
  readonly brokenCallCount?: number;
  readonly childTotals?: Totals | undefined;
}

function putResult(engine: StepEngine, change: Change, success: Success): void {
  const { step, result, brokenCallCount = 0, childTotals } = success;
  const { patch, memories } = result;
  let next: Next;
  try {
    next = nextOf(engine, step, { patch });
  } catch (error) {
    const spent = { brokenCallCount, childTotals };
    return putFailure(engine, change, { step, error: AppError.from(error), ...spent });
  }
  change.steps.push({
    type: "succeed" as const,
    ...placeOf(step),
    ...broken(brokenCallCount),
    patch,
    next: next.next,
    ...defined({ memories, childTotals, consumes: step.consuming }),
  });
  endExecution(engine, change, { step, next, patch });
}

function endExecution(
  { history }: StepEngine,
  change: Change,
  ended: { step: OpenStep; next: Next; patch: JsonObject | undefined },
): void {
  const { step, next, patch } = ended;
  const { key, attempt } = placeOf(step);
  if (next.exhaustedAfter !== undefined) {
    const iterationCount = next.exhaustedAfter;
    change.events.push({ type: "loop.exhausted", step: key, attempt, iterationCount });
  }
  history.end(key, { next: next.next, ...defined({ patch }) });
}

interface Failure {
  readonly step: OpenStep;
  readonly error: AppError;
  readonly brokenCallCount?: number;
  readonly childTotals?: Totals | undefined;
}

function putFailure(engine: StepEngine, change: Change, failure: Failure): void {
  const { history, clock, random, redact } = engine;
  const { step, error, brokenCallCount = 0, childTotals } = failure;
  if (error.code === "internal") engine.reportError(error.cause ?? error);
  const { key } = step;
  const tryCount = history.tryCount(key);
  const record = toErrorRecord(error, redact);
  const write = {
    type: "fail" as const,
    ...placeOf(step),
    ...broken(brokenCallCount),
    ...defined({ childTotals, consumes: step.consuming }),
  };
  const { code, retryAfterMs } = error;
  const retryAt = decideRetry(
    step.node.retry,
    { tryCount, code, retryAfterMs, nowMs: clock.now() },
    random,
  );
  if (retryAt !== undefined) {
    change.steps.push({ ...write, error: record, retryAt, next: null });
    return history.fail(key, { error: record, retryAt });
  }
  const survival = survive(engine, step, error);
  if ("next" in survival) {
    const { next, patch } = survival;
    const ended = { error: record, retryAt: null, next: next.next };
    change.steps.push({ ...write, ...ended, ...defined({ patch }) });
    return endExecution(engine, change, { step, next, patch });
  }
  const final = finalStepError(toErrorRecord(survival.error, redact), { key, attempt: tryCount });
  change.steps.push({ ...write, error: final, retryAt: null, next: null });
  history.fail(key, { error: final, retryAt: null });
  change.failure ??= final;
}

type Survival =
  | { readonly next: Next; readonly patch: JsonObject | undefined }
  /** The run fails with this. */
  | { readonly error: AppError };

/** How the run goes on after a step has failed for good. */
function survive(engine: StepEngine, step: OpenStep, error: AppError): Survival {
  const { node, item } = step;
  const { onError } = node;
  const isMap = node.map !== undefined && item === undefined;
  // A map has no failures of its own to survive; a budget that could be survived would be none.
  if (onError.kind === "fail" || isMap || error.code === "budget_exceeded") return { error };
  if (item !== undefined) return { next: { next: [] }, patch: undefined };
  const { errorField } = onError;
  const patch = errorField === undefined ? undefined : { [errorField]: error.message };
  if (onError.kind === "route") return { next: { next: [onError.to] }, patch };
  try {
    return { next: nextOf(engine, step, defined({ patch })), patch };
  } catch (reason) {
    return { error: AppError.from(reason) };
  }
}

/** Items of a map lead nowhere. @throws AppError `condition_failed`. */
function nextOf(
  { workflow, history }: StepEngine,
  { node, item, round }: OpenStep,
  { patch, isSkipped = false }: { patch?: JsonObject; isSkipped?: boolean },
): Next {
  if (item !== undefined) return { next: [] };
  const { values } = history;
  return nextAfter(workflow, { nodeId: node.id, round, isSkipped }, () =>
    patch === undefined ? values : applyPatch(values, patch, shapeOf(workflow).merges),
  );
}

function placeOf({ key, attempt }: OpenStep): { readonly key: string; readonly attempt: number } {
  return { key, attempt: attempt.attempt };
}

function broken(brokenCallCount: number): { brokenCallCount?: number } {
  return brokenCallCount === 0 ? {} : { brokenCallCount };
}
