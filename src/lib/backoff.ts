/** How long to wait before the next try. Pure: the randomness comes from the caller. */
interface Backoff {
  readonly growth: "exponential" | "linear" | "fixed";
  /** The delay after the first failure, before jitter. */
  readonly firstMs: number;
  /** No delay is longer, however many failures. */
  readonly maxMs: number;
}

/**
 * The delay after failure number `failureCount` (from 1). Exponential and linear delays carry full
 * jitter (anything from 0 to the grown delay), so that many clients that failed together do not
 * return together; a fixed delay is what its author wrote.
 */
export function backoffMs(
  backoff: Backoff,
  failureCount: number,
  random: () => number = Math.random,
): number {
  const { growth, firstMs, maxMs } = backoff;
  if (growth === "fixed") return Math.min(firstMs, maxMs);
  // Infinite from failure 1,025 on, and nothing times infinity would be no number.
  const factor = growth === "linear" ? failureCount : 2 ** Math.min(failureCount - 1, 1_023);
  return Math.round(random() * Math.min(firstMs * factor, maxMs));
}
