import { describe, expect, test } from "bun:test";
import { aheadOf } from "../../src/language/ahead.ts";
import { parseWorkflow } from "../../src/language/parse.ts";
import type { Workflow } from "../../src/domain/workflow.ts";

function node(id: string): string {
  return `  - { id: ${id}, prompt: "{topic}", outputs: [text], output_schema: { type: str } }\n`;
}

function workflow(): Workflow {
  const source = `schema_version: "1.0"
flow: { name: ways }
state:
  fields:
    topic: { type: str, default: x }
    text: { type: str, default: "" }
nodes:
${["plan", "short", "long", "polish", "end"].map(node).join("")}edges:
  - { from: START, to: plan }
  - from: plan
    routes:
      - { condition: { logic: "{state.text} == 'a'" }, to: short }
      - { condition: { logic: default }, to: long }
  - { from: short, to: end }
  - { from: long, to: polish }
  - { from: polish, to: end }
  - { from: end, to: END }
`;
  const { workflow: found, problems } = parseWorkflow(source, { format: "yaml", knownTools: [] });
  if (found === undefined) throw new Error(JSON.stringify(problems, null, 2));
  return found;
}

describe("aheadOf()", () => {
  test("counts all branches until a choice is made, then only the one that was taken", () => {
    const flow = workflow();
    expect(aheadOf(flow, [])).toEqual(["plan", "short", "long", "polish", "end"]);
    expect(aheadOf(flow, ["plan"])).toEqual(["short", "long", "polish", "end"]);
    expect(aheadOf(flow, ["plan", "short"])).toEqual(["end"]);
    expect(aheadOf(flow, ["plan", "long"])).toEqual(["polish", "end"]);
    expect(aheadOf(flow, ["plan", "short", "end"])).toEqual([]);
  });
});
