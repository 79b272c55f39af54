/** What is done with the workflow beside a conversation: it is saved and run, and its run is decided on and cancelled. */
import type { Hono } from "hono";
import type { ConversationConflict } from "../../../views/conversation.tsx";
import type { RunForm } from "../../../views/part/run-form.tsx";
import { EDIT_PREFIX } from "../../../views/part/result-form.tsx";
import {
  type Conversation,
  EDIT_FILE,
  EDIT_WORDS,
  MESSAGE_CHARS_MAX,
} from "../../domain/conversation.ts";
import { AppError } from "../../domain/error.ts";
import { clip } from "../../lib/clip.ts";
import { wantsPage } from "../error.ts";
import { type Form, readForm } from "../form.ts";
import type { WebContext, WebEnv } from "../kit.ts";
import { pathTo, PATTERNS } from "../routes.ts";
import { readRunDecision } from "../run-decision.ts";
import { readRunForm, type RunFormReading } from "../run-form.ts";
import { conversationPage } from "./conversation-pages.ts";
import type { ChatKit } from "./pages.ts";
import {
  readSaveWish,
  requireConversation,
  requireRest,
  requireResult,
  requireWorkflow,
} from "./require.ts";
import { findResult, type FoundResult } from "./result.ts";
import { saveOrSay } from "./save-result.ts";

export function registerResult(app: Hono<WebEnv>, kit: ChatKit): void {
  const { deps } = kit;

  app.post(PATTERNS.conversationWorkflows, async (c) => {
    const conversation = await requireConversation(deps, c);
    const { id } = conversation;
    const form = await readForm(c);
    const isScheduled = form.has("schedule");
    const { message, base } = readSaveWish(form.text(isScheduled ? "schedule" : "message"));
    const { workflow, result } = await requireWorkflow(kit, c, message);
    const text = { workflow, source: result.source, base };
    const saved = await saveOrSay(deps.workflows, text);
    if (saved.conflict !== undefined) return conflictPage(c, kit, { conversation, ...saved });
    const page = pathTo.workflow(saved.record.id);
    if (isScheduled) return c.redirect(`${page}/schedules`, 303);
    const back = new URLSearchParams({ conversation: id });
    return c.redirect(`${page}?${back.toString()}`, 303);
  });

  app.post(PATTERNS.conversationEdits, async (c) => {
    const conversation = await requireConversation(deps, c);
    requireRest(kit, conversation.id);
    const form = await readForm(c);
    const shown = await requireResult(kit, c, form.text("message"));
    const { source } = shown.result;
    const values = await readEdits(form, source);
    try {
      await requireNewest(kit, conversation, shown);
      await addEdits(kit, conversation, { source, values });
    } catch (error) {
      if (!isRefusal(error) || !wantsPage(c)) throw error;
      const message = [error.message, error.fix].filter((part) => part !== undefined).join(" ");
      return conversationPage(c, kit, conversation, { refused: { values, message } });
    }
    return c.redirect(`${pathTo.conversation(conversation.id)}?view=form`, 303);
  });

  app.post(PATTERNS.conversationRuns, async (c) => {
    const conversation = await requireConversation(deps, c);
    const form = await readForm(c);
    const { message, base } = readSaveWish(form.text("message"));
    const { workflow, result } = await requireWorkflow(kit, c, message);
    const reading = await readRunForm(form, workflow, deps.providers());
    if (reading.request === undefined) {
      if (!wantsPage(c)) throw refusal(reading);
      return conversationPage(c, kit, conversation, { form: reading.form });
    }
    const saved = await saveOrSay(deps.workflows, { workflow, source: result.source, base });
    if (saved.conflict !== undefined)
      return conflictPage(c, kit, { conversation, form: reading.form, ...saved });
    const { record } = saved;
    const run = await deps.createRun({
      workflowId: record.id,
      versionHash: record.version.hash,
      workflow,
      ...reading.request,
    });
    await deps.conversations.showRun(conversation.id, run.id);
    kit.notify();
    return c.redirect(pathToRun(conversation.id), 303);
  });

  app.post(PATTERNS.conversationRunDecisions, async (c) => {
    const { id, runId } = await requireConversation(deps, c);
    const { key, ...decision } = readRunDecision(await readForm(c));
    await deps.runs.decide(requireRunId(runId), key, decision);
    return c.redirect(pathToRun(id), 303);
  });

  app.post(PATTERNS.conversationRunCancellation, async (c) => {
    const { id, runId } = await requireConversation(deps, c);
    await deps.runs.requestCancel(requireRunId(runId));
    return c.redirect(pathToRun(id), 303);
  });
}

/** What was changed in the form, by place. */
async function readEdits(form: Form, source: string): Promise<ReadonlyMap<string, string>> {
  const { editablePlaces } = await import("../../language/edit-source.ts");
  const edits = editablePlaces(source).flatMap(({ path, value }) => {
    const name = EDIT_PREFIX + path;
    const typed = form.has(name) ? form.text(name).replaceAll("\r\n", "\n") : value;
    return typed === value ? [] : [[path, typed] as const];
  });
  return new Map(edits);
}

/** @throws AppError `conflict` when the talk has come to another workflow since: its changes would be lost. */
async function requireNewest(
  { result: deps }: ChatKit,
  conversation: Conversation,
  { message }: FoundResult,
): Promise<void> {
  const newest = await findResult(deps, conversation);
  if (newest?.message.ordinal === message.ordinal) return;
  throw new AppError("conflict", "The talk has come to another workflow meanwhile.", {
    fix: "What you changed stands in the form, over the newest text: apply it once more.",
  });
}

function isRefusal(error: unknown): error is AppError {
  return error instanceof AppError && (error.code === "invalid" || error.code === "conflict");
}

/** The changed file becomes a message of the person. Nothing is said when nothing was changed. */
async function addEdits(
  { deps, notify }: ChatKit,
  { id }: Conversation,
  { source, values }: { source: string; values: ReadonlyMap<string, string> },
): Promise<void> {
  const { editSource } = await import("../../language/edit-source.ts");
  const edited = editSource(
    source,
    [...values].map(([path, value]) => ({ path, value })),
  );
  if (edited.changed.length === 0) return;
  const told = edited.changed.map(({ owner, label }) => `${label} of ${owner}`).join(", ");
  await deps.conversations.say(id, clip(EDIT_WORDS + told, MESSAGE_CHARS_MAX), {
    files: [
      {
        name: EDIT_FILE,
        mediaType: "text/plain",
        data: new TextEncoder().encode(edited.source),
      },
    ],
  });
  notify();
}

function pathToRun(conversationId: string): string {
  return `${pathTo.conversation(conversationId)}?view=run`;
}

function conflictPage(
  c: WebContext,
  kit: ChatKit,
  {
    conversation,
    error,
    ...page
  }: {
    conversation: Conversation;
    error: AppError;
    conflict: ConversationConflict;
    form?: RunForm;
  },
): Promise<Response> {
  if (!wantsPage(c)) throw error;
  return conversationPage(c, kit, conversation, page);
}

function requireRunId(runId: string | null): string {
  if (runId !== null) return runId;
  throw new AppError("not_found", "No run was begun in this conversation.", {
    fix: "Reload the page.",
  });
}

/** For a page that stays where it is: what is wrong, in one text. */
function refusal({ form }: RunFormReading): AppError {
  const told = form.fields.flatMap(({ field, error }) =>
    error === undefined ? [] : `${field.name}: ${error}`,
  );
  return new AppError("invalid", `The run was not started. ${told.join(" ")}`);
}
