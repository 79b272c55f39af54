import { expect, test } from "bun:test";
import { systemClock } from "../../src/lib/clock.ts";
import { withTimeLimit } from "../../src/lib/time-limit.ts";

const limit = (ms: number, signal = new AbortController().signal) => ({
  signal,
  clock: systemClock,
  ms,
  reason: () => new Error("too late"),
});

test("withTimeLimit() gives the result of work that is in time", async () => {
  expect(await withTimeLimit(limit(60_000), async () => 5)).toBe(5);
});

test("withTimeLimit() aborts the work with its reason when the time is over", async () => {
  const aborted = Promise.withResolvers<unknown>();
  const work = withTimeLimit(limit(5), (signal) => {
    signal.addEventListener("abort", () => aborted.resolve(signal.reason));
    return new Promise(() => undefined);
  });
  expect(await reasonOf(work)).toMatchObject({ message: "too late" });
  expect(await aborted.promise).toEqual(new Error("too late"));
});

test("withTimeLimit() passes an abort on, also one that has come before", async () => {
  const abort = new AbortController();
  const work = withTimeLimit(limit(60_000, abort.signal), () => new Promise(() => undefined));
  abort.abort(new Error("stop"));
  expect(await reasonOf(work)).toMatchObject({ message: "stop" });
  const late = withTimeLimit(limit(60_000, abort.signal), async () => 5);
  expect(await reasonOf(late)).toMatchObject({ message: "stop" });
});

async function reasonOf(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
  } catch (error) {
    return error;
  }
  throw new Error("it did not fail");
}
