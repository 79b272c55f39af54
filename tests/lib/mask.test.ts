import { expect, test } from "bun:test";
import fc from "fast-check";
import { createMask } from "../../src/lib/mask.ts";

test("createMask() hides the secrets in texts and values, and leaves what only looks like a key", () => {
  const mask = createMask(["s3cret-value", "tiny"]);
  expect(mask.text("a s3cret-value tiny sk-proj-abcdef123456")).toBe(
    "a [redacted] tiny sk-proj-abcdef123456",
  );
  expect(mask.value({ "s3cret-value": ["x s3cret-value", 5, null] })).toEqual({
    "[redacted]": ["x [redacted]", 5, null],
  });
  expect([mask.hides, createMask(["tiny"]).hides]).toEqual([true, false]);
});

test("stream() holds back only what may become a secret", () => {
  const stream = createMask(["s3cret-value"]).stream();
  expect(stream.push("one s3c")).toBe("one ");
  expect(stream.push("ond s3cret-")).toBe("s3cond ");
  expect(stream.push("value two s")).toBe("[redacted] two ");
  expect(stream.end()).toBe("s");
  expect(stream.end()).toBe("");
});

test("property: however a text is cut, the pieces show what the whole shows", () => {
  const secret = "abcabd-abcabe";
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom("abc", "ab", "d-", "abe", secret, "x"), { maxLength: 20 }),
      (pieces) => {
        const mask = createMask([secret]);
        const stream = mask.stream();
        const shown = pieces.map((piece) => stream.push(piece)).join("") + stream.end();
        expect(shown).toBe(mask.text(pieces.join("")));
      },
    ),
  );
});
