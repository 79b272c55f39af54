/** What an address or a form of the chat names, or the refusal. */
import {
  type Conversation,
  type ConversationStore,
  NOTHING_SEEN,
} from "../../domain/conversation.ts";
import { AppError } from "../../domain/error.ts";
import type { Workflow } from "../../domain/workflow.ts";
import type { WebContext } from "../kit.ts";
import type { Answers } from "./answers.ts";
import { type FoundResult, type ResultDeps, type ResultSource, resultOf } from "./result.ts";

/** @throws AppError `not_found`. */
export function requireConversation(
  deps: Pick<ResultDeps, "conversations">,
  c: WebContext,
): Promise<Conversation> {
  return findConversation(deps, c.req.param("id") ?? "");
}

/** @throws AppError `not_found`. */
export async function findConversation(
  { conversations }: { readonly conversations: Pick<ConversationStore, "get"> },
  id: string,
): Promise<Conversation> {
  const conversation = await conversations.get(id);
  if (conversation !== undefined) return conversation;
  throw new AppError("not_found", `There is no conversation ${id}.`, {
    fix: "Choose one from the list of conversations.",
  });
}

/** The ordinal in a field of a form; undefined when it is not there. */
export function ordinalIn(text: string): number | undefined {
  return /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

export interface SaveWish {
  /** The ordinal of the message. */
  readonly message: string;
  /** The hash of the newest version as the page showed it; null for none. */
  readonly base: string | null;
}

/** @param sent By a button that saves. @throws AppError `invalid` when it is not one of ours. */
export function readSaveWish(sent: string): SaveWish {
  const [, message, base] = /^(\d{1,9})-(new|[0-9a-f]{64})$/.exec(sent) ?? [];
  if (message !== undefined && base !== undefined)
    return { message, base: base === NOTHING_SEEN ? null : base };
  throw new AppError("invalid", "This does not say what is to be saved.", {
    fix: "Reload the page, then press the button again.",
  });
}

/** @param sent The ordinal of its message. @throws AppError `not_found` when there is no workflow in it. */
export async function requireResult(
  { result: deps }: { readonly result: ResultDeps },
  c: WebContext,
  sent: string,
): Promise<FoundResult> {
  const { id } = await requireConversation(deps, c);
  return resultIn(deps, id, sent);
}

/** The same of a conversation that is known. */
export async function resultIn(
  deps: ResultSource & { readonly conversations: Pick<ConversationStore, "message"> },
  id: string,
  sent: string,
): Promise<FoundResult> {
  const ordinal = ordinalIn(sent);
  const message =
    ordinal === undefined
      ? undefined
      : await deps.conversations.message({ conversationId: id, ordinal });
  const result = message && (await resultOf(deps, message));
  if (message !== undefined && result !== undefined) return { message, result };
  throw new AppError("not_found", "There is no workflow in this message.", {
    fix: "Go back to the conversation and choose an answer that has one.",
  });
}

/** @throws AppError `not_found`; `workflow_invalid` when it cannot run. */
export async function requireWorkflow(
  parts: { readonly result: ResultDeps },
  c: WebContext,
  sent: string,
): Promise<FoundResult & { readonly workflow: Workflow }> {
  const found = await requireResult(parts, c, sent);
  const { workflow } = found.result;
  if (workflow !== undefined) return { ...found, workflow };
  throw new AppError("workflow_invalid", "The workflow of this answer has errors.", {
    fix: "Ask for a correction in the conversation, then go on with that.",
  });
}

/** Between an answer and what follows from it by itself, too: what follows belongs to this branch. */
export function requireRest(
  { answers }: { readonly answers: Pick<Answers, "isActive"> },
  id: string,
): void {
  if (!answers.isActive(id)) return;
  throw new AppError("conflict", "An answer is under way in this conversation.", {
    fix: "Wait until it has ended, or stop it.",
  });
}
