import { expect, test } from "bun:test";
import fc from "fast-check";
import { splitFences } from "../../src/lib/fenced-text.ts";

const isNumber = (text: string | number) => /^\d+$/.test(String(text));

test("splitFences() tells prose from code, with the language", () => {
  expect(splitFences("Hi.\n\n```YAML\na: 1\n```\nBye.\n~~~\nx\n~~~")).toEqual([
    { kind: "prose", text: "Hi.\n" },
    { kind: "code", language: "yaml", text: "a: 1" },
    { kind: "prose", text: "Bye." },
    { kind: "code", language: "", text: "x" },
  ]);
});

test("splitFences() closes a fence only by its own sign, as long, at the margin", () => {
  const inner = "a: |\n      ```\n      code\n      ```\n~~~\n```js";
  expect(splitFences(`\`\`\`\`yaml\n${inner}\n\`\`\`\`\n`)).toEqual([
    { kind: "code", language: "yaml", text: inner },
  ]);
});

test("splitFences() reads a fence that is never closed to the end", () => {
  expect(splitFences("```yaml\na: 1\n")).toEqual([
    { kind: "code", language: "yaml", text: "a: 1\n" },
  ]);
  expect(splitFences("```")).toEqual([{ kind: "code", language: "", text: "" }]);
});

test("splitFences() takes backticks in a line for prose", () => {
  expect(splitFences("Use ```x``` here.\n```a`b")).toEqual([
    { kind: "prose", text: "Use ```x``` here.\n```a`b" },
  ]);
});

test("splitFences() keeps every line that is no fence, in order", () => {
  const line = fc.oneof(fc.constantFrom("```", "~~~", "```yaml", "  ```", "````"), fc.nat());
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      const kept = splitFences(lines.join("\n")).flatMap(({ text }) => text.split("\n"));
      expect(kept.filter(isNumber)).toEqual(lines.filter(isNumber).map(String));
    }),
  );
});
