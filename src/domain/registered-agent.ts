/** Agents elsewhere that register here and say by heartbeats that they are alive. */
import type { JsonObject } from "../lib/json.ts";

export const AGENT_TTL_SECONDS_DEFAULT = 60;
export const AGENT_TTL_SECONDS_MAX = 3_600;
/** Agents that are registered at the same time. */
export const AGENT_COUNT_MAX = 2_000;
export const AGENT_ID_LENGTH_MAX = 128;
export const AGENT_NAME_LENGTH_MAX = 256;
export const AGENT_URL_LENGTH_MAX = 2_048;
export const AGENT_CAPABILITY_COUNT_MAX = 50;
export const AGENT_CAPABILITY_LENGTH_MAX = 100;
/** Of the metadata as JSON text. */
export const AGENT_METADATA_LENGTH_MAX = 16_384;

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

/** `late`: more than half of its time is over; agents beat at least twice in it. */
export const AGENT_LIVENESS = ["alive", "late", "dead"] as const;
export type AgentLiveness = (typeof AGENT_LIVENESS)[number];

type Pulse = Pick<RegisteredAgent, "heartbeatAt" | "ttlSeconds">;

export function isAlive(agent: Pulse, now: number): boolean {
  return now < agent.heartbeatAt + agent.ttlSeconds * 1_000;
}

export function livenessOf(agent: Pulse, now: number): AgentLiveness {
  if (!isAlive(agent, now)) return "dead";
  return now < agent.heartbeatAt + agent.ttlSeconds * 500 ? "alive" : "late";
}

/** What the metadata of an agent says that a person has registered, not the agent itself. */
export const BY_HAND: JsonObject = { registered_by: "hand" };

/** Such an agent may send no heartbeats: it is kept, and may be asked at an address of this machine. */
export function isByHand(agent: Pick<RegisteredAgent, "metadata">): boolean {
  return agent.metadata["registered_by"] === BY_HAND["registered_by"];
}

/** All methods @throws AppError as `RunStore`. */
export interface AgentStore {
  /**
   * Adds it, or replaces the one with its id; either is a heartbeat. `registeredAt` stays the first.
   * @throws AppError `limit_reached` for one more than AGENT_COUNT_MAX.
   */
  register(
    agent: Omit<RegisteredAgent, "registeredAt" | "heartbeatAt">,
  ): Promise<{ readonly agent: RegisteredAgent; readonly created: boolean }>;
  /** @throws AppError `not_found`. */
  heartbeat(id: string): Promise<RegisteredAgent>;
  get(id: string): Promise<RegisteredAgent | undefined>;
  /** The one with this name; of several the one that was heard last. */
  findByName(name: string): Promise<RegisteredAgent | undefined>;
  /** By name. `after`: keyset, the id of the last one of the page before. */
  list(filter: {
    /** Words that are all in the name, the address or a capability. */
    readonly search?: string;
    readonly after?: string;
    /** Only those that are alive. */
    readonly isAlive?: boolean;
    readonly limit: number;
  }): Promise<RegisteredAgent[]>;
  /** @throws AppError `not_found`. @returns the agent that was removed, so that it can be put back. */
  remove(id: string): Promise<RegisteredAgent>;
  /** Puts one back as it was; one that has registered again meanwhile stays. */
  restore(agent: RegisteredAgent): Promise<void>;
  /** Forgets those that have been dead since before this time, not those by hand. @returns how many. */
  removeDeadBefore(before: number): Promise<number>;
}
