import type { Database } from "bun:sqlite";
import {
  and,
  count,
  desc,
  eq,
  getTableColumns,
  inArray,
  isNull,
  lt,
  max,
  or,
  sql,
  sum,
} from "drizzle-orm";
import {
  CONVERSATION_MESSAGE_COUNT_MAX,
  CONVERSATION_TITLE_CHARS_MAX,
  type AnswerEnd,
  type AnswerMessage,
  type CallRef,
  type Conversation,
  type ConversationStore,
  type ConversationTotals,
  type Message,
  type MessageRef,
  type NewMessageFile,
  type PersonMessage,
} from "../domain/conversation.ts";
import { AppError } from "../domain/error.ts";
import type { Clock } from "../lib/clock.ts";
import { searchWords } from "../lib/search-words.ts";
import type { Connection, Handle } from "./connection.ts";
import { emptyBin, putInBin, takeFromBin, titleInBin } from "./conversation-bin.ts";
import { breakOff, isUnderWay, keepAlive, listUnderWay } from "./conversation-life.ts";
import { addFiles, filesOf, readFile } from "./conversation-files.ts";
import type { Db } from "./database.ts";
import { toUsage } from "./run-row.ts";
import {
  conversationCalls as calls,
  conversationFiles as files,
  conversationMessages as messages,
  conversations,
} from "./conversation-schema.ts";
import { defineStatement } from "./statement.ts";

/** Rows of one answer, whatever is asked for. */
const ROW_COUNT_MAX = 1_000;
/** Of a message so many characters can be found. */
const WORD_CHARS_MAX = 4_000;

/** From a message up to the first after `after`, newest first. */
const WAY = defineStatement<{ ordinal: number }, [string, number, number, number, number]>(
  `WITH RECURSIVE way(ordinal, parent) AS (
     SELECT ordinal, parent FROM conversation_messages WHERE conversation_id = ?1 AND ordinal = ?2
     UNION ALL
     SELECT above.ordinal, above.parent FROM way JOIN conversation_messages AS above
       ON above.conversation_id = ?1 AND above.ordinal = way.parent AND way.parent > ?3
   )
   SELECT ordinal FROM way WHERE ordinal > ?3 AND ordinal < ?4 LIMIT ?5`,
);
/** How long the way from a message up to the beginning is. */
const DEPTH = defineStatement<{ depth: number }, [string, number]>(
  `WITH RECURSIVE way(parent) AS (
     SELECT parent FROM conversation_messages WHERE conversation_id = ?1 AND ordinal = ?2
     UNION ALL
     SELECT above.parent FROM way JOIN conversation_messages AS above
       ON above.conversation_id = ?1 AND above.ordinal = way.parent
   )
   SELECT count(*) AS depth FROM way`,
);
/** What a message can be found by; that of the first has the title too. */
const INDEX = defineStatement<unknown, [string, string, number]>(
  `INSERT OR REPLACE INTO conversation_words (rowid, words)
   SELECT rowid, ?1 FROM conversation_messages WHERE conversation_id = ?2 AND ordinal = ?3`,
);

export function createConversationStore(connection: Connection, clock: Clock): ConversationStore {
  return {
    create: (input) =>
      connection.write((handle) => {
        const now = clock.now();
        const title = input.title.slice(0, CONVERSATION_TITLE_CHARS_MAX);
        const row = { id: input.id, title, createdAt: now, updatedAt: now };
        handle.db
          .insert(conversations)
          .values({ ...row, messageCount: 0, isAnswering: false, model: input.model ?? null })
          .run();
        addSaid(handle, input.id, { ...input, createdAt: now });
        return requireConversation(handle.db, input.id);
      }),
    get: (id) => connection.read(({ db }) => find(db, id)),
    list: (options) => connection.read(({ db }) => list(db, options)),
    totals: (id) => connection.read(({ db }) => totals(db, id)),
    messages: (id, options) => connection.read((handle) => listMessages(handle, id, options)),
    depth: ({ conversationId, ordinal }) =>
      connection.read(({ client }) => DEPTH(client).get(conversationId, ordinal)?.depth ?? 0),
    message: (ref) => connection.read(({ db }) => findMessage(db, ref)),
    file: (ref) => connection.read(({ db }) => readFile(db, ref)),
    say: (id, text, more) =>
      connection.write((handle) => addSaid(handle, id, { ...more, text, createdAt: clock.now() })),
    startAnswer: (id, round, more) =>
      connection.write(({ db }) => startAnswer(db, id, { ...more, round, createdAt: clock.now() })),
    saveProgress: (ref, progress) =>
      connection.write(({ db }) => {
        const kept = db.update(messages).set(progress).where(isUnderWay(ref));
        if (kept.returning({ ordinal: messages.ordinal }).all().length === 0) return false;
        return keepAlive(db, ref, clock.now());
      }),
    keepAlive: (ref) => connection.write(({ db }) => keepAlive(db, ref, clock.now())),
    underWay: () => connection.read(({ db }) => listUnderWay(db)),
    breakOff: (ref, state, isDue = () => true) =>
      connection.write(({ db }) => breakOff(db, ref, { state, now: clock.now(), isDue })),
    endAnswer: (ref, end) => connection.write(({ db }) => endAnswer(db, ref, end, clock)),
    saveCall: (ref, change) => connection.write(({ db }) => saveCall(db, ref, change)),
    show: (ref) => connection.write(({ db }) => show(db, ref)),
    rename: (id, title) =>
      connection.write(({ client, db }) => {
        requireConversation(db, id);
        const named = title.slice(0, CONVERSATION_TITLE_CHARS_MAX);
        db.update(conversations).set({ title: named }).where(eq(conversations.id, id)).run();
        const first = requireMessage(db, { conversationId: id, ordinal: 1 });
        indexWords(client, first, `${named}\n${first.text}`);
      }),
    pickModel: (id, model) => connection.write(({ db }) => set(db, id, { model })),
    showRun: (id, runId) => connection.write(({ db }) => set(db, id, { runId })),
    remove: (id) =>
      connection.write(({ db }) => {
        requireConversation(db, id);
        putInBin(db, id, clock.now());
      }),
    emptyBin: () => connection.write(({ db }) => emptyBin(db, clock.now())),
    titleOfRemoved: (id) => connection.read(({ db }) => titleInBin(db, id)),
    restore: (id) =>
      connection.write(({ db }) => {
        if (!takeFromBin(db, id)) throw noConversation(id);
      }),
  };
}

type MessageRow = typeof messages.$inferSelect;
type NewMessage = Omit<typeof messages.$inferInsert, "conversationId" | "ordinal">;

const {
  aliveAt: _aliveAt,
  answeredBy: _answeredBy,
  removedAt: _removedAt,
  ...COLUMNS
} = getTableColumns(conversations);
const IS_THERE = isNull(conversations.removedAt);

function find(db: Db, id: string): Conversation | undefined {
  return db
    .select(COLUMNS)
    .from(conversations)
    .where(and(eq(conversations.id, id), IS_THERE))
    .get();
}

function requireConversation(db: Db, id: string): Conversation {
  const known = find(db, id);
  if (known !== undefined) return known;
  throw noConversation(id);
}

function noConversation(id: string): AppError {
  return new AppError("not_found", `There is no conversation ${id}.`, {
    fix: "Choose one from the list of conversations.",
  });
}

function set(db: Db, id: string, options: Partial<Pick<Conversation, "model" | "runId">>): void {
  requireConversation(db, id);
  db.update(conversations).set(options).where(eq(conversations.id, id)).run();
}

function list(
  db: Db,
  options: { limit: number; before?: string; search?: string },
): Conversation[] {
  const last = options.before === undefined ? undefined : find(db, options.before);
  // One that was deleted meanwhile leaves no place to go on from: the list begins anew.
  const place = last ?? { id: "", updatedAt: Number.MAX_SAFE_INTEGER };
  const isBelow = or(
    lt(conversations.updatedAt, place.updatedAt),
    and(eq(conversations.updatedAt, place.updatedAt), lt(conversations.id, place.id)),
  );
  return db
    .select(COLUMNS)
    .from(conversations)
    .where(
      and(IS_THERE, options.before === undefined ? undefined : isBelow, hasWords(options.search)),
    )
    .orderBy(desc(conversations.updatedAt), desc(conversations.id))
    .limit(limitOf(options.limit))
    .all();
}

/** One of its messages has all words, or words that begin so. */
function hasWords(search = "") {
  const words = searchWords(search);
  if (words.length === 0) return undefined;
  const match = words.map((word) => `"${word}"*`).join(" ");
  return sql`${conversations.id} IN (
    SELECT found.conversation_id FROM conversation_words
    JOIN conversation_messages AS found ON found.rowid = conversation_words.rowid
    WHERE conversation_words MATCH ${match})`;
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
  { client, db }: Handle,
  id: string,
  { limit, after, before }: { limit: number; after?: number; before?: number },
): Message[] {
  const head = find(db, id)?.head;
  if (head === undefined) return [];
  const bounds = [after ?? 0, before ?? Number.MAX_SAFE_INTEGER] as const;
  // Those right after a place are the last that are met on the way up to it.
  const stepCount = after === undefined ? limitOf(limit) : CONVERSATION_MESSAGE_COUNT_MAX;
  const way = WAY(client)
    .all(id, head, ...bounds, stepCount)
    .map(({ ordinal }) => ordinal)
    .toReversed();
  return readMessages(db, id, after === undefined ? way : way.slice(0, limitOf(limit)));
}

/** In the order of their ordinals. */
function readMessages(db: Db, id: string, ordinals: readonly number[]): Message[] {
  const wanted = [...ordinals];
  const rows = db
    .select()
    .from(messages)
    .where(and(eq(messages.conversationId, id), inArray(messages.ordinal, wanted)))
    .orderBy(messages.ordinal)
    .all();
  const parents = [...new Set(rows.map(({ parent }) => parent))];
  const children = db
    .select({ ordinal: messages.ordinal, parent: messages.parent, role: messages.role })
    .from(messages)
    .where(and(eq(messages.conversationId, id), inArray(messages.parent, parents)))
    .orderBy(messages.ordinal)
    .all();
  const of = (role: MessageRow["role"]) =>
    rows.filter((row) => row.role === role).map(({ ordinal }) => ordinal);
  const attached = filesOf(db, id, of("person"));
  const made = callsOf(db, id, of("model"));
  return rows.map((row) => {
    const isOwn = (other: { ordinal: number }) => other.ordinal === row.ordinal;
    return toMessage(row, {
      siblings: children
        .filter(({ parent, role }) => parent === row.parent && role === row.role)
        .map(({ ordinal }) => ordinal),
      files: attached.filter(isOwn).map(withoutRef),
      calls: made.filter(isOwn).map(withoutRef),
    });
  });
}

function callsOf(db: Db, id: string, ordinals: number[]) {
  if (ordinals.length === 0) return [];
  return db
    .select()
    .from(calls)
    .where(and(eq(calls.conversationId, id), inArray(calls.ordinal, ordinals)))
    .orderBy(calls.number)
    .all();
}

function withoutRef<T extends MessageRef>({
  conversationId: _conversationId,
  ordinal: _ordinal,
  ...rest
}: T): Omit<T, keyof MessageRef> {
  return rest;
}

function limitOf(limit: number): number {
  return Math.max(0, Math.min(limit, ROW_COUNT_MAX));
}

function findMessage(db: Db, ref: MessageRef): Message | undefined {
  return readMessages(db, ref.conversationId, [ref.ordinal])[0];
}

interface Beside {
  readonly inPlaceOf?: number | undefined;
  readonly answeredBy?: string | undefined;
}

/** Adds a message at the end of the branch, or beside another. */
function addMessage(
  db: Db,
  id: string,
  { inPlaceOf, answeredBy, ...fields }: NewMessage & Beside,
): MessageRef {
  const conversation = requireConversation(db, id);
  refuseWhileAnswering(conversation);
  if (conversation.messageCount >= CONVERSATION_MESSAGE_COUNT_MAX) {
    throw new AppError("too_large", "This conversation is full.", {
      fix: "Begin a new conversation with the workflow that you have.",
    });
  }
  const beside =
    inPlaceOf === undefined ? undefined : requireBeside(db, id, { ...fields, inPlaceOf });
  const ordinal = conversation.messageCount + 1;
  const parent = beside?.parent ?? conversation.head;
  db.insert(messages)
    .values({ ...fields, conversationId: id, ordinal, parent })
    .run();
  db.update(conversations)
    .set({
      messageCount: ordinal,
      head: ordinal,
      branch: conversation.branch + (beside === undefined ? 0 : 1),
      updatedAt: fields.createdAt,
      ...(fields.state === "streaming"
        ? { isAnswering: true, aliveAt: fields.createdAt, answeredBy: answeredBy ?? null }
        : {}),
    })
    .where(eq(conversations.id, id))
    .run();
  return { conversationId: id, ordinal };
}

function refuseWhileAnswering({ isAnswering }: Conversation): void {
  if (!isAnswering) return;
  throw new AppError("conflict", "An answer is under way in this conversation.", {
    fix: "Wait until it has ended, or stop it.",
  });
}

function requireBeside(
  db: Db,
  id: string,
  { inPlaceOf, role }: Pick<NewMessage, "role"> & { inPlaceOf: number },
): { parent: number } {
  const row = db
    .select({ parent: messages.parent, role: messages.role })
    .from(messages)
    .where(isOfMessage(messages, { conversationId: id, ordinal: inPlaceOf }))
    .get();
  if (row?.role === role) return row;
  throw noMessage(inPlaceOf);
}

function noMessage(ordinal: number): AppError {
  return new AppError("not_found", `There is no such message ${ordinal} in this conversation.`, {
    fix: "Go back to the conversation and choose one that is there.",
  });
}

interface Said {
  readonly text: string;
  readonly createdAt: number;
  readonly files?: readonly NewMessageFile[];
  readonly inPlaceOf?: number;
}

function addSaid({ client, db }: Handle, id: string, said: Said): Message {
  const { files: added = [], ...fields } = said;
  const ref = addMessage(db, id, { ...fields, role: "person" });
  addFiles(db, ref, added);
  const title = ref.ordinal === 1 ? `${requireConversation(db, id).title}\n` : "";
  indexWords(client, ref, title + said.text);
  return requireMessage(db, ref);
}

function indexWords(client: Database, ref: MessageRef, words: string): void {
  INDEX(client).run(words.slice(0, WORD_CHARS_MAX), ref.conversationId, ref.ordinal);
}

function startAnswer(
  db: Db,
  id: string,
  start: { round: number; createdAt: number; text?: string } & Beside,
): AnswerMessage {
  const fields = { text: "", ...start, role: "model", state: "streaming" } as const;
  return requireAnswer(requireMessage(db, addMessage(db, id, fields)));
}

function saveCall(
  db: Db,
  ref: CallRef,
  { from, ...change }: Parameters<ConversationStore["saveCall"]>[1],
): boolean {
  const kept = db
    .update(calls)
    .set(change)
    .where(and(isCall(ref), eq(calls.state, from)));
  return kept.returning({ number: calls.number }).all().length > 0;
}

function show(db: Db, ref: MessageRef): void {
  const conversation = requireConversation(db, ref.conversationId);
  refuseWhileAnswering(conversation);
  if (findMessage(db, ref) === undefined) throw noMessage(ref.ordinal);
  let head = ref.ordinal;
  for (
    let next: number | null = head;
    next !== null;
    next = newestChild(db, { ...ref, ordinal: head })
  )
    head = next;
  if (head === conversation.head) return;
  db.update(conversations)
    .set({ head, branch: conversation.branch + 1 })
    .where(eq(conversations.id, ref.conversationId))
    .run();
}

function newestChild(db: Db, { conversationId, ordinal }: MessageRef): number | null {
  const found = db
    .select({ newest: max(messages.ordinal) })
    .from(messages)
    .where(and(eq(messages.conversationId, conversationId), eq(messages.parent, ordinal)))
    .get();
  return found?.newest ?? null;
}

function endAnswer(
  db: Db,
  ref: MessageRef,
  ...[end, clock]: [AnswerEnd, Clock]
): AnswerMessage | undefined {
  const { usage, calls: made, ...fields } = end;
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
  const { conversationId, ordinal } = ref;
  if (made.length > 0)
    db.insert(calls)
      .values(
        made.map((call, index) =>
          Object.assign({ conversationId, ordinal, number: index + 1 }, call),
        ),
      )
      .run();
  db.update(conversations)
    .set({ isAnswering: false })
    .where(eq(conversations.id, conversationId))
    .run();
  return requireAnswer(requireMessage(db, ref));
}

/** Of one of the tables whose rows belong to a message. */
function isOfMessage(table: typeof messages | typeof files | typeof calls, ref: MessageRef) {
  return and(eq(table.conversationId, ref.conversationId), eq(table.ordinal, ref.ordinal));
}

function isCall(ref: CallRef) {
  return and(isOfMessage(calls, ref), eq(calls.number, ref.number));
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

function toMessage(
  row: MessageRow,
  more: Pick<Message, "siblings"> & Pick<PersonMessage, "files"> & Pick<AnswerMessage, "calls">,
): Message {
  const { conversationId, ordinal, text, createdAt } = row;
  const parent = row.parent === 0 ? null : row.parent;
  const base = { conversationId, ordinal, parent, siblings: more.siblings, text, createdAt };
  if (row.role === "person") return { ...base, role: "person", files: more.files };
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
    thoughts: row.thoughts,
    calls: more.calls,
  };
}
