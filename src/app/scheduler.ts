/**
 * Starts the runs whose time has come. Each time starts one run, also when this process dies between any two
 * lines: the run is named in the schedule before it is made, making it is idempotent by that name, and only
 * then does the schedule go on to its next time. Several dashboards on one database agree in the same way.
 */
import { AppError, isUnavailable } from "../domain/error.ts";
import { type Run, RUN_STATES_FINAL, type RunStore } from "../domain/run.ts";
import {
  type Schedule,
  SCHEDULE_LATE_MS,
  type ScheduleOutcome,
  type ScheduleStore,
} from "../domain/schedule.ts";
import type { WorkflowStore } from "../domain/workflow.ts";
import type { Clock } from "../lib/clock.ts";
import { nextTime } from "../lib/cron.ts";
import { newId } from "../lib/id.ts";
import { createRun, loadWorkflow } from "./workflow-runs.ts";

/** Schedules that another process has changed are noticed so soon. */
const LOOK_MS = 2_000;
/** Schedules that are taken up at once; the rest follows. */
const DUE_COUNT_MAX = 100;

interface SchedulerDeps {
  readonly schedules: ScheduleStore;
  readonly runs: RunStore;
  readonly workflows: WorkflowStore;
  readonly toolNames: readonly string[];
  readonly clock: Clock;
  readonly reportError: (error: unknown) => void;
}

/** Follows all schedules until it is stopped. A database in trouble is waited for. @returns the way to stop. */
export function followSchedules(deps: SchedulerDeps): () => void {
  const { clock, schedules } = deps;
  const stopped = new AbortController();
  const follow = async () => {
    let failing = false;
    while (!stopped.signal.aborted) {
      let waitMs = LOOK_MS;
      try {
        // oxlint-disable-next-line no-await-in-loop -- One look after the other, for ever.
        await startDue(deps);
        // oxlint-disable-next-line no-await-in-loop
        const nextAt = await schedules.nextDueAt();
        if (nextAt !== undefined) waitMs = Math.min(LOOK_MS, Math.max(0, nextAt - clock.now()));
        failing = false;
      } catch (error) {
        // The banner of every page says what is wrong with the database.
        if (!failing && !isUnavailable(error)) deps.reportError(error);
        failing = true;
      }
      // oxlint-disable-next-line no-await-in-loop
      await clock.sleep(waitMs, stopped.signal);
    }
  };
  void follow();
  return () => stopped.abort();
}

/** Starts what is due now. @throws AppError when the database cannot be read or written. */
export async function startDue(deps: SchedulerDeps): Promise<void> {
  const due = await deps.schedules.due(deps.clock.now(), DUE_COUNT_MAX);
  // oxlint-disable-next-line no-await-in-loop -- In the order of their times.
  for (const schedule of due) await startOne(deps, schedule);
}

async function startOne(deps: SchedulerDeps, schedule: Schedule): Promise<void> {
  const { schedules, clock } = deps;
  const { id, nextAt: at, cron, timeZone } = schedule;
  if (at === null) return;
  const now = clock.now();
  const nextAt = nextTime(cron, timeZone, now) ?? null;
  const settle = (outcome: ScheduleOutcome, more: { runId?: string; error?: AppError } = {}) => {
    const { runId, error } = more;
    return schedules.settle(id, at, {
      outcome,
      nextAt,
      ...(runId === undefined ? {} : { runId }),
      ...(error === undefined ? {} : { error: error.toRecord() }),
    });
  };
  if (!schedule.catchUp && now - at > SCHEDULE_LATE_MS) return settle("missed");
  if (await overlaps(deps, schedule)) return settle("overlapped");
  const runId = await schedules.takeUp(id, at, newId(now));
  // Changed or paused meanwhile, or settled by another process.
  if (runId === undefined) return;
  try {
    await startScheduled(deps, schedule, { id: runId, source: "schedule" });
  } catch (error) {
    // It may be mended: the time is tried again.
    if (isUnavailable(error)) throw error;
    return settle("failed", { error: AppError.from(error) });
  }
  return settle("started", { runId });
}

async function overlaps({ runs }: SchedulerDeps, schedule: Schedule): Promise<boolean> {
  if (schedule.overlap === "start" || schedule.lastRunId === null) return false;
  const last = await runs.get(schedule.lastRunId);
  return last !== undefined && !RUN_STATES_FINAL.some((state) => state === last.state);
}

/**
 * One run of the newest version, with what the schedule says.
 * @throws AppError `not_found`, `workflow_invalid`, `invalid` when the inputs no longer fit.
 */
export async function startScheduled(
  deps: Pick<SchedulerDeps, "runs" | "workflows" | "toolNames" | "clock">,
  schedule: Schedule,
  made: Pick<Parameters<typeof createRun>[2], "id" | "source" | "reservedFor">,
): Promise<Run> {
  const { workflows, toolNames, clock } = deps;
  const { workflowId, inputs, overrides } = schedule;
  const record = await workflows.get(workflowId);
  if (record === undefined)
    throw new AppError("not_found", `The workflow ${schedule.workflowName} is gone.`);
  const versionHash = record.version.hash;
  const workflow = await loadWorkflow(workflows, { workflowId, hash: versionHash }, toolNames);
  const { readInputs } = await import("../language/input.ts");
  const { values, problems } = readInputs(workflow, inputs);
  if (values === undefined) {
    throw new AppError("invalid", problems[0]?.message ?? "The inputs do not fit.", {
      fix: "Change the inputs of the schedule.",
    });
  }
  const request = { workflowId, versionHash, workflow, values, inputs, overrides };
  return createRun(deps, request, { clock, ...made });
}
