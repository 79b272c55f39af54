import { expect, test } from "bun:test";
import { systemClock } from "../../src/lib/clock.ts";
import { keepFor } from "../../src/lib/keep-for.ts";

test("keepFor() asks again only when the time is over, after a failure too", async () => {
  let now = 0;
  let count = 0;
  const answer = keepFor({ ...systemClock, now: () => now }, 100, async () => {
    count += 1;
    if (count === 2) throw new Error("second");
    return count;
  });
  expect(await Promise.all([answer(), answer()])).toEqual([1, 1]);
  now = 99;
  expect(await answer()).toBe(1);
  now = 100;
  const failures = await Promise.allSettled([answer(), answer()]);
  expect(failures.map((one) => one.status)).toEqual(["rejected", "rejected"]);
  now = 200;
  expect(await answer()).toBe(3);
});
