/** The sums of a range, with how they have changed since the range before. */
import type { RunSpan } from "../../src/domain/metrics.ts";
import { formatDuration } from "./duration.ts";
import { averageDurationMs, type Metrics, successRateOf } from "./metrics.ts";
import { formatCost } from "./money.ts";
import { formatCount, formatShort } from "./number.ts";
import { difference, percent, rateDelta, type Tile, TileItem } from "./tile.tsx";

export function MetricsTiles(props: { metrics: Metrics }) {
  return (
    <section class="tiles-wrap" aria-labelledby="tiles-h">
      <h2 id="tiles-h" class="sr">
        Sums
      </h2>
      <ul class="tiles">
        {tiles(props.metrics).map((tile) => (
          <TileItem tile={tile} isTiered={false} />
        ))}
      </ul>
    </section>
  );
}

function tiles({ totals, previous, series, choice }: Metrics): Tile[] {
  const values = (pick: (span: RunSpan) => number) => series.map(pick);
  const rate = successRateOf(totals);
  const [average, averageBefore] = [averageDurationMs(totals), averageDurationMs(previous)];
  const tokens = totals.inputTokens + totals.outputTokens;
  const note = "vs the time before";
  const query = choice.workflowId === undefined ? "" : `workflow=${choice.workflowId}`;
  const tier = "info";
  return [
    {
      id: "runs",
      tier,
      label: "Runs",
      href: `/runs${query === "" ? "" : `?${query}`}`,
      value: formatCount(totals.created),
      delta: difference(totals.created, previous.created, { good: "none" }),
      note,
      values: values((span) => span.created),
    },
    {
      id: "success",
      tier,
      label: "Success",
      href: `/runs?state=failed${query === "" ? "" : `&${query}`}`,
      value: rate === undefined ? "–" : percent(rate),
      ...(rate === undefined ? {} : { unit: "%" }),
      delta: rateDelta(rate, successRateOf(previous)),
      note: rate === undefined ? "nothing finished" : note,
      values: rates(series),
      max: 1,
    },
    {
      id: "cost",
      tier,
      label: "Cost",
      href: "#chart-cost-h",
      value: formatCost(totals.costNanoUsd),
      delta: difference(totals.costNanoUsd, previous.costNanoUsd, {
        good: "none",
        format: formatCost,
      }),
      note,
      values: values((span) => span.costNanoUsd),
    },
    {
      id: "tokens",
      tier,
      label: "Tokens",
      href: "#chart-tokens-h",
      value: formatShort(tokens),
      delta: difference(tokens, previous.inputTokens + previous.outputTokens, { good: "none" }),
      note,
      values: values((span) => span.inputTokens + span.outputTokens),
    },
    {
      id: "duration",
      tier,
      label: "Average duration",
      href: "#chart-duration-h",
      value: average === 0 ? "–" : formatDuration(average),
      delta: difference(average, averageBefore, { good: "down", format: formatDuration }),
      note,
      values: values(averageDurationMs),
    },
  ];
}

/** A span in which nothing finished keeps the rate of the one before it. */
function rates(series: readonly RunSpan[]): number[] {
  let rate = series.some((span) => successRateOf(span) !== undefined) ? 1 : 0;
  return series.map((span) => (rate = successRateOf(span) ?? rate));
}
