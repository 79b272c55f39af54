/** The live streams of the chat: one for each conversation, one for the list of them. */
import { ConversationListUpdate } from "../../../views/chat.tsx";
import { type ConversationHead, ConversationUpdate } from "../../../views/conversation.tsx";
import { STREAM_END } from "../../../views/layout.tsx";
import type { Conversation } from "../../domain/conversation.ts";
import { AppError } from "../../domain/error.ts";
import { bannersOf } from "../kit.ts";
import { renderText } from "../render.ts";
import { encodeMessage, type LogSource, type SnapshotSource, type StreamMessage } from "../sse.ts";
import {
  currentMessages,
  positionOf,
  readHead,
  readUpdate,
  type Update,
  type ViewDeps,
} from "./conversation-view.ts";
import type { ChatDeps } from "./deps.ts";

/** Pieces that come within this time go out as one message. */
export const CHAT_INTERVAL_MS = 40;
/** Changes that nobody told show up after this long. */
const CHAT_REFRESH_MS = 5_000;
const LIST_INTERVAL_MS = 500;
export const CONVERSATION_COUNT_MAX = 50;

export interface SourceDeps extends ViewDeps {
  readonly deps: Pick<ChatDeps, "health" | "demo">;
}

/**
 * The stream of one conversation. A message's place says how much of the conversation it completes, so
 * that a reader who comes back is served from the store, also by another process.
 */
export function createConversationSource(parts: SourceDeps, id: string): LogSource {
  let position: number | undefined;
  let shown = "";
  let ended = false;

  const faceOf = (head: ConversationHead) => JSON.stringify([head, bannersOf(parts.deps)]);

  async function encode(update: Update): Promise<StreamMessage> {
    const banners = bannersOf(parts.deps);
    const data = await renderText(ConversationUpdate({ ...update, banners }));
    return {
      position: update.position,
      bytes: encodeMessage({ id: String(update.position), data }),
    };
  }

  /** What a reader gets who is there already: nothing of the messages, and the present head. */
  async function begin(conversation: Conversation): Promise<Update> {
    const [last] = await currentMessages(parts, id, { limit: 1 });
    const head = await readHead(parts, conversation, last);
    return {
      position: positionOf(conversation, last, parts.answers.isActive(id)),
      head,
      changes: [],
    };
  }

  async function deleted(): Promise<StreamMessage[]> {
    ended = true;
    const at = position ?? 0;
    const head: ConversationHead = { conversation: GONE, totals: NO_TOTALS, phase: "deleted" };
    const end = encodeMessage({ id: String(at), data: "deleted", event: STREAM_END });
    return [await encode({ position: at, head, changes: [] }), { position: at, bytes: end }];
  }

  /* oxlint-disable no-await-in-loop -- a page of messages begins where the one before it ends */
  return {
    kind: "log",
    intervalMs: CHAT_INTERVAL_MS,
    refreshMs: CHAT_REFRESH_MS,
    get ended() {
      return ended;
    },
    async produce() {
      const conversation = await parts.conversations.get(id);
      if (conversation === undefined) return deleted();
      const messages: StreamMessage[] = [];
      if (position === undefined) {
        const first = await begin(conversation);
        position = first.position;
        shown = faceOf(first.head);
        return [await encode(first)];
      }
      for (let update = await readUpdate(parts, conversation, position); update !== undefined;) {
        position = update.position;
        shown = faceOf(update.head);
        messages.push(await encode(update));
        update = await readUpdate(parts, conversation, position);
      }
      if (messages.length > 0) return messages;
      const { head } = await begin(conversation);
      const face = faceOf(head);
      if (face === shown) return [];
      shown = face;
      return [await encode({ position, head, changes: [] })];
    },
    async missed(after) {
      const conversation = await parts.conversations.get(id);
      // The producer tells that it was deleted.
      if (conversation === undefined) return undefined;
      const update = await readUpdate(parts, conversation, after);
      return update === undefined ? undefined : encode(update);
    },
  };
}

const GONE: Conversation = {
  id: "",
  title: "",
  createdAt: 0,
  updatedAt: 0,
  messageCount: 0,
  isAnswering: false,
  head: 0,
  branch: 0,
  model: null,
  runId: null,
};
const NO_TOTALS = { inputTokens: 0, outputTokens: 0, costNanoUsd: 0, unpricedCount: 0 };

export function noConversation(id: string): AppError {
  return new AppError("not_found", `There is no conversation ${id}.`, {
    fix: "Choose one from the list of conversations.",
  });
}

/** The newest conversations, with the id to go on from when there are more. */
export async function listConversations(
  { conversations }: Pick<ChatDeps, "conversations">,
  { before, search = "" }: { readonly before?: string | undefined; readonly search?: string } = {},
): Promise<{ conversations: Conversation[]; next: string | undefined; search: string }> {
  const found = await conversations.list({
    limit: CONVERSATION_COUNT_MAX + 1,
    search,
    ...(before === undefined ? {} : { before }),
  });
  const shown = found.slice(0, CONVERSATION_COUNT_MAX);
  const next = found.length > CONVERSATION_COUNT_MAX ? shown.at(-1)?.id : undefined;
  return { conversations: shown, next, search };
}

/** The first page of the list, whole, whenever it has changed. */
export function createListSource(
  deps: Pick<ChatDeps, "conversations" | "clock" | "health" | "demo">,
  epoch: string,
): SnapshotSource {
  let position = 0;
  let shown = "";
  let newest: Uint8Array = new Uint8Array();
  return {
    kind: "snapshot",
    intervalMs: LIST_INTERVAL_MS,
    refreshMs: CHAT_REFRESH_MS,
    ended: false,
    async produce() {
      const list = await listConversations(deps);
      const banners = bannersOf(deps);
      const face = JSON.stringify([list, banners]);
      if (face === shown) return [];
      shown = face;
      position += 1;
      const view = ConversationListUpdate({ ...list, banners, now: deps.clock.now() });
      newest = encodeMessage({ id: `${epoch}-${position}`, data: await renderText(view) });
      return [{ position, bytes: newest }];
    },
    snapshot: () => Promise.resolve(newest),
  };
}
