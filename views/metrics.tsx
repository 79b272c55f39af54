/** What runs have cost, taken and come to: over time, and by what did it. */
import type { ModelSums, NodeSums, RunSums, WorkflowSums } from "../src/domain/metrics.ts";
import { Layout } from "./layout.tsx";
import { metricsAskAddress } from "./part/ask-chat.tsx";
import { formatDuration } from "./part/duration.ts";
import { EmptyState } from "./part/empty-state.tsx";
import { Icon } from "./part/icon.tsx";
import { MetricsTiles } from "./part/metrics-tiles.tsx";
import { MetricsCharts } from "./part/metrics-charts.tsx";
import {
  averageDurationMs,
  METRICS_RANGES,
  type Metrics,
  metricsAddress,
  type MetricsChoice,
  type MetricsTable,
  successRateOf,
} from "./part/metrics.ts";
import { formatCost } from "./part/money.ts";
import { formatCount, formatShort } from "./part/number.ts";
import { MoreLink, PageHead, Panel, PauseButton } from "./part/panel.tsx";
import { percent } from "./part/tile.tsx";
import { canAsk, type Shell } from "./shell.ts";

interface MetricsPageProps {
  readonly shell: Shell;
  readonly metrics: Metrics;
}

/** Above this share of the time or the cost of all nodes, one is the bottleneck. */
const BOTTLENECK_SHARE = 0.5;

export function MetricsPage(props: MetricsPageProps) {
  const { shell, metrics } = props;
  const { choice } = metrics;
  return (
    <Layout shell={shell}>
      <PageHead crumb="Analyze" title="Metrics">
        <nav class="seg-ctl" aria-label="Time range">
          {METRICS_RANGES.map((preset) => (
            <a
              href={metricsAddress({ ...choice, preset })}
              aria-current={preset === choice.preset ? "true" : undefined}
            >
              {preset}
            </a>
          ))}
        </nav>
        <PauseButton />
        <noscript>
          <a class="btn ghost" href={metricsAddress(choice)}>
            Refresh
          </a>
        </noscript>
      </PageHead>
      <Filters {...metrics} />
      <MetricsBody metrics={metrics} canAsk={canAsk(shell)} />
    </Layout>
  );
}

function Filters(props: Metrics) {
  const { choice, workflows } = props;
  return (
    <form
      method="get"
      action="/metrics"
      class="filters metrics-filters"
      role="search"
      aria-label="These metrics"
    >
      <label>
        <span>Workflow</span>
        <select name="workflow" class="input">
          <option value="">All workflows</option>
          {workflows.map(({ id, name }) => (
            <option value={id} selected={id === choice.workflowId}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label>
        <span>Range</span>
        <select name="range" class="input">
          {METRICS_RANGES.map((preset) => (
            <option value={preset} selected={preset === choice.preset}>
              Last {preset}
            </option>
          ))}
          <option value="custom" selected={choice.preset === "custom"}>
            From … to …
          </option>
        </select>
      </label>
      <label>
        <span>From (UTC)</span>
        <input type="date" name="from" class="input" value={choice.from} />
      </label>
      <label>
        <span>To, included</span>
        <input
          type="date"
          name="to"
          class="input"
          value={choice.to}
          aria-invalid={choice.fault === undefined ? undefined : "true"}
          aria-describedby={choice.fault === undefined ? undefined : "range-fault"}
        />
      </label>
      <button type="submit" class="btn ghost">
        Show
      </button>
      {choice.fault === undefined ? null : (
        <p class="field-error" id="range-fault">
          {choice.fault}
        </p>
      )}
    </form>
  );
}

/** All that changes while the page is open; it fetches itself. */
function MetricsBody(props: { metrics: Metrics; canAsk: boolean }) {
  const { metrics } = props;
  const { choice } = metrics;
  return (
    <div
      id="metrics"
      class="metrics"
      hx-get={metricsAddress(choice)}
      hx-trigger="every 30s"
      hx-select="#metrics"
      hx-swap="outerMorph"
      {...{ "hx-status:4xx": "swap:none", "hx-status:5xx": "swap:none" }}
    >
      {isEmpty(metrics) ? (
        <Nothing choice={choice} />
      ) : (
        <>
          <MetricsTiles metrics={metrics} />
          <MetricsCharts metrics={metrics} />
          <Bottleneck metrics={metrics} />
          <div class="grid">
            <WorkflowPanel metrics={metrics} />
            <NodePanel metrics={metrics} by="duration" />
            <NodePanel metrics={metrics} by="cost" canAsk={props.canAsk} />
            <ModelPanel metrics={metrics} />
          </div>
        </>
      )}
    </div>
  );
}

function isEmpty({ totals, byModel, slowest }: Metrics): boolean {
  const runCount = totals.created + totals.succeeded + totals.failed + totals.cancelled;
  return runCount === 0 && byModel.length === 0 && slowest.length === 0;
}

function Nothing(props: { choice: MetricsChoice }) {
  const { choice } = props;
  const isLongest = choice.preset === "90d" && choice.workflowId === undefined;
  return (
    <section class="panel" aria-label="Metrics">
      <EmptyState
        icon="metrics"
        title="Nothing ran in this time"
        text="Each run adds its result, duration, tokens and cost to the figures here. Start one, or look at a longer time."
      >
        <a class="btn primary" href="/workflows">
          Choose a workflow
        </a>
        {isLongest ? null : (
          <a class="btn ghost" href="/metrics?range=90d">
            All workflows, 90 days
          </a>
        )}
      </EmptyState>
    </section>
  );
}

function Bottleneck(props: { metrics: Metrics }) {
  const { slowest, dearest, nodeTotals } = props.metrics;
  const found = [
    sentence(slowest[0], {
      of: "time",
      share: shareOf(slowest[0]?.durationMs, nodeTotals.durationMs),
    }),
    sentence(dearest[0], {
      of: "cost",
      share: shareOf(dearest[0]?.costNanoUsd, nodeTotals.costNanoUsd),
    }),
  ].filter((text) => text !== undefined);
  if (found.length === 0) return null;
  return (
    <div class="alert single info" id="bottleneck">
      <Icon name="info" />
      <div>
        {found.map((text) => (
          <p>{text}</p>
        ))}
      </div>
    </div>
  );
}

function sentence(node: NodeSums | undefined, { of, share }: { of: string; share: number }) {
  if (node === undefined || share <= BOTTLENECK_SHARE) return undefined;
  return (
    <>
      <b>Bottleneck:</b> <code>{node.nodeId}</code> of{" "}
      <a href={workflowHref(node.workflowId)}>{node.workflowName}</a> takes {percent(share)} % of
      the {of} of all nodes.
    </>
  );
}

/** CSV and JSON of what a panel shows. */
function Exports(props: { choice: MetricsChoice; table: MetricsTable; of: string }) {
  const { choice, table } = props;
  return (
    <span class="exports">
      {(["csv", "json"] as const).map((format) => (
        <a
          class="more"
          href={metricsAddress(choice, { path: `/metrics.${format}`, table })}
          download={`metrics-${table}.${format}`}
          hx-boost="false"
        >
          <Icon name="download" size={12} />
          <span class="sr">{props.of} as </span>
          {format.toUpperCase()}
        </a>
      ))}
    </span>
  );
}

function WorkflowPanel(props: { metrics: Metrics }) {
  const { byWorkflow, totals, choice } = props.metrics;
  return (
    <Panel
      id="by-workflow"
      title="By workflow"
      class="p-all"
      action={<Exports choice={choice} table="workflows" of="By workflow" />}
    >
      <div class="table-wrap" tabindex={0} role="region" aria-label="Figures by workflow">
        <table class="sums">
          <caption class="sr">Runs, results, duration and cost of each workflow</caption>
          <thead>
            <tr>
              <th scope="col">Workflow</th>
              <th scope="col" class="num">
                Runs
              </th>
              <th scope="col" class="num">
                Success
              </th>
              <th scope="col" class="num">
                Failed
              </th>
              <th scope="col" class="num">
                Average
              </th>
              <th scope="col" class="num">
                Longest
              </th>
              <th scope="col" class="num">
                Tokens
              </th>
              <th scope="col" class="num">
                Cost
              </th>
              <th scope="col">Share of cost</th>
            </tr>
          </thead>
          <tbody>
            {byWorkflow.map((sums) => (
              <WorkflowRow sums={sums} totals={totals} />
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  );
}

function WorkflowRow(props: { sums: WorkflowSums; totals: RunSums }) {
  const { sums, totals } = props;
  const runsHref = `/runs?workflow=${encodeURIComponent(sums.workflowId)}`;
  return (
    <tr>
      <th scope="row">
        <a href={workflowHref(sums.workflowId)} class="plain-link">
          {sums.workflowName}
        </a>
      </th>
      <td class="num">
        <a href={runsHref} class="plain-link">
          {formatCount(sums.created)}
          <span class="sr"> runs of {sums.workflowName}</span>
        </a>
      </td>
      <td class="num">{rateText(sums)}</td>
      <td class="num">
        {sums.failed === 0 ? (
          "0"
        ) : (
          <a href={`${runsHref}&state=failed`} class="plain-link bad">
            {formatCount(sums.failed)}
            <span class="sr"> failed runs of {sums.workflowName}</span>
          </a>
        )}
      </td>
      <td class="num">{formatDuration(averageDurationMs(sums))}</td>
      <td class="num">{formatDuration(sums.durationMsMax)}</td>
      <td class="num">{formatShort(sums.inputTokens + sums.outputTokens)}</td>
      <td class="num">{formatCost(sums.costNanoUsd)}</td>
      <td>
        <Share share={shareOf(sums.costNanoUsd, totals.costNanoUsd)} tone="accent" />
      </td>
    </tr>
  );
}

function NodePanel(props: { metrics: Metrics; by: "duration" | "cost"; canAsk?: boolean }) {
  const { metrics, by } = props;
  const isTime = by === "duration";
  const title = isTime ? "Slowest nodes" : "Dearest nodes";
  const nodes = isTime ? metrics.slowest : metrics.dearest.filter((node) => node.costNanoUsd > 0);
  return (
    <Panel
      id={`nodes-${by}`}
      title={title}
      class="p-half"
      note={isTime ? "with their waits" : undefined}
      action={
        isTime ? (
          <Exports choice={metrics.choice} table="nodes" of="Nodes" />
        ) : nodes.length === 0 || props.canAsk !== true ? undefined : (
          <MoreLink
            href={metricsAskAddress(metricsAddress(metrics.choice))}
            label="Ask the chat what could be cheaper"
          />
        )
      }
    >
      {nodes.length === 0 ? (
        <p class="quiet">
          {isTime ? "No step has ended in this time." : "No step has cost anything in this time."}
        </p>
      ) : (
        <div class="table-wrap" tabindex={0} role="region" aria-label={`${title}, figures`}>
          <table class="sums">
            <caption class="sr">{title}</caption>
            <thead>
              <tr>
                <th scope="col">Node</th>
                <th scope="col" class="num">
                  Attempts
                </th>
                <th scope="col" class="num">
                  {isTime ? "Average" : "Tokens"}
                </th>
                <th scope="col" class="num">
                  {isTime ? "Total" : "Cost"}
                </th>
                <th scope="col">Share</th>
              </tr>
            </thead>
            <tbody>
              {nodes.map((node) => (
                <NodeRow node={node} metrics={metrics} by={by} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  );
}

function NodeRow(props: { node: NodeSums; metrics: Metrics; by: "duration" | "cost" }) {
  const { node, by } = props;
  const { nodeTotals } = props.metrics;
  const isTime = by === "duration";
  const share = isTime
    ? shareOf(node.durationMs, nodeTotals.durationMs)
    : shareOf(node.costNanoUsd, nodeTotals.costNanoUsd);
  return (
    <tr>
      <th scope="row">
        <code>{node.nodeId}</code>{" "}
        <a href={workflowHref(node.workflowId)} class="sub plain-link">
          {node.workflowName}
        </a>
      </th>
      <td class="num">
        {formatCount(node.succeeded + node.failed)}
        {node.failed === 0 ? null : <span class="sub bad">{formatCount(node.failed)} failed</span>}
      </td>
      <td class="num">
        {isTime
          ? formatDuration(averageDurationMs(node))
          : formatShort(node.inputTokens + node.outputTokens)}
      </td>
      <td class="num">{isTime ? formatDuration(node.durationMs) : formatCost(node.costNanoUsd)}</td>
      <td>
        <Share share={share} tone={isTime ? "info" : "accent"} />
      </td>
    </tr>
  );
}

function ModelPanel(props: { metrics: Metrics }) {
  const { byModel, totals, choice } = props.metrics;
  return (
    <Panel
      id="by-model"
      title="By model"
      class="p-all"
      action={<Exports choice={choice} table="models" of="By model" />}
    >
      {byModel.length === 0 ? (
        <p class="quiet">No model was asked in this time.</p>
      ) : (
        <div class="table-wrap" tabindex={0} role="region" aria-label="Figures by model">
          <table class="sums">
            <caption class="sr">Calls, duration, tokens and cost of each model</caption>
            <thead>
              <tr>
                <th scope="col">Model</th>
                <th scope="col" class="num">
                  Calls
                </th>
                <th scope="col" class="num">
                  Average
                </th>
                <th scope="col" class="num">
                  Slowest
                </th>
                <th scope="col" class="num">
                  Tokens in
                </th>
                <th scope="col" class="num">
                  From cache
                </th>
                <th scope="col" class="num">
                  Tokens out
                </th>
                <th scope="col" class="num">
                  Cost
                </th>
                <th scope="col">Share of cost</th>
              </tr>
            </thead>
            <tbody>
              {byModel.map((model) => (
                <ModelRow model={model} totals={totals} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  );
}

function ModelRow(props: { model: ModelSums; totals: RunSums }) {
  const { model, totals } = props;
  return (
    <tr>
      <th scope="row">
        <code>{model.model}</code>
      </th>
      <td class="num">{formatCount(model.calls)}</td>
      <td class="num">{formatDuration(model.calls === 0 ? 0 : model.durationMs / model.calls)}</td>
      <td class="num">{formatDuration(model.durationMsMax)}</td>
      <td class="num">{formatShort(model.inputTokens)}</td>
      <td class="num">{formatShort(model.cacheReadTokens)}</td>
      <td class="num">{formatShort(model.outputTokens)}</td>
      <td class="num">{formatCost(model.costNanoUsd)}</td>
      <td>
        <Share share={shareOf(model.costNanoUsd, totals.costNanoUsd)} tone="accent" />
      </td>
    </tr>
  );
}

const SHARE_WIDTH = 100;

function Share(props: { share: number; tone: "accent" | "info" }) {
  const { share, tone } = props;
  return (
    <span class="share">
      <svg
        class={`share-bar t-${tone}`}
        viewBox={`0 0 ${SHARE_WIDTH} 6`}
        preserveAspectRatio="none"
        aria-hidden="true"
        focusable="false"
      >
        <rect class="share-track" width={SHARE_WIDTH} height="6" />
        <rect class="share-fill" width={Math.round(share * SHARE_WIDTH)} height="6" />
      </svg>
      <span class="num">{share === 0 ? "–" : `${percent(share)} %`}</span>
    </span>
  );
}

function shareOf(part: number | undefined, whole: number): number {
  return part === undefined || whole === 0 ? 0 : part / whole;
}

function rateText(sums: RunSums): string {
  const rate = successRateOf(sums);
  return rate === undefined ? "–" : `${percent(rate)} %`;
}

function workflowHref(id: string): string {
  return `/workflows/${encodeURIComponent(id)}`;
}
