/** Tables of the chat; see `schema.ts`. */
import { sql } from "drizzle-orm";
import { blob, index, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";
import type { AnswerState, ChatCallState } from "../domain/conversation.ts";
import type { ErrorRecord } from "../domain/error.ts";
import type { ModelAnswer } from "../domain/model.ts";
import type { ProviderName } from "../domain/workflow.ts";
import type { Json } from "../lib/json.ts";

export const conversations = sqliteTable(
  "conversations",
  {
    id: text().primaryKey(),
    title: text().notNull(),
    createdAt: integer().notNull(),
    updatedAt: integer().notNull(),
    /** Also the ordinal of the newest message. */
    messageCount: integer().notNull(),
    isAnswering: integer({ mode: "boolean" }).notNull(),
    /** The newest message of the branch that is shown. */
    head: integer().notNull().default(0),
    branch: integer().notNull().default(0),
    model: text(),
    /** The run that is shown beside it, the newest that was begun in it. */
    runId: text(),
    /** When the process that makes an answer was last known to be there; only counts while one is under way. */
    aliveAt: integer(),
    /** That process, as it names itself; kept after the end. */
    answeredBy: text(),
    /** Since when it is in the bin. */
    removedAt: integer(),
  },
  (table) => [
    index("conversations_by_updated_at").on(table.updatedAt, table.id),
    index("conversations_by_answering")
      .on(table.id)
      .where(sql`is_answering = 1`),
  ],
);

/** What people wrote, and answers: only these have what follows `role`. */
export const conversationMessages = sqliteTable(
  "conversation_messages",
  {
    conversationId: text()
      .notNull()
      .references(() => conversations.id, { onDelete: "cascade" }),
    ordinal: integer().notNull(),
    createdAt: integer().notNull(),
    role: text({ enum: ["person", "model"] }).notNull(),
    state: text().$type<AnswerState>().notNull().default("done"),
    round: integer().notNull().default(0),
    provider: text().$type<ProviderName>(),
    model: text(),
    omittedCount: integer().notNull().default(0),
    finish: text().$type<ModelAnswer["finish"]>(),
    inputTokens: integer().notNull().default(0),
    outputTokens: integer().notNull().default(0),
    cacheReadTokens: integer().notNull().default(0),
    cacheWriteTokens: integer().notNull().default(0),
    reasoningTokens: integer().notNull().default(0),
    costNanoUsd: integer(),
    finishedAt: integer(),
    error: text({ mode: "json" }).$type<ErrorRecord>(),
    text: text().notNull(),
    /** 0 for what begins the conversation. */
    parent: integer().notNull().default(0),
    thoughts: text({ mode: "json" }).$type<Json>(),
  },
  (table) => [
    primaryKey({ columns: [table.conversationId, table.ordinal] }),
    index("conversation_messages_by_parent").on(table.conversationId, table.parent),
  ],
);

/** Texts and images that were attached to a message. */
export const conversationFiles = sqliteTable(
  "conversation_files",
  {
    conversationId: text()
      .notNull()
      .references(() => conversations.id, { onDelete: "cascade" }),
    ordinal: integer().notNull(),
    number: integer().notNull(),
    name: text().notNull(),
    mediaType: text().notNull(),
    hash: text().notNull(),
    byteCount: integer().notNull(),
    data: blob({ mode: "buffer" }).notNull(),
  },
  (table) => [primaryKey({ columns: [table.conversationId, table.ordinal, table.number] })],
);

/** Tool calls of answers. */
export const conversationCalls = sqliteTable(
  "conversation_calls",
  {
    conversationId: text()
      .notNull()
      .references(() => conversations.id, { onDelete: "cascade" }),
    ordinal: integer().notNull(),
    number: integer().notNull(),
    callId: text().notNull(),
    tool: text().notNull(),
    arguments: text({ mode: "json" }).$type<Json>().notNull(),
    state: text().$type<ChatCallState>().notNull(),
    result: text(),
    link: text(),
    /** When a person approved it. */
    approvedAt: integer(),
    /** The state that this person saw: see `ChatCall`. */
    seen: text(),
  },
  (table) => [primaryKey({ columns: [table.conversationId, table.ordinal, table.number] })],
);
