/** One attempt of one step, executed under its time limit. What becomes of its end is decided by `step.ts`. */
import { AppError } from "../domain/error.ts";
import type { RunEvent, StepKey } from "../domain/event.ts";
import type { ModelRequest } from "../domain/model.ts";
import { STEP_RECOVERY_COUNT_MAX, type StepAttempt, type Totals } from "../domain/run.ts";
import { assert } from "../lib/assert.ts";
import { defined } from "../lib/defined.ts";
import { isJsonObject } from "../lib/json.ts";
import { startTimer } from "../lib/timer.ts";
import { RunAborted } from "./abort.ts";
import type { FinishedCalls } from "./attempt-log.ts";
import { checkBudget, hasCostLimit, isPartOfTree, sharedBudget } from "./budget.ts";
import { type CallLog, createCallLog } from "./call-log.ts";
import { createEventBuffer, type EventBuffer } from "./event-buffer.ts";
import type { OpenStep } from "./history.ts";
import type { StepContext, StepResult, WaitAnswer } from "./node/executor.ts";
import { StepPostponed } from "./postponed.ts";
import type { RunContext } from "./run-context.ts";

/** An attempt that is to be executed now. */
export interface Launch {
  readonly step: OpenStep;
  readonly attempt: StepAttempt;
  /** What it has waited for. */
  readonly answer?: WaitAnswer;
}

type Outcome =
  | { readonly kind: "result"; readonly result: StepResult }
  | { readonly kind: "postponed"; readonly wait: StepPostponed["wait"] }
  | { readonly kind: "failed"; readonly error: AppError }
  /** The run is taken from its steps: nothing is said about this one. */
  | { readonly kind: "aborted" };

export interface AttemptEnd {
  readonly key: StepKey;
  readonly outcome: Outcome;
  /** What it has logged since its last checkpoint. */
  readonly events: readonly RunEvent[];
  /** Model calls that broke off after they had begun to answer. */
  readonly brokenCallCount: number;
  /** What the run that it has waited for has cost. */
  readonly childTotals: Totals | undefined;
}

/** Executes an attempt. Never rejects. */
export async function runAttempt(context: RunContext, launch: Launch): Promise<AttemptEnd> {
  const { attempt, answer, step } = launch;
  const childTotals = answer?.for === "run" ? totalsOf(answer.run) : undefined;
  if (childTotals !== undefined) context.spending.add(childTotals);
  const end = { key: attempt.key, events: [], brokenCallCount: 0, childTotals };
  if (attempt.recoveryCount >= STEP_RECOVERY_COUNT_MAX)
    return { ...end, outcome: { kind: "failed", error: workerCrashed(attempt) } };

  const events = createEventBuffer({
    append: (batch) => context.runs.appendEvents(context.claim, batch),
    clock: context.clock,
    onError: (error) => onBackgroundError(context, error),
  });
  const { signal, stop } = limitAttempt(context, step.node.timeoutMs);
  const finished = context.history.finishedCalls(attempt.key);
  const calls = openCallLog(context, { attempt, finished, events, signal });
  let outcome: Outcome;
  try {
    const { firstAttempt } = finished;
    const result = await perform(context, launch, { calls, signal, firstAttempt });
    outcome = { kind: "result", result };
  } catch (error) {
    outcome = toOutcome(context, error);
  } finally {
    stop();
  }
  const ended = { ...end, outcome, brokenCallCount: calls.brokenCount };
  if (outcome.kind !== "aborted") return { ...ended, events: await events.take() };
  await writeRest(context, events);
  return ended;
}

/** Not raced with the signal here: a finished call is recorded even when the time is over. */
function perform(
  context: RunContext,
  { step: { node }, attempt, answer }: Launch,
  kit: AttemptKit,
): Promise<StepResult> {
  const executor = context.executors[node.kind];
  const input = isJsonObject(attempt.input) ? attempt.input : {};
  const step = stepContext(context, attempt, kit);
  if (answer === undefined) return executor.execute(node, input, step);
  assert(executor.resume !== undefined, `a node of kind ${node.kind} cannot wait`);
  return executor.resume(node, input, { answer, step });
}

type AttemptKit = Pick<StepContext, "calls" | "signal" | "firstAttempt">;

function stepContext(context: RunContext, attempt: StepAttempt, kit: AttemptKit): StepContext {
  const { ports, run, workflow, clock, history, redact } = context;
  const { key } = attempt;
  return {
    ...ports,
    ...kit,
    run,
    workflow,
    key,
    attempt: attempt.attempt,
    startedAt: attempt.startedAt,
    clock,
    correction: history.correction(key),
    redact,
    reserveBudget: (request) => reserveBudget(context, request),
    sharedBudget: () => sharedBudget(context),
  };
}

async function reserveBudget(
  context: RunContext,
  request: Omit<ModelRequest, "signal">,
): Promise<() => void> {
  const { ports, spending, clock, run, runs, persist } = context;
  const nextNanoUsd = hasCostLimit(context)
    ? ((await ports.models.estimateInputNanoUsd(request)) ?? 0)
    : 0;
  const { rootId } = run;
  const readTree = async () => {
    const [root, spent] = await Promise.all([runs.get(rootId), runs.treeSpending(rootId)]);
    return root === undefined ? undefined : { root, spending: spent };
  };
  const tree = isPartOfTree(context) ? await persist(readTree) : undefined;
  checkBudget({ ...context, nowMs: clock.now(), ...defined({ tree }) }, nextNanoUsd);
  return spending.reserve(nextNanoUsd);
}

function openCallLog(
  { runs, claim, persist, history, clock, spending }: RunContext,
  kit: {
    readonly attempt: StepAttempt;
    readonly finished: FinishedCalls;
    readonly events: EventBuffer;
    readonly signal: AbortSignal;
  },
): CallLog {
  const { key, attempt } = kit.attempt;
  return createCallLog({
    key,
    attempt,
    finished: kit.finished.calls,
    signal: kit.signal,
    clock,
    events: kit.events,
    record: async (call, batch) => {
      await persist(() => runs.recordCall(claim, call, batch));
      spending.add({ usage: call.usage, costNanoUsd: call.costNanoUsd ?? 0 });
      history.putCall(call);
    },
  });
}

/** The signal of one attempt: the run's own, and the node's time limit where it has one. */
function limitAttempt(
  { aborts, clock }: RunContext,
  timeoutMs: number | undefined,
): { readonly signal: AbortSignal; readonly stop: () => void } {
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

/** An abort of the run wins over whatever the work made of it. */
function toOutcome({ aborts }: RunContext, error: unknown): Outcome {
  if (aborts.work.aborted || error instanceof RunAborted) return { kind: "aborted" };
  if (isLeaseLost(error)) {
    aborts.abort("lost");
    return { kind: "aborted" };
  }
  if (error instanceof StepPostponed) return { kind: "postponed", wait: error.wait };
  return { kind: "failed", error: AppError.from(error) };
}

/** What was streamed is worth one try; the end of the attempt does not depend on it. */
async function writeRest(context: RunContext, events: EventBuffer): Promise<void> {
  if (context.aborts.kind === "lost") return;
  try {
    await events.flush();
  } catch (error) {
    onBackgroundError(context, error);
  }
}

function onBackgroundError(context: RunContext, error: unknown): void {
  if (isLeaseLost(error)) context.aborts.abort("lost");
  else context.reportError(error);
}

function isLeaseLost(error: unknown): boolean {
  return error instanceof AppError && error.code === "lease_lost";
}

function totalsOf({ usage, costNanoUsd, unpricedCount }: Totals): Totals {
  return { usage, costNanoUsd, unpricedCount };
}

function attemptTimeout(timeoutMs: number): AppError {
  return new AppError("timeout", `It took longer than its limit of ${timeoutMs / 1000} s.`, {
    fix: "Raise the node's `timeout`, or give it less to do.",
  });
}

function workerCrashed({ recoveryCount }: StepAttempt): AppError {
  return new AppError(
    "worker_crashed",
    `The worker died ${recoveryCount} times while it executed this step.`,
    { fix: "Look at the log of the worker for the reason, then resume the run." },
  );
}
