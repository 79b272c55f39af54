/**
 * Going back to a step of a run: which steps followed from it, and with which values the run goes on
 * without them. Pure. One step follows from another when it has consumed a token that the other put, or
 * one that came of it; what merely ran beside it or after it stays as it is.
 */
import { AppError } from "../domain/error.ts";
import type { ForkedValues, StepKey } from "../domain/event.ts";
import type { ForkedStep, Journal, StepAttempt } from "../domain/run.ts";
import { applyPatch } from "../domain/state.ts";
import type { Workflow } from "../domain/workflow.ts";
import type { JsonObject } from "../lib/json.ts";
import {
  attemptsByKey,
  type JournaledExecution,
  momentsOf,
  readExecution,
} from "./journal-order.ts";
import { readItemKey } from "./key.ts";
import { shapeOf } from "./shape.ts";

interface Reopening {
  /** The step and all that followed from it, items of maps included. */
  readonly supersede: readonly StepKey[];
  /** What the run's values are without them. */
  readonly values: JsonObject;
}

interface Place {
  /** What the run began with. */
  readonly initialValues: JsonObject;
  /** The step to go back to; an item of a map means the map. */
  readonly from: StepKey;
  /** What the run began with over its inputs, when it is a fork itself. */
  readonly forked?: ForkedValues;
}

/** The same run again from a step. @throws AppError `not_found` for a step that the run has not reached. */
export function planReopen(workflow: Workflow, journal: Journal, place: Place): Reopening {
  const executions = executionsOf(workflow, journal);
  const after = stepsAfter(executions, place.from);
  const supersede = [...executions.values()].filter((execution) => isIn(after, execution));
  return {
    supersede: supersede.map(({ key }) => key),
    values: foldPatches(workflow, kept(executions, after), place),
  };
}

export interface Fork {
  readonly steps: readonly ForkedStep[];
  readonly values: JsonObject;
  /** What of the values does not come from the inputs and the steps. */
  readonly set: JsonObject;
}

/**
 * Another run from a step, which begins with all that has ended and did not follow from it.
 * @throws AppError `not_found` for a step that the run has not reached.
 */
export function planFork(
  workflow: Workflow,
  journal: Journal,
  { set, ...place }: Place & { readonly set: JsonObject },
): Fork {
  const executions = executionsOf(workflow, journal);
  const after = stepsAfter(executions, place.from);
  const ended = kept(executions, after);
  const values = { ...foldPatches(workflow, ended, place), ...set };
  const folded = foldPatches(workflow, ended, { initialValues: place.initialValues });
  // One that only looks different is set to what it is anyway.
  const own = Object.entries(values).filter(
    ([name, value]) => JSON.stringify(value) !== JSON.stringify(folded[name] ?? null),
  );
  return { steps: ended.map(toForkedStep), values, set: Object.fromEntries(own) };
}

/**
 * The run's values just before a step ended and just after; the same for one that has left nothing.
 * @throws AppError `not_found` for a step that the run has not reached.
 */
export function valuesAround(
  workflow: Workflow,
  journal: Journal,
  place: Place,
): { readonly before: JsonObject; readonly after: JsonObject } {
  const executions = executionsOf(workflow, journal);
  const at = executions.get(readItemKey(place.from)?.mapKey ?? place.from);
  if (at === undefined) {
    throw new AppError("not_found", `The run has not reached a step \`${place.from}\`.`, {
      fix: "Choose one of the steps that the run has executed.",
    });
  }
  const ended = [...executions.values()]
    .filter(hasEnded)
    .toSorted((left, right) => endOf(left) - endOf(right));
  const seq = at.end?.endedSeq ?? Infinity;
  return {
    before: foldPatches(
      workflow,
      ended.filter((one) => endOf(one) < seq),
      place,
    ),
    after: foldPatches(
      workflow,
      ended.filter((one) => endOf(one) <= seq),
      place,
    ),
  };
}

type Executions = ReadonlyMap<StepKey, JournaledExecution>;
type Ended = JournaledExecution & { readonly end: StepAttempt };

function executionsOf(workflow: Workflow, { steps }: Journal): Executions {
  const executions = [...attemptsByKey(steps).values()].flatMap(
    (attempts) => readExecution(workflow, attempts) ?? [],
  );
  return new Map(executions.map((execution) => [execution.key, execution]));
}

/** The step and all steps that followed from it, items of maps left out. */
function stepsAfter(executions: Executions, from: StepKey): ReadonlySet<StepKey> {
  const first = readItemKey(from)?.mapKey ?? from;
  if (!executions.has(first)) {
    throw new AppError("not_found", `The run has not reached a step \`${from}\`.`, {
      fix: "Choose one of the steps that the run has executed.",
    });
  }
  const after = new Set([first]);
  /** Nodes with a token that came of these steps. */
  const reached = new Set<string>();
  // A step consumes all tokens before its node, so one of them is enough.
  for (const { type, execution } of momentsOf(executions.values())) {
    const { key, nodeId, end } = execution;
    if (type === "begin") {
      if (reached.delete(nodeId)) after.add(key);
    } else if (after.has(key)) end?.next?.forEach((id) => reached.add(id));
  }
  return after;
}

function isIn(steps: ReadonlySet<StepKey>, { key, item }: JournaledExecution): boolean {
  return steps.has(item?.mapKey ?? key);
}

/** What has ended and did not follow, in the order in which it ended. Of a map, all or nothing. */
function kept(executions: Executions, after: ReadonlySet<StepKey>): Ended[] {
  return [...executions.values()]
    .filter(hasEnded)
    .filter((execution) => !isIn(after, execution))
    .filter(({ item }) => item === undefined || executions.get(item.mapKey)?.end !== undefined)
    .toSorted((left, right) => endOf(left) - endOf(right));
}

function hasEnded(execution: JournaledExecution): execution is Ended {
  return execution.end !== undefined;
}

function endOf({ end }: Ended): number {
  return end.endedSeq ?? Infinity;
}

/** What items leave is in the list that their map has collected. */
function foldPatches(
  workflow: Workflow,
  steps: readonly Ended[],
  { initialValues, forked }: Pick<Place, "initialValues" | "forked">,
): JsonObject {
  const { merges } = shapeOf(workflow);
  const lay = (values: JsonObject, { item, end: { patch } }: Ended) =>
    item !== undefined || patch === null ? values : applyPatch(values, patch, merges);
  if (forked === undefined) return steps.reduce(lay, initialValues);
  const isTaken = (step: Ended) => endOf(step) <= forked.afterSeq;
  const begun = steps.filter(isTaken).reduce(lay, initialValues);
  return steps.filter((step) => !isTaken(step)).reduce(lay, { ...begun, ...forked.values });
}

function toForkedStep({ key, nodeId, startedSeq, end }: Ended): ForkedStep {
  const { state, input, patch, error, next, endedSeq } = end;
  return { key, nodeId, state, input, patch, error, next, startedSeq, endedSeq };
}
