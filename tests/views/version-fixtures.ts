/** Two versions of a workflow that differ in all that can be told of. */
import { compareWorkflows } from "../../src/graph/workflow-changes.ts";
import { parseWorkflow } from "../../src/language/parse.ts";
import { diffTexts, equalStretches } from "../../src/lib/diff.ts";
import type { DiffPageProps } from "../../views/workflow-version.tsx";

export const BEFORE = `schema_version: "1.0"
flow:
  name: article_writer
  description: Writes an article about a topic, from an outline to the last check of every source it names.
state:
  fields:
    topic: { type: str, required: true }
    outline: { type: str, default: "" }
    text: { type: str, default: "" }
nodes:
  - id: plan
    prompt: "Write an outline of an article about {topic}, with a line for each of its parts and no more than ten."
    output_schema: { type: str }
    outputs: [outline]
  - id: draft
    prompt: "Write the article after this outline: {outline}"
    output_schema: { type: str }
    outputs: [text]
edges:
  - { from: START, to: plan }
  - { from: plan, to: draft }
  - { from: draft, to: END }
config:
  execution: { timeout: 60 }
`;

export const AFTER = BEFORE.replace("no more than ten", "no more than seven")
  .replace(
    "edges:\n",
    `  - id: check
    prompt: "Is every claim of this text true? {text}"
    output_schema: { type: str }
    outputs: [remarks]
edges:
`,
  )
  .replace(
    "  - { from: draft, to: END }",
    "  - { from: draft, to: check }\n  - { from: check, to: END }",
  )
  .replace("nodes:\n", '    remarks: { type: str, default: "" }\nnodes:\n')
  .replace("timeout: 60", "timeout: 90");

function read(source: string) {
  const { workflow, problems } = parseWorkflow(source, { format: "yaml", knownTools: [] });
  if (workflow === undefined) throw new Error(JSON.stringify(problems));
  return workflow;
}

const diff = diffTexts(BEFORE, AFTER);

export const CHANGES = compareWorkflows(read(BEFORE), read(AFTER));

export const VERSION_DIFF: Pick<DiffPageProps, "from" | "to" | "diff" | "equal" | "changes"> = {
  from: 1,
  to: 3,
  diff,
  equal: equalStretches(diff, AFTER),
  changes: CHANGES,
};
