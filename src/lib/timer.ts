import type { Clock } from "./clock.ts";

/** Above 2^31-1 milliseconds `setTimeout` fires at once. */
const SLEEP_MS_MAX = 2 ** 31 - 1;

/** Runs `action` once after `delayMs`, of any length. @returns the way to call it off. */
export function startTimer(clock: Clock, delayMs: number, action: () => void): () => void {
  const off = new AbortController();
  const run = async () => {
    for (let leftMs = delayMs; leftMs > 0 && !off.signal.aborted; leftMs -= SLEEP_MS_MAX)
      // The next sleep is only for what is left.
      // oxlint-disable-next-line no-await-in-loop
      await clock.sleep(Math.min(leftMs, SLEEP_MS_MAX), off.signal);
    if (!off.signal.aborted) action();
  };
  void run();
  return () => off.abort();
}
