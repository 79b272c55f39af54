/** Texts and images that were attached to messages. */
import { and, eq, getTableColumns, inArray, sum } from "drizzle-orm";
import {
  CONVERSATION_FILE_BYTES_MAX,
  type MessageRef,
  type NewMessageFile,
} from "../domain/conversation.ts";
import { AppError } from "../domain/error.ts";
import { conversationFiles as files } from "./conversation-schema.ts";
import type { Db } from "./database.ts";

export function readFile(
  db: Db,
  { conversationId, ordinal, number }: MessageRef & { readonly number: number },
): Uint8Array | undefined {
  const isIt = and(
    eq(files.conversationId, conversationId),
    eq(files.ordinal, ordinal),
    eq(files.number, number),
  );
  return db.select({ data: files.data }).from(files).where(isIt).get()?.data;
}

/** All but their contents. */
export function filesOf(db: Db, id: string, ordinals: number[]) {
  if (ordinals.length === 0) return [];
  const { data: _, ...columns } = getTableColumns(files);
  return db
    .select(columns)
    .from(files)
    .where(and(eq(files.conversationId, id), inArray(files.ordinal, ordinals)))
    .orderBy(files.number)
    .all();
}

/** @throws AppError `too_large` for more than a conversation takes. */
export function addFiles(db: Db, ref: MessageRef, added: readonly NewMessageFile[]): void {
  if (added.length === 0) return;
  const { conversationId, ordinal } = ref;
  const { known } = db
    .select({ known: sum(files.byteCount).mapWith(Number) })
    .from(files)
    .where(eq(files.conversationId, conversationId))
    .get() ?? { known: 0 };
  const total = added.reduce((bytes, { data }) => bytes + data.byteLength, known ?? 0);
  if (total > CONVERSATION_FILE_BYTES_MAX) {
    const message = `The files of a conversation have at most ${CONVERSATION_FILE_BYTES_MAX / 2 ** 20} MiB together.`;
    throw new AppError("too_large", message, { fix: "Attach smaller files, or begin a new one." });
  }
  const rows = added.map(({ name, mediaType, data }, index) => ({
    conversationId,
    ordinal,
    number: index + 1,
    name,
    mediaType,
    hash: new Bun.CryptoHasher("sha256").update(data).digest("hex"),
    byteCount: data.byteLength,
    data: Buffer.from(data),
  }));
  db.insert(files).values(rows).run();
}
