/** Runs as the product reads and starts them; the journal's writes are in run-journal.ts. */
import type { Database } from "bun:sqlite";
import { asc, eq, getTableColumns, sql } from "drizzle-orm";
import { AppError } from "../domain/error.ts";
import {
  type Journal,
  type EndedRange,
  RUN_STATES,
  RUN_STATES_FINAL,
  type Run,
  type RunFilter,
  type RunState,
  type RunStats,
  type RunSummary,
  type RunStore,
} from "../domain/run.ts";
import type { Clock } from "../lib/clock.ts";
import { oncePer } from "../lib/once-per.ts";
import type { Connection } from "./connection.ts";
import type { Db } from "./database.ts";
import { insertRun } from "./run-create.ts";
import { selectEvents, selectRecentEvents } from "./run-event.ts";
import { createRunJournal } from "./run-journal.ts";
import { resumeRun } from "./run-resume.ts";
import { endedRunIds, endedRunIdsBack, removeIfEnded, removeRun } from "./run-remove.ts";
import { findRunId, findRuns, type FoundRuns } from "./run-search.ts";
import { createRunSignals } from "./run-signal.ts";
import { toRun, toRunSummary, toSignal, toStepAttempt, toStepCall } from "./run-row.ts";
import { HALF_HOUR_MS, MINUTE_MS, requestCancel } from "./run-state.ts";
import { selectTreeSpending } from "./step-totals.ts";
import { runCounts, runs, signals, stepCalls, steps } from "./schema.ts";
import { defineStatement } from "./statement.ts";

/** Rows of one answer, whatever is asked for. */
const ROW_COUNT_MAX = 10_000;
/** Rows that are walked before others get their turn. */
const WALK_COUNT = 1_000;
/** Sorts behind every id. */
const BEHIND_IDS = "~";

const RUN = oncePer((db: Db) =>
  db
    .select()
    .from(runs)
    .where(eq(runs.id, sql.placeholder("id")))
    .prepare(),
);
const { values: _values, inputs: _inputs, ...SUMMARY_COLUMNS } = getTableColumns(runs);
const SUMMARY = oncePer((db: Db) =>
  db
    .select(SUMMARY_COLUMNS)
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
const SIGNALS = oncePer((db: Db) =>
  db
    .select()
    .from(signals)
    .where(eq(signals.runId, sql.placeholder("runId")))
    .orderBy(asc(signals.seq))
    .prepare(),
);
/** SQLite adds up three times as fast as rows are handed over. */
const bucketsIn = (table: string) =>
  defineStatement<RunStats["buckets"][number], [number, number]>(
    `SELECT coalesce(sum(created), 0) AS created, coalesce(sum(succeeded), 0) AS succeeded,
       coalesce(sum(failed), 0) AS failed, coalesce(sum(cost_nano_usd), 0) AS costNanoUsd,
       coalesce(sum(tokens), 0) AS tokens
     FROM ${table} WHERE starts_at >= ? AND starts_at < ?`,
  );
const BUCKET = bucketsIn("run_minutes");
/** A week has ten thousand minutes. */
const WIDE_BUCKET = bucketsIn("run_half_hours");
const NOTHING = { created: 0, succeeded: 0, failed: 0, costNanoUsd: 0, tokens: 0 };

export function createRunStore(connection: Connection, clock: Clock): RunStore {
  return {
    ...createRunJournal(connection, clock),
    ...createRunSignals(connection, clock),
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
      connection.read(({ client, db }) =>
        findPage(client, filter).ids.flatMap((id) => selectRun(db, id) ?? []),
      ),
    page: (filter) =>
      connection.read(({ client, db }) => {
        const { ids, ...place } = findPage(client, filter);
        return { runs: ids.flatMap((id) => selectSummary(db, id) ?? []), ...place };
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
        requestCancel(client, id, clock.now());
        return mustSelectRun(db, id);
      }),
    resume: (id, change) =>
      connection.write(({ client, db }) => {
        resumeRun(client, { id, change, now: clock.now() });
        return mustSelectRun(db, id);
      }),
    remove: (id) => connection.write(({ client }) => removeRun(client, id)),
    removeEnded: (range, limit) => removeEnded(connection, range, limit),
    findEndedBeyond: (count) => findEndedBeyond(connection, count),
    treeSpending: (rootId) =>
      connection.read(({ client }) => {
        const spending = selectTreeSpending(client, rootId);
        if (spending === undefined) throw new AppError("not_found", `There is no run ${rootId}.`);
        return spending;
      }),
    descendants: (id, limit) =>
      connection.read(({ db }) =>
        db
          .select()
          .from(runs)
          .where(eq(runs.originRunId, id))
          .orderBy(asc(runs.id))
          .limit(Math.max(0, Math.min(limit, ROW_COUNT_MAX)))
          .all()
          .map(toRun),
      ),
  };
}

/** As `RunStore.removeEnded`; one transaction for each, so that others write in between. */
async function removeEnded(
  connection: Connection,
  range: EndedRange,
  limit: number,
): Promise<number> {
  const ids = await connection.read(({ client }) => endedRunIds(client, range, limit));
  let count = 0;
  for (const id of ids) {
    // oxlint-disable-next-line no-await-in-loop -- see above
    if (await connection.write(({ client }) => removeIfEnded(client, id))) count += 1;
  }
  return count;
}

/** As `RunStore.findEndedBeyond`. Walked in pieces, and only when so many have ended: the sums know that. */
async function findEndedBeyond(connection: Connection, count: number): Promise<string | undefined> {
  const counts = await connection.read(({ db }) => selectCounts(db));
  const endedCount = RUN_STATES_FINAL.reduce((sum, state) => sum + counts[state], 0);
  if (endedCount <= count) return undefined;
  let before = BEHIND_IDS;
  for (let left = count + 1; left > 0;) {
    const limit = Math.min(left, WALK_COUNT);
    const place = before;
    // oxlint-disable-next-line no-await-in-loop -- see above
    const ids = await connection.read(({ client }) => endedRunIdsBack(client, place, limit));
    before = ids.at(-1) ?? before;
    left -= ids.length;
    if (ids.length < limit) return undefined;
  }
  return before;
}

/** A run that was there a moment ago, in this transaction. */
function mustSelectRun(db: Db, id: string): Run {
  const run = selectRun(db, id);
  if (run === undefined) throw new AppError("not_found", `There is no run ${id}.`);
  return run;
}

function selectRun(db: Db, id: string): Run | undefined {
  const row = RUN(db).get({ id });
  return row === undefined ? undefined : toRun(row);
}

function findPage(client: Database, filter: RunFilter): FoundRuns {
  return findRuns(client, { ...filter, limit: Math.min(filter.limit, ROW_COUNT_MAX) });
}

function selectSummary(db: Db, id: string): RunSummary | undefined {
  const row = SUMMARY(db).get({ id });
  return row === undefined ? undefined : toRunSummary(row);
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
  const isWide = sinceMs % HALF_HOUR_MS === 0 && bucketMs % HALF_HOUR_MS === 0;
  const select = isWide ? WIDE_BUCKET(client) : BUCKET(client);
  const buckets = Array.from({ length: bucketCount }, (_, index) => {
    const startsAt = sinceMs + index * bucketMs;
    return select.get(startsAt, startsAt + bucketMs) ?? NOTHING;
  });
  return { sinceMs, bucketMs, buckets };
}

/** Attempts in the order in which they began, calls and signals in that in which they came. */
function selectJournal(db: Db, runId: string): Journal {
  const attempts = ATTEMPTS(db).all({ runId });
  const calls = CALLS(db).all({ runId });
  const received = SIGNALS(db).all({ runId });
  return {
    steps: attempts.map(toStepAttempt),
    calls: calls.map(toStepCall),
    signals: received.map(toSignal),
  };
}
