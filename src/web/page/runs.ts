import type { Hono } from "hono";
import { RunPage, RunUpdate, type RunDetail } from "../../../views/run.tsx";
import { RunsPage } from "../../../views/runs.tsx";
import { AppError } from "../../domain/error.ts";
import { RUN_STATES, type Journal, type Run, type RunFilter } from "../../domain/run.ts";
import type { Budget } from "../../domain/workflow.ts";
import { defined } from "../../lib/defined.ts";
import type { WebDeps } from "../deps.ts";
import { wantsFragment } from "../error.ts";
import { type Form, readForm } from "../form.ts";
import { bannersOf, readOr, type Kit, type WebContext, type WebEnv } from "../kit.ts";
import { html } from "../render.ts";
import { allEvents, newestEvents } from "../run-events.ts";
import { createRunSource } from "../run-source.ts";
import { pathTo, PATTERNS } from "../routes.ts";
import { openStream } from "../stream.ts";

const RUN_COUNT_MAX = 50;
/** Events whose lines and text a page starts with; the download has all. */
const EVENT_COUNT_MAX = 5_000;

export function registerRuns(app: Hono<WebEnv>, kit: Kit): void {
  const { deps } = kit;

  app.get(PATTERNS.runs, (c) => listPage(c, kit));

  app.get(PATTERNS.runFile, async (c) => {
    const id = c.req.param("file").slice(0, -".json".length);
    const run = await requireRun(deps, id);
    const { steps, calls } = await deps.runs.journal(run.id);
    const events = await allEvents(deps.runs, run.id);
    c.header("Content-Disposition", `attachment; filename="${run.id}.json"`);
    return c.json({ run, steps, calls, events });
  });

  app.get(PATTERNS.run, async (c) => {
    const id = c.req.param("id");
    const found = (await deps.runs.get(id)) ?? (await deps.runs.find(id));
    if (found === undefined) throw noRun(id);
    if (found.id !== id) return c.redirect(pathTo.run(found.id), 303);
    // What a lost stream asks for meanwhile: the log goes on where it was when the stream is back.
    const isPoll = wantsFragment(c);
    const events = isPoll ? [] : await readOr(c, newestEvents(deps.runs, id, EVENT_COUNT_MAX), []);
    // After its events: the stream goes on behind the last of them, and would not tell what it has done to the run.
    const run = isPoll ? found : ((await readOr(c, deps.runs.get(id), found)) ?? found);
    const journal = await readOr<Journal>(c, deps.runs.journal(id), NOTHING);
    const surroundings = await readOr(c, readSurroundings(kit, run), NO_SURROUNDINGS);
    const detail: RunDetail = { run, ...journal, ...surroundings, events };
    if (isPoll) {
      const banners = bannersOf(deps);
      return html(c, RunUpdate({ ...detail, banners, now: deps.clock.now() }));
    }
    return html(c, RunPage({ ...detail, shell: kit.shell(c, run.workflowName) }));
  });

  app.get(PATTERNS.runStream, async (c) => {
    const run = await requireRun(deps, c.req.param("id"));
    const { workflow, drawing } = await readVersion(kit, run);
    const after = Number(c.req.header("Last-Event-ID") ?? c.req.query("after") ?? 0);
    return openStream(c, kit, {
      key: `run:${run.id}`,
      createSource: () => createRunSource(deps, { runId: run.id, workflow, drawing }),
      after: Number.isSafeInteger(after) && after > 0 ? after : 0,
    });
  });

  registerActions(app, kit);
}

/** What people do with a run. */
function registerActions(app: Hono<WebEnv>, { deps }: Kit): void {
  app.post(PATTERNS.runCancellation, async (c) => {
    const run = await deps.runs.requestCancel(c.req.param("id"));
    return c.redirect(pathTo.run(run.id), 303);
  });

  app.post(PATTERNS.runReruns, async (c) => {
    const again = await deps.actions.rerun(c.req.param("id"), { source: "dashboard" });
    return c.redirect(pathTo.run(again.id), 303);
  });

  app.post(PATTERNS.runResumptions, async (c) => {
    const budget = readLimits(await readForm(c));
    const run = await deps.actions.resume(c.req.param("id"), { by: BY_DASHBOARD, budget });
    return c.redirect(pathTo.run(run.id), 303);
  });

  app.post(PATTERNS.runRetries, async (c) => {
    const form = await readForm(c);
    const from = form.text("from");
    const run = await deps.actions.retry(c.req.param("id"), { from, by: BY_DASHBOARD });
    return c.redirect(pathTo.run(run.id), 303);
  });

  app.post(PATTERNS.runDecisions, async (c) => {
    const run = await requireRun(deps, c.req.param("id"));
    const form = await readForm(c);
    const approved = form.text("approve") !== "";
    const key = form.text(approved ? "approve" : "reject");
    const comment = form.text(`comment:${key}`).trim();
    await deps.runs.decide(run.id, key, {
      approved,
      comment: comment === "" ? null : comment,
      by: BY_DASHBOARD,
    });
    return c.redirect(pathTo.run(run.id), 303);
  });
}

const NANO_USD = 1_000_000_000;

/** New limits for a run whose budget is used up; a field that is empty changes nothing. @throws AppError `invalid`. */
function readLimits(form: Form): Budget {
  const limit = (name: string) => {
    const text = form.text(name).trim();
    if (text === "") return undefined;
    const value = Number(text);
    if (Number.isFinite(value) && value > 0) return value;
    throw new AppError("invalid", `${JSON.stringify(text)} is no limit.`, {
      fix: "Go back and write a number above 0.",
    });
  };
  const usd = limit("max_cost_usd");
  const tokens = limit("max_tokens");
  return defined({
    maxCostNanoUsd: usd === undefined ? undefined : Math.round(usd * NANO_USD),
    maxTokens: tokens === undefined ? undefined : Math.ceil(tokens),
  });
}

/** Who acts, as it is kept with the run. */
const BY_DASHBOARD = "dashboard";

async function listPage(c: WebContext, { deps, shell }: Kit): Promise<Response> {
  const state = RUN_STATES.find((one) => one === c.req.query("state"));
  const filter = {
    state,
    search: c.req.query("search")?.trim() || undefined,
    before: c.req.query("before") || undefined,
  };
  const found = await readOr<Run[]>(
    c,
    findRuns(deps, {
      limit: RUN_COUNT_MAX + 1,
      ...defined({
        states: state === undefined ? undefined : [state],
        search: filter.search,
        before: filter.before,
      }),
    }),
    [],
  );
  const runs = found.slice(0, RUN_COUNT_MAX);
  const next = found.length > RUN_COUNT_MAX ? runs.at(-1)?.id : undefined;
  return html(c, RunsPage({ shell: shell(c, "Runs"), runs, filter, next }));
}

/** A search also finds the one run whose id ends so: pages show the end of an id. */
async function findRuns({ runs }: WebDeps, filter: RunFilter): Promise<Run[]> {
  const found = await runs.list(filter);
  const { search, states, before } = filter;
  if (search === undefined || before !== undefined) return found;
  const run = await runs.find(search);
  const isWanted = run !== undefined && (states === undefined || states.includes(run.state));
  if (!isWanted || found.some(({ id }) => id === run.id)) return found;
  return [run, ...found].toSorted((a, b) => (a.id < b.id ? 1 : -1));
}

type Surroundings = Pick<RunDetail, "workflow" | "drawing" | "approvals" | "descendants">;

const NOTHING: Journal = { steps: [], calls: [], signals: [] };
const NO_SURROUNDINGS: Surroundings = {
  workflow: undefined,
  drawing: undefined,
  approvals: [],
  descendants: [],
};
const RELATIVE_COUNT_MAX = 20;

/** What a run's page shows beside the run itself. */
async function readSurroundings(kit: Kit, run: Run): Promise<Surroundings> {
  const { runs } = kit.deps;
  const { workflow, drawing } = await readVersion(kit, run);
  const [approvals, descendants] = await Promise.all([
    runs.pendingApprovals({ runId: run.id, limit: RELATIVE_COUNT_MAX }),
    runs.descendants(run.id, RELATIVE_COUNT_MAX),
  ]);
  return { workflow, drawing, approvals, descendants };
}

/** The version that a run executes; empty when it cannot be read any more. */
async function readVersion(
  { deps, reader }: Pick<Kit, "deps" | "reader">,
  run: Run,
): Promise<Pick<Surroundings, "workflow" | "drawing">> {
  const version = await deps.workflows.version(run.workflowId, run.versionHash);
  return version === undefined ? NO_SURROUNDINGS : await reader.version(version);
}

async function requireRun(deps: WebDeps, id: string): Promise<Run> {
  const run = await deps.runs.get(id);
  if (run === undefined) throw noRun(id);
  return run;
}

function noRun(id: string): AppError {
  return new AppError("not_found", `There is no run ${id}.`, {
    fix: "Go to the list of runs and choose one.",
  });
}
