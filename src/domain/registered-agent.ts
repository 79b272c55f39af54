/** Agents elsewhere that register here and say by heartbeats that they are alive. */
import type { JsonObject } from "../lib/json.ts";

export const AGENT_TTL_SECONDS_DEFAULT = 60;
export const AGENT_TTL_SECONDS_MAX = 3_600;

export interface RegisteredAgent {
  readonly id: string;
  readonly name: string;
  /** Where it answers, `http://host:port`, without a slash at its end. */
  readonly url: string;
  /** It counts as alive for so long after a heartbeat. */
  readonly ttlSeconds: number;
  readonly registeredAt: number;
  readonly heartbeatAt: number;
  readonly capabilities: readonly string[];
  readonly metadata: JsonObject;
}

export function isAlive(agent: RegisteredAgent, now: number): boolean {
  return now < agent.heartbeatAt + agent.ttlSeconds * 1_000;
}

/** All methods @throws AppError as `RunStore`. */
export interface AgentStore {
  /** Adds it, or replaces the one with its id; either is a heartbeat. `registeredAt` stays the first. */
  register(
    agent: Omit<RegisteredAgent, "registeredAt" | "heartbeatAt">,
  ): Promise<{ readonly agent: RegisteredAgent; readonly created: boolean }>;
  /** @throws AppError `not_found`. */
  heartbeat(id: string): Promise<RegisteredAgent>;
  get(id: string): Promise<RegisteredAgent | undefined>;
  /** By name. `after`: keyset, the id of the last one of the page before. */
  list(filter: {
    readonly search?: string;
    readonly after?: string;
    readonly limit: number;
  }): Promise<RegisteredAgent[]>;
  /** @throws AppError `not_found`. */
  remove(id: string): Promise<void>;
}
