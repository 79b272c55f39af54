/** One conversation: its page, its stream, its files and its forms. */
import type { Hono } from "hono";
import { type ConversationConflict, ConversationPage } from "../../../views/conversation.tsx";
import { DECISION_NAME } from "../../../views/part/call-card.tsx";
import type { RefusedEdits } from "../../../views/part/result-form.tsx";
import { RESULT_VIEWS, type ResultView } from "../../../views/part/result-panel.tsx";
import type { RunForm } from "../../../views/part/run-form.tsx";
import type { CallRef, Conversation, Message } from "../../domain/conversation.ts";
import { AppError } from "../../domain/error.ts";
import { wantsPage } from "../error.ts";
import { readForm } from "../form.ts";
import { imageTypeOf } from "../../lib/image-type.ts";
import type { WebContext, WebEnv } from "../kit.ts";
import { FILE_POLICY } from "../middleware/security-headers.ts";
import { html } from "../render.ts";
import { pathTo, PATTERNS } from "../routes.ts";
import { openStream } from "../stream.ts";
import { readDecision } from "./call-view.ts";
import {
  currentMessages,
  MESSAGE_COUNT_MAX,
  positionOf,
  readHead,
  viewMessage,
} from "./conversation-view.ts";
import { namesOfModels, readModel, readSaid } from "./message-form.ts";
import type { ChatKit } from "./pages.ts";
import { ordinalIn, requireConversation, requireRest, requireResult } from "./require.ts";
import { viewBeside } from "./result.ts";
import { createConversationSource } from "./sources.ts";

const IMAGE_MAX_AGE_SECONDS = 600;

export function registerConversation(app: Hono<WebEnv>, kit: ChatKit): void {
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
    const { result } = await requireResult(kit, c, c.req.param("file").slice(0, -".yaml".length));
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
    return conversationPage(c, kit, conversation, isOlder ? { before } : {});
  });

  app.get(PATTERNS.conversationAttachment, async (c) => {
    const { id } = await requireConversation(deps, c);
    const [ordinal, number] = [Number(c.req.param("ordinal")), Number(c.req.param("number"))];
    const message = await deps.conversations.message({ conversationId: id, ordinal });
    const files = message?.role === "person" ? message.files : [];
    const about = files.find((file) => file.number === number);
    const data = await deps.conversations.file({ conversationId: id, ordinal, number });
    if (about === undefined || data === undefined) {
      throw new AppError("not_found", "There is no such file in this conversation.", {
        fix: "Go back to the conversation and choose one that is there.",
      });
    }
    const name = `filename*=UTF-8''${encodeURIComponent(about.name)}`;
    const image = c.req.query("view") === undefined ? undefined : imageTypeOf(data);
    // Whatever it is, it is never shown as a page of this origin: an image is shown where nothing runs.
    return c.body(
      Uint8Array.from(data),
      200,
      image === undefined
        ? {
            "Content-Type": "application/octet-stream",
            "Content-Disposition": `attachment; ${name}`,
          }
        : {
            "Content-Type": image,
            "Content-Disposition": `inline; ${name}`,
            "Content-Security-Policy": FILE_POLICY,
            // A message never changes.
            "Cache-Control": `private, max-age=${IMAGE_MAX_AGE_SECONDS}`,
          },
    );
  });

  registerForms(app, kit);
  registerOptions(app, kit);
}

interface PageOptions {
  /** The messages before this one, instead of the newest. */
  readonly before?: number;
  /** What was sent to begin a run, and refused. */
  readonly form?: RunForm;
  /** The same of changes to the workflow. */
  readonly refused?: RefusedEdits;
  /** What would have been done against another state than the one that was shown. */
  readonly conflict?: ConversationConflict;
}

/** @param c Also of a form that was refused: the page then says what is wrong with it. */
export async function conversationPage(
  c: WebContext,
  kit: ChatKit,
  ...[conversation, { before, conflict, ...refusal }]: [Conversation, PageOptions]
): Promise<Response> {
  const { id } = conversation;
  // Asked before the messages are read: whatever happens meanwhile then comes by the stream.
  const isActive = kit.answers.isActive(id);
  const messages = await currentMessages(kit, id, {
    limit: MESSAGE_COUNT_MAX,
    ...(before === undefined ? {} : { before }),
  });
  const last = messages.at(-1);
  const position = positionOf(conversation, last, isActive);
  const newest = before === undefined ? last : undefined;
  const views = await Promise.all(messages.map((message) => viewMessage(kit, message)));
  const head = await readHead(kit, conversation, newest);
  const { shown, run } =
    newest === undefined ? NOTHING : await viewBeside(kit.result, conversation);
  const asked = RESULT_VIEWS.find((view) => view === c.req.query("view"));
  const [first] = messages;
  const status = conflict === undefined ? statusOf(refusal) : 409;
  return html(
    c,
    ConversationPage({
      ...head,
      shown: shown && { ...shown, ...refusal },
      run,
      conflict,
      isRefusal: status !== 200,
      view: refusedView(refusal) ?? asked ?? "graph",
      shell: kit.shell(c, conversation.title),
      messages: views,
      position,
      older: first === undefined || first.parent === null ? undefined : first.ordinal,
      isNewest: before === undefined,
      models: await namesOfModels(kit.deps),
      edited: editedOf(messages, c.req.query("edit")),
    }),
    status,
  );
}

function statusOf(refusal: PageOptions): 200 | 422 {
  return refusedView(refusal) === undefined ? 200 : 422;
}

function refusedView({ form, refused }: PageOptions): ResultView | undefined {
  if (form !== undefined) return "run";
  return refused === undefined ? undefined : "form";
}

/** Why a call that waits must not be made as it was approved; the store asks once more when it is made. */
async function changedSince(
  { deps, stateBefore }: ChatKit,
  ref: CallRef,
  seen: string | null,
): Promise<AppError | undefined> {
  const message = await deps.conversations.message(ref);
  const calls = message?.role === "model" ? message.calls : [];
  const call = calls.find(({ number, state }) => number === ref.number && state === "asked");
  if (call === undefined) return undefined;
  const fix = "Look at what it would do now, then decide again.";
  try {
    if ((await stateBefore(call)) === seen) return undefined;
    return new AppError("conflict", "The workflow was changed after this was shown.", { fix });
  } catch (error) {
    const { code, message: why } = AppError.from(error);
    if (code === "not_found") return new AppError("conflict", why, { fix, cause: error });
    throw error;
  }
}

const NOTHING = { shown: undefined, run: undefined };

/** The message of a person that is to be written anew. */
function editedOf(messages: readonly Message[], asked: string | undefined) {
  const found = messages.find(
    ({ ordinal, role }) => role === "person" && String(ordinal) === asked,
  );
  return found === undefined ? undefined : { ordinal: found.ordinal, text: found.text };
}

function registerForms(app: Hono<WebEnv>, kit: ChatKit): void {
  const { deps, answers } = kit;

  app.post(PATTERNS.conversationMessages, async (c) => {
    const { id } = await requireConversation(deps, c);
    const form = await readForm(c);
    const { text, files } = await readSaid(form, deps);
    requireRest(kit, id);
    const inPlaceOf = ordinalIn(form.text("inPlaceOf"));
    await deps.conversations.say(id, text, {
      files,
      ...(inPlaceOf === undefined ? {} : { inPlaceOf }),
    });
    await answers.begin(id);
    kit.notify();
    return c.redirect(pathTo.conversation(id), 303);
  });

  app.post(PATTERNS.conversationAnswers, async (c) => {
    const { id } = await requireConversation(deps, c);
    const form = await readForm(c);
    const goOnWith = ordinalIn(form.text("goOnWith"));
    const inPlaceOf = goOnWith ?? ordinalIn(form.text("inPlaceOf"));
    await answers.begin(id, {
      ...(inPlaceOf === undefined ? {} : { inPlaceOf }),
      goesOn: goOnWith !== undefined,
    });
    kit.notify();
    return c.redirect(pathTo.conversation(id), 303);
  });

  app.post(PATTERNS.conversationBranch, async (c) => {
    const { id } = await requireConversation(deps, c);
    const ordinal = ordinalIn((await readForm(c)).text("message")) ?? 0;
    requireRest(kit, id);
    await deps.conversations.show({ conversationId: id, ordinal });
    kit.notify();
    return c.redirect(pathTo.conversation(id), 303);
  });

  app.post(PATTERNS.conversationDecisions, async (c) => {
    const conversation = await requireConversation(deps, c);
    const { id, head } = conversation;
    const decision = readDecision((await readForm(c)).text(DECISION_NAME));
    if (decision?.ordinal !== head) {
      throw new AppError("conflict", "The conversation has gone on since this was asked.", {
        fix: "Reload the page; ask for it again if you still want it.",
      });
    }
    const { number, approved, seen } = decision;
    const ref = { conversationId: id, ordinal: head, number };
    if (approved) {
      const error = await changedSince(kit, ref, seen);
      if (error !== undefined && !wantsPage(c)) throw error;
      if (error !== undefined)
        return conversationPage(c, kit, conversation, { conflict: { error: error.toRecord() } });
    }
    await answers.decide(ref, { approved, seen });
    kit.notify();
    return c.redirect(pathTo.conversation(id), 303);
  });

  app.post(PATTERNS.conversationCancellation, async (c) => {
    const { id } = await requireConversation(deps, c);
    await answers.stop(id);
    return c.redirect(pathTo.conversation(id), 303);
  });
}

function registerOptions(app: Hono<WebEnv>, kit: ChatKit): void {
  const { deps, answers } = kit;

  app.post(PATTERNS.conversationTitle, async (c) => {
    const { id } = await requireConversation(deps, c);
    const title = (await readForm(c)).text("title").trim();
    if (title === "") {
      throw new AppError("invalid", "A conversation needs a title.", {
        fix: "Write a word or two.",
      });
    }
    await deps.conversations.rename(id, title);
    kit.notify();
    return c.redirect(pathTo.conversation(id), 303);
  });

  app.post(PATTERNS.conversationModel, async (c) => {
    const { id } = await requireConversation(deps, c);
    await deps.conversations.pickModel(id, readModel(await readForm(c)));
    return c.redirect(pathTo.conversation(id), 303);
  });

  app.post(PATTERNS.conversationDeletion, async (c) => {
    const { id } = await requireConversation(deps, c);
    await answers.stop(id);
    await deps.conversations.remove(id);
    kit.notify();
    return c.redirect(`${pathTo.chat()}?undo=${encodeURIComponent(id)}`, 303);
  });

  app.post(PATTERNS.conversationRestorations, async (c) => {
    const id = (await readForm(c)).text("id");
    await deps.conversations.restore(id);
    kit.notify();
    return c.redirect(pathTo.conversation(id), 303);
  });
}
