import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  diffTexts,
  diffWords,
  equalStretches,
  pairLines,
  type DiffLine,
  type TextDiff,
} from "../../src/lib/diff.ts";

const text = (line: DiffLine) => line.parts.map((part) => part.text).join("");
const sketch = (diff: TextDiff) =>
  diff.hunks.flatMap((hunk) =>
    hunk.lines.map((line) => [line.kind, line.before ?? 0, line.after ?? 0, text(line)]),
  );

function manyLines(word: string): string {
  return Array.from({ length: 20_000 }, (_, index) => `${word} ${index}`).join("\n");
}

/** The text after, made of the one before and its difference to it. */
function apply(before: string, diff: TextDiff): string {
  const lines = before === "" ? [] : before.replace(/\n$/, "").split("\n");
  const result: string[] = [];
  let next = 1;
  const copyUntil = (number: number) => {
    while (next < number) result.push(lines[next++ - 1] ?? "");
  };
  for (const hunk of diff.hunks) {
    const first = hunk.lines.find((line) => line.before !== undefined)?.before;
    copyUntil(first ?? 1);
    for (const line of hunk.lines) {
      if (line.kind !== "removed") result.push(text(line));
      if (line.kind !== "added") next += 1;
    }
  }
  copyUntil(lines.length + 1);
  return result.length === 0 ? "" : `${result.join("\n")}\n`;
}

describe("diffTexts()", () => {
  test("names the lines that were removed and added, with those around them", () => {
    const before = "a\nb\nc\nd\ne\nf\ng\n";
    const diff = diffTexts(before, "a\nb\nc\nd\ne\nF\ng\nh\n");
    expect(sketch(diff)).toEqual([
      ["same", 3, 3, "c"],
      ["same", 4, 4, "d"],
      ["same", 5, 5, "e"],
      ["removed", 6, 0, "f"],
      ["added", 0, 6, "F"],
      ["same", 7, 7, "g"],
      ["added", 0, 8, "h"],
    ]);
    expect([diff.addedCount, diff.removedCount, diff.isPartial]).toEqual([2, 1, false]);
  });

  test("marks the words that differ in a changed line", () => {
    const [hunk] = diffTexts("tone: dry and short", "tone: warm and short").hunks;
    expect(hunk?.lines.map((line) => line.parts)).toEqual([
      [
        { text: "tone: ", isChanged: false },
        { text: "dry", isChanged: true },
        { text: " and short", isChanged: false },
      ],
      [
        { text: "tone: ", isChanged: false },
        { text: "warm", isChanged: true },
        { text: " and short", isChanged: false },
      ],
    ]);
  });

  test("has no hunks for the same text, with or without a line break at its end", () => {
    expect(diffTexts("a\r\nb", "a\nb\n")).toEqual({
      hunks: [],
      addedCount: 0,
      removedCount: 0,
      isPartial: false,
    });
  });

  test("says when texts have too little in common, and ends soon", () => {
    const started = performance.now();
    const diff = diffTexts(manyLines("a"), manyLines("b"));
    expect(performance.now() - started).toBeLessThan(2_000);
    expect([diff.isPartial, diff.addedCount, diff.removedCount]).toEqual([true, 20_000, 20_000]);
  });

  test("property: what it says makes the one text of the other", () => {
    const lines = fc
      .array(fc.constantFrom("a", "b b", "b c", "", "d"), { maxLength: 20 })
      .map((list) => (list.length === 0 ? "" : `${list.join("\n")}\n`));
    fc.assert(
      fc.property(lines, lines, (before, after) => {
        expect(apply(before, diffTexts(before, after))).toBe(after);
      }),
    );
  });
});

/** Its lines with their numbers, of the text before or of the one after. */
const side = (all: readonly DiffLine[], which: "before" | "after") =>
  all.flatMap((line) => (line[which] === undefined ? [] : `${line[which]} ${text(line)}`));
const numbered = (of: string) =>
  of === ""
    ? []
    : of
        .slice(0, -1)
        .split("\n")
        .map((line, index) => `${index + 1} ${line}`);

test("property: equalStretches() and the hunks are both texts, line for line", () => {
  const lines = fc
    .array(fc.constantFrom("a", "b", "c", "d", "e"), { maxLength: 40 })
    .map((list) => (list.length === 0 ? "" : `${list.join("\n")}\n`));
  fc.assert(
    fc.property(lines, lines, (before, after) => {
      const diff = diffTexts(before, after);
      const all = equalStretches(diff, after).flatMap((stretch, index) =>
        stretch.concat(diff.hunks[index]?.lines ?? []),
      );
      expect(side(all, "before")).toEqual(numbered(before));
      expect(side(all, "after")).toEqual(numbered(after));
    }),
  );
});

test("pairLines() puts what was removed beside what took its place", () => {
  const [hunk] = diffTexts("a\nb\nc\nd\n", "a\nB\nd\ne\n").hunks;
  const rows = pairLines(hunk?.lines ?? []).map(({ before, after }) => [
    before === undefined ? "" : text(before),
    after === undefined ? "" : text(after),
  ]);
  expect(rows).toEqual([
    ["a", "a"],
    ["b", "B"],
    ["c", ""],
    ["d", "d"],
    ["", "e"],
  ]);
});

test("diffWords() gives all of both texts", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (before, after) => {
      const words = diffWords(before, after);
      expect(words.before.map((part) => part.text).join("")).toBe(before);
      expect(words.after.map((part) => part.text).join("")).toBe(after);
    }),
  );
});
