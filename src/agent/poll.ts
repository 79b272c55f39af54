import { AppError } from "../domain/error.ts";
import type { Clock } from "../lib/clock.ts";

const FIRST_DELAY_MS = 250;
const DELAY_MS_MAX = 5_000;
const DELAY_GROWTH = 1.5;
/** Looks one after the other that may fail for reasons that pass. */
const FAILURE_COUNT_MAX = 5;

const PASSING: ReadonlySet<string> = new Set(["unavailable", "rate_limited", "timeout"]);

interface Watch {
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * Looks again and again, at growing distances, until there is something. A server that is away for a
 * moment does not end it. @throws what `look` throws otherwise, and the signal's reason.
 */
export async function pollUntil<T>(
  { clock, signal }: Watch,
  look: () => Promise<T | undefined>,
): Promise<T> {
  let failureCount = 0;
  for (let delayMs = FIRST_DELAY_MS; ; delayMs = Math.min(delayMs * DELAY_GROWTH, DELAY_MS_MAX)) {
    let askedMs = 0;
    try {
      // Each look is at what the one before it did not find.
      // oxlint-disable-next-line no-await-in-loop
      const found = await look();
      if (found !== undefined) return found;
      failureCount = 0;
    } catch (error) {
      signal.throwIfAborted();
      failureCount += 1;
      if (!(error instanceof AppError) || !PASSING.has(error.code)) throw error;
      if (failureCount >= FAILURE_COUNT_MAX) throw error;
      askedMs = error.retryAfterMs ?? 0;
    }
    // oxlint-disable-next-line no-await-in-loop
    await clock.sleep(Math.max(delayMs, askedMs), signal);
    signal.throwIfAborted();
  }
}
