import { expect, test } from "bun:test";
import { retryAfterMs } from "../../src/lib/retry-after.ts";

const NOW = Date.UTC(2030, 0, 1);

test.each([
  ["5", 5_000],
  [" 1.5 ", 1_500],
  ["-3", 0],
  ["Tue, 01 Jan 2030 00:00:10 GMT", 10_000],
  ["Mon, 31 Dec 2029 00:00:00 GMT", 0],
  ["soon", undefined],
  ["", undefined],
])("retryAfterMs(%j)", (value, expected) => {
  expect(retryAfterMs({ "retry-after": value }, NOW)).toBe(expected);
});

test("retryAfterMs() of an answer without the header is undefined", () => {
  expect(retryAfterMs({}, NOW)).toBeUndefined();
});
