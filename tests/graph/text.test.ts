/** The drawings in words, of every example, beside each other in golden files; `UPDATE=1` writes them. */
import { expect, test } from "bun:test";
import { join } from "node:path";
import fc from "fast-check";
import { EXAMPLES } from "../../examples/index.ts";
import { END, START, type Workflow } from "../../src/domain/workflow.ts";
import { toMermaid } from "../../src/graph/mermaid.ts";
import { toLines } from "../../src/graph/text.ts";
import { waysOf } from "../../src/graph/ways.ts";
import { parseWorkflow } from "../../src/language/parse.ts";
import { TOOL_NAMES } from "../../src/domain/tool.ts";
import { graphs } from "./random-graph.ts";

const FORMATS = {
  "text.txt": (workflow: Workflow) => `${toLines(workflow).join("\n")}\n`,
  "mermaid.txt": toMermaid,
};

test.each(Object.entries(FORMATS))(
  "%s of the examples is as in the golden file",
  async (name, format) => {
    const parts = EXAMPLES.map(({ file, source }) => {
      const { workflow } = parseWorkflow(source, { format: "yaml", knownTools: TOOL_NAMES });
      if (workflow === undefined) throw new Error(`${file} is not valid`);
      return `== ${file}\n${format(workflow)}`;
    });
    const path = join(import.meta.dir, "golden", name);
    const text = parts.join("\n");
    if (process.env["UPDATE"] === "1") await Bun.write(path, text);
    expect(text).toBe(await Bun.file(path).text());
  },
);

test("toLines() names every node that can be reached once, with each of its ways", () => {
  fc.assert(
    fc.property(graphs, (workflow) => {
      const lines = toLines(workflow);
      const heads = lines.filter((line) => !line.startsWith(" ")).map((line) => line.split(" ")[0]);
      const ways = waysOf(workflow);
      expect(new Set(heads).size).toBe(heads.length);
      expect(heads[0]).toBe(START);
      const reached = ways.filter(({ from }) => heads.includes(from));
      expect(lines.length).toBe(heads.length + reached.length);
      for (const { to } of reached) expect(to === END || heads.includes(to)).toBe(true);
    }),
  );
});

test("toMermaid() lets no text of a file end a label", () => {
  fc.assert(
    fc.property(graphs, (workflow) => {
      for (const line of toMermaid(workflow).split("\n"))
        expect(line).toMatch(
          /^(flowchart TD| {2}(START|END|n_\w+)([^"]*("[^"<>]*")[^"]*|\(+\w+\)+| --> (END|n_\w+))|)$/,
        );
    }),
  );
});
