import { describe, expect, test } from "bun:test";
import { ERROR_CODES, type ErrorCode } from "../../src/domain/error.ts";
import { RETRY_REASONS } from "../../src/domain/workflow.ts";
import {
  decideRetry,
  isTransient,
  keepsCalls,
  RETRY_AFTER_MS_MAX,
  RETRY_DELAY_MS_MAX,
} from "../../src/engine/retry.ts";
import { RETRY_ALL } from "./fixture.ts";

const CODES = Object.keys(ERROR_CODES) as ErrorCode[];
const HALF = () => 0.5;
const failure = {
  tryCount: 1,
  code: "timeout" as ErrorCode,
  retryAfterMs: undefined,
  nowMs: 1_000,
};

function afterDelay(delayMs: number) {
  return decideRetry({ ...RETRY_ALL, delayMs }, failure, HALF);
}

describe("decideRetry()", () => {
  test("tries again exactly for the reasons that the policy names", () => {
    const reasons = Object.fromEntries(
      RETRY_REASONS.map((reason) => [
        reason,
        CODES.filter((code) =>
          decideRetry({ ...RETRY_ALL, on: [reason] }, { ...failure, code }, HALF),
        ),
      ]),
    );
    expect(reasons).toEqual({
      invalid_output: ["output_invalid"],
      timeout: ["timeout"],
      rate_limit: ["rate_limited"],
      unavailable: ["provider_unreachable", "provider_unavailable", "unavailable"],
    });
  });

  test("stops after as many tries as the policy allows", () => {
    const again = [1, 2, 3, 4].map(
      (tryCount) => decideRetry(RETRY_ALL, { ...failure, tryCount }, HALF) !== undefined,
    );
    expect(again).toEqual([true, true, false, false]);
  });

  test("honours the provider's delay for any length", () => {
    const day = 24 * 60 * 60_000;
    const code = "rate_limited" as const;
    expect(decideRetry(RETRY_ALL, { ...failure, code, retryAfterMs: 10 * day }, HALF)).toBe(
      1_000 + 10 * day + RETRY_ALL.delayMs,
    );
  });

  test("does not believe a delay that no date can hold", () => {
    const code = "rate_limited" as const;
    expect(decideRetry(RETRY_ALL, { ...failure, code, retryAfterMs: 1e300 }, HALF)).toBe(
      1_000 + RETRY_AFTER_MS_MAX + RETRY_ALL.delayMs,
    );
  });

  test("never waits longer than the cap", () => {
    expect(afterDelay(1e12)).toBe(1_000 + RETRY_DELAY_MS_MAX);
  });
});

test("keepsCalls() holds for faults of the outside and what a person mends there, not for refused answers", () => {
  expect(CODES.filter((code) => keepsCalls(code) && !isTransient(code))).toEqual([
    "missing_key",
    "key_rejected",
    "worker_crashed",
    "budget_exceeded",
    "sandbox_unavailable",
  ]);
});

test("isTransient() holds for what may be tried again, except for answers that were refused", () => {
  expect(CODES.filter(isTransient)).toEqual([
    "provider_unreachable",
    "provider_unavailable",
    "rate_limited",
    "timeout",
    "unavailable",
  ]);
});
