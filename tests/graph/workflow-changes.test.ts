import { expect, test } from "bun:test";
import { EXAMPLES } from "../../examples/index.ts";
import { TOOL_NAMES } from "../../src/domain/tool.ts";
import { compareWorkflows } from "../../src/graph/workflow-changes.ts";
import { parseWorkflow } from "../../src/language/parse.ts";
import { CHANGES } from "../views/version-fixtures.ts";

test("compareWorkflows() names steps, edges, fields and settings", () => {
  expect(CHANGES).toEqual([
    { part: "steps", added: ["check"], removed: [], changed: ["plan"] },
    {
      part: "edges",
      added: ["draft → check", "check → END"],
      removed: ["draft → END"],
      changed: [],
    },
    { part: "state", added: ["remarks"], removed: [], changed: [] },
    { part: "settings", added: [], removed: [], changed: ["time limit"] },
  ]);
});

test("compareWorkflows() finds nothing where only the text differs", () => {
  for (const { file, source } of EXAMPLES) {
    const [before, after] = [source, `# A remark.\n${source}\n`].map(
      (text) => parseWorkflow(text, { format: "yaml", knownTools: TOOL_NAMES }).workflow,
    );
    if (before === undefined || after === undefined) throw new Error(file);
    expect({ file, changes: compareWorkflows(before, after) }).toEqual({ file, changes: [] });
  }
});
