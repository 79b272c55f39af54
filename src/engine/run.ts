/**
 * The execution of one claimed run: plan, do the step, plan again, until the run has ended, waits for
 * a time, or is taken away. What it knows beyond its arguments it reads from the journal, so a claim
 * by any other worker goes on from the same place.
 */
import { AppError } from "../domain/error.ts";
import type { ModelPort } from "../domain/model.ts";
import type { Claim, Queue, Run, RunStore } from "../domain/run.ts";
import type { ToolPort } from "../domain/tool.ts";
import type { Workflow } from "../domain/workflow.ts";
import type { Clock } from "../lib/clock.ts";
import { startTimer } from "../lib/timer.ts";
import { type AbortKind, createRunAborts, RunAborted, type RunAborts } from "./abort.ts";
import { toErrorRecord } from "./failure.ts";
import { createHistory, type History } from "./history.ts";
import { createPersist, type Persist } from "./persist.ts";
import { plan } from "./plan.ts";
import { executeStep } from "./step.ts";
import type { LoadWorkflow } from "./workflow-cache.ts";

export interface EngineDeps {
  readonly runs: RunStore;
  readonly queue: Queue;
  readonly clock: Clock;
  readonly models: ModelPort;
  readonly tools: ToolPort;
  readonly loadWorkflow: LoadWorkflow;
  /** Takes secrets out of technical details before they are stored. */
  readonly redact: (text: string) => string;
  readonly reportError: (error: unknown) => void;
  readonly random: () => number;
}

/** One claimed run and all that its steps need. */
export interface RunContext extends EngineDeps {
  readonly claim: Claim;
  readonly run: Run;
  readonly workflow: Workflow;
  readonly history: History;
  readonly aborts: RunAborts;
  readonly persist: Persist;
}

export interface RunExecution {
  /** Takes the run from its steps; `done` follows. */
  abort(kind: AbortKind): void;
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
  const work = { claim, aborts, persist, isStopping };
  const done = execute(deps, work)
    .catch((error: unknown) => endBadly(deps, work, error))
    // Nothing above could write the end of the run: the claim runs out and another worker has it.
    .catch(deps.reportError);
  return { abort: (kind) => aborts.abort(kind), done };
}

interface Work extends RunOptions {
  readonly aborts: RunAborts;
  readonly persist: Persist;
}

async function execute(deps: EngineDeps, work: Work): Promise<void> {
  const { claim, aborts, persist } = work;
  const [run, journal] = await persist(() =>
    Promise.all([deps.runs.get(claim.runId), deps.runs.journal(claim.runId)]),
  );
  if (run === undefined) return;
  const workflow = await persist(() => deps.loadWorkflow(run.workflowId, run.versionHash));
  const history = createHistory(journal, run.values);
  const stopTimer = limitActiveTime(deps, { run, workflow, aborts });
  try {
    await drive({ ...deps, claim, aborts, persist, run, workflow, history }, work.isStopping);
  } finally {
    stopTimer();
  }
}

/** Aborts the run when its active time is over: what it used under earlier claims counts. */
function limitActiveTime(
  { clock }: EngineDeps,
  { run, workflow, aborts }: Pick<RunContext, "run" | "workflow" | "aborts">,
): () => void {
  if (workflow.timeoutMs === undefined) return () => undefined;
  const leftMs = workflow.timeoutMs - run.activeMs;
  return startTimer(clock, leftMs, () => aborts.abort("out_of_time"));
}

/* Steps follow each other: what may start next depends on what the last one wrote. */
/* oxlint-disable no-await-in-loop */
async function drive(context: RunContext, isStopping: () => boolean): Promise<void> {
  const { workflow, history, aborts, clock, persist, runs, claim } = context;
  for (;;) {
    if (isStopping()) aborts.abort("stopping");
    aborts.work.throwIfAborted();
    const next = plan(workflow, {
      attempts: history.attempts,
      values: history.values,
      nowMs: clock.now(),
    });
    switch (next.kind) {
      case "wait":
        await clock.sleep(next.untilMs - clock.now(), aborts.work);
        break;
      case "start": {
        const [step] = next.steps;
        if (step === undefined) return;
        const end = await executeStep(context, step);
        if (end === "run_ended" || end === "run_parked") return;
        break;
      }
      case "failed":
        return persist(() => runs.failRun(claim, next.error));
      case "finished":
        // The last step's commit ends its run, so an unfinished run has a step left.
        throw new AppError("internal", "The run has no step left but has not ended.");
    }
  }
}
/* oxlint-enable no-await-in-loop */

/** Writes the end that an aborted or broken execution comes to. */
async function endBadly(deps: EngineDeps, work: Work, error: unknown): Promise<void> {
  const { claim, aborts, persist } = work;
  const reason: unknown = aborts.work.aborted ? aborts.work.reason : error;
  if (isLost(reason) || isLost(error)) return;
  if (!(reason instanceof RunAborted)) {
    const failure = AppError.from(error);
    if (failure.code === "internal") deps.reportError(error);
    const record = toErrorRecord(failure, deps.redact);
    return unlessLost(persist(() => deps.runs.failRun(claim, record)));
  }
  switch (reason.kind) {
    case "lost":
      return;
    case "stopping":
      // Once: when the database refuses, the lease runs out a little later.
      return deps.queue.release(claim);
    case "cancelled":
      return unlessLost(persist(() => deps.runs.cancelRun(claim)));
    case "out_of_time":
      return unlessLost(persist(() => deps.runs.failRun(claim, outOfTime(deps))));
  }
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

function outOfTime({ redact }: EngineDeps) {
  const error = new AppError("timeout", "The run took longer than its time limit.", {
    fix: "Raise `config.execution.timeout` in the workflow file.",
  });
  return toErrorRecord(error, redact);
}
