import { z } from "zod";
import { AGENT_METADATA_LENGTH_MAX } from "../../../domain/registered-agent.ts";
import type { JsonObject } from "../../../lib/json.ts";
import { defined } from "../../../lib/defined.ts";
import type { Kit } from "../../kit.ts";
import { requireAgent } from "../../require.ts";
import { API_PREFIX } from "../../routes.ts";
import { defineOperation, type Operation } from "../operation.ts";
import { decodeCursor, linkToNext, pageOf } from "../page.ts";
import { invalidRequest } from "../request.ts";
import { IdParams, PageShape, SearchParam } from "../schema/common.ts";
import { AgentListSchema, AgentSchema, NewAgentSchema, presentAgent } from "../schema/entry.ts";

export function agentOperations(kit: Kit): Operation[] {
  return [...readingOperations(kit), ...writingOperations(kit), ...keepingOperations(kit)];
}

function readingOperations({ deps }: Kit): Operation[] {
  return [
    defineOperation({
      id: "listAgents",
      method: "GET",
      path: "/agents",
      tag: "agents",
      summary: "List registered agents by name",
      scope: "read",
      query: z.strictObject({
        ...PageShape,
        search: SearchParam.describe(
          "Words that are all in the name, the address or a capability.",
        ),
        alive: z.boolean().optional().describe("`true`: only those that are alive."),
      }),
      answer: {
        status: 200,
        description: "A page of agents.",
        schema: AgentListSchema,
        isPage: true,
      },
      async handle({ c, query }) {
        const { limit, search, alive, cursor } = query;
        const found = await deps.agents.list({
          limit: limit + 1,
          ...defined({
            search: search === "" ? undefined : search,
            isAlive: alive === true ? true : undefined,
            after: decodeCursor(cursor),
          }),
        });
        const { items, next } = pageOf(found, limit, ({ id }) => id);
        const now = deps.clock.now();
        const body = { items: items.map((agent) => presentAgent(agent, now)), next: next ?? null };
        return { body, headers: linkToNext(c, next) };
      },
    }),
    defineOperation({
      id: "getAgent",
      method: "GET",
      path: "/agents/:id",
      tag: "agents",
      summary: "Read an agent",
      scope: "read",
      params: IdParams,
      answer: { status: 200, description: "The agent.", schema: AgentSchema },
      isTagged: true,
      async handle({ params }) {
        const agent = await requireAgent(deps, params.id);
        return { body: presentAgent(agent, deps.clock.now()) };
      },
    }),
  ];
}

function writingOperations({ deps }: Kit): Operation[] {
  return [
    defineOperation({
      id: "registerAgent",
      method: "POST",
      path: "/agents",
      tag: "agents",
      summary: "Register an agent, or replace the one with its id",
      description: "Counts as a heartbeat.",
      scope: "write",
      body: NewAgentSchema,
      bodyExample: {
        id: "writer-1",
        name: "Writer",
        url: "http://127.0.0.1:8000",
        capabilities: ["write"],
      },
      answer: {
        status: 201,
        description: "It is new.",
        schema: AgentSchema,
        other: { status: 200, description: "It was known, and is replaced." },
        hasLocation: true,
      },
      repetition: "repeatable",
      async handle({ body }) {
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- It has been read as JSON.
        const metadata = body.metadata as JsonObject;
        if (JSON.stringify(metadata).length > AGENT_METADATA_LENGTH_MAX) {
          const message = `The metadata has more than ${AGENT_METADATA_LENGTH_MAX} characters.`;
          throw invalidRequest([{ in: "body", field: "/metadata", message }]);
        }
        const { id, name, capabilities, ttl_seconds: ttlSeconds } = body;
        const url = body.url.replace(/\/+$/, "");
        const { agent, created } = await deps.agents.register({
          id,
          name,
          url,
          ttlSeconds,
          capabilities,
          metadata,
        });
        return {
          status: created ? 201 : 200,
          body: presentAgent(agent, deps.clock.now()),
          headers: { Location: `${API_PREFIX}/agents/${encodeURIComponent(agent.id)}` },
        };
      },
    }),
  ];
}

function keepingOperations({ deps }: Kit): Operation[] {
  return [
    defineOperation({
      id: "sendHeartbeat",
      method: "POST",
      path: "/agents/:id/heartbeat",
      tag: "agents",
      summary: "Say that an agent is alive",
      scope: "write",
      params: IdParams,
      answer: { status: 200, description: "The agent.", schema: AgentSchema },
      async handle({ params }) {
        return { body: presentAgent(await deps.agents.heartbeat(params.id), deps.clock.now()) };
      },
    }),
    defineOperation({
      id: "removeAgent",
      method: "DELETE",
      path: "/agents/:id",
      tag: "agents",
      summary: "Forget an agent",
      scope: "write",
      params: IdParams,
      answer: { status: 204, description: "It is gone." },
      async handle({ params }) {
        await deps.agents.remove(params.id);
        return {};
      },
    }),
  ];
}
