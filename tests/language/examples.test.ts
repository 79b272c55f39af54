import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { formatProblem } from "../../src/language/problem.ts";
import { parseWorkflow } from "../../src/language/parse.ts";
import { TOOL_NAMES } from "../../src/domain/tool.ts";

const FOLDER = join(import.meta.dir, "../../examples");
const names = readdirSync(FOLDER).filter((name) => name.endsWith(".yaml"));

for (const name of names) {
  test(`example ${name} has no problems`, async () => {
    const source = await Bun.file(join(FOLDER, name)).text();
    const { workflow, problems } = parseWorkflow(source, {
      format: "yaml",
      knownTools: TOOL_NAMES,
    });
    expect(problems.map((problem) => formatProblem(problem, source, name)).join("\n")).toBe("");
    expect(workflow?.name.replaceAll("_", "-")).toBe(name.replace(".yaml", ""));
  });
}

test("examples/README.md names every example", async () => {
  const text = await Bun.file(join(FOLDER, "README.md")).text();
  expect(names.filter((name) => !text.includes(`(${name})`))).toEqual([]);
});
