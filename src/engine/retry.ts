/** Whether a failed attempt is followed by another, and when. Pure. */
import type { ErrorCode } from "../domain/error.ts";
import type { RetryPolicy, RetryReason } from "../domain/workflow.ts";
import { backoffMs } from "../lib/backoff.ts";

/** The longest delay that back-off grows to; a provider's own delay may be longer. */
export const RETRY_DELAY_MS_MAX = 5 * 60_000;
/** The longest delay of a provider that is believed: beyond it a mistake is likelier, and no date is. */
export const RETRY_AFTER_MS_MAX = 31 * 24 * 60 * 60_000;

const REASONS: Partial<Record<ErrorCode, RetryReason>> = {
  output_invalid: "invalid_output",
  timeout: "timeout",
  rate_limited: "rate_limit",
  provider_unreachable: "unavailable",
  provider_unavailable: "unavailable",
  unavailable: "unavailable",
};

/** True when the outside was at fault, so that the calls that did finish still stand. */
export function isTransient(code: ErrorCode): boolean {
  const reason = REASONS[code];
  return reason !== undefined && reason !== "invalid_output";
}

/** Failures after which a person mends something outside; what was asked until then is not asked again. */
const MENDED_OUTSIDE: ReadonlySet<ErrorCode> = new Set([
  "budget_exceeded",
  "missing_key",
  "key_rejected",
  "sandbox_unavailable",
  "worker_crashed",
]);

/** True when an attempt after this failure goes on from the calls that had finished. */
export function keepsCalls(code: ErrorCode): boolean {
  return isTransient(code) || MENDED_OUTSIDE.has(code);
}

interface FailedAttempt {
  /** Tries so far, this one included. */
  readonly tryCount: number;
  readonly code: ErrorCode;
  readonly retryAfterMs: number | undefined;
  readonly nowMs: number;
}

/** @returns when the next attempt may begin; undefined when the failure is final. */
export function decideRetry(
  policy: RetryPolicy,
  failure: FailedAttempt,
  random: () => number,
): number | undefined {
  const reason = REASONS[failure.code];
  if (reason === undefined || !policy.on.includes(reason)) return undefined;
  if (failure.tryCount >= policy.maxAttempts) return undefined;
  const backoff = {
    growth: policy.backoff,
    firstMs: policy.delayMs,
    maxMs: RETRY_DELAY_MS_MAX,
  } as const;
  // The provider's delay is a lower bound; the back-off on top keeps parked runs from waking together.
  const askedMs = Math.min(failure.retryAfterMs ?? 0, RETRY_AFTER_MS_MAX);
  return Math.ceil(failure.nowMs + askedMs + backoffMs(backoff, failure.tryCount, random));
}
