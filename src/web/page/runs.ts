import type { Hono } from "hono";
import { RunPage, RunUpdate, type RunDetail } from "../../../views/run.tsx";
import { RunsPage } from "../../../views/runs.tsx";
import { AppError } from "../../domain/error.ts";
import { RUN_STATES, type Journal, type Run, type RunFilter } from "../../domain/run.ts";
import type { Workflow } from "../../domain/workflow.ts";
import { defined } from "../../lib/defined.ts";
import type { WebDeps } from "../deps.ts";
import { wantsFragment } from "../error.ts";
import { bannersOf, readOr, type Kit, type WebContext, type WebEnv } from "../kit.ts";
import { html } from "../render.ts";
import { allEvents, newestEvents } from "../run-events.ts";
import { createRunSource } from "../run-source.ts";
import { pathTo, PATTERNS } from "../routes.ts";
import { openStream } from "../stream.ts";
import type { WorkflowReader } from "../workflow-reader.ts";

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
    const run = (await deps.runs.get(id)) ?? (await deps.runs.find(id));
    if (run === undefined) throw noRun(id);
    if (run.id !== id) return c.redirect(pathTo.run(run.id), 303);
    // What a lost stream asks for meanwhile: the log goes on where it was when the stream is back.
    const isPoll = wantsFragment(c);
    const events = isPoll ? [] : readOr(c, newestEvents(deps.runs, run.id, EVENT_COUNT_MAX), []);
    const journal = await readOr<Journal>(c, deps.runs.journal(run.id), { steps: [], calls: [] });
    const workflow = await readOr(c, readWorkflow(kit, run), undefined);
    const detail: RunDetail = { run, ...journal, events: await events, workflow };
    if (isPoll) {
      const banners = bannersOf(deps);
      return html(c, RunUpdate({ ...detail, banners, now: deps.clock.now() }));
    }
    return html(c, RunPage({ ...detail, shell: kit.shell(c, run.workflowName) }));
  });

  app.get(PATTERNS.runStream, async (c) => {
    const run = await requireRun(deps, c.req.param("id"));
    const workflow = await readWorkflow(kit, run);
    const after = Number(c.req.header("Last-Event-ID") ?? c.req.query("after") ?? 0);
    return openStream(c, kit, {
      key: `run:${run.id}`,
      createSource: () => createRunSource(deps, { runId: run.id, workflow }),
      after: Number.isSafeInteger(after) && after > 0 ? after : 0,
    });
  });

  app.post(PATTERNS.runCancellation, async (c) => {
    const run = await deps.runs.requestCancel(c.req.param("id"));
    return c.redirect(pathTo.run(run.id), 303);
  });

  app.post(PATTERNS.runReruns, async (c) => {
    const run = await requireRun(deps, c.req.param("id"));
    const again = await rerun(kit, run);
    return c.redirect(pathTo.run(again.id), 303);
  });
}

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

/** The same version with the same inputs, whatever has been saved since. */
async function rerun({ deps, reader }: RunReading, run: Run): Promise<Run> {
  const workflow = await readWorkflow({ deps, reader }, run);
  if (workflow === undefined) {
    throw new AppError("workflow_invalid", "The version that this run used cannot be read.", {
      fix: "Open the workflow and start its current version.",
    });
  }
  const { readInputs } = await import("../../language/input.ts");
  const { values, problems } = readInputs(workflow, run.inputs);
  if (values === undefined) {
    throw new AppError("invalid", problems.map((problem) => problem.message).join(" "), {
      fix: "Open the workflow and start it with other inputs.",
    });
  }
  const { workflowId, versionHash, inputs, overrides } = run;
  return deps.createRun({ workflowId, versionHash, workflow, values, inputs, overrides });
}

type RunReading = { readonly deps: WebDeps; readonly reader: WorkflowReader };

async function readWorkflow({ deps, reader }: RunReading, run: Run): Promise<Workflow | undefined> {
  const version = await deps.workflows.version(run.workflowId, run.versionHash);
  return version === undefined ? undefined : (await reader.version(version)).workflow;
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
