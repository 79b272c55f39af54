import { RESTART_DELAY_MS_FIRST, RESTART_DELAY_MS_MAX } from "../domain/service.ts";

/** So many deaths within CRASH_WINDOW_MS, or in a row without being ready once, are a crash loop. */
export const CRASH_LOOP_DEATHS = 5;
export const CRASH_WINDOW_MS = 30_000;
/** The pace at which a service that cannot start at all is tried again. */
export const CRASH_LOOP_DELAY_MS = 30_000;
/** Left of RESTART_DELAY_MS_MAX for the start itself, so that the service is back within it. */
const START_ALLOWANCE_MS = 1_000;

export interface LifeEnd {
  readonly at: number;
  /** Whether the service was ready in this life. */
  readonly wasReady: boolean;
  /** Whether the cause is known and will not go away by trying again soon (an occupied port). */
  readonly explained: boolean;
}

export interface RestartPlan {
  readonly delayMs: number;
  readonly looping: boolean;
  /** Deaths that led to this plan: in the window, or in a row. */
  readonly deathCount: number;
}

/**
 * When a service that died is started again. One that had been ready comes back within
 * RESTART_DELAY_MS_MAX however often it dies, because its work waits; one that never gets there is not
 * hammered.
 * @param ends The latest ends, oldest first, at least one.
 */
export function planRestart(ends: readonly LifeEnd[]): RestartPlan {
  const last = ends.at(-1);
  const now = last?.at ?? 0;
  const recentCount = ends.filter((end) => end.at > now - CRASH_WINDOW_MS).length;
  const unreadyCount = ends.length - 1 - ends.findLastIndex((end) => end.wasReady);
  const deathCount = Math.max(recentCount, unreadyCount);
  const looping = last?.explained === true || deathCount >= CRASH_LOOP_DEATHS;
  const hopeless = last?.explained === true || unreadyCount >= CRASH_LOOP_DEATHS;
  const backedOffMs = RESTART_DELAY_MS_FIRST * 2 ** (deathCount - 1);
  return {
    delayMs: hopeless
      ? CRASH_LOOP_DELAY_MS
      : Math.min(backedOffMs, RESTART_DELAY_MS_MAX - START_ALLOWANCE_MS),
    looping,
    deathCount,
  };
}
