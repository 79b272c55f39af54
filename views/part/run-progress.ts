import type { Run, RunState } from "../../src/domain/run.ts";

/** The state of each node of a run, in order: done, the one that is on, the ones to come. */
export function nodeStates(run: Run): RunState[] {
  const done = new Set(run.doneNodeIds);
  let current: RunState = run.state === "succeeded" ? "queued" : run.state;
  return run.nodeIds.map((id) => {
    if (done.has(id)) return "succeeded";
    const state = current;
    current = "queued";
    return state;
  });
}

/** How long a run has taken: from its start to its end, or until now. Null before the start. */
export function runDurationMs(run: Run, now: number): number | null {
  if (run.startedAt === null) return null;
  return (run.finishedAt ?? now) - run.startedAt;
}

export function isFinal(run: Run): boolean {
  return run.state === "succeeded" || run.state === "failed" || run.state === "cancelled";
}

/** True while a cancellation can be asked for. */
export function isCancellable(run: Run): boolean {
  return !isFinal(run) && run.cancelRequestedAt === null;
}
