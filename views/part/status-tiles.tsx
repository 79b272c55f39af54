/** The key metrics of the status page. */
import type { RunStats } from "../../src/domain/run.ts";
import type { Status } from "./status.ts";
import { formatCost } from "./money.ts";
import { formatCount, formatShort, plural } from "./number.ts";
import { difference, percent, rateDelta, type Tier, type Tile } from "./tile.tsx";

/** Above this share of finished runs, failures are critical. */
const FAILED_SHARE_CRITICAL = 0.1;
/** Runs in the queue from which on it is worth a warning. */
const QUEUE_WARNING = 25;

type Bucket = RunStats["buckets"][number];

/** At most five. */
export function statusTiles(status: Status): Tile[] {
  const { counts, range } = status;
  const series = (pick: (bucket: Bucket) => number) => status.stats.buckets.map(pick);
  const sum = (pick: (bucket: Bucket) => number) => total(status.stats, pick);
  const change = (pick: (bucket: Bucket) => number, good: "up" | "down" | "none") =>
    difference(sum(pick), total(status.previous, pick), { good });
  const failed = sum((bucket) => bucket.failed);
  const rate = successRate(status.stats);
  const rateBefore = successRate(status.previous);
  const created = sum((bucket) => bucket.created);
  return [
    {
      id: "failed",
      tier: failedTier(failed, rate),
      label: "Failed runs",
      href: "/runs?state=failed",
      value: formatCount(failed),
      delta: change((bucket) => bucket.failed, "down"),
      note: `in ${range}`,
      values: series((bucket) => bucket.failed),
    },
    {
      id: "active",
      tier: status.queueDepth >= QUEUE_WARNING ? "warning" : "info",
      label: "Active runs",
      href: "/runs?state=running",
      value: formatCount(counts.running + counts.waiting),
      delta: { text: formatCount(status.queueDepth), trend: "none", tone: "plain" },
      note: `queued, ${plural(created, "run")} in ${range}`,
      values: series((bucket) => bucket.created),
    },
    {
      id: "success",
      tier: rate !== undefined && rate < 1 - FAILED_SHARE_CRITICAL ? "warning" : "info",
      label: "Success",
      href: "/runs?state=succeeded",
      value: rate === undefined ? "–" : percent(rate),
      ...(rate === undefined ? {} : { unit: "%" }),
      delta: rateDelta(rate, rateBefore),
      note: rate === undefined ? `nothing finished in ${range}` : `vs ${range} before`,
      values: rates(status.stats),
      max: 1,
    },
    {
      id: "tokens",
      tier: "info",
      label: "Tokens",
      href: "/runs",
      value: formatShort(sum((bucket) => bucket.tokens)),
      delta: change((bucket) => bucket.tokens, "none"),
      note: `vs ${range} before`,
      values: series((bucket) => bucket.tokens),
    },
    {
      id: "cost",
      tier: "info",
      label: "Cost",
      href: "/runs",
      value: formatCost(sum((bucket) => bucket.costNanoUsd)),
      delta: difference(
        sum((bucket) => bucket.costNanoUsd),
        total(status.previous, (bucket) => bucket.costNanoUsd),
        { good: "none", format: formatCost },
      ),
      note: `vs ${range} before`,
      values: series((bucket) => bucket.costNanoUsd),
    },
  ];
}

function total(stats: RunStats, pick: (bucket: Bucket) => number): number {
  return stats.buckets.reduce((sum, bucket) => sum + pick(bucket), 0);
}

/** Undefined when nothing has finished. */
function successRate(stats: RunStats): number | undefined {
  const succeeded = total(stats, (bucket) => bucket.succeeded);
  const finished = succeeded + total(stats, (bucket) => bucket.failed);
  return finished === 0 ? undefined : succeeded / finished;
}

/** The rate in each bucket; a bucket in which nothing finished keeps the one before it. */
function rates(stats: RunStats): number[] {
  let rate = successRate(stats) === undefined ? 0 : 1;
  return stats.buckets.map((bucket) => {
    const finished = bucket.succeeded + bucket.failed;
    if (finished > 0) rate = bucket.succeeded / finished;
    return rate;
  });
}

function failedTier(failed: number, rate: number | undefined): Tier {
  if (failed === 0) return "info";
  return rate !== undefined && rate < 1 - FAILED_SHARE_CRITICAL ? "critical" : "warning";
}
