/**
 * Sums of runs, nodes and models over time. Pages read a few rows for each workflow and hour, later for each
 * day, however many runs these stand for.
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
import { HOUR_MS } from "./span-write.ts";
import { defineStatement } from "./statement.ts";

const DAY_MS = 24 * HOUR_MS;
/** Spans of one answer, whatever is asked for. */
const SPAN_COUNT_MAX = 2_000;
const ROW_COUNT_MAX = 10_000;
/** Joined in one transaction each, so that other writes are not kept waiting. */
const DAYS_JOINED_MAX = 1_000;

/** `?1` to `?3`: since, until, workflow (null for all). */
const IN_RANGE = "starts_at >= ?1 AND starts_at < ?2 AND (?3 IS NULL OR workflow_id = ?3)";
type Range = [sinceMs: number, untilMs: number, workflowId: string | null];

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

const SERIES = defineStatement<RunSums & { index: number }, [...Range, number]>(
  `SELECT (starts_at - ?1) / ?4 AS "index", ${RUN_SUMS} FROM workflow_spans WHERE ${IN_RANGE}
   GROUP BY 1`,
);
const TOTALS = defineStatement<RunSums, Range>(
  `SELECT ${RUN_SUMS} FROM workflow_spans WHERE ${IN_RANGE}`,
);
const BY_WORKFLOW = defineStatement<WorkflowSums, [...Range, number]>(
  `SELECT workflow_id AS workflowId, ${NAME}, ${RUN_SUMS} FROM workflow_spans WHERE ${IN_RANGE}
   GROUP BY workflow_id ORDER BY costNanoUsd DESC, created DESC, workflow_id LIMIT ?4`,
);
const NODES = `SELECT workflow_id AS workflowId, ${NAME}, node_id AS nodeId, ${NODE_SUMS}
  FROM node_spans WHERE ${IN_RANGE} GROUP BY workflow_id, node_id`;
const BY_NODE = {
  cost: defineStatement<NodeSums, [...Range, number]>(
    `${NODES} ORDER BY costNanoUsd DESC, durationMs DESC, workflow_id, node_id LIMIT ?4`,
  ),
  duration: defineStatement<NodeSums, [...Range, number]>(
    `${NODES} ORDER BY durationMs DESC, costNanoUsd DESC, workflow_id, node_id LIMIT ?4`,
  ),
};
const NODE_TOTALS = defineStatement<NodeTotals, Range>(
  `SELECT ${NODE_SUMS} FROM node_spans WHERE ${IN_RANGE}`,
);
const BY_MODEL = defineStatement<ModelSums, [...Range, number]>(
  `SELECT model, sum(calls) AS calls, sum(cache_read_tokens) AS cacheReadTokens, ${DURATION}, ${SPENT}
   FROM model_spans WHERE ${IN_RANGE} GROUP BY model
   ORDER BY costNanoUsd DESC, calls DESC, model LIMIT ?4`,
);

/** What adds up, and what names a row, in each table. */
const TABLES = [
  {
    name: "workflow_spans",
    keys: ["workflow_id"],
    sums: ["created", "succeeded", "failed", "cancelled"],
  },
  { name: "node_spans", keys: ["workflow_id", "node_id"], sums: ["succeeded", "failed"] },
  { name: "model_spans", keys: ["workflow_id", "model"], sums: ["calls", "cache_read_tokens"] },
];
const SUMS_OF_ALL = ["duration_ms", "input_tokens", "output_tokens", "cost_nano_usd"];

/** `?1` is the beginning of the day, `?2` its end. */
const JOINS = TABLES.map(({ name, keys, sums }) => {
  const added = [...sums, ...SUMS_OF_ALL];
  const columns = [...keys, "starts_at", "span_ms", ...added, "duration_ms_max"].join(", ");
  const hours = `FROM ${name} WHERE starts_at >= ?1 AND starts_at < ?2 AND span_ms = ${HOUR_MS}`;
  return {
    oldest: defineStatement<{ at: number }, [number]>(
      `SELECT starts_at AS at FROM ${name} WHERE starts_at < ? AND span_ms = ${HOUR_MS}
       ORDER BY starts_at LIMIT 1`,
    ),
    add: defineStatement<unknown, [number, number]>(
      `INSERT INTO ${name} (${columns})
       SELECT ${keys.join(", ")}, ?1, ${DAY_MS}, ${added.map((sum) => `sum(${sum})`).join(", ")},
         max(duration_ms_max) ${hours} GROUP BY ${keys.join(", ")}
       ON CONFLICT DO UPDATE SET ${added.map((sum) => `${sum} = ${sum} + excluded.${sum}`).join(", ")},
         duration_ms_max = max(duration_ms_max, excluded.duration_ms_max)`,
    ),
    remove: defineStatement<unknown, [number, number]>(`DELETE ${hours}`),
  };
});

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
    async joinOldHours() {
      const untilMs = Math.floor((clock.now() - HOURS_KEPT_MS) / DAY_MS) * DAY_MS;
      for (let joined = 0; joined < DAYS_JOINED_MAX; joined += 1) {
        // oxlint-disable-next-line no-await-in-loop -- One day after the other, others write in between.
        const day = await connection.read(({ client }) => oldestDay(client, untilMs));
        if (day === undefined) return joined;
        // oxlint-disable-next-line no-await-in-loop
        await connection.write(({ client }) => joinDay(client, day));
      }
      return DAYS_JOINED_MAX;
    },
  };
}

/** Of the hours before `untilMs`; undefined when there are none. */
function oldestDay(client: Database, untilMs: number): number | undefined {
  const oldest = JOINS.flatMap(({ oldest: select }) => select(client).get(untilMs)?.at ?? []);
  return oldest.length === 0 ? undefined : Math.floor(Math.min(...oldest) / DAY_MS) * DAY_MS;
}

function joinDay(client: Database, day: number): void {
  for (const { add, remove } of JOINS) {
    add(client).run(day, day + DAY_MS);
    remove(client).run(day, day + DAY_MS);
  }
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
  const found = new Map(
    SERIES(client)
      .all(...rangeOf(filter), spanMs)
      .map(({ index, ...sums }) => [index, sums]),
  );
  return Array.from({ length: Math.max(0, count) }, (_, index) => ({
    startsAt: sinceMs + index * spanMs,
    spanMs,
    ...(found.get(index) ?? NOTHING),
  }));
}

function rangeOf({ sinceMs, untilMs, workflowId }: MetricsFilter): Range {
  return [sinceMs, untilMs, workflowId ?? null];
}

function limitOf({ limit }: { limit: number }): number {
  return Math.max(0, Math.min(limit, ROW_COUNT_MAX));
}
