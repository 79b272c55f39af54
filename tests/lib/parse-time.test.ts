import { expect, test } from "bun:test";
import { parseTime } from "../../src/lib/parse-time.ts";

test.each([
  ["2030-01-02", Date.UTC(2030, 0, 2)],
  ["2030-01-02T03:04", Date.UTC(2030, 0, 2, 3, 4)],
  ["2030-01-02 03:04:05Z", Date.UTC(2030, 0, 2, 3, 4, 5)],
  ["2030-01-02T03:04:05.678+02:00", Date.UTC(2030, 0, 2, 1, 4, 5, 678)],
  ["2030-01-02T03:04:05-0130", Date.UTC(2030, 0, 2, 4, 34, 5)],
  ["2030-02-31", undefined],
  ["2030-13-01", undefined],
  ["2030-01-02T25:00", undefined],
  ["1900000000", undefined],
  ["tomorrow", undefined],
  ["", undefined],
])("parseTime(%j)", (text, expected) => {
  expect(parseTime(text)).toBe(expected);
});
