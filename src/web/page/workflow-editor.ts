/** Writing a workflow: a new one, or the next version of one. */
import type { Hono } from "hono";
import { AskPage } from "../../../views/workflow-ask.tsx";
import { canAsk } from "../../../views/shell.ts";
import type { ExampleCard } from "../../../views/part/example-gallery.tsx";
import {
  ASK_INTENT,
  CheckParts,
  type SaveTarget,
  type WorkflowCheck,
} from "../../../views/part/workflow-check.tsx";
import {
  EditorPage,
  NEW_DRAFT,
  type Origin,
  type Refusal,
} from "../../../views/workflow-editor.tsx";
import { MESSAGE_FILE_CHARS_MAX } from "../../domain/conversation.ts";
import { AppError, ERROR_CODES, isUnavailable } from "../../domain/error.ts";
import type { Workflow, WorkflowRecord } from "../../domain/workflow.ts";
import { diffTexts } from "../../lib/diff.ts";
import { clip } from "../../lib/clip.ts";
import { findConversation, resultIn } from "../chat/require.ts";
import { type AnswerReader, createAnswerReader } from "../chat/reading.ts";
import { readForm, type Form } from "../form.ts";
import { readOr, type Kit, type WebContext, type WebEnv } from "../kit.ts";
import { html } from "../render.ts";
import { requireWorkflow } from "../require.ts";
import { pathTo, PATTERNS } from "../routes.ts";
import { readGallery } from "../workflow-gallery.ts";
import { formatOf, readUpload, requireSource, type Upload } from "../workflow-upload.ts";

/** Laying out more takes longer than somebody who types may wait. */
const PREVIEW_NODE_COUNT_MAX = 60;
/** What lists and pages of workflows sum up. */
export const FIGURES_SPAN_MS = 30 * 24 * 60 * 60 * 1000;

const TEMPLATE = `schema_version: "1.0"
flow:
  name: my_workflow
  description: What it does, in a sentence.
state:
  fields:
    topic: { type: str, required: true, description: What to write about. }
    text: { type: str }
nodes:
  - id: write
    prompt: "Write three sentences about {topic}."
    output_schema: { type: str }
    outputs: [text]
edges:
  - { from: START, to: write }
  - { from: write, to: END }
`;

/** The version that a text was made from. */
interface Base {
  /** "" for none: then there must be no workflow of its name yet. */
  readonly hash: string;
  readonly name: string;
}
const NO_BASE: Base = { hash: "", name: "" };

/** A text on its way to the page. */
interface Text {
  /** The conversation that it was taken from, to which one goes back. */
  readonly conversation?: Origin | undefined;
  readonly record: WorkflowRecord | undefined;
  readonly source: string;
  readonly base: Base;
}

export function registerWorkflowEditor(app: Hono<WebEnv>, kit: Kit): void {
  const answers = createAnswerReader(() => Promise.resolve(kit.deps.knownTools));

  app.get(PATTERNS.workflowNew, async (c) => {
    const first = await firstText(c, kit, answers);
    return editorPage(c, kit, { ...first, record: undefined, base: NO_BASE });
  });
  app.post(PATTERNS.workflowNew, (c) => receive(c, kit, undefined));

  app.get(PATTERNS.workflowEdit, async (c) => {
    const record = await requireWorkflow(kit.deps, c.req.param("id"));
    const { source, hash } = record.version;
    return editorPage(c, kit, { record, source, base: { hash, name: record.name } });
  });
  // A text is never lost because its workflow has gone.
  app.post(PATTERNS.workflowEdit, async (c) =>
    receive(c, kit, await readOr(c, kit.deps.workflows.get(c.req.param("id")), undefined)),
  );

  app.post(PATTERNS.workflowPreview, async (c) => {
    const form = await readForm(c);
    const source = requireSource(form.text("source"));
    const id = form.text("id");
    const record = id === "" ? undefined : await readOr(c, kit.deps.workflows.get(id), undefined);
    return html(c, CheckParts({ check: await checkText(c, kit, { record, source }) }));
  });
}

/** What a new workflow begins with: an answer of the chat, an example, another workflow, or the template. */
async function firstText(
  c: WebContext,
  kit: Kit,
  reader: AnswerReader,
): Promise<Pick<Text, "source" | "conversation">> {
  const id = c.req.query("conversation");
  if (id === undefined) return { source: await startText(c, kit) };
  const { conversations } = kit.deps;
  const { title } = await findConversation({ conversations }, id);
  const { result } = await resultIn({ conversations, reader }, id, c.req.query("message") ?? "");
  return { source: result.source, conversation: { id, title } };
}

async function startText(c: WebContext, kit: Kit): Promise<string> {
  const example = c.req.query("example");
  if (example !== undefined) {
    const found = kit.deps.examples.find(({ name }) => name === example);
    if (found === undefined)
      throw new AppError("not_found", `There is no example ${clip(example, 80)}.`);
    return found.source;
  }
  const from = c.req.query("from");
  if (from === undefined) return TEMPLATE;
  const record = await requireWorkflow(kit.deps, from);
  return renamed(record.version.source, record.name);
}

/** The text under another name, where its name can be found: the first `name:` below `flow`. */
function renamed(source: string, name: string): string {
  const at = source.indexOf(name, Math.max(0, source.search(/\bflow["']?\s*:/)));
  return at === -1
    ? source
    : `${source.slice(0, at + name.length)}_copy${source.slice(at + name.length)}`;
}

/** What was sent: opened, checked, given back as a file, or saved. */
async function receive(
  c: WebContext,
  kit: Kit,
  record: WorkflowRecord | undefined,
): Promise<Response> {
  const form = await readForm(c);
  const intent = form.text("intent");
  const base = { hash: form.text("base"), name: form.text("base_name") };
  const upload = await readUpload(form);
  const conversation = await originOf(c, kit, form.text("conversation"));
  const text = { record, source: upload.source, base, conversation };
  if (upload.error !== undefined) {
    const status = upload.isTooLarge ? 413 : 422;
    return editorPage(c, kit, text, { refusal: { kind: "failed", message: upload.error }, status });
  }
  if (intent === "download") return download(c, upload);
  if (intent === ASK_INTENT) return askPage(c, kit, text);
  if (intent !== "save" && intent !== "run") return editorPage(c, kit, text);
  const { workflow } = await kit.reader.source(upload.source, upload.format, 0);
  if (workflow === undefined) {
    return editorPage(c, kit, text, { refusal: { kind: "problems" }, status: 422 });
  }
  return saveText(c, kit, { ...text, workflow, upload, form });
}

/** What goes to the chat is seen before it is sent; a text that has no errors (any more) stays in the editor. */
async function askPage(c: WebContext, kit: Kit, text: Text): Promise<Response> {
  const { record, source, base, conversation } = text;
  const check = await checkText(c, kit, { record, source });
  if (check.workflow !== undefined) return editorPage(c, kit, text);
  if (source.length > MESSAGE_FILE_CHARS_MAX) {
    const message = `The text is too long for the chat: it takes at most ${MESSAGE_FILE_CHARS_MAX} characters.`;
    return editorPage(c, kit, text, { refusal: { kind: "failed", message }, status: 413 });
  }
  const shell = kit.shell(c, "Ask the chat");
  return html(c, AskPage({ shell, record, check, base, conversation }));
}

/** Undefined for one that has been deleted meanwhile: the text does not need it. */
async function originOf(c: WebContext, { deps }: Kit, id: string): Promise<Origin | undefined> {
  const found = id === "" ? undefined : await readOr(c, deps.conversations.get(id), undefined);
  return found === undefined ? undefined : { id, title: found.title };
}

async function saveText(
  c: WebContext,
  kit: Kit,
  text: Text & { workflow: Workflow; upload: Upload & { error?: undefined }; form: Form },
): Promise<Response> {
  const { workflow, upload, base, record, conversation } = text;
  const { name, description = null } = workflow;
  const expected = name === base.name && base.hash !== "" ? base.hash : null;
  try {
    const saved = await kit.deps.workflows.save({
      name,
      description,
      source: upload.source,
      format: upload.format,
      base: expected,
    });
    const draft = record?.id ?? NEW_DRAFT;
    const hash = text.form.text("intent") === "run" ? "#run" : "";
    const query = new URLSearchParams({
      saved: draft,
      ...(conversation === undefined ? {} : { conversation: conversation.id }),
    });
    return c.redirect(`${pathTo.workflow(saved.id)}?${query.toString()}${hash}`, 303);
  } catch (error) {
    const failure = AppError.from(error);
    if (failure.code === "conflict") return conflictPage(c, kit, text);
    if (!isUnavailable(failure)) throw error;
    const refusal = { kind: "failed", message: failure.message, fix: failure.fix } as const;
    const { status } = ERROR_CODES[failure.code];
    return editorPage(c, kit, text, { refusal, status });
  }
}

/** Their version beside this text; sent again, it is saved over theirs. */
async function conflictPage(
  c: WebContext,
  kit: Kit,
  text: Text & { workflow: Workflow },
): Promise<Response> {
  const theirs = await kit.deps.workflows.get(text.workflow.name);
  const diff = diffTexts(theirs?.version.source ?? "", text.source);
  const base = theirs === undefined ? NO_BASE : { hash: theirs.version.hash, name: theirs.name };
  return editorPage(
    c,
    kit,
    { ...text, base },
    { refusal: { kind: "conflict", theirs, diff }, status: 409 },
  );
}

function download(c: WebContext, { source, format }: { source: string; format: string }): Response {
  const name = /\bname["']?\s*:\s*["']?(?<name>[\w.-]+)/.exec(source)?.groups?.["name"];
  return fileAnswer(c, { source, name: name ?? "workflow", format });
}

/** A text as a file to be kept. */
export function fileAnswer(
  c: WebContext,
  { source, name, format }: { source: string; name: string; format: string },
): Response {
  const safe = name.replaceAll(/[^\w.-]+/g, "_").slice(0, 80);
  return c.body(source, 200, {
    "Content-Type": format === "json" ? "application/json" : "application/yaml; charset=utf-8",
    "Content-Disposition": `attachment; filename="${safe}.${format}"`,
  });
}

async function checkText(
  c: WebContext,
  kit: Kit,
  { record, source }: Pick<Text, "record" | "source">,
): Promise<WorkflowCheck> {
  const { workflow, problems, drawing } = await kit.reader.source(
    source,
    formatOf(source),
    PREVIEW_NODE_COUNT_MAX,
  );
  const target = await targetOf(c, kit, { record, workflow });
  const average = await averageOf(c, kit, record);
  const asked = { health: kit.deps.health(), demo: kit.deps.demo() };
  return { source, workflow, problems, drawing, target, average, canAsk: canAsk(asked) };
}

async function targetOf(
  c: WebContext,
  kit: Kit,
  { record, workflow }: { record: WorkflowRecord | undefined; workflow: Workflow | undefined },
): Promise<SaveTarget> {
  if (workflow === undefined || workflow.name === record?.name) return { kind: "expected" };
  const other = await readOr(c, kit.deps.workflows.get(workflow.name), undefined);
  if (other !== undefined && other.name === workflow.name) return { kind: "taken", record: other };
  return record === undefined ? { kind: "expected" } : { kind: "renamed", from: record.name };
}

/** What a run has cost and taken lately; undefined when none has ended. */
async function averageOf(
  c: WebContext,
  { deps }: Kit,
  record: WorkflowRecord | undefined,
): Promise<WorkflowCheck["average"]> {
  if (record === undefined) return undefined;
  const sinceMs = deps.clock.now() - FIGURES_SPAN_MS;
  const [figures] = await readOr(c, deps.workflows.figures([record.id], sinceMs), []);
  if (figures === undefined) return undefined;
  const ended = figures.succeeded + figures.failed + figures.cancelled;
  if (ended === 0) return undefined;
  return {
    costNanoUsd: Math.round(figures.costNanoUsd / ended),
    durationMs: Math.round(figures.durationMs / ended),
  };
}

type EditorStatus = 200 | (typeof ERROR_CODES)[keyof typeof ERROR_CODES]["status"];

export async function editorPage(
  c: WebContext,
  kit: Kit,
  ...[text, outcome]: [text: Text, outcome?: { refusal: Refusal; status: EditorStatus }]
): Promise<Response> {
  const { record, source, base, conversation } = text;
  const check = await checkText(c, kit, { record, source });
  const isFresh = record === undefined && outcome === undefined && conversation === undefined;
  const examples: readonly ExampleCard[] = isFresh ? await readGallery(kit) : [];
  const title = record === undefined ? "New workflow" : `Edit ${record.name}`;
  const shell = kit.shell(c, title);
  const refusal = outcome?.refusal;
  const page = EditorPage({ shell, record, check, base, conversation, refusal, examples });
  return html(c, page, outcome?.status ?? 200);
}
