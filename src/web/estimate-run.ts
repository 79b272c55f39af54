/** What a run of a workflow is likely to cost. */
import type { CostEstimate } from "../../views/part/cost-estimate.tsx";
import { AppError } from "../domain/error.ts";
import type { ModelPort, ModelRequest } from "../domain/model.ts";
import type { RunStore, RunSummary } from "../domain/run.ts";
import type { LlmNode, Workflow } from "../domain/workflow.ts";
import type { Clock } from "../lib/clock.ts";
import { defined } from "../lib/defined.ts";
import type { JsonObject } from "../lib/json.ts";
import { withTimeLimit } from "../lib/time-limit.ts";

/** The newest ones say best what the next one will be like. */
const RUN_COUNT_MAX = 20;
/** A provider that must be asked which models it has is not waited for longer. */
const TIMEOUT_MS = 1_500;

export interface EstimateDeps {
  readonly runs: Pick<RunStore, "page">;
  readonly models: Pick<ModelPort, "resolve" | "estimateInputNanoUsd">;
}

export interface EstimatedRun {
  readonly workflowId: string;
  readonly workflow: Workflow;
  /** The state it would begin with; what is not known yet counts as nothing. */
  readonly values: JsonObject;
}

/**
 * From runs that succeeded, when there are some; else the least that the prompts cost. Nobody knows how long answers
 * will be. @throws AppError of the database.
 */
export async function estimateRun(
  deps: EstimateDeps,
  planned: EstimatedRun,
): Promise<CostEstimate> {
  const { workflowId } = planned;
  const { runs } = await deps.runs.page({
    workflowId,
    states: ["succeeded"],
    limit: RUN_COUNT_MAX,
  });
  const past = fromRuns(runs);
  const hadCosts = past !== undefined && (past.maxNanoUsd > 0 || past.isLowerBound);
  if (hadCosts) return past;
  const now = await fromPrompts(deps.models, planned);
  // Runs that were free stay so, unless they were answered by another model than the next one would be.
  return past !== undefined && now.kind !== "prompts" ? past : now;
}

/** The same for a page: what is not known in time is not known. @throws AppError of the database. */
export async function estimateSoon(
  deps: EstimateDeps & { readonly clock: Clock },
  planned: EstimatedRun,
): Promise<CostEstimate> {
  const limit = {
    signal: new AbortController().signal,
    clock: deps.clock,
    ms: TIMEOUT_MS,
    reason: () => new AppError("timeout", "The cost was not known in time."),
  };
  try {
    return await withTimeLimit(limit, () => estimateRun(deps, planned));
  } catch (error) {
    if (error instanceof AppError && error.code === "timeout") return { kind: "unknown" };
    throw error;
  }
}

function fromRuns(runs: readonly RunSummary[]) {
  if (runs.length === 0) return undefined;
  const costs = runs.map(({ costNanoUsd }) => costNanoUsd);
  return {
    kind: "past",
    runCount: runs.length,
    averageNanoUsd: costs.reduce((sum, cost) => sum + cost, 0) / costs.length,
    minNanoUsd: Math.min(...costs),
    maxNanoUsd: Math.max(...costs),
    isLowerBound: runs.some(({ unpricedCount }) => unpricedCount > 0),
  } as const;
}

async function fromPrompts(
  models: EstimateDeps["models"],
  { workflow, values }: EstimatedRun,
): Promise<CostEstimate> {
  const nodes = workflow.nodes.filter((node) => node.kind === "llm");
  if (nodes.length === 0) {
    // Another workflow, or an agent, may ask models of its own.
    const isHidden = workflow.nodes.some(({ kind }) => kind === "workflow" || kind === "agent");
    return isHidden ? { kind: "unknown" } : { kind: "free", asksModels: false };
  }
  try {
    const costs = await Promise.all(nodes.map((node) => promptCost(models, node, values)));
    const known = costs.filter((cost) => cost !== null);
    if (known.length === 0) return { kind: "unknown" };
    const inputNanoUsd = known.reduce((sum, cost) => sum + cost, 0);
    const isPartial = known.length < costs.length;
    if (inputNanoUsd === 0)
      return isPartial ? { kind: "unknown" } : { kind: "free", asksModels: true };
    return { kind: "prompts", inputNanoUsd, isPartial };
  } catch (error) {
    if (error instanceof AppError && error.code !== "internal") {
      return { kind: "unknown", problem: [error.message, error.fix ?? ""].join(" ").trim() };
    }
    throw error;
  }
}

/** Of one prompt for each item that is known. Null when the price is not known. */
async function promptCost(
  models: EstimateDeps["models"],
  node: LlmNode,
  values: JsonObject,
): Promise<number | null> {
  const { provider, model, apiBase } = node.llm;
  const chosen = await models.resolve(defined({ provider, model, apiBase }));
  const request: Omit<ModelRequest, "signal"> = {
    ...chosen,
    messages: [{ role: "user", text: filled(node.prompt, values) }],
    tools: [],
  };
  const cost = await models.estimateInputNanoUsd(request);
  return cost === null ? null : cost * promptCount(node, values);
}

function promptCount({ map }: LlmNode, values: JsonObject): number {
  const items = map === undefined ? undefined : values[map.itemsField];
  return Array.isArray(items) ? items.length : 1;
}

/** The values stand in it once each at least: how long the prompt is, not what it says. */
function filled(prompt: string, values: JsonObject): string {
  return prompt.replaceAll(/\{(\w+)[^{}\n]*\}/g, (_, name: string) => {
    const value = values[name] ?? null;
    if (value === null) return "";
    return typeof value === "string" ? value : JSON.stringify(value);
  });
}
