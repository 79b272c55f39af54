/** What differs between two runs, for the page and the API. */
import type { Comparison, StepFigures, StepPair } from "../../views/compare.tsx";
import { STATE_LABEL } from "../../views/part/badge.tsx";
import type { Run } from "../domain/run.ts";
import { diffTexts } from "../lib/diff.ts";
import { jsonLines } from "../lib/json.ts";
import type { WebDeps } from "./deps.ts";

/** Steps of each run that are compared. */
const STEP_COUNT_MAX = 200;
/** Values that a sentence names. */
const NAME_COUNT_MAX = 5;

export async function compareRuns(
  { runReader, workflows }: Pick<WebDeps, "runReader" | "workflows">,
  a: Run,
  b: Run,
): Promise<Comparison> {
  const [stepsA, stepsB, versionA, versionB] = await Promise.all([
    runReader.steps(a.id, { after: 0, limit: STEP_COUNT_MAX + 1 }),
    runReader.steps(b.id, { after: 0, limit: STEP_COUNT_MAX + 1 }),
    workflows.version(a.workflowId, a.versionHash),
    workflows.version(b.workflowId, b.versionHash),
  ]);
  const pairs = pairSteps(stepsA.slice(0, STEP_COUNT_MAX), stepsB.slice(0, STEP_COUNT_MAX));
  const areSame = a.workflowId === b.workflowId && a.versionHash === b.versionHash;
  return {
    a: { run: a, version: versionA?.number, stepCount: stepsA.length },
    b: { run: b, version: versionB?.number, stepCount: stepsB.length },
    source:
      areSame || versionA === undefined || versionB === undefined
        ? undefined
        : diffTexts(versionA.source, versionB.source),
    inputs: diffTexts(jsonLines(a.inputs), jsonLines(b.inputs)),
    outputs: diffTexts(jsonLines(a.values), jsonLines(b.values)),
    pairs,
    stepCountMax: STEP_COUNT_MAX,
    divergence: divergenceOf(pairs),
  };
}

/** By key, in the order of the first run; what only the second has comes after what it followed there. */
function pairSteps(a: readonly StepFigures[], b: readonly StepFigures[]): StepPair[] {
  const [lastA, lastB] = [lastAttempts(a), lastAttempts(b)];
  const keys = [...lastA.keys()];
  let place = 0;
  for (const key of lastB.keys()) {
    const known = keys.indexOf(key);
    if (known >= 0) place = known + 1;
    else {
      keys.splice(place, 0, key);
      place += 1;
    }
  }
  return keys.map((key) => ({ key, a: lastA.get(key), b: lastB.get(key) }));
}

function lastAttempts(steps: readonly StepFigures[]): Map<string, StepFigures> {
  return new Map(
    steps.filter((step) => step.state !== "superseded").map((step) => [step.key, step]),
  );
}

/** The first pair that ended differently, that only one has reached, or that left other values. */
function divergenceOf(pairs: readonly StepPair[]): Comparison["divergence"] {
  for (const { key, a, b } of pairs) {
    const how = differenceOf(a, b);
    if (how !== undefined) return { key, how };
  }
  return undefined;
}

function differenceOf(a: StepFigures | undefined, b: StepFigures | undefined): string | undefined {
  if (a === undefined) return "only the second run has reached it";
  if (b === undefined) return "only the first run has reached it";
  if (a.state !== b.state) {
    const [first, second] = [STATE_LABEL[a.state], STATE_LABEL[b.state]];
    return `${first.toLowerCase()} in the first, ${second.toLowerCase()} in the second`;
  }
  const [left, right] = [a.patch ?? {}, b.patch ?? {}];
  const names = [...new Set([...Object.keys(left), ...Object.keys(right)])].filter(
    (name) => jsonLines(left[name] ?? null) !== jsonLines(right[name] ?? null),
  );
  if (names.length === 0) return undefined;
  return `it wrote something else into ${names.slice(0, NAME_COUNT_MAX).join(", ")}`;
}
