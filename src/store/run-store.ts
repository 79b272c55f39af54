/** Runs as the product reads and starts them; the journal's writes are in run-journal.ts. */
import { type Database, SQLiteError } from "bun:sqlite";
import { asc, desc, eq, inArray, sql } from "drizzle-orm";
import { AppError } from "../domain/error.ts";
import {
  type Journal,
  LEASE_MS,
  type NewRun,
  RUN_STATES,
  RUN_STATES_FINAL,
  type Run,
  type RunState,
  type RunStats,
  type RunStore,
} from "../domain/run.ts";
import type { Clock } from "../lib/clock.ts";
import type { JsonObject } from "../lib/json.ts";
import { oncePer } from "../lib/once-per.ts";
import type { Connection } from "./connection.ts";
import type { Db } from "./database.ts";
import { insertEvents, selectEvents, selectRecentEvents } from "./run-event.ts";
import { createRunJournal } from "./run-journal.ts";
import { findRunId, listRunIds, reversed } from "./run-search.ts";
import { toRun, toStepAttempt, toStepCall } from "./run-row.ts";
import { MINUTE_MS, addToMinute, countMove, endRun, requireRun } from "./run-state.ts";
import { runCounts, runs, stepCalls, steps } from "./schema.ts";
import { defineStatement } from "./statement.ts";

/** Rows of one answer, whatever is asked for. */
const ROW_COUNT_MAX = 10_000;

const RUN = oncePer((db: Db) =>
  db
    .select()
    .from(runs)
    .where(eq(runs.id, sql.placeholder("id")))
    .prepare(),
);
const ATTEMPTS = oncePer((db: Db) =>
  db
    .select()
    .from(steps)
    .where(eq(steps.runId, sql.placeholder("runId")))
    .orderBy(asc(steps.seq))
    .prepare(),
);
const CALLS = oncePer((db: Db) =>
  db
    .select()
    .from(stepCalls)
    .where(eq(stepCalls.runId, sql.placeholder("runId")))
    .orderBy(asc(stepCalls.key), asc(stepCalls.attempt), asc(stepCalls.ordinal))
    .prepare(),
);
const INSERT = defineStatement<
  unknown,
  [
    ...[string, number, string | null, number, string, string, string, string, string],
    ...[string, string, string, string],
  ]
>(
  `INSERT INTO runs (id, state, due_at, reserved_for, created_at, workflow_id, version_hash,
     workflow_name, source, reversed_id, overrides, done_node_ids, "values", node_ids, inputs)
   VALUES (?, 'queued', ?, ?, ?, ?, ?, ?, ?, ?, ?, '[]', ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
);
const MARK_CANCEL = defineStatement<unknown, [number, string]>(
  "UPDATE runs SET cancel_requested_at = ? WHERE id = ?",
);
const MINUTES = defineStatement<MinuteRow, [number, number]>(
  `SELECT starts_at AS startsAt, created, succeeded, failed, cost_nano_usd AS costNanoUsd, tokens
   FROM run_minutes WHERE starts_at >= ? AND starts_at < ?`,
);

interface MinuteRow {
  startsAt: number;
  created: number;
  succeeded: number;
  failed: number;
  costNanoUsd: number;
  tokens: number;
}

export function createRunStore(connection: Connection, clock: Clock): RunStore {
  return {
    ...createRunJournal(connection, clock),
    create: (run, values) =>
      connection.write(({ client }) => ({
        created: insertRun(client, { run, values, now: clock.now() }),
      })),
    get: (id) => connection.read(({ db }) => selectRun(db, id)),
    find: (idPart) =>
      connection.read(({ client, db }) => {
        const id = findRunId(client, idPart);
        return id === undefined ? undefined : selectRun(db, id);
      }),
    list: (filter) =>
      connection.read(({ client, db }) => {
        const limit = Math.min(filter.limit, ROW_COUNT_MAX);
        const ids = listRunIds(client, { ...filter, limit });
        return db
          .select()
          .from(runs)
          .where(inArray(runs.id, ids))
          .orderBy(desc(runs.id))
          .all()
          .map(toRun);
      }),
    counts: () => connection.read(({ db }) => selectCounts(db)),
    stats: (range) => connection.read(({ client }) => selectStats(client, range)),
    journal: (runId) => connection.read(({ db }) => selectJournal(db, runId)),
    events: (runId, after, limit) =>
      connection.read(({ client }) =>
        selectEvents(client, { runId, after, limit: Math.min(limit, ROW_COUNT_MAX) }),
      ),
    recentEvents: (limit) =>
      connection.read(({ client }) => selectRecentEvents(client, Math.min(limit, ROW_COUNT_MAX))),
    requestCancel: (id) =>
      connection.write(({ client, db }) => {
        cancel(client, id, clock.now());
        const run = selectRun(db, id);
        // It was there a moment ago, in this transaction.
        if (run === undefined) throw new AppError("not_found", `There is no run ${id}.`);
        return run;
      }),
  };
}

function selectRun(db: Db, id: string): Run | undefined {
  const row = RUN(db).get({ id });
  return row === undefined ? undefined : toRun(row);
}

/** @returns false when there is such a run already. @throws AppError `not_found` for an unknown version. */
function insertRun(
  client: Database,
  options: { run: NewRun; values: JsonObject; now: number },
): boolean {
  const { run, values, now } = options;
  // A reserved run is due for the others when its creator could have lost a claim.
  const dueAt = run.reservedFor === undefined ? now : now + LEASE_MS;
  try {
    const inserted = INSERT(client).run(
      run.id,
      dueAt,
      run.reservedFor ?? null,
      now,
      run.workflowId,
      run.versionHash,
      run.workflowName,
      run.source,
      reversed(run.id),
      JSON.stringify(run.overrides),
      JSON.stringify(values),
      JSON.stringify(run.nodeIds),
      JSON.stringify(run.inputs),
    );
    if (inserted.changes === 0) return false;
  } catch (error) {
    if (!(error instanceof SQLiteError) || error.code !== "SQLITE_CONSTRAINT_FOREIGNKEY") {
      throw error;
    }
    throw new AppError(
      "not_found",
      `There is no version ${run.versionHash} of workflow ${run.workflowId}.`,
      { fix: "Save the workflow first.", cause: error },
    );
  }
  countMove(client, undefined, "queued");
  addToMinute(client, now, { created: 1 });
  insertEvents(client, { runId: run.id, seq: 0, at: now }, [{ type: "run.queued" }]);
  return true;
}

/** Nobody holds a run that is queued, waiting, or running past its lease: it is cancelled at once. */
function cancel(client: Database, id: string, now: number): void {
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
}

function selectCounts(db: Db): Record<RunState, number> {
  const counts: Record<RunState, number> = {
    queued: 0,
    running: 0,
    waiting: 0,
    succeeded: 0,
    failed: 0,
    cancelled: 0,
  };
  for (const row of db.select().from(runCounts).all()) {
    if (RUN_STATES.includes(row.state)) counts[row.state] = row.count;
  }
  return counts;
}

/**
 * Sums are kept by the minute, so the range is widened to whole minutes: the answer says which range
 * and bucket width it has.
 */
function selectStats(
  client: Database,
  range: { sinceMs: number; untilMs: number; bucketCount: number },
): RunStats {
  const bucketCount = Math.max(1, Math.min(range.bucketCount, ROW_COUNT_MAX));
  const wantedMs = (range.untilMs - range.sinceMs) / bucketCount;
  const bucketMs = Math.max(1, Math.ceil(wantedMs / MINUTE_MS)) * MINUTE_MS;
  const untilMs = Math.ceil(range.untilMs / MINUTE_MS) * MINUTE_MS;
  const sinceMs = untilMs - bucketMs * bucketCount;
  const buckets = Array.from({ length: bucketCount }, () => ({
    created: 0,
    succeeded: 0,
    failed: 0,
    costNanoUsd: 0,
    tokens: 0,
  }));
  for (const minute of MINUTES(client).iterate(sinceMs, untilMs)) {
    const bucket = buckets[Math.floor((minute.startsAt - sinceMs) / bucketMs)];
    if (bucket === undefined) continue;
    bucket.created += minute.created;
    bucket.succeeded += minute.succeeded;
    bucket.failed += minute.failed;
    bucket.costNanoUsd += minute.costNanoUsd;
    bucket.tokens += minute.tokens;
  }
  return { sinceMs, bucketMs, buckets };
}

/** Attempts in the order in which they began, calls in the order in which they were made. */
function selectJournal(db: Db, runId: string): Journal {
  const attempts = ATTEMPTS(db).all({ runId });
  const calls = CALLS(db).all({ runId });
  return { steps: attempts.map(toStepAttempt), calls: calls.map(toStepCall) };
}
