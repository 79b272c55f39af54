/**
 * Pulls runs from the queue and executes them, up to `concurrency` at a time.
 *
 * - The claims that it holds are renewed, and ended when lost or cancelled, by `claims.ts`. A change
 *   signal that is lost costs seconds, never correctness.
 * - It sleeps until something is due, a change is signalled or a slot is freed. It never polls in a
 *   loop: between two looks at the queue that found nothing lie at least LOOK_PAUSE_MS.
 * - What is deliberately absent: any memory of runs. Kill it at any instant, and another runner goes
 *   on from the journal.
 */
import { type ChangeSignal, RUN_STATES_FINAL } from "../domain/run.ts";
import { backoffMs } from "../lib/backoff.ts";
import { createBell } from "./bell.ts";
import { createClaimKeeper } from "./claims.ts";
import { startRun } from "./run.ts";
import type { EngineDeps } from "./run-context.ts";
import { cacheWorkflows } from "./workflow-cache.ts";

/** Between two looks at an idle queue, however often a change is signalled. */
const LOOK_PAUSE_MS = 20;
/** Longest sleep without a look, for signals that were lost and leases that ran out. */
export const LOOK_INTERVAL_MS_MAX = 5_000;
/** Next look when a run is due but was not given to us: someone else took it, or may take it. */
const LOOK_AGAIN_MS = 1_000;
const QUEUE_DELAY_MS_FIRST = 100;
const QUEUE_DELAY_MS_MAX = 5_000;
const QUEUE_BACKOFF = {
  growth: "exponential",
  firstMs: QUEUE_DELAY_MS_FIRST,
  maxMs: QUEUE_DELAY_MS_MAX,
} as const;

export interface RunnerOptions extends Omit<EngineDeps, "random"> {
  readonly changes: ChangeSignal;
  /** Unique among all living workers. */
  readonly worker: string;
  /** Runs executed at the same time. */
  readonly concurrency: number;
  /** Execute this run, those inside of it, and no other. */
  readonly only?: string;
  /** For jitter; tests give their own. */
  readonly random?: () => number;
}

export interface Runner {
  /**
   * Resolves once, the first time that there is nothing left to do: with `only`, that run has ended;
   * else nothing is running here and nothing is due now or later. Also when the runner has stopped.
   */
  readonly drained: Promise<void>;
  /**
   * Takes no more runs, begins no more steps, lets those that are under way go on for `graceMs`, then
   * aborts them; runs that have not ended are given back and go on elsewhere at once.
   */
  stop(options: { graceMs: number }): Promise<void>;
}

export function startRunner(options: RunnerOptions): Runner {
  const { queue, changes, clock, worker, concurrency, only, reportError } = options;
  const random = options.random ?? Math.random;
  const loadWorkflow = cacheWorkflows(options.loadWorkflow);
  const deps: EngineDeps = { ...options, random, loadWorkflow };
  const stopping = new AbortController();
  const drained = Promise.withResolvers<void>();
  const bell = createBell(clock);
  const claims = createClaimKeeper({ ...options, onEnd: () => bell.ring() });
  const unsubscribe = changes.onChange(() => {
    bell.ring();
    claims.look();
  });
  const isStopping = () => stopping.signal.aborted;

  /** Takes what it can. @returns the time until the next look. */
  async function look(): Promise<number> {
    const free = concurrency - claims.executions.length;
    if (free <= 0) return LOOK_INTERVAL_MS_MAX;
    // Reading comes first, because every fetch is a write transaction.
    const dueAt = await nextDueAt(options);
    if (dueAt === undefined) {
      if (claims.executions.length === 0) drained.resolve();
      return LOOK_INTERVAL_MS_MAX;
    }
    const waitMs = dueAt - clock.now();
    // Runs that are reserved for this worker are due for it before they are for others.
    if (waitMs > 0 && only === undefined) return Math.min(waitMs, LOOK_INTERVAL_MS_MAX);
    await claims.renewOverdue();
    const taken = await queue.fetch(worker, free, only);
    for (const claim of taken) claims.hold(claim, startRun(deps, { claim, isStopping }));
    if (taken.length > 0) return 0;
    return waitMs > 0 ? Math.min(waitMs, LOOK_INTERVAL_MS_MAX) : LOOK_AGAIN_MS;
  }

  /* A sequence by nature: look, sleep, look again. */
  /* oxlint-disable no-await-in-loop */
  async function pull(): Promise<void> {
    let failureCount = 0;
    while (!isStopping()) {
      try {
        const sleepMs = await look();
        failureCount = 0;
        if (sleepMs > 0 && claims.executions.length < concurrency)
          await clock.sleep(LOOK_PAUSE_MS, stopping.signal);
        if (sleepMs > 0) await bell.sleep(sleepMs);
      } catch (error) {
        // The database is away: claims that are held go on, new ones have to wait.
        failureCount += 1;
        if (failureCount === 1) reportError(error);
        const delayMs = QUEUE_DELAY_MS_FIRST + backoffMs(QUEUE_BACKOFF, failureCount, random);
        await clock.sleep(delayMs, stopping.signal);
      }
    }
  }
  /* oxlint-enable no-await-in-loop */

  const pulling = pull();

  async function stop(graceMs: number): Promise<void> {
    stopping.abort();
    bell.ring();
    await pulling;
    const { executions } = claims;
    for (const execution of executions) execution.nudge();
    const idle = Promise.all(executions.map((execution) => execution.done));
    const graceEnd = new AbortController();
    await Promise.race([idle, clock.sleep(graceMs, graceEnd.signal)]);
    graceEnd.abort();
    for (const execution of executions) execution.abort("stopping");
    await idle;
    unsubscribe();
    await claims.stop();
    drained.resolve();
  }

  let stopped: Promise<void> | undefined;
  return {
    drained: drained.promise,
    stop: ({ graceMs }) => (stopped ??= stop(graceMs)),
  };
}

/** When there will be something to do; Infinity when nobody can say, undefined when there is nothing left. */
async function nextDueAt(options: RunnerOptions): Promise<number | undefined> {
  const { queue, runs, clock, only } = options;
  if (only === undefined) return queue.nextDueAt();
  const run = await runs.get(only);
  if (run === undefined || RUN_STATES_FINAL.includes(run.state)) return undefined;
  // A queued run is due at once for whoever it is reserved for, and only later for others.
  if (run.state === "queued") return clock.now();
  return (await queue.nextDueAt(only)) ?? Infinity;
}
