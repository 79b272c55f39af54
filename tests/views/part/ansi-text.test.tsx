import { expect, test } from "bun:test";
import fc from "fast-check";
import { AnsiText, withoutAnsi } from "../../../views/part/ansi-text.tsx";
import { text } from "../pages.tsx";

test.each([
  ["plain <b>", "plain &lt;b&gt;"],
  ["\u001B[32mok\u001B[0m done", '<span class="ansi-green">ok</span> done'],
  [
    "\u001B[1;31mbad\u001B[22m!",
    '<span class="ansi-red ansi-bold">bad</span><span class="ansi-red">!</span>',
  ],
  ["\u001B[38;5;196mfar\u001B[m", "far"],
  ["\u001B[2K\u001B]0;title\u0007gone\r\u0000", "gone"],
  ["\u001B[31m<script>", '<span class="ansi-red">&lt;script&gt;</span>'],
])("AnsiText() of %j", async (line, html) => {
  expect(await text(<AnsiText text={line} />)).toBe(html);
});

test("property: no control gets through, and nothing else is lost", async () => {
  const piece = fc.oneof(
    fc.string(),
    fc.constantFrom("\u001B[31m", "\u001B[0m", "\u001B[9;9H", "\u001B", "\u0007", "\u001B[", "é\n"),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 30 }), async (pieces) => {
      const line = pieces.join("");
      const html = await text(<AnsiText text={line} />);
      // oxlint-disable-next-line no-control-regex -- That is what must not be there.
      expect(html).not.toMatch(/[\u0000-\u0008\u000B-\u001F\u007F]/);
      const shown = html.replaceAll(/<[^>]*>/g, "").replaceAll(/&\w+;|&#\d+;/g, "&");
      expect(shown).toBe(withoutAnsi(line).replaceAll(/[<>"'&]/g, "&"));
    }),
  );
});
