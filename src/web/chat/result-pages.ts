/** What is done with the workflow beside a conversation: it is saved and run, and its run is decided on and cancelled. */
import type { Hono } from "hono";
import { AppError } from "../../domain/error.ts";
import type { Workflow, WorkflowRecord } from "../../domain/workflow.ts";
import { wantsPage } from "../error.ts";
import { readForm } from "../form.ts";
import type { WebEnv } from "../kit.ts";
import { pathTo, PATTERNS } from "../routes.ts";
import { readRunDecision } from "../run-decision.ts";
import { readRunForm, type RunFormReading } from "../run-form.ts";
import { conversationPage } from "./conversation-pages.ts";
import type { ChatKit } from "./pages.ts";
import { requireConversation, requireWorkflow } from "./require.ts";

export function registerResult(app: Hono<WebEnv>, kit: ChatKit): void {
  const { deps } = kit;

  app.post(PATTERNS.conversationWorkflows, async (c) => {
    const { id } = await requireConversation(deps, c);
    const sent = (await readForm(c)).text("message");
    const { workflow, result } = await requireWorkflow(kit, c, sent);
    const saved = await save(kit, workflow, result.source);
    const back = new URLSearchParams({ conversation: id });
    return c.redirect(`${pathTo.workflow(saved.id)}?${back.toString()}`, 303);
  });

  app.post(PATTERNS.conversationRuns, async (c) => {
    const conversation = await requireConversation(deps, c);
    const form = await readForm(c);
    const { workflow, result } = await requireWorkflow(kit, c, form.text("message"));
    const reading = await readRunForm(form, workflow, deps.providers());
    if (reading.request === undefined) {
      if (!wantsPage(c)) throw refusal(reading);
      return conversationPage(c, kit, conversation, { form: reading.form });
    }
    const record = await save(kit, workflow, result.source);
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

function pathToRun(conversationId: string): string {
  return `${pathTo.conversation(conversationId)}?view=run`;
}

/** Its newest version when that has this very text, else a new one. */
async function save(
  { deps }: ChatKit,
  { name, description }: Workflow,
  source: string,
): Promise<WorkflowRecord> {
  const known = await deps.workflows.get(name);
  if (known?.name === name && known.version.source === source) return known;
  return deps.workflows.save({ name, description: description ?? null, source, format: "yaml" });
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
