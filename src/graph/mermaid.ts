/** A workflow as a Mermaid flowchart, for READMEs and issue threads. */
import { END, type NodeKind, START, type Workflow, type WorkflowNode } from "../domain/workflow.ts";
import { waysOf } from "./ways.ts";

const SHAPES: Readonly<Record<NodeKind, readonly [string, string]>> = {
  llm: ["[", "]"],
  code: ["[[", "]]"],
  tool: ["[[", "]]"],
  http: ["[/", "/]"],
  cli: ["[[", "]]"],
  agent: ["([", "])"],
  workflow: ["[[", "]]"],
  approval: ["{{", "}}"],
  wait: ["((", "))"],
};

/** The text of the chart, without a code fence. */
export function toMermaid(workflow: Workflow): string {
  const lines = [
    "flowchart TD",
    `  ${START}((start))`,
    ...workflow.nodes.map((node) => `  ${nodeText(node)}`),
    `  ${END}(((end)))`,
  ];
  for (const { from, to, label } of waysOf(workflow)) {
    const arrow = label === undefined ? "-->" : `-->|${quote(label)}|`;
    lines.push(`  ${name(from)} ${arrow} ${name(to)}`);
  }
  return `${lines.join("\n")}\n`;
}

function nodeText(node: WorkflowNode): string {
  const [open, close] = SHAPES[node.kind];
  const each = node.map === undefined ? "" : ` for each of ${node.map.itemsField}`;
  return `${name(node.id)}${open}${quote(`${node.id} (${node.kind}${each})`)}${close}`;
}

/** Ids may be words that Mermaid keeps for itself (`end`, `class`). */
function name(id: string): string {
  return id === START || id === END ? id : `n_${id}`;
}

function quote(text: string): string {
  return `"${text.replaceAll("&", "#amp;").replaceAll('"', "#quot;").replaceAll("<", "#lt;").replaceAll(">", "#gt;").replaceAll(/\s+/g, " ")}"`;
}
