/** What agents remember: found, changed, forgotten. */
import type { ErrorRecord } from "../src/domain/error.ts";
import { type Memory, MEMORY_VALUE_CHARS_MAX } from "../src/domain/memory.ts";
import { MEMORY_SCOPES, type MemoryScope } from "../src/domain/workflow.ts";
import { Layout } from "./layout.tsx";
import { EmptyState } from "./part/empty-state.tsx";
import { ErrorBox } from "./part/error-box.tsx";
import { PostForm } from "./part/form.tsx";
import { Icon } from "./part/icon.tsx";
import { idPart, shortId } from "./part/id.ts";
import { Notice, UndoNotice } from "./part/notice.tsx";
import { formatCount } from "./part/number.ts";
import { PageHead } from "./part/panel.tsx";
import { SearchInput } from "./part/search-input.tsx";
import { dayText, TimeAgo } from "./part/time.tsx";
import { isWritable, type Shell } from "./shell.ts";

export interface MemoryFilter {
  readonly agent?: string | undefined;
  readonly scope?: MemoryScope | undefined;
  readonly search?: string | undefined;
  readonly before?: string | undefined;
}

export interface MemoryPageProps {
  readonly shell: Shell;
  readonly memories: readonly Memory[];
  readonly agents: readonly { readonly agent: string; readonly count: number }[];
  readonly filter: MemoryFilter;
  /** The place of the next, older page. */
  readonly next: string | undefined;
  /** What was just forgotten, while it can be put back. */
  readonly removed: Memory | undefined;
  readonly clearedCount: number | undefined;
  readonly error: ErrorRecord | undefined;
}

export const SCOPE_LABEL: Readonly<Record<MemoryScope, string>> = {
  agent: "All runs",
  workflow: "One run",
  node: "One step of a run",
};

export function MemoryPage(props: MemoryPageProps) {
  const { shell, memories } = props;
  return (
    <Layout shell={shell}>
      <PageHead crumb="System" title="Memory" />
      <p class="lead">
        What LLM nodes with <code>memory</code> have kept. It is put into their next prompts.
      </p>
      <Notices {...props} />
      <div class="column">
        <section class="panel" aria-label="Entries">
          <Filters {...props} />
          {memories.length === 0 ? (
            <Nothing filter={props.filter} />
          ) : (
            <ul class="node-list">
              {memories.map((memory) => (
                <Entry memory={memory} shell={shell} />
              ))}
            </ul>
          )}
          <Pager {...props} />
        </section>
        <Clearance {...props} />
      </div>
    </Layout>
  );
}

function Notices(props: MemoryPageProps) {
  const { shell, removed, clearedCount, error } = props;
  return (
    <>
      {error === undefined ? null : <ErrorBox error={error} />}
      {removed === undefined ? null : (
        <UndoNotice
          text={
            <>
              Forgotten: <b>{removed.key}</b>
            </>
          }
          id={removed.id}
          action="/memory/restorations"
          shell={shell}
        />
      )}
      {clearedCount === undefined ? null : (
        <Notice tone="info">{entries(clearedCount)} forgotten.</Notice>
      )}
    </>
  );
}

function Filters(props: MemoryPageProps) {
  const { filter, agents } = props;
  return (
    <form method="get" action="/memory" class="filters" role="search" aria-label="This list">
      <div class="search inline">
        <SearchInput
          id="memory-search"
          label="Search in what is remembered"
          value={filter.search ?? ""}
          placeholder="Words"
        />
      </div>
      <label for="memory-agent" class="sr">
        Workflow
      </label>
      <select id="memory-agent" name="agent" class="input">
        <option value="">All workflows</option>
        {agents.map(({ agent, count }) => (
          <option value={agent} selected={agent === filter.agent}>
            {agent} ({formatCount(count)})
          </option>
        ))}
      </select>
      <label for="memory-scope" class="sr">
        Shared by
      </label>
      <select id="memory-scope" name="scope" class="input">
        <option value="">Shared by any</option>
        {MEMORY_SCOPES.map((scope) => (
          <option value={scope} selected={scope === filter.scope}>
            {SCOPE_LABEL[scope]}
          </option>
        ))}
      </select>
      <button type="submit" class="btn ghost">
        Filter
      </button>
    </form>
  );
}

function Entry(props: { memory: Memory; shell: Shell }) {
  const { memory, shell } = props;
  const { namespace } = memory;
  return (
    <li class="node-item" id={entryId(memory)}>
      <div class="card-head">
        <h2 class="entry-title">{memory.key}</h2>
        <span class="sub">
          <TimeAgo at={memory.updatedAt} now={shell.now} />
        </span>
      </div>
      <p class="asked">{memory.value}</p>
      <ul class="facts">
        <li>
          <span class="fact-name">workflow</span>
          {namespace.agent}
        </li>
        <li>
          <span class="fact-name">shared by</span>
          {SCOPE_LABEL[namespace.scope].toLowerCase()}
          {namespace.nodeId === null ? null : <>, {namespace.nodeId}</>}
        </li>
        {namespace.runId === null ? null : (
          <li>
            <span class="fact-name">run</span>
            <a href={`/runs/${encodeURIComponent(namespace.runId)}`}>{shortId(namespace.runId)}</a>
          </li>
        )}
        {memory.expiresAt === null ? null : (
          <li>
            <span class="fact-name">kept until</span>
            {dayText(memory.expiresAt)}
          </li>
        )}
      </ul>
      {isWritable(shell) ? <EntryActions {...props} /> : null}
    </li>
  );
}

function EntryActions(props: { memory: Memory; shell: Shell }) {
  const { memory, shell } = props;
  const id = entryId(memory);
  const path = `/memory/${encodeURIComponent(memory.id)}`;
  return (
    <div class="actions">
      <details class="fold grow" id={`${id}-fold`}>
        <summary>
          <Icon name="chevron" size={12} />
          Change<span class="sr"> {memory.key}</span>
        </summary>
        <PostForm action={path} csrf={shell.csrf} class="stack">
          <label for={`${id}-value`} class="sr">
            New text of {memory.key}
          </label>
          <textarea
            id={`${id}-value`}
            name="value"
            class="input"
            rows={3}
            maxlength={MEMORY_VALUE_CHARS_MAX}
            required
          >
            {memory.value}
          </textarea>
          <div class="actions">
            <button type="submit" class="btn primary">
              Save
            </button>
          </div>
        </PostForm>
      </details>
      <PostForm action={`${path}/deletion`} csrf={shell.csrf}>
        <button type="submit" class="btn ghost">
          <Icon name="trash" size={14} />
          Forget<span class="sr"> {memory.key}</span>
        </button>
      </PostForm>
    </div>
  );
}

function entryId(memory: Memory): string {
  return `memory-${idPart(memory.id)}`;
}

function Nothing(props: { filter: MemoryFilter }) {
  const { agent, scope, search } = props.filter;
  if (agent !== undefined || scope !== undefined || search !== undefined)
    return (
      <EmptyState icon="search" title="Nothing matches" text="Try other words or another workflow.">
        <a class="btn ghost" href="/memory">
          Show everything
        </a>
      </EmptyState>
    );
  return (
    <EmptyState
      icon="spark"
      title="Nothing is remembered"
      text="Give an LLM node `memory: {enabled: true}`: what its runs learn is kept here and told to the next ones."
    >
      <a class="btn ghost" href="/workflows">
        Go to the workflows
      </a>
    </EmptyState>
  );
}

function Pager(props: MemoryPageProps) {
  const { filter, next } = props;
  if (filter.before === undefined && next === undefined) return null;
  return (
    <nav class="pager" aria-label="Pages">
      {filter.before === undefined ? null : (
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
  );
}

/** Forgets all that one workflow remembers; typed out, because it cannot be undone. */
function Clearance(props: MemoryPageProps) {
  const { shell, agents } = props;
  if (!isWritable(shell) || agents.length === 0) return null;
  return (
    <section class="panel" aria-labelledby="clear-h">
      <header class="panel-head">
        <h2 id="clear-h">Forget everything</h2>
      </header>
      <PostForm action="/memory/clearance" csrf={shell.csrf} class="filters">
        <label for="clear-agent">Of the workflow</label>
        <select id="clear-agent" name="agent" class="input" required>
          <option value="">Choose one</option>
          {agents.map(({ agent, count }) => (
            <option value={agent}>
              {agent} ({entries(count)})
            </option>
          ))}
        </select>
        <label class="tick">
          <input type="checkbox" name="sure" value="yes" required />
          This cannot be undone
        </label>
        <button type="submit" class="btn danger">
          <Icon name="trash" size={14} />
          Forget
        </button>
      </PostForm>
    </section>
  );
}

function entries(count: number): string {
  return `${formatCount(count)} ${count === 1 ? "entry" : "entries"}`;
}

function address(filter: MemoryFilter, before: string | undefined): string {
  const query = new URLSearchParams();
  if (filter.agent !== undefined) query.set("agent", filter.agent);
  if (filter.scope !== undefined) query.set("scope", filter.scope);
  if (filter.search !== undefined) query.set("search", filter.search);
  if (before !== undefined) query.set("before", before);
  const text = query.toString();
  return text === "" ? "/memory" : `/memory?${text}`;
}
