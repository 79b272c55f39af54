/** What stands beside a conversation: the workflow that it has come to, and the run that was begun in it. */
import type { Beside } from "../../../views/conversation.tsx";
import type { PanelResult, PanelRun } from "../../../views/part/result-panel.tsx";
import type { WorkflowResult } from "../../../views/part/answer.tsx";
import type { Conversation, ConversationStore, Message } from "../../domain/conversation.ts";
import { RUN_STATES_FINAL, type RunStore } from "../../domain/run.ts";
import type { RunReader } from "../../domain/run-reader.ts";
import type { Workflow, WorkflowStore } from "../../domain/workflow.ts";
import type { JsonObject } from "../../lib/json.ts";
import type { WebDeps } from "../deps.ts";
import { type EstimateDeps, estimateSoon } from "../estimate-run.ts";
import { runFormOf } from "../run-form.ts";
import { readPieces } from "../run-pieces.ts";
import { readVersion } from "../run-view.ts";
import type { WorkflowReader } from "../workflow-reader.ts";
import { findSaved } from "./find-saved.ts";
import { type AnswerReader, mayHaveWorkflow } from "./reading.ts";

/** Messages that are looked at, the newest: what is older is no longer what the talk is about. */
const MESSAGE_COUNT_MAX = 200;
const APPROVAL_COUNT_MAX = 20;
/** How long a running step has been at it shows anew after this long. */
const RUN_TICK_MS = 2_000;

export interface ResultDeps extends EstimateDeps {
  readonly conversations: ConversationStore;
  readonly workflows: WorkflowStore;
  readonly runs: Pick<RunStore, "get" | "page" | "pendingApprovals">;
  readonly runReader: RunReader;
  readonly reader: AnswerReader;
  readonly workflowReader: WorkflowReader;
  readonly providers: WebDeps["providers"];
  readonly clock: WebDeps["clock"];
}

/** A workflow, and the message that has it. */
export interface FoundResult {
  readonly message: Message;
  readonly result: WorkflowResult;
}

/** Where the workflow of a message is found: in its text, or in a file that was attached. */
export interface ResultSource {
  readonly conversations: Pick<ConversationStore, "file">;
  readonly reader: AnswerReader;
}

/** The newest workflow of the branch, with its errors when it has some. */
export async function findResult(
  deps: Pick<ResultDeps, "conversations" | "reader">,
  { id }: Pick<Conversation, "id">,
): Promise<FoundResult | undefined> {
  const messages = await deps.conversations.messages(id, { limit: MESSAGE_COUNT_MAX });
  for (const message of messages.toReversed()) {
    // oxlint-disable-next-line no-await-in-loop -- The first that has one ends the search.
    const result = await resultOf(deps, message);
    if (result !== undefined) return { message, result };
  }
  return undefined;
}

/** The workflow of one message: in an answer that has ended, or in a file that a person attached. */
export async function resultOf(
  { conversations, reader }: ResultSource,
  message: Message,
): Promise<WorkflowResult | undefined> {
  if (message.role === "model") {
    if (message.state === "streaming" || !mayHaveWorkflow(message.text)) return undefined;
    return (await reader.read(message)).result;
  }
  const file = message.files.findLast(({ name }) => /\.ya?ml$/i.test(name));
  if (file === undefined) return undefined;
  return reader.readFile(file.hash, async () => {
    const { conversationId, ordinal } = message;
    const data = await conversations.file({ conversationId, ordinal, number: file.number });
    return new TextDecoder().decode(data);
  });
}

/** The workflow as the panel shows it. */
export async function viewResult(
  deps: ResultDeps,
  { message, result }: FoundResult,
): Promise<PanelResult> {
  const { conversationId, ordinal, role } = message;
  const saved = await findSaved(deps.workflows, result);
  const { workflow } = result;
  const { editablePlaces } = await import("../../language/edit-source.ts");
  const places = editablePlaces(result.source);
  const isByPerson = role === "person";
  const shown = { conversationId, ordinal, isByPerson, result, saved, places };
  if (workflow === undefined) return { ...shown, form: undefined, estimate: undefined };
  const planned = { workflowId: saved?.id ?? "", workflow, values: defaultsOf(workflow) };
  return {
    ...shown,
    form: runFormOf(workflow, deps.providers()),
    estimate: await estimateSoon(deps, planned),
  };
}

function defaultsOf({ state }: Workflow): JsonObject {
  return Object.fromEntries(state.map(({ name, default: value }) => [name, value]));
}

/** The run that is shown beside a conversation; undefined when there is none, or none any more. */
export async function viewRun(
  deps: ResultDeps,
  { runId }: Pick<Conversation, "runId">,
): Promise<PanelRun | undefined> {
  const run = runId === null ? undefined : await deps.runReader.glance(runId);
  if (run === undefined) return undefined;
  const version = await readVersion({ deps, reader: deps.workflowReader }, run);
  const [pieces, approvals] = await Promise.all([
    readPieces(deps.runReader, run, version),
    deps.runs.pendingApprovals({ runId: run.id, limit: APPROVAL_COUNT_MAX }),
  ]);
  return { ...pieces, ...version, run, omitted: run.omitted, approvals, descendants: [] };
}

/** What stands beside a conversation, for its page. */
export async function viewBeside(deps: ResultDeps, conversation: Conversation): Promise<Beside> {
  return viewFound(deps, conversation, await findResult(deps, conversation));
}

async function viewFound(
  deps: ResultDeps,
  conversation: Conversation,
  found: FoundResult | undefined,
): Promise<Beside> {
  const [shown, run] = await Promise.all([
    found === undefined ? undefined : viewResult(deps, found),
    viewRun(deps, conversation),
  ]);
  return { shown, run };
}

/** What stands beside one conversation, for its stream: the workflow is looked for when the conversation has changed. */
export function createBesideReader(deps: ResultDeps) {
  let known: { readonly key: string; readonly found: FoundResult | undefined } | undefined;

  async function find(conversation: Conversation): Promise<FoundResult | undefined> {
    const { branch, head, isAnswering } = conversation;
    const key = `${branch} ${head} ${isAnswering}`;
    if (known?.key !== key) known = { key, found: await findResult(deps, conversation) };
    return known.found;
  }

  return {
    find,
    view: async (conversation: Conversation): Promise<Beside> =>
      viewFound(deps, conversation, await find(conversation)),
    /** Differs when the workflow, or what has become of it, would be shown in another way. */
    async faceOfResult(conversation: Conversation): Promise<string> {
      const found = await find(conversation);
      if (found === undefined) return "";
      return JSON.stringify([found.message.ordinal, await findSaved(deps.workflows, found.result)]);
    },
    /** The same for the run. */
    async faceOfRun({ runId }: Conversation): Promise<string> {
      if (runId === null) return "";
      const [run, seq] = await Promise.all([
        deps.runReader.glance(runId),
        deps.runReader.lastSeq(runId),
      ]);
      if (run === undefined) return "gone";
      const isOver = RUN_STATES_FINAL.includes(run.state);
      const tick = isOver ? 0 : Math.floor(deps.clock.now() / RUN_TICK_MS);
      return `${runId} ${run.state} ${seq} ${tick}`;
    },
  };
}
