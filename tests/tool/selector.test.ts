/** Held against HTMLRewriter's own reading of the whole selector, on pages where that one ends. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { readableText } from "../../src/tool/readable-text.ts";

const tag = fc.constantFrom("div", "p", "a", "li");
const { html } = fc.letrec<{ html: string; element: string }>((tie) => ({
  element: fc
    .tuple(tag, fc.constantFrom("", ' class="x"', ' title="a > b, c"'), tie("html"), fc.boolean())
    .map(
      ([name, more, inner, isClosed]) => `<${name}${more}>${inner}${isClosed ? `</${name}>` : ""}`,
    ),
  html: fc.oneof(
    { maxDepth: 4 },
    fc.constant("t<br>"),
    fc.array(tie("element"), { maxLength: 3 }).map((elements) => elements.join("")),
  ),
}));
const compound = fc.constantFrom(
  "div",
  "p",
  "*",
  ".x",
  "a.x",
  '[title="a > b, c"]',
  "p:not(.x)",
  "li:nth-child(2)",
);
const selector = fc
  .array(fc.tuple(compound, fc.constantFrom(" ", " > ", ">", ", ", ",")), {
    minLength: 1,
    maxLength: 4,
  })
  .map((parts) =>
    parts
      .map(([part, sign]) => part + sign)
      .join("")
      .replace(/[\s,>]+$/, ""),
  );

function countNatively(page: string, wanted: string): number {
  const found = new Set<number>();
  let index = 0;
  const rewriter = new HTMLRewriter();
  rewriter.on(wanted, { element: () => void found.add(index) });
  rewriter.on("*", { element: () => void (index += 1) }).transform(page);
  return found.size;
}

test("readableText() finds what HTMLRewriter finds for any selector", () => {
  let foundCount = 0;
  fc.assert(
    fc.property(html, selector, (page, wanted) => {
      const { matchCount } = readableText(page, "http://a.test/", wanted);
      foundCount += matchCount;
      expect(matchCount).toBe(countNatively(page, wanted));
    }),
    { numRuns: 2_000 },
  );
  expect(foundCount).toBeGreaterThan(0);
});

test("readableText() ends soon on a page that nests deeply, whatever the selector", () => {
  const page = "<div><p>".repeat(2_000);
  const { matchCount } = readableText(page, "http://a.test/", "div div > p div p p");
  expect(matchCount).toBe(1_997);
});

test.each(["a >", "> a", "a + b", "a[", ","])(
  "readableText() refuses the selector %s",
  (wanted) => {
    expect(() => readableText("<a>", "http://a.test/", wanted)).toThrow();
  },
);
