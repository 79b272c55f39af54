/** What the model is told of pages that no tool tells of: figures, and names that the person sees there. */
import type { Comparison, ComparedSide } from "../../../views/compare.tsx";
import { formatDuration } from "../../../views/part/duration.ts";
import { averageDurationMs, type MetricsChoice } from "../../../views/part/metrics.ts";
import { formatCost } from "../../../views/part/money.ts";
import { formatCount } from "../../../views/part/number.ts";
import { runDurationMs } from "../../../views/part/run-progress.ts";
import type { MetricsStore, ModelSums, NodeSums, WorkflowSums } from "../../domain/metrics.ts";
import { defined } from "../../lib/defined.ts";
import { timeText } from "./tool/text.ts";

const ROW_COUNT_MAX = 10;
const STEP_COUNT_MAX = 40;

export function comparisonText({ a, b, pairs, divergence }: Comparison): string {
  const steps = pairs.slice(0, STEP_COUNT_MAX).map(({ key, a: first, b: second }) => {
    const told = [first, second].map((step) => (step === undefined ? "none" : stepText(step)));
    return `- ${key}: first ${told[0]}; second ${told[1]}`;
  });
  return [
    "Two runs side by side.",
    `First: ${sideText(a)}`,
    `Second: ${sideText(b)}`,
    divergence === undefined
      ? "Both took the same steps to the same ends."
      : `They part at step ${divergence.key}: ${divergence.how}.`,
    "The last attempt of each step (state, time, cost):",
    ...(steps.length === 0 ? ["(neither has begun a step)"] : steps),
    ...(pairs.length > STEP_COUNT_MAX ? [`- … ${pairs.length - STEP_COUNT_MAX} more`] : []),
  ].join("\n");
}

function sideText({ run, version, stepCount }: ComparedSide): string {
  const ms = runDurationMs(run, run.finishedAt ?? run.startedAt ?? 0);
  const took = ms === null || run.finishedAt === null ? "not ended" : formatDuration(ms);
  const tokens = run.usage.input + run.usage.output;
  const which = version === undefined ? "" : `, version ${version}`;
  return `run ${run.id} of ${run.workflowName}${which}: ${run.state}, ${took}, ${formatCost(run.costNanoUsd, run.unpricedCount)}, ${formatCount(tokens)} tokens, ${formatCount(stepCount)} attempts`;
}

function stepText(step: NonNullable<Comparison["pairs"][number]["a"]>): string {
  const { state, startedAt, finishedAt, costNanoUsd, unpricedCount } = step;
  const took = finishedAt === null ? "not ended" : formatDuration(finishedAt - startedAt);
  return `${state}, ${took}, ${formatCost(costNanoUsd, unpricedCount)}`;
}

type Sums = Pick<MetricsStore, "totals" | "byWorkflow" | "byNode" | "byModel">;

export async function metricsText(metrics: Sums, choice: MetricsChoice): Promise<string> {
  const { sinceMs, untilMs, workflowId } = choice;
  const filter = { sinceMs, untilMs, ...defined({ workflowId }) };
  const limit = ROW_COUNT_MAX;
  const [totals, workflows, nodes, models] = await Promise.all([
    metrics.totals(filter),
    metrics.byWorkflow({ ...filter, limit }),
    metrics.byNode({ ...filter, order: "cost", limit }),
    metrics.byModel({ ...filter, limit }),
  ]);
  const { succeeded, failed, cancelled, costNanoUsd, inputTokens, outputTokens } = totals;
  return [
    `What runs have cost from ${timeText(sinceMs)} to ${timeText(untilMs)}, dearest first.`,
    `All: ${succeeded} runs succeeded, ${failed} failed, ${cancelled} cancelled; ${formatCost(costNanoUsd)}, ${inputTokens} tokens in and ${outputTokens} out.`,
    ...rows("Workflows", workflows.map(workflowText)),
    ...rows("Steps", nodes.map(nodeText)),
    ...rows("Models", models.map(modelText)),
  ].join("\n");
}

function rows(title: string, lines: readonly string[]): string[] {
  return [`${title}:`, ...(lines.length === 0 ? ["(none)"] : lines.map((line) => `- ${line}`))];
}

function workflowText(sums: WorkflowSums): string {
  const { workflowName, created, failed, costNanoUsd, inputTokens, outputTokens } = sums;
  return `${workflowName}: ${formatCost(costNanoUsd)}, ${created} runs, ${failed} failed, ${formatDuration(averageDurationMs(sums))} on average, ${inputTokens} tokens in and ${outputTokens} out`;
}

function nodeText(sums: NodeSums): string {
  const { nodeId, workflowName, succeeded, failed, costNanoUsd } = sums;
  return `${nodeId} of ${workflowName}: ${formatCost(costNanoUsd)}, ${succeeded + failed} attempts, ${failed} failed, ${sums.inputTokens} tokens in and ${sums.outputTokens} out`;
}

function modelText({ model, calls, costNanoUsd, ...sums }: ModelSums): string {
  return `${model}: ${formatCost(costNanoUsd)}, ${calls} calls, ${sums.inputTokens} tokens in (${sums.cacheReadTokens} from a cache) and ${sums.outputTokens} out`;
}
