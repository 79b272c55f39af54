import { expect, test } from "bun:test";
import fc from "fast-check";
import type { Problem } from "../../src/domain/workflow.ts";
import { formatProblem, PROBLEM_WIDTH_MAX } from "../../src/language/problem.ts";

function problem(rest: Partial<Problem>): Problem {
  return {
    severity: "error",
    code: "unknown-key",
    message: "It is wrong.",
    path: "a",
    line: 1,
    column: 1,
    ...rest,
  };
}

test("formatProblem shows place, line, caret, suggestion and fix", () => {
  const source = "one: 1\ntwo: 2\r\n";
  const text = formatProblem(
    problem({ line: 2, column: 1, text: "two", suggestion: "too", fix: "Write `too` instead." }),
    source,
    "a.yaml",
  );
  expect(text.split("\n")).toEqual([
    "a.yaml:2:1: error: It is wrong.",
    "   2 | two: 2",
    "     | ^^^",
    "  Did you mean `too`?",
    "  Fix: Write `too` instead.",
  ]);
});

test("formatProblem puts the caret below wide characters and after tabs", () => {
  const source = '\tname: "日本" # x';
  const lines = formatProblem(
    problem({ column: source.indexOf("#") + 1, text: "# x" }),
    source,
    "a",
  ).split("\n");
  expect(lines.slice(1)).toEqual(['   1 |  name: "日本" # x', "     |               ^^^"]);
});

test("formatProblem lets no control character through", () => {
  const text = formatProblem(
    problem({ message: "\u001b[31m\u0007", text: "\u001b]0;x\u0007" }),
    "\u001b]0;x\u0007",
    "\u001b[2J",
  );
  // oxlint-disable-next-line eslint/no-control-regex -- this is what must not be there
  expect(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/.test(text)).toBe(false);
});

test("formatProblem keeps to 80 columns whatever it is given", () => {
  const words = fc.string({ maxLength: 200, unit: "grapheme" });
  fc.assert(
    fc.property(fc.tuple(words, words, words), fc.nat(200), ([source, message, file], column) => {
      const text = formatProblem(
        problem({
          message,
          column: column + 1,
          text: source.slice(column, column + 30),
          suggestion: message,
          fix: source,
        }),
        source,
        file,
      );
      for (const line of text.split("\n"))
        expect(Bun.stringWidth(line)).toBeLessThanOrEqual(PROBLEM_WIDTH_MAX);
    }),
  );
});
