import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { formatDuration } from "../../../views/part/duration.ts";
import { idPart, shortId } from "../../../views/part/id.ts";
import { safeUrl } from "../../../views/part/link.ts";
import { formatCost } from "../../../views/part/money.ts";
import { formatBytes, formatCount, formatShort, plural } from "../../../views/part/number.ts";
import { agoText } from "../../../views/part/time.tsx";
import { inputKind, typeText } from "../../../views/part/type.ts";

const NANO = 1_000_000_000;
const SECOND = 1000;
const HOUR = 3600 * SECOND;

test.each([
  [0, "0 ms"],
  [999, "999 ms"],
  [1_000, "1.0 s"],
  [59_949, "59.9 s"],
  [59_960, "1 m 00 s"],
  [64_400, "1 m 04 s"],
  [HOUR - 400, "1 h 00 m"],
  [2 * HOUR + 5 * 60 * SECOND, "2 h 05 m"],
  [76 * HOUR, "3 d 4 h"],
])("formatDuration(%p) is %p", (ms, expected) => {
  expect(formatDuration(ms)).toBe(expected);
});

test("formatDuration() never shows 60 of a smaller unit", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 30 * 24 * HOUR }), (ms) => {
      expect(formatDuration(ms)).not.toMatch(/\b60(?:\.0)? (?:s|m)\b|\b24 h\b/);
    }),
  );
});

test.each([
  [0, 0, "$0.00"],
  [0, 1, "no price"],
  [12_300, 0, "< $0.0001"],
  [12_345_678, 0, "$0.0123"],
  [0.25 * NANO, 0, "$0.250"],
  [12.4 * NANO, 0, "$12.40"],
  [1234567.891 * NANO, 2, "≥ $1,234,567.89"],
])("formatCost(%p, %p) is %p", (nano, unpriced, expected) => {
  expect(formatCost(nano, unpriced)).toBe(expected);
});

test("numbers are short and have separators", () => {
  expect([999, 12_345, 1_234_567].map(formatCount)).toEqual(["999", "12,345", "1,234,567"]);
  expect([999, 1000, 12_340, 999_499, 999_500, 2_500_000].map(formatShort)).toEqual([
    "999",
    "1k",
    "12.3k",
    "999k",
    "1M",
    "2.5M",
  ]);
  expect([0, 1023, 1024, 88_400_000].map(formatBytes)).toEqual([
    "0 B",
    "1023 B",
    "1 KiB",
    "84.3 MiB",
  ]);
  expect([plural(1, "run"), plural(1200, "run")]).toEqual(["1 run", "1,200 runs"]);
});

test("agoText() goes from now to a date", () => {
  const now = Date.UTC(2026, 10, 20, 12);
  const texts = [0, 59_999, 60_000, 59 * 60_000, HOUR, 25 * HOUR, 40 * 24 * HOUR].map((ms) =>
    agoText(now - ms, now),
  );
  expect(texts.slice(0, 6)).toEqual([
    "just now",
    "just now",
    "1 min ago",
    "59 min ago",
    "1 h ago",
    "1 d ago",
  ]);
  expect(texts[6]).toMatch(/^2026-10-1\d$/);
});

describe("idPart()", () => {
  test("gives different texts different ids that need no escaping in a selector", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (left, right) => {
        expect(idPart(left)).toMatch(/^[\w-]*$/);
        expect(idPart(left) === idPart(right)).toBe(left === right);
      }),
    );
  });

  test("shortId() is the end of the id", () => {
    expect(shortId("01kae9x7m0v3t5hq")).toBe("v3t5hq");
  });
});

test("safeUrl() lets only web addresses through", () => {
  expect(safeUrl("http://127.0.0.1:5000/")).toBe("http://127.0.0.1:5000/");
  expect(
    ["javascript:alert(1)", " javascript:alert(1)", "data:text/html,x", "//evil.example", null].map(
      (url) => safeUrl(url),
    ),
  ).toEqual([undefined, undefined, undefined, undefined, undefined]);
});

test("typeText() writes types as a workflow file does, inputKind() finds their control", () => {
  const list = { kind: "list", item: { kind: "str" } } as const;
  const dict = { kind: "dict", key: { kind: "str" }, value: list } as const;
  expect([typeText(list), typeText(dict)]).toEqual(["list[str]", "dict[str, list[str]]"]);
  expect([inputKind(list), inputKind(dict), inputKind({ kind: "list", item: list })]).toEqual([
    "lines",
    "json",
    "json",
  ]);
});
