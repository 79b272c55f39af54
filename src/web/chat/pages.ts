/** The pages and forms of the chat. */
import type { Hono } from "hono";
import { ChatPage, ConversationPage } from "../../../views/chat.tsx";
import {
  type AnswerMessage,
  type Conversation,
  MESSAGE_CHARS_MAX,
  type Message,
  titleOf,
} from "../../domain/conversation.ts";
import { AppError } from "../../domain/error.ts";
import { newId } from "../../lib/id.ts";
import { readForm } from "../form.ts";
import { type Kit, readOr, type WebContext, type WebEnv } from "../kit.ts";
import { html } from "../render.ts";
import { pathTo, PATTERNS } from "../routes.ts";
import { openStream } from "../stream.ts";
import {
  currentMessages,
  MESSAGE_COUNT_MAX,
  positionOf,
  readHead,
  type ViewDeps,
  viewMessage,
} from "./conversation-view.ts";
import type { ChatDeps } from "./deps.ts";
import {
  createConversationSource,
  createListSource,
  listConversations,
  noConversation,
} from "./sources.ts";

export interface ChatKit extends ViewDeps, Pick<Kit, "hub" | "shell"> {
  readonly deps: ChatDeps;
  /** Tells the streams that something has changed. */
  readonly notify: () => void;
}

export function registerChat(app: Hono<WebEnv>, kit: ChatKit): void {
  registerList(app, kit);
  registerConversation(app, kit);
  registerForms(app, kit);
}

function registerList(app: Hono<WebEnv>, kit: ChatKit): void {
  const { deps } = kit;
  const epoch = deps.clock.now().toString(36);

  app.get(PATTERNS.chat, async (c) => {
    const before = c.req.query("before") || undefined;
    const list = await readOr(c, listConversations(deps, before), {
      conversations: [],
      next: undefined,
    });
    const draft = await readOr(c, draftAbout(deps, c.req.query("workflow")), undefined);
    return html(c, ChatPage({ shell: kit.shell(c, "Chat"), ...list, draft }));
  });

  app.get(PATTERNS.chatStream, (c) => {
    const [given, position] = c.req.header("Last-Event-ID")?.split("-") ?? [];
    return openStream(c, kit, {
      key: "chat",
      createSource: () => createListSource(deps, epoch),
      after: given === epoch ? Number(position) : undefined,
    });
  });

  app.post(PATTERNS.chat, async (c) => {
    const text = requireText((await readForm(c)).text("text"));
    const { id } = await deps.conversations.create({
      id: newId(deps.clock.now()),
      title: titleOf(text),
      text,
    });
    await kit.answers.begin(id);
    kit.notify();
    return c.redirect(pathTo.conversation(id), 303);
  });
}

/** A message that asks for a change of a stored workflow; undefined where there is none, or it is too long. */
async function draftAbout(deps: ChatDeps, id: string | undefined): Promise<string | undefined> {
  const record = id === undefined ? undefined : await deps.workflows.get(id);
  if (record === undefined) return undefined;
  const text = `Change the workflow ${record.name} so that \n\n\`\`\`yaml\n${record.version.source.trimEnd()}\n\`\`\`\n`;
  return text.length > MESSAGE_CHARS_MAX ? undefined : text;
}

/** @throws AppError `invalid`, `too_large`. */
function requireText(given: string): string {
  const text = given.replaceAll("\r\n", "\n").trim();
  if (text === "") {
    throw new AppError("invalid", "There is nothing to send.", {
      fix: "Write what the workflow should do.",
    });
  }
  if (text.length > MESSAGE_CHARS_MAX) {
    throw new AppError("too_large", `A message has at most ${MESSAGE_CHARS_MAX} characters.`, {
      fix: "Shorten it, or say it in two messages.",
    });
  }
  return text;
}

function registerConversation(app: Hono<WebEnv>, kit: ChatKit): void {
  const { deps } = kit;

  app.get(PATTERNS.conversationStream, async (c) => {
    const { id } = await requireConversation(deps, c);
    const after = Number(c.req.header("Last-Event-ID") ?? c.req.query("after") ?? 0);
    return openStream(c, kit, {
      key: `chat:${id}`,
      createSource: () => createConversationSource(kit, id),
      after: Number.isSafeInteger(after) && after > 0 ? after : 0,
    });
  });

  app.get(PATTERNS.conversationFile, async (c) => {
    const answer = await requireAnswer(deps, c, c.req.param("file").slice(0, -".yaml".length));
    const { result } = await kit.reader.read(answer);
    if (result === undefined) throw noWorkflow();
    const name = (result.workflow?.name ?? "workflow").replaceAll(/[^\w.-]+/g, "_").slice(0, 80);
    return c.body(result.source, 200, {
      "Content-Type": "application/yaml; charset=utf-8",
      "Content-Disposition": `attachment; filename="${name}.yaml"`,
    });
  });

  app.get(PATTERNS.conversation, async (c) => {
    const conversation = await requireConversation(deps, c);
    const before = Number(c.req.query("before"));
    const isOlder = Number.isSafeInteger(before) && before > 1;
    return conversationPage(c, kit, conversation, isOlder ? before : undefined);
  });
}

async function conversationPage(
  c: WebContext,
  kit: ChatKit,
  ...[conversation, before]: [Conversation, number | undefined]
): Promise<Response> {
  const { id } = conversation;
  // Asked before the messages are read: whatever happens meanwhile then comes by the stream.
  const isActive = kit.answers.isActive(id);
  const messages = await currentMessages(kit, id, {
    limit: MESSAGE_COUNT_MAX,
    ...(before === undefined ? {} : { before }),
  });
  const last = messages.at(-1);
  const position = positionOf(last, isActive);
  const newest = before === undefined ? last : undefined;
  const views = await Promise.all(messages.map((message) => viewMessage(kit, message)));
  const head = await readHead(kit, conversation, newest);
  const first = messages[0]?.ordinal ?? 1;
  return html(
    c,
    ConversationPage({
      ...head,
      shell: kit.shell(c, conversation.title),
      messages: views,
      position,
      older: first > 1 ? first : undefined,
      isNewest: before === undefined,
    }),
  );
}

function registerForms(app: Hono<WebEnv>, kit: ChatKit): void {
  const { deps, answers } = kit;

  app.post(PATTERNS.conversationMessages, async (c) => {
    const { id } = await requireConversation(deps, c);
    await deps.conversations.say(id, requireText((await readForm(c)).text("text")));
    await answers.begin(id);
    kit.notify();
    return c.redirect(pathTo.conversation(id), 303);
  });

  app.post(PATTERNS.conversationAnswers, async (c) => {
    const { id } = await requireConversation(deps, c);
    await answers.begin(id);
    kit.notify();
    return c.redirect(pathTo.conversation(id), 303);
  });

  app.post(PATTERNS.conversationCancellation, async (c) => {
    const { id } = await requireConversation(deps, c);
    await answers.stop(id);
    return c.redirect(pathTo.conversation(id), 303);
  });

  app.post(PATTERNS.conversationWorkflows, async (c) => {
    const answer = await requireAnswer(deps, c, (await readForm(c)).text("message"));
    const { result } = await kit.reader.read(answer);
    if (result === undefined) throw noWorkflow();
    const { workflow, source } = result;
    if (workflow === undefined) {
      throw new AppError("workflow_invalid", "The workflow of this answer has errors.", {
        fix: "Ask for a correction in the conversation, then save that.",
      });
    }
    const { name, description = null } = workflow;
    const saved = await deps.workflows.save({ name, description, source, format: "yaml" });
    return c.redirect(pathTo.workflow(saved.id), 303);
  });

  app.post(PATTERNS.conversationDeletion, async (c) => {
    const { id } = await requireConversation(deps, c);
    await answers.stop(id);
    await deps.conversations.remove(id);
    kit.notify();
    return c.redirect(pathTo.chat(), 303);
  });
}

async function requireConversation(deps: ChatDeps, c: WebContext): Promise<Conversation> {
  const id = c.req.param("id") ?? "";
  const conversation = await deps.conversations.get(id);
  if (conversation === undefined) throw noConversation(id);
  return conversation;
}

/** @param ordinal As it was sent. @throws AppError `not_found` when it is no answer that has ended. */
async function requireAnswer(
  deps: ChatDeps,
  c: WebContext,
  ordinal: string,
): Promise<AnswerMessage> {
  const { id } = await requireConversation(deps, c);
  const message: Message | undefined = /^\d{1,9}$/.test(ordinal)
    ? await deps.conversations.message({ conversationId: id, ordinal: Number(ordinal) })
    : undefined;
  if (message?.role !== "model" || message.state === "streaming") throw noWorkflow();
  return message;
}

function noWorkflow(): AppError {
  return new AppError("not_found", "There is no workflow in this message.", {
    fix: "Go back to the conversation and choose an answer that has one.",
  });
}
