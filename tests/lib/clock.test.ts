import { expect, test } from "bun:test";
import { systemClock } from "../../src/lib/clock.ts";

test("sleep() of more than a timer can count does not end at once", async () => {
  const over = new AbortController();
  const long = systemClock.sleep(2 ** 40, over.signal).then(() => "long");
  expect(await Promise.race([long, systemClock.sleep(30).then(() => "short")])).toBe("short");
  over.abort();
  await long;
});
