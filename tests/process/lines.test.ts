import { expect, test } from "bun:test";
import fc from "fast-check";
import { LINE_CHARS_MAX, readLines } from "../../src/process/lines.ts";

async function linesOf(chunks: readonly Uint8Array[]): Promise<string[]> {
  const lines: string[] = [];
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });
  await readLines(stream, (line) => lines.push(line));
  return lines;
}

const encode = (text: string) => new TextEncoder().encode(text);

test("readLines() gives the same lines wherever the bytes are cut", async () => {
  const text = fc.array(fc.constantFrom("a", "ä", "🙂", "\n", " "), { maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(text, fc.integer({ min: 1, max: 5 }), async (letters, size) => {
      const whole = letters.join("");
      const bytes = encode(whole);
      const chunks: Uint8Array[] = [];
      for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size));
      const expected = whole.split("\n");
      if (expected.at(-1) === "") expected.pop();
      expect(await linesOf(chunks)).toEqual(expected);
    }),
  );
});

test("readLines() takes the line break of Windows, and text without one", async () => {
  expect(await linesOf([encode("a\r\nb")])).toEqual(["a", "b"]);
});

test("readLines() cuts a line that is too long, and reads on", async () => {
  const long = encode("x".repeat(LINE_CHARS_MAX * 2));
  expect(await linesOf([long, long, encode("\nnext\n")])).toEqual([
    `${"x".repeat(LINE_CHARS_MAX)} … (line cut)`,
    "next",
  ]);
});
