/** What has changed between two workflows, in the words of workflows and not of their texts. */
import type { Workflow } from "../domain/workflow.ts";
import { waysOf } from "./ways.ts";

export interface PartChanges {
  readonly part: "steps" | "edges" | "state" | "settings";
  /** Names, in the order of the workflow that has them. */
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly string[];
}

/** Only the parts that differ: none when two texts mean the same. */
export function compareWorkflows(before: Workflow, after: Workflow): PartChanges[] {
  const part = (
    name: PartChanges["part"],
    namesOf: (workflow: Workflow) => ReadonlyMap<string, unknown>,
  ): PartChanges[] => {
    const changes = compareParts(namesOf(before), namesOf(after));
    const isSame = Object.values(changes).every((names) => names.length === 0);
    return isSame ? [] : [{ part: name, ...changes }];
  };
  return [
    ...part("steps", ({ nodes }) => new Map(nodes.map((node) => [node.id, node]))),
    ...part("edges", edgesOf),
    ...part("state", ({ state }) => new Map(state.map((field) => [field.name, field]))),
    ...part("settings", settingsOf),
  ];
}

function compareParts(before: ReadonlyMap<string, unknown>, after: ReadonlyMap<string, unknown>) {
  const [left, right] = [[...before.keys()], [...after.keys()]];
  return {
    added: right.filter((name) => !before.has(name)),
    removed: left.filter((name) => !after.has(name)),
    changed: right.filter(
      (name) => before.has(name) && !Bun.deepEquals(before.get(name), after.get(name)),
    ),
  };
}

/** The whole of an edge with its condition is its name: it is there or not. */
function edgesOf(workflow: Workflow): Map<string, true> {
  return new Map(
    waysOf(workflow).map(({ from, to, label }) => [
      `${from} → ${to}${label === undefined ? "" : ` (${label})`}`,
      true,
    ]),
  );
}

function settingsOf(workflow: Workflow): Map<string, unknown> {
  const { name, description, version, budget, onBudget, concurrency, timeoutMs } = workflow;
  const known: readonly (readonly [name: string, value: unknown])[] = [
    ["name", name],
    ["description", description],
    ["version", version],
    ["limit on cost", budget.maxCostNanoUsd],
    ["limit on tokens", budget.maxTokens],
    ["limit on duration", budget.maxDurationMs],
    ["what happens over the budget", onBudget],
    ["concurrency", concurrency],
    ["time limit", timeoutMs],
  ];
  const servers = Object.entries(workflow.mcpServers);
  return new Map([
    ...known.filter(([, value]) => value !== undefined),
    ...servers.map(([server, spec]) => [`MCP server ${server}`, spec] as const),
  ]);
}
