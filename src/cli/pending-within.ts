/** What the runs inside of a run ask people: its own log does not say. */
import type { PendingApproval, Run, RunStore } from "../domain/run.ts";
import type { Clock } from "../lib/clock.ts";

/** Between looks at what is asked, as long as nothing of the run moves. */
export const LOOK_MS = 250;
const COUNT_MAX = 100;

/** Approvals that a run and those inside of it wait for, oldest first. */
export async function pendingWithin(
  runs: Pick<RunStore, "get" | "pendingApprovals">,
  run: Pick<Run, "id" | "rootId">,
): Promise<PendingApproval[]> {
  const pending = await runs.pendingApprovals({ limit: COUNT_MAX });
  const belongs = await Promise.all(
    pending.map(async ({ runId }) => {
      if (runId === run.id) return true;
      const other = await runs.get(runId);
      return other !== undefined && other.depth > 0 && other.rootId === run.rootId;
    }),
  );
  return pending.filter((_, index) => belongs[index]);
}

/** Tells of each approval that a run inside of the run waits for, once, until the signal. */
export async function watchInner(
  run: Run,
  options: {
    readonly runs: Pick<RunStore, "get" | "pendingApprovals">;
    readonly clock: Clock;
    readonly signal: AbortSignal;
    readonly isWaiting: () => boolean;
    readonly onAsked: (approval: PendingApproval) => void;
  },
): Promise<void> {
  const { runs, clock, signal, isWaiting, onAsked } = options;
  const told = new Set<string>();
  while (!signal.aborted) {
    // oxlint-disable-next-line no-await-in-loop
    await clock.sleep(LOOK_MS, signal);
    // oxlint-disable-next-line no-await-in-loop -- Each look follows the one before.
    const pending = isWaiting() && !signal.aborted ? await pendingWithin(runs, run) : [];
    for (const approval of pending) {
      const name = `${approval.runId} ${approval.key} ${approval.askedAt}`;
      if (approval.runId === run.id || told.has(name)) continue;
      told.add(name);
      onAsked(approval);
    }
  }
}
