/** Registered agents and how they are. */
import {
  type AgentLiveness,
  livenessOf,
  type RegisteredAgent,
} from "../../src/domain/registered-agent.ts";
import type { NodeState } from "./badge.tsx";
import { StateBadge } from "./badge.tsx";
import { formatDuration } from "./duration.ts";
import { PostForm } from "./form.tsx";
import { Icon } from "./icon.tsx";
import { idPart } from "./id.ts";
import { safeUrl } from "./link.ts";
import { TimeAgo } from "./time.tsx";

const LIVENESS: Readonly<Record<AgentLiveness, { state: NodeState; label: string }>> = {
  alive: { state: "succeeded", label: "Alive" },
  late: { state: "waiting", label: "Late" },
  dead: { state: "failed", label: "Dead" },
};

export function AgentBadge(props: { agent: RegisteredAgent; now: number }) {
  const { state, label } = LIVENESS[livenessOf(props.agent, props.now)];
  return <StateBadge state={state} label={label} />;
}

/** How long ago the last heartbeat was; `client.js` counts on. */
export function HeartbeatAge(props: { agent: RegisteredAgent; now: number }) {
  const { heartbeatAt } = props.agent;
  return (
    <span class="heartbeat">
      <span data-since={heartbeatAt}>{formatDuration(props.now - heartbeatAt)}</span> ago
    </span>
  );
}

export function AgentAddress(props: { url: string }) {
  const url = safeUrl(props.url);
  if (url === undefined) return <code>{props.url}</code>;
  return (
    <a href={url} rel="noopener noreferrer" class="plain-link">
      {url.replace(/^http:\/\//, "")}
    </a>
  );
}

export function Capabilities(props: { capabilities: readonly string[] }) {
  if (props.capabilities.length === 0) return <span class="sub">none told</span>;
  return (
    <ul class="capabilities">
      {props.capabilities.map((capability) => (
        <li>{capability}</li>
      ))}
    </ul>
  );
}

/** With `csrf` each can be asked and removed. */
export function AgentTable(props: {
  agents: readonly RegisteredAgent[];
  now: number;
  csrf: string | undefined;
}) {
  const { csrf } = props;
  return (
    <table class="runs agents">
      <caption class="sr">Registered agents by name</caption>
      <thead>
        <tr>
          <th scope="col">Agent</th>
          <th scope="col">State</th>
          <th scope="col">Capabilities</th>
          <th scope="col" class="num">
            Heartbeat
          </th>
          <th scope="col" class="num c-at">
            Registered
          </th>
          {csrf === undefined ? null : (
            <th scope="col">
              <span class="sr">Actions</span>
            </th>
          )}
        </tr>
      </thead>
      <tbody>
        {props.agents.map((agent) => (
          <Row agent={agent} now={props.now} csrf={csrf} />
        ))}
      </tbody>
    </table>
  );
}

function Row(props: { agent: RegisteredAgent; now: number; csrf: string | undefined }) {
  const { agent, now, csrf } = props;
  return (
    <tr id={`agent-${idPart(agent.id)}`}>
      <th scope="row" class="c-flow">
        <a href={agentPath(agent)}>
          <Icon name="agents" />
          <span class="flow-name">{agent.name}</span>
        </a>
        <span class="sub">
          <AgentAddress url={agent.url} />
        </span>
      </th>
      <td class="c-state">
        <AgentBadge agent={agent} now={now} />
      </td>
      <td class="c-can">
        <Capabilities capabilities={agent.capabilities} />
      </td>
      <td class="num c-beat">
        <HeartbeatAge agent={agent} now={now} />
        <span class="sub">of {formatDuration(agent.ttlSeconds * 1_000)}</span>
      </td>
      <td class="num c-at">
        <TimeAgo at={agent.registeredAt} now={now} />
      </td>
      {csrf === undefined ? null : (
        <td class="c-actions">
          <AgentActions agent={agent} csrf={csrf} small />
        </td>
      )}
    </tr>
  );
}

export function AgentActions(props: { agent: RegisteredAgent; csrf: string; small?: boolean }) {
  const { agent, csrf, small } = props;
  const path = agentPath(agent);
  const size = small === true ? "btn ghost small" : "btn ghost";
  return (
    <div class="actions">
      <PostForm action={`${path}/checks`} csrf={csrf}>
        <button type="submit" class={size} id={`check-${idPart(agent.id)}`}>
          <Icon name="refresh" size={12} />
          Check<span class="sr"> {agent.name}</span>
        </button>
      </PostForm>
      <PostForm action={`${path}/deletion`} csrf={csrf}>
        <button type="submit" class={size} id={`remove-${idPart(agent.id)}`}>
          <Icon name="trash" size={12} />
          Remove<span class="sr"> {agent.name}</span>
        </button>
      </PostForm>
    </div>
  );
}

export function agentPath(agent: Pick<RegisteredAgent, "id">): string {
  return `/agents/${encodeURIComponent(agent.id)}`;
}
