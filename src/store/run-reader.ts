/** Pieces of a run, along indexes: large values are not even read from the file. */
import type { Database } from "bun:sqlite";
import { and, asc, eq, getTableColumns, sql } from "drizzle-orm";
import {
  type CallPiece,
  type ItemCounts,
  type NodeOverview,
  PIECE_BYTES_MAX,
  type RunGlance,
  type RunReader,
  type StepPiece,
} from "../domain/run-reader.ts";
import type { StepState } from "../domain/run.ts";
import { defined } from "../lib/defined.ts";
import { isJsonObject, type Json, type JsonObject } from "../lib/json.ts";
import { oncePer } from "../lib/once-per.ts";
import type { Connection } from "./connection.ts";
import type { SQLiteColumn } from "drizzle-orm/sqlite-core";
import type { Db } from "./database.ts";
import { toRunSummary, toStepAttempt, toStepCall } from "./run-row.ts";
import { runs, stepCalls, steps } from "./schema.ts";
import { defineStatement } from "./statement.ts";

const ROW_COUNT_MAX = 10_000;

/** The columns, with the large ones null when they are too large, and the sizes of these. */
const GLANCE = oncePer((db: Db) =>
  db
    .select({
      ...getTableColumns(runs),
      inputs: small(runs.inputs),
      values: small(runs.values),
      inputBytes: size(runs.inputs),
      valueBytes: size(runs.values),
    })
    .from(runs)
    .where(eq(runs.id, sql.placeholder("runId")))
    .prepare(),
);

const STEP_COLUMNS = {
  ...getTableColumns(steps),
  input: small(steps.input),
  patch: small(steps.patch),
  inputBytes: size(steps.input),
  patchBytes: size(steps.patch),
};
const IS_OWN = sql`substr(${steps.key}, -1) <> ']'`;

const LAST_STEPS = oncePer((db: Db) =>
  db
    .select(STEP_COLUMNS)
    .from(steps)
    .where(
      and(
        eq(steps.runId, sql.placeholder("runId")),
        IS_OWN,
        sql`${steps.seq} < ${sql.placeholder("before")}`,
      ),
    )
    .orderBy(sql`${steps.seq} DESC`)
    .limit(sql.placeholder("limit"))
    .prepare(),
);
const FIRST_STEPS = oncePer((db: Db) =>
  db
    .select(STEP_COLUMNS)
    .from(steps)
    .where(
      and(
        eq(steps.runId, sql.placeholder("runId")),
        IS_OWN,
        sql`${steps.seq} > ${sql.placeholder("after")}`,
      ),
    )
    .orderBy(asc(steps.seq))
    .limit(sql.placeholder("limit"))
    .prepare(),
);
const STEP_AT = oncePer((db: Db) =>
  db
    .select(STEP_COLUMNS)
    .from(steps)
    .where(
      and(
        eq(steps.runId, sql.placeholder("runId")),
        IS_OWN,
        sql`${steps.seq} = ${sql.placeholder("seq")}`,
      ),
    )
    .prepare(),
);
const LAST_ATTEMPT = oncePer((db: Db) =>
  db
    .select(STEP_COLUMNS)
    .from(steps)
    .where(and(eq(steps.runId, sql.placeholder("runId")), eq(steps.key, sql.placeholder("key"))))
    .orderBy(sql`${steps.attempt} DESC`)
    .limit(1)
    .prepare(),
);
const ATTEMPTS = oncePer((db: Db) =>
  db
    .select()
    .from(steps)
    .where(and(eq(steps.runId, sql.placeholder("runId")), eq(steps.key, sql.placeholder("key"))))
    .orderBy(asc(steps.attempt))
    .prepare(),
);
const STEP_CALLS = oncePer((db: Db) =>
  db
    .select()
    .from(stepCalls)
    .where(
      and(eq(stepCalls.runId, sql.placeholder("runId")), eq(stepCalls.key, sql.placeholder("key"))),
    )
    .orderBy(asc(stepCalls.attempt), asc(stepCalls.ordinal))
    .prepare(),
);
const CALLS = oncePer((db: Db) =>
  db
    .select({
      ...getTableColumns(stepCalls),
      request: small(stepCalls.request),
      result: small(stepCalls.result),
      requestBytes: size(stepCalls.request),
      resultBytes: size(stepCalls.result),
    })
    .from(stepCalls)
    .where(
      and(
        eq(stepCalls.runId, sql.placeholder("runId")),
        eq(stepCalls.key, sql.placeholder("key")),
        eq(stepCalls.attempt, sql.placeholder("attempt")),
      ),
    )
    .orderBy(asc(stepCalls.ordinal))
    .limit(sql.placeholder("limit"))
    .prepare(),
);

const LAST_SEQ = defineStatement<{ seq: number | null }, [string]>(
  "SELECT max(seq) AS seq FROM events WHERE run_id = ?",
);
const NODES = defineStatement<NodeRow, [string]>(
  `SELECT node_id AS nodeId, next, state = 'superseded' AS isOver, max(seq) AS seq,
     count(*) AS attemptCount, count(*) FILTER (WHERE state = 'failed') AS failedCount,
     count(*) FILTER (WHERE attempt = 1) AS roundCount
   FROM steps WHERE run_id = ? AND substr(key, -1) <> ']' GROUP BY node_id, next, isOver`,
);
/** Items of a map have its key and a number in brackets; `\\` follows `[`. */
const ITEM_STATES = defineStatement<{ state: StepState; count: number }, [string, string, string]>(
  `SELECT state, count(*) AS count FROM steps WHERE run_id = ? AND key >= ? AND key < ?
     AND state <> 'superseded' AND retry_at IS NULL GROUP BY state`,
);
const NOTABLE_ITEMS = defineStatement<{ key: string }, [string, string, string, number]>(
  `SELECT DISTINCT key FROM steps WHERE run_id = ? AND key >= ? AND key < ?
     AND (state = 'waiting' OR state = 'failed') AND retry_at IS NULL LIMIT ?`,
);
const ITEM_COUNT = defineStatement<{ count: number | null }, [string, string]>(
  `SELECT json_extract(data, '$.itemCount') AS count FROM events WHERE run_id = ?1 AND seq =
     (SELECT max(seq) FROM steps WHERE run_id = ?1 AND key = ?2)`,
);

interface NodeRow {
  nodeId: string;
  next: string | null;
  isOver: number;
  seq: number;
  attemptCount: number;
  failedCount: number;
  roundCount: number;
}

/** The text of a JSON column, or null when it is too large: `octet_length` reads the length alone. */
function small(column: SQLiteColumn) {
  return sql<
    string | null
  >`CASE WHEN octet_length(${column}) <= ${sql.raw(String(PIECE_BYTES_MAX))} THEN ${column} END`;
}

function size(column: SQLiteColumn) {
  return sql<number | null>`octet_length(${column})`;
}

export function createRunReader(connection: Connection): RunReader {
  const read: Connection["read"] = (work) => connection.read(work);
  return {
    glance: (runId) => read(({ db }) => selectGlance(db, runId)),
    lastSeq: (runId) => read(({ client }) => LAST_SEQ(client).get(runId)?.seq ?? 0),
    steps: (runId, { before, after, limit }) =>
      read(({ db }) => {
        const count = Math.min(limit, ROW_COUNT_MAX);
        if (after !== undefined) {
          return FIRST_STEPS(db).all({ runId, after, limit: count }).map(toPiece);
        }
        const place = before ?? Number.MAX_SAFE_INTEGER;
        return LAST_STEPS(db).all({ runId, before: place, limit: count }).map(toPiece).toReversed();
      }),
    overview: (runId) => read(({ client, db }) => selectOverview(client, db, runId)),
    items: (runId, { map, from, limit }) =>
      read(({ db }) => {
        const count = Math.min(limit, ROW_COUNT_MAX);
        const keys = Array.from({ length: count }, (_, index) => `${map}[${from + index}]`);
        return keys.flatMap((key) => lastAttempt(db, runId, key));
      }),
    itemCounts: (runId, map) => read(({ client }) => selectItemCounts(client, runId, map)),
    notableItems: (runId, map, limit) =>
      read(({ client, db }) => {
        const keys = NOTABLE_ITEMS(client).all(runId, `${map}[`, `${map}\\`, limit);
        return keys
          .flatMap(({ key }) => lastAttempt(db, runId, key))
          .toSorted((a, b) => a.startedSeq - b.startedSeq);
      }),
    calls: (runId, { key, attempt, limit }) =>
      read(({ db }) => CALLS(db).all({ runId, key, attempt, limit }).map(toCallPiece)),
    step: (runId, key) =>
      read(({ db }) => ({
        attempts: ATTEMPTS(db).all({ runId, key }).map(toStepAttempt),
        calls: STEP_CALLS(db).all({ runId, key }).map(toStepCall),
      })),
  };
}

function selectGlance(db: Db, runId: string): RunGlance | undefined {
  const row = GLANCE(db).get({ runId });
  if (row === undefined) return undefined;
  return {
    ...toRunSummary(row),
    inputs: parseObject(row.inputs),
    values: parseObject(row.values),
    omitted: defined({
      inputs: omittedSize(row.inputs, row.inputBytes),
      values: omittedSize(row.values, row.valueBytes),
    }),
  };
}

type StepRow = typeof steps.$inferSelect;
type CallRow = typeof stepCalls.$inferSelect;

/** A row with the texts of its large columns, as far as they were read. */
type StepPieceRow = Omit<StepRow, "input" | "patch"> & {
  input: string | null;
  patch: string | null;
  inputBytes: number | null;
  patchBytes: number | null;
};
type CallPieceRow = Omit<CallRow, "request" | "result"> & {
  request: string | null;
  result: string | null;
  requestBytes: number | null;
  resultBytes: number | null;
};

function toPiece(row: StepPieceRow): StepPiece {
  const patch = row.patch === null ? null : parseObject(row.patch);
  return {
    ...toStepAttempt({ ...row, input: parseValue(row.input), patch }),
    omitted: defined({
      input: omittedSize(row.input, row.inputBytes),
      patch: omittedSize(row.patch, row.patchBytes),
    }),
  };
}

function toCallPiece(row: CallPieceRow): CallPiece {
  return {
    ...toStepCall({ ...row, request: parseValue(row.request), result: parseValue(row.result) }),
    omitted: defined({
      request: omittedSize(row.request, row.requestBytes),
      result: omittedSize(row.result, row.resultBytes),
    }),
  };
}

function parseValue(text: string | null): Json {
  const value: Json = text === null ? null : JSON.parse(text);
  return value;
}

function parseObject(text: string | null): JsonObject {
  const value = parseValue(text);
  return isJsonObject(value) ? value : {};
}

/** A size without a text: it was left out. */
function omittedSize(text: string | null, bytes: number | null): number | undefined {
  return text === null && bytes !== null ? bytes : undefined;
}

function lastAttempt(db: Db, runId: string, key: string): StepPiece[] {
  const row = LAST_ATTEMPT(db).get({ runId, key });
  return row === undefined ? [] : [toPiece(row)];
}

function selectOverview(client: Database, db: Db, runId: string): NodeOverview[] {
  const rows = Map.groupBy(NODES(client).all(runId), (row) => row.nodeId);
  return [...rows]
    .flatMap(([nodeId, some]): NodeOverview[] => {
      const seq = Math.max(...some.map((row) => row.seq));
      const row = STEP_AT(db).get({ runId, seq });
      if (row === undefined) return [];
      const next = some.filter(({ isOver }) => isOver === 0).flatMap((one) => parseNext(one.next));
      return [
        {
          nodeId,
          newest: toPiece(row),
          roundCount: sum(some, "roundCount"),
          attemptCount: sum(some, "attemptCount"),
          failedCount: sum(some, "failedCount"),
          next: [...new Set(next)],
        },
      ];
    })
    .toSorted((a, b) => a.newest.startedSeq - b.newest.startedSeq);
}

function sum(
  rows: readonly NodeRow[],
  name: "attemptCount" | "failedCount" | "roundCount",
): number {
  return rows.reduce((total, row) => total + row[name], 0);
}

function parseNext(text: string | null): readonly string[] {
  const next: readonly string[] = text === null ? [] : JSON.parse(text);
  return next;
}

function selectItemCounts(client: Database, runId: string, map: string): ItemCounts {
  const rows = ITEM_STATES(client).all(runId, `${map}[`, `${map}\\`);
  const begun = rows.reduce((total, row) => total + row.count, 0);
  const given = ITEM_COUNT(client).get(runId, map)?.count ?? 0;
  return {
    states: Object.fromEntries(rows.map(({ state, count }) => [state, count])),
    count: Math.max(begun, given),
  };
}
