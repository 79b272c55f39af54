import type { Hono } from "hono";
import { MetricsPage } from "../../../views/metrics.tsx";
import {
  averageDurationMs,
  METRICS_TABLES,
  type Metrics,
  type MetricsChoice,
  type MetricsTable,
  successRateOf,
} from "../../../views/part/metrics.ts";
import { AppError } from "../../domain/error.ts";
import type { MetricsFilter, ModelSums, NodeSums, RunSums } from "../../domain/metrics.ts";
import { defined } from "../../lib/defined.ts";
import { toCsv } from "../../lib/csv.ts";
import type { WebDeps } from "../deps.ts";
import { type Kit, readOr, type WebContext, type WebEnv } from "../kit.ts";
import { readMetricsChoice } from "../metrics-range.ts";
import { html } from "../render.ts";
import { PATTERNS } from "../routes.ts";

const WORKFLOW_COUNT_MAX = 500;
const ROW_COUNT_MAX = 50;
const NODE_COUNT_MAX = 12;
/** Rows of an exported table. */
const EXPORT_COUNT_MAX = 10_000;
const NANO_USD = 1e9;

export function registerMetrics(app: Hono<WebEnv>, kit: Kit): void {
  const { deps } = kit;

  app.get(PATTERNS.metrics, async (c) => {
    const choice = choiceOf(c, deps);
    const metrics = await readMetrics(c, deps, choice);
    const status = choice.fault === undefined ? 200 : 422;
    return html(c, MetricsPage({ shell: kit.shell(c, "Metrics"), metrics }), status);
  });

  app.get(PATTERNS.metricsCsv, async (c) => {
    const table = tableOf(c) ?? "series";
    const rows = await readTable(deps, choiceOf(c, deps), table);
    c.header("Content-Disposition", `attachment; filename="metrics-${table}.csv"`);
    c.header("Content-Type", "text/csv; charset=utf-8");
    return c.body(toCsv(rows, COLUMNS[table]));
  });

  app.get(PATTERNS.metricsJson, async (c) => {
    const choice = choiceOf(c, deps);
    const table = tableOf(c);
    const wanted = table === undefined ? METRICS_TABLES : [table];
    const tables = await Promise.all(
      wanted.map(async (name) => [name, await readTable(deps, choice, name)] as const),
    );
    c.header("Content-Disposition", `attachment; filename="metrics-${table ?? "all"}.json"`);
    const [since, until] = [timeText(choice.sinceMs), timeText(choice.untilMs)];
    return c.json({
      since,
      until,
      spanMs: choice.spanMs,
      workflowId: choice.workflowId ?? null,
      ...Object.fromEntries(tables),
    });
  });
}

function choiceOf(c: WebContext, deps: WebDeps): MetricsChoice {
  return readMetricsChoice((name) => c.req.query(name), deps.clock.now());
}

/** @throws AppError `invalid`. */
function tableOf(c: WebContext): MetricsTable | undefined {
  const given = c.req.query("table");
  const table = METRICS_TABLES.find((one) => one === given);
  if (given === undefined || table !== undefined) return table;
  throw new AppError("invalid", `There is no table ${JSON.stringify(given)}.`, {
    fix: `Choose one of ${METRICS_TABLES.join(", ")}.`,
  });
}

async function readMetrics(
  c: WebContext,
  { metrics, workflows }: WebDeps,
  choice: MetricsChoice,
): Promise<Metrics> {
  const filter = filterOf(choice);
  const before = {
    ...filter,
    sinceMs: 2 * choice.sinceMs - choice.untilMs,
    untilMs: choice.sinceMs,
  };
  const listed = workflows
    .list({ limit: WORKFLOW_COUNT_MAX })
    .then((found) => found.map(({ id, name }) => ({ id, name })));
  const limit = ROW_COUNT_MAX;
  const nodes = { ...filter, limit: NODE_COUNT_MAX };
  const [known, totals, previous, series, byWorkflow, slowest, dearest, nodeTotals, byModel] =
    await Promise.all([
      readOr(c, listed, []),
      readOr(c, metrics.totals(filter), NO_RUNS),
      readOr(c, metrics.totals(before), NO_RUNS),
      readOr(c, metrics.series({ ...filter, spanMs: choice.spanMs }), []),
      readOr(c, metrics.byWorkflow({ ...filter, limit }), []),
      readOr(c, metrics.byNode({ ...nodes, order: "duration" }), []),
      readOr(c, metrics.byNode({ ...nodes, order: "cost" }), []),
      readOr(c, metrics.nodeTotals(filter), NO_RUNS),
      readOr(c, metrics.byModel({ ...filter, limit }), []),
    ]);
  const figures = { totals, previous, series, byWorkflow, slowest, dearest, nodeTotals, byModel };
  return { choice, workflows: known, ...figures };
}

const NO_RUNS: RunSums = {
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

function filterOf({ sinceMs, untilMs, workflowId }: MetricsChoice): MetricsFilter {
  return { sinceMs, untilMs, ...defined({ workflowId }) };
}

type Row = Readonly<Record<string, string | number | null>>;

const SPENT = "input_tokens output_tokens cost_usd";
const DURATIONS = "average_duration_ms longest_duration_ms";
const OF_RUNS = `created succeeded failed cancelled success_rate ${DURATIONS} ${SPENT}`;
const COLUMNS: Readonly<Record<MetricsTable, readonly string[]>> = {
  series: `starts_at ${OF_RUNS}`.split(" "),
  workflows: `workflow_id workflow ${OF_RUNS}`.split(" "),
  nodes: `workflow_id workflow node succeeded failed duration_ms ${DURATIONS} ${SPENT}`.split(" "),
  models: `model calls ${DURATIONS} cache_read_tokens ${SPENT}`.split(" "),
};

async function readTable(
  { metrics }: WebDeps,
  choice: MetricsChoice,
  table: MetricsTable,
): Promise<Row[]> {
  if (choice.fault !== undefined)
    throw new AppError("invalid", "This is no range of days.", { fix: choice.fault });
  const filter = { ...filterOf(choice), limit: EXPORT_COUNT_MAX };
  if (table === "series") {
    const spans = await metrics.series({ ...filter, spanMs: choice.spanMs });
    return spans.map((span) => runRow({ starts_at: timeText(span.startsAt) }, span));
  }
  if (table === "workflows")
    return (await metrics.byWorkflow(filter)).map((sums) =>
      runRow({ workflow_id: sums.workflowId, workflow: sums.workflowName }, sums),
    );
  if (table === "nodes")
    return (await metrics.byNode({ ...filter, order: "duration" })).map(nodeRow);
  return (await metrics.byModel(filter)).map(modelRow);
}

function runRow(head: Row, sums: RunSums): Row {
  return {
    ...head,
    created: sums.created,
    succeeded: sums.succeeded,
    failed: sums.failed,
    cancelled: sums.cancelled,
    success_rate: successRateOf(sums) ?? null,
    average_duration_ms: Math.round(averageDurationMs(sums)),
    longest_duration_ms: sums.durationMsMax,
    input_tokens: sums.inputTokens,
    output_tokens: sums.outputTokens,
    cost_usd: sums.costNanoUsd / NANO_USD,
  };
}

function nodeRow(node: NodeSums): Row {
  return {
    workflow_id: node.workflowId,
    workflow: node.workflowName,
    node: node.nodeId,
    succeeded: node.succeeded,
    failed: node.failed,
    duration_ms: node.durationMs,
    average_duration_ms: Math.round(averageDurationMs(node)),
    longest_duration_ms: node.durationMsMax,
    input_tokens: node.inputTokens,
    output_tokens: node.outputTokens,
    cost_usd: node.costNanoUsd / NANO_USD,
  };
}

function modelRow(model: ModelSums): Row {
  return {
    model: model.model,
    calls: model.calls,
    average_duration_ms: model.calls === 0 ? 0 : Math.round(model.durationMs / model.calls),
    longest_duration_ms: model.durationMsMax,
    input_tokens: model.inputTokens,
    cache_read_tokens: model.cacheReadTokens,
    output_tokens: model.outputTokens,
    cost_usd: model.costNanoUsd / NANO_USD,
  };
}

function timeText(at: number): string {
  return new Date(at).toISOString();
}
