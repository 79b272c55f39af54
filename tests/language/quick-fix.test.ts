/**
 * Goal: a fix that is offered as one click mends the problem it stands at.
 * Method: every golden file: each fix is applied by itself, and the file is read again.
 */
import { describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { parseWorkflow } from "../../src/language/parse.ts";
import { lineStartsOf, quickFixOf, rangeOfProblem } from "../../src/language/quick-fix.ts";
import type { Problem } from "../../src/domain/workflow.ts";

const FOLDER = join(import.meta.dir, "../golden/language");
const DIVIDER = "\n----------\n";

const files = readdirSync(FOLDER).filter((name) => /\.(?:yaml|json)\.txt$/.test(name));
const sourceOf = async (name: string) =>
  (await Bun.file(join(FOLDER, name)).text()).split(DIVIDER)[0] ?? "";

function problemsOf(source: string, name: string): readonly Problem[] {
  const format = name.endsWith(".json.txt") ? "json" : "yaml";
  return parseWorkflow(source, { format, knownTools: ["serper_search"] }).problems;
}

/** Problems of this code with the same message. */
const alike = (problems: readonly Problem[], { code, message }: Problem) =>
  problems.filter((problem) => problem.code === code && problem.message === message).length;

describe("quickFixOf()", () => {
  const offered = new Set<string>();
  for (const name of files) {
    test(`mends what it is offered for: ${name}`, async () => {
      const source = await sourceOf(name);
      const problems = problemsOf(source, name);
      for (const problem of problems) {
        const fix = quickFixOf(problem, source, lineStartsOf(source));
        if (fix === undefined) continue;
        offered.add(problem.code);
        const mended = source.slice(0, fix.from) + fix.insert + source.slice(fix.to);
        const left = alike(problemsOf(mended, name), problem);
        expect({ problem, left }).toEqual({ problem, left: alike(problems, problem) - 1 });
      }
    });
  }

  test("is offered for misspelt names of all kinds", () => {
    expect([...offered].toSorted()).toEqual([
      "bad-condition",
      "bad-identifier",
      "bad-type",
      "bad-value",
      "output-mismatch",
      "unknown-field",
      "unknown-key",
      "unknown-node",
      "unknown-placeholder",
      "unknown-tool",
    ]);
  });
});

test("rangeOfProblem() is the offending text, or a place where it is gone", () => {
  const source = "a: 1\nbc: x\n";
  const problem = { severity: "error", code: "unknown-key", message: "", path: "" } as const;
  const starts = lineStartsOf(source);
  const at = (text: string, line: number) =>
    rangeOfProblem({ ...problem, text, line, column: 1 }, source, starts);
  expect(at("bc", 2)).toEqual({ from: 5, to: 7 });
  expect(at("gone", 2)).toEqual({ from: 5, to: 5 });
  expect(at("bc", 99)).toEqual({ from: 11, to: 11 });
});

test("quickFixOf() keeps a placeholder one: two braces would be text", () => {
  const source = 'prompt: "About {topik}."';
  const problem = {
    severity: "error",
    code: "unknown-placeholder",
    message: "",
    path: "",
  } as const;
  const at = { ...problem, text: "{topik}", line: 1, column: 16 };
  const insertFor = (suggestion: string) =>
    quickFixOf({ ...at, suggestion }, source, lineStartsOf(source))?.insert;
  expect(insertFor("{topic}")).toBe("{topic}");
  expect(insertFor("topic")).toBe("{topic}");
});
