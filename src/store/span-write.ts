/**
 * Keeps the sums of each hour and each day (UTC) by workflow, node and model. Called inside the transaction that
 * writes what is counted, and only where that write has changed something: what is written again counts once.
 *
 * An hour and its day are rows of one statement, so that neither is ever without the other. `span-read.ts` reads
 * them.
 */
import type { Database } from "bun:sqlite";
import { addToSums, defineSums, type SumTable } from "./sum-write.ts";

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
/** In place of the id of a workflow. */
export const ALL_WORKFLOWS = "";
const NO_TIME = [0, 0];
const NOTHING_SPENT = [0, 0, 0];

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

/** What each row begins with: when its hour or its day begins, and how long that is. */
const HOUR = `?1, ${HOUR_MS}`;
const DAY = `?2, ${DAY_MS}`;

const DURATION = ["duration_ms", "duration_ms_max"];
const SPENT = ["input_tokens", "output_tokens", "cost_nano_usd"];
const OF_WORKFLOW = ["created", "succeeded", "failed", "cancelled", ...DURATION, ...SPENT];
const OF_NODE = ["succeeded", "failed", ...DURATION, ...SPENT];
const OF_MODEL = ["calls", ...DURATION, "cache_read_tokens", ...SPENT];

/** `?3` is the workflow: sums are added to it and to all together. */
const WORKFLOWS = defineSums(
  `INSERT INTO workflow_spans (starts_at, span_ms, workflow_id, ${OF_WORKFLOW.join(", ")})
   VALUES (${HOUR}, ?3, ${numbers(4, OF_WORKFLOW)}), (${DAY}, ?3, ${numbers(4, OF_WORKFLOW)}),
     (${HOUR}, '${ALL_WORKFLOWS}', ${numbers(4, OF_WORKFLOW)}),
     (${DAY}, '${ALL_WORKFLOWS}', ${numbers(4, OF_WORKFLOW)})`,
  OF_WORKFLOW,
);
const NODES = defineParts("node_spans", "node_id", OF_NODE);
const MODELS = defineParts("model_spans", "model", OF_MODEL);

/** `?3` is the workflow, `?4` the part of it. */
function defineParts(table: string, part: string, columns: readonly string[]): SumTable {
  return defineSums(
    `INSERT INTO ${table} (starts_at, span_ms, workflow_id, ${part}, ${columns.join(", ")})
     VALUES (${HOUR}, ?3, ?4, ${numbers(5, columns)}), (${DAY}, ?3, ?4, ${numbers(5, columns)})`,
    columns,
  );
}

/** Parameters from this one on. */
function numbers(first: number, columns: readonly string[]): string {
  return columns.map((_, index) => `?${first + index}`).join(", ");
}

export function countRunCreated(client: Database, workflowId: string, at: number): void {
  const sums = [1, 0, 0, 0, ...NO_TIME, ...NOTHING_SPENT];
  addToSums(client, { table: WORKFLOWS, key: [...startOf(at), workflowId], sums });
}

export function countRunEnded(
  client: Database,
  { workflowId, at }: { workflowId: string; at: number },
  { state, durationMs }: RunEnd,
): void {
  const ended = (["succeeded", "failed", "cancelled"] as const).map((one) => Number(one === state));
  const sums = [0, ...ended, durationMs, durationMs, ...NOTHING_SPENT];
  addToSums(client, { table: WORKFLOWS, key: [...startOf(at), workflowId], sums });
}

/** An attempt has succeeded or failed. */
export function countAttemptEnded(
  client: Database,
  { workflowId, nodeId, at }: NodeRef & { at: number },
  { succeeded, durationMs }: { succeeded: boolean; durationMs: number },
): void {
  const ended = succeeded ? [1, 0] : [0, 1];
  const sums = [...ended, durationMs, durationMs, ...NOTHING_SPENT];
  addToSums(client, { table: NODES, key: [...startOf(at), workflowId, nodeId], sums });
}

/** A call of a model has been recorded: it counts for the model, its node and its workflow. */
export function countModelCall(client: Database, call: ModelCall, at: number): void {
  const { workflowId, nodeId, model, durationMs, cacheReadTokens } = call;
  const place = [...startOf(at), workflowId];
  const spent = [call.inputTokens, call.outputTokens, call.costNanoUsd];
  const called = [1, durationMs, durationMs, cacheReadTokens, ...spent];
  addToSums(client, { table: MODELS, key: [...place, model], sums: called });
  if (spent.every((count) => count === 0)) return;
  addToSums(client, { table: NODES, key: [...place, nodeId], sums: [0, 0, ...NO_TIME, ...spent] });
  const sums = [0, 0, 0, 0, ...NO_TIME, ...spent];
  addToSums(client, { table: WORKFLOWS, key: place, sums });
}

/** Never negative: the clock may have been set back in between. */
export function durationOf(startedAt: number | null, endedAt: number): number {
  return startedAt === null ? 0 : Math.max(0, endedAt - startedAt);
}

function startOf(at: number): [hour: number, day: number] {
  return [Math.floor(at / HOUR_MS) * HOUR_MS, Math.floor(at / DAY_MS) * DAY_MS];
}
