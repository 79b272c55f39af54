import { expect, test } from "bun:test";
import { parseDurationMs } from "../../src/lib/duration.ts";

test("parseDurationMs reads a number with a unit and nothing else", () => {
  const texts = ["250ms", "90s", "15m", "1.5h", " 14 d ", "5", "h", "-1s", "1w", "1h 30m", ""];
  expect(texts.map(parseDurationMs)).toEqual([
    250,
    90_000,
    900_000,
    5_400_000,
    1_209_600_000,
    ...Array.from({ length: 6 }, () => undefined),
  ]);
});
