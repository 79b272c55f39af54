import type { Clock } from "../../../src/lib/clock.ts";

export interface ManualClock extends Clock {
  advance(ms: number): void;
  set(ms: number): void;
}

/** A clock that stands still until it is moved. Nothing in these tests sleeps on it. */
export function createManualClock(startMs = 1_790_000_000_000): ManualClock {
  let nowMs = startMs;
  return {
    now: () => nowMs,
    sleep: () => Promise.reject(new Error("These tests do not sleep.")),
    advance(ms) {
      nowMs += ms;
    },
    set(ms) {
      nowMs = ms;
    },
  };
}
