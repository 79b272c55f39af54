/** Workflow text → checked, normalised workflow. Everything wrong with the text is reported at once. */
import {
  type Edge,
  END,
  type LlmNode,
  type Problem,
  START,
  WORKFLOW_NODE_COUNT_MAX,
  type Workflow,
} from "../domain/workflow.ts";
import { defined } from "../lib/defined.ts";
import { isJsonObject, type Json } from "../lib/json.ts";
import { checkFeatures } from "./feature.ts";
import { readEdges } from "./graph.ts";
import { readNode } from "./node.ts";
import { listOf, member, textOf } from "./raw.ts";
import type { Reporter } from "./report.ts";
import { readTimeoutMs } from "./settings.ts";
import { checkShape } from "./shape.ts";
import { readSource } from "./source.ts";
import { readState } from "./state.ts";

export interface ParseOptions {
  readonly format: "yaml" | "json";
  /** Names of the tools that exist. */
  readonly knownTools: readonly string[];
}

export interface ParseResult {
  /** Undefined when there is any problem of severity `error`. */
  readonly workflow: Workflow | undefined;
  /** In the order of the text. */
  readonly problems: readonly Problem[];
}

/** Reads a workflow of `schema_version: "1.0"`. Never throws, whatever the text. */
export function parseWorkflow(source: string, options: ParseOptions): ParseResult {
  const { value, reporter } = readSource(source, options.format);
  if (value === undefined) return { workflow: undefined, problems: reporter.problems() };
  if (!isJsonObject(value)) {
    const empty = value === null;
    reporter.error([], {
      code: empty ? "empty-file" : "wrong-type",
      message: empty ? "The file is empty." : "A workflow file is a map of `key: value` lines.",
      fix: 'Begin with `schema_version: "1.0"`, then `flow`, `state`, `nodes` and `edges`.',
    });
    return { workflow: undefined, problems: reporter.problems() };
  }
  checkShape(value, reporter);
  checkFeatures(value, reporter);
  const workflow = readWorkflow(value, { reporter, knownTools: options.knownTools });
  const problems = reporter.problems();
  return { workflow: reporter.errorCount() === 0 ? workflow : undefined, problems };
}

function readWorkflow(
  file: Json,
  { reporter, knownTools }: { reporter: Reporter; knownTools: readonly string[] },
): Workflow {
  const fields = readState(file, reporter);
  const config = member(file, "config");
  const flow = member(file, "flow");
  const rawNodes = listOf(member(file, "nodes")).slice(0, WORKFLOW_NODE_COUNT_MAX);
  const nodes = rawNodes.map((raw, index) =>
    readNode(raw, ["nodes", index], { reporter, fields, config, knownTools }),
  );
  checkIds(nodes, reporter);
  const places = nodes.map((node, index) => ({
    id: node.id === "" ? undefined : node.id,
    path: ["nodes", index],
  }));
  const edges = readEdges(file, { reporter, nodes: places, fields });
  return {
    name: textOf(member(flow, "name")) ?? "",
    state: fields ?? [],
    nodes: inOrder(nodes, edges),
    edges,
    ...defined({
      description: textOf(member(flow, "description")),
      version: textOf(member(flow, "version")),
      timeoutMs: readTimeoutMs(member(config, "execution")),
    }),
  };
}

/** The nodes as they follow each other from START, whatever their order in the file. */
function inOrder(nodes: readonly LlmNode[], edges: readonly Edge[]): readonly LlmNode[] {
  const next = new Map(edges.map((edge) => [edge.from, edge.to]));
  const left = new Map(nodes.map((node) => [node.id, node]));
  const ordered: LlmNode[] = [];
  for (let id = next.get(START); id !== undefined; id = next.get(id)) {
    const node = left.get(id);
    if (node === undefined) break;
    left.delete(id);
    ordered.push(node);
  }
  return [...ordered, ...left.values()];
}

function checkIds(nodes: readonly LlmNode[], reporter: Reporter): void {
  const seen = new Set<string>();
  for (const [index, { id }] of nodes.entries()) {
    const path = ["nodes", index, "id"];
    if (id === START || id === END) {
      reporter.error(path, {
        code: "reserved-name",
        message: `\`${id}\` is the name of an end of the graph, not of a node.`,
        fix: "Choose another id.",
      });
    } else if (id !== "" && seen.has(id)) {
      reporter.error(path, {
        code: "duplicate-name",
        message: `Another node has the id \`${id}\` already.`,
        fix: "Give each node an id of its own, and mend the edges.",
      });
    }
    seen.add(id);
  }
}
