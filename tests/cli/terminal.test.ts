import { expect, test } from "bun:test";
import { canRedraw, columnsOf } from "../../src/cli/terminal.ts";
import { createTestTerminal } from "./terminal.ts";

test.each([
  [{}, true],
  [{ tty: false }, false],
  [{ dumb: true }, false],
])("canRedraw() of %p is %p", (options, expected) => {
  const { terminal } = createTestTerminal(options);
  expect(canRedraw(terminal, terminal.output)).toBe(expected);
});

test.each([
  [120, 120],
  [5, 20],
  [0, 80],
])("columnsOf() of a terminal that says %p is %p", (columns, expected) => {
  expect(columnsOf(createTestTerminal({ columns }).terminal.output)).toBe(expected);
});
