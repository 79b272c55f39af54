/**
 * Keeps the sums of each hour by workflow, node and model. Called inside the transaction that writes what is
 * counted, and only where that write has changed something: what is written again counts once.
 */
import type { Database } from "bun:sqlite";
import { defineStatement } from "./statement.ts";

export const HOUR_MS = 3_600_000;

export interface Spent {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly costNanoUsd: number;
}

interface RunEnd {
  readonly state: "succeeded" | "failed" | "cancelled";
  readonly durationMs: number;
}

interface NodeRef {
  readonly workflowId: string;
  readonly nodeId: string;
}

interface ModelCall extends NodeRef, Spent {
  readonly model: string;
  readonly cacheReadTokens: number;
  readonly durationMs: number;
}

const RUN_CREATED = defineStatement<unknown, [string, number]>(
  `INSERT INTO workflow_spans (workflow_id, starts_at, span_ms, created) VALUES (?, ?, ${HOUR_MS}, 1)
   ON CONFLICT DO UPDATE SET created = created + 1`,
);
const RUN_ENDED = defineStatement<
  unknown,
  [string, number, number, number, number, number, number]
>(
  `INSERT INTO workflow_spans (workflow_id, starts_at, span_ms, succeeded, failed, cancelled,
     duration_ms, duration_ms_max)
   VALUES (?, ?, ${HOUR_MS}, ?, ?, ?, ?, ?)
   ON CONFLICT DO UPDATE SET succeeded = succeeded + excluded.succeeded,
     failed = failed + excluded.failed, cancelled = cancelled + excluded.cancelled,
     duration_ms = duration_ms + excluded.duration_ms,
     duration_ms_max = max(duration_ms_max, excluded.duration_ms_max)`,
);
const WORKFLOW_SPENT = defineStatement<unknown, [string, number, number, number, number]>(
  `INSERT INTO workflow_spans (workflow_id, starts_at, span_ms, input_tokens, output_tokens,
     cost_nano_usd)
   VALUES (?, ?, ${HOUR_MS}, ?, ?, ?)
   ON CONFLICT DO UPDATE SET input_tokens = input_tokens + excluded.input_tokens,
     output_tokens = output_tokens + excluded.output_tokens,
     cost_nano_usd = cost_nano_usd + excluded.cost_nano_usd`,
);
const NODE_ENDED = defineStatement<
  unknown,
  [string, string, number, number, number, number, number]
>(
  `INSERT INTO node_spans (workflow_id, node_id, starts_at, span_ms, succeeded, failed, duration_ms,
     duration_ms_max)
   VALUES (?, ?, ?, ${HOUR_MS}, ?, ?, ?, ?)
   ON CONFLICT DO UPDATE SET succeeded = succeeded + excluded.succeeded,
     failed = failed + excluded.failed, duration_ms = duration_ms + excluded.duration_ms,
     duration_ms_max = max(duration_ms_max, excluded.duration_ms_max)`,
);
const NODE_SPENT = defineStatement<unknown, [string, string, number, number, number, number]>(
  `INSERT INTO node_spans (workflow_id, node_id, starts_at, span_ms, input_tokens, output_tokens,
     cost_nano_usd)
   VALUES (?, ?, ?, ${HOUR_MS}, ?, ?, ?)
   ON CONFLICT DO UPDATE SET input_tokens = input_tokens + excluded.input_tokens,
     output_tokens = output_tokens + excluded.output_tokens,
     cost_nano_usd = cost_nano_usd + excluded.cost_nano_usd`,
);
const MODEL_CALLED = defineStatement<
  unknown,
  [string, string, number, number, number, number, number, number, number]
>(
  `INSERT INTO model_spans (workflow_id, model, starts_at, span_ms, calls, duration_ms,
     duration_ms_max, input_tokens, output_tokens, cache_read_tokens, cost_nano_usd)
   VALUES (?, ?, ?, ${HOUR_MS}, 1, ?, ?, ?, ?, ?, ?)
   ON CONFLICT DO UPDATE SET calls = calls + 1, duration_ms = duration_ms + excluded.duration_ms,
     duration_ms_max = max(duration_ms_max, excluded.duration_ms_max),
     input_tokens = input_tokens + excluded.input_tokens,
     output_tokens = output_tokens + excluded.output_tokens,
     cache_read_tokens = cache_read_tokens + excluded.cache_read_tokens,
     cost_nano_usd = cost_nano_usd + excluded.cost_nano_usd`,
);

export function countRunCreated(client: Database, workflowId: string, at: number): void {
  RUN_CREATED(client).run(workflowId, hourOf(at));
}

export function countRunEnded(
  client: Database,
  { workflowId, at }: { workflowId: string; at: number },
  { state, durationMs }: RunEnd,
): void {
  RUN_ENDED(client).run(
    workflowId,
    hourOf(at),
    Number(state === "succeeded"),
    Number(state === "failed"),
    Number(state === "cancelled"),
    durationMs,
    durationMs,
  );
}

/** An attempt has succeeded or failed. */
export function countAttemptEnded(
  client: Database,
  { workflowId, nodeId, at }: NodeRef & { at: number },
  { succeeded, durationMs }: { succeeded: boolean; durationMs: number },
): void {
  const [good, bad] = succeeded ? [1, 0] : [0, 1];
  NODE_ENDED(client).run(workflowId, nodeId, hourOf(at), good, bad, durationMs, durationMs);
}

/** A call of a model has been recorded: it counts for the model, its node and its workflow. */
export function countModelCall(client: Database, call: ModelCall, at: number): void {
  const { workflowId, nodeId, durationMs, inputTokens, outputTokens, costNanoUsd } = call;
  const hour = hourOf(at);
  const spent = [inputTokens, outputTokens, costNanoUsd] as const;
  MODEL_CALLED(client).run(
    ...([workflowId, call.model, hour, durationMs, durationMs] as const),
    ...([inputTokens, outputTokens, call.cacheReadTokens, costNanoUsd] as const),
  );
  if (spent.every((count) => count === 0)) return;
  NODE_SPENT(client).run(workflowId, nodeId, hour, ...spent);
  WORKFLOW_SPENT(client).run(workflowId, hour, ...spent);
}

/** Never negative: the clock may have been set back in between. */
export function durationOf(startedAt: number | null, endedAt: number): number {
  return startedAt === null ? 0 : Math.max(0, endedAt - startedAt);
}

function hourOf(at: number): number {
  return Math.floor(at / HOUR_MS) * HOUR_MS;
}
