import { expect, test } from "bun:test";
import fc from "fast-check";
import { createRedactor } from "../../src/lib/redact.ts";

test("createRedactor() blanks out the known secrets, encoded ones too, and leaves the rest", () => {
  const redact = createRedactor(["s3cret/value+x", undefined, "", 'quote"d-secret']);
  expect(redact('a s3cret/value+x b s3cret%2Fvalue%2Bx c {"k":"quote\\"d-secret"} d')).toBe(
    'a [redacted] b [redacted] c {"k":"[redacted]"} d',
  );
  expect(redact("nothing to hide")).toBe("nothing to hide");
});

test("createRedactor() blanks out what looks like a key, and keeps the word before it", () => {
  const redact = createRedactor([]);
  for (const [text, expected] of [
    ["Incorrect API key provided: sk-proj-abcdef123456.", "Incorrect API key provided: [redacted]"],
    ["sk-ant-api03-AAAA_bbbb", "[redacted]"],
    ["AIzaSyA1234567890abcdef", "[redacted]"],
    ["gsk_0123456789abcdef", "[redacted]"],
    ["Authorization: Bearer abc.def", "Authorization: Bearer [redacted]"],
    ['{"x-api-key":"0123456789"}', '{"x-api-key":"[redacted]"}'],
    ["https://host/v1?key=abc123&b=1", "https://host/v1?key=[redacted]&b=1"],
    ["http://user:pass@host/", "http://user:[redacted]@host/"],
  ] as const) {
    expect(redact(text)).toBe(expected);
  }
});

test("createRedactor() leaves short values alone: they would blank out ordinary words", () => {
  expect(createRedactor(["a", "test"])("a test")).toBe("a test");
});

test("property: no secret gets through, and a second pass changes nothing", () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ minLength: 6 }), { minLength: 1, maxLength: 4 }),
      fc.array(fc.string(), { maxLength: 4 }),
      (secrets, words) => {
        const redact = createRedactor(secrets);
        const clean = redact([...words, ...secrets].join(" | "));
        const mask = "[redacted]";
        for (const secret of secrets) {
          if (!mask.includes(secret)) expect(clean.replaceAll(mask, "")).not.toContain(secret);
        }
        expect(redact(clean).replaceAll(mask, "")).toBe(clean.replaceAll(mask, ""));
      },
    ),
  );
});
