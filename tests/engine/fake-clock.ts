import type { Clock } from "../../src/lib/clock.ts";

interface Sleeper {
  readonly at: number;
  readonly wake: () => void;
}

/** Time that moves only when told to. Sleepers wake in the order of their times. */
export interface FakeClock extends Clock {
  /** Moves to the next sleeper's time and wakes it; false when nobody sleeps. */
  step(): boolean;
  /** Moves without waking anyone: a process that stood still. */
  jump(ms: number): void;
  /** How many sleep now. */
  readonly sleeperCount: number;
}

export function createFakeClock(startMs = 1_800_000_000_000): FakeClock {
  let nowMs = startMs;
  const sleepers = new Set<Sleeper>();
  return {
    get sleeperCount() {
      return sleepers.size;
    },
    now: () => nowMs,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) return resolve();
        const wake = () => {
          sleepers.delete(sleeper);
          signal?.removeEventListener("abort", wake);
          resolve();
        };
        const sleeper = { at: nowMs + ms, wake };
        sleepers.add(sleeper);
        signal?.addEventListener("abort", wake, { once: true });
      }),
    step: () => {
      let next: Sleeper | undefined;
      for (const sleeper of sleepers)
        if (next === undefined || sleeper.at < next.at) next = sleeper;
      if (next === undefined) return false;
      nowMs = Math.max(nowMs, next.at);
      next.wake();
      return true;
    },
    jump: (ms) => {
      nowMs += ms;
    },
  };
}
