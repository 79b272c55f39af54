import { isItemKey } from "../../src/domain/event.ts";
import {
  RUN_STATES_FINAL,
  type RunState,
  type RunSummary,
  type StepAttempt,
} from "../../src/domain/run.ts";
import { START, type Workflow } from "../../src/domain/workflow.ts";
import type { NodeState } from "./badge.tsx";
import { plural } from "./number.ts";

/** How far a run is. */
export interface Progress {
  readonly states: readonly RunState[];
  /** Beside the bar: `3/5`, `3 +2` when not all of these will come, `3` when it is over. */
  readonly note: string;
  readonly label: string;
}

/**
 * How far a run is, as far as its row and its workflow tell. Of a run that is over only what it has done counts:
 * branches that were not taken are nothing left to do.
 *
 * @param more.ahead The nodes that can still come; without them all that are not done.
 * @param more.round In which round a loop is.
 */
export function progressOf(
  run: RunSummary,
  more: {
    readonly ahead?: readonly string[] | undefined;
    readonly round?: number | undefined;
  } = {},
): Progress {
  const done = run.doneNodeIds.length;
  const doneStates = run.doneNodeIds.map((): RunState => "succeeded");
  if (isFinal(run)) {
    const end: RunState[] = run.state === "succeeded" ? [] : [run.state];
    return {
      states: [...doneStates, ...end],
      note: String(done),
      label: `${plural(done, "step")} done`,
    };
  }
  const isDone = new Set(run.doneNodeIds);
  const ahead = (more.ahead ?? run.nodeIds).filter((id) => !isDone.has(id));
  const states = ahead.map((_, index): RunState => (index === 0 ? run.state : "queued"));
  const isSure = more.ahead === undefined || ahead.length + done === run.nodeIds.length;
  const round = more.round === undefined || more.round < 2 ? "" : ` round ${more.round}`;
  return {
    states: [...doneStates, ...states],
    note: `${isSure ? `${done}/${done + ahead.length}` : `${done} +${ahead.length}`}${round}`,
    label: `${plural(done, "step")} done, ${isSure ? "" : "up to "}${ahead.length} to come${round === "" ? "" : `,${round}`}`,
  };
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
  steps: readonly (Pick<StepAttempt, "nodeId" | "next"> & {
    readonly state?: StepAttempt["state"];
  })[],
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
export function runDurationMs(run: RunSummary, now: number): number | null {
  if (run.startedAt === null) return null;
  return (run.finishedAt ?? now) - run.startedAt;
}

export function isFinal(run: RunSummary): boolean {
  return RUN_STATES_FINAL.includes(run.state);
}

/** True for a run that can go on where it stopped, or sooner than it would. */
export function isResumable(run: RunSummary): boolean {
  if (run.state === "failed" || run.state === "cancelled") return true;
  const { waitingFor } = run;
  return waitingFor === "timer" || waitingFor === "rate_limit" || waitingFor === "budget";
}

/** True while a cancellation can be asked for. */
export function isCancellable(run: RunSummary): boolean {
  return !isFinal(run) && run.cancelRequestedAt === null;
}
