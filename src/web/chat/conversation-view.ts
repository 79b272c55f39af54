/** A conversation as its page and its stream show it: the store, with what it does not have yet. */
import type { ChatPhase, ConversationHead, MessageChange } from "../../../views/conversation.tsx";
import type { MessageView } from "../../../views/part/answer.tsx";
import type { CallView } from "../../../views/part/call-card.tsx";
import {
  ANSWER_CHARS_MAX,
  type ChatCall,
  type ChatCallState,
  type Conversation,
  type ConversationStore,
  isHandEdit,
  type Message,
} from "../../domain/conversation.ts";
import type { WorkflowStore } from "../../domain/workflow.ts";
import type { AbandonedWatch } from "./abandoned.ts";
import type { Answers } from "./answers.ts";
import { findSaved } from "./find-saved.ts";
import { type AnswerReader, hasErrors } from "./reading.ts";

/** Messages of one page, and of one message of the stream. */
export const MESSAGE_COUNT_MAX = 60;

/**
 * A place in a conversation as one number: which branch, which message, how much of it. The last places of a message
 * stand for its end: how far its tool calls are, and whether the answers to it have ended.
 */
const PLACES = 4 * ANSWER_CHARS_MAX;
const ENDED = PLACES - 10_000;
const ORDINALS = 8_192;

export interface ViewDeps {
  readonly conversations: ConversationStore;
  readonly workflows: WorkflowStore;
  readonly answers: Answers;
  readonly abandoned: AbandonedWatch;
  readonly reader: AnswerReader;
  readonly viewCall: (ordinal: number, call: ChatCall) => Promise<CallView>;
}

export interface Update {
  readonly position: number;
  readonly head: ConversationHead;
  readonly changes: readonly MessageChange[];
}

/** The place that a page is at which shows these messages and nothing after them. */
export function positionOf(
  { branch }: Pick<Conversation, "branch">,
  last: Message | undefined,
  isActive: boolean,
): number {
  const start = branch * ORDINALS;
  return last === undefined
    ? start * PLACES
    : (start + last.ordinal) * PLACES + placeIn(last, isActive);
}

function placeIn(message: Message, isActive: boolean): number {
  if (isUnderWay(message)) return Math.min(message.text.length, ENDED - 1);
  return ENDED + 2 * callProgress(message) + (isActive ? 0 : 1);
}

/** Grows with each step of a call. */
function callProgress(message: Message): number {
  if (message.role === "person") return 0;
  return message.calls.reduce((sum, { state }) => sum + CALL_STEPS[state], 0);
}

const CALL_STEPS: Record<ChatCallState, number> = {
  asked: 0,
  begun: 1,
  done: 2,
  declined: 2,
  failed: 2,
};

function isUnderWay(message: Message): boolean {
  return message.role === "model" && message.state === "streaming";
}

/** What follows a place, at most MESSAGE_COUNT_MAX messages; undefined when nothing does. */
export async function readUpdate(
  deps: ViewDeps,
  conversation: Conversation,
  after: number,
): Promise<Update | undefined> {
  const seen = {
    branch: Math.floor(after / PLACES / ORDINALS),
    ordinal: Math.floor(after / PLACES) % ORDINALS,
    place: after % PLACES,
  };
  const isActive = deps.answers.isActive(conversation.id);
  const isOther = seen.branch !== conversation.branch;
  const found = await currentMessages(deps, conversation.id, {
    ...(isOther ? {} : { after: seen.ordinal - 1 }),
    limit: MESSAGE_COUNT_MAX,
  });
  const last = found.at(-1);
  const position = positionOf(conversation, last, isActive);
  if (last === undefined || position <= after) return undefined;
  const head = await readHead(deps, conversation, last);
  if (isOther) {
    const views = await Promise.all(found.map((message) => viewMessage(deps, message)));
    return { position, head, changes: [{ kind: "replaced", views }] };
  }
  const changes = await Promise.all(
    found.map(async (message): Promise<MessageChange[]> => {
      if (message.ordinal > seen.ordinal) {
        return [{ kind: "added", view: await viewMessage(deps, message) }];
      }
      if (message.ordinal < seen.ordinal) return [];
      if (!isUnderWay(message)) {
        const isSame = seen.place >= ENDED + 2 * callProgress(message);
        return isSame ? [] : [{ kind: "ended", view: await viewMessage(deps, message) }];
      }
      const text = message.text.slice(seen.place);
      return text === "" ? [] : [{ kind: "text", ordinal: message.ordinal, text }];
    }),
  );
  return { position, head, changes: changes.flat() };
}

/** Stored messages, the one that is under way with the text that is not stored yet. */
export async function currentMessages(
  { conversations, answers }: ViewDeps,
  id: string,
  options: { limit: number; after?: number; before?: number },
): Promise<Message[]> {
  const stored = await conversations.messages(id, options);
  return stored.map((message) => answers.current(message));
}

/** @param last The newest message of the conversation. */
export async function readHead(
  deps: ViewDeps,
  conversation: Conversation,
  last: Message | undefined,
): Promise<ConversationHead> {
  const totals = await deps.conversations.totals(conversation.id);
  return { conversation, totals, phase: await phaseOf(deps, conversation, last) };
}

async function phaseOf(
  { answers, reader }: ViewDeps,
  conversation: Conversation,
  last: Message | undefined,
): Promise<ChatPhase> {
  // Under way, and not active here: another process makes it, such as `agents new`.
  if (answers.isActive(conversation.id) || conversation.isAnswering) return "answering";
  // Nobody has asked for an answer to what was changed in the form.
  if (last?.role === "person" && isHandEdit(last)) return "idle";
  if (last === undefined || last.role === "person" || last.state !== "done") return "retry";
  if (last.calls.some(({ state }) => state === "asked")) return "asking";
  if (last.calls.length > 0) return "retry";
  return hasErrors(await reader.read(last)) ? "retry" : "idle";
}

export async function viewMessage(deps: ViewDeps, message: Message): Promise<MessageView> {
  if (message.role === "person" || message.state === "streaming") {
    return { message, reading: undefined, saved: undefined };
  }
  const { ordinal } = message;
  const [reading, calls] = await Promise.all([
    deps.reader.read(message),
    Promise.all(message.calls.map((call) => deps.viewCall(ordinal, call))),
  ]);
  return { message, reading, calls, saved: await findSaved(deps.workflows, reading.result) };
}
