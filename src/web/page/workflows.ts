import { setImmediate as otherTurns } from "node:timers/promises";
import type { Hono } from "hono";
import type { ScheduleItem } from "../../../views/schedules.tsx";
import { WorkflowPage } from "../../../views/workflow.tsx";
import {
  WORKFLOW_RESULTS,
  type WorkflowItem,
  WorkflowsPage,
  type WorkflowsFilter,
} from "../../../views/workflows.tsx";
import { AppError } from "../../domain/error.ts";
import type { Run } from "../../domain/run.ts";
import {
  WORKFLOW_ORDERS,
  type Workflow,
  type WorkflowFigures,
  type WorkflowListing,
  type WorkflowRecord,
  type WorkflowVersion,
} from "../../domain/workflow.ts";
import { clip } from "../../lib/clip.ts";
import { readForm } from "../form.ts";
import { readOr, type Kit, type WebContext, type WebEnv } from "../kit.ts";
import { html } from "../render.ts";
import { requireWorkflow } from "../require.ts";
import { pathTo, PATTERNS } from "../routes.ts";
import { emptyRunForm, readRunForm, runFormOf, type RunFormReading } from "../run-form.ts";
import { scheduleItems } from "./schedules.ts";
import { readGallery } from "../workflow-gallery.ts";
import { formatOf, readUpload } from "../workflow-upload.ts";
import { editorPage, FIGURES_SPAN_MS } from "./workflow-editor.ts";

/** Workflows on one page of the list. */
const PAGE_SIZE = 25;
const RUN_COUNT_MAX = 10;
const SCHEDULE_COUNT_MAX = 20;
const SEARCH_CHARS_MAX = 200;
/** Texts that are read before others get their turn: some milliseconds. */
const READ_AT_ONCE = 8;

export function registerWorkflows(app: Hono<WebEnv>, kit: Kit): void {
  const { deps, reader } = kit;

  app.get(PATTERNS.workflows, (c) => listPage(c, kit));

  app.post(PATTERNS.workflows, async (c) => {
    const upload = await readUpload(await readForm(c));
    const { source } = upload;
    const text = { record: undefined, source, base: { hash: "", name: "" } };
    if (upload.error !== undefined) {
      const refusal = { kind: "failed", message: upload.error } as const;
      return editorPage(c, kit, text, { refusal, status: upload.isTooLarge ? 413 : 422 });
    }
    const { workflow } = await reader.source(source, upload.format, 0);
    if (workflow === undefined) {
      return editorPage(c, kit, text, { refusal: { kind: "problems" }, status: 422 });
    }
    return c.redirect(pathTo.workflow((await save(workflow, upload)).id), 303);
  });

  app.post(PATTERNS.workflowExample, async (c) => {
    const name = c.req.param("name");
    const example = deps.examples.find((one) => one.name === name);
    if (example === undefined) {
      throw new AppError("not_found", `There is no example ${clip(name, 80)}.`, {
        fix: "Go to the list of workflows and choose one.",
      });
    }
    const { source } = example;
    const format = formatOf(source);
    const { workflow } = await reader.source(source, format, 0);
    if (workflow === undefined) {
      throw new AppError("workflow_invalid", `The example ${name} has errors.`);
    }
    return c.redirect(pathTo.workflow((await save(workflow, { source, format })).id), 303);
  });

  app.get(PATTERNS.workflow, async (c) =>
    detailPage(c, kit, await requireWorkflow(deps, c.req.param("id"))),
  );

  app.post(PATTERNS.workflowRuns, async (c) => {
    const record = await requireWorkflow(deps, c.req.param("id"));
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
    const id = c.req.param("id");
    const name = (await deps.workflows.get(id))?.name;
    await deps.workflows.remove(id);
    const query = name === undefined ? "" : `?deleted=${encodeURIComponent(name)}`;
    return c.redirect(pathTo.workflows() + query, 303);
  });

  function save(
    workflow: Workflow,
    text: { source: string; format: "yaml" | "json" },
  ): Promise<WorkflowRecord> {
    const { name, description = null } = workflow;
    return deps.workflows.save({ name, description, source: text.source, format: text.format });
  }
}

async function listPage(c: WebContext, kit: Kit): Promise<Response> {
  const filter = readFilter(c);
  const listings = await readOr(c, findListings(kit, filter), []);
  const start = 1 + listings.findIndex(({ id }) => id === filter.after);
  const shown = listings.slice(start, start + PAGE_SIZE);
  const last = shown.at(-1);
  const deleted = c.req.query("deleted");
  const page = {
    workflows: await readOr(c, readItems(kit, shown), []),
    filter,
    next: start + PAGE_SIZE < listings.length && last !== undefined ? last.id : undefined,
    examples: await readGallery(kit),
    notice: deleted === undefined ? undefined : `The workflow ${clip(deleted, 80)} was deleted.`,
  };
  return html(c, WorkflowsPage({ ...page, shell: kit.shell(c, "Workflows") }));
}

function readFilter(c: WebContext): WorkflowsFilter {
  const result = c.req.query("result");
  const order = c.req.query("order");
  return {
    search: (c.req.query("search") ?? "").trim().slice(0, SEARCH_CHARS_MAX),
    result: WORKFLOW_RESULTS.find((one) => one === result),
    order: WORKFLOW_ORDERS.find((one) => one === order) ?? "changed",
    after: c.req.query("after") || undefined,
  };
}

async function findListings(
  kit: Kit,
  { search, result, order }: WorkflowsFilter,
): Promise<readonly WorkflowListing[]> {
  const { workflows, clock } = kit.deps;
  const listings = await workflows.listings({
    order,
    sinceMs: clock.now() - FIGURES_SPAN_MS,
    ...(search === "" ? {} : { search }),
    ...(result === undefined || result === "errors" ? {} : { lastResult: result }),
  });
  if (result !== "errors") return listings;
  const broken: WorkflowListing[] = [];
  // What was read once is kept.
  for (const [index, listing] of listings.entries()) {
    // oxlint-disable-next-line eslint/no-await-in-loop -- Others are answered meanwhile.
    if (index % READ_AT_ONCE === 0) await otherTurns();
    // oxlint-disable-next-line eslint/no-await-in-loop -- See above.
    if ((await digestOf(kit, listing)).hasErrors) broken.push(listing);
  }
  return broken;
}

function digestOf({ deps, reader }: Kit, { id, versionHash }: WorkflowListing) {
  return reader.digest(versionHash, () => deps.workflows.version(id, versionHash));
}

/** A workflow that is known whole, as the list shows it. */
export function listingOf({ version, ...record }: WorkflowRecord): WorkflowListing {
  const { id, name, description, updatedAt } = record;
  const { hash: versionHash, number: versionNumber } = version;
  return { id, name, description, updatedAt, versionHash, versionNumber };
}

export async function readItems(
  kit: Kit,
  listings: readonly WorkflowListing[],
): Promise<WorkflowItem[]> {
  const { workflows, clock } = kit.deps;
  const ids = listings.map(({ id }) => id);
  const figures = await workflows.figures(ids, clock.now() - FIGURES_SPAN_MS);
  return Promise.all(
    listings.map(async (listing, index): Promise<WorkflowItem> => {
      const digest = await digestOf(kit, listing);
      return { listing, figures: figures[index] ?? NO_FIGURES, ...digest };
    }),
  );
}

export const NO_FIGURES: WorkflowFigures = {
  recent: [],
  created: 0,
  succeeded: 0,
  failed: 0,
  cancelled: 0,
  durationMs: 0,
  costNanoUsd: 0,
};

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
  const sinceMs = deps.clock.now() - FIGURES_SPAN_MS;
  const [figures] = await readOr(c, deps.workflows.figures([record.id], sinceMs), []);
  const form = workflow === undefined ? emptyRunForm() : runFormOf(workflow, deps.providers());
  const view = WorkflowPage({
    shell: kit.shell(c, record.name),
    record,
    workflow,
    problems,
    drawing,
    runs,
    figures: figures ?? NO_FIGURES,
    versions,
    schedules: await readOr(c, schedulesOf(kit, record), []),
    drawn: await readOr(c, drawnRun(c, kit, { record, runs }), undefined),
    saved: c.req.query("saved"),
    conversation: c.req.query("conversation"),
    form: refused?.form ?? form,
  });
  return html(c, view, refused === undefined ? 200 : 422);
}

async function schedulesOf({ deps }: Kit, { id }: WorkflowRecord): Promise<ScheduleItem[]> {
  return scheduleItems(await deps.schedules.list({ workflowId: id, limit: SCHEDULE_COUNT_MAX }));
}

/** The newest run with its steps, when the page is asked for its states and it ran this very version. */
async function drawnRun(
  c: WebContext,
  { deps }: Kit,
  { record, runs }: { record: WorkflowRecord; runs: readonly Run[] },
) {
  const run = runs.find(({ versionHash }) => versionHash === record.version.hash);
  if (c.req.query("states") !== "last" || run === undefined) return undefined;
  return { run, steps: (await deps.runs.journal(run.id)).steps };
}
