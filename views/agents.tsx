/** Agents elsewhere: which there are, whether they are alive, and how one is registered. */
import type { JSX } from "hono/jsx/jsx-runtime";
import type { ErrorRecord } from "../src/domain/error.ts";
import { AGENT_TTL_SECONDS_MAX, type RegisteredAgent } from "../src/domain/registered-agent.ts";
import { defined } from "../src/lib/defined.ts";
import { Layout } from "./layout.tsx";
import { AgentTable } from "./part/agent-list.tsx";
import { BannersPart, type BannerProps } from "./part/banner.tsx";
import { CopyButton } from "./part/code.tsx";
import { EmptyState } from "./part/empty-state.tsx";
import { ErrorBox } from "./part/error-box.tsx";
import { describe, Field, type FieldProps, PostForm } from "./part/form.tsx";
import { Icon } from "./part/icon.tsx";
import { LivePart } from "./part/live-part.tsx";
import { UndoNotice } from "./part/notice.tsx";
import { PageHead, Panel, PauseButton } from "./part/panel.tsx";
import { SearchInput } from "./part/search-input.tsx";
import { isWritable, type Shell } from "./shell.ts";

/** Without script the list is fetched anew this often. */
const REFRESH_SECONDS = 10;

export interface AgentsFilter {
  readonly search?: string | undefined;
  /** The keyset place of this page; undefined on the first. */
  readonly after?: string | undefined;
}

/** What the form holds: as it was sent, when it was refused. */
export interface AgentDraft {
  readonly name: string;
  readonly url: string;
  readonly capabilities: string;
  readonly ttlSeconds: string;
}

export interface AgentListProps {
  readonly agents: readonly RegisteredAgent[];
  readonly filter: AgentsFilter;
  readonly next: string | undefined;
  readonly now: number;
  /** Undefined where nothing can be written. */
  readonly csrf: string | undefined;
  /** Where this server answers, for the example. */
  readonly origin: string;
}

export interface AgentsPageProps extends Omit<AgentListProps, "now" | "csrf"> {
  readonly shell: Shell;
  /** Id and name of what was just removed, while it can be put back. */
  readonly removed: Pick<RegisteredAgent, "id" | "name"> | undefined;
  readonly draft: AgentDraft;
  readonly error: ErrorRecord | undefined;
}

export function AgentsPage(props: AgentsPageProps) {
  const { shell, filter, error } = props;
  const query = queryOf(filter, filter.after);
  const csrf = isWritable(shell) ? shell.csrf : undefined;
  return (
    <Layout
      shell={shell}
      stream={`/agents/stream${query}`}
      poll={`/agents${query}`}
      // What is being typed must stay.
      {...(error === undefined ? { refreshSeconds: REFRESH_SECONDS } : {})}
    >
      <PageHead crumb="Monitor" title="Agents">
        <PauseButton />
        {csrf === undefined ? null : (
          <a class="btn primary" href="#register">
            <Icon name="plus" size={14} />
            Register
          </a>
        )}
      </PageHead>
      <p class="lead">
        Agents that run elsewhere and say by heartbeats that they are alive. Steps of the kind{" "}
        <code>agent</code> call them by their address.
      </p>
      <Removed {...props} />
      <div class="column">
        <section class="panel" aria-label="Registered agents">
          <form method="get" action="/agents" class="filters" role="search" aria-label="This list">
            <div class="search inline">
              <SearchInput
                id="agent-search"
                label="Search by name, address or capability"
                value={filter.search ?? ""}
                placeholder="Name, address or capability"
              />
            </div>
            <button type="submit" class="btn ghost">
              Search
            </button>
          </form>
          <AgentRows {...props} now={shell.now} csrf={csrf} />
        </section>
        {csrf === undefined ? null : <Registration {...props} />}
      </div>
    </Layout>
  );
}

function Removed(props: AgentsPageProps) {
  const { shell, removed } = props;
  if (removed === undefined) return null;
  return (
    <UndoNotice
      text={
        <>
          Removed: <b>{removed.name}</b>
        </>
      }
      id={removed.id}
      action="/agents/restorations"
      shell={shell}
    />
  );
}

/** The live part: the list with its links to other pages. */
export function AgentRows(props: AgentListProps) {
  const { agents, filter, next } = props;
  return (
    <div id="agents" class="table-wrap">
      {agents.length === 0 ? (
        <NoAgents {...props} />
      ) : (
        <AgentTable agents={agents} now={props.now} csrf={props.csrf} />
      )}
      {filter.after === undefined && next === undefined ? null : (
        <nav class="pager" aria-label="Pages">
          {filter.after === undefined ? null : (
            <a class="btn ghost" href={`/agents${queryOf(filter, undefined)}`}>
              First
            </a>
          )}
          <span class="spacer"></span>
          {next === undefined ? null : (
            <a class="btn ghost" href={`/agents${queryOf(filter, next)}`} rel="next">
              Next
              <Icon name="chevron" size={12} />
            </a>
          )}
        </nav>
      )}
    </div>
  );
}

/** A whole message of the stream. */
export function AgentsUpdate(props: { list: AgentListProps; banners: BannerProps }) {
  return (
    <>
      <BannersPart {...props.banners} />
      <LivePart target="agents" swap="outerMorph">
        <AgentRows {...props.list} />
      </LivePart>
    </>
  );
}

function NoAgents(props: AgentListProps) {
  const { search, after } = props.filter;
  if (search !== undefined || after !== undefined)
    return (
      <EmptyState icon="search" title="No agent matches" text="Try another word.">
        <a class="btn ghost" href="/agents">
          Show all agents
        </a>
      </EmptyState>
    );
  return (
    <EmptyState
      icon="agents"
      title="No agents yet"
      text="An agent registers itself when it starts, then beats at least twice in its time. Or register one by hand below."
    >
      <Example origin={props.origin} />
    </EmptyState>
  );
}

function Example(props: { origin: string }) {
  return (
    <div class="value-box example-call">
      <pre class="value" id="register-example" tabindex={0}>
        {[
          `curl ${props.origin}/agents/register \\`,
          `  -H 'Content-Type: application/json' \\`,
          `  -d '{"agent_id":"helper-1","agent_name":"Helper","host":"127.0.0.1","port":8000}'`,
          `curl -X POST ${props.origin}/agents/helper-1/heartbeat`,
        ].join("\n")}
      </pre>
      <CopyButton target="register-example" label="the example" />
    </div>
  );
}

function Registration(props: AgentsPageProps) {
  const { shell, error } = props;
  return (
    <Panel id="register" title="Register an agent">
      <PostForm
        action="/agents/register"
        csrf={shell.csrf}
        class="stack pad register"
        id="register"
      >
        {error === undefined ? null : (
          <div role="alert">
            <ErrorBox error={error} />
          </div>
        )}
        <div class="pair">
          <Fields draft={props.draft} />
        </div>
        <div class="actions">
          <button type="submit" class="btn primary">
            Register
          </button>
        </div>
      </PostForm>
    </Panel>
  );
}

function Fields(props: { draft: AgentDraft }) {
  const { draft } = props;
  return (
    <>
      <Input id="agent-name" name="name" label="Name" value={draft.name} maxlength={256} required />
      <Input
        id="agent-url"
        name="url"
        type="url"
        label="Address"
        hint="Where it answers: its own address, without /health or /run."
        value={draft.url}
        placeholder="http://127.0.0.1:8000"
        maxlength={2048}
        required
      />
      <Input
        id="agent-can"
        name="capabilities"
        label="Capabilities"
        hint="Separated by commas."
        value={draft.capabilities}
      />
      <Input
        id="agent-ttl"
        name="ttl_seconds"
        type="number"
        label="Time to live"
        note="seconds"
        hint={`Without a heartbeat for so long it counts as dead. At most ${AGENT_TTL_SECONDS_MAX}.`}
        value={draft.ttlSeconds}
        min={1}
        max={AGENT_TTL_SECONDS_MAX}
        required
      />
    </>
  );
}

function Input(
  props: Pick<FieldProps, "id" | "label" | "hint" | "note"> &
    JSX.IntrinsicElements["input"] & { id: string; required?: boolean },
) {
  const { label, hint, note, id, required = false, ...rest } = props;
  return (
    <Field id={id} label={label} required={required} {...defined({ hint, note })}>
      <input
        id={id}
        class="input"
        autocomplete="off"
        required={required}
        {...rest}
        {...describe({ id, hint })}
      />
    </Field>
  );
}

function queryOf({ search }: AgentsFilter, after: string | undefined): string {
  const query = new URLSearchParams();
  if (search !== undefined) query.set("search", search);
  if (after !== undefined) query.set("after", after);
  const text = query.toString();
  return text === "" ? "" : `?${text}`;
}
