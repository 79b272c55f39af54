/** Versions of a workflow: one of them, two compared, an old one restored. */
import type { Hono } from "hono";
import type { RunForm } from "../../../views/part/run-form.tsx";
import { DiffPage, VersionPage } from "../../../views/workflow-version.tsx";
import { AppError } from "../../domain/error.ts";
import type { WorkflowRecord, WorkflowVersion } from "../../domain/workflow.ts";
import { compareWorkflows } from "../../graph/workflow-changes.ts";
import { diffTexts, equalStretches } from "../../lib/diff.ts";
import { clip } from "../../lib/clip.ts";
import { readForm } from "../form.ts";
import type { Kit, WebContext, WebEnv } from "../kit.ts";
import { html } from "../render.ts";
import { requireWorkflow } from "../require.ts";
import { pathTo, PATTERNS } from "../routes.ts";
import { readRunForm, runFormOf } from "../run-form.ts";
import { fileAnswer } from "./workflow-editor.ts";

export function registerWorkflowVersions(app: Hono<WebEnv>, kit: Kit): void {
  const { deps, reader } = kit;

  app.get(PATTERNS.workflowFile, async (c) => {
    const record = await requireWorkflow(kit.deps, c.req.param("id"));
    const wanted = c.req.query("version");
    const version =
      wanted === undefined ? record.version : requireVersion(await readVersions(record), wanted);
    return fileAnswer(c, { source: version.source, name: record.name, format: version.format });
  });

  app.get(PATTERNS.workflowVersion, async (c) => {
    const record = await requireWorkflow(kit.deps, c.req.param("id"));
    const version = requireVersion(await readVersions(record), c.req.param("number"));
    return versionPage(c, kit, { record, version });
  });

  app.post(PATTERNS.workflowVersionRuns, async (c) => {
    const record = await requireWorkflow(kit.deps, c.req.param("id"));
    const version = requireVersion(await readVersions(record), c.req.param("number"));
    const { workflow } = await reader.version(version);
    if (workflow === undefined) {
      throw new AppError("workflow_invalid", `Version ${version.number} has errors.`, {
        fix: "Run a version without errors.",
      });
    }
    const reading = await readRunForm(await readForm(c), workflow, deps.providers());
    if (reading.request === undefined) {
      return versionPage(c, kit, { record, version, refused: reading.form });
    }
    const of = { workflowId: record.id, versionHash: version.hash, workflow };
    const run = await deps.createRun({ ...of, ...reading.request });
    return c.redirect(pathTo.run(run.id), 303);
  });

  app.get(PATTERNS.workflowDiff, async (c) => {
    const record = await requireWorkflow(kit.deps, c.req.param("id"));
    const versions = await readVersions(record);
    const to = requireVersion(versions, c.req.query("to") ?? String(record.version.number));
    const before = versions.find(({ number }) => number < to.number) ?? to;
    const from = requireVersion(versions, c.req.query("from") ?? String(before.number));
    const diff = diffTexts(from.source, to.source);
    const shell = kit.shell(c, `Changes of ${record.name}`);
    const numbers = { from: from.number, to: to.number };
    const equal = equalStretches(diff, to.source);
    const split = c.req.query("view") === "split";
    const changes = await changesOf(kit, from, to);
    return html(c, DiffPage({ shell, record, versions, ...numbers, diff, equal, changes, split }));
  });

  app.post(PATTERNS.workflowRestorations, async (c) => {
    const record = await requireWorkflow(kit.deps, c.req.param("id"));
    const wanted = (await readForm(c)).text("version");
    const { source, format, number } = requireVersion(await readVersions(record), wanted);
    const { workflow } = await reader.source(source, format, 0);
    if (workflow === undefined) {
      throw new AppError(
        "workflow_invalid",
        `Version ${number} has errors and cannot be restored.`,
        {
          fix: "Download it, mend it and save it in the editor.",
        },
      );
    }
    const { description = null } = workflow;
    await deps.workflows.save({ name: record.name, description, source, format });
    return c.redirect(`${pathTo.workflow(record.id)}?saved=restored`, 303);
  });

  function readVersions(record: WorkflowRecord): Promise<WorkflowVersion[]> {
    return deps.workflows.versions(record.id);
  }
}

/** Undefined when one of them has errors. */
async function changesOf({ reader }: Kit, from: WorkflowVersion, to: WorkflowVersion) {
  const [before, after] = [await reader.version(from), await reader.version(to)];
  if (before.workflow === undefined || after.workflow === undefined) return undefined;
  return compareWorkflows(before.workflow, after.workflow);
}

async function versionPage(
  c: WebContext,
  { deps, reader, shell }: Kit,
  page: { record: WorkflowRecord; version: WorkflowVersion; refused?: RunForm },
): Promise<Response> {
  const { record, version, refused } = page;
  const { workflow, problems } = await reader.version(version);
  const form = workflow === undefined ? undefined : runFormOf(workflow, deps.providers());
  const view = VersionPage({
    shell: shell(c, `${record.name}, version ${version.number}`),
    record,
    version,
    problems,
    form: refused ?? form,
  });
  return html(c, view, refused === undefined ? 200 : 422);
}

function requireVersion(versions: readonly WorkflowVersion[], number: string): WorkflowVersion {
  const version = versions.find((one) => String(one.number) === number);
  if (version !== undefined) return version;
  throw new AppError("not_found", `There is no version ${clip(number, 20)} of this workflow.`, {
    fix: "Go to the workflow and choose one of its versions.",
  });
}
