/**
 * One file a case: a workflow, a line of ten dashes, and what is said about it. `UPDATE=1` writes the
 * second half anew; the difference is then for the eye.
 */
import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { parseWorkflow } from "../../src/language/parse.ts";
import { formatProblem, PROBLEM_WIDTH_MAX } from "../../src/language/problem.ts";
import { PROBLEM_CODES } from "../../src/language/report.ts";

const FOLDER = join(import.meta.dir, "../golden/language");
const DIVIDER = "\n----------\n";
/** Cases that would make large files; `parse.test.ts` has them. */
const CODES_ELSEWHERE = ["too-large", "too-many", "more-problems"];

const files = readdirSync(FOLDER).filter((name) => /\.(?:yaml|json)\.txt$/.test(name));
const seen = new Set<string>(CODES_ELSEWHERE);

function describe(source: string, name: string): string {
  const format = name.endsWith(".json.txt") ? "json" : "yaml";
  const { workflow, problems } = parseWorkflow(source, { format, knownTools: ["serper_search"] });
  for (const problem of problems) seen.add(problem.code);
  const file = name.replace(/\.txt$/, "");
  const texts = problems.map((problem) => formatProblem(problem, source, file));
  for (const line of texts.join("\n").split("\n"))
    expect(Bun.stringWidth(line)).toBeLessThanOrEqual(PROBLEM_WIDTH_MAX);
  if (workflow !== undefined)
    texts.push(texts.length > 0 ? "It runs." : JSON.stringify(workflow, null, 2));
  return `${texts.join("\n\n")}\n`;
}

for (const name of files) {
  test(`golden: ${name}`, async () => {
    const path = join(FOLDER, name);
    const [source = "", expected] = (await Bun.file(path).text()).split(DIVIDER);
    const actual = describe(source, name);
    if (process.env["UPDATE"] === "1") await Bun.write(path, `${source}${DIVIDER}${actual}`);
    else expect(actual).toEqual(expected ?? "");
  });
}

test("every problem code has a golden file", () => {
  expect(PROBLEM_CODES.filter((code) => !seen.has(code))).toEqual([]);
});
