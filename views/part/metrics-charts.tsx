/** Four charts over time: results, cost, tokens, duration. */
import type { RunSpan } from "../../src/domain/metrics.ts";
import type { Tone } from "./chart.tsx";
import { formatDuration } from "./duration.ts";
import { Icon } from "./icon.tsx";
import { averageDurationMs, type Metrics, metricsAddress } from "./metrics.ts";
import { formatCost } from "./money.ts";
import { formatShort } from "./number.ts";
import { Panel } from "./panel.tsx";
import { TimeChart } from "./time-chart.tsx";
import { clockText, dayText } from "./time.tsx";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

interface Chart {
  readonly id: string;
  readonly title: string;
  readonly label: string;
  readonly series: readonly {
    readonly label: string;
    readonly tone: Tone;
    readonly of: (span: RunSpan) => number;
  }[];
  readonly format: (value: number) => string;
  readonly isWhole?: boolean;
}

const CHARTS: readonly Chart[] = [
  {
    id: "chart-runs",
    title: "Runs",
    label: "Runs by result over time",
    series: [
      { label: "Succeeded", tone: "ok", of: (span) => span.succeeded },
      { label: "Failed", tone: "critical", of: (span) => span.failed },
      { label: "Cancelled", tone: "muted", of: (span) => span.cancelled },
    ],
    format: formatShort,
    isWhole: true,
  },
  {
    id: "chart-cost",
    title: "Cost",
    label: "Cost over time",
    series: [{ label: "Cost", tone: "accent", of: (span) => span.costNanoUsd }],
    format: formatCost,
  },
  {
    id: "chart-tokens",
    title: "Tokens",
    label: "Tokens over time",
    series: [
      { label: "In", tone: "info", of: (span) => span.inputTokens },
      { label: "Out", tone: "accent", of: (span) => span.outputTokens },
    ],
    format: formatShort,
    isWhole: true,
  },
  {
    id: "chart-duration",
    title: "Duration",
    label: "Average duration of runs over time",
    series: [{ label: "Average", tone: "info", of: averageDurationMs }],
    format: formatDuration,
  },
];

export function MetricsCharts(props: { metrics: Metrics }) {
  const { series, choice } = props.metrics;
  const spans = series.map(spanText);
  const each = eachText(choice.spanMs);
  return (
    <div class="grid metrics-charts">
      {CHARTS.map(({ id, title, label, format, isWhole, ...chart }, index) => (
        <Panel
          id={id}
          title={title}
          note={each}
          class="p-half"
          {...(index === 0 ? { action: <SeriesExports metrics={props.metrics} /> } : {})}
        >
          <TimeChart
            id={id}
            label={label}
            spans={spans}
            spanLabel="From"
            format={format}
            isWhole={isWhole === true}
            series={chart.series.map(({ of, ...one }) => ({ ...one, values: series.map(of) }))}
          />
        </Panel>
      ))}
    </div>
  );
}

function SeriesExports(props: { metrics: Metrics }) {
  return (
    <span class="exports">
      {(["csv", "json"] as const).map((format) => (
        <a
          class="more"
          href={metricsAddress(props.metrics.choice, {
            path: `/metrics.${format}`,
            table: "series",
          })}
          download={`metrics-series.${format}`}
          hx-boost="false"
        >
          <Icon name="download" size={12} />
          <span class="sr">All series as </span>
          {format.toUpperCase()}
        </a>
      ))}
    </span>
  );
}

function eachText(spanMs: number): string {
  const days = spanMs / DAY_MS;
  if (days === 1) return "each day (UTC)";
  if (days > 1) return `each ${days} days (UTC)`;
  return spanMs === HOUR_MS ? "each hour" : `each ${spanMs / HOUR_MS} hours`;
}

/** Days are days of UTC; hours are shown as the machine's clock has them. */
function spanText({ startsAt, spanMs }: RunSpan): string {
  if (spanMs >= DAY_MS) return new Date(startsAt).toISOString().slice(0, "2026-11-20".length);
  return `${dayText(startsAt).slice("2026-".length)} ${clockText(startsAt).slice(0, "14:00".length)}`;
}
