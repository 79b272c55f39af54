/** When the steps and calls of a run were under way, as rows of its trace. */
import type { Run, StepAttempt, StepCall } from "../../src/domain/run.ts";
import { attemptId, groupCalls, groupItems, stepPath } from "./step-item.tsx";
import type { Span } from "./waterfall.tsx";

/** Of a map with more items only the map itself has a row. */
const ITEM_COUNT_MAX = 20;
/** Shorter pauses are not to be seen. */
const PAUSE_MS_MIN = 100;

interface Traced {
  readonly run: Pick<Run, "startedAt" | "createdAt" | "finishedAt">;
  readonly steps: readonly StepAttempt[];
  readonly calls: readonly StepCall[];
  readonly now: number;
}

export function spansOf(traced: Traced): Span[] {
  const items = groupItems(traced.steps);
  const own = (items.get(undefined) ?? []).filter(({ state }) => state !== "skipped");
  const rows = rowsIn(traced);
  return own.flatMap((step) => {
    const within = items.get(step.key) ?? [];
    const ofItems =
      within.length <= ITEM_COUNT_MAX ? within.map((item) => rows.stepRow(item, 1)) : [];
    return [rows.stepRow(step, 0)].concat(rows.callRows(step), ofItems, pauseAfter(step, traced));
  });
}

/** Each of these steps with its calls, items like others: a part of a trace. @param path Of the run, for links. */
export function windowSpans(traced: Traced, path: string): Span[] {
  const rows = rowsIn(traced);
  return traced.steps.flatMap((step) => {
    const own: Span = { ...rows.stepRow(step, 0), href: stepPath(path, step.key) };
    return [own].concat(rows.callRows(step), pauseAfter(step, traced));
  });
}

function rowsIn({ run, calls: all, now }: Traced) {
  const origin = run.startedAt ?? run.createdAt;
  const at = (time: number) => Math.max(0, time - origin);
  const calls = groupCalls(all);
  return {
    stepRow: (step: StepAttempt, depth: Span["depth"]): Span => ({
      name: nameOf(step),
      kind: step.state === "waiting" ? "wait" : "step",
      startMs: at(step.startedAt),
      endMs: at(step.finishedAt ?? now),
      depth,
      failed: step.state === "failed",
      open: step.finishedAt === null,
    }),
    callRows: (step: StepAttempt) =>
      (calls.get(attemptId(step)) ?? []).map((call): Span => ({
        name: call.name,
        kind: call.kind,
        startMs: at(call.startedAt),
        endMs: at(call.finishedAt),
        depth: 1,
        failed: false,
        open: false,
      })),
  };
}

function nameOf({ key, attempt, state }: StepAttempt): string {
  if (state === "skipped") return `${key} (skipped)`;
  return attempt > 1 ? `${key} #${attempt}` : key;
}

/** The pause between a failed attempt and the next one. */
function pauseAfter(step: StepAttempt, { run, now }: Traced): Span[] {
  const { retryAt, finishedAt } = step;
  if (retryAt === null || finishedAt === null || retryAt - finishedAt < PAUSE_MS_MIN) return [];
  const origin = run.startedAt ?? run.createdAt;
  const end = Math.max(finishedAt, Math.min(retryAt, now));
  return [
    {
      name: "wait",
      kind: "wait",
      startMs: finishedAt - origin,
      endMs: end - origin,
      depth: 1,
      failed: false,
      open: retryAt > now && run.finishedAt === null,
    },
  ];
}
