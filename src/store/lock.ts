import { systemClock } from "../lib/clock.ts";
import { isBusy } from "./error.ts";

/** How long a lock of another process is waited for. */
const LOCK_WAIT_MS_MAX = 5_000;
const LOCK_RETRY_MS = 5;

/**
 * Does `work`, again and again while another process holds the lock it needs, without blocking the
 * thread. Waits in real time, because it is another process that is waited for.
 * @throws what `work` throws; SQLITE_BUSY after `limitMs`.
 */
export async function waitForLock<T>(work: () => T, limitMs = LOCK_WAIT_MS_MAX): Promise<T> {
  const deadline = systemClock.now() + limitMs;
  for (;;) {
    try {
      return work();
    } catch (error) {
      if (!isBusy(error) || systemClock.now() >= deadline) throw error;
    }
    // oxlint-disable-next-line no-await-in-loop -- Each try follows a wait.
    await systemClock.sleep(LOCK_RETRY_MS);
  }
}
