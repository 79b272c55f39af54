/**
 * Writing to a journal that may be away for a while. A finished result is written again and again
 * until the database takes it, the claim is lost or the worker stops; it is never recomputed.
 */
import { AppError, ERROR_CODES, type ErrorCode } from "../domain/error.ts";
import { backoffMs } from "../lib/backoff.ts";
import type { Clock } from "../lib/clock.ts";

const WRITE_DELAY_MS_FIRST = 50;
const WRITE_DELAY_MS_MAX = 5_000;

/** Repeats what a database in trouble refuses. Rejects at once with anything else. */
export type Persist = <T>(access: () => Promise<T>) => Promise<T>;

interface PersistOptions {
  readonly clock: Clock;
  readonly random: () => number;
  readonly reportError: (error: unknown) => void;
  /** Ends the repeating; the promise then rejects with its reason. */
  readonly gone: AbortSignal;
}

export function createPersist({ clock, random, reportError, gone }: PersistOptions): Persist {
  /* The next round is only for what the one before it could not do. */
  /* oxlint-disable no-await-in-loop */
  return async (access) => {
    for (let failureCount = 1; ; failureCount += 1) {
      try {
        return await access();
      } catch (error) {
        // A database in trouble is an expected state here: the next round asks it again.
        if (!isDatabaseTrouble(error)) throw error;
        if (failureCount === 1) reportError(error);
      }
      const delayMs = backoffMs(
        { growth: "exponential", firstMs: WRITE_DELAY_MS_FIRST, maxMs: WRITE_DELAY_MS_MAX },
        failureCount,
        random,
      );
      // At least 1 ms: jitter may say 0, and an instant refusal must not become a busy loop.
      await clock.sleep(Math.max(1, delayMs), gone);
      gone.throwIfAborted();
    }
  };
  /* oxlint-enable no-await-in-loop */
}

/** Faults of a database's file that a person mends; `config_invalid`: its path leads nowhere now. */
const MENDED_BY_PEOPLE: ReadonlySet<ErrorCode> = new Set([
  "read_only",
  "permission_denied",
  "config_invalid",
  "database_corrupt",
]);

/** Locked, full, unusable or degraded: it may be mended while the claim is held. */
function isDatabaseTrouble(error: unknown): boolean {
  if (!(error instanceof AppError)) return false;
  return ERROR_CODES[error.code].retry || MENDED_BY_PEOPLE.has(error.code);
}
