/** What all services and runs have said, in one place. */
import { Layout } from "./layout.tsx";
import { AnsiText } from "./part/ansi-text.tsx";
import type { BannerProps } from "./part/banner.tsx";
import { BannersPart } from "./part/banner.tsx";
import { EmptyState } from "./part/empty-state.tsx";
import { Icon } from "./part/icon.tsx";
import { shortId } from "./part/id.ts";
import { LivePart } from "./part/live-part.tsx";
import {
  type AnyLogLine,
  isLive,
  LOG_LEVELS,
  logsAddress,
  type LogsFilter,
} from "./part/log-line.ts";
import { PageHead, PauseButton } from "./part/panel.tsx";
import { SearchInput } from "./part/search-input.tsx";
import { clockText, DateTime, dayText } from "./part/time.tsx";
import type { Shell } from "./shell.ts";

/** How often the page loads itself again where there is no script. */
const REFRESH_SECONDS = 10;

export interface LogsPageProps {
  readonly shell: Shell;
  readonly filter: LogsFilter;
  readonly services: readonly string[];
  /** Newest first. */
  readonly lines: readonly AnyLogLine[];
  readonly next: string | undefined;
  readonly lookedToMs: number | undefined;
  /** Why what was typed is no time. */
  readonly fault: string | undefined;
}

export function LogsPage(props: LogsPageProps) {
  const { shell, filter } = props;
  const follows = isLive(filter) && filter.follows;
  const here = { ...filter, before: undefined };
  return (
    <Layout
      shell={shell}
      {...(follows
        ? {
            stream: logsAddress(here, "/logs/stream"),
            poll: logsAddress(here),
            refreshSeconds: REFRESH_SECONDS,
          }
        : {})}
    >
      <PageHead crumb="System" title="Logs">
        {follows ? <PauseButton /> : null}
        {isLive(filter) ? (
          <noscript>
            <a class="btn ghost" href={logsAddress({ ...here, follows: !filter.follows })}>
              {filter.follows ? "Stop following" : "Follow"}
            </a>
            <a class="btn ghost" href={logsAddress(here)}>
              Refresh
            </a>
          </noscript>
        ) : (
          <a class="btn ghost" href={logsAddress({ ...here, to: undefined })}>
            Newest
          </a>
        )}
        <a
          class="btn ghost"
          href={logsAddress(filter, "/logs.txt")}
          download="agents-logs.txt"
          hx-boost="false"
        >
          <Icon name="download" size={14} />
          Download
        </a>
      </PageHead>
      <section class="panel" aria-label="Lines">
        <Filters {...props} />
        {props.lines.length === 0 ? <Nothing {...props} /> : null}
        <Lines {...props} />
        <Pager {...props} />
      </section>
    </Layout>
  );
}

function Filters(props: LogsPageProps) {
  const { filter, services, fault } = props;
  return (
    <form method="get" action="/logs" class="filters logs-filters" role="search" aria-label="Lines">
      <div class="search inline">
        <SearchInput
          id="log-text"
          label="Search in lines"
          value={filter.text ?? ""}
          placeholder="Words, a step, a run"
        />
      </div>
      <label for="log-source" class="sr">
        Source
      </label>
      <select id="log-source" name="source" class="input">
        <option value="">Services and runs</option>
        <option value="services" selected={filter.source === "services"}>
          All services
        </option>
        <option value="runs" selected={filter.source === "runs"}>
          All runs
        </option>
        {services.map((service) => (
          <option value={service} selected={filter.source === service}>
            {service}
          </option>
        ))}
      </select>
      <label for="log-level" class="sr">
        Level
      </label>
      <select id="log-level" name="level" class="input">
        {LOG_LEVELS.map((level) => (
          <option
            value={level === "debug" ? "" : level}
            selected={level === (filter.level ?? "debug")}
          >
            {LEVEL_LABEL[level]}
          </option>
        ))}
      </select>
      {filter.runId === undefined ? null : (
        <>
          <label for="log-run" class="sr">
            Run
          </label>
          <select id="log-run" name="run" class="input">
            <option value={filter.runId}>Run {shortId(filter.runId)}</option>
            <option value="">Any run</option>
          </select>
        </>
      )}
      <Times filter={filter} fault={fault} />
      <button type="submit" class="btn ghost">
        Filter
      </button>
      {fault === undefined ? null : (
        <p class="field-error" id="log-fault">
          {fault}
        </p>
      )}
    </form>
  );
}

function Times(props: Pick<LogsPageProps, "filter" | "fault">) {
  const { filter, fault } = props;
  return (
    <>
      <label class="log-time">
        <span>From</span>
        <input type="datetime-local" name="from" class="input" value={filter.from ?? ""} />
      </label>
      <label class="log-time">
        <span>To</span>
        <input
          type="datetime-local"

          name="to"
          class="input"
          value={filter.to ?? ""}
          aria-invalid={fault === undefined ? undefined : "true"}
          aria-describedby={fault === undefined ? undefined : "log-fault"}
        />
      </label>
    </>
  );
}

const LEVEL_LABEL = {
  debug: "All levels",
  info: "Info and worse",
  warn: "Warnings and errors",
  error: "Errors",
};

function Lines(props: LogsPageProps) {
  return (
    <div class="log tall all" tabindex={0} role="region" aria-label="Log lines, newest last">
      <ol id="log-lines" data-log>
        <LogsLines lines={props.lines} />
      </ol>
    </div>
  );
}

/** Lines for `#log-lines`, newest last. @param props.lines Newest first. */
export function LogsLines(props: { lines: readonly AnyLogLine[] }) {
  return (
    <>
      {props.lines.toReversed().map((line) => (
        <Line line={line} />
      ))}
    </>
  );
}

function Line(props: { line: AnyLogLine }) {
  const { id, at, level, service, runId, step, text } = props.line;
  return (
    <li id={id} class={`l-${level}`}>
      <time datetime={new Date(at).toISOString()} title={`${dayText(at)} ${clockText(at)}`}>
        {clockText(at)}
      </time>
      <span class="lvl">{level}</span>
      <span class="msg">
        {service === undefined ? null : <b class="src">{service}</b>}
        {runId === undefined ? null : (
          <a class="src" href={`/runs/${encodeURIComponent(runId)}`}>
            {shortId(runId)}
          </a>
        )}{" "}
        {step === undefined ? null : <b class="src">{step} </b>}
        <AnsiText text={text} />
      </span>
    </li>
  );
}

function Nothing(props: LogsPageProps) {
  const { filter, lookedToMs } = props;
  const isFiltered = logsAddress({ ...filter, follows: true, before: undefined }) !== "/logs";
  if (lookedToMs !== undefined) return null;
  return (
    <EmptyState
      icon={isFiltered ? "search" : "logs"}
      title={isFiltered ? "No line matches" : "No lines yet"}
      text={
        isFiltered
          ? "Try other words, a longer time, another source or all levels."
          : "Services write here when they start, and runs with every step. Lines appear as they come."
      }
    >
      {isFiltered ? (
        <a class="btn ghost" href="/logs">
          Show all lines
        </a>
      ) : (
        <a class="btn primary" href="/workflows">
          Choose a workflow
        </a>
      )}
    </EmptyState>
  );
}

function Pager(props: LogsPageProps) {
  const { filter, next, lookedToMs, lines } = props;
  const oldest = lines.at(-1);
  if (next === undefined && filter.before === undefined) return null;
  return (
    <nav class="pager" aria-label="Pages">
      {filter.before === undefined ? null : (
        <a class="btn ghost" href={logsAddress({ ...filter, before: undefined })}>
          Newest
        </a>
      )}
      <p class="sub">
        {lookedToMs === undefined ? (
          oldest === undefined ? null : (
            <>
              Back to <DateTime at={oldest.at} />
            </>
          )
        ) : (
          <>
            Looked through back to <DateTime at={lookedToMs} />
          </>
        )}
      </p>
      <span class="spacer"></span>
      {next === undefined ? null : (
        <a class="btn ghost" href={logsAddress({ ...filter, before: next })} rel="next">
          {lookedToMs === undefined ? "Older" : "Search further back"}
          <Icon name="chevron" size={12} />
        </a>
      )}
    </nav>
  );
}

/** A message of the stream, or what a page asks for that has lost it: lines to be added. */
export function LogsUpdate(props: { lines: readonly AnyLogLine[]; banners: BannerProps }) {
  return (
    <>
      <BannersPart {...props.banners} />
      {props.lines.length === 0 ? null : (
        <LivePart target="log-lines" swap="beforeend">
          <LogsLines lines={props.lines} />
        </LivePart>
      )}
    </>
  );
}
