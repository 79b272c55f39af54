/**
 * What every change of a run's state has in common: the fence, the count of each state, the sums of
 * each minute and hour, waking, and the way a run ends, with what that means for its parent and its children.
 * Called inside a transaction.
 */
import type { Database } from "bun:sqlite";
import { AppError, type ErrorRecord } from "../domain/error.ts";
import type { RunEvent } from "../domain/event.ts";
import { type Claim, LEASE_MS, RUN_STATES_FINAL, type RunState } from "../domain/run.ts";
import type { JsonObject } from "../lib/json.ts";
import { insertEvents } from "./run-event.ts";
import { countRunEnded, durationOf } from "./span-write.ts";
import { defineStatement } from "./statement.ts";
import { addToSums, defineSums } from "./sum-write.ts";

export const MINUTE_MS = 60_000;
export const HALF_HOUR_MS = 30 * MINUTE_MS;

/** What a change of a run needs to know of it. */
export interface LiveRun {
  readonly id: string;
  readonly state: RunState;
  /** Highest `seq` of its log. */
  readonly seq: number;
  readonly activeMs: number;
  readonly activeAt: number | null;
  readonly cancelRequestedAt: number | null;
  readonly dueAt: number | null;
  readonly wakeCount: number;
  readonly depth: number;
  readonly rootId: string;
  /** The run whose step has started this one. */
  readonly parentId: string | null;
  readonly workflowId: string;
  readonly startedAt: number | null;
}

interface MinuteSums {
  readonly created?: number;
  readonly succeeded?: number;
  readonly failed?: number;
  readonly costNanoUsd?: number;
  readonly tokens?: number;
}

const LIVE_COLUMNS = `id, state, active_ms AS activeMs, active_at AS activeAt,
  cancel_requested_at AS cancelRequestedAt, due_at AS dueAt, wake_count AS wakeCount, depth,
  root_id AS rootId, CASE origin_kind WHEN 'child' THEN origin_run_id END AS parentId,
  workflow_id AS workflowId, started_at AS startedAt,
  coalesce((SELECT max(seq) FROM events WHERE run_id = runs.id), 0) AS seq`;
const FENCE = defineStatement<LiveRun, [string, number, string]>(
  `SELECT ${LIVE_COLUMNS} FROM runs WHERE id = ? AND epoch = ? AND worker = ? AND state = 'running'`,
);
const LIVE = defineStatement<LiveRun, [string]>(`SELECT ${LIVE_COLUMNS} FROM runs WHERE id = ?`);
const COUNT = defineStatement<unknown, [RunState, number]>(
  `INSERT INTO run_counts (state, count) VALUES (?, ?)
   ON CONFLICT (state) DO UPDATE SET count = count + excluded.count`,
);
/** Both are written together: each says all of what happened. */
const SUMS = [
  { table: "run_minutes", spanMs: MINUTE_MS },
  { table: "run_half_hours", spanMs: HALF_HOUR_MS },
].map(({ table, spanMs }) => {
  const columns = ["created", "succeeded", "failed", "cost_nano_usd", "tokens"];
  const insert = `INSERT INTO ${table} (starts_at, ${columns.join(", ")}) VALUES (?, ?, ?, ?, ?, ?)`;
  return { spanMs, table: defineSums(insert, columns) };
});
const FINISH = defineStatement<
  unknown,
  [RunState, number, number, number | null, string | null, string]
>(
  `UPDATE runs SET state = ?, finished_at = ?, active_ms = ?, cancel_requested_at = ?, error = ?,
     due_at = NULL, worker = NULL, waiting_for = NULL, reserved_for = NULL, active_at = NULL
   WHERE id = ?`,
);
const STOP_STEPS = defineStatement<unknown, [number, number, string]>(
  `UPDATE steps SET state = 'cancelled', finished_at = ?, ended_seq = ?, wait = NULL, asked_at = NULL
   WHERE run_id = ? AND state IN ('running', 'waiting')`,
);
const WAKE = defineStatement<unknown, [number, number, string]>(
  `UPDATE runs SET wake_count = wake_count + 1,
     due_at = CASE state WHEN 'waiting' THEN min(coalesce(due_at, ?), ?) ELSE due_at END
   WHERE id = ? AND state IN ('queued', 'running', 'waiting')`,
);
const LIVE_CHILDREN = defineStatement<{ id: string }, [string]>(
  `SELECT id FROM runs WHERE origin_run_id = ? AND origin_kind = 'child'
     AND state IN ('queued', 'running', 'waiting')`,
);
const MARK_CANCEL = defineStatement<unknown, [number, string]>(
  "UPDATE runs SET cancel_requested_at = ? WHERE id = ?",
);

/** The run, when this claim still holds it; else null. */
export function findClaimed(client: Database, claim: Claim): LiveRun | null {
  return FENCE(client).get(claim.runId, claim.epoch, claim.worker);
}

/**
 * The run that this claim holds.
 * @throws AppError `lease_lost` when another claim, or an end, has overtaken it.
 */
export function requireClaim(client: Database, claim: Claim): LiveRun {
  const run = findClaimed(client, claim);
  if (run === null) {
    throw new AppError("lease_lost", `Worker ${claim.worker} no longer holds run ${claim.runId}.`, {
      fix: "Do nothing: the run has ended or another worker goes on with it.",
    });
  }
  return run;
}

/** @throws AppError `not_found`. */
export function requireRun(client: Database, id: string): LiveRun {
  const run = LIVE(client).get(id);
  if (run === null) {
    throw new AppError("not_found", `There is no run ${id}.`, {
      fix: "List the runs with `agents runs`.",
    });
  }
  return run;
}

/**
 * Active time up to now. At most one lease is added at once: longer without a renewal means that the
 * machine slept or the clock was set.
 */
export function activeMsAt(run: LiveRun, nowMs: number): number {
  if (run.activeAt === null) return run.activeMs;
  return run.activeMs + Math.max(0, Math.min(LEASE_MS, nowMs - run.activeAt));
}

/** Keeps the counts by state. `from` is undefined for a new run. */
export function countMove(client: Database, from: RunState | undefined, to: RunState): void {
  if (from === to) return;
  if (from !== undefined) COUNT(client).run(from, -1);
  COUNT(client).run(to, 1);
}

/** A run in that state is no longer there. */
export function countRemoval(client: Database, state: RunState): void {
  COUNT(client).run(state, -1);
}

/** Adds to the sums of the minute, and of the half hour, that `at` belongs to. */
export function addToMinute(client: Database, at: number, sums: MinuteSums): void {
  const { created = 0, succeeded = 0, failed = 0, costNanoUsd = 0, tokens = 0 } = sums;
  const added = [created, succeeded, failed, costNanoUsd, tokens];
  for (const { spanMs, table } of SUMS)
    addToSums(client, { table, key: [Math.floor(at / spanMs) * spanMs], sums: added });
}

export type Ending =
  | { readonly state: "succeeded"; readonly outputs: JsonObject }
  | { readonly state: "failed"; readonly error: ErrorRecord }
  | { readonly state: "cancelled" };

/** Something that a worker should look at has come to the run: when it waits it is due at once. */
export function wake(client: Database, id: string, now: number): void {
  WAKE(client).run(now, now, id);
}

/**
 * Ends a run: attempts that are still running or waiting become cancelled, so do its children; its
 * parent is woken. Writes the last event.
 */
export function endRun(client: Database, run: LiveRun, end: { ending: Ending; at: number }): void {
  const { ending, at } = end;
  const error = ending.state === "failed" ? ending.error : undefined;
  const cancelRequestedAt = run.cancelRequestedAt ?? (ending.state === "cancelled" ? at : null);
  STOP_STEPS(client).run(at, run.seq + 1, run.id);
  FINISH(client).run(
    ending.state,
    at,
    activeMsAt(run, at),
    cancelRequestedAt,
    error === undefined ? null : JSON.stringify(error),
    run.id,
  );
  countMove(client, run.state, ending.state);
  if (ending.state !== "cancelled") addToMinute(client, at, { [ending.state]: 1 });
  const durationMs = durationOf(run.startedAt, at);
  countRunEnded(client, { workflowId: run.workflowId, at }, { state: ending.state, durationMs });
  insertEvents(client, { runId: run.id, seq: run.seq, at }, [lastEvent(ending)]);
  if (run.parentId !== null) wake(client, run.parentId, at);
  cancelChildren(client, run.id, at);
}

/**
 * Asks for the end of a run and of those inside of it. Nobody holds a run that is queued, waiting, or
 * running past its lease: it ends at once.
 */
export function requestCancel(client: Database, id: string, now: number): void {
  const run = requireRun(client, id);
  if (RUN_STATES_FINAL.includes(run.state)) return;
  const held = run.state === "running" && run.dueAt !== null && run.dueAt > now;
  if (!held) {
    endRun(client, run, { ending: { state: "cancelled" }, at: now });
    return;
  }
  if (run.cancelRequestedAt !== null) return;
  MARK_CANCEL(client).run(now, id);
  insertEvents(client, { runId: id, seq: run.seq, at: now }, [{ type: "run.cancelling" }]);
  cancelChildren(client, id, now);
}

function cancelChildren(client: Database, id: string, now: number): void {
  for (const child of LIVE_CHILDREN(client).all(id)) requestCancel(client, child.id, now);
}

function lastEvent(ending: Ending): RunEvent {
  if (ending.state === "succeeded") return { type: "run.succeeded", outputs: ending.outputs };
  if (ending.state === "failed") return { type: "run.failed", error: ending.error };
  return { type: "run.cancelled" };
}
