/** What is old enough goes, in the background and in small steps. */
import type { Config } from "../config/config.ts";
import { AppError } from "../domain/error.ts";
import type { AgentStore } from "../domain/registered-agent.ts";
import type { EndedRange, RunStore } from "../domain/run.ts";
import type { Clock } from "../lib/clock.ts";
import type { LogFile } from "../process/log-file.ts";

/** A start lets the first pages and the interrupted runs go before. */
const FIRST_MS = 60_000;
const INTERVAL_MS = 10 * 60_000;
/** Runs of one step; between two steps others write. */
const RUN_COUNT_STEP = 50;
const PAUSE_MS = 200;
const HOUR_MS = 60 * 60_000;
const DAY_MS = 24 * HOUR_MS;
const MB = 1024 * 1024;

export interface HousekeepingDeps {
  readonly runs: Pick<RunStore, "removeEnded" | "findEndedBeyond">;
  readonly agents: Pick<AgentStore, "removeDeadBefore">;
  readonly logs: Pick<LogFile, "tidy">;
  /** Asked each time: what was saved on the settings page counts from the next round on. */
  readonly keep: () => Promise<Config["keep"]>;
  readonly clock: Clock;
  readonly reportError: (error: unknown) => void;
}

/** One round. @returns how many went. */
export async function keepHouse(
  deps: Omit<HousekeepingDeps, "reportError">,
  signal: AbortSignal,
): Promise<{ readonly runs: number; readonly agents: number; readonly logFiles: number }> {
  const { runs, agents, logs, clock } = deps;
  const { runsDays, runsCount, logsDays, logsMb, deadAgentsHours } = await deps.keep();
  const now = clock.now();
  const logFiles = logs.tidy({
    ageMs: logsDays === 0 ? undefined : logsDays * DAY_MS,
    bytes: logsMb === 0 ? undefined : logsMb * MB,
  });
  const agentCount =
    deadAgentsHours === 0 ? 0 : await agents.removeDeadBefore(now - deadAgentsHours * HOUR_MS);
  let runCount = 0;
  if (runsDays > 0)
    runCount += await removeRuns(deps, { untilMs: now - runsDays * DAY_MS }, signal);
  const beyond = runsCount === 0 ? undefined : await runs.findEndedBeyond(runsCount);
  if (beyond !== undefined) runCount += await removeRuns(deps, { upToId: beyond }, signal);
  return { runs: runCount, agents: agentCount, logFiles };
}

async function removeRuns(
  { runs, clock }: Pick<HousekeepingDeps, "runs" | "clock">,
  range: EndedRange,
  signal: AbortSignal,
): Promise<number> {
  let runCount = 0;
  let isMore = true;
  while (isMore && !signal.aborted) {
    // Step by step on purpose.
    // oxlint-disable-next-line no-await-in-loop
    const count = await runs.removeEnded(range, RUN_COUNT_STEP);
    runCount += count;
    isMore = count === RUN_COUNT_STEP;
    // oxlint-disable-next-line no-await-in-loop
    if (isMore) await clock.sleep(PAUSE_MS, signal);
  }
  return runCount;
}

/** Keeps house from time to time. @returns the way to stop. */
export function startHousekeeping(deps: HousekeepingDeps): () => void {
  const stopped = new AbortController();
  const { signal } = stopped;
  const go = async () => {
    await deps.clock.sleep(FIRST_MS, signal);
    while (!signal.aborted) {
      try {
        // oxlint-disable-next-line no-await-in-loop -- One round after the other.
        await keepHouse(deps, signal);
      } catch (error) {
        // A database that cannot be written is shown everywhere already; the next round tries again.
        if (!(error instanceof AppError)) deps.reportError(error);
      }
      // oxlint-disable-next-line no-await-in-loop
      await deps.clock.sleep(INTERVAL_MS, signal);
    }
  };
  void go();
  return () => stopped.abort();
}
