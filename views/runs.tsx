/** All runs: found by state, workflow, time, words and cost; chosen and worked on together. */
import { RUN_STATES, type RunState, type RunSummary } from "../src/domain/run.ts";
import { Layout } from "./layout.tsx";
import { StateIcon, STATE_LABEL } from "./part/badge.tsx";
import { EmptyState } from "./part/empty-state.tsx";
import { PostForm } from "./part/form.tsx";
import { Icon } from "./part/icon.tsx";
import { formatCount, formatShort } from "./part/number.ts";
import { PageHead, PauseButton } from "./part/panel.tsx";
import type { Progress } from "./part/run-progress.ts";
import { RunList } from "./part/run-table.tsx";
import {
  isFiltered,
  NO_QUERY,
  RUN_RANGES,
  runsAddress,
  runsParams,
  type RunsQuery,
} from "./part/runs-query.ts";
import { SearchInput } from "./part/search-input.tsx";
import { isWritable, type Shell } from "./shell.ts";

/** The form of the page that checkboxes of runs belong to. */
const BULK_FORM = "bulk-form";

export interface RunsPageProps {
  readonly shell: Shell;
  readonly runs: readonly RunSummary[];
  readonly query: RunsQuery;
  /** What of the query could not be read. */
  readonly problems: readonly string[];
  readonly counts: Readonly<Record<RunState, number>>;
  readonly workflows: readonly { readonly id: string; readonly name: string }[];
  /** The place of this page; undefined on the first, which is the only live one. */
  readonly before: string | undefined;
  /** The place of the next page. */
  readonly next: string | undefined;
  /** The place before which the page before this one ends. */
  readonly newer: string | undefined;
  /** Not all runs were looked at; `next` goes on. */
  readonly isPartial: boolean;
  /** Of the runs that go on, by id. */
  readonly progress: ReadonlyMap<string, Progress>;
  /** How many runs can be worked on together. */
  readonly bulkCountMax: number;
}

export function RunsPage(props: RunsPageProps) {
  const { shell, query } = props;
  return (
    <Layout shell={shell}>
      <PageHead crumb="Monitor" title="Runs">
        <PauseButton />
        <Exports query={query} />
        {isWritable(shell) ? (
          <a class="btn primary" href="/workflows">
            <Icon name="play" size={14} />
            Run a workflow
          </a>
        ) : null}
      </PageHead>
      <section class="panel runs-panel" aria-label="Runs">
        <StateChips {...props} />
        <Filters {...props} />
        <ActiveFilters {...props} />
        {isWritable(shell) ? <BulkBar {...props} /> : null}
        <RunTable {...props} />
      </section>
    </Layout>
  );
}

function Exports(props: { query: RunsQuery }) {
  const { query } = props;
  return (
    <div class="actions">
      {(["csv", "json"] as const).map((format) => (
        <a class="btn ghost" href={runsAddress(query, {}, `/runs/export.${format}`)} download="">
          <Icon name="download" size={14} />
          {format.toUpperCase()}
          <span class="sr"> file of all runs that match</span>
        </a>
      ))}
    </div>
  );
}

/** One chip for each state with how many runs are in it; several can be on. */
function StateChips(props: RunsPageProps) {
  const { query, counts } = props;
  const all = RUN_STATES.reduce((sum, state) => sum + counts[state], 0);
  return (
    <nav class="chips" aria-label="States" id="run-states">
      <Chip href={runsAddress({ ...query, states: [] })} isOn={query.states.length === 0}>
        All <ChipCount count={all} />
      </Chip>
      {RUN_STATES.map((state) => {
        const isOn = query.states.includes(state);
        const states = isOn
          ? query.states.filter((one) => one !== state)
          : RUN_STATES.filter((one) => one === state || query.states.includes(one));
        return (
          <Chip href={runsAddress({ ...query, states })} isOn={isOn}>
            <StateIcon state={state} />
            {STATE_LABEL[state]} <ChipCount count={counts[state]} />
          </Chip>
        );
      })}
    </nav>
  );
}

function Chip(props: { href: string; isOn: boolean; children?: unknown }) {
  return (
    <a class="chip" href={props.href} aria-current={props.isOn ? "true" : undefined}>
      {props.children}
    </a>
  );
}

function ChipCount(props: { count: number }) {
  return (
    <span class="chip-count num" title={formatCount(props.count)}>
      {formatShort(props.count)}
    </span>
  );
}

function Filters(props: RunsPageProps) {
  const { query, workflows } = props;
  return (
    <form method="get" action="/runs" class="filters" role="search" aria-label="This list">
      {query.states.map((state) => (
        <input type="hidden" name="state" value={state} />
      ))}
      <div class="search inline">
        <SearchInput
          id="run-search"
          label="Search by id, workflow or words of the inputs"
          value={query.search}
          placeholder="Id, workflow or input"
        />
      </div>
      <label for="run-workflow" class="sr">
        Workflow
      </label>
      <select id="run-workflow" name="workflow" class="input">
        <option value="">All workflows</option>
        {workflows.map(({ id, name }) => (
          <option value={id} selected={id === query.workflow}>
            {name}
          </option>
        ))}
      </select>
      <TimeFilter query={query} />
      <label class="cost-filter" for="run-cost">
        <span>
          Cost, at least<span class="sr"> in US dollars</span> $
        </span>
        <input
          id="run-cost"
          name="cost"
          class="input"
          type="number"
          min="0"
          step="any"
          inputmode="decimal"
          value={query.cost}
        />
      </label>
      <label for="run-order" class="sr">
        Order
      </label>
      <select id="run-order" name="order" class="input">
        <option value="">Newest first</option>
        <option value="dearest" selected={query.order === "dearest"}>
          Dearest first
        </option>
      </select>
      <button type="submit" class="btn ghost">
        Filter
      </button>
    </form>
  );
}

/** The fields of a range of one's own are shown when it is chosen. */
function TimeFilter(props: { query: RunsQuery }) {
  const { query } = props;
  return (
    <>
      <label for="run-range" class="sr">
        Created
      </label>
      <select id="run-range" name="range" class="input">
        <option value="">Any time</option>
        {Object.entries(RUN_RANGES).map(([name, { label }]) => (
          <option value={name} selected={name === query.range}>
            {label}
          </option>
        ))}
        <option value="custom" selected={query.range === "custom"}>
          From … to …
        </option>
      </select>
      <div class="time-range">
        {(["from", "to"] as const).map((name) => (
          <label for={`run-${name}`}>
            <span>{name === "from" ? "From" : "To"}</span>
            <input
              id={`run-${name}`}
              class="input"
              type="datetime-local"
              name={name}
              value={query[name]}
            />
          </label>
        ))}
      </div>
    </>
  );
}

/** What the list is narrowed by, each with a way to drop it. */
function ActiveFilters(props: RunsPageProps) {
  const { query, problems, workflows } = props;
  const workflow = workflows.find((one) => one.id === query.workflow)?.name ?? query.workflow;
  const active: [text: string, without: RunsQuery][] = [];
  if (query.search !== "") active.push([`“${query.search}”`, { ...query, search: "" }]);
  if (query.workflow !== "") active.push([workflow, { ...query, workflow: "" }]);
  if (query.range !== "") {
    active.push([rangeText(query), { ...query, range: "", from: "", to: "" }]);
  }
  if (query.cost !== "") active.push([`at least $${query.cost}`, { ...query, cost: "" }]);
  if (active.length === 0 && problems.length === 0) return null;
  return (
    <div class="active-filters">
      {problems.map((problem) => (
        <p class="field-error" role="alert">
          {problem}
        </p>
      ))}
      {active.length === 0 ? null : (
        <ul aria-label="Filters">
          {active.map(([text, without]) => (
            <li>
              <a class="chip" href={runsAddress(without)}>
                {text}
                <Icon name="close" size={12} />
                <span class="sr">: remove this filter</span>
              </a>
            </li>
          ))}
          <li>
            <a class="more" href="/runs">
              Clear all
            </a>
          </li>
        </ul>
      )}
    </div>
  );
}

function rangeText({ range, from, to }: RunsQuery): string {
  if (range !== "custom" && range !== "") return RUN_RANGES[range].label;
  if (from === "" && to === "") return "From … to …";
  if (from === "") return `before ${moment(to)}`;
  return to === "" ? `since ${moment(from)}` : `${moment(from)} to ${moment(to)}`;
}

function moment(text: string): string {
  return text.replace("T", " ");
}

const BULK_ACTIONS = [
  ["cancel", "stop", "Cancel"],
  ["resume", "play", "Go on"],
  ["rerun", "refresh", "Run again"],
  ["delete", "trash", "Delete"],
] as const;

/**
 * What can be done with the runs that are ticked. The style sheet shows it when one is; the checkboxes stand in
 * the table and name this form.
 */
function BulkBar(props: RunsPageProps) {
  const { shell, query, bulkCountMax } = props;
  return (
    <PostForm action="/runs/bulk" csrf={shell.csrf} class="bulk" id={BULK_FORM}>
      <input type="hidden" name="query" value={runsParams(query).toString()} />
      <p class="bulk-count" data-bulk-count>
        With the chosen runs
      </p>
      <div class="actions">
        {BULK_ACTIONS.map(([action, icon, label]) => (
          <button
            type="submit"
            class={action === "delete" ? "btn danger small" : "btn ghost small"}
            name="action"
            value={action}
          >
            <Icon name={icon} size={12} />
            {label}
          </button>
        ))}
        <button type="submit" class="btn ghost small" name="action" value="compare">
          <Icon name="copy" size={12} />
          Compare two
        </button>
      </div>
      <span class="spacer"></span>
      <label class="tick" for="bulk-all">
        <input type="checkbox" id="bulk-all" name="all" value="yes" />
        All that match
        <span class="sub">up to {formatCount(bulkCountMax)}</span>
      </label>
    </PostForm>
  );
}

/** The table with its links to other pages; the first page keeps itself up to date. */
export function RunTable(props: RunsPageProps) {
  const { shell, runs, query, before } = props;
  const live = before === undefined;
  return (
    <div
      id="run-table"
      class="table-wrap"
      {...(live
        ? {
            "hx-get": runsAddress(query),
            "hx-trigger": "every 5s, refresh",
            "hx-select": "#run-table",
            "hx-swap": "outerMorph",
            "hx-status:4xx": "swap:none",
            "hx-status:5xx": "swap:none",
          }
        : {})}
    >
      {runs.length === 0 ? (
        <NoRuns {...props} />
      ) : (
        <RunList
          runs={runs}
          now={shell.now}
          caption={
            query.order === "dearest" || query.cost !== ""
              ? "Runs, dearest first"
              : "Runs, newest first"
          }
          progress={props.progress}
          {...(isWritable(shell) ? { csrf: shell.csrf, choiceForm: BULK_FORM } : {})}
        />
      )}
      {props.isPartial && runs.length > 0 ? (
        <p class="quiet partial">
          <Icon name="info" size={14} /> Only a part of the runs was looked at.
        </p>
      ) : null}
      <Pager {...props} />
    </div>
  );
}

function Pager(props: RunsPageProps) {
  const { query, before, next, newer, isPartial } = props;
  if (before === undefined && next === undefined) return null;
  const later = query.order === "dearest" || query.cost !== "" ? "Cheaper" : "Older";
  const sooner = query.order === "dearest" || query.cost !== "" ? "Dearer" : "Newer";
  return (
    <nav class="pager" aria-label="Pages">
      {before === undefined ? null : (
        <div class="actions">
          <a class="btn ghost" href={runsAddress(query)}>
            First page
          </a>
          {newer === undefined ? null : (
            <a class="btn ghost" href={runsAddress(query, { after: newer })} rel="prev">
              {sooner}
            </a>
          )}
        </div>
      )}
      <span class="spacer"></span>
      {next === undefined ? null : (
        <a class="btn ghost" href={runsAddress(query, { before: next })} rel="next">
          {isPartial ? `Search ${later.toLowerCase()} runs` : later}
          <Icon name="chevron" size={12} />
        </a>
      )}
    </nav>
  );
}

function NoRuns(props: RunsPageProps) {
  const { query, isPartial, next, before } = props;
  if (isPartial && next !== undefined)
    return (
      <EmptyState
        icon="search"
        title="None found so far"
        text="Many runs match a part of the filters, and only some of them were looked at."
      >
        <a class="btn ghost" href={runsAddress(query, { before: next })}>
          Search on
        </a>
      </EmptyState>
    );
  if (isFiltered(query) || before !== undefined)
    return (
      <EmptyState
        icon="search"
        title="No run matches"
        text="Try another state or time, a word of the workflow's name or of the inputs, or a run's id."
      >
        <a class="btn ghost" href={runsAddress(NO_QUERY)}>
          Show all runs
        </a>
      </EmptyState>
    );
  return (
    <EmptyState
      icon="runs"
      title="No runs yet"
      text="Open a workflow, fill in its inputs and start it. Each run is kept here with its log, result and cost."
    >
      <a class="btn primary" href="/workflows">
        Choose a workflow
      </a>
    </EmptyState>
  );
}
