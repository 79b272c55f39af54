/** Sums of what model calls used. */
import type { RunEvent } from "../domain/event.ts";
import type { Usage } from "../domain/model.ts";
import type { Totals } from "../domain/run.ts";

const NO_USAGE: Usage = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, reasoning: 0 };
export const NO_TOTALS: Totals = { usage: NO_USAGE, costNanoUsd: 0, unpricedCount: 0 };

export function addCall(
  totals: Totals,
  event: Extract<RunEvent, { type: "model.finished" }>,
): Totals {
  return addTotals(totals, {
    usage: event.usage,
    costNanoUsd: event.costNanoUsd ?? 0,
    unpricedCount: event.costNanoUsd === null ? 1 : 0,
  });
}

export function addTotals(one: Totals, other: Totals): Totals {
  const { usage } = one;
  return {
    usage: {
      input: usage.input + other.usage.input,
      output: usage.output + other.usage.output,
      cacheRead: usage.cacheRead + other.usage.cacheRead,
      cacheWrite: usage.cacheWrite + other.usage.cacheWrite,
      reasoning: usage.reasoning + other.usage.reasoning,
    },
    costNanoUsd: one.costNanoUsd + other.costNanoUsd,
    unpricedCount: one.unpricedCount + other.unpricedCount,
  };
}

/** True where no model was asked. */
export function isFree({ usage, costNanoUsd, unpricedCount }: Totals): boolean {
  return usage.input + usage.output + costNanoUsd + unpricedCount === 0;
}
