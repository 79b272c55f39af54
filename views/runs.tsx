/** All runs, newest first. */
import { RUN_STATES, type Run, type RunState } from "../src/domain/run.ts";
import { Layout } from "./layout.tsx";
import { STATE_LABEL } from "./part/badge.tsx";
import { EmptyState } from "./part/empty-state.tsx";
import { Icon } from "./part/icon.tsx";
import { PageHead, PauseButton } from "./part/panel.tsx";
import { RunList } from "./part/run-table.tsx";
import { SearchInput } from "./part/search-input.tsx";
import { isWritable, type Shell } from "./shell.ts";

export interface RunsFilter {
  readonly state?: RunState | undefined;
  readonly search?: string | undefined;
  /** The keyset place of this page; undefined on the first, which is the only live one. */
  readonly before?: string | undefined;
}

export interface RunsPageProps {
  readonly shell: Shell;
  readonly runs: readonly Run[];
  readonly filter: RunsFilter;
  /** The place of the next, older page. */
  readonly next: string | undefined;
}

export function RunsPage(props: RunsPageProps) {
  const { shell, filter } = props;
  return (
    <Layout shell={shell}>
      <PageHead crumb="Monitor" title="Runs">
        <PauseButton />
        {isWritable(shell) ? (
          <a class="btn primary" href="/workflows">
            <Icon name="play" size={14} />
            Run a workflow
          </a>
        ) : null}
      </PageHead>
      <section class="panel" aria-label="Runs">
        <form method="get" action="/runs" class="filters" role="search" aria-label="This list">
          <div class="search inline">
            <SearchInput
              id="run-search"
              label="Search by id or workflow"
              value={filter.search ?? ""}
              placeholder="Id or workflow"
            />
          </div>
          <label for="run-state" class="sr">
            State
          </label>
          <select id="run-state" name="state" class="input">
            <option value="">All states</option>
            {RUN_STATES.map((state) => (
              <option value={state} selected={state === filter.state}>
                {STATE_LABEL[state]}
              </option>
            ))}
          </select>
          <button type="submit" class="btn ghost">
            Filter
          </button>
        </form>
        <RunTable {...props} />
      </section>
    </Layout>
  );
}

/** The table with its links to older pages; the first page keeps itself up to date. */
export function RunTable(props: RunsPageProps) {
  const { shell, runs, filter, next } = props;
  const live = filter.before === undefined;
  return (
    <div
      id="run-table"
      class="table-wrap"
      {...(live
        ? {
            "hx-get": address(filter, undefined),
            "hx-trigger": "every 5s",
            "hx-select": "#run-table",
            "hx-swap": "outerMorph",
            "hx-status:4xx": "swap:none",
            "hx-status:5xx": "swap:none",
          }
        : {})}
    >
      {runs.length === 0 ? (
        <NoRuns filter={filter} />
      ) : (
        <RunList
          runs={runs}
          now={shell.now}
          caption="Runs, newest first"
          csrf={isWritable(shell) ? shell.csrf : undefined}
        />
      )}
      {live && next === undefined ? null : (
        <nav class="pager" aria-label="Pages">
          {live ? null : (
            <a class="btn ghost" href={address(filter, undefined)}>
              Newest
            </a>
          )}
          <span class="spacer"></span>
          {next === undefined ? null : (
            <a class="btn ghost" href={address(filter, next)} rel="next">
              Older
              <Icon name="chevron" size={12} />
            </a>
          )}
        </nav>
      )}
    </div>
  );
}

function NoRuns(props: { filter: RunsFilter }) {
  const { state, search } = props.filter;
  if (state !== undefined || (search ?? "") !== "")
    return (
      <EmptyState
        icon="search"
        title="No run matches"
        text="Try another state, a part of the workflow's name, or a run's id."
      >
        <a class="btn ghost" href="/runs">
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

function address(filter: RunsFilter, before: string | undefined): string {
  const query = new URLSearchParams();
  if (filter.state !== undefined) query.set("state", filter.state);
  if (filter.search !== undefined && filter.search !== "") query.set("search", filter.search);
  if (before !== undefined) query.set("before", before);
  const text = query.toString();
  return text === "" ? "/runs" : `/runs?${text}`;
}
