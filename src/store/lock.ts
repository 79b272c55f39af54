import { systemClock } from "../lib/clock.ts";
import { isBusy } from "./error.ts";

/** How long a lock of another process is waited for where somebody waits for the answer. */
export const LOCK_WAIT_MS = 5_000;
/** By commands and workers, which would only try again: still less than a lease. */
export const LOCK_WAIT_MS_PATIENT = 10_000;
const LOCK_RETRY_MS_MAX = 10;

/**
 * Does `work`, again and again while another process holds the lock it needs, without blocking the
 * thread. Waits in real time, because it is another process that is waited for. SQLite gives the lock to
 * whoever asks first, so one who has waited long asks more often than one who has just come; chance
 * keeps many from asking in step.
 * @throws what `work` throws; SQLITE_BUSY after `limitMs`.
 */
export async function waitForLock<T>(work: () => T, limitMs: number): Promise<T> {
  const beganAt = systemClock.now();
  for (;;) {
    const waitedMs = systemClock.now() - beganAt;
    try {
      return work();
    } catch (error) {
      if (!isBusy(error) || waitedMs >= limitMs) throw error;
    }
    const pauseMs = LOCK_RETRY_MS_MAX * (1 - waitedMs / limitMs) * Math.random();
    // oxlint-disable-next-line no-await-in-loop -- Each try follows a wait.
    await systemClock.sleep(Math.max(1, pauseMs));
  }
}
