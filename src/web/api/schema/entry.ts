/** Agents elsewhere, memories and tokens. */
import { z } from "zod";
import {
  type AccessToken,
  TOKEN_NAME_LENGTH_MAX,
  TOKEN_SCOPES,
} from "../../../domain/access-token.ts";
import {
  type Memory,
  MEMORY_KEY_CHARS_MAX,
  MEMORY_VALUE_CHARS_MAX,
} from "../../../domain/memory.ts";
import {
  AGENT_CAPABILITY_COUNT_MAX,
  AGENT_CAPABILITY_LENGTH_MAX,
  AGENT_ID_LENGTH_MAX,
  AGENT_LIVENESS,
  AGENT_NAME_LENGTH_MAX,
  AGENT_TTL_SECONDS_DEFAULT,
  AGENT_TTL_SECONDS_MAX,
  AGENT_URL_LENGTH_MAX,
  livenessOf,
  type RegisteredAgent,
} from "../../../domain/registered-agent.ts";
import { MEMORY_SCOPES } from "../../../domain/workflow.ts";
import {
  JsonObjectSchema,
  listOf,
  Word,
  TimeParam,
  TimeSchema,
  toIso,
  toIsoOrNull,
} from "./common.ts";

const AGENT_METADATA_NOTE = "Anything that helps to know it; at most 16 KiB as JSON.";

export const AgentSchema = z
  .strictObject({
    id: z.string(),
    name: z.string(),
    url: z.string(),
    liveness: z.enum(AGENT_LIVENESS).describe("`late`: more than half of its time is over."),
    ttl_seconds: z.int(),
    registered_at: TimeSchema,
    heartbeat_at: TimeSchema,
    capabilities: z.array(z.string()),
    metadata: JsonObjectSchema,
  })
  .meta({ ref: "Agent" });
export const AgentListSchema = listOf(AgentSchema, "AgentList");

export const NewAgentSchema = z
  .strictObject({
    id: z
      .string()
      .regex(/^[\w.:-]+$/, "Use letters, digits and . : - _ only.")
      .max(AGENT_ID_LENGTH_MAX)
      .describe("The same one each time that it starts."),
    name: Word.max(AGENT_NAME_LENGTH_MAX),
    url: z
      .string()
      .max(AGENT_URL_LENGTH_MAX)
      .regex(/^https?:\/\/[^\s/?#@]+(?:\/[^\s?#]*)?$/, "This is no http address.")
      .refine((text) => URL.canParse(text), "This is no http address.")
      .describe("Where it answers."),
    ttl_seconds: z.int().min(1).max(AGENT_TTL_SECONDS_MAX).default(AGENT_TTL_SECONDS_DEFAULT),
    capabilities: z
      .array(z.string().min(1).max(AGENT_CAPABILITY_LENGTH_MAX))
      .max(AGENT_CAPABILITY_COUNT_MAX)
      .default([]),
    metadata: JsonObjectSchema.default({}).describe(AGENT_METADATA_NOTE),
  })
  .meta({ ref: "NewAgent" });

export function presentAgent(agent: RegisteredAgent, now: number) {
  return {
    id: agent.id,
    name: agent.name,
    url: agent.url,
    liveness: livenessOf(agent, now),
    ttl_seconds: agent.ttlSeconds,
    registered_at: toIso(agent.registeredAt),
    heartbeat_at: toIso(agent.heartbeatAt),
    capabilities: [...agent.capabilities],
    metadata: agent.metadata,
  };
}

const AgentName = z.string().min(1).max(200).describe("The workflow's name.");
const Place = z.string().min(1).max(200);
export const MemorySchema = z
  .strictObject({
    id: z.string(),
    scope: z
      .enum(MEMORY_SCOPES)
      .describe("Who shares it: all runs of the agent, one run, or one node of a run."),
    agent: z.string(),
    run: z.string().nullable(),
    node: z.string().nullable(),
    key: z.string(),
    value: z.string(),
    created_at: TimeSchema,
    updated_at: TimeSchema,
    expires_at: TimeSchema.nullable(),
  })
  .meta({ ref: "Memory" });
export const MemoryListSchema = listOf(MemorySchema, "MemoryList");
const MemoryValue = Word.max(MEMORY_VALUE_CHARS_MAX);

const NewMemoryShape = {
  agent: AgentName,
  key: Word.max(MEMORY_KEY_CHARS_MAX),
  value: MemoryValue,
  expires_at: TimeParam.nullable().default(null),
};
/** A scope says which names an entry needs; null, as in an answer, is as good as none. */
export const NewMemorySchema = z
  .discriminatedUnion("scope", [
    z.strictObject({
      scope: z.literal("agent"),
      ...NewMemoryShape,
      run: z.null().default(null),
      node: z.null().default(null),
    }),
    z.strictObject({
      scope: z.literal("workflow"),
      ...NewMemoryShape,
      run: Place,
      node: z.null().default(null),
    }),
    z.strictObject({ scope: z.literal("node"), ...NewMemoryShape, run: Place, node: Place }),
  ])
  .meta({ ref: "NewMemory" });
export const MemoryChangeSchema = z
  .strictObject({ value: MemoryValue })
  .meta({ ref: "MemoryChange" });

export function presentMemory(memory: Memory) {
  const { id, namespace, key, value } = memory;
  return {
    id,
    scope: namespace.scope,
    agent: namespace.agent,
    run: namespace.runId,
    node: namespace.nodeId,
    key,
    value,
    created_at: toIso(memory.createdAt),
    updated_at: toIso(memory.updatedAt),
    expires_at: toIsoOrNull(memory.expiresAt),
  };
}

const TokenShape = {
  id: z.string(),
  name: z.string(),
  scope: z
    .enum(TOKEN_SCOPES)
    .describe("`read` looks, `write` also starts and changes, `admin` does all."),
  created_at: TimeSchema,
  last_used_at: TimeSchema.nullable().describe("To the minute."),
  expires_at: TimeSchema.nullable(),
};
export const TokenSchema = z.strictObject(TokenShape).meta({ ref: "Token" });
export const TokenListSchema = z
  .strictObject({ items: z.array(TokenSchema) })
  .meta({ ref: "TokenList" });
export const IssuedTokenSchema = z
  .strictObject({ ...TokenShape, token: z.string().describe("Shown this once.") })
  .meta({ ref: "IssuedToken" });
export const NewTokenSchema = z
  .strictObject({
    name: Word.max(TOKEN_NAME_LENGTH_MAX).describe("Who uses it."),
    scope: z.enum(TOKEN_SCOPES).default("read"),
    expires_at: TimeParam.nullable().default(null).describe("null: never."),
  })
  .meta({ ref: "NewToken" });

export function presentToken(token: AccessToken) {
  const { id, name, scope, createdAt, lastUsedAt, expiresAt } = token;
  return {
    id,
    name,
    scope,
    created_at: toIso(createdAt),
    last_used_at: toIsoOrNull(lastUsedAt),
    expires_at: toIsoOrNull(expiresAt),
  };
}
