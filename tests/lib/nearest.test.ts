import { expect, test } from "bun:test";
import fc from "fast-check";
import { editDistance, nearest } from "../../src/lib/nearest.ts";

test("editDistance counts insertions, deletions, replacements and swaps", () => {
  const pairs = [
    ["", ""],
    ["abc", "abc"],
    ["abc", ""],
    ["kitten", "sitting"],
    ["prompt", "promtp"],
    ["prompt", "promt"],
  ] as const;
  expect(pairs.map(([left, right]) => editDistance(left, right))).toEqual([0, 0, 3, 3, 1, 1]);
});

test("editDistance is symmetric, and zero only for the same word", () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (left, right) => {
      const distance = editDistance(left, right);
      expect(distance).toBe(editDistance(right, left));
      expect(distance === 0).toBe(left === right);
    }),
  );
});

test("nearest finds the closest name and refuses one that is too far", () => {
  const names = ["prompt", "outputs", "output_schema", "id"];
  expect(
    ["promt", "outptus", "output-schema", "PROMPT", "zebra", "xy", "x"].map((word) =>
      nearest(word, names),
    ),
  ).toEqual(["prompt", "outputs", "output_schema", "prompt", undefined, undefined, undefined]);
  expect(nearest("p".repeat(1000), ["p".repeat(1000)])).toBeUndefined();
});
