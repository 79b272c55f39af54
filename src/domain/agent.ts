/** Agents elsewhere: A2A servers and CA's deployed workflows. */
import type { Json, JsonObject } from "../lib/json.ts";
import type { AgentNode } from "./workflow.ts";

/** Where an agent is and what every request to it carries. */
export interface AgentAddress {
  readonly protocol: AgentNode["protocol"];
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface AgentMessage {
  /** For `a2a`. */
  readonly text: string;
  /** For `run`; for `a2a` sent as a data part when it is not empty. */
  readonly inputs: JsonObject;
  readonly idempotencyKey: string;
}

/** How the agent has taken a message up: answered at once, or a task that is to be followed. */
export type AgentReply =
  | { readonly kind: "answer"; readonly answer: Json }
  | { readonly kind: "task"; readonly task: AgentTask };

/** All that is needed to find a task again, also from another process. */
export type AgentTask = JsonObject;

/** A call in two parts, so that work that an agent has begun is found again rather than begun twice. */
export interface AgentPort {
  /** @throws AppError `agent_failed`, `unavailable`, `rate_limited`, `forbidden`, `timeout`; the signal's reason. */
  send(address: AgentAddress, message: AgentMessage, signal: AbortSignal): Promise<AgentReply>;
  /**
   * Waits for the final answer of a task: text, or data where the agent gives data. `onOutput` takes what
   * the agent says about its progress. @throws as `send`.
   */
  follow(
    address: AgentAddress,
    task: AgentTask,
    options: { readonly signal: AbortSignal; readonly onOutput: (text: string) => void },
  ): Promise<Json>;
  /** Asks for the end of a task, for a short while; nothing depends on whether it is heard. Never rejects. */
  cancel(address: AgentAddress, task: AgentTask): Promise<void>;
}
