/**
 * The writes of the worker that holds a claim. Each begins with the fence (`requireClaim`), so a write
 * under an old epoch changes nothing. Each may be repeated after a failure whose outcome is unknown:
 * what is already written is left as it is.
 */
import type { Database } from "bun:sqlite";
import { AppError, type ErrorRecord } from "../domain/error.ts";
import type { RunEvent } from "../domain/event.ts";
import type { Claim, RunStore, StepAttempt, StepCall, WaitingFor } from "../domain/run.ts";
import type { Clock } from "../lib/clock.ts";
import type { Json, JsonObject } from "../lib/json.ts";
import type { Connection } from "./connection.ts";
import { insertEvents } from "./run-event.ts";
import {
  type LiveRun,
  activeMsAt,
  addToMinute,
  countMove,
  endRun,
  requireClaim,
} from "./run-state.ts";
import { defineStatement } from "./statement.ts";

export type RunJournal = Pick<
  RunStore,
  "startStep" | "recordCall" | "appendEvents" | "succeedStep" | "failStep" | "failRun" | "cancelRun"
>;

type StepStart = Parameters<RunStore["startStep"]>[1];
type Retry = Parameters<RunStore["failStep"]>[2];

interface StepRef {
  readonly key: string;
  readonly attempt: number;
}

interface AttemptRow {
  nodeId: string;
  state: StepAttempt["state"];
  epoch: number;
  recoveryCount: number;
  startedAt: number;
  finishedAt: number | null;
  retryAt: number | null;
  inputTokens: number;
  outputTokens: number;
  cacheReadTokens: number;
  cacheWriteTokens: number;
  reasoningTokens: number;
  costNanoUsd: number;
  unpricedCount: number;
  input: string;
}

const ATTEMPT = defineStatement<AttemptRow, [string, string, number]>(
  `SELECT node_id AS nodeId, state, epoch, recovery_count AS recoveryCount, started_at AS startedAt,
     finished_at AS finishedAt, retry_at AS retryAt, input_tokens AS inputTokens,
     output_tokens AS outputTokens, cache_read_tokens AS cacheReadTokens,
     cache_write_tokens AS cacheWriteTokens, reasoning_tokens AS reasoningTokens,
     cost_nano_usd AS costNanoUsd, unpriced_count AS unpricedCount, input
   FROM steps WHERE run_id = ? AND key = ? AND attempt = ?`,
);
const BEGIN_ATTEMPT = defineStatement<
  unknown,
  [string, string, number, string, number, number, number, string]
>(
  `INSERT INTO steps (run_id, key, attempt, node_id, state, epoch, seq, started_at, input)
   VALUES (?, ?, ?, ?, 'running', ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
);
const TAKE_UP_ATTEMPT = defineStatement<unknown, [number, number, string, string, number]>(
  `UPDATE steps SET recovery_count = ?, epoch = ?
   WHERE run_id = ? AND key = ? AND attempt = ?`,
);
const SUCCEED_ATTEMPT = defineStatement<
  { nodeId: string },
  [string, number, string, string, number]
>(
  `UPDATE steps SET state = 'succeeded', patch = ?, finished_at = ?
   WHERE run_id = ? AND key = ? AND attempt = ? AND state = 'running' RETURNING node_id AS nodeId`,
);
const FAIL_ATTEMPT = defineStatement<
  unknown,
  [string, number | null, number, string, string, number]
>(
  `UPDATE steps SET state = 'failed', error = ?, retry_at = ?, finished_at = ?
   WHERE run_id = ? AND key = ? AND attempt = ? AND state = 'running'`,
);
const PARK = defineStatement<unknown, [number, WaitingFor, number, string]>(
  `UPDATE runs SET state = 'waiting', due_at = ?, waiting_for = ?, active_ms = ?, active_at = NULL,
     worker = NULL WHERE id = ?`,
);
const VALUES = defineStatement<{ values: string; doneNodeIds: string }, [string]>(
  'SELECT "values", done_node_ids AS doneNodeIds FROM runs WHERE id = ?',
);
const SET_VALUES = defineStatement<unknown, [string, string, string]>(
  'UPDATE runs SET "values" = ?, done_node_ids = ? WHERE id = ?',
);
const INSERT_CALL = defineStatement<
  unknown,
  [
    ...[string, string, number, number, string, string],
    ...[number, number, number, number, number, number | null],
    ...[number, number, string, string],
  ]
>(
  `INSERT INTO step_calls (run_id, key, attempt, ordinal, kind, name, input_tokens, output_tokens,
     cache_read_tokens, cache_write_tokens, reasoning_tokens, cost_nano_usd, started_at, finished_at,
     request, result)
   VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
);
const ADD_TOTALS = `SET input_tokens = input_tokens + ?, output_tokens = output_tokens + ?,
  cache_read_tokens = cache_read_tokens + ?, cache_write_tokens = cache_write_tokens + ?,
  reasoning_tokens = reasoning_tokens + ?, cost_nano_usd = cost_nano_usd + ?,
  unpriced_count = unpriced_count + ?`;
type TotalsParams = [number, number, number, number, number, number, number];
const ADD_TO_ATTEMPT = defineStatement<unknown, [...TotalsParams, string, string, number]>(
  `UPDATE steps ${ADD_TOTALS} WHERE run_id = ? AND key = ? AND attempt = ?`,
);
const ADD_TO_RUN = defineStatement<unknown, [...TotalsParams, string]>(
  `UPDATE runs ${ADD_TOTALS} WHERE id = ?`,
);

export function createRunJournal(connection: Connection, clock: Clock): RunJournal {
  /** A write under a claim: the fence first, in the same transaction. */
  function fenced<T>(
    claim: Claim,
    work: (client: Database, run: LiveRun, now: number) => T,
  ): Promise<T> {
    return connection.write(({ client }) => work(client, requireClaim(client, claim), clock.now()));
  }

  return {
    startStep: (claim, step) =>
      fenced(claim, (client, run, now) => startStep(client, { claim, run, step, now })),
    recordCall: (claim, call, events) =>
      fenced(claim, (client, run, now) => recordCall(client, { run, call, events, now })),
    async appendEvents(claim, events) {
      await fenced(claim, (client, run, now) => {
        insertEvents(client, { runId: run.id, seq: run.seq, at: now }, events);
      });
    },
    succeedStep: (claim, step, outcome) =>
      fenced(claim, (client, run, now) => succeedStep(client, { run, step, outcome, now })),
    failStep: (claim, step, retry) =>
      fenced(claim, (client, run, now) => failStep(client, { run, step, retry, now })),
    async failRun(claim, error) {
      await fenced(claim, (client, run, now) => {
        endRun(client, run, { ending: { state: "failed", error }, at: now });
      });
    },
    async cancelRun(claim) {
      await fenced(claim, (client, run, now) => {
        endRun(client, run, { ending: { state: "cancelled" }, at: now });
      });
    },
  };
}

function startStep(
  client: Database,
  options: { claim: Claim; run: LiveRun; step: StepStart; now: number },
): StepAttempt {
  const { claim, run, step, now } = options;
  const input = JSON.stringify(step.input);
  const begun = BEGIN_ATTEMPT(client).run(
    ...([
      run.id,
      step.key,
      step.attempt,
      step.nodeId,
      claim.epoch,
      run.seq + 1,
      now,
      input,
    ] as const),
  );
  if (begun.changes === 1) {
    logStarted(client, options);
    return newAttempt(step, now);
  }
  const attempt = requireAttempt(client, run.id, step);
  if (attempt.state !== "running") throw ended(step, attempt.state);
  if (attempt.epoch === claim.epoch) return takenUp(step, attempt, attempt.recoveryCount);
  // A claim that was given back in order says nothing against the step.
  const recoveryCount = attempt.recoveryCount + (claim.recovered ? 1 : 0);
  TAKE_UP_ATTEMPT(client).run(recoveryCount, claim.epoch, run.id, step.key, step.attempt);
  logStarted(client, options);
  return takenUp(step, attempt, recoveryCount);
}

function logStarted(
  client: Database,
  options: { run: LiveRun; step: StepStart; now: number },
): void {
  const { run, step, now } = options;
  insertEvents(client, { runId: run.id, seq: run.seq, at: now }, [
    { type: "step.started", node: step.nodeId, step: step.key, attempt: step.attempt },
  ]);
}

function newAttempt(step: StepStart, now: number): StepAttempt {
  return {
    key: step.key,
    nodeId: step.nodeId,
    attempt: step.attempt,
    state: "running",
    input: step.input,
    patch: null,
    error: null,
    retryAt: null,
    recoveryCount: 0,
    startedAt: now,
    finishedAt: null,
    usage: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, reasoning: 0 },
    costNanoUsd: 0,
    unpricedCount: 0,
  };
}

/** The interrupted attempt, with the input it began with: its recorded calls belong to that. */
function takenUp(step: StepStart, row: AttemptRow, recoveryCount: number): StepAttempt {
  const input: Json = JSON.parse(row.input);
  return {
    ...newAttempt({ ...step, nodeId: row.nodeId, input }, row.startedAt),
    recoveryCount,
    usage: {
      input: row.inputTokens,
      output: row.outputTokens,
      cacheRead: row.cacheReadTokens,
      cacheWrite: row.cacheWriteTokens,
      reasoning: row.reasoningTokens,
    },
    costNanoUsd: row.costNanoUsd,
    unpricedCount: row.unpricedCount,
  };
}

function requireAttempt(client: Database, runId: string, step: StepRef): AttemptRow {
  const attempt = ATTEMPT(client).get(runId, step.key, step.attempt);
  if (attempt === null) {
    throw new AppError("not_found", `Attempt ${step.attempt} of step ${step.key} was never begun.`);
  }
  return attempt;
}

function ended(step: StepRef, state: StepAttempt["state"]): AppError {
  return new AppError("conflict", `Attempt ${step.attempt} of step ${step.key} has ${state}.`);
}

function recordCall(
  client: Database,
  options: { run: LiveRun; call: StepCall; events: readonly RunEvent[]; now: number },
): void {
  const { run, call, events, now } = options;
  const { usage } = call;
  const attempt = requireAttempt(client, run.id, call);
  if (attempt.state !== "running") throw ended(call, attempt.state);
  const inserted = INSERT_CALL(client).run(
    run.id,
    call.key,
    call.attempt,
    call.ordinal,
    call.kind,
    call.name,
    usage.input,
    usage.output,
    usage.cacheRead,
    usage.cacheWrite,
    usage.reasoning,
    call.costNanoUsd,
    call.startedAt,
    call.finishedAt,
    JSON.stringify(call.request),
    JSON.stringify(call.result),
  );
  // Recorded by an earlier try whose outcome was unknown.
  if (inserted.changes === 0) return;
  addTotals(client, run.id, call);
  const costNanoUsd = call.costNanoUsd ?? 0;
  const tokens = usage.input + usage.output;
  if (costNanoUsd > 0 || tokens > 0) addToMinute(client, now, { costNanoUsd, tokens });
  insertEvents(client, { runId: run.id, seq: run.seq, at: now }, events);
}

function addTotals(client: Database, runId: string, call: StepCall): void {
  const { usage } = call;
  // A tool has no price, so that none is missing.
  const unpriced = call.kind === "model" && call.costNanoUsd === null ? 1 : 0;
  const totals: TotalsParams = [
    usage.input,
    usage.output,
    usage.cacheRead,
    usage.cacheWrite,
    usage.reasoning,
    call.costNanoUsd ?? 0,
    unpriced,
  ];
  addToTotals(client, runId, { ...call, totals });
}

function addToTotals(
  client: Database,
  runId: string,
  { key, attempt, totals }: StepRef & { totals: TotalsParams },
): void {
  ADD_TO_ATTEMPT(client).run(...totals, runId, key, attempt);
  if (totals.some((count) => count > 0)) ADD_TO_RUN(client).run(...totals, runId);
}

function succeedStep(
  client: Database,
  options: {
    run: LiveRun;
    step: StepRef & { patch: JsonObject };
    outcome: { outputs: JsonObject } | undefined;
    now: number;
  },
): void {
  const { run, step, outcome, now } = options;
  const patch = JSON.stringify(step.patch);
  const ref = [run.id, step.key, step.attempt] as const;
  const succeeded = SUCCEED_ATTEMPT(client).get(patch, now, ...ref);
  if (succeeded === null) {
    const { state } = requireAttempt(client, run.id, step);
    // Written by an earlier try whose outcome was unknown.
    if (state === "succeeded") return;
    throw ended(step, state);
  }
  applyPatch(client, run.id, { patch: step.patch, nodeId: succeeded.nodeId });
  const seq = insertEvents(client, { runId: run.id, seq: run.seq, at: now }, [
    { type: "step.succeeded", step: step.key, attempt: step.attempt, patch: step.patch },
  ]);
  if (outcome === undefined) return;
  const ending = { state: "succeeded", outputs: outcome.outputs } as const;
  endRun(client, { ...run, seq }, { ending, at: now });
}

/** Lays the patch over the run's values, key by key, and notes the node as done. */
function applyPatch(
  client: Database,
  runId: string,
  step: { patch: JsonObject; nodeId: string },
): void {
  const row = VALUES(client).get(runId);
  if (row === null) return;
  const values: JsonObject = JSON.parse(row.values);
  const done: string[] = JSON.parse(row.doneNodeIds);
  if (!done.includes(step.nodeId)) done.push(step.nodeId);
  SET_VALUES(client).run(JSON.stringify({ ...values, ...step.patch }), JSON.stringify(done), runId);
}

function failStep(
  client: Database,
  options: {
    run: LiveRun;
    step: StepRef & { error: ErrorRecord; brokenCallCount?: number };
    retry: Retry;
    now: number;
  },
): void {
  const { run, step, retry, now } = options;
  const error = JSON.stringify(step.error);
  const failed = FAIL_ATTEMPT(client).run(
    ...([error, retry?.at ?? null, now, run.id, step.key, step.attempt] as const),
  );
  if (failed.changes === 0) {
    const { state } = requireAttempt(client, run.id, step);
    // Written by an earlier try whose outcome was unknown.
    if (state === "failed") return;
    throw ended(step, state);
  }
  if (step.brokenCallCount !== undefined && step.brokenCallCount > 0)
    addToTotals(client, run.id, { ...step, totals: [0, 0, 0, 0, 0, 0, step.brokenCallCount] });
  const seq = insertEvents(client, { runId: run.id, seq: run.seq, at: now }, [
    {
      type: "step.failed",
      step: step.key,
      attempt: step.attempt,
      error: step.error,
      ...(retry === undefined ? {} : { retryAtMs: retry.at }),
    },
  ]);
  const after = { ...run, seq };
  if (retry === undefined) {
    endRun(client, after, { ending: { state: "failed", error: step.error }, at: now });
  } else if (!retry.inPlace) {
    park(client, after, { retry, now });
  }
}

/** A run that is to be cancelled does not wait first: nobody would look at it before its timer. */
function park(
  client: Database,
  run: LiveRun,
  options: { retry: NonNullable<Retry>; now: number },
): void {
  const { retry, now } = options;
  if (run.cancelRequestedAt !== null) {
    endRun(client, run, { ending: { state: "cancelled" }, at: now });
    return;
  }
  PARK(client).run(retry.at, retry.waitingFor, activeMsAt(run, now), run.id);
  countMove(client, run.state, "waiting");
  insertEvents(client, { runId: run.id, seq: run.seq, at: now }, [
    { type: "run.waiting", for: retry.waitingFor, untilMs: retry.at },
  ]);
}
