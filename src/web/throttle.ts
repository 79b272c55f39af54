/** Slows down guessing: a few failures per address and window, and few checks at the same time. */
import { AppError } from "../domain/error.ts";
import type { Clock } from "../lib/clock.ts";

export const LOGIN_FAILURE_COUNT_MAX = 5;
export const LOGIN_WINDOW_MS = 5 * 60 * 1000;
/** Addresses remembered; beyond that the oldest is forgotten. */
export const LOGIN_ADDRESS_COUNT_MAX = 10_000;
/** argon2id takes about 64 MiB and a tenth of a second each. */
export const LOGIN_CONCURRENT_COUNT_MAX = 2;
const BUSY_RETRY_MS = 1_000;

/** A wrong token costs one read; what it slows down is a program that does not stop. */
export const TOKEN_LIMITS: ThrottleLimits = {
  failureCountMax: 60,
  windowMs: 60_000,
  concurrentCountMax: Number.POSITIVE_INFINITY,
};

interface ThrottleLimits {
  readonly failureCountMax: number;
  readonly windowMs: number;
  readonly concurrentCountMax: number;
}
const LOGIN_LIMITS: ThrottleLimits = {
  failureCountMax: LOGIN_FAILURE_COUNT_MAX,
  windowMs: LOGIN_WINDOW_MS,
  concurrentCountMax: LOGIN_CONCURRENT_COUNT_MAX,
};

export interface Throttle {
  /**
   * Makes one check for an address. @returns its result.
   * @throws AppError `rate_limited` when there were too many failures, or too many checks are running.
   */
  attempt(address: string, check: () => Promise<boolean>): Promise<boolean>;
}

export function createThrottle(clock: Clock, limits = LOGIN_LIMITS): Throttle {
  const failures = new Map<string, { count: number; since: number }>();
  let running = 0;

  /** Counted before the outcome is known, so that attempts made at the same time count too. */
  function count(key: string): void {
    const now = clock.now();
    const known = failures.get(key);
    const isOver = known === undefined || now - known.since >= limits.windowMs;
    const current = isOver ? { count: 0, since: now } : known;
    if (current.count >= limits.failureCountMax)
      throw refusal(current.since + limits.windowMs - now);
    failures.delete(key);
    failures.set(key, { count: current.count + 1, since: current.since });
    const [oldest] = failures.keys();
    if (failures.size > LOGIN_ADDRESS_COUNT_MAX && oldest !== undefined) failures.delete(oldest);
  }

  return {
    async attempt(address, check) {
      const key = addressKey(address);
      if (running >= limits.concurrentCountMax) throw refusal(BUSY_RETRY_MS);
      count(key);
      running += 1;
      try {
        const ok = await check();
        if (ok) failures.delete(key);
        return ok;
      } finally {
        running -= 1;
      }
    },
  };
}

function refusal(retryAfterMs: number): AppError {
  return new AppError("rate_limited", "There were too many attempts to log in.", {
    fix: `Wait ${Math.ceil(retryAfterMs / 1000)} seconds, then try again.`,
    retryAfterMs,
  });
}

/** One IPv6 subscriber has a whole /64, so that is what counts as an address. */
function addressKey(address: string): string {
  if (!address.includes(":") || address.includes(".")) return address;
  const [head = "", tail] = address.split("::");
  const groups = head === "" ? [] : head.split(":");
  const rest = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros: string[] = Array.from({ length: 8 - groups.length - rest.length }, () => "0");
  return [...groups, ...(tail === undefined ? [] : zeros), ...rest].slice(0, 4).join(":");
}
