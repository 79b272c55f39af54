/** Figures of a week, for the pages of metrics and logs. */
import type { NodeSums, RunSpan, RunSums, WorkflowSums } from "../../src/domain/metrics.ts";
import type { AnyLogLine, LogsFilter } from "../../views/part/log-line.ts";
import type { Metrics } from "../../views/part/metrics.ts";
import { HOSTILE, NOW } from "./fixtures.ts";

const HOUR = 3_600_000;
const UNTIL = Math.ceil(NOW / HOUR) * HOUR;
const MILLI_USD = 1_000_000;

function sums(count: number): RunSums {
  return {
    created: count,
    succeeded: count - Math.floor(count / 9),
    failed: Math.floor(count / 9),
    cancelled: count % 2,
    durationMs: count * 41_000,
    durationMsMax: 190_000,
    inputTokens: count * 5_100,
    outputTokens: count * 820,
    costNanoUsd: count * 23 * MILLI_USD,
  };
}

function workflow(name: string, count: number): WorkflowSums {
  return { workflowId: `id-${name}`, workflowName: name, ...sums(count) };
}

function node(nodeId: string, count: number, share: number): NodeSums {
  return {
    workflowId: "id-article_writer",
    workflowName: "article_writer",
    nodeId,
    succeeded: count,
    failed: count % 7,
    durationMs: count * 30_000 * share,
    durationMsMax: 88_000,
    inputTokens: count * 3_000 * share,
    outputTokens: count * 400 * share,
    costNanoUsd: Math.round(count * 20 * MILLI_USD * share),
  };
}

const NODES = [node("draft", 120, 1), node("research", 121, 0.3), node("review", 118, 0.1)];
const total = (pick: (node: NodeSums) => number) => NODES.reduce((sum, one) => sum + pick(one), 0);

export const METRICS_FULL: Metrics = {
  choice: {
    preset: "7d",
    sinceMs: UNTIL - 7 * 24 * HOUR,
    untilMs: UNTIL,
    spanMs: 6 * HOUR,
    from: "2026-11-13",
    to: "2026-11-20",
    workflowId: undefined,
    fault: undefined,
  },
  workflows: [
    { id: "id-article_writer", name: "article_writer" },
    { id: "id-inbox_triage", name: "inbox_triage" },
  ],
  totals: sums(300),
  previous: sums(260),
  series: Array.from({ length: 28 }, (_, index): RunSpan => ({
    startsAt: UNTIL - (28 - index) * 6 * HOUR,
    spanMs: 6 * HOUR,
    ...sums(Math.round(11 + 8 * Math.sin(index / 3))),
  })),
  byWorkflow: [workflow("article_writer", 190), workflow("inbox_triage", 110)],
  slowest: NODES,
  dearest: NODES,
  nodeTotals: {
    succeeded: total((one) => one.succeeded),
    failed: total((one) => one.failed),
    durationMs: total((one) => one.durationMs),
    durationMsMax: 88_000,
    inputTokens: total((one) => one.inputTokens),
    outputTokens: total((one) => one.outputTokens),
    costNanoUsd: total((one) => one.costNanoUsd),
  },
  byModel: [
    {
      model: "openai/gpt-5",
      calls: 412,
      cacheReadTokens: 81_000,
      durationMs: 412 * 3_400,
      durationMsMax: 21_000,
      inputTokens: 1_310_000,
      outputTokens: 206_000,
      costNanoUsd: 6_900 * MILLI_USD,
    },
  ],
};

export const METRICS_EMPTY: Metrics = {
  ...METRICS_FULL,
  workflows: [],
  totals: sums(0),
  previous: sums(0),
  series: METRICS_FULL.series.map((span) => ({ ...span, ...sums(0) })),
  byWorkflow: [],
  slowest: [],
  dearest: [],
  nodeTotals: sums(0),
  byModel: [],
};

const [MODEL] = METRICS_FULL.byModel;

export const METRICS_HOSTILE: Metrics = {
  ...METRICS_FULL,
  choice: {
    ...METRICS_FULL.choice,
    preset: "custom",
    from: "2026-11-20",
    to: "2026-11-13",
    fault: "The last day is before the first. Shown are the last 7 days.",
  },
  workflows: [{ id: HOSTILE, name: HOSTILE }],
  byWorkflow: [workflow(HOSTILE, 40)],
  slowest: [{ ...node(HOSTILE, 120, 1), workflowName: HOSTILE }],
  byModel: MODEL === undefined ? [] : [{ ...MODEL, model: HOSTILE }],
};

export const LOGS_ALL: LogsFilter = {
  source: undefined,
  runId: undefined,
  level: undefined,
  text: undefined,
  from: undefined,
  to: undefined,
  before: undefined,
  follows: true,
};

const TEXTS = [
  "[running]",
  "\u001B[32mINFO\u001B[0m  listening on \u001B[1mport 5000\u001B[0m",
  "WARN the price of a model is not known",
  "ERROR the disk is full: 0 bytes are free in /home/ada/.local/share/agents",
  HOSTILE,
];

export const LOG_LINES: readonly AnyLogLine[] = Array.from({ length: 40 }, (_, index) => {
  const isRun = index % 2 === 0;
  return {
    id: `log-line-${index}`,
    at: NOW - index * 7_000,
    level: (["info", "info", "warn", "error", "debug"] as const)[index % 5] ?? "info",
    service: isRun ? undefined : `worker-${1 + (index % 3)}`,
    runId: isRun ? "01kae9x7m0v3t5hq" : undefined,
    step: isRun ? "draft" : undefined,
    text: TEXTS[index % 5] ?? "",
  };
});
