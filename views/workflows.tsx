/** All workflows with how their runs went, the examples, and the way to add one. */
import { RUN_STATES } from "../src/domain/run.ts";
import {
  type WorkflowFigures,
  type WorkflowListing,
  type WorkflowOrder,
} from "../src/domain/workflow.ts";
import { Layout } from "./layout.tsx";
import { STATE_LABEL, StateBadge } from "./part/badge.tsx";
import { formatDuration } from "./part/duration.ts";
import { EmptyState } from "./part/empty-state.tsx";
import { type ExampleCard, ExampleGallery } from "./part/example-gallery.tsx";
import { PostForm } from "./part/form.tsx";
import { Icon } from "./part/icon.tsx";
import { idPart } from "./part/id.ts";
import { formatCost } from "./part/money.ts";
import { Notice } from "./part/notice.tsx";
import { formatShort } from "./part/number.ts";
import { PageHead, Panel } from "./part/panel.tsx";
import { Success } from "./part/success.tsx";
import { SearchInput } from "./part/search-input.tsx";
import { TimeAgo } from "./part/time.tsx";
import { isWritable, type Shell } from "./shell.ts";

export interface WorkflowItem {
  readonly listing: WorkflowListing;
  readonly figures: WorkflowFigures;
  readonly nodeCount: number;
  readonly hasErrors: boolean;
}

/** What can be asked of the last run, and of the text. */
export const WORKFLOW_RESULTS = [...RUN_STATES, "never", "errors"] as const;
export type WorkflowResult = (typeof WORKFLOW_RESULTS)[number];

export interface WorkflowsFilter {
  readonly search: string;
  readonly result: WorkflowResult | undefined;
  readonly order: WorkflowOrder;
  /** Id of the last workflow of the page before; undefined on the first, which is the only live one. */
  readonly after: string | undefined;
}

export interface WorkflowsPageProps {
  readonly shell: Shell;
  readonly workflows: readonly WorkflowItem[];
  readonly filter: WorkflowsFilter;
  /** The place of the next page. */
  readonly next: string | undefined;
  readonly examples: readonly ExampleCard[];
  /** A notice of what has just been done. */
  readonly notice?: string | undefined;
}

export function WorkflowsPage(props: WorkflowsPageProps) {
  const { shell, workflows, filter } = props;
  const writable = isWritable(shell);
  const isFirstVisit = workflows.length === 0 && !isFiltered(filter);
  return (
    <Layout shell={shell}>
      <PageHead crumb="Monitor" title="Workflows">
        {writable ? (
          <>
            <UploadForm shell={shell} />
            <a class="btn primary" href="/workflows/new" hx-boost="false">
              <Icon name="plus" size={14} />
              New workflow
            </a>
          </>
        ) : null}
      </PageHead>
      {props.notice === undefined ? null : <Notice>{props.notice}</Notice>}
      <div class="column" {...(writable ? { "data-drop-for": "file" } : {})}>
        <section class="panel" aria-label="Workflows">
          {isFirstVisit ? null : <Filters filter={filter} />}
          <WorkflowTable {...props} />
        </section>
        {writable ? <Examples {...props} /> : null}
      </div>
    </Layout>
  );
}

/** A file that is all right is saved at once; any other opens in the editor. */
function UploadForm(props: { shell: Shell }) {
  return (
    <PostForm action="/workflows" csrf={props.shell.csrf} class="upload" multipart>
      <label for="file" class="sr">
        Workflow file, YAML or JSON
      </label>
      <input
        id="file"
        name="file"
        type="file"
        class="input file"
        required
        accept=".yaml,.yml,.json,application/yaml,application/json,text/yaml"
      />
      <button type="submit" class="btn ghost">
        <Icon name="upload" size={14} />
        Upload
      </button>
    </PostForm>
  );
}

const ORDER_LABEL: Record<WorkflowOrder, string> = {
  changed: "Last changed",
  name: "Name",
  run: "Last run",
  success: "Failing most",
  cost: "Dearest",
};

const RESULT_LABEL: Record<WorkflowResult, string> = {
  ...STATE_LABEL,
  never: "Never run",
  errors: "Text with errors",
};

function Filters(props: { filter: WorkflowsFilter }) {
  const { filter } = props;
  return (
    <form method="get" action="/workflows" class="filters" role="search" aria-label="Workflows">
      <div class="search inline">
        <SearchInput
          id="workflow-search"
          label="Search workflows"
          value={filter.search}
          placeholder="Search workflows"
        />
      </div>
      <label for="workflow-result" class="sr">
        Last result
      </label>
      <select id="workflow-result" name="result" class="input">
        <option value="">All results</option>
        {WORKFLOW_RESULTS.map((result) => (
          <option value={result} selected={result === filter.result}>
            {RESULT_LABEL[result]}
          </option>
        ))}
      </select>
      <label for="workflow-order" class="sr">
        Order
      </label>
      <select id="workflow-order" name="order" class="input">
        {Object.entries(ORDER_LABEL).map(([order, label]) => (
          <option value={order} selected={order === filter.order}>
            {label}
          </option>
        ))}
      </select>
      <button type="submit" class="btn ghost">
        Apply
      </button>
    </form>
  );
}

export function WorkflowTable(props: WorkflowsPageProps) {
  const { shell, workflows, filter, next } = props;
  const live = filter.after === undefined;
  return (
    <div
      id="workflow-table"
      class="table-wrap"
      {...(live
        ? {
            "hx-get": address(filter, undefined),
            "hx-trigger": "every 10s",
            "hx-select": "#workflow-table",
            "hx-swap": "outerMorph",
            "hx-status:4xx": "swap:none",
            "hx-status:5xx": "swap:none",
          }
        : {})}
    >
      {workflows.length === 0 ? (
        <Nothing filter={filter} writable={isWritable(shell)} />
      ) : (
        <WorkflowList {...props} />
      )}
      {live && next === undefined ? null : (
        <nav class="pager" aria-label="Pages">
          {live ? null : (
            <a class="btn ghost" href={address(filter, undefined)}>
              First
            </a>
          )}
          <span class="spacer"></span>
          {next === undefined ? null : (
            <a class="btn ghost" href={address(filter, next)} rel="next">
              More
              <Icon name="chevron" size={12} />
            </a>
          )}
        </nav>
      )}
    </div>
  );
}

export function WorkflowList(props: Pick<WorkflowsPageProps, "shell" | "workflows">) {
  return (
    <table class="runs flows">
      <caption class="sr">Workflows; success, runs, cost and time are of the last 30 days</caption>
      <thead>
        <tr>
          <th scope="col">Workflow</th>
          <th scope="col">Last result</th>
          <th scope="col">
            Success<span class="sr"> of the last 30 days</span>
          </th>
          <th scope="col" class="num">
            Runs<span class="sr"> of the last 30 days</span>
          </th>
          <th scope="col" class="num">
            Cost
          </th>
          <th scope="col" class="num">
            Time
          </th>
          <th scope="col" class="num c-nodes">
            Steps
          </th>
          <th scope="col">
            <span class="sr">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {props.workflows.map((item) => (
          <Row item={item} shell={props.shell} />
        ))}
      </tbody>
    </table>
  );
}

function Row(props: { item: WorkflowItem; shell: Shell }) {
  const { listing, figures, nodeCount, hasErrors } = props.item;
  const { now } = props.shell;
  const [last] = figures.recent;
  const ended = figures.succeeded + figures.failed + figures.cancelled;
  const path = `/workflows/${encodeURIComponent(listing.id)}`;
  return (
    <tr id={`workflow-${idPart(listing.id)}`}>
      <th scope="row" class="c-flow">
        <a href={path}>
          <span class="flow-name">{listing.name}</span>
        </a>
        {hasErrors ? <span class="tag bad">has errors</span> : null}
        <span class="sub">{listing.description ?? "No description."}</span>
      </th>
      <td class="c-state">
        {last === undefined ? (
          <span class="sub">Never run</span>
        ) : (
          <a href={`/runs/${encodeURIComponent(last.id)}`} class="last-run">
            <StateBadge state={last.state} />
            <span class="sub">
              <TimeAgo at={last.createdAt} now={now} />
            </span>
          </a>
        )}
      </td>
      <td class={last === undefined ? "c-success c-none" : "c-success"}>
        <Success figures={figures} />
      </td>
      <td class={figures.created === 0 ? "num c-count c-none" : "num c-count"}>
        {figures.created === 0 ? "–" : formatShort(figures.created)}
        <span class="cell-word"> {figures.created === 1 ? "run" : "runs"}</span>
      </td>
      <td class="num c-sum">{ended === 0 ? "–" : formatCost(figures.costNanoUsd)}</td>
      <td class="num c-took">{ended === 0 ? "–" : formatDuration(figures.durationMs / ended)}</td>
      <td class="num c-nodes">{nodeCount === 0 ? "–" : nodeCount}</td>
      <Actions item={props.item} path={path} writable={isWritable(props.shell)} />
    </tr>
  );
}

function Actions(props: { item: WorkflowItem; path: string; writable: boolean }) {
  const { path, writable } = props;
  const { name, id } = props.item.listing;
  return (
    <td class="c-actions">
      <div class="row-actions">
        {writable && !props.item.hasErrors ? (
          <a class="btn ghost small" href={`${path}#run`}>
            <Icon name="play" size={12} />
            Run<span class="sr"> {name}</span>
          </a>
        ) : null}
        {writable ? (
          <>
            <a class="icon-btn small" href={`${path}/edit`} title="Edit" hx-boost="false">
              <Icon name="edit" size={14} />
              <span class="sr">Edit {name}</span>
            </a>
            <a
              class="icon-btn small"
              href={`/workflows/new?from=${encodeURIComponent(id)}`}
              title="Duplicate"
              hx-boost="false"
            >
              <Icon name="copy" size={14} />
              <span class="sr">Duplicate {name}</span>
            </a>
          </>
        ) : null}
        <a class="icon-btn small" href={`${path}/file`} title="Download" hx-boost="false">
          <Icon name="download" size={14} />
          <span class="sr">Download {name}</span>
        </a>
      </div>
    </td>
  );
}

function Nothing(props: { filter: WorkflowsFilter; writable: boolean }) {
  if (isFiltered(props.filter))
    return (
      <EmptyState
        icon="search"
        title="No workflow matches"
        text="Try a part of another name, or another result."
      >
        <a class="btn ghost" href="/workflows">
          Show all
        </a>
      </EmptyState>
    );
  return (
    <EmptyState
      icon="workflows"
      title="No workflows yet"
      text="Describe one in words, write it, drop a YAML or JSON file here, or add an example and run it: examples work offline."
    >
      {props.writable ? (
        <>
          <a class="btn primary" href="/chat">
            <Icon name="chat" size={14} />
            Describe a workflow
          </a>
          <a class="btn ghost" href="/workflows/new" hx-boost="false">
            <Icon name="edit" size={14} />
            Write one
          </a>
        </>
      ) : null}
    </EmptyState>
  );
}

function Examples(props: WorkflowsPageProps) {
  if (props.examples.length === 0) return null;
  return (
    <Panel id="examples" title="Examples" note="ready to run, offline too">
      <div id="examples">
        <ExampleGallery
          examples={props.examples}
          action={({ name }) => (
            <PostForm
              action={`/workflows/examples/${encodeURIComponent(name)}`}
              csrf={props.shell.csrf}
            >
              <button type="submit" class="btn ghost small">
                <Icon name="plus" size={12} />
                Add<span class="sr"> example {name}</span>
              </button>
            </PostForm>
          )}
        />
      </div>
    </Panel>
  );
}

function isFiltered({ search, result, after }: WorkflowsFilter): boolean {
  return search !== "" || result !== undefined || after !== undefined;
}

function address(filter: WorkflowsFilter, after: string | undefined): string {
  const query = new URLSearchParams();
  if (filter.search !== "") query.set("search", filter.search);
  if (filter.result !== undefined) query.set("result", filter.result);
  if (filter.order !== "changed") query.set("order", filter.order);
  if (after !== undefined) query.set("after", after);
  const text = query.toString();
  return text === "" ? "/workflows" : `/workflows?${text}`;
}
