import { expect, test } from "bun:test";
import { markdownTable } from "../../src/lib/markdown-table.ts";

test("markdownTable() pads every column to its widest cell, as people see it", () => {
  expect(
    markdownTable(
      ["a", "text"],
      [
        ["1", "é 漢"],
        ["22222", ""],
      ],
    ),
  ).toBe(
    ["| a     | text |", "| ----- | ---- |", "| 1     | é 漢 |", "| 22222 |      |"].join("\n"),
  );
});

test("markdownTable() keeps a bar inside its cell", () => {
  expect(markdownTable(["a"], [["x | y"]])).toBe("| a      |\n| ------ |\n| x \\| y |");
});
