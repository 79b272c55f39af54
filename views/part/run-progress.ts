import { isItemKey } from "../../src/domain/event.ts";
import {
  type Run,
  RUN_STATES_FINAL,
  type RunState,
  type StepAttempt,
} from "../../src/domain/run.ts";
import { START, type Workflow } from "../../src/domain/workflow.ts";
import type { NodeState } from "./badge.tsx";

/** The state of each node as far as the run itself knows it: done, the first that is not, the ones to come. */
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

/** The newest attempt of each node's newest execution; of a map its own step, not those of its items. */
export function newestSteps(steps: readonly StepAttempt[]): ReadonlyMap<string, StepAttempt> {
  const newest = new Map<string, StepAttempt>();
  for (const step of steps) {
    if (isItemKey(step.key)) continue;
    const known = newest.get(step.nodeId);
    if (known === undefined || step.startedSeq >= known.startedSeq) newest.set(step.nodeId, step);
  }
  return newest;
}

/** The state in which a node is drawn. */
export function stateOfNode(step: StepAttempt | undefined): NodeState {
  if (step === undefined || step.state === "superseded") return "queued";
  // Another attempt follows.
  return step.state === "failed" && step.retryAt !== null ? "waiting" : step.state;
}

/** The edges that a run has gone, as `from to`. */
export function takenEdges(
  steps: readonly StepAttempt[],
  workflow: Workflow | undefined,
): ReadonlySet<string> {
  const taken = new Set(
    steps.flatMap((step) =>
      step.state === "superseded" ? [] : (step.next ?? []).map((to) => `${step.nodeId} ${to}`),
    ),
  );
  const start = workflow?.edges.find((edge) => edge.from === START);
  if (steps.length > 0 && start?.kind === "to")
    for (const to of start.to) taken.add(`${START} ${to}`);
  return taken;
}

/** How long a run has taken: from its start to its end, or until now. Null before the start. */
export function runDurationMs(run: Run, now: number): number | null {
  if (run.startedAt === null) return null;
  return (run.finishedAt ?? now) - run.startedAt;
}

export function isFinal(run: Run): boolean {
  return RUN_STATES_FINAL.includes(run.state);
}

/** True for a run that can go on where it stopped, or sooner than it would. */
export function isResumable(run: Run): boolean {
  if (run.state === "failed" || run.state === "cancelled") return true;
  const { waitingFor } = run;
  return waitingFor === "timer" || waitingFor === "rate_limit" || waitingFor === "budget";
}

/** True while a cancellation can be asked for. */
export function isCancellable(run: Run): boolean {
  return !isFinal(run) && run.cancelRequestedAt === null;
}
