/** Whether a failed attempt is followed by another, and when. Pure. */
import type { ErrorCode } from "../domain/error.ts";
import type { WaitingFor } from "../domain/run.ts";
import type { RetryPolicy, RetryReason } from "../domain/workflow.ts";
import { backoffMs } from "../lib/backoff.ts";

/** The longest delay that back-off grows to; a provider's own delay may be longer. */
export const RETRY_DELAY_MS_MAX = 5 * 60_000;
/** The longest delay of a provider that is believed: beyond it a mistake is likelier, and no date is. */
export const RETRY_AFTER_MS_MAX = 31 * 24 * 60 * 60_000;
/** Below this the worker keeps the run and waits; from here on the run is parked and holds no slot. */
export const RETRY_IN_PLACE_MS_MAX = 2_000;

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

interface RetryDecision {
  readonly at: number;
  readonly waitingFor: WaitingFor;
  readonly inPlace: boolean;
}

interface FailedAttempt {
  readonly attempt: number;
  readonly code: ErrorCode;
  readonly retryAfterMs: number | undefined;
  readonly nowMs: number;
}

/** @returns undefined when the failure is final. */
export function decideRetry(
  policy: RetryPolicy,
  failure: FailedAttempt,
  random: () => number,
): RetryDecision | undefined {
  const reason = REASONS[failure.code];
  if (reason === undefined || !policy.on.includes(reason)) return undefined;
  if (failure.attempt >= policy.maxAttempts) return undefined;
  const backoff = {
    growth: policy.backoff,
    firstMs: policy.delayMs,
    maxMs: RETRY_DELAY_MS_MAX,
  } as const;
  // The provider's delay is a lower bound; the back-off on top keeps parked runs from waking together.
  const askedMs = Math.min(failure.retryAfterMs ?? 0, RETRY_AFTER_MS_MAX);
  const delayMs = askedMs + backoffMs(backoff, failure.attempt, random);
  return {
    at: Math.ceil(failure.nowMs + delayMs),
    waitingFor: reason === "rate_limit" ? "rate_limit" : "timer",
    inPlace: delayMs < RETRY_IN_PLACE_MS_MAX,
  };
}
