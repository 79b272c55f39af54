/** The status page and the parts of it that change while it is open. */
import type { StoredEvent } from "../src/domain/event.ts";
import type { Run } from "../src/domain/run.ts";
import { Layout } from "./layout.tsx";
import { BannersPart, type BannerProps } from "./part/banner.tsx";
import { EmptyState } from "./part/empty-state.tsx";
import { Icon } from "./part/icon.tsx";
import { LivePart } from "./part/live-part.tsx";
import { joinEvents, LogItems } from "./part/log.tsx";
import { formatBytes } from "./part/number.ts";
import { MoreLink, PageHead, Panel, PauseButton } from "./part/panel.tsx";
import { RunList } from "./part/run-table.tsx";
import { ServiceTable } from "./part/service-table.tsx";
import { Attention, TileList } from "./part/status-tiles.tsx";
import { RANGES, type Status } from "./part/status.ts";
import { isWritable, type Shell } from "./shell.ts";

export { RANGES, type Range, type Status } from "./part/status.ts";

export function StatusPage(props: { shell: Shell; status: Status }) {
  const { shell, status } = props;
  return (
    <Layout
      shell={shell}
      stream={`/status/stream?range=${status.range}`}
      poll={`/?range=${status.range}`}
    >
      <PageHead crumb="Monitor" title="Status">
        <nav class="seg-ctl" aria-label="Time range">
          {RANGES.map((range) => (
            <a href={`/?range=${range}`} aria-current={range === status.range ? "true" : undefined}>
              {range}
            </a>
          ))}
        </nav>
        <PauseButton />
        <noscript>
          <a class="btn ghost" href={`/?range=${status.range}`}>
            Refresh
          </a>
        </noscript>
        {isWritable(shell) ? (
          <a class="btn primary" href="/workflows">
            <Icon name="play" size={14} />
            Run a workflow
          </a>
        ) : null}
      </PageHead>
      <Tiles status={status} />
      <div class="grid">
        <Panel
          id="runs-panel"
          title="Latest runs"
          class="p-runs"
          action={<MoreLink href="/runs" label="All runs" />}
        >
          <RunRows runs={status.runs} now={status.now} workflowCount={status.workflowCount} />
        </Panel>
        <LogPanel events={status.events} />
        <Panel
          id="services-panel"
          title="Services"
          class="p-services"
          note={
            status.memoryBytes === null ? undefined : `${formatBytes(status.memoryBytes)} of memory`
          }
        >
          <ServiceTable services={status.services} now={status.now} />
        </Panel>
      </div>
    </Layout>
  );
}

function LogPanel(props: { events: readonly StoredEvent[] }) {
  return (
    <Panel
      id="log-panel"
      title="Live log"
      class="p-log"
      action={
        <span class="live-tag js-only">
          <span class="live-dot" aria-hidden="true"></span>Live
        </span>
      }
    >
      <div class="log" tabindex={0} role="region" aria-label="Live log lines">
        <ol id="log-lines" data-log>
          <LogLines events={props.events} />
        </ol>
        {props.events.length === 0 ? (
          <p class="log-empty">Nothing has happened yet. Lines appear here as runs go on.</p>
        ) : null}
      </div>
    </Panel>
  );
}

/** What needs attention, then the key metrics. */
export function Tiles(props: { status: Status }) {
  const { status } = props;
  return (
    <section id="tiles" class="tiles-wrap" aria-labelledby="tiles-h">
      <h2 id="tiles-h" class="sr">
        Key metrics
      </h2>
      <Attention status={status} />
      <TileList status={status} />
    </section>
  );
}

/**
 * The newest runs, or what to do when there are none.
 *
 * @param props.workflowCount Undefined counts as some.
 */
export function RunRows(props: { runs: readonly Run[]; now: number; workflowCount?: number }) {
  return (
    <div id="runs" class="table-wrap">
      {props.runs.length > 0 ? (
        <RunList runs={props.runs} now={props.now} caption="Latest runs" />
      ) : props.workflowCount === 0 ? (
        <EmptyState
          icon="workflows"
          title="No workflows yet"
          text="A workflow is a YAML file: steps that call language models and pass their results on. Write or upload yours, or run one of the examples: they work offline too."
        >
          <a class="btn primary" href="/workflows/new" hx-boost="false">
            <Icon name="edit" size={14} />
            Write a workflow
          </a>
          <a class="btn ghost" href="/chat">
            Describe a workflow
          </a>
          <a class="btn ghost" href="/workflows#examples">
            Run an example
          </a>
        </EmptyState>
      ) : (
        <EmptyState
          icon="runs"
          title="No runs yet"
          text="Open a workflow, fill in its inputs and start it; the run shows up here, step by step."
        >
          <a class="btn primary" href="/workflows">
            Choose a workflow
          </a>
        </EmptyState>
      )}
    </div>
  );
}

/** Lines for `#log-lines`. */
export function LogLines(props: { events: readonly StoredEvent[] }) {
  return <LogItems entries={joinEvents(props.events).entries} runs={true} />;
}

/**
 * A whole message of the status stream: everything on the page, and the events since the last one.
 *
 * @param props.banners Without them those of the page stay.
 */
export function StatusUpdate(props: { status: Status; banners?: BannerProps }) {
  const { status, banners } = props;
  return (
    <>
      {banners === undefined ? null : <BannersPart {...banners} />}
      <LivePart target="tiles" swap="outerMorph">
        <Tiles status={status} />
      </LivePart>
      <LivePart target="runs" swap="outerMorph">
        <RunRows runs={status.runs} now={status.now} workflowCount={status.workflowCount} />
      </LivePart>
      <LivePart target="services" swap="outerMorph">
        <ServiceTable services={status.services} now={status.now} />
      </LivePart>
      {status.events.length === 0 ? null : (
        <LivePart target="log-lines" swap="beforeend">
          <LogLines events={status.events} />
        </LivePart>
      )}
    </>
  );
}
