/**
 * The execution of one claimed run. What it knows beyond its arguments it reads from the journal, so a
 * claim by any other worker goes on from the same place.
 */
import { AppError, type ErrorRecord } from "../domain/error.ts";
import type { BrokenCalls, Claim, Run } from "../domain/run.ts";
import type { Workflow } from "../domain/workflow.ts";
import { readInputs } from "../language/input.ts";
import { startTimer } from "../lib/timer.ts";
import { type AbortKind, createRunAborts, RunAborted, type RunAborts } from "./abort.ts";
import { createSpending } from "./budget.ts";
import { drive } from "./drive.ts";
import { toErrorRecord } from "./failure.ts";
import { History } from "./history.ts";
import { createInbox, type Inbox } from "./inbox.ts";
import { entryOf } from "./next.ts";
import { createPersist, type Persist } from "./persist.ts";
import type { EngineDeps, RunContext } from "./run-context.ts";

export interface RunExecution {
  /** Takes the run from its steps; `done` follows. */
  abort(kind: AbortKind): void;
  /** The run has been read again: its waiting steps are looked at when it has changed. */
  look(run: Run): void;
  /** `isStopping` has changed. */
  nudge(): void;
  /** Ends when this worker has nothing more to do with the run. Never rejects. */
  readonly done: Promise<void>;
}

interface RunOptions {
  readonly claim: Claim;
  /** True when no further step may begin: the run is given back between steps. */
  readonly isStopping: () => boolean;
}

export function startRun(deps: EngineDeps, { claim, isStopping }: RunOptions): RunExecution {
  const aborts = createRunAborts();
  const persist = createPersist({ ...deps, gone: aborts.gone });
  const inbox = createInbox(deps.clock);
  aborts.work.addEventListener("abort", () => inbox.ring(), { once: true });
  const work = { claim, aborts, persist, inbox, isStopping, brokenCalls: [] };
  const done = execute(deps, work)
    .catch((error: unknown) => endBadly(deps, work, error))
    // Nothing above could write the end of the run: the claim runs out and another worker has it.
    .catch(deps.reportError);
  return {
    abort: (kind) => aborts.abort(kind),
    look: (run) => inbox.look(run),
    nudge: () => inbox.ring(),
    done,
  };
}

interface Work extends RunOptions {
  readonly aborts: RunAborts;
  readonly persist: Persist;
  readonly inbox: Inbox;
  readonly brokenCalls: BrokenCalls[];
}

async function execute(deps: EngineDeps, work: Work): Promise<void> {
  const { claim, aborts, persist, inbox, isStopping, brokenCalls } = work;
  // The run first: what comes after it has been read makes its `wakeCount` differ from the one seen here.
  const run = await persist(() => deps.runs.get(claim.runId));
  if (run === undefined) return;
  const journal = await persist(() => deps.runs.journal(claim.runId));
  const workflow = await persist(() => deps.loadWorkflow(run.workflowId, run.versionHash));
  const entry = entryOf(workflow, () => initialValues(workflow, run));
  const history = new History(workflow, journal, { values: run.values, entry });
  const spending = createSpending(run);
  const context: RunContext = {
    ...deps,
    claim,
    aborts,
    persist,
    run,
    workflow,
    history,
    spending,
    brokenCalls,
  };
  const stopTimer = limitActiveTime(context);
  try {
    await drive(context, { inbox, isStopping });
  } finally {
    stopTimer();
  }
}

/** What START's routes are decided by, whatever has been written since. */
function initialValues(workflow: Workflow, run: Run) {
  return readInputs(workflow, run.inputs).values ?? run.values;
}

/** Aborts the run when its active time is over: what it used under earlier claims counts. */
function limitActiveTime({ run, workflow, aborts, clock }: RunContext): () => void {
  if (workflow.timeoutMs === undefined) return () => undefined;
  const leftMs = workflow.timeoutMs - run.activeMs;
  return startTimer(clock, leftMs, () => aborts.abort("out_of_time"));
}

/** Writes the end that an aborted or broken execution comes to. */
async function endBadly(deps: EngineDeps, work: Work, error: unknown): Promise<void> {
  const { claim, aborts, persist, brokenCalls } = work;
  const reason: unknown = aborts.work.aborted ? aborts.work.reason : error;
  if (isLost(reason) || isLost(error)) return;
  const kind = reason instanceof RunAborted ? reason.kind : "failed";
  switch (kind) {
    case "lost":
      return;
    case "stopping":
      // Once: when the database refuses, the lease runs out a little later.
      return deps.queue.release(claim);
    case "cancelled":
      return unlessLost(persist(() => deps.runs.cancelRun(claim, brokenCalls)));
    case "out_of_time":
      return unlessLost(persist(() => deps.runs.failRun(claim, outOfTime(deps), brokenCalls)));
    case "failed": {
      const record = toFailure(deps, error);
      return unlessLost(persist(() => deps.runs.failRun(claim, record)));
    }
  }
}

function toFailure(deps: EngineDeps, error: unknown): ErrorRecord {
  const failure = AppError.from(error);
  if (failure.code === "internal") deps.reportError(error);
  return toErrorRecord(failure, deps.redact);
}

function isLost(error: unknown): boolean {
  if (error instanceof RunAborted) return error.kind === "lost";
  return error instanceof AppError && error.code === "lease_lost";
}

/** Whoever has the run now decides about it. */
async function unlessLost(write: Promise<void>): Promise<void> {
  try {
    await write;
  } catch (error) {
    if (!isLost(error)) throw error;
  }
}

function outOfTime({ redact }: EngineDeps): ErrorRecord {
  const error = new AppError("timeout", "The run took longer than its time limit.", {
    fix: "Raise `config.execution.timeout` in the workflow file.",
  });
  return toErrorRecord(error, redact);
}
