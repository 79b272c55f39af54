/**
 * Keeps the sums of each hour and each day (UTC) by workflow, node and model. Called inside the transaction that
 * writes what is counted, and only where that write has changed something: what is written again counts once.
 *
 * An hour and its day are rows of one statement, so that neither is ever without the other. `span-read.ts` reads
 * them.
 */
import type { Database } from "bun:sqlite";
import { defineStatement } from "./statement.ts";

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
/** In place of the id of a workflow. */
export const ALL_WORKFLOWS = "";

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

/** What follows the name of each row: when the hour and the day begin, and how long they are. */
const HOUR = `?1, ${HOUR_MS}`;
const DAY = `?2, ${DAY_MS}`;

/** `?3` is the workflow, `sums` what is added from `?4` on: for it and for all together, by hour and by day. */
function toWorkflow(columns: string, sums: string): string {
  return `INSERT INTO workflow_spans (starts_at, span_ms, workflow_id, ${columns})
    VALUES (${HOUR}, ?3, ${sums}), (${DAY}, ?3, ${sums}),
      (${HOUR}, '${ALL_WORKFLOWS}', ${sums}), (${DAY}, '${ALL_WORKFLOWS}', ${sums})`;
}

/** `?3` is the workflow, `?4` the node or the model. */
function toPart(table: string, columns: string, sums: string): string {
  return `INSERT INTO ${table} (starts_at, span_ms, workflow_id, ${columns})
    VALUES (${HOUR}, ?3, ?4, ${sums}), (${DAY}, ?3, ?4, ${sums})`;
}

/** Where the row is there: sums add up, of the longest the longer stays. */
function orAdd(...sums: readonly string[]): string {
  const added = sums.map((sum) =>
    sum === "duration_ms_max"
      ? `${sum} = max(${sum}, excluded.${sum})`
      : `${sum} = ${sum} + excluded.${sum}`,
  );
  return `ON CONFLICT DO UPDATE SET ${added.join(", ")}`;
}

type Start = [hour: number, day: number];
type Added = number;
const DURATION = ["duration_ms", "duration_ms_max"];
const SPENT = ["input_tokens", "output_tokens", "cost_nano_usd"];

const RUN_CREATED = defineStatement<unknown, [...Start, string]>(
  `${toWorkflow("created", "1")} ${orAdd("created")}`,
);
const ENDED = ["succeeded", "failed", "cancelled", ...DURATION];
const RUN_ENDED = defineStatement<unknown, [...Start, string, Added, Added, Added, Added]>(
  `${toWorkflow(ENDED.join(", "), "?4, ?5, ?6, ?7, ?7")} ${orAdd(...ENDED)}`,
);
const WORKFLOW_SPENT = defineStatement<unknown, [...Start, string, Added, Added, Added]>(
  `${toWorkflow(SPENT.join(", "), "?4, ?5, ?6")} ${orAdd(...SPENT)}`,
);
const ATTEMPT = ["succeeded", "failed", ...DURATION];
const NODE_ENDED = defineStatement<unknown, [...Start, string, string, Added, Added, Added]>(
  `${toPart("node_spans", `node_id, ${ATTEMPT.join(", ")}`, "?5, ?6, ?7, ?7")} ${orAdd(...ATTEMPT)}`,
);
const NODE_SPENT = defineStatement<unknown, [...Start, string, string, Added, Added, Added]>(
  `${toPart("node_spans", `node_id, ${SPENT.join(", ")}`, "?5, ?6, ?7")} ${orAdd(...SPENT)}`,
);
const CALLED = ["calls", ...DURATION, "cache_read_tokens", ...SPENT];
const MODEL_CALLED = defineStatement<
  unknown,
  [...Start, string, string, Added, Added, Added, Added, Added]
>(
  `${toPart("model_spans", `model, ${CALLED.join(", ")}`, "1, ?5, ?5, ?6, ?7, ?8, ?9")}
   ${orAdd(...CALLED)}`,
);

export function countRunCreated(client: Database, workflowId: string, at: number): void {
  RUN_CREATED(client).run(...startOf(at), workflowId);
}

export function countRunEnded(
  client: Database,
  { workflowId, at }: { workflowId: string; at: number },
  { state, durationMs }: RunEnd,
): void {
  RUN_ENDED(client).run(
    ...startOf(at),
    workflowId,
    Number(state === "succeeded"),
    Number(state === "failed"),
    Number(state === "cancelled"),
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
  NODE_ENDED(client).run(...startOf(at), workflowId, nodeId, good, bad, durationMs);
}

/** A call of a model has been recorded: it counts for the model, its node and its workflow. */
export function countModelCall(client: Database, call: ModelCall, at: number): void {
  const { workflowId, nodeId, model, durationMs, cacheReadTokens } = call;
  const start = startOf(at);
  const spent = [call.inputTokens, call.outputTokens, call.costNanoUsd] as const;
  MODEL_CALLED(client).run(...start, workflowId, model, durationMs, cacheReadTokens, ...spent);
  if (spent.every((count) => count === 0)) return;
  NODE_SPENT(client).run(...start, workflowId, nodeId, ...spent);
  WORKFLOW_SPENT(client).run(...start, workflowId, ...spent);
}

/** Never negative: the clock may have been set back in between. */
export function durationOf(startedAt: number | null, endedAt: number): number {
  return startedAt === null ? 0 : Math.max(0, endedAt - startedAt);
}

function startOf(at: number): Start {
  return [Math.floor(at / HOUR_MS) * HOUR_MS, Math.floor(at / DAY_MS) * DAY_MS];
}
