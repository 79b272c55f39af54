/** One registered agent: how it is, what it said of itself, and which workflows call it. */
import { type RegisteredAgent, isByHand } from "../src/domain/registered-agent.ts";
import { Layout } from "./layout.tsx";
import {
  AgentActions,
  AgentAddress,
  AgentBadge,
  Capabilities,
  HeartbeatAge,
} from "./part/agent-list.tsx";
import { BannersPart, type BannerProps } from "./part/banner.tsx";
import { CopyButton, Value } from "./part/code.tsx";
import { formatDuration } from "./part/duration.ts";
import { Icon } from "./part/icon.tsx";
import { InlineText } from "./part/inline-text.tsx";
import { LivePart } from "./part/live-part.tsx";
import { safeUrl } from "./part/link.ts";
import { PageHead, Panel, PauseButton } from "./part/panel.tsx";
import { DateTime, TimeAgo } from "./part/time.tsx";
import { isWritable, type Shell } from "./shell.ts";

const REFRESH_SECONDS = 10;

/** What a request to the agent has shown. */
export interface AgentCheck {
  readonly ok: boolean;
  readonly message: string;
  readonly at: number;
  /** Its documentation or card, where the check found one. */
  readonly docs: string | null;
}

export interface AgentDetail {
  readonly agent: RegisteredAgent;
  readonly check: AgentCheck | undefined;
  readonly now: number;
}

export interface AgentPageProps extends Omit<AgentDetail, "now"> {
  readonly shell: Shell;
  /** Those whose last version calls it. */
  readonly workflows: readonly { readonly id: string; readonly name: string }[];
}

export function AgentPage(props: AgentPageProps) {
  const { shell, agent, workflows } = props;
  const path = `/agents/${encodeURIComponent(agent.id)}`;
  return (
    <Layout
      shell={shell}
      stream={`/agents/stream?id=${encodeURIComponent(agent.id)}`}
      poll={path}
      refreshSeconds={REFRESH_SECONDS}
    >
      <PageHead crumb={<a href="/agents">Agents</a>} title={agent.name}>
        <PauseButton />
        {isWritable(shell) ? <AgentActions agent={agent} csrf={shell.csrf} /> : null}
      </PageHead>
      <div class="grid">
        <div class="p-main">
          <AgentState {...props} now={shell.now} />
          <Panel
            id="metadata"
            title="Metadata"
            action={<CopyButton target="agent-metadata" label="the metadata" />}
          >
            <div class="values">
              <Value value={agent.metadata} id="agent-metadata" />
            </div>
          </Panel>
        </div>
        <div class="p-side">
          <Panel id="agent-use" title="Used by">
            {workflows.length === 0 ? (
              <p class="quiet">No workflow names it or its address.</p>
            ) : (
              <ul class="rows">
                {workflows.map(({ id, name }) => (
                  <li>
                    <a class="plain-link cut" href={`/workflows/${encodeURIComponent(id)}`}>
                      {name}
                    </a>
                  </li>
                ))}
              </ul>
            )}
          </Panel>
          <Panel id="agent-call" title="Call it from a workflow">
            <div class="values">
              <div class="value-box">
                <pre class="value" id="agent-node" tabindex={0}>
                  {nodeText(agent)}
                </pre>
                <CopyButton target="agent-node" label="the node" />
              </div>
            </div>
          </Panel>
        </div>
      </div>
    </Layout>
  );
}

function nodeText(agent: RegisteredAgent): string {
  return [
    "- id: ask",
    "  agent:",
    `    name: ${JSON.stringify(agent.id)}`,
    '  prompt: "{question}"',
    "  outputs: [answer]",
  ].join("\n");
}

/** The live part. */
function AgentState(props: AgentDetail) {
  const { agent, now } = props;
  return (
    <section class="panel" id="agent-state" aria-labelledby="agent-state-h">
      <header class="panel-head">
        <h2 id="agent-state-h">State</h2>
        <span class="spacer"></span>
        <AgentBadge agent={agent} now={now} />
      </header>
      <dl class="pairs">
        <div>
          <dt>Address</dt>
          <dd>
            <AgentAddress url={agent.url} />
          </dd>
        </div>
        <div>
          <dt>Last heartbeat</dt>
          <dd>
            <HeartbeatAge agent={agent} now={now} />
            <span class="sub"> · counts for {formatDuration(agent.ttlSeconds * 1_000)}</span>
          </dd>
        </div>
        <div>
          <dt>Registered</dt>
          <dd>
            <DateTime at={agent.registeredAt} />
            <span class="sub">{isByHand(agent) ? " · by hand" : " · by itself"}</span>
          </dd>
        </div>
        <div>
          <dt>Id</dt>
          <dd>
            <code>{agent.id}</code>
          </dd>
        </div>
        <div>
          <dt>Capabilities</dt>
          <dd>
            <Capabilities capabilities={agent.capabilities} />
          </dd>
        </div>
        <CheckRow {...props} />
      </dl>
      {isByHand(agent) ? (
        <p class="quiet">
          Registered by hand: a check that is answered counts as a heartbeat, and it stays until it
          is removed.
        </p>
      ) : null}
    </section>
  );
}

function CheckRow(props: AgentDetail) {
  const { check, now } = props;
  if (check === undefined) return null;
  const docs = safeUrl(check.docs);
  return (
    <div>
      <dt>Last check</dt>
      <dd>
        <p class={check.ok ? "check-result ok" : "check-result failed"}>
          <Icon name={check.ok ? "check" : "critical"} size={14} />
          <span>
            <span class="sr">{check.ok ? "Check passed: " : "Check failed: "}</span>
            <InlineText text={check.message} />
          </span>
        </p>
        <span class="sub">
          <TimeAgo at={check.at} now={now} />
        </span>
        {docs === undefined ? null : (
          <>
            {" · "}
            <a href={docs} class="plain-link" rel="noopener noreferrer">
              What it says of itself
            </a>
          </>
        )}
      </dd>
    </div>
  );
}

/** A whole message of the stream. */
export function AgentUpdate(props: AgentDetail & { banners: BannerProps }) {
  return (
    <>
      <BannersPart {...props.banners} />
      <LivePart target="agent-state" swap="outerMorph">
        <AgentState {...props} />
      </LivePart>
    </>
  );
}
