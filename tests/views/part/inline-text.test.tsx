import { expect, test } from "bun:test";
import { InlineText } from "../../../views/part/inline-text.tsx";
import { text } from "../pages.tsx";

const LINK = (url: string) =>
  `<a href="${url}" rel="noopener noreferrer" class="plain-link">${url}</a>`;

test.each([
  [
    "Run `agents setup` or `agents doctor`.",
    "Run <code>agents setup</code> or <code>agents doctor</code>.",
  ],
  ["a ` alone", "a ` alone"],
  ["empty: ``", "empty: ``"],
  ["`<b>`", "<code>&lt;b&gt;</code>"],
  ["See https://example.com/a?b=c.", "See https://example.com/a?b=c."],
])("InlineText shows %j with code", async (sentence, html) => {
  expect(await text(<InlineText text={sentence} />)).toBe(html);
});

test.each([
  [
    "Use one from https://example.com/models.",
    `Use one from ${LINK("https://example.com/models")}.`,
  ],
  ["(https://a.test/b), `x`", `(${LINK("https://a.test/b")}), <code>x</code>`],
  ["`https://a.test/`", "<code>https://a.test/</code>"],
  ["javascript:alert(1) http://a.test", "javascript:alert(1) http://a.test"],
])("InlineText with links shows %j with links", async (sentence, html) => {
  expect(await text(<InlineText text={sentence} links />)).toBe(html);
});
