import { expect, test } from "bun:test";
import fc from "fast-check";
import { RESTART_DELAY_MS_MAX } from "../../src/domain/service.ts";
import {
  CRASH_LOOP_DELAY_MS,
  CRASH_WINDOW_MS,
  planRestart,
} from "../../src/process/restart-policy.ts";

const end = (at: number, wasReady: boolean, explained = false) => ({ at, wasReady, explained });

test("planRestart() doubles the delay, then calls it a crash loop", () => {
  const plans = [1, 2, 3, 4, 5].map((count) =>
    planRestart(Array.from({ length: count }, (_, index) => end(index, false))),
  );
  expect(plans).toEqual([
    { delayMs: 250, looping: false, deathCount: 1 },
    { delayMs: 500, looping: false, deathCount: 2 },
    { delayMs: 1_000, looping: false, deathCount: 3 },
    { delayMs: 2_000, looping: false, deathCount: 4 },
    { delayMs: CRASH_LOOP_DELAY_MS, looping: true, deathCount: 5 },
  ]);
});

test("planRestart() waits long at once when the cause is known to stay", () => {
  expect(planRestart([end(0, false, true)])).toEqual({
    delayMs: CRASH_LOOP_DELAY_MS,
    looping: true,
    deathCount: 1,
  });
});

test("planRestart() forgets deaths that are long ago", () => {
  const ends = [0, 1, 2, 3, 4, CRASH_WINDOW_MS * 2].map((at) => end(at, true));
  expect(planRestart(ends)).toEqual({ delayMs: 250, looping: false, deathCount: 1 });
});

test("planRestart() brings what had been ready back in time, however often it dies", () => {
  const gaps = fc.array(fc.nat(10_000), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(gaps, (all) => {
      let at = 0;
      const ends = all.map((gap) => end((at += gap), true));
      expect(planRestart(ends).delayMs).toBeLessThan(RESTART_DELAY_MS_MAX);
    }),
  );
});
