import { expect, test } from "bun:test";
import fc from "fast-check";
import { joinLists, outdentItem, splitFences } from "../../src/lib/fenced-text.ts";

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

const LIST =
  "1. Install it:\n\n   ```sh\n   npm i\n     -g\n   ```\n2. Run it:\n   - ~~~\n     x\n     ~~~\n\nDone.";

test("splitFences() finds code in list items, without its indentation", () => {
  expect(splitFences(LIST)).toEqual([
    { kind: "prose", text: "1. Install it:\n" },
    {
      kind: "code",
      language: "sh",
      text: "npm i\n  -g",
      listed: { indent: 3, source: "   ```sh\n   npm i\n     -g\n   ```" },
    },
    { kind: "prose", text: "2. Run it:" },
    {
      kind: "code",
      language: "",
      text: "x",
      listed: { indent: 5, source: "   - ~~~\n     x\n     ~~~" },
    },
    { kind: "prose", text: "\nDone." },
  ]);
});

const listed = (text: string) =>
  splitFences(text).map((part) => (part.kind === "code" ? part.listed?.indent : "prose"));

test("splitFences() takes what reaches out of a list item, or is after it, for no part of it", () => {
  expect(listed("1. a\n   ```\nx\n   ```")).toEqual(["prose", undefined]);
  expect(listed("1. a\n   ```\n   x\n```")).toEqual(["prose", undefined]);
  expect(listed("1. a\n```\nx\n```")).toEqual(["prose", undefined]);
  expect(listed("1. a\n\nb\n   ```\n   x\n   ```")).toEqual(["prose", undefined]);
  expect(listed("1. a\nb\n   ```\n   x\n   ```")).toEqual(["prose", 3]);
  // Code by its indentation, inside and outside of a list.
  expect(listed("a\n\n    ```\n    x\n    ```")).toEqual(["prose"]);
  expect(listed("- a\n\n      ```\n      x\n      ```")).toEqual(["prose"]);
});

test("joinLists() puts the code of lists back, and outdentItem() frees what is left of one", () => {
  expect(joinLists(splitFences(LIST))).toEqual([{ kind: "prose", text: LIST }]);
  const both = "```\na\n```\n- b\n  ```\n  c\n  ```";
  expect(joinLists(splitFences(both))).toEqual([
    { kind: "code", language: "", text: "a" },
    { kind: "prose", text: "- b\n  ```\n  c\n  ```" },
  ]);
  expect(outdentItem("    a\n\n      b\n- c\n    d", 4)).toBe("a\n\n  b\n- c\n    d");
});

test("splitFences() takes time in proportion to the text, whatever is in it", () => {
  const marks = "- ".repeat(50_000);
  const startedAt = performance.now();
  for (const hostile of [
    marks,
    `${marks}\n${"- - - ```\n".repeat(10_000)}`,
    `-${" ".repeat(99_999)}`,
    `- ${"`".repeat(99_999)}`,
    `- a\n${"  ```\n".repeat(20_000)}`,
  ])
    splitFences(hostile);
  expect(performance.now() - startedAt).toBeLessThan(2_000);
});
