import { z } from "zod";
import { AppError } from "../../../domain/error.ts";
import { MEMORY_ENTRY_COUNT_MAX } from "../../../domain/memory.ts";
import { MEMORY_SCOPES } from "../../../domain/workflow.ts";
import { defined } from "../../../lib/defined.ts";
import type { Kit } from "../../kit.ts";
import { API_PREFIX } from "../../routes.ts";
import { defineOperation, type Operation } from "../operation.ts";
import { decodeCursor, linkToNext, pageOf } from "../page.ts";
import { invalidRequest } from "../request.ts";
import { IdParam, IdParams, PageShape, SearchParam } from "../schema/common.ts";
import {
  MemoryChangeSchema,
  MemoryListSchema,
  MemorySchema,
  NewMemorySchema,
  presentMemory,
} from "../schema/entry.ts";

const FilterShape = {
  scope: z.enum(MEMORY_SCOPES).optional(),
  run: IdParam.optional().describe("Of this run."),
};

export function memoryOperations(kit: Kit): Operation[] {
  return [
    ...readingOperations(kit),
    ...otherReadings(kit),
    ...writingOperations(kit),
    ...forgettingOperations(kit),
  ];
}

function readingOperations({ deps }: Kit): Operation[] {
  const { memory: memories } = deps;
  return [
    defineOperation({
      id: "listMemories",
      method: "GET",
      path: "/memories",
      tag: "memories",
      summary: "List what agents remember, the newest first",
      scope: "read",
      query: z.strictObject({
        ...PageShape,
        ...FilterShape,
        agent: IdParam.optional().describe("The workflow's name."),
        search: SearchParam.describe("Words of key and value."),
      }),
      answer: {
        status: 200,
        description: "A page of entries.",
        schema: MemoryListSchema,
        isPage: true,
      },
      async handle({ c, query }) {
        const { limit, cursor, agent, scope, run: runId } = query;
        const search = query.search === "" ? undefined : query.search;
        const before = decodeCursor(cursor);
        const filter = defined({ agent, scope, runId, search, before });
        const found = await memories.list({ limit: limit + 1, ...filter });
        const { items, next } = pageOf(found, limit, ({ id }) => id);
        const body = { items: items.map(presentMemory), next: next ?? null };
        return { body, headers: linkToNext(c, next) };
      },
    }),
  ];
}

function otherReadings({ deps }: Kit): Operation[] {
  const { memory: memories } = deps;
  return [
    defineOperation({
      id: "listMemoryAgents",
      method: "GET",
      path: "/memory-agents",
      tag: "memories",
      summary: "List who remembers something, and how much",
      scope: "read",
      answer: {
        status: 200,
        description: "Agents by name.",
        schema: z
          .strictObject({
            items: z.array(
              z.strictObject({ agent: z.string(), count: z.int() }).meta({ ref: "MemoryAgent" }),
            ),
          })
          .meta({ ref: "MemoryAgentList" }),
      },
      async handle() {
        const found = await memories.agents();
        return { body: { items: found.map(({ agent, count }) => ({ agent, count })) } };
      },
    }),
    defineOperation({
      id: "getMemory",
      method: "GET",
      path: "/memories/:id",
      tag: "memories",
      summary: "Read an entry",
      scope: "read",
      params: IdParams,
      answer: { status: 200, description: "The entry.", schema: MemorySchema },
      isTagged: true,
      async handle({ params }) {
        const memory = await memories.get(params.id);
        if (memory === undefined) {
          throw new AppError("not_found", `There is no memory ${params.id}.`, {
            fix: "Choose one from the list of memories.",
          });
        }
        return { body: presentMemory(memory) };
      },
    }),
  ];
}

function writingOperations({ deps }: Kit): Operation[] {
  const { memory: memories } = deps;
  return [
    defineOperation({
      id: "saveMemory",
      method: "POST",
      path: "/memories",
      tag: "memories",
      summary: "Remember something, or put back what was forgotten",
      description: "The same key in the same place replaces what was there.",
      scope: "write",
      body: NewMemorySchema,
      bodyExample: { scope: "agent", agent: "greeting", key: "tone", value: "Dry." },
      answer: { status: 201, description: "The entry.", schema: MemorySchema, hasLocation: true },
      repetition: "repeatable",
      async handle({ body }) {
        const { scope, agent, run: runId, node: nodeId, key, value, expires_at: expiresAt } = body;
        if (expiresAt !== null && expiresAt <= deps.clock.now()) {
          const message = "An entry cannot expire in the past.";
          throw invalidRequest([{ in: "body", field: "/expires_at", message }]);
        }
        const memory = await memories.save({
          namespace: { scope, agent, runId, nodeId },
          key,
          value,
          expiresAt,
          maxEntries: MEMORY_ENTRY_COUNT_MAX,
        });
        const headers = { Location: `${API_PREFIX}/memories/${memory.id}` };
        return { body: presentMemory(memory), headers };
      },
    }),
    defineOperation({
      id: "changeMemory",
      method: "PATCH",
      path: "/memories/:id",
      tag: "memories",
      summary: "Change what an entry says",
      scope: "write",
      params: IdParams,
      body: MemoryChangeSchema,
      bodyExample: { value: "Warm." },
      answer: { status: 200, description: "The entry.", schema: MemorySchema },
      isTagged: true,
      async handle({ params, body }) {
        return { body: presentMemory(await memories.update(params.id, body.value)) };
      },
    }),
  ];
}

function forgettingOperations({ deps }: Kit): Operation[] {
  const { memory: memories } = deps;
  return [
    defineOperation({
      id: "deleteMemory",
      method: "DELETE",
      path: "/memories/:id",
      tag: "memories",
      summary: "Forget an entry",
      description: "The answer has all that it takes to put it back.",
      scope: "write",
      params: IdParams,
      answer: { status: 200, description: "The entry that was forgotten.", schema: MemorySchema },
      async handle({ params }) {
        return { body: presentMemory(await memories.remove(params.id)) };
      },
    }),
    defineOperation({
      id: "clearMemories",
      method: "DELETE",
      path: "/memories",
      tag: "memories",
      summary: "Forget everything that an agent remembers",
      scope: "write",
      query: z.strictObject({ ...FilterShape, agent: IdParam.describe("The workflow's name.") }),
      answer: {
        status: 200,
        description: "How many entries were forgotten.",
        schema: z.strictObject({ count: z.int() }).meta({ ref: "Cleared" }),
      },
      async handle({ query }) {
        const { agent, scope, run: runId } = query;
        return { body: { count: await memories.clear({ agent, ...defined({ scope, runId }) }) } };
      },
    }),
  ];
}
