/** The key metrics of the status page, and what needs attention, both in tiers. */
import type { Child } from "hono/jsx";
import type { RunStats } from "../../src/domain/run.ts";
import type { ServiceStatus } from "../../src/domain/service.ts";
import type { Status } from "./status.ts";
import { Sparkline } from "./chart.tsx";
import { Icon } from "./icon.tsx";
import { InlineText } from "./inline-text.tsx";
import { shortId } from "./id.ts";
import { formatCost } from "./money.ts";
import { formatCount, formatShort, plural } from "./number.ts";

type Tier = "critical" | "warning" | "info";

/** Above this share of finished runs, failures are critical. */
const FAILED_SHARE_CRITICAL = 0.1;
/** Runs in the queue from which on it is worth a warning. */
const QUEUE_WARNING = 25;

/** Approvals that are named; of more there is a link to the list. */
const APPROVAL_COUNT_MAX = 5;

const TIER_LABEL: Record<Tier, string> = { critical: "Critical", warning: "Warning", info: "Info" };

interface Tile {
  readonly id: string;
  readonly tier: Tier;
  readonly label: string;
  readonly href: string;
  readonly value: string;
  readonly unit?: string;
  readonly delta: Delta;
  readonly note: string;
  readonly values: readonly number[];
  readonly max?: number;
}

interface Delta {
  readonly text: string;
  readonly trend: "up" | "down" | "none";
  readonly tone: "good" | "bad" | "plain";
}

export function TileList(props: { status: Status }) {
  return (
    <ul class="tiles">
      {tiles(props.status).map((tile) => (
        <TileItem tile={tile} />
      ))}
    </ul>
  );
}

function TileItem(props: { tile: Tile }) {
  const { tile } = props;
  return (
    <li class={`tile tier-${tile.tier}`} id={`tile-${tile.id}`}>
      <div class="tile-head">
        <h3>
          <a href={tile.href}>{tile.label}</a>
        </h3>
        <span class="tier">
          <Icon name={tile.tier} size={12} />
          <span>{TIER_LABEL[tile.tier]}</span>
        </span>
      </div>
      <p class="tile-value">
        {tile.value}
        {tile.unit === undefined ? null : <small>{tile.unit}</small>}
      </p>
      <p class="tile-note">
        <span class={`delta ${tile.delta.tone}`}>
          {tile.delta.trend === "none" ? null : <Icon name={tile.delta.trend} size={12} />}
          {tile.delta.text}
        </span>{" "}
        <span>{tile.note}</span>
      </p>
      <Sparkline
        values={tile.values}
        tone={tile.tier}
        {...(tile.max === undefined ? {} : { max: tile.max })}
      />
    </li>
  );
}

type Bucket = RunStats["buckets"][number];

function tiles(status: Status): Tile[] {
  const { counts, range } = status;
  const series = (pick: (bucket: Bucket) => number) => status.stats.buckets.map(pick);
  const sum = (pick: (bucket: Bucket) => number) => total(status.stats, pick);
  const change = (pick: (bucket: Bucket) => number, good: "up" | "down" | "none") =>
    difference(sum(pick), total(status.previous, pick), good);
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
      delta: costDelta(status),
      note: `vs ${range} before`,
      values: series((bucket) => bucket.costNanoUsd),
    },
  ];
}

function total(stats: RunStats, pick: (bucket: Bucket) => number): number {
  return stats.buckets.reduce((sum, bucket) => sum + pick(bucket), 0);
}

function difference(now: number, before: number, good: "up" | "down" | "none"): Delta {
  if (now === before) return { text: "±0", trend: "none", tone: "plain" };
  const trend = now > before ? "up" : "down";
  const sign = now > before ? "+" : "−";
  const tone = good === "none" ? "plain" : trend === good ? "good" : "bad";
  return { text: `${sign}${formatShort(Math.abs(now - before))}`, trend, tone };
}

function costDelta(status: Status): Delta {
  const now = total(status.stats, (bucket) => bucket.costNanoUsd);
  const before = total(status.previous, (bucket) => bucket.costNanoUsd);
  const { trend, tone } = difference(now, before, "none");
  if (trend === "none") return { text: "±0", trend, tone };
  return {
    text: `${trend === "up" ? "+" : "−"}${formatCost(Math.abs(now - before))}`,
    trend,
    tone,
  };
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

function rateDelta(rate: number | undefined, before: number | undefined): Delta {
  const points = rate === undefined || before === undefined ? 0 : (rate - before) * 100;
  if (Math.abs(points) < 0.05) return { text: "±0", trend: "none", tone: "plain" };
  return points > 0
    ? { text: `+${points.toFixed(1)}`, trend: "up", tone: "good" }
    : { text: `−${Math.abs(points).toFixed(1)}`, trend: "down", tone: "bad" };
}

/** 99.96 is not 100: a failure must stay visible. */
function percent(rate: number): string {
  const text = (rate * 100).toFixed(1);
  return rate < 1 && text === "100.0" ? "99.9" : text.replace(/\.0$/, "");
}

function failedTier(failed: number, rate: number | undefined): Tier {
  if (failed === 0) return "info";
  return rate !== undefined && rate < 1 - FAILED_SHARE_CRITICAL ? "critical" : "warning";
}

interface Item {
  readonly tier: Tier;
  readonly text: Child;
}

/** What needs attention: critical always open, warnings open until closed, the rest on demand. */
export function Attention(props: { status: Status }) {
  const items = attention(props.status);
  const of = (tier: Tier) => items.filter((item) => item.tier === tier);
  const critical = of("critical");
  return (
    <>
      {critical.length === 0 ? null : (
        <div class="alert critical" id="alerts-critical">
          <p class="alert-head">
            <Icon name="critical" />
            {plural(critical.length, "critical problem")}
          </p>
          <Items items={critical} />
        </div>
      )}
      {(["warning", "info"] as const).map((tier) => (
        <Collapsible tier={tier} items={of(tier)} />
      ))}
    </>
  );
}

function Collapsible(props: { tier: "warning" | "info"; items: readonly Item[] }) {
  const { tier, items } = props;
  const [first, second] = items;
  if (first === undefined) return null;
  if (second === undefined)
    return (
      <div class={`alert single ${tier}`} id={`alerts-${tier}`}>
        <Icon name={tier} />
        <p>
          <span class="sr">{tier === "warning" ? "Warning: " : "Notice: "}</span>
          {first.text}
        </p>
      </div>
    );
  return (
    <details class={`alert ${tier}`} id={`alerts-${tier}`} open={tier === "warning"}>
      <summary class="alert-head">
        <Icon name={tier} />
        {plural(items.length, tier === "warning" ? "warning" : "notice")}
        <Icon name="chevron" size={12} />
      </summary>
      <Items items={items} />
    </details>
  );
}

function Items(props: { items: readonly Item[] }) {
  return (
    <ul class="alert-list">
      {props.items.map((item) => (
        <li>{item.text}</li>
      ))}
    </ul>
  );
}

const SERVICE_TIER: Partial<Record<ServiceStatus["state"], Tier>> = {
  failed: "critical",
  backing_off: "warning",
  stopped: "info",
  disabled: "info",
};

function attention(status: Status): Item[] {
  const items: Item[] = status.services.flatMap((service) => {
    const tier = SERVICE_TIER[service.state];
    // A service that is off on purpose and has nothing to say is no news.
    if (tier === undefined || (tier === "info" && service.message === null)) return [];
    return [{ tier: tierOf(service, tier), text: <ServiceItem service={service} /> }];
  });
  if (status.approvals.length > 0)
    items.push({ tier: "warning", text: <Approvals approvals={status.approvals} /> });
  if (status.interrupted.length > 0)
    items.push({ tier: "warning", text: <Interrupted status={status} /> });
  return items;
}

/** Only a worker that is down stops runs; the product works without every other service. */
function tierOf(service: ServiceStatus, tier: Tier): Tier {
  return tier === "critical" && !service.name.startsWith("worker") ? "warning" : tier;
}

function ServiceItem(props: { service: ServiceStatus }) {
  const { service } = props;
  const state = service.state === "backing_off" ? "is being restarted" : "is not running";
  return (
    <>
      <b>
        {service.name} {state}.
      </b>{" "}
      <InlineText text={service.message ?? ""} />{" "}
      {service.fix === null ? null : (
        <>
          <b>Fix:</b> <InlineText text={service.fix} links />
        </>
      )}
    </>
  );
}

function Approvals(props: { approvals: Status["approvals"] }) {
  const { approvals } = props;
  const shown = approvals.slice(0, APPROVAL_COUNT_MAX);
  const more = approvals.length - shown.length;
  return (
    <>
      <b>
        {plural(approvals.length, "step")} {approvals.length === 1 ? "waits" : "wait"} for your
        approval:
      </b>{" "}
      {shown.map(({ runId, workflowName, key }, index) => (
        <>
          {index === 0 ? "" : ", "}
          <a href={`/runs/${encodeURIComponent(runId)}`}>
            {key} of {workflowName} {shortId(runId)}
          </a>
        </>
      ))}
      {more === 0 ? null : (
        <>
          {" "}
          and <a href="/runs?state=waiting">{formatCount(more)} more</a>
        </>
      )}
      .
    </>
  );
}

function Interrupted(props: { status: Status }) {
  const { interrupted } = props.status;
  return (
    <>
      <b>The last session ended without a clean shutdown.</b> {plural(interrupted.length, "run")}{" "}
      {interrupted.length === 1 ? "was" : "were"} taken up again where the last finished step left
      off:{" "}
      {interrupted.map((run, index) => (
        <>
          {index === 0 ? "" : ", "}
          <a href={`/runs/${encodeURIComponent(run.id)}`}>
            {run.workflowName} {shortId(run.id)}
          </a>
        </>
      ))}
      .
    </>
  );
}
