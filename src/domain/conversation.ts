/**
 * A conversation with the model that builds workflows: a tree of messages, each of which follows its parent. One
 * way through it, the branch, is shown and gone on with. Messages are only ever added; all but the answer that is
 * under way, and what has become of the tool calls of one, never change again.
 */
import type { Json } from "../lib/json.ts";
import type { ErrorRecord } from "./error.ts";
import type { ModelAnswer, Usage } from "./model.ts";
import type { ProviderName } from "./workflow.ts";

/** What a person may write at once. */
export const MESSAGE_CHARS_MAX = 20_000;
/** A longer answer is stopped. */
export const ANSWER_CHARS_MAX = 200_000;
export const CONVERSATION_MESSAGE_COUNT_MAX = 5_000;
export const CONVERSATION_TITLE_CHARS_MAX = 80;
/** What may be attached to one message. */
export const MESSAGE_FILE_COUNT_MAX = 5;
export const MESSAGE_FILE_BYTES_MAX = 2 * 1024 * 1024;
/** Of an attached text, which is put into the request as it is. */
export const MESSAGE_FILE_CHARS_MAX = 60_000;
/** Of a conversation, so that what a request carries has an end. */
export const CONVERSATION_FILE_BYTES_MAX = 20 * 1024 * 1024;
/** What was removed can be put back for so long. */
export const CONVERSATION_KEPT_MS = 24 * 3_600_000;
/** How a message begins that a person made by changing the workflow in a form, and the file that it has. */
export const EDIT_WORDS = "Changed by hand: ";
export const EDIT_FILE = "workflow.yaml";
/** How often a workflow with errors goes back to the model by itself. */
export const REPAIR_ROUND_COUNT_MAX = 3;

/**
 * `streaming`: under way, at most one in a conversation. `stopped`: by a person. `interrupted`: the
 * process ended in the middle. The text that had come is kept in every state.
 */
export const ANSWER_STATES = ["streaming", "done", "stopped", "interrupted", "failed"] as const;
export type AnswerState = (typeof ANSWER_STATES)[number];

interface BaseMessage {
  readonly conversationId: string;
  /** 1, 2, 3 … within the conversation, in the order of their beginning. */
  readonly ordinal: number;
  /** What it follows; null for what begins the conversation. */
  readonly parent: number | null;
  /** All that follow the same parent and are of the same role, itself among them, oldest first. */
  readonly siblings: readonly number[];
  readonly text: string;
  readonly createdAt: number;
}

/** An attached text or image, without its content. */
export interface MessageFile {
  /** 1, 2, 3 … within its message. */
  readonly number: number;
  readonly name: string;
  readonly mediaType: string;
  /** SHA-256 of the content, hex. */
  readonly hash: string;
  readonly byteCount: number;
}

export interface NewMessageFile extends Pick<MessageFile, "name" | "mediaType"> {
  readonly data: Uint8Array;
}

export interface PersonMessage extends BaseMessage {
  readonly role: "person";
  readonly files: readonly MessageFile[];
}

/**
 * `begun`: to be made, or under way. `asked`: writes or spends, and waits for a person, who approves or declines.
 * The last three never change.
 */
export const CHAT_CALL_STATES = ["begun", "asked", "done", "declined", "failed"] as const;
export type ChatCallState = (typeof CHAT_CALL_STATES)[number];

/** A tool call of an answer. */
export interface ChatCall {
  /** 1, 2, 3 … within its answer. */
  readonly number: number;
  /** As the provider calls it. */
  readonly callId: string;
  readonly tool: string;
  readonly arguments: Json;
  readonly state: ChatCallState;
  /** What the model is told of it; null while it is `begun` or `asked`. */
  readonly result: string | null;
  /** Where what it made can be seen, a path of the dashboard. */
  readonly link: string | null;
  /** When a person approved it; null for one that needs nobody. */
  readonly approvedAt: number | null;
  /**
   * What was there already when this person looked, which the call is against: the hash of a version, or NOTHING_SEEN;
   * null for a call that is against nothing.
   */
  readonly seen: string | null;
}

export interface AnswerMessage extends BaseMessage {
  readonly role: "model";
  readonly state: AnswerState;
  /** 0 for the answer to what the person wrote, n for the n-th repair of it. */
  readonly round: number;
  /** Null when it ended before one was chosen. */
  readonly provider: ProviderName | null;
  readonly model: string | null;
  /** Older messages that did not fit into what the model was sent. */
  readonly omittedCount: number;
  /** How the model ended; null while it has not. */
  readonly finish: ModelAnswer["finish"] | null;
  readonly usage: Usage;
  /** Null when it is not known, as for an answer that did not end. */
  readonly costNanoUsd: number | null;
  /** Why it failed. */
  readonly error: ErrorRecord | null;
  readonly finishedAt: number | null;
  /** Null until it has ended, and when it made no calls. What the provider wants back: `ModelAnswer.thoughts`. */
  readonly thoughts: Json | null;
  readonly calls: readonly ChatCall[];
}

export type Message = PersonMessage | AnswerMessage;

export interface Conversation {
  readonly id: string;
  readonly title: string;
  readonly createdAt: number;
  /** When the newest message was added. */
  readonly updatedAt: number;
  readonly messageCount: number;
  readonly isAnswering: boolean;
  /** The newest message of the branch. */
  readonly head: number;
  /** Grows whenever the branch changes in another way than by a message at its end. */
  readonly branch: number;
  /** `provider/model` that was picked for it; null for the default. */
  readonly model: string | null;
  /** The run that is shown beside it: the newest that was begun in it. It may have been deleted since. */
  readonly runId: string | null;
}

/** What all answers of a conversation used. */
export interface ConversationTotals {
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Sum of the answers with a known price. */
  readonly costNanoUsd: number;
  readonly unpricedCount: number;
}

export interface MessageRef {
  readonly conversationId: string;
  readonly ordinal: number;
}

/** What is known of an answer while it comes. */
export type AnswerProgress = Pick<AnswerMessage, "text" | "provider" | "model" | "omittedCount">;

export type AnswerEnd = AnswerProgress &
  Pick<AnswerMessage, "finish" | "usage" | "costNanoUsd" | "error" | "thoughts"> & {
    readonly state: Exclude<AnswerState, "streaming">;
    /** What is to be done for it. */
    readonly calls: readonly Pick<ChatCall, "callId" | "tool" | "arguments" | "state" | "result">[];
  };

/** An answer that some process makes, or made until it was killed. */
export interface AnswerUnderWay extends MessageRef {
  /** The last sign of life of that process, by its clock. */
  readonly aliveAt: number | null;
  /** That process, by the name that it gave itself. */
  readonly answeredBy: string | null;
}

/** There was no such thing. */
export const NOTHING_SEEN = "new";

export interface CallRef extends MessageRef {
  readonly number: number;
}

/** Stored conversations. All methods @throws AppError `database_*`, `disk_full`, `read_only`. */
export interface ConversationStore {
  /** Makes a conversation with its first message. */
  create(input: {
    readonly id: string;
    readonly title: string;
    readonly text: string;
    readonly files?: readonly NewMessageFile[];
    readonly model?: string | null;
  }): Promise<Conversation>;
  get(id: string): Promise<Conversation | undefined>;
  /**
   * Last changed first, at most `limit`, those that come after the conversation `before`; with `search` those that
   * have each of its words, or their beginnings, in the title or in what a person wrote.
   */
  list(options: { limit: number; before?: string; search?: string }): Promise<Conversation[]>;
  totals(id: string): Promise<ConversationTotals>;
  /**
   * At most `limit` messages of the branch, oldest first: those after the ordinal `after`, else the newest ones below
   * the ordinal `before`, else the newest ones.
   */
  messages(
    id: string,
    options: { limit: number; after?: number; before?: number },
  ): Promise<Message[]>;
  /** How many messages lead from the beginning to this one, itself included. */
  depth(ref: MessageRef): Promise<number>;
  /** Any message, of the branch or not. */
  message(ref: MessageRef): Promise<Message | undefined>;
  /** The content of an attached file. */
  file(ref: MessageRef & { readonly number: number }): Promise<Uint8Array | undefined>;
  /**
   * Adds what a person wrote at the end of the branch; with `inPlaceOf` beside that message, which begins a branch.
   * @throws AppError `not_found`; `conflict` while an answer is under way; `too_large` when the
   * conversation is full.
   */
  say(
    id: string,
    text: string,
    more?: { readonly files?: readonly NewMessageFile[]; readonly inPlaceOf?: number },
  ): Promise<Message>;
  /**
   * Begins an answer at the end of the branch; with `inPlaceOf` beside that answer, which begins a branch. `text` is
   * what it begins with, of an answer that is gone on with; `answeredBy` the process that makes it. @throws as `say`.
   */
  startAnswer(
    id: string,
    round: number,
    more?: { readonly inPlaceOf?: number; readonly text?: string; readonly answeredBy?: string },
  ): Promise<AnswerMessage>;
  /** Keeps what has come so far, which is a sign of life too. @returns false when the answer is not under way (any more). */
  saveProgress(ref: MessageRef, progress: AnswerProgress): Promise<boolean>;
  /** Gives a sign of life. @returns false when the answer is not under way (any more). */
  keepAlive(ref: MessageRef): Promise<boolean>;
  /** Of all conversations. */
  underWay(): Promise<readonly AnswerUnderWay[]>;
  /**
   * Ends an answer of another process, with what is stored of it. `isDue` is asked about the last sign of life when
   * nobody else can write. @returns false when it said no, and when none is under way.
   */
  breakOff(
    ref: MessageRef,
    state: "stopped" | "interrupted",
    isDue?: (aliveAt: number | null) => boolean,
  ): Promise<boolean>;
  /** Ends an answer. @returns it; undefined when it was not under way, and nothing is changed. */
  endAnswer(ref: MessageRef, end: AnswerEnd): Promise<AnswerMessage | undefined>;
  /** Changes a call from one state to another. @returns false when it was not in the first. */
  saveCall(
    ref: CallRef,
    change: { readonly from: ChatCallState } & Pick<ChatCall, "state" | "result" | "link"> &
      Partial<Pick<ChatCall, "approvedAt" | "seen">>,
  ): Promise<boolean>;
  /** Shows the branch that leads through this message to the newest below it. @throws AppError `not_found`, `conflict`. */
  show(ref: MessageRef): Promise<void>;
  /** @throws AppError `not_found`. */
  rename(id: string, title: string): Promise<void>;
  /** Null for the default. @throws AppError `not_found`. */
  pickModel(id: string, model: string | null): Promise<void>;
  /** Shows this run beside it. @throws AppError `not_found`. */
  showRun(id: string, runId: string): Promise<void>;
  /** It can be put back for CONVERSATION_KEPT_MS. @throws AppError `not_found`. */
  remove(id: string): Promise<void>;
  /** Undefined when it cannot be put back. */
  titleOfRemoved(id: string): Promise<string | undefined>;
  /** Deletes for good what can no longer be put back; `remove` does so too. */
  emptyBin(): Promise<void>;
  /** Puts back what was removed. @throws AppError `not_found`. */
  restore(id: string): Promise<void>;
}

/** The title of a conversation that begins with this text: its first line, cut. */
export function titleOf(text: string): string {
  const [line = ""] = text.trim().split("\n");
  const title = line.trim();
  if (title.length <= CONVERSATION_TITLE_CHARS_MAX) return title;
  return `${Array.from(title.slice(0, CONVERSATION_TITLE_CHARS_MAX)).slice(0, -2).join("")}…`;
}

/** Made by changing the workflow in a form: nobody has asked for an answer to it. */
export function isHandEdit({ text, files }: Pick<PersonMessage, "text" | "files">): boolean {
  return text.startsWith(EDIT_WORDS) && files.some(({ name }) => name === EDIT_FILE);
}
