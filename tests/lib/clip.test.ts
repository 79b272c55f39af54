import { expect, test } from "bun:test";
import { clip } from "../../src/lib/clip.ts";

test.each([
  ["short", 5, "short"],
  ["longer", 5, "long…"],
  ["ab\u{1F600}cd", 4, "ab…"],
  ["", 3, ""],
])("clip(%p, %p) is %p", (text, length, expected) => {
  expect(clip(text, length)).toBe(expected);
});
