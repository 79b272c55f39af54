import type { Clock } from "./clock.ts";

/**
 * A question whose answer, a failure too, is kept for `keepMs` and shared by all who ask meanwhile.
 */
export function keepFor<T>(clock: Clock, keepMs: number, ask: () => Promise<T>): () => Promise<T> {
  let kept: { readonly until: number; readonly answer: Promise<T> } | undefined;
  return () => {
    if (kept === undefined || clock.now() >= kept.until)
      kept = { until: clock.now() + keepMs, answer: ask() };
    return kept.answer;
  };
}
