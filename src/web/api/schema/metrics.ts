import { z } from "zod";
import type {
  ModelSums,
  NodeSums,
  RunSpan,
  RunSums,
  WorkflowSums,
} from "../../../domain/metrics.ts";
import { TimeSchema, toIso, toUsd } from "./common.ts";

const SpendingShape = {
  input_tokens: z.int(),
  output_tokens: z.int(),
  cost_usd: z.number(),
  cost_nano_usd: z.int(),
  duration_ms: z.int().describe("Sum over those that ended."),
  duration_ms_max: z.int(),
};
const SumsShape = {
  created: z.int(),
  succeeded: z.int(),
  failed: z.int(),
  cancelled: z.int(),
  ...SpendingShape,
};
const WorkflowShape = { workflow_id: z.string(), workflow: z.string() };

export const MetricsSchema = z
  .strictObject({
    since: TimeSchema,
    until: TimeSchema,
    span_ms: z.int().describe("Width of one item of `series`."),
    totals: z.strictObject(SumsShape).meta({ ref: "RunSums" }),
    series: z.array(
      z.strictObject({ starts_at: TimeSchema, ...SumsShape }).meta({ ref: "RunSpan" }),
    ),
    workflows: z
      .array(z.strictObject({ ...WorkflowShape, ...SumsShape }).meta({ ref: "WorkflowSums" }))
      .describe("The dearest first."),
    nodes: z
      .array(
        z
          .strictObject({
            ...WorkflowShape,
            node: z.string(),
            succeeded: z.int().describe("Attempts."),
            failed: z.int(),
            ...SpendingShape,
          })
          .meta({ ref: "NodeSums" }),
      )
      .describe("As `order` says."),
    models: z
      .array(
        z
          .strictObject({
            model: z.string(),
            calls: z.int(),
            cache_read_tokens: z.int(),
            ...SpendingShape,
          })
          .meta({ ref: "ModelSums" }),
      )
      .describe("The dearest first."),
  })
  .meta({ ref: "Metrics" });

type Spending = Pick<
  RunSums,
  "inputTokens" | "outputTokens" | "costNanoUsd" | "durationMs" | "durationMsMax"
>;

function presentSpending(sums: Spending) {
  return {
    input_tokens: sums.inputTokens,
    output_tokens: sums.outputTokens,
    cost_usd: toUsd(sums.costNanoUsd),
    cost_nano_usd: sums.costNanoUsd,
    duration_ms: sums.durationMs,
    duration_ms_max: sums.durationMsMax,
  };
}

export function presentSums(sums: RunSums) {
  const { created, succeeded, failed, cancelled } = sums;
  return { created, succeeded, failed, cancelled, ...presentSpending(sums) };
}

export function presentSpan(span: RunSpan) {
  return { starts_at: toIso(span.startsAt), ...presentSums(span) };
}

export function presentWorkflowSums(sums: WorkflowSums) {
  return { workflow_id: sums.workflowId, workflow: sums.workflowName, ...presentSums(sums) };
}

export function presentNodeSums(sums: NodeSums) {
  const { workflowId, workflowName, nodeId, succeeded, failed } = sums;
  return {
    workflow_id: workflowId,
    workflow: workflowName,
    node: nodeId,
    succeeded,
    failed,
    ...presentSpending(sums),
  };
}

export function presentModelSums(sums: ModelSums) {
  const { model, calls, cacheReadTokens } = sums;
  return { model, calls, cache_read_tokens: cacheReadTokens, ...presentSpending(sums) };
}
