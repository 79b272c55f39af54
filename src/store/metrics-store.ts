/**
 * Sums of runs, nodes and models over time. Pages read a few rows for each workflow and day, and for the hours of
 * days that are only partly asked for, however many runs these stand for.
 */
import type { Database } from "bun:sqlite";
import type {
  MetricsFilter,
  MetricsStore,
  ModelSums,
  NodeSums,
  NodeTotals,
  RunSpan,
  RunSums,
  WorkflowSums,
} from "../domain/metrics.ts";
import { HOURS_KEPT_MS } from "../domain/metrics.ts";
import type { Clock } from "../lib/clock.ts";
import type { Connection } from "./connection.ts";
import { hoursOf, inParts, PARTS, partsOf, type RangeParams } from "./span-read.ts";
import { ALL_WORKFLOWS, DAY_MS, HOUR_MS } from "./span-write.ts";
import { defineStatement } from "./statement.ts";

/** Spans of one answer, whatever is asked for. */
const SPAN_COUNT_MAX = 2_000;
const ROW_COUNT_MAX = 10_000;
/** Each in a transaction of its own, so that other writes are not kept waiting. */
const DAYS_REMOVED_MAX = 1_000;

/** Of the range, then the workflow, or `ALL_WORKFLOWS`. */
type Range = [...RangeParams, workflowId: string];

const SPENT = `coalesce(sum(input_tokens), 0) AS inputTokens,
  coalesce(sum(output_tokens), 0) AS outputTokens, coalesce(sum(cost_nano_usd), 0) AS costNanoUsd`;
const DURATION = `coalesce(sum(duration_ms), 0) AS durationMs,
  coalesce(max(duration_ms_max), 0) AS durationMsMax`;
const RUN_SUMS = `coalesce(sum(created), 0) AS created, coalesce(sum(succeeded), 0) AS succeeded,
  coalesce(sum(failed), 0) AS failed, coalesce(sum(cancelled), 0) AS cancelled,
  ${DURATION}, ${SPENT}`;
const NODE_SUMS = `coalesce(sum(succeeded), 0) AS succeeded, coalesce(sum(failed), 0) AS failed,
  ${DURATION}, ${SPENT}`;
const NAME = "(SELECT name FROM workflows WHERE id = workflow_id) AS workflowName";
const IS_ASKED_FOR = `(?5 = '${ALL_WORKFLOWS}' OR workflow_id = ?5)`;

const SERIES = defineStatement<RunSums & { index: number }, [...Range, number, number]>(
  `WITH ${PARTS} SELECT (starts_at - ?6) / ?7 AS "index", ${RUN_SUMS}
   FROM ${inParts("workflow_spans")} WHERE workflow_id = ?5 GROUP BY 1`,
);
const TOTALS = defineStatement<RunSums, Range>(
  `WITH ${PARTS} SELECT ${RUN_SUMS} FROM ${inParts("workflow_spans")} WHERE workflow_id = ?5`,
);
const BY_WORKFLOW = defineStatement<WorkflowSums, [...Range, number]>(
  `WITH ${PARTS} SELECT workflow_id AS workflowId, ${NAME}, ${RUN_SUMS}
   FROM ${inParts("workflow_spans")} WHERE workflow_id <> '${ALL_WORKFLOWS}' AND ${IS_ASKED_FOR}
   GROUP BY workflow_id ORDER BY costNanoUsd DESC, created DESC, workflow_id LIMIT ?6`,
);
const NODES = `WITH ${PARTS} SELECT workflow_id AS workflowId, ${NAME}, node_id AS nodeId, ${NODE_SUMS}
  FROM ${inParts("node_spans")} WHERE ${IS_ASKED_FOR} GROUP BY workflow_id, node_id`;
const BY_NODE = {
  cost: defineStatement<NodeSums, [...Range, number]>(
    `${NODES} ORDER BY costNanoUsd DESC, durationMs DESC, workflow_id, node_id LIMIT ?6`,
  ),
  duration: defineStatement<NodeSums, [...Range, number]>(
    `${NODES} ORDER BY durationMs DESC, costNanoUsd DESC, workflow_id, node_id LIMIT ?6`,
  ),
};
const NODE_TOTALS = defineStatement<NodeTotals, Range>(
  `WITH ${PARTS} SELECT ${NODE_SUMS} FROM ${inParts("node_spans")} WHERE ${IS_ASKED_FOR}`,
);
const BY_MODEL = defineStatement<ModelSums, [...Range, number]>(
  `WITH ${PARTS} SELECT model, sum(calls) AS calls, sum(cache_read_tokens) AS cacheReadTokens,
     ${DURATION}, ${SPENT}
   FROM ${inParts("model_spans")} WHERE ${IS_ASKED_FOR} GROUP BY model
   ORDER BY costNanoUsd DESC, calls DESC, model LIMIT ?6`,
);

/** Rows of hours before a time. */
const OLD_HOURS = ["workflow_spans", "node_spans", "model_spans"].map((table) => ({
  oldest: defineStatement<{ at: number }, [number]>(
    `SELECT starts_at AS at FROM ${table} WHERE span_ms = ${HOUR_MS} AND starts_at < ?
     ORDER BY starts_at LIMIT 1`,
  ),
  remove: defineStatement<unknown, [number]>(
    `DELETE FROM ${table} WHERE span_ms = ${HOUR_MS} AND starts_at < ?`,
  ),
}));

export function createMetricsStore(connection: Connection, clock: Clock): MetricsStore {
  const read = <T>(work: (client: Database) => T) => connection.read(({ client }) => work(client));
  return {
    series: (filter) => read((client) => series(client, filter)),
    totals: (filter) => read((client) => TOTALS(client).get(...rangeOf(filter)) ?? NOTHING),
    byWorkflow: (filter) =>
      read((client) => BY_WORKFLOW(client).all(...rangeOf(filter), limitOf(filter))),
    byNode: (filter) =>
      read((client) => BY_NODE[filter.order](client).all(...rangeOf(filter), limitOf(filter))),
    nodeTotals: (filter) =>
      read((client) => NODE_TOTALS(client).get(...rangeOf(filter)) ?? NOTHING),
    byModel: (filter) =>
      read((client) => BY_MODEL(client).all(...rangeOf(filter), limitOf(filter))),
    async removeOldHours() {
      const untilMs = Math.floor((clock.now() - HOURS_KEPT_MS) / DAY_MS) * DAY_MS;
      for (let removed = 0; removed < DAYS_REMOVED_MAX; removed += 1) {
        // oxlint-disable-next-line no-await-in-loop -- One day after the other, others write in between.
        const day = await connection.read(({ client }) => oldestDay(client, untilMs));
        if (day === undefined) return removed;
        // oxlint-disable-next-line no-await-in-loop
        await connection.write(({ client }) => {
          for (const { remove } of OLD_HOURS) remove(client).run(day + DAY_MS);
        });
      }
      return DAYS_REMOVED_MAX;
    },
  };
}

/** Of the hours before `untilMs`; undefined when there are none. */
function oldestDay(client: Database, untilMs: number): number | undefined {
  const oldest = OLD_HOURS.flatMap(({ oldest: select }) => select(client).get(untilMs)?.at ?? []);
  return oldest.length === 0 ? undefined : Math.floor(Math.min(...oldest) / DAY_MS) * DAY_MS;
}

const NOTHING: RunSums = {
  created: 0,
  succeeded: 0,
  failed: 0,
  cancelled: 0,
  durationMs: 0,
  durationMsMax: 0,
  inputTokens: 0,
  outputTokens: 0,
  costNanoUsd: 0,
};

function series(client: Database, filter: Parameters<MetricsStore["series"]>[0]): RunSpan[] {
  const { sinceMs, untilMs, spanMs } = filter;
  const count = Math.min(SPAN_COUNT_MAX, Math.ceil((untilMs - sinceMs) / spanMs));
  // A day may only be read as one where it lies in one span.
  const hasDays = sinceMs % DAY_MS === 0 && spanMs % DAY_MS === 0;
  const parts = hasDays ? partsOf(filter) : hoursOf(filter);
  const found = new Map(
    SERIES(client)
      .all(...parts, filter.workflowId ?? ALL_WORKFLOWS, sinceMs, spanMs)
      .map(({ index, ...sums }) => [index, sums]),
  );
  return Array.from({ length: Math.max(0, count) }, (_, index) => ({
    startsAt: sinceMs + index * spanMs,
    spanMs,
    ...(found.get(index) ?? NOTHING),
  }));
}

function rangeOf(filter: MetricsFilter): Range {
  return [...partsOf(filter), filter.workflowId ?? ALL_WORKFLOWS];
}

function limitOf({ limit }: { limit: number }): number {
  return Math.max(0, Math.min(limit, ROW_COUNT_MAX));
}
