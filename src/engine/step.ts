/**
 * One attempt of one step: begin, execute under its time limit, then commit its result, try again
 * later, or fail the run. The only place that turns an error into retry-or-fail.
 */
import { AppError, type ErrorRecord } from "../domain/error.ts";
import { STEP_RECOVERY_COUNT_MAX, type StepAttempt } from "../domain/run.ts";
import type { JsonObject } from "../lib/json.ts";
import { startTimer } from "../lib/timer.ts";
import { RunAborted } from "./abort.ts";
import { type CallLog, createCallLog } from "./call-log.ts";
import { createEventBuffer, type EventBuffer } from "./event-buffer.ts";
import { finalStepError, toErrorRecord } from "./failure.ts";
import { type PreparedStep, prepareNode } from "./node/registry.ts";
import { plan, type PlannedStep } from "./plan.ts";
import { decideRetry } from "./retry.ts";
import type { RunContext } from "./run.ts";

type StepEnd = "go_on" | "run_ended" | "run_parked";

/** @throws RunAborted, and AppError `lease_lost`: then nothing is left to write here. */
export async function executeStep(context: RunContext, planned: PlannedStep): Promise<StepEnd> {
  const { runs, claim, persist, history } = context;
  const prepared = prepare(context, planned);
  const attempt = await persist(() =>
    runs.startStep(claim, {
      key: planned.key,
      nodeId: planned.node.id,
      attempt: planned.attempt,
      input: prepared.input,
    }),
  );
  history.put(attempt);
  if (attempt.recoveryCount >= STEP_RECOVERY_COUNT_MAX)
    return fail(context, { planned, attempt, error: workerCrashed(attempt), brokenCount: 0 });

  const events = createEventBuffer({
    append: (batch) => runs.appendEvents(claim, batch),
    clock: context.clock,
    onError: (error) => onBackgroundError(context, error),
  });
  const { signal, stop } = limitAttempt(context, planned);
  const calls = openCallLog(context, { planned, events, signal });
  let patch: JsonObject;
  try {
    patch = await attemptOnce(context, { planned, prepared, calls, signal });
  } catch (error) {
    // An abort wins over whatever the work made of it.
    const reason: unknown = context.aborts.work.aborted ? context.aborts.work.reason : error;
    await writeRest(context, events);
    if (reason instanceof RunAborted || isLeaseLost(reason)) throw reason;
    const { brokenCount } = calls;
    return fail(context, { planned, attempt, error: AppError.from(reason), brokenCount });
  } finally {
    stop();
  }
  return succeed(context, attempt, patch);
}

/** Rendering that fails is a failure of the step, so it is kept until the step has begun. */
function prepare({ history }: RunContext, { node }: PlannedStep): PreparedStep {
  try {
    return prepareNode(node, history.values);
  } catch (error) {
    return { input: {}, execute: () => Promise.reject(AppError.from(error)) };
  }
}

function openCallLog(
  { runs, claim, persist, history, clock }: RunContext,
  attempt: { planned: PlannedStep; events: EventBuffer; signal: AbortSignal },
): CallLog {
  const { key } = attempt.planned;
  return createCallLog({
    key,
    attempt: attempt.planned.attempt,
    finished: history.finishedCalls(key),
    signal: attempt.signal,
    clock,
    events: attempt.events,
    record: async (call, batch) => {
      await persist(() => runs.recordCall(claim, call, batch));
      history.putCall(call);
    },
  });
}

interface Attempt {
  readonly planned: PlannedStep;
  readonly prepared: PreparedStep;
  readonly calls: CallLog;
  readonly signal: AbortSignal;
}

/** Not raced with the signal here: a finished call is recorded even when the time is over. */
function attemptOnce(
  { claim, run, history, clock, models, tools, redact }: RunContext,
  { planned, prepared, calls, signal }: Attempt,
): Promise<JsonObject> {
  const { key, attempt } = planned;
  return prepared.execute({
    runId: claim.runId,
    overrides: run.overrides,
    key,
    attempt,
    signal,
    clock,
    models,
    tools,
    correction: history.correction(key),
    calls,
    redact,
  });
}

/** The signal of one attempt: the run's own, and the node's time limit where it has one. */
function limitAttempt(
  { aborts, clock }: RunContext,
  { node }: PlannedStep,
): { readonly signal: AbortSignal; readonly stop: () => void } {
  const { timeoutMs } = node;
  if (timeoutMs === undefined) return { signal: aborts.work, stop: () => undefined };
  const limit = new AbortController();
  const onAbort = () => limit.abort(aborts.work.reason);
  if (aborts.work.aborted) onAbort();
  aborts.work.addEventListener("abort", onAbort, { once: true });
  const stopTimer = startTimer(clock, timeoutMs, () => limit.abort(attemptTimeout(timeoutMs)));
  return {
    signal: limit.signal,
    stop: () => {
      stopTimer();
      aborts.work.removeEventListener("abort", onAbort);
    },
  };
}

/** The result is kept in memory and written until it is written; it is never made again. */
async function succeed(
  { runs, claim, persist, history, workflow, clock }: RunContext,
  attempt: StepAttempt,
  patch: JsonObject,
): Promise<StepEnd> {
  history.put({ ...attempt, state: "succeeded", patch, finishedAt: clock.now() });
  history.patch(patch);
  const { attempts, values } = history;
  const next = plan(workflow, { attempts, values, nowMs: clock.now() });
  const outcome = next.kind === "finished" ? { outputs: next.outputs } : undefined;
  const { key, attempt: number } = attempt;
  await persist(() => runs.succeedStep(claim, { key, attempt: number, patch }, outcome));
  return outcome === undefined ? "go_on" : "run_ended";
}

interface Failure {
  readonly planned: PlannedStep;
  readonly attempt: StepAttempt;
  readonly error: AppError;
  /** Model calls that broke off after they had begun to answer. */
  readonly brokenCount: number;
}

async function fail(context: RunContext, failure: Failure): Promise<StepEnd> {
  const { runs, claim, persist, history, clock, redact, random } = context;
  const { planned, attempt, error, brokenCount: brokenCallCount } = failure;
  if (error.code === "internal") context.reportError(error.cause ?? error);
  const { key, attempt: number } = attempt;
  const retry = decideRetry(
    planned.node.retry,
    { attempt: number, code: error.code, retryAfterMs: error.retryAfterMs, nowMs: clock.now() },
    random,
  );
  const record: ErrorRecord = toErrorRecord(error, redact);
  const kept = retry === undefined ? finalStepError(record, { key, attempt: number }) : record;
  const ended = { key, attempt: number, error: kept, brokenCallCount };
  await persist(() => runs.failStep(claim, ended, retry));
  history.put({
    ...attempt,
    state: "failed",
    error: kept,
    retryAt: retry?.at ?? null,
    finishedAt: clock.now(),
  });
  if (retry === undefined) return "run_ended";
  return retry.inPlace ? "go_on" : "run_parked";
}

/** What was streamed is worth one try; the end of the attempt does not depend on it. */
async function writeRest(context: RunContext, events: EventBuffer): Promise<void> {
  if (context.aborts.gone.aborted && !isStopping(context)) return;
  try {
    await events.flush();
  } catch (error) {
    onBackgroundError(context, error);
  }
}

function isStopping({ aborts }: RunContext): boolean {
  const reason: unknown = aborts.gone.reason;
  return reason instanceof RunAborted && reason.kind === "stopping";
}

function onBackgroundError(context: RunContext, error: unknown): void {
  if (isLeaseLost(error)) context.aborts.abort("lost");
  else context.reportError(error);
}

function isLeaseLost(error: unknown): boolean {
  return error instanceof AppError && error.code === "lease_lost";
}

function attemptTimeout(timeoutMs: number): AppError {
  return new AppError("timeout", `It took longer than its limit of ${timeoutMs / 1000} s.`, {
    fix: "Raise the node's `timeout`, or use a faster model.",
  });
}

function workerCrashed({ recoveryCount }: StepAttempt): AppError {
  return new AppError(
    "worker_crashed",
    `The worker died ${recoveryCount} times while it executed this step.`,
    { fix: "Look at the log of the worker for the reason, then start the run again." },
  );
}
