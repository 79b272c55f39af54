import type { Hono } from "hono";
import { WorkflowPage } from "../../../views/workflow.tsx";
import { WorkflowsPage, type UploadForm, type WorkflowItem } from "../../../views/workflows.tsx";
import { AppError } from "../../domain/error.ts";
import type { Run } from "../../domain/run.ts";
import {
  WORKFLOW_SOURCE_BYTES_MAX,
  type Workflow,
  type WorkflowRecord,
  type WorkflowVersion,
} from "../../domain/workflow.ts";
import { readForm, type Form } from "../form.ts";
import { readOr, type Kit, type WebContext, type WebEnv } from "../kit.ts";
import { html } from "../render.ts";
import { pathTo, PATTERNS } from "../routes.ts";
import { emptyRunForm, readRunForm, runFormOf, type RunFormReading } from "../run-form.ts";

/** Workflows that the list shows; the search finds the others. */
const WORKFLOW_COUNT_MAX = 200;
const RUN_COUNT_MAX = 10;

export function registerWorkflows(app: Hono<WebEnv>, kit: Kit): void {
  const { deps, reader } = kit;

  app.get(PATTERNS.workflows, async (c) => {
    const id = c.req.query("edit");
    const source = id === undefined ? "" : (await requireRecord(id)).version.source;
    return listPage(c, kit, { source, problems: [] });
  });

  app.post(PATTERNS.workflows, async (c) => {
    const upload = await readUpload(await readForm(c));
    if (upload.error !== undefined) {
      const form = { source: upload.source, problems: [], error: upload.error };
      return listPage(c, kit, form, upload.isTooLarge ? 413 : 422);
    }
    const { source, format } = upload;
    const { workflow, problems } = await reader.source(source, format);
    if (workflow === undefined) return listPage(c, kit, { source, problems }, 422);
    return c.redirect(pathTo.workflow((await save(workflow, upload)).id), 303);
  });

  app.post(PATTERNS.workflowExample, async (c) => {
    const name = c.req.param("name");
    const example = deps.examples.find((one) => one.name === name);
    if (example === undefined) throw notFound("example", name);
    const { source } = example;
    const format = formatOf(source);
    const { workflow } = await reader.source(source, format);
    if (workflow === undefined) {
      throw new AppError("workflow_invalid", `The example ${name} has errors.`);
    }
    return c.redirect(pathTo.workflow((await save(workflow, { source, format })).id), 303);
  });

  app.get(PATTERNS.workflow, async (c) =>
    detailPage(c, kit, await requireRecord(c.req.param("id"))),
  );

  app.post(PATTERNS.workflowRuns, async (c) => {
    const record = await requireRecord(c.req.param("id"));
    const { workflow } = await reader.version(record.version);
    if (workflow === undefined) {
      throw new AppError("workflow_invalid", `The workflow ${record.name} has errors.`, {
        fix: "Mend its file and save it again.",
      });
    }
    const reading = await readRunForm(await readForm(c), workflow, deps.providers());
    if (reading.request === undefined) return detailPage(c, kit, record, reading);
    const run = await deps.createRun({
      workflowId: record.id,
      versionHash: record.version.hash,
      workflow,
      ...reading.request,
    });
    return c.redirect(pathTo.run(run.id), 303);
  });

  app.post(PATTERNS.workflowDeletion, async (c) => {
    await deps.workflows.remove(c.req.param("id"));
    return c.redirect(pathTo.workflows(), 303);
  });

  async function requireRecord(id: string): Promise<WorkflowRecord> {
    const record = await deps.workflows.get(id);
    if (record === undefined) throw notFound("workflow", id);
    return record;
  }

  function save(
    workflow: Workflow,
    text: { source: string; format: "yaml" | "json" },
  ): Promise<WorkflowRecord> {
    const { name, description = null } = workflow;
    return deps.workflows.save({ name, description, source: text.source, format: text.format });
  }
}

/** @param form What was sent and refused; empty at first. */
async function listPage(
  c: WebContext,
  kit: Kit,
  ...[upload, status = 200]: [upload: UploadForm, status?: 200 | 413 | 422]
): Promise<Response> {
  const { deps } = kit;
  const search = c.req.query("search")?.trim() ?? "";
  const records = await readOr<WorkflowRecord[]>(
    c,
    deps.workflows.list({ limit: WORKFLOW_COUNT_MAX, ...(search === "" ? {} : { search }) }),
    [],
  );
  const workflows = await readOr<WorkflowItem[]>(
    c,
    Promise.all(
      records.map(async (record) => {
        const [lastRun] = await deps.runs.list({ workflowId: record.id, limit: 1 });
        return { record, lastRun };
      }),
    ),
    records.map((record) => ({ record, lastRun: undefined })),
  );
  const shell = kit.shell(c, "Workflows");
  return html(
    c,
    WorkflowsPage({ shell, workflows, search, upload, examples: deps.examples }),
    status,
  );
}

async function detailPage(
  c: WebContext,
  kit: Kit,
  ...[record, refused]: [record: WorkflowRecord, refused?: RunFormReading]
): Promise<Response> {
  const { deps } = kit;
  const { workflow, problems, drawing } = await kit.reader.version(record.version);
  const runs = await readOr<Run[]>(
    c,
    deps.runs.list({ workflowId: record.id, limit: RUN_COUNT_MAX }),
    [],
  );
  const versions = await readOr<WorkflowVersion[]>(c, deps.workflows.versions(record.id), []);
  const form = workflow === undefined ? emptyRunForm() : runFormOf(workflow, deps.providers());
  const view = WorkflowPage({
    shell: kit.shell(c, record.name),
    record,
    workflow,
    problems,
    drawing,
    runs,
    versions,
    form: refused?.form ?? form,
  });
  return html(c, view, refused === undefined ? 200 : 422);
}

type Upload =
  | { readonly source: string; readonly format: "yaml" | "json"; readonly error?: undefined }
  | { readonly source: string; readonly error: string; readonly isTooLarge: boolean };

/** The file when one was chosen, else the text. */
async function readUpload(form: Form): Promise<Upload> {
  const file = form.file("file");
  const typed = form.text("source").replaceAll("\r\n", "\n");
  const size = file?.size ?? Buffer.byteLength(typed);
  if (size > WORKFLOW_SOURCE_BYTES_MAX) {
    const limit = `${WORKFLOW_SOURCE_BYTES_MAX / 1024 / 1024} MiB`;
    const error = `The workflow is too large. Shorten it to at most ${limit}.`;
    return { source: file === undefined ? typed : "", error, isTooLarge: true };
  }
  const source = file === undefined ? typed : decode(await file.bytes());
  if (source === undefined) {
    const error = "The file is not text. Choose a YAML or JSON file in UTF-8.";
    return { source: "", error, isTooLarge: false };
  }
  if (source.trim() === "") {
    const error = "There is nothing to save. Choose a file or paste its text.";
    return { source: "", error, isTooLarge: false };
  }
  return { source, format: file?.name.endsWith(".json") === true ? "json" : formatOf(source) };
}

/** Undefined when the bytes are no UTF-8 text. */
function decode(bytes: Uint8Array): string | undefined {
  if (bytes.includes(0)) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

function formatOf(source: string): "yaml" | "json" {
  return source.trimStart().startsWith("{") ? "json" : "yaml";
}

function notFound(what: string, name: string): AppError {
  return new AppError("not_found", `There is no ${what} ${name}.`, {
    fix: "Go to the list of workflows and choose one.",
  });
}
