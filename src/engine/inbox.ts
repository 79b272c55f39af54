/** What comes to the loop of a run while it waits: ends of attempts, and that something is to be looked at. */
import type { Run } from "../domain/run.ts";
import type { Clock } from "../lib/clock.ts";
import type { AttemptEnd } from "./attempt.ts";

/** Longest sleep without a look at the clock; longer timers than 24 days fire at once. */
const SLEEP_MS_MAX = 60 * 60_000;

export interface Inbox {
  put(end: AttemptEnd): void;
  takeEnds(): AttemptEnd[];
  /** The run has been read again, and may have changed. */
  look(run: Run): void;
  takeLook(): Run | undefined;
  ring(): void;
  /** Ends when something has come since the last wait, or at `dueAt`. */
  wait(dueAt: number | null): Promise<void>;
}

export function createInbox(clock: Clock): Inbox {
  let ends: AttemptEnd[] = [];
  let seen: Run | undefined;
  let isRung = false;
  let wake: (() => void) | undefined;
  const ring = () => {
    isRung = true;
    wake?.();
  };
  return {
    put: (end) => {
      ends.push(end);
      ring();
    },
    takeEnds: () => {
      const taken = ends;
      ends = [];
      return taken;
    },
    look: (run) => {
      seen = run;
      ring();
    },
    takeLook: () => {
      const run = seen;
      seen = undefined;
      return run;
    },
    ring,
    wait: async (dueAt) => {
      if (!isRung) {
        const rung = new Promise<void>((resolve) => {
          wake = resolve;
        });
        if (dueAt === null) await rung;
        else await sleepOr(rung, Math.min(dueAt - clock.now(), SLEEP_MS_MAX), clock);
      }
      isRung = false;
      wake = undefined;
    },
  };
}

async function sleepOr(rung: Promise<void>, ms: number, clock: Clock): Promise<void> {
  const off = new AbortController();
  await Promise.race([rung, clock.sleep(ms, off.signal)]);
  off.abort();
}
