/**
 * The changes of a step, each written once: found already written (by an earlier try whose outcome was
 * unknown), it is left as it is. Called inside a transaction, behind the fence.
 */
import type { Database } from "bun:sqlite";
import { AppError } from "../domain/error.ts";
import { isItemKey, type RunEvent } from "../domain/event.ts";
import {
  type Claim,
  type StepAttempt,
  type StepWrite,
  type Totals,
  approvalSignal,
} from "../domain/run.ts";
import type { Json, JsonObject } from "../lib/json.ts";
import { saveMemory } from "./memory-write.ts";
import { insertEvents } from "./run-event.ts";
import { toUsage } from "./run-row.ts";
import type { LiveRun } from "./run-state.ts";
import { consumeSignal, isSignalled } from "./run-signal.ts";
import { countAttemptEnded, durationOf } from "./span-write.ts";
import { defineStatement } from "./statement.ts";
import { addBrokenCalls, addTotals } from "./step-totals.ts";

/** One write of a worker; `seq` grows with the events that its parts add to the log. */
export interface StepWriting {
  readonly client: Database;
  readonly claim: Claim;
  readonly run: LiveRun;
  readonly now: number;
  seq: number;
  /** What succeeded and survived failures lay over the run's values, in order. */
  readonly patches: { readonly patch: JsonObject; readonly doneNodeId?: string }[];
}

type Write<Type extends StepWrite["type"]> = Extract<StepWrite, { type: Type }>;

interface StepRef {
  readonly key: string;
  readonly attempt: number;
}

export interface AttemptRow {
  readonly nodeId: string;
  readonly state: StepAttempt["state"];
  readonly epoch: number;
  readonly seq: number;
  readonly recoveryCount: number;
  readonly startedAt: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cacheReadTokens: number;
  readonly cacheWriteTokens: number;
  readonly reasoningTokens: number;
  readonly costNanoUsd: number;
  readonly unpricedCount: number;
  readonly wait: string | null;
  readonly input: string;
}

const ATTEMPT = defineStatement<AttemptRow, [string, string, number]>(
  `SELECT node_id AS nodeId, state, epoch, seq, recovery_count AS recoveryCount,
     started_at AS startedAt, input_tokens AS inputTokens, output_tokens AS outputTokens,
     cache_read_tokens AS cacheReadTokens, cache_write_tokens AS cacheWriteTokens,
     reasoning_tokens AS reasoningTokens, cost_nano_usd AS costNanoUsd,
     unpriced_count AS unpricedCount, wait, input
   FROM steps WHERE run_id = ? AND key = ? AND attempt = ?`,
);
const BEGIN = defineStatement<
  unknown,
  [string, string, number, string, number, number, number, string]
>(
  `INSERT INTO steps (run_id, key, attempt, node_id, state, epoch, seq, started_at, input)
   VALUES (?, ?, ?, ?, 'running', ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
);
const TAKE_UP = defineStatement<unknown, [number, number, string, string, number]>(
  `UPDATE steps SET state = 'running', wait = NULL, asked_at = NULL, recovery_count = ?, epoch = ?
   WHERE run_id = ? AND key = ? AND attempt = ?`,
);
const LATEST = defineStatement<{ attempt: number; state: StepAttempt["state"] }, [string, string]>(
  "SELECT attempt, state FROM steps WHERE run_id = ? AND key = ? ORDER BY attempt DESC LIMIT 1",
);
const SKIP = defineStatement<
  unknown,
  [string, string, number, string, number, number, number, number, number, string]
>(
  `INSERT INTO steps (run_id, key, attempt, node_id, state, epoch, seq, ended_seq, started_at,
     finished_at, next, input)
   VALUES (?, ?, ?, ?, 'skipped', ?, ?, ?, ?, ?, ?, 'null')`,
);
/** Of an attempt that has just ended. */
interface EndedRow {
  readonly nodeId: string;
  readonly startedAt: number;
}

const SUCCEED = defineStatement<EndedRow, [string, string, number, number, string, string, number]>(
  `UPDATE steps SET state = 'succeeded', patch = ?, next = ?, finished_at = ?, ended_seq = ?,
     wait = NULL, asked_at = NULL
   WHERE run_id = ? AND key = ? AND attempt = ? AND state IN ('running', 'waiting')
   RETURNING node_id AS nodeId, started_at AS startedAt`,
);
const FAIL = defineStatement<
  EndedRow,
  [
    ...[string, number | null, string | null, string | null, number, number],
    ...[string, string, number],
  ]
>(
  `UPDATE steps SET state = 'failed', error = ?, retry_at = ?, next = ?, patch = ?, finished_at = ?,
     ended_seq = ?, wait = NULL, asked_at = NULL
   WHERE run_id = ? AND key = ? AND attempt = ? AND state IN ('running', 'waiting')
   RETURNING node_id AS nodeId, started_at AS startedAt`,
);
const WAIT = defineStatement<unknown, [string, number | null, string, string, number]>(
  `UPDATE steps SET state = 'waiting', wait = ?, asked_at = ?
   WHERE run_id = ? AND key = ? AND attempt = ?`,
);

/** @returns the attempt, for a `start`. @throws AppError `conflict`, `not_found` for another state. */
export function writeStep(writing: StepWriting, step: StepWrite): StepAttempt | undefined {
  if (step.type === "start") return start(writing, step);
  if (step.type === "skip") skip(writing, step);
  else if (step.type === "succeed") succeed(writing, step);
  else if (step.type === "fail") fail(writing, step);
  else wait(writing, step);
  return undefined;
}

/** True when an earlier try has written this change. */
export function isWritten({ client, claim, run }: StepWriting, step: StepWrite): boolean {
  if (step.type === "skip") return LATEST(client).get(run.id, step.key)?.state === "skipped";
  const row = ATTEMPT(client).get(run.id, step.key, step.attempt);
  if (row === null) return false;
  if (step.type === "start") return row.state === "running" && row.epoch === claim.epoch;
  if (step.type === "succeed") return row.state === "succeeded";
  if (step.type === "fail") return row.state === "failed";
  return row.state === "waiting" && row.wait === JSON.stringify(step.wait);
}

/** @throws AppError `not_found` when it was never begun. */
export function requireAttempt(client: Database, runId: string, step: StepRef): AttemptRow {
  const attempt = ATTEMPT(client).get(runId, step.key, step.attempt);
  if (attempt === null) {
    throw new AppError("not_found", `Attempt ${step.attempt} of step ${step.key} was never begun.`);
  }
  return attempt;
}

export function notRunning(step: StepRef, state: StepAttempt["state"]): AppError {
  return new AppError("conflict", `Attempt ${step.attempt} of step ${step.key} is ${state}.`);
}

function log(writing: StepWriting, event: RunEvent): void {
  const { client, run, seq, now } = writing;
  writing.seq = insertEvents(client, { runId: run.id, seq, at: now }, [event]);
}

function start(writing: StepWriting, step: Write<"start">): StepAttempt {
  const { client, claim, run, now } = writing;
  const input = JSON.stringify(step.input);
  const begun = BEGIN(client).run(
    run.id,
    step.key,
    step.attempt,
    step.nodeId,
    claim.epoch,
    writing.seq + 1,
    now,
    input,
  );
  if (begun.changes === 1) {
    logStarted(writing, step);
    return newAttempt(step, { startedSeq: writing.seq, startedAt: now });
  }
  const row = requireAttempt(client, run.id, step);
  if (row.state === "running" && row.epoch === claim.epoch) {
    return takenUp(step, row, row.recoveryCount);
  }
  if (row.state !== "running" && row.state !== "waiting") throw notRunning(step, row.state);
  // A claim that was given back in order, and a wait, say nothing against the step.
  const crashed = claim.recovered && row.state === "running";
  const recoveryCount = row.recoveryCount + (crashed ? 1 : 0);
  TAKE_UP(client).run(recoveryCount, claim.epoch, run.id, step.key, step.attempt);
  logStarted(writing, { ...step, nodeId: row.nodeId });
  return takenUp(step, row, recoveryCount);
}

function logStarted(writing: StepWriting, step: Write<"start">): void {
  log(writing, {
    type: "step.started",
    node: step.nodeId,
    step: step.key,
    attempt: step.attempt,
    ...(step.itemCount === undefined ? {} : { itemCount: step.itemCount }),
  });
}

function newAttempt(
  step: { key: string; nodeId: string; attempt: number; input: Json },
  began: { startedSeq: number; startedAt: number },
): StepAttempt {
  return {
    key: step.key,
    nodeId: step.nodeId,
    attempt: step.attempt,
    state: "running",
    input: step.input,
    patch: null,
    error: null,
    retryAt: null,
    wait: null,
    next: null,
    startedSeq: began.startedSeq,
    endedSeq: null,
    recoveryCount: 0,
    startedAt: began.startedAt,
    finishedAt: null,
    usage: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, reasoning: 0 },
    costNanoUsd: 0,
    unpricedCount: 0,
  };
}

/** The interrupted attempt, with the input it began with: its recorded calls belong to that. */
function takenUp(step: StepRef, row: AttemptRow, recoveryCount: number): StepAttempt {
  const input: Json = JSON.parse(row.input);
  const began = { startedSeq: row.seq, startedAt: row.startedAt };
  return {
    ...newAttempt({ key: step.key, attempt: step.attempt, nodeId: row.nodeId, input }, began),
    recoveryCount,
    usage: toUsage(row),
    costNanoUsd: row.costNanoUsd,
    unpricedCount: row.unpricedCount,
  };
}

function skip(writing: StepWriting, step: Write<"skip">): void {
  const { client, claim, run, now } = writing;
  const latest = LATEST(client).get(run.id, step.key);
  if (latest?.state === "skipped") return;
  const attempt = (latest?.attempt ?? 0) + 1;
  const isOver = latest === null || ["superseded", "failed", "cancelled"].includes(latest.state);
  if (!isOver) throw notRunning({ key: step.key, attempt: latest.attempt }, latest.state);
  const seq = writing.seq + 1;
  const next = JSON.stringify(step.next);
  SKIP(client).run(
    ...([run.id, step.key, attempt, step.nodeId, claim.epoch, seq, seq, now, now, next] as const),
  );
  log(writing, { type: "step.skipped", step: step.key, node: step.nodeId });
}

function succeed(writing: StepWriting, step: Write<"succeed">): void {
  const { client, run, now } = writing;
  const { key, attempt, patch, next } = step;
  const succeeded = SUCCEED(client).get(
    ...([JSON.stringify(patch), JSON.stringify(next), now, writing.seq + 1] as const),
    ...([run.id, key, attempt] as const),
  );
  if (succeeded === null) {
    const { state } = requireAttempt(client, run.id, step);
    if (state === "succeeded") return;
    throw notRunning(step, state);
  }
  // What an item leaves is kept with it: its map collects it.
  if (!isItemKey(key)) writing.patches.push({ patch, doneNodeId: succeeded.nodeId });
  for (const memory of step.memories ?? []) saveMemory(client, memory, now);
  countEnd(writing, succeeded, true);
  spend(writing, step);
  log(writing, { type: "step.succeeded", step: key, attempt, patch, next });
}

function fail(writing: StepWriting, step: Write<"fail">): void {
  const { client, run, now } = writing;
  const { key, attempt, error, retryAt, next, patch } = step;
  const failed = FAIL(client).get(
    JSON.stringify(error),
    retryAt,
    next === null ? null : JSON.stringify(next),
    patch === undefined ? null : JSON.stringify(patch),
    ...([now, writing.seq + 1, run.id, key, attempt] as const),
  );
  if (failed === null) {
    const { state } = requireAttempt(client, run.id, step);
    if (state === "failed") return;
    throw notRunning(step, state);
  }
  if (patch !== undefined && !isItemKey(key)) writing.patches.push({ patch });
  countEnd(writing, failed, false);
  spend(writing, step);
  log(writing, {
    type: "step.failed",
    step: key,
    attempt,
    error,
    ...(retryAt === null ? {} : { retryAtMs: retryAt }),
    ...(next === null ? {} : { next }),
  });
}

function wait(writing: StepWriting, step: Write<"wait">): void {
  const { client, run, now } = writing;
  const { key, attempt } = step;
  const row = requireAttempt(client, run.id, step);
  const json = JSON.stringify(step.wait);
  if (row.state === "waiting" && row.wait === json) return;
  if (row.state !== "running" && row.state !== "waiting") throw notRunning(step, row.state);
  const asks = step.wait.for === "approval" && !isSignalled(client, run.id, approvalSignal(key));
  WAIT(client).run(json, asks ? now : null, run.id, key, attempt);
  spend(writing, step);
  log(writing, { type: "step.waiting", step: key, attempt, wait: step.wait });
}

function countEnd({ client, run, now }: StepWriting, ended: EndedRow, succeeded: boolean): void {
  const durationMs = durationOf(ended.startedAt, now);
  const at = { workflowId: run.workflowId, nodeId: ended.nodeId, at: now };
  countAttemptEnded(client, at, { succeeded, durationMs });
}

/** Counts what the end of a step says of cost, and takes the signal that it has answered to. */
function spend(
  { client, run }: StepWriting,
  step: StepRef & { brokenCallCount?: number; childTotals?: Totals; consumes?: number },
): void {
  const { key, consumes, childTotals } = step;
  if (childTotals !== undefined) addTotals(client, run.id, { ...step, totals: childTotals });
  addBrokenCalls(client, run.id, { ...step, count: step.brokenCallCount ?? 0 });
  if (consumes !== undefined) consumeSignal(client, { runId: run.id, seq: consumes, key });
}
