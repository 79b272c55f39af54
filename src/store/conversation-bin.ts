/** Conversations that were removed stay for a while, so that they can be put back. */
import { and, eq, isNotNull, lt } from "drizzle-orm";
import { CONVERSATION_KEPT_MS } from "../domain/conversation.ts";
import { conversations } from "./conversation-schema.ts";
import type { Db } from "./database.ts";

export function putInBin(db: Db, id: string, now: number): void {
  db.update(conversations).set({ removedAt: now }).where(eq(conversations.id, id)).run();
  emptyBin(db, now);
}

/** Deletes for good what was removed long ago. */
export function emptyBin(db: Db, now: number): void {
  db.delete(conversations)
    .where(lt(conversations.removedAt, now - CONVERSATION_KEPT_MS))
    .run();
}

/** @returns its title; undefined when it is not there any more, or was not removed. */
export function titleInBin(db: Db, id: string): string | undefined {
  const found = db.select({ title: conversations.title }).from(conversations).where(isInBin(id));
  return found.get()?.title;
}

/** @returns false when it was not there. */
export function takeFromBin(db: Db, id: string): boolean {
  const put = db.update(conversations).set({ removedAt: null }).where(isInBin(id));
  return put.returning({ id: conversations.id }).all().length > 0;
}

function isInBin(id: string) {
  return and(eq(conversations.id, id), isNotNull(conversations.removedAt));
}
