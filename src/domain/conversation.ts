/**
 * A conversation with the model that builds workflows. Messages are only ever added at the end; all but
 * the answer that is under way never change again.
 */
import type { ErrorRecord } from "./error.ts";
import type { ModelAnswer, Usage } from "./model.ts";
import type { ProviderName } from "./workflow.ts";

/** What a person may write at once. */
export const MESSAGE_CHARS_MAX = 20_000;
/** A longer answer is stopped. */
export const ANSWER_CHARS_MAX = 200_000;
export const CONVERSATION_MESSAGE_COUNT_MAX = 5_000;
export const CONVERSATION_TITLE_CHARS_MAX = 80;
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
  /** 1, 2, 3 … within the conversation. */
  readonly ordinal: number;
  readonly text: string;
  readonly createdAt: number;
}

export interface PersonMessage extends BaseMessage {
  readonly role: "person";
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
  Pick<AnswerMessage, "finish" | "usage" | "costNanoUsd" | "error"> & {
    readonly state: Exclude<AnswerState, "streaming">;
  };

/** Stored conversations. All methods @throws AppError `database_*`, `disk_full`, `read_only`. */
export interface ConversationStore {
  /** Makes a conversation with its first message. */
  create(input: { id: string; title: string; text: string }): Promise<Conversation>;
  get(id: string): Promise<Conversation | undefined>;
  /** Last changed first, at most `limit`, those that come after the conversation `before`. */
  list(options: { limit: number; before?: string }): Promise<Conversation[]>;
  totals(id: string): Promise<ConversationTotals>;
  /**
   * At most `limit` messages, oldest first: those after the ordinal `after`, else the newest ones below
   * the ordinal `before`, else the newest ones.
   */
  messages(
    id: string,
    options: { limit: number; after?: number; before?: number },
  ): Promise<Message[]>;
  message(ref: MessageRef): Promise<Message | undefined>;
  /**
   * Adds what a person wrote.
   * @throws AppError `not_found`; `conflict` while an answer is under way; `too_large` when the
   * conversation is full.
   */
  say(id: string, text: string): Promise<Message>;
  /** Begins an answer, with no text yet. @throws as `say`. */
  startAnswer(id: string, round: number): Promise<AnswerMessage>;
  /** Keeps what has come so far. @returns false when the answer is not under way (any more). */
  saveProgress(ref: MessageRef, progress: AnswerProgress): Promise<boolean>;
  /** Ends an answer. @returns it; undefined when it was not under way, and nothing is changed. */
  endAnswer(ref: MessageRef, end: AnswerEnd): Promise<AnswerMessage | undefined>;
  /**
   * Marks every answer that is under way as interrupted: to be called once, when the only process that
   * makes answers begins. @returns how many there were.
   */
  interruptAnswers(): Promise<number>;
  /** @throws AppError `not_found`. */
  remove(id: string): Promise<void>;
}
