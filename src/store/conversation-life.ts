/** Which answers are under way, and whether the process that makes one still gives signs of life. */
import { and, eq, sql } from "drizzle-orm";
import type { AnswerUnderWay, MessageRef } from "../domain/conversation.ts";
import { conversationMessages as messages, conversations } from "./conversation-schema.ts";
import type { Db } from "./database.ts";

/** As the partial index has it. */
const IS_ANSWERING = sql`is_answering = 1`;

export function isUnderWay(ref: MessageRef) {
  return and(
    eq(messages.conversationId, ref.conversationId),
    eq(messages.ordinal, ref.ordinal),
    eq(messages.state, "streaming"),
  );
}

export function listUnderWay(db: Db): AnswerUnderWay[] {
  return db
    .select({
      conversationId: conversations.id,
      ordinal: conversations.head,
      aliveAt: conversations.aliveAt,
      answeredBy: conversations.answeredBy,
    })
    .from(conversations)
    .where(IS_ANSWERING)
    .all();
}

/** @returns false when the answer is not under way. */
export function keepAlive(db: Db, ref: MessageRef, now: number): boolean {
  const kept = db
    .update(conversations)
    .set({ aliveAt: now })
    .where(
      and(
        eq(conversations.id, ref.conversationId),
        eq(conversations.head, ref.ordinal),
        IS_ANSWERING,
      ),
    );
  return kept.returning({ id: conversations.id }).all().length > 0;
}

export interface BreakOff {
  readonly state: "stopped" | "interrupted";
  readonly now: number;
  readonly isDue: (aliveAt: number | null) => boolean;
}

export function breakOff(db: Db, ref: MessageRef, { state, now, isDue }: BreakOff): boolean {
  const found = listUnderWay(db).find(
    ({ conversationId, ordinal }) =>
      conversationId === ref.conversationId && ordinal === ref.ordinal,
  );
  if (found === undefined || !isDue(found.aliveAt)) return false;
  db.update(messages).set({ state, finishedAt: now }).where(isUnderWay(ref)).run();
  db.update(conversations)
    .set({ isAnswering: false })
    .where(eq(conversations.id, ref.conversationId))
    .run();
  return true;
}
