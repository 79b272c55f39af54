import { expect, test } from "bun:test";
import { systemClock } from "../../src/lib/clock.ts";
import { startTimer } from "../../src/lib/timer.ts";

test("startTimer() sleeps in pieces that setTimeout can hold", async () => {
  const slept: number[] = [];
  const done = Promise.withResolvers<void>();
  const clock = {
    now: () => 0,
    sleep: async (ms: number) => {
      slept.push(ms);
    },
  };
  startTimer(clock, 2 ** 31 + 9, () => done.resolve());
  await done.promise;
  expect(slept).toEqual([2 ** 31 - 1, 10]);
});

test("startTimer() does nothing after it was called off", async () => {
  let fired = false;
  const stop = startTimer(systemClock, 1, () => (fired = true));
  stop();
  await systemClock.sleep(5);
  expect(fired).toBe(false);
});
