/** The live streams of the chat: one for each conversation, one for the list of them. */
import { ConversationListUpdate } from "../../../views/chat.tsx";
import {
  type ConversationHead,
  ConversationUpdate,
  isOnlyText,
  type MessageChange,
} from "../../../views/conversation.tsx";
import { STREAM_END } from "../../../views/layout.tsx";
import type { Conversation } from "../../domain/conversation.ts";
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
  viewMessage,
} from "./conversation-view.ts";
import type { ChatDeps } from "./deps.ts";
import { createBesideReader, type ResultDeps } from "./result.ts";

/** Pieces that come within this time go out as one message. */
export const CHAT_INTERVAL_MS = 40;
/** Changes that nobody told, as the end of a process that was killed, show up after this long. */
const CHAT_REFRESH_MS = 2_000;
const LIST_INTERVAL_MS = 500;
export const CONVERSATION_COUNT_MAX = 50;

/** While an answer comes, what stands beside it is looked at this often. */
const BESIDE_INTERVAL_MS = 1_000;

export interface SourceDeps extends ViewDeps {
  readonly deps: Pick<ChatDeps, "health" | "demo" | "clock">;
  readonly result: ResultDeps;
}

/**
 * The stream of one conversation. A message's place says how much of the conversation it completes, so
 * that a reader who comes back is served from the store, also by another process. What stands beside it has no place:
 * who joins is told how it is.
 */
export function createConversationSource(parts: SourceDeps, id: string): LogSource {
  const { clock } = parts.deps;
  const { encode, faceOf, cardOf, deleted } = createEncoder(parts);
  let position: number | undefined;
  let shown: Face | undefined;
  let shownAt = 0;
  let ended = false;

  /** What a reader gets who is there already: nothing of the messages, and the present head. */
  async function present(conversation: Conversation): Promise<Update> {
    const [last] = await currentMessages(parts, id, { limit: 1 });
    const head = await readHead(parts, conversation, last);
    return {
      position: positionOf(conversation, last, parts.answers.isActive(id)),
      head,
      changes: [],
    };
  }

  /** What has changed besides the messages. */
  async function changed(conversation: Conversation, at: number): Promise<StreamMessage[]> {
    const { head } = await present(conversation);
    const [before, face] = [shown, await faceOf(head)];
    [shown, shownAt] = [face, clock.now()];
    const isWhole = face.result !== before?.result;
    if (!isWhole && face.head === before.head && face.run === before.run) return [];
    const changes = isWhole ? await cardOf(conversation) : [];
    return [await encode({ position: at, head, changes }, { isWhole })];
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
      await parts.abandoned.look();
      const conversation = await parts.conversations.get(id);
      if (conversation === undefined) {
        ended = true;
        return deleted(position ?? 0);
      }
      const messages: StreamMessage[] = [];
      if (position === undefined) {
        const first = await present(conversation);
        position = first.position;
        [shown, shownAt] = [await faceOf(first.head), clock.now()];
        return [await encode(first, { isWhole: false })];
      }
      let isText = true;
      for (let update = await readUpdate(parts, conversation, position); update !== undefined;) {
        position = update.position;
        isText &&= isOnlyText(update.changes);
        const how = isOnlyText(update.changes) ? undefined : { isWhole: true };
        if (how !== undefined) shown = await faceOf(update.head);
        messages.push(await encode(update, how));
        update = await readUpdate(parts, conversation, position);
      }
      const isDue = messages.length === 0 || clock.now() - shownAt >= BESIDE_INTERVAL_MS;
      return isText && isDue ? [...messages, ...(await changed(conversation, position))] : messages;
    },
    async missed(after) {
      const conversation = await parts.conversations.get(id);
      // The producer tells that it was deleted.
      const update = conversation && (await readUpdate(parts, conversation, after));
      return update && encode(update, { isWhole: !isOnlyText(update.changes) });
    },
    async present() {
      const conversation = await parts.conversations.get(id);
      if (conversation === undefined) return undefined;
      return (await encode(await present(conversation), { isWhole: false })).bytes;
    },
  };
}

/** How the parts are shown that have no place of their own. */
interface Face {
  readonly head: string;
  readonly result: string;
  readonly run: string;
}

/** Makes messages, and says when what stands beside the talk has to be told anew. */
function createEncoder(parts: SourceDeps) {
  const reader = createBesideReader(parts.result);

  async function faceOf(head: ConversationHead): Promise<Face> {
    const { conversation } = head;
    const [result, run] = await Promise.all([
      reader.faceOfResult(conversation),
      reader.faceOfRun(conversation),
    ]);
    return { head: JSON.stringify([head, bannersOf(parts.deps)]), result, run };
  }

  /** @param how.isWhole With the workflow, not only what has become of it. */
  async function encode(
    update: Update,
    how: { readonly isWhole: boolean } | undefined,
  ): Promise<StreamMessage> {
    const beside = how && { ...(await reader.view(update.head.conversation)), ...how };
    const more = { beside, banners: bannersOf(parts.deps), now: parts.deps.clock.now() };
    const data = await renderText(ConversationUpdate({ ...update, ...more }));
    return {
      position: update.position,
      bytes: encodeMessage({ id: String(update.position), data }),
    };
  }

  /** The answer that has the workflow: whether it is saved stands there too. */
  async function cardOf(conversation: Conversation): Promise<MessageChange[]> {
    const message = (await reader.find(conversation))?.message;
    if (message?.role !== "model") return [];
    return [{ kind: "ended", view: await viewMessage(parts, message) }];
  }

  async function deleted(at: number): Promise<StreamMessage[]> {
    const head: ConversationHead = { conversation: GONE, totals: NO_TOTALS, phase: "deleted" };
    const end = encodeMessage({ id: String(at), data: "deleted", event: STREAM_END });
    const last = await encode({ position: at, head, changes: [] }, undefined);
    return [last, { position: at, bytes: end }];
  }

  return { encode, faceOf, cardOf, deleted };
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

interface ListDeps {
  readonly deps: Pick<ChatDeps, "conversations" | "clock" | "health" | "demo">;
}

/** The first page of the list, whole, whenever it has changed. */
export function createListSource(
  { deps, abandoned }: Pick<ViewDeps, "abandoned"> & ListDeps,
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
      await abandoned.look();
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
