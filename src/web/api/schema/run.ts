import { z } from "zod";
import {
  type PendingApproval,
  type Run,
  RUN_STATES,
  type RunSummary,
  type Signal,
  WAITING_FOR,
} from "../../../domain/run.ts";
import { type Budget, PROVIDERS } from "../../../domain/workflow.ts";
import type { Json } from "../../../lib/json.ts";
import {
  ErrorSchema,
  JsonObjectSchema,
  JsonSchema,
  listOf,
  presentError,
  presentTotals,
  TimeSchema,
  toIso,
  toIsoOrNull,
  toNanoUsd,
  toUsd,
  TotalsShape,
  Word,
} from "./common.ts";

const USD_MAX = 1_000_000;

/** A limit that is left out changes nothing. */
export const BudgetSchema = z
  .strictObject({
    max_cost_usd: z.number().positive().max(USD_MAX).optional(),
    max_tokens: z.int().min(1).optional(),
    max_duration_ms: z
      .int()
      .min(1)
      .optional()
      .describe("From the creation of the run, waiting included."),
  })
  .meta({ ref: "Budget", description: "What a run may use up." });

const SummaryShape = {
  id: z.string(),
  workflow: z.string().describe("The workflow's name when it was started."),
  workflow_id: z.string(),
  version_hash: z.string(),
  state: z.enum(RUN_STATES),
  waiting_for: z.enum(WAITING_FOR).nullable(),
  due_at: TimeSchema.nullable().describe("When a waiting run goes on."),
  error: ErrorSchema.nullable(),
  ...TotalsShape,
  provider: z.enum(PROVIDERS).nullable().describe("What was asked for in place of the file's."),
  model: z.string().nullable(),
  budget: BudgetSchema.nullable().describe("What wins over the file's."),
  source: z.string().describe("`cli`, `dashboard`, `api`, `workflow` or another that started it."),
  origin: z
    .strictObject({
      kind: z.enum(["child", "rerun", "fork"]),
      run: z.string(),
      step: z.string().nullable(),
    })
    .nullable()
    .describe("The run that it comes from."),
  root: z.string().describe("The outermost run that it is inside of; its own id for most."),
  depth: z.int(),
  node_ids: z.array(z.string()),
  done_node_ids: z.array(z.string()),
  worker: z.string().nullable(),
  duration_ms: z.int().describe("Time spent running, without waiting."),
  cancel_requested_at: TimeSchema.nullable(),
  created_at: TimeSchema,
  started_at: TimeSchema.nullable(),
  finished_at: TimeSchema.nullable(),
};

const RunShape = {
  ...SummaryShape,
  inputs: JsonObjectSchema,
  values: JsonObjectSchema.describe("The state: inputs and defaults, changed by each step."),
};

export const RunSchema = z.strictObject(RunShape).meta({ ref: "Run" });
export const RunSummarySchema = z.strictObject(SummaryShape).meta({
  ref: "RunSummary",
  description: "A run without its inputs and values, which may be large.",
});
export const RunListSchema = listOf(RunSummarySchema, "RunList")
  .extend({
    is_partial: z
      .boolean()
      .describe("True: not all runs were looked at, and more may follow on the next page."),
  })
  .meta({ ref: "RunList" });
export const RunDetailSchema = z
  .strictObject({
    ...RunShape,
    outputs: JsonSchema.describe("What it came to; null before its end."),
  })
  .meta({ ref: "RunDetail" });

export const NewRunSchema = z
  .strictObject({
    inputs: JsonObjectSchema.default({}).describe(
      "Values by field; `inputs` of the workflow lists them.",
    ),
    provider: z.enum(PROVIDERS).optional(),
    model: Word.max(200).optional(),
    budget: BudgetSchema.optional(),
    version: z.int().min(1).optional().describe("The newest when it is left out."),
  })
  .meta({ ref: "NewRun" });

export const ApprovalSchema = z
  .strictObject({
    run: z.string(),
    workflow: z.string(),
    step: z.string(),
    node: z.string(),
    message: z.string(),
    asked_at: TimeSchema,
    until: TimeSchema.nullable(),
  })
  .meta({ ref: "Approval" });

export const SignalSchema = z
  .strictObject({
    seq: z.int(),
    name: z.string(),
    payload: JsonSchema,
    by: z.string().nullable(),
    at: TimeSchema,
    consumed_by: z.string().nullable().describe("The step that has taken it."),
  })
  .meta({ ref: "Signal" });

export function presentRun(run: Run) {
  return { ...presentRunSummary(run), inputs: run.inputs, values: run.values };
}

export function presentRunSummary(run: RunSummary) {
  const { origin, overrides } = run;
  return {
    id: run.id,
    workflow: run.workflowName,
    workflow_id: run.workflowId,
    version_hash: run.versionHash,
    state: run.state,
    waiting_for: run.waitingFor,
    due_at: toIsoOrNull(run.dueAt),
    error: presentError(run.error),
    ...presentTotals(run),
    provider: overrides.provider ?? null,
    model: overrides.model ?? null,
    budget: presentBudget(overrides.budget),
    source: run.source,
    origin:
      origin === null ? null : { kind: origin.kind, run: origin.runId, step: origin.step ?? null },
    root: run.rootId,
    depth: run.depth,
    node_ids: [...run.nodeIds],
    done_node_ids: [...run.doneNodeIds],
    worker: run.worker,
    duration_ms: run.activeMs,
    cancel_requested_at: toIsoOrNull(run.cancelRequestedAt),
    created_at: toIso(run.createdAt),
    started_at: toIsoOrNull(run.startedAt),
    finished_at: toIsoOrNull(run.finishedAt),
  };
}

function presentBudget(budget: Budget | undefined): z.input<typeof BudgetSchema> | null {
  if (budget === undefined) return null;
  const { maxCostNanoUsd, maxTokens, maxDurationMs } = budget;
  return {
    ...(maxCostNanoUsd === undefined ? {} : { max_cost_usd: toUsd(maxCostNanoUsd) }),
    ...(maxTokens === undefined ? {} : { max_tokens: maxTokens }),
    ...(maxDurationMs === undefined ? {} : { max_duration_ms: maxDurationMs }),
  };
}

export function readBudget(budget: z.output<typeof BudgetSchema> | undefined): Budget | undefined {
  if (budget === undefined) return undefined;
  const { max_cost_usd: usd, max_tokens: maxTokens, max_duration_ms: maxDurationMs } = budget;
  return {
    ...(usd === undefined ? {} : { maxCostNanoUsd: Math.max(1, toNanoUsd(usd)) }),
    ...(maxTokens === undefined ? {} : { maxTokens }),
    ...(maxDurationMs === undefined ? {} : { maxDurationMs }),
  };
}

export function presentRunDetail(run: Run, outputs: Json) {
  return { ...presentRun(run), outputs };
}

export function presentApproval(approval: PendingApproval) {
  return {
    run: approval.runId,
    workflow: approval.workflowName,
    step: approval.key,
    node: approval.nodeId,
    message: approval.message,
    asked_at: toIso(approval.askedAt),
    until: toIsoOrNull(approval.untilMs),
  };
}

export function presentSignal({ seq, name, payload, by, at, consumedBy }: Signal) {
  return { seq, name, payload, by, at: toIso(at), consumed_by: consumedBy };
}
