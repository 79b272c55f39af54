/** The status page and the parts of it that change while it is open. */
import type { Child } from "hono/jsx";
import type { StoredEvent } from "../src/domain/event.ts";
import type { Run } from "../src/domain/run.ts";
import { ACKNOWLEDGE_FORM, Alerts, alertsFace } from "./part/alerts.tsx";
import { Layout } from "./layout.tsx";
import { BannersPart, type BannerProps } from "./part/banner.tsx";
import { EmptyState } from "./part/empty-state.tsx";
import { PostForm } from "./part/form.tsx";
import { Icon } from "./part/icon.tsx";
import { LivePart } from "./part/live-part.tsx";
import { joinEvents, LogItems } from "./part/log.tsx";
import { MoreLink, PageHead, Panel, PauseButton } from "./part/panel.tsx";
import { RunList } from "./part/run-table.tsx";
import { ResourceList } from "./part/resource-list.tsx";
import { ServiceTable } from "./part/service-table.tsx";
import { statusTiles } from "./part/status-tiles.tsx";
import { RANGES, type Status } from "./part/status.ts";
import { TileItem } from "./part/tile.tsx";
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
      {isWritable(shell) ? (
        <PostForm action="/status/acknowledgements" csrf={shell.csrf} id={ACKNOWLEDGE_FORM}>
          <input type="hidden" name="range" value={status.range} />
        </PostForm>
      ) : null}
      <Alerts status={status} />
      <section class="tiles-wrap" aria-labelledby="tiles-h">
        <h2 id="tiles-h" class="sr">
          Key metrics
        </h2>
        <ul class="tiles">
          {statusTiles(status).map((tile) => (
            <TileItem tile={tile} />
          ))}
        </ul>
      </section>
      <div class="grid">
        <Panel
          id="runs-panel"
          title="Running and latest runs"
          class="p-runs"
          action={<MoreLink href="/runs" label="All runs" />}
        >
          <RunRows runs={status.runs} now={status.now} workflowCount={status.workflowCount} />
        </Panel>
        <LogPanel events={status.events} />
        <Panel
          id="services-panel"
          title="Services"
          class="p-services p-services-wide"
          action={<MoreLink href="/logs" label="Logs" />}
        >
          <ServiceTable services={status.services} now={status.now} />
        </Panel>
        <Panel id="resources-panel" title="System" note="last half hour" class="p-resources">
          <ResourceList samples={status.resources} queueDepth={status.queueDepth} />
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

/**
 * The newest runs, or what to do when there are none.
 *
 * @param props.workflowCount Undefined counts as some.
 */
export function RunRows(props: { runs: readonly Run[]; now: number; workflowCount?: number }) {
  return (
    <div id="runs" class="table-wrap">
      {props.runs.length > 0 ? (
        <RunList runs={props.runs} now={props.now} caption="Running and latest runs" />
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

/** How often a part may change, by what it tells of. */
export type StatusPace = "queue" | "workflows" | "agents" | "system";

/** A part of the page that changes while it is open. */
export interface StatusPart {
  readonly name: string;
  readonly pace: StatusPace;
  /** Two pictures with the same face are the same. */
  readonly face: string;
  readonly render: () => Child;
}

function toPart(name: string, pace: StatusPace, of: { face: unknown; view: Child }): StatusPart {
  return {
    name,
    pace,
    face: JSON.stringify(of.face),
    render: () => (
      <LivePart target={name} swap="outerMorph">
        {of.view}
      </LivePart>
    ),
  };
}

/**
 * The parts of the page that stand for a state, not the log.
 *
 * @param banners Without them those of the page stay.
 */
export function statusParts(status: Status, banners?: BannerProps): StatusPart[] {
  const { runs, services, now, workflowCount, resources, queueDepth } = status;
  const bannerParts: StatusPart[] =
    banners === undefined
      ? []
      : [
          {
            name: "banners",
            pace: "queue",
            face: JSON.stringify(banners),
            render: () => <BannersPart {...banners} />,
          },
        ];
  return [
    ...bannerParts,
    toPart("alerts", "queue", { face: alertsFace(status), view: <Alerts status={status} /> }),
    ...statusTiles(status).map((tile) =>
      toPart(`tile-${tile.id}`, tile.id === "active" ? "queue" : "workflows", {
        face: tile,
        view: <TileItem tile={tile} />,
      }),
    ),
    toPart("runs", "workflows", {
      face: [runs, workflowCount === 0],
      view: <RunRows runs={runs} now={now} workflowCount={workflowCount} />,
    }),
    toPart("services", "agents", {
      face: services,
      view: <ServiceTable services={services} now={now} />,
    }),
    toPart("resources", "system", {
      face: [resources.at(-1), resources.length],
      view: <ResourceList samples={resources} queueDepth={queueDepth} />,
    }),
  ];
}

/** Some parts, and lines that the log gets. */
export function StatusUpdate(props: {
  parts: readonly StatusPart[];
  events: readonly StoredEvent[];
}) {
  return (
    <>
      {props.parts.map((part) => part.render())}
      {props.events.length === 0 ? null : (
        <LivePart target="log-lines" swap="beforeend">
          <LogLines events={props.events} />
        </LivePart>
      )}
    </>
  );
}
