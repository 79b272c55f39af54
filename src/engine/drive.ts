/**
 * The loop of one run: take in what has ended, plan, write all of it at once, start what may start, wait.
 *
 * Steps are executed side by side, but only this loop changes the history, and it has one write in flight:
 * the end of a step and the beginnings that follow from it are one transaction. What ends while it
 * writes goes along with the next one.
 */
import type { ErrorRecord } from "../domain/error.ts";
import { RUN_STATES_FINAL, type RunTurn, type Wait } from "../domain/run.ts";
import { assert } from "../lib/assert.ts";
import { defined } from "../lib/defined.ts";
import { type Launch, runAttempt } from "./attempt.ts";
import type { Render } from "./begin.ts";
import type { Inbox } from "./inbox.ts";
import { type Plan, plan } from "./plan.ts";
import type { RunContext } from "./run-context.ts";
import { shapeOf } from "./shape.ts";
import { type Change, emptyChange, makeMove, settleEnd } from "./step.ts";

/** Below this the worker keeps the run and waits; from here on the run is parked and holds no slot. */
export const WAIT_IN_PLACE_MS_MAX = 2_000;
/** Changes in one write; what is more follows with the next. */
const WRITE_STEP_COUNT_MAX = 500;

interface DriveOptions {
  readonly inbox: Inbox;
  /** True when no further step may begin. */
  readonly isStopping: () => boolean;
}

interface Drive extends DriveOptions {
  readonly context: RunContext;
  /** Attempts that are being executed. */
  flightCount: number;
  /** The run's `wakeCount` when all that could have come to it was last read. */
  seenWakeCount: number;
}

/** Ends when the run has ended or is parked. @throws RunAborted, and AppError `lease_lost`. */
export async function drive(context: RunContext, options: DriveOptions): Promise<void> {
  const { aborts } = context;
  const driven = { ...options, context, flightCount: 0, seenWakeCount: context.run.wakeCount };
  try {
    await loop(driven);
  } catch (error) {
    // Nothing that still goes on here has anything to write for.
    aborts.abort("failed");
    await land(driven);
    throw error;
  }
}

/* Each round needs what the one before it wrote. */
/* oxlint-disable no-await-in-loop */
async function loop(driven: Drive): Promise<void> {
  const { context, inbox, isStopping } = driven;
  const { aborts } = context;
  await readChildren(context, waitsOf(context));
  for (;;) {
    if (aborts.work.aborted) return windUp(driven);
    await look(driven);
    const change = await takeEnds(driven);
    const next = advance(context, change, isStopping());
    const failure = change.failure ?? (next.kind === "failed" ? next.error : undefined);
    if (failure !== undefined) return endFailed(driven, change, failure);
    if (next.kind === "held" && change.steps.length === 0) aborts.abort("stopping");
    const turn = turnOf(driven, next);
    if (turn !== undefined || change.steps.length > 0) await write(driven, change, turn);
    if (turn !== undefined) return;
    if (next.kind === "busy" || next.kind === "waiting") await inbox.wait(next.dueAt);
  }
}

/** Waits until nothing is being executed any more. */
async function land(driven: Drive): Promise<void> {
  while (driven.flightCount > 0) await driven.inbox.wait(null);
}
/* oxlint-enable no-await-in-loop */

/** Takes in the attempts that have ended. */
async function takeEnds({ context, inbox }: Drive): Promise<Change> {
  const change = emptyChange();
  for (const end of inbox.takeEnds()) settleEnd(context, change, end);
  // A run that was started a moment ago may have ended before anybody waited for it.
  const began = change.steps.flatMap((step) => (step.type === "wait" ? [step.wait] : []));
  if (began.length > 0) await readChildren(context, began);
  return change;
}

/** Makes all moves that there are, until steps have to end or something has to come. */
function advance(context: RunContext, change: Change, isStopping: boolean): Plan {
  const { workflow, history, executors, clock } = context;
  const render: Render = (node, scope) => executors[node.kind].render(node, scope);
  const options = { nowMs: clock.now(), isStopping, render };
  for (;;) {
    const next = plan(workflow, history, options);
    if (next.kind !== "moves" || change.failure !== undefined) return next;
    for (const move of next.moves) makeMove(context, change, move);
    if (change.steps.length >= WRITE_STEP_COUNT_MAX) return next;
  }
}

/** What the run comes to; undefined while this worker goes on with it. */
function turnOf({ context, ...driven }: Drive, next: Plan): RunTurn | undefined {
  if (next.kind === "finished") return { state: "succeeded", outputs: next.outputs };
  if (next.kind !== "waiting") return undefined;
  const { for: what, dueAt } = next;
  const leftMs = (dueAt ?? Infinity) - context.clock.now();
  if (leftMs < WAIT_IN_PLACE_MS_MAX && !driven.isStopping()) return undefined;
  return { state: "waiting", for: what, dueAt, seenWakeCount: driven.seenWakeCount };
}

/** Writes a change until it is written, then executes the steps that it begins. */
async function write(driven: Drive, change: Change, turn: RunTurn | undefined): Promise<void> {
  const { runs, claim, persist, workflow, history } = driven.context;
  const { steps, events, launches, brokenCalls } = change;
  const { merges } = shapeOf(workflow);
  const attempts = await persist(() =>
    runs.write(claim, {
      steps,
      merges,
      ...(turn === undefined ? {} : { turn }),
      ...(events.length === 0 ? {} : { events }),
      ...(brokenCalls.length === 0 || turn === undefined ? {} : { brokenCalls }),
    }),
  );
  if (turn !== undefined) return;
  for (const [position, { key, answer }] of launches) {
    const attempt = attempts[position];
    const step = history.open.get(key);
    assert(attempt !== undefined && step !== undefined, `step ${key} was not begun`);
    history.confirm(attempt);
    void fly(driven, { step, attempt, ...defined({ answer }) });
  }
}

async function fly(driven: Drive, launch: Launch): Promise<void> {
  driven.flightCount += 1;
  const end = await runAttempt(driven.context, launch);
  driven.flightCount -= 1;
  driven.inbox.put(end);
}

/** Reads again what waiting steps wait for, when something has come to the run. */
async function look(driven: Drive): Promise<void> {
  const { context, inbox } = driven;
  const { runs, claim, history, persist } = context;
  const run = inbox.takeLook();
  if (run === undefined || run.wakeCount === driven.seenWakeCount) return;
  // Nobody waits: who waits later finds the count changed when the run would be parked.
  const waits = waitsOf(context);
  if (waits.length === 0) return;
  const { signals } = await persist(() => runs.journal(claim.runId));
  history.putSignals(signals);
  await readChildren(context, waits);
  driven.seenWakeCount = run.wakeCount;
}

function waitsOf({ history }: RunContext): Wait[] {
  return Array.from(history.open.values(), ({ attempt }) => attempt).flatMap(({ state, wait }) =>
    state === "waiting" && wait !== null ? [wait] : [],
  );
}

/** Reads the runs that are waited for and keeps those that have ended. */
async function readChildren(
  { runs, history, persist }: RunContext,
  waits: readonly Wait[],
): Promise<void> {
  const ids = waits.flatMap((wait) => (wait.for === "run" ? [wait.runId] : []));
  await Promise.all(
    ids.map(async (id) => {
      if (history.child(id) !== undefined) return;
      const run = await persist(() => runs.get(id));
      if (run !== undefined && RUN_STATES_FINAL.includes(run.state)) history.putChild(run);
    }),
  );
}

/** The run does not survive one of its steps: the others are stopped, and what they have done is kept. */
async function endFailed(driven: Drive, change: Change, error: ErrorRecord): Promise<void> {
  const { context, inbox } = driven;
  context.aborts.abort("failed");
  await land(driven);
  for (const end of inbox.takeEnds()) settleEnd(context, change, end);
  await write(driven, change, { state: "failed", error });
}

/** Writes what had ended when the run was taken from its steps. @throws why it was taken. */
async function windUp(driven: Drive): Promise<void> {
  const { context, inbox } = driven;
  const { aborts } = context;
  await land(driven);
  const { kind } = aborts;
  if (kind !== "lost") {
    const change = emptyChange();
    for (const end of inbox.takeEnds()) settleEnd(context, change, end);
    const turn = kind === "stopping" ? lastTurn(driven, change) : undefined;
    if (turn !== undefined || change.steps.length > 0) await write(driven, change, turn);
    if (turn !== undefined) return;
    context.brokenCalls.push(...change.brokenCalls);
  }
  throw aborts.work.reason;
}

/** A worker that stops ends a run that has nothing left to do. */
function lastTurn(driven: Drive, change: Change): RunTurn | undefined {
  const { failure: error } = change;
  if (error !== undefined) return { state: "failed", error };
  return turnOf(driven, advance(driven.context, change, true));
}
