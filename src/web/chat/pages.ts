/** The pages and forms of the chat. */
import type { Hono } from "hono";
import { ChatPage } from "../../../views/chat.tsx";
import { type ChatCall, titleOf } from "../../domain/conversation.ts";
import { newId } from "../../lib/id.ts";
import { readForm } from "../form.ts";
import { type Kit, readOr, type WebEnv } from "../kit.ts";
import { html } from "../render.ts";
import { pathTo, PATTERNS } from "../routes.ts";
import { openStream } from "../stream.ts";
import { registerConversation } from "./conversation-pages.ts";
import type { ViewDeps } from "./conversation-view.ts";
import type { ChatDeps } from "./deps.ts";
import { namesOfModels, readModel, readSaid } from "./message-form.ts";
import type { ResultDeps } from "./result.ts";
import { registerResult } from "./result-pages.ts";
import { createListSource, listConversations } from "./sources.ts";
import { draftAbout } from "./subject.ts";

export interface ChatKit extends ViewDeps, Pick<Kit, "hub" | "shell"> {
  readonly deps: ChatDeps;
  readonly result: ResultDeps;
  /** What is there now that a call is against. */
  readonly stateBefore: (call: ChatCall) => Promise<string | null>;
  /** Tells the streams that something has changed. */
  readonly notify: () => void;
}

export function registerChat(app: Hono<WebEnv>, kit: ChatKit): void {
  // What a process left that is gone is marked before anybody sees it, or goes on with it.
  app.use(`${PATTERNS.chat}/*`, async (_, next) => {
    await kit.abandoned.look();
    await next();
  });
  registerList(app, kit);
  registerConversation(app, kit);
  registerResult(app, kit);
}

function registerList(app: Hono<WebEnv>, kit: ChatKit): void {
  const { deps } = kit;
  const epoch = deps.clock.now().toString(36);

  app.get(PATTERNS.chat, async (c) => {
    const before = c.req.query("before") || undefined;
    const search = c.req.query("search")?.trim() ?? "";
    const empty = { conversations: [], next: undefined, search };
    const list = await readOr(c, listConversations(deps, { before, search }), empty);
    const draft = await readOr(c, draftAbout(deps, c.req.query()), undefined);
    const models = await namesOfModels(deps);
    const removed = await readOr(c, removedBefore(deps, c.req.query("undo")), undefined);
    const shell = kit.shell(c, "Chat");
    return html(c, ChatPage({ shell, ...list, draft, models, removed }));
  });

  app.get(PATTERNS.chatStream, (c) => {
    const [given, position] = c.req.header("Last-Event-ID")?.split("-") ?? [];
    return openStream(c, kit, {
      key: "chat",
      createSource: () => createListSource(kit, epoch),
      after: given === epoch ? Number(position) : undefined,
    });
  });

  app.post(PATTERNS.chat, async (c) => {
    const form = await readForm(c);
    const { text, files } = await readSaid(form, deps);
    const { id } = await deps.conversations.create({
      id: newId(deps.clock.now()),
      title: titleOf(text),
      text,
      files,
      model: readModel(form),
    });
    await kit.answers.begin(id);
    kit.notify();
    return c.redirect(pathTo.conversation(id), 303);
  });
}

/** What was just deleted, while it can be put back. */
async function removedBefore(
  { conversations }: ChatDeps,
  id: string | undefined,
): Promise<{ id: string; title: string } | undefined> {
  const title = id === undefined ? undefined : await conversations.titleOfRemoved(id);
  return id === undefined || title === undefined ? undefined : { id, title };
}
