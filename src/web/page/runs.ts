import type { Hono } from "hono";
import { BulkPage } from "../../../views/bulk.tsx";
import { parseRunsQuery, runsAddress, type RunsQuery } from "../../../views/part/runs-query.ts";
import { type Progress, progressOf } from "../../../views/part/run-progress.ts";
import { RunsPage } from "../../../views/runs.tsx";
import { BULK_ACTIONS, BULK_RUN_COUNT_MAX } from "../../domain/bulk-job.ts";
import { AppError } from "../../domain/error.ts";
import {
  RUN_STATES_FINAL,
  type RunPage,
  type RunState,
  type RunSummary,
} from "../../domain/run.ts";
import type { RunReader } from "../../domain/run-reader.ts";
import type { WorkflowRecord } from "../../domain/workflow.ts";
import { defined } from "../../lib/defined.ts";
import { readForm } from "../form.ts";
import { readOr, type Kit, type WebContext, type WebEnv } from "../kit.ts";
import { html } from "../render.ts";
import { pathTo, PATTERNS } from "../routes.ts";
import { findPage, readRunsFilter } from "../runs-filter.ts";
import { exportRuns, type ExportFormat } from "../runs-export.ts";

const RUN_COUNT_MAX = 50;
/** Workflows to choose from; others are found by their name. */
const WORKFLOW_COUNT_MAX = 200;

const NO_PAGE: RunPage = { runs: [], next: undefined, isPartial: false };
const NO_COUNTS: Readonly<Record<RunState, number>> = {
  queued: 0,
  running: 0,
  waiting: 0,
  succeeded: 0,
  failed: 0,
  cancelled: 0,
};

/** The list of runs, its files, and what is done with many of them. */
export function registerRuns(app: Hono<WebEnv>, kit: Kit): void {
  app.get(PATTERNS.runs, (c) => listPage(c, kit));
  app.get(PATTERNS.runsTable, (c) => exportFile(c, kit, "csv"));
  app.get(PATTERNS.runsJson, (c) => exportFile(c, kit, "json"));
  registerBulk(app, kit);
}

async function listPage(c: WebContext, { deps, shell, reader }: Kit): Promise<Response> {
  const params = new URL(c.req.url).searchParams;
  const query = parseRunsQuery(params);
  const { filter, problems } = readRunsFilter(query, deps.clock.now());
  const before = params.get("before") ?? undefined;
  const after = params.get("after") ?? undefined;
  const place = defined(after === undefined ? { before } : { after });
  const page = await readOr(
    c,
    findPage(deps.runs, { ...filter, ...place, limit: RUN_COUNT_MAX }),
    NO_PAGE,
  );
  // Fewer than a page before a place: that is the first page.
  if (after !== undefined && page.runs.length < RUN_COUNT_MAX) {
    return c.redirect(runsAddress(query), 303);
  }
  const counts = await readOr(c, deps.runs.counts(), NO_COUNTS);
  const workflows = await readOr<readonly WorkflowRecord[]>(
    c,
    deps.workflows.list({ limit: WORKFLOW_COUNT_MAX }),
    [],
  );
  const progress = await readOr(c, readProgress({ deps, reader }, page.runs), new Map());
  const isFirst = before === undefined && after === undefined;
  return html(
    c,
    RunsPage({
      shell: shell(c, "Runs"),
      ...page,
      query,
      problems,
      counts,
      workflows,
      progress,
      before: isFirst ? undefined : (before ?? after),
      newer: isFirst ? undefined : newerPlace(query, page.runs),
      bulkCountMax: BULK_RUN_COUNT_MAX,
    }),
  );
}

/** The place of the first run of a page: what comes before it is the page before. */
function newerPlace(query: RunsQuery, runs: readonly RunSummary[]): string | undefined {
  const [first] = runs;
  if (first === undefined) return undefined;
  const isByCost = query.order === "dearest" || query.cost !== "";
  return isByCost ? `${first.costNanoUsd}~${first.id}` : first.id;
}

/** How far the runs are that go on: what of their graphs can still come. */
async function readProgress(
  { deps, reader }: Pick<Kit, "deps" | "reader">,
  runs: readonly RunSummary[],
): Promise<ReadonlyMap<string, Progress>> {
  const { aheadOf } = await import("../../language/ahead.ts");
  const { backEdgesOf } = await import("../../language/flow.ts");
  const open = runs.filter((run) => !RUN_STATES_FINAL.includes(run.state));
  const entries = await Promise.all(
    open.map(async (run): Promise<[string, Progress]> => {
      const version = await deps.workflows.version(run.workflowId, run.versionHash);
      const reading = version === undefined ? undefined : await reader.version(version);
      const workflow = reading?.workflow;
      if (workflow === undefined) return [run.id, progressOf(run)];
      const ahead = aheadOf(workflow, run.doneNodeIds);
      const hasLoop = backEdgesOf(workflow).length > 0;
      const round = hasLoop ? await readRound(deps.runReader, run.id) : undefined;
      return [run.id, progressOf(run, { ahead, round })];
    }),
  );
  return new Map(entries);
}

/** In which round a run is: its newest step says it. */
async function readRound(reader: RunReader, runId: string): Promise<number> {
  const [newest] = await reader.steps(runId, { limit: 1 });
  return Number(/#(\d+)$/.exec(newest?.key ?? "")?.[1] ?? 1);
}

function exportFile(c: WebContext, { deps }: Kit, format: ExportFormat): Response {
  const query = parseRunsQuery(new URL(c.req.url).searchParams);
  const { filter, problems } = readRunsFilter(query, deps.clock.now());
  const [problem] = problems;
  if (problem !== undefined) {
    throw new AppError("invalid", problem, { fix: "Go back to the list and change the filter." });
  }
  const type = format === "csv" ? "text/csv; charset=utf-8" : "application/json";
  return c.body(exportRuns(deps.runs, filter, format), 200, {
    "Content-Type": type,
    "Content-Disposition": `attachment; filename="runs.${format}"`,
  });
}

function registerBulk(app: Hono<WebEnv>, { deps, shell, bulkJobs: jobs }: Kit): void {
  app.post(PATTERNS.runsBulk, async (c) => {
    const form = await readForm(c);
    const ids = form.texts("run");
    if (form.text("action") === "compare") return c.redirect(comparison(ids), 303);
    const action = BULK_ACTIONS.find((one) => one === form.text("action"));
    if (action === undefined) {
      throw new AppError("invalid", "Nothing was asked for.", {
        fix: "Go back and choose what to do.",
      });
    }
    if (form.text("all") === "yes") {
      const query = parseRunsQuery(new URLSearchParams(form.text("query")));
      const { filter } = readRunsFilter(query, deps.clock.now());
      const job = await jobs.ofFilter(action, filter);
      return c.redirect(pathTo.runsBulkJob(job.id), 303);
    }
    if (ids.length === 0) {
      throw new AppError("invalid", "No run was chosen.", { fix: "Go back and tick one or more." });
    }
    return c.redirect(pathTo.runsBulkJob((await jobs.ofRuns(action, ids)).id), 303);
  });

  app.get(PATTERNS.runsBulkJob, async (c) => {
    const job = await jobs.get(c.req.param("id"));
    return html(c, BulkPage({ shell: shell(c, "Runs"), job }));
  });

  app.post(PATTERNS.runsBulkConfirmation, async (c) => {
    const { id } = await jobs.confirm(c.req.param("id"));
    return c.redirect(pathTo.runsBulkJob(id), 303);
  });

  app.post(PATTERNS.runsBulkUndo, async (c) => {
    const { id } = await jobs.undo(c.req.param("id"));
    return c.redirect(pathTo.runsBulkJob(id), 303);
  });
}

/** @throws AppError `invalid` unless two runs are chosen. */
function comparison(ids: readonly string[]): string {
  const [a, b] = ids;
  if (a === undefined || b === undefined || ids.length > 2) {
    throw new AppError("invalid", "Two runs can be compared.", { fix: "Go back and tick two." });
  }
  // The list has the newest first; the older one comes first.
  return pathTo.runsComparison({ a: b, b: a });
}
