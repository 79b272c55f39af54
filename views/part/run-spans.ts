/** When the steps and calls of a run were under way, as rows of its trace. */
import type { Run, StepAttempt, StepCall } from "../../src/domain/run.ts";
import { attemptId, groupCalls, groupItems } from "./step-item.tsx";
import type { Span } from "./waterfall.tsx";

/** Of a map with more items only the map itself has a row. */
const ITEM_COUNT_MAX = 20;
/** Shorter pauses are not to be seen. */
const PAUSE_MS_MIN = 100;

interface Traced {
  readonly run: Run;
  readonly steps: readonly StepAttempt[];
  readonly calls: readonly StepCall[];
  readonly now: number;
}

export function spansOf(traced: Traced): Span[] {
  const { run, steps, now } = traced;
  const origin = run.startedAt ?? run.createdAt;
  const at = (time: number) => Math.max(0, time - origin);
  const items = groupItems(steps);
  const calls = groupCalls(traced.calls);
  const spanOf = (step: StepAttempt, depth: Span["depth"]): Span => ({
    name: step.attempt > 1 ? `${step.key} #${step.attempt}` : step.key,
    kind: step.state === "waiting" ? "wait" : "step",
    startMs: at(step.startedAt),
    endMs: at(step.finishedAt ?? now),
    depth,
    failed: step.state === "failed",
    open: step.finishedAt === null,
  });
  const own = (items.get(undefined) ?? []).filter(({ state }) => state !== "skipped");
  return own.flatMap((step) => {
    const inner = (calls.get(attemptId(step)) ?? []).map((call): Span => ({
      name: call.name,
      kind: call.kind,
      startMs: at(call.startedAt),
      endMs: at(call.finishedAt),
      depth: 1,
      failed: false,
      open: false,
    }));
    const within = items.get(step.key) ?? [];
    const ofItems = within.length <= ITEM_COUNT_MAX ? within.map((item) => spanOf(item, 1)) : [];
    return [spanOf(step, 0)].concat(inner, ofItems, pauseAfter(step, traced));
  });
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
