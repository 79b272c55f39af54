import {
  livenessOf,
  type AgentLiveness,
  type RegisteredAgent,
} from "../../src/domain/registered-agent.ts";
import { StateBadge, type NodeState } from "./badge.tsx";
import { TimeAgo } from "./time.tsx";

const LIVENESS: Readonly<
  Record<AgentLiveness, { readonly state: NodeState; readonly label: string }>
> = {
  alive: { state: "succeeded", label: "Alive" },
  late: { state: "waiting", label: "Late" },
  dead: { state: "failed", label: "Dead" },
};

/** Registered agents, one below the other. */
export function AgentItems(props: { agents: readonly RegisteredAgent[]; now: number }) {
  if (props.agents.length === 0) return <p class="quiet">No agents have registered.</p>;
  return (
    <ul class="providers">
      {props.agents.map((agent) => (
        <Item agent={agent} now={props.now} />
      ))}
    </ul>
  );
}

function Item(props: { agent: RegisteredAgent; now: number }) {
  const { agent, now } = props;
  return (
    <li class="provider">
      <div class="card-head">
        <h3>{agent.name}</h3>
        <StateBadge {...LIVENESS[livenessOf(agent, now)]} />
      </div>
      <p class="sub">
        <code>{agent.url}</code> · heard <TimeAgo at={agent.heartbeatAt} now={now} />
        {agent.capabilities.length === 0 ? null : ` · ${agent.capabilities.join(", ")}`}
      </p>
    </li>
  );
}
