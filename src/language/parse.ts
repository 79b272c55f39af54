/** Workflow text → checked, normalised workflow. Everything wrong with the text is reported at once. */
import {
  type Edge,
  END,
  type Problem,
  START,
  WORKFLOW_NODE_COUNT_MAX,
  type Workflow,
  type WorkflowNode,
} from "../domain/workflow.ts";
import { defined } from "../lib/defined.ts";
import { isJsonObject, type Json } from "../lib/json.ts";
import { readBudget, readConcurrency } from "./budget.ts";
import { checkFeatures } from "./feature.ts";
import { orderOf } from "./flow.ts";
import { readEdges } from "./graph.ts";
import { checkMap, readMaps } from "./map.ts";
import { readMcpServers } from "./mcp-server.ts";
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
  const concurrency = readConcurrency(config);
  const mcpServers = readMcpServers(config, reporter);
  const maps = readMaps(file, { reporter, fields, concurrency });
  const serverNames = Object.keys(mcpServers);
  const context = { reporter, fields, config, knownTools, serverNames, maps };
  const rawNodes = listOf(member(file, "nodes")).slice(0, WORKFLOW_NODE_COUNT_MAX);
  const nodes = rawNodes.map((raw, index) => readNode(raw, ["nodes", index], context));
  checkIds(nodes, reporter);
  for (const node of nodes) {
    const map = maps.get(node.id);
    if (map !== undefined) checkMap(node, map, context);
  }
  const places = nodes.map((node, index) => ({
    id: node.id === "" ? undefined : node.id,
    path: ["nodes", index],
  }));
  const edges = readEdges(file, { reporter, fields, maps, nodes: places, read: nodes });
  return {
    name: textOf(member(flow, "name")) ?? "",
    state: fields ?? [],
    nodes: inOrder(nodes, edges),
    edges,
    mcpServers,
    concurrency,
    ...readBudget(config),
    ...defined({
      description: textOf(member(flow, "description")),
      version: textOf(member(flow, "version")),
      timeoutMs: readTimeoutMs(member(config, "execution")),
    }),
  };
}

/** The nodes as they follow each other from START, whatever their order in the file. */
function inOrder(nodes: readonly WorkflowNode[], edges: readonly Edge[]): readonly WorkflowNode[] {
  const order = new Map(orderOf({ nodes, edges }).map((id, index) => [id, index]));
  const rank = ({ id }: WorkflowNode) => order.get(id) ?? order.size;
  return nodes.toSorted((left, right) => rank(left) - rank(right));
}

function checkIds(nodes: readonly WorkflowNode[], reporter: Reporter): void {
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
