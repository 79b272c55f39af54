import type { Hono } from "hono";
import {
  ComparePage,
  type Comparison,
  type StepFigures,
  type StepPair,
} from "../../../views/compare.tsx";
import { shortId } from "../../../views/part/id.ts";
import { STATE_LABEL } from "../../../views/part/badge.tsx";
import type { Run, RunSummary } from "../../domain/run.ts";
import { diffTexts } from "../../lib/diff.ts";
import { jsonLines } from "../../lib/json.ts";
import type { WebDeps } from "../deps.ts";
import { readOr, type Kit, type WebEnv } from "../kit.ts";
import { html } from "../render.ts";
import { PATTERNS } from "../routes.ts";

/** Steps of each run that are compared. */
const STEP_COUNT_MAX = 200;
/** Values that a sentence names. */
const NAME_COUNT_MAX = 5;
/** Runs to choose from. */
const RECENT_COUNT_MAX = 30;

export function registerCompare(app: Hono<WebEnv>, { deps, shell }: Kit): void {
  app.get(PATTERNS.runsComparison, async (c) => {
    const ids = { a: c.req.query("a")?.trim() ?? "", b: c.req.query("b")?.trim() ?? "" };
    const found = await readOr(c, readBoth(deps, ids), {});
    const recent = await readOr<readonly RunSummary[]>(
      c,
      deps.runs.page({ limit: RECENT_COUNT_MAX }).then((page) => page.runs),
      [],
    );
    return html(
      c,
      ComparePage({
        shell: shell(c, "Compare"),
        ids: { a: found.a?.id ?? ids.a, b: found.b?.id ?? ids.b },
        comparison:
          found.a === undefined || found.b === undefined
            ? undefined
            : await compare(deps, found.a, found.b),
        problem: found.problem,
        recent: recent.map((run) => ({
          id: run.id,
          label: `${run.workflowName} ${shortId(run.id)}, ${STATE_LABEL[run.state]}`,
        })),
      }),
      found.problem === undefined ? 200 : 404,
    );
  });
}

interface Both {
  readonly a?: Run | undefined;
  readonly b?: Run | undefined;
  readonly problem?: string;
}

/** The whole ids, or their ends as the pages show them. */
async function readBoth({ runs }: WebDeps, ids: { a: string; b: string }): Promise<Both> {
  const find = async (id: string) => (id === "" ? undefined : await runs.find(id));
  const [a, b] = await Promise.all([find(ids.a), find(ids.b)]);
  const missing = [
    ids.a === "" || a !== undefined ? "" : ids.a,
    ids.b === "" || b !== undefined ? "" : ids.b,
  ].filter((id) => id !== "");
  if (missing.length === 0) return { a, b };
  return {
    a,
    b,
    problem: `There is no run ${missing.join(" and no run ")}. Choose one of the list.`,
  };
}

async function compare({ runReader, workflows }: WebDeps, a: Run, b: Run): Promise<Comparison> {
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
