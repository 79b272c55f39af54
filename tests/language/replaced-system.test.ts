/**
 * The workflow files of the system that this product replaces. They are not ours to keep here, so they
 * are read from beside the checkout, where they exist.
 */
import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { formatProblem, PROBLEM_WIDTH_MAX } from "../../src/language/problem.ts";
import { parseWorkflow } from "../../src/language/parse.ts";
import { TOOL_NAMES } from "../../src/domain/tool.ts";

const FOLDER = join(import.meta.dir, "../../../shared/workflows");
const RUNNING = [
  "article_writer.yaml",
  "article_writer_mlflow.yaml",
  "nested_state.yaml",
  "type_enforcement.yaml",
  "echo.yaml",
  "simple_workflow.yaml",
  "tools_example.yaml",
  "memory_example.yaml",
  "sandbox_example.yaml",
];

if (existsSync(FOLDER)) {
  const paths = [...new Bun.Glob("**/*.yaml").scanSync(FOLDER)];

  test("the files of the replaced system are there", () => {
    const missing = RUNNING.filter((name) => !paths.some((path) => path.endsWith(name)));
    expect(missing).toEqual([]);
  });

  for (const path of paths) {
    const name = path.split("/").at(-1) ?? "";
    const runs = RUNNING.includes(name);
    test(`${path} ${runs ? "runs" : "is refused with reasons"}`, async () => {
      const source = await Bun.file(join(FOLDER, path)).text();
      const { workflow, problems } = parseWorkflow(source, {
        format: "yaml",
        knownTools: TOOL_NAMES,
      });
      const errors = problems.filter((problem) => problem.severity === "error");
      if (runs) expect(errors).toEqual([]);
      else expect(errors.length).toBeGreaterThan(0);
      expect(workflow !== undefined).toBe(runs);
      for (const problem of problems) {
        expect(problem.fix).toBeDefined();
        for (const line of formatProblem(problem, source, path).split("\n"))
          expect(Bun.stringWidth(line)).toBeLessThanOrEqual(PROBLEM_WIDTH_MAX);
      }
    });
  }
} else {
  console.warn(
    `SKIPPED: no workflow files of the replaced system in ${FOLDER}; ${RUNNING.join(", ")} and others were not checked.`,
  );
  test.skip("workflow files of the replaced system", () => {});
}
