import { expect, test } from "bun:test";
import fc from "fast-check";
import { backoffMs } from "../../src/lib/backoff.ts";

type Growth = "exponential" | "linear" | "fixed";

function delays(growth: Growth): number[] {
  return [1, 2, 3, 4].map((count) =>
    backoffMs({ growth, firstMs: 100, maxMs: 350 }, count, () => 1),
  );
}

function at(growth: Growth, random: number): number {
  return backoffMs({ growth, firstMs: 100, maxMs: 1_000 }, 2, () => random);
}

test("backoffMs() grows as asked and never beyond the limit", () => {
  expect(delays("exponential")).toEqual([100, 200, 350, 350]);
  expect(delays("linear")).toEqual([100, 200, 300, 350]);
  expect(delays("fixed")).toEqual([100, 100, 100, 100]);
});

test("backoffMs() is finite and within 0 and the limit for any count of failures", () => {
  fc.assert(
    fc.property(
      fc.record({
        growth: fc.constantFrom<Growth[]>("exponential", "linear", "fixed"),
        firstMs: fc.nat(),
        maxMs: fc.constant(60_000),
      }),
      fc.integer({ min: 1, max: 100_000 }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (backoff, count, random) => {
        const delayMs = backoffMs(backoff, count, () => random);
        expect(delayMs).toBeGreaterThanOrEqual(0);
        expect(delayMs).toBeLessThanOrEqual(60_000);
      },
    ),
  );
});

test("backoffMs() spreads growing delays over their whole range and leaves a fixed one alone", () => {
  expect([at("exponential", 0), at("exponential", 0.5), at("fixed", 0)]).toEqual([0, 100, 100]);
});

test("backoffMs() of no first delay stays none after any number of failures", () => {
  const none = { growth: "exponential", firstMs: 0, maxMs: 60_000 } as const;
  expect(backoffMs(none, 2_000, () => 0.5)).toBe(0);
});
