import type { Clock } from "../lib/clock.ts";

/** Wakes one sleeper early. A ring while nobody sleeps is kept for the next sleep. */
interface Bell {
  ring(): void;
  /** Ends after `ms`, or at once when it rings or has rung since the last sleep. */
  sleep(ms: number): Promise<void>;
}

export function createBell(clock: Clock): Bell {
  let rung = new AbortController();
  return {
    ring: () => rung.abort(),
    sleep: async (ms) => {
      await clock.sleep(ms, rung.signal);
      rung = new AbortController();
    },
  };
}
