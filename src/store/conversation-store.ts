import { and, asc, count, desc, eq, gt, lt, or, sql, sum } from "drizzle-orm";
import {
  CONVERSATION_MESSAGE_COUNT_MAX,
  CONVERSATION_TITLE_CHARS_MAX,
  type AnswerEnd,
  type AnswerMessage,
  type Conversation,
  type ConversationStore,
  type ConversationTotals,
  type Message,
  type MessageRef,
} from "../domain/conversation.ts";
import { AppError } from "../domain/error.ts";
import type { Clock } from "../lib/clock.ts";
import type { Connection } from "./connection.ts";
import type { Db } from "./database.ts";
import { toUsage } from "./run-row.ts";
import { conversationMessages as messages, conversations } from "./schema.ts";

/** Rows of one answer, whatever is asked for. */
const ROW_COUNT_MAX = 1_000;

export function createConversationStore(connection: Connection, clock: Clock): ConversationStore {
  return {
    create: (input) =>
      connection.write(({ db }) => {
        const now = clock.now();
        const title = input.title.slice(0, CONVERSATION_TITLE_CHARS_MAX);
        const row = { id: input.id, title, createdAt: now, updatedAt: now };
        db.insert(conversations)
          .values({ ...row, messageCount: 0, isAnswering: false })
          .run();
        addMessage(db, input.id, { role: "person", text: input.text, createdAt: now });
        return requireConversation(db, input.id);
      }),
    get: (id) => connection.read(({ db }) => find(db, id)),
    list: (options) => connection.read(({ db }) => list(db, options)),
    totals: (id) => connection.read(({ db }) => totals(db, id)),
    messages: (id, options) => connection.read(({ db }) => listMessages(db, id, options)),
    message: (ref) => connection.read(({ db }) => findMessage(db, ref)),
    say: (id, text) =>
      connection.write(({ db }) =>
        addMessage(db, id, { role: "person", text, createdAt: clock.now() }),
      ),
    startAnswer: (id, round) =>
      connection.write(({ db }) => startAnswer(db, id, { round, createdAt: clock.now() })),
    saveProgress: (ref, progress) =>
      connection.write(({ db }) => {
        const kept = db.update(messages).set(progress).where(isUnderWay(ref));
        return kept.returning({ ordinal: messages.ordinal }).all().length > 0;
      }),
    endAnswer: (ref, end) => connection.write(({ db }) => endAnswer(db, ref, end, clock)),
    interruptAnswers: () => connection.write(({ db }) => interruptAnswers(db, clock)),
    remove: (id) =>
      connection.write(({ db }) => {
        requireConversation(db, id);
        db.delete(conversations).where(eq(conversations.id, id)).run();
      }),
  };
}

type MessageRow = typeof messages.$inferSelect;
type NewMessage = Omit<typeof messages.$inferInsert, "conversationId" | "ordinal">;

function find(db: Db, id: string): Conversation | undefined {
  return db.select().from(conversations).where(eq(conversations.id, id)).get();
}

function requireConversation(db: Db, id: string): Conversation {
  const known = find(db, id);
  if (known !== undefined) return known;
  throw new AppError("not_found", `There is no conversation ${id}.`, {
    fix: "Choose one from the list of conversations.",
  });
}

function list(db: Db, options: { limit: number; before?: string }): Conversation[] {
  const last = options.before === undefined ? undefined : find(db, options.before);
  // One that was deleted meanwhile leaves no place to go on from: the list begins anew.
  const place = last ?? { id: "", updatedAt: Number.MAX_SAFE_INTEGER };
  const isBelow = or(
    lt(conversations.updatedAt, place.updatedAt),
    and(eq(conversations.updatedAt, place.updatedAt), lt(conversations.id, place.id)),
  );
  return db
    .select()
    .from(conversations)
    .where(options.before === undefined ? undefined : isBelow)
    .orderBy(desc(conversations.updatedAt), desc(conversations.id))
    .limit(limitOf(options.limit))
    .all();
}

function totals(db: Db, id: string): ConversationTotals {
  const found = db
    .select({
      inputTokens: sum(messages.inputTokens).mapWith(Number),
      outputTokens: sum(messages.outputTokens).mapWith(Number),
      costNanoUsd: sum(messages.costNanoUsd).mapWith(Number),
      answerCount: count(),
      pricedCount: count(messages.costNanoUsd),
    })
    .from(messages)
    .where(and(eq(messages.conversationId, id), eq(messages.role, "model")))
    .get();
  return {
    inputTokens: found?.inputTokens ?? 0,
    outputTokens: found?.outputTokens ?? 0,
    costNanoUsd: found?.costNanoUsd ?? 0,
    unpricedCount: (found?.answerCount ?? 0) - (found?.pricedCount ?? 0),
  };
}

function listMessages(
  db: Db,
  id: string,
  { limit, after, before }: { limit: number; after?: number; before?: number },
): Message[] {
  const here = eq(messages.conversationId, id);
  const rows = db.select().from(messages).$dynamic();
  if (after !== undefined) {
    return rows
      .where(and(here, gt(messages.ordinal, after)))
      .orderBy(asc(messages.ordinal))
      .limit(limitOf(limit))
      .all()
      .map(toMessage);
  }
  return rows
    .where(before === undefined ? here : and(here, lt(messages.ordinal, before)))
    .orderBy(desc(messages.ordinal))
    .limit(limitOf(limit))
    .all()
    .toReversed()
    .map(toMessage);
}

function limitOf(limit: number): number {
  return Math.max(0, Math.min(limit, ROW_COUNT_MAX));
}

function findMessage(db: Db, ref: MessageRef): Message | undefined {
  const row = db.select().from(messages).where(isMessage(ref)).get();
  return row === undefined ? undefined : toMessage(row);
}

function addMessage(db: Db, id: string, fields: NewMessage): Message {
  const conversation = requireConversation(db, id);
  if (conversation.isAnswering) {
    throw new AppError("conflict", "An answer is under way in this conversation.", {
      fix: "Wait until it has ended, or stop it.",
    });
  }
  if (conversation.messageCount >= CONVERSATION_MESSAGE_COUNT_MAX) {
    throw new AppError("too_large", "This conversation is full.", {
      fix: "Begin a new conversation with the workflow that you have.",
    });
  }
  const ordinal = conversation.messageCount + 1;
  db.insert(messages)
    .values({ ...fields, conversationId: id, ordinal })
    .run();
  db.update(conversations)
    .set({
      messageCount: ordinal,
      updatedAt: fields.createdAt,
      isAnswering: fields.state === "streaming",
    })
    .where(eq(conversations.id, id))
    .run();
  return requireMessage(db, { conversationId: id, ordinal });
}

function startAnswer(
  db: Db,
  id: string,
  start: { round: number; createdAt: number },
): AnswerMessage {
  const fields = { ...start, role: "model", state: "streaming", text: "" } as const;
  return requireAnswer(addMessage(db, id, fields));
}

function endAnswer(
  db: Db,
  ref: MessageRef,
  ...[end, clock]: [AnswerEnd, Clock]
): AnswerMessage | undefined {
  const { usage, ...fields } = end;
  const ended = db
    .update(messages)
    .set({
      ...fields,
      finishedAt: clock.now(),
      inputTokens: usage.input,
      outputTokens: usage.output,
      cacheReadTokens: usage.cacheRead,
      cacheWriteTokens: usage.cacheWrite,
      reasoningTokens: usage.reasoning,
    })
    .where(isUnderWay(ref))
    .returning({ ordinal: messages.ordinal })
    .all();
  if (ended.length === 0) return undefined;
  db.update(conversations)
    .set({ isAnswering: false })
    .where(eq(conversations.id, ref.conversationId))
    .run();
  return requireAnswer(requireMessage(db, ref));
}

function interruptAnswers(db: Db, clock: Clock): number {
  const under = db
    .update(conversations)
    .set({ isAnswering: false })
    .where(sql`is_answering = 1`)
    .returning({ conversationId: conversations.id, ordinal: conversations.messageCount })
    .all();
  for (const ref of under) {
    const end = { state: "interrupted", finishedAt: clock.now() } as const;
    db.update(messages).set(end).where(isUnderWay(ref)).run();
  }
  return under.length;
}

function isMessage(ref: MessageRef) {
  return and(eq(messages.conversationId, ref.conversationId), eq(messages.ordinal, ref.ordinal));
}

function isUnderWay(ref: MessageRef) {
  return and(isMessage(ref), eq(messages.state, "streaming"));
}

/** For a row that was written in this transaction. */
function requireMessage(db: Db, ref: MessageRef): Message {
  const message = findMessage(db, ref);
  if (message === undefined) throw new AppError("internal", "Internal error.");
  return message;
}

function requireAnswer(message: Message): AnswerMessage {
  if (message.role === "model") return message;
  throw new AppError("internal", "Internal error.");
}

function toMessage(row: MessageRow): Message {
  const { conversationId, ordinal, text, createdAt } = row;
  const base = { conversationId, ordinal, text, createdAt };
  if (row.role === "person") return { ...base, role: "person" };
  const { state, round, provider, model, omittedCount, finish, error, costNanoUsd } = row;
  return {
    ...base,
    role: "model",
    state,
    round,
    provider,
    model,
    omittedCount,
    finish,
    usage: toUsage(row),
    costNanoUsd,
    error,
    finishedAt: row.finishedAt,
  };
}
