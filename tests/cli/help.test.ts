import { expect, test } from "bun:test";
import { commandHelp, overviewHelp } from "../../src/cli/help.ts";
import { COMMANDS } from "../../src/cli/registry.ts";
import { expectGolden, expectNarrow } from "./golden.ts";

const definitions = COMMANDS.map(({ definition }) => definition);

test("help at 80 columns is as in the golden file, and no line is wider", async () => {
  const texts = [
    overviewHelp(definitions, 80),
    ...definitions
      .filter((definition) => !definition.hidden)
      .map((definition) => commandHelp(definition, 80)),
  ];
  const text = texts.join(`${"-".repeat(80)}\n`);
  expectNarrow(text);
  await expectGolden("help.txt", text);
});

test("help fits a narrow terminal too", () => {
  const wide = overviewHelp(definitions, 50)
    .split("\n")
    .filter((line) => line.length > 50);
  expect(wide).toEqual([]);
});

test("hidden commands are in no list", () => {
  expect(overviewHelp(definitions, 80)).not.toMatch(/worker --|guard/);
});
