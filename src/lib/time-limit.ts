import { abortable } from "./abortable.ts";
import type { Clock } from "./clock.ts";
import { startTimer } from "./timer.ts";

export interface TimeLimit {
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly ms: number;
  /** What the work is aborted with when the time is over. */
  readonly reason: () => Error;
}

/** A signal that aborts with another, or when the time is over; `stop` when the work has ended. */
export function limitSignal({ signal, clock, ms, reason }: TimeLimit): {
  readonly signal: AbortSignal;
  readonly stop: () => void;
} {
  const limit = new AbortController();
  const onAbort = () => limit.abort(signal.reason);
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  const stopTimer = startTimer(clock, ms, () => limit.abort(reason()));
  return {
    signal: limit.signal,
    stop: () => {
      stopTimer();
      signal.removeEventListener("abort", onAbort);
    },
  };
}

/**
 * The result of `work` under a time limit, or a rejection with the reason of the abort as soon as it comes,
 * even when the work does not listen to the signal that it gets.
 */
export async function withTimeLimit<T>(
  limit: TimeLimit,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { signal, stop } = limitSignal(limit);
  try {
    signal.throwIfAborted();
    return await abortable(signal, work(signal));
  } finally {
    stop();
  }
}
