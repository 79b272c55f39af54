import type { Hono } from "hono";
import type { RunPieces } from "../../../views/part/run-pieces.ts";
import { RunPage, RunUpdate, type RunDetail } from "../../../views/run.tsx";
import { AppError } from "../../domain/error.ts";
import type { Run } from "../../domain/run.ts";
import type { RunGlance } from "../../domain/run-reader.ts";
import type { Budget } from "../../domain/workflow.ts";
import { defined } from "../../lib/defined.ts";
import { wantsFragment } from "../error.ts";
import { type Form, readForm } from "../form.ts";
import { bannersOf, readOr, type Kit, type WebEnv } from "../kit.ts";
import { html } from "../render.ts";
import { allEvents, newestEvents } from "../run-events.ts";
import { readPieces } from "../run-pieces.ts";
import { BY_DASHBOARD, readRunDecision } from "../run-decision.ts";
import { createRunSource, readRelatives } from "../run-source.ts";
import { notFound, requireRun } from "../require.ts";
import { NO_VERSION, readVersion } from "../run-view.ts";
import { pathTo, PATTERNS } from "../routes.ts";
import { openStream } from "../stream.ts";

/** Events whose lines and text a page starts with; the download has all. */
const EVENT_COUNT_MAX = 1_000;

export function registerRun(app: Hono<WebEnv>, kit: Kit): void {
  const { deps } = kit;

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
    const found = (await deps.runReader.glance(id)) ?? (await deps.runs.find(id));
    if (found === undefined) throw notFound("run", id);
    if (found.id !== id) return c.redirect(pathTo.run(found.id), 303);
    // What a lost stream asks for meanwhile: the log goes on where it was when the stream is back.
    const isPoll = wantsFragment(c);
    const events = isPoll ? [] : await readOr(c, newestEvents(deps, id, EVENT_COUNT_MAX), []);
    // After its events: the stream goes on behind the last of them, and would not tell what it has done to the run.
    const run = isPoll ? found : ((await readOr(c, deps.runReader.glance(id), undefined)) ?? found);
    const version = await readOr(c, readVersion(kit, run), NO_VERSION);
    const pieces = await readOr(c, readPieces(deps.runReader, run, version), NO_PIECES);
    const relatives = await readOr(c, readRelatives(deps, run.id), NO_RELATIVES);
    const detail: RunDetail = {
      run,
      ...omittedOf(run),
      ...pieces,
      ...version,
      ...relatives,
      events,
    };
    if (isPoll) {
      const banners = bannersOf(deps);
      return html(c, RunUpdate({ ...detail, banners, now: deps.clock.now() }));
    }
    return html(c, RunPage({ ...detail, shell: kit.shell(c, run.workflowName) }));
  });

  app.get(PATTERNS.runStream, async (c) => {
    const run = await deps.runReader.glance(c.req.param("id"));
    if (run === undefined) throw notFound("run", c.req.param("id"));
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
    const { key, ...decision } = readRunDecision(await readForm(c));
    await deps.runs.decide(run.id, key, decision);
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

const NO_PIECES: RunPieces = { steps: [], calls: [] };
const NO_RELATIVES: Pick<RunDetail, "approvals" | "descendants"> = {
  approvals: [],
  descendants: [],
};

function omittedOf(run: Run | RunGlance): Pick<RunDetail, "omitted"> {
  return "omitted" in run ? { omitted: run.omitted } : {};
}
