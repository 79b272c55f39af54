/** A journal read as executions, and their beginnings and ends in the order in which they happened. */
import type { StepKey } from "../domain/event.ts";
import type { StepAttempt } from "../domain/run.ts";
import type { Workflow } from "../domain/workflow.ts";
import { successorsOf } from "../language/flow.ts";
import { readItemKey } from "./key.ts";

export interface JournaledExecution {
  readonly key: StepKey;
  readonly nodeId: string;
  /** Set for an item of a map. */
  readonly item: { readonly mapKey: StepKey; readonly index: number } | undefined;
  /** Position at which it began. */
  readonly startedSeq: number;
  /** The newest attempt. */
  readonly latest: StepAttempt;
  /** The attempt that has ended it; undefined while it goes on. */
  readonly end: StepAttempt | undefined;
}

/** All attempts of a run by step, oldest first. */
export function attemptsByKey(steps: readonly StepAttempt[]): ReadonlyMap<StepKey, StepAttempt[]> {
  const byKey = new Map<StepKey, StepAttempt[]>();
  for (const attempt of steps) {
    const list = byKey.get(attempt.key);
    if (list === undefined) byKey.set(attempt.key, [attempt]);
    else list.push(attempt);
  }
  for (const list of byKey.values()) list.sort((left, right) => left.attempt - right.attempt);
  return byKey;
}

/** The execution that these attempts of one step are; undefined when all of them are superseded. */
export function readExecution(
  workflow: Workflow,
  attempts: readonly StepAttempt[],
): JournaledExecution | undefined {
  const first = attempts.find(({ state }) => state !== "superseded");
  const newest = attempts.at(-1);
  if (first === undefined || newest === undefined) return undefined;
  const latest = withWay(workflow, newest);
  return {
    key: first.key,
    nodeId: first.nodeId,
    item: readItemKey(first.key),
    startedSeq: first.startedSeq,
    latest,
    // A final failure that the run has not survived leads nowhere: a person may have it tried again.
    end: latest.next === null ? undefined : latest,
  };
}

/** A succeeded step from before graphs could branch does not say where it led: there was one way. */
function withWay(workflow: Workflow, attempt: StepAttempt): StepAttempt {
  if (attempt.state !== "succeeded" || attempt.next !== null) return attempt;
  return { ...attempt, next: successorsOf(workflow, attempt.nodeId) };
}

export interface Moment {
  readonly type: "begin" | "end";
  readonly execution: JournaledExecution;
}

/** Items of maps are left out: no token is theirs. */
export function momentsOf(executions: Iterable<JournaledExecution>): Moment[] {
  const moments: (Moment & { readonly seq: number })[] = [];
  for (const execution of executions) {
    if (execution.item !== undefined) continue;
    moments.push({ type: "begin", execution, seq: execution.startedSeq });
    if (execution.end !== undefined)
      moments.push({ type: "end", execution, seq: execution.end.endedSeq ?? Infinity });
  }
  // A step that was skipped begins and ends at one position: the sort keeps its beginning first.
  return moments.toSorted((left, right) => left.seq - right.seq);
}
