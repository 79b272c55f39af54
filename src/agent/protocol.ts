import type { AgentAddress, AgentMessage, AgentReply, AgentTask } from "../domain/agent.ts";
import type { HttpPort } from "../domain/http.ts";
import type { Clock } from "../lib/clock.ts";
import type { Json } from "../lib/json.ts";

/** What agents are spoken to with. */
export interface AgentDeps {
  readonly http: HttpPort;
  readonly clock: Clock;
}

export interface FollowOptions {
  readonly signal: AbortSignal;
  readonly onOutput: (text: string) => void;
}

/** One way of speaking to an agent; the contract of each part is AgentPort's. */
export interface AgentProtocol {
  send(address: AgentAddress, message: AgentMessage, signal: AbortSignal): Promise<AgentReply>;
  follow(address: AgentAddress, task: AgentTask, options: FollowOptions): Promise<Json>;
  /** May reject. */
  cancel(address: AgentAddress, task: AgentTask, signal: AbortSignal): Promise<void>;
}
