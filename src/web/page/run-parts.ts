import type { Hono } from "hono";
import {
  ForkPage,
  ItemsPage,
  LogPage,
  type LogQuery,
  SignalPage,
  StepPage,
  StepsPage,
} from "../../../views/run-parts.tsx";
import { TracePage } from "../../../views/run-trace.tsx";
import { describeEvent } from "../../../views/part/log.tsx";
import type { RunFormField } from "../../../views/part/run-form.tsx";
import { groupCalls } from "../../../views/part/step-item.tsx";
import { stepCards } from "../../../views/part/run-steps.tsx";
import { AppError, ERROR_CODES } from "../../domain/error.ts";
import { isItemKey, nodeIdOf, type StoredEvent } from "../../domain/event.ts";
import type { Run, RunStore } from "../../domain/run.ts";
import type { StateField, Workflow } from "../../domain/workflow.ts";
import { diffTexts } from "../../lib/diff.ts";
import { jsonLines, parseJson, type Json, type JsonObject } from "../../lib/json.ts";
import { type Form, readForm } from "../form.ts";
import type { Kit, WebContext, WebEnv } from "../kit.ts";
import { html } from "../render.ts";
import { pathTo, PATTERNS } from "../routes.ts";
import { sentText, textOf } from "../run-form.ts";
import { readPieces } from "../run-pieces.ts";
import { readItemTrace, readTrace } from "../run-trace.ts";
import { requireRun } from "../require.ts";
import { readVersion } from "../run-view.ts";

const ITEM_PAGE_COUNT = 50;
const ITEM_CALL_COUNT_MAX = 10;
/** Lines of a page of the log, and events that are looked at for one. */
const LOG_LINE_COUNT = 300;
const LOG_EVENT_COUNT_MAX = 5_000;
/** A state with more text is not compared: the page would be slow. */
const STATE_CHARS_MAX = 400_000;
const BY_DASHBOARD = "dashboard";

/** What is too much or too large for a run's own page. */
export function registerRunParts(app: Hono<WebEnv>, kit: Kit): void {
  const { deps, shell } = kit;

  app.get(PATTERNS.runSteps, async (c) => {
    const run = await requireRun(deps, c.req.param("id"));
    const { workflow, drawing } = await readVersion(kit, run);
    const before = readPlace(c.req.query("before")) ?? Number.MAX_SAFE_INTEGER;
    const pieces = await readPieces(deps.runReader, run, { workflow, before });
    const view = {
      ...pieces,
      nodes: undefined,
      run,
      workflow,
      drawing,
      descendants: [],
      now: deps.clock.now(),
    };
    const cards = stepCards(view);
    return html(c, StepsPage({ shell: shell(c, "Steps"), run, cards, earlier: pieces.earlier }));
  });

  app.get(PATTERNS.runTrace, (c) => tracePage(c, kit));
  app.get(PATTERNS.runItems, (c) => itemsPage(c, kit));
  app.get(PATTERNS.runStep, (c) => stepPage(c, kit));
  app.get(PATTERNS.runLog, (c) => logPage(c, kit));

  app.get(PATTERNS.runPrevious, async (c) => {
    const run = await requireRun(deps, c.req.param("id"));
    const [previous] = await deps.runs.list({
      workflowId: run.workflowId,
      before: run.id,
      limit: 1,
    });
    return c.redirect(pathTo.runsComparison({ a: previous?.id ?? "", b: run.id }), 303);
  });

  registerForks(app, kit);
  registerSignals(app, kit);
}

async function tracePage(c: WebContext, { deps, shell }: Kit): Promise<Response> {
  const run = await requireRun(deps, c.req.param("id") ?? "");
  const map = c.req.query("map");
  const from = readPlace(c.req.query("from")) ?? 0;
  const [before, after] = [readPlace(c.req.query("before")), readPlace(c.req.query("after"))];
  const found =
    map === undefined
      ? await readTrace(deps.runReader, run, { before, after })
      : await readItemTrace(deps.runReader, run, { map, from });
  if (found === undefined) throw noItems();
  return html(c, TracePage({ shell: shell(c, "Trace"), run, ...found }));
}

function noItems(): AppError {
  return new AppError("not_found", "This step has no items.", { fix: "Go back to the run." });
}

async function itemsPage(c: WebContext, { deps, shell }: Kit): Promise<Response> {
  const run = await requireRun(deps, c.req.param("id") ?? "");
  const map = c.req.query("map") ?? "";
  const from = readPlace(c.req.query("from")) ?? 0;
  const window = { map, from, limit: ITEM_PAGE_COUNT };
  const [counts, items] = await Promise.all([
    deps.runReader.itemCounts(run.id, map),
    deps.runReader.items(run.id, window),
  ]);
  if (counts.count === 0) throw noItems();
  const calls = await Promise.all(
    items.map(({ key, attempt }) =>
      deps.runReader.calls(run.id, { key, attempt, limit: ITEM_CALL_COUNT_MAX }),
    ),
  );
  return html(
    c,
    ItemsPage({
      shell: shell(c, "Items"),
      run,
      map,
      counts,
      items,
      calls: groupCalls(calls.flat()),
      from,
      pageCount: ITEM_PAGE_COUNT,
    }),
  );
}

async function stepPage(c: WebContext, { deps, shell }: Kit): Promise<Response> {
  const run = await requireRun(deps, c.req.param("id") ?? "");
  const key = c.req.param("key") ?? "";
  const { attempts, calls } = await deps.runReader.step(run.id, key);
  if (attempts.length === 0) {
    throw new AppError("not_found", `The run has no step ${key}.`, { fix: "Go back to the run." });
  }
  const hasEnded = attempts.some((attempt) => attempt.endedSeq !== null);
  return html(
    c,
    StepPage({
      shell: shell(c, key),
      run,
      stepKey: key,
      attempts,
      calls,
      state: hasEnded && !isItemKey(key) ? await stateAfter(deps, run, key) : undefined,
      canFork: !isItemKey(key) && attempts.some((attempt) => attempt.state !== "superseded"),
    }),
  );
}

/** Undefined when the run's workflow cannot be read any more, or the step no longer counts. */
async function stateAfter(
  { actions }: Kit["deps"],
  run: Run,
  key: string,
): Promise<Parameters<typeof StepPage>[0]["state"]> {
  try {
    const { before, after } = await actions.valuesAround(run.id, key);
    const [left, right] = [jsonLines(before), jsonLines(after)];
    if (left.length + right.length > STATE_CHARS_MAX) return undefined;
    return { json: JSON.stringify(after, null, 2), diff: diffTexts(left, right) };
  } catch (error) {
    // The page is about what was done; without the values it still says that.
    if (ERROR_CODES[AppError.from(error).code].status < 500) return undefined;
    throw error;
  }
}

async function logPage(c: WebContext, { deps, shell }: Kit): Promise<Response> {
  const run = await requireRun(deps, c.req.param("id") ?? "");
  const level = c.req.query("level");
  const query: LogQuery = {
    level: level === "warn" || level === "error" ? level : "",
    step: c.req.query("step")?.trim() ?? "",
  };
  const after = readPlace(c.req.query("after"));
  const last = await deps.runReader.lastSeq(run.id);
  const before = readPlace(c.req.query("before")) ?? last + 1;
  const window =
    after === undefined
      ? await linesBefore(deps.runs, run.id, { query, before })
      : await linesAfter(deps.runs, run.id, { query, after, last });
  const places = {
    earlier: window.first > 1 ? window.first : undefined,
    later: window.end < last ? window.end : undefined,
  };
  return html(c, LogPage({ shell: shell(c, "Log"), run, query, events: window.events, ...places }));
}

interface LogWindow {
  readonly events: readonly StoredEvent[];
  /** `seq` of the first and of the last event that were looked at. */
  readonly first: number;
  readonly end: number;
}

async function linesBefore(
  runs: RunStore,
  runId: string,
  { query, before }: { query: LogQuery; before: number },
): Promise<LogWindow> {
  const low = Math.max(0, before - 1 - LOG_EVENT_COUNT_MAX);
  const all = await runs.events(runId, low, Math.max(0, before - 1 - low));
  const wanted = all.filter((stored) => isWanted(stored, query));
  const events = wanted.slice(-LOG_LINE_COUNT);
  const [oldest] = events;
  const isCut = events.length < wanted.length && oldest !== undefined;
  return { events, first: isCut ? oldest.seq : low + 1, end: before - 1 };
}

async function linesAfter(
  runs: RunStore,
  runId: string,
  { query, after, last }: { query: LogQuery; after: number; last: number },
): Promise<LogWindow> {
  const all = await runs.events(runId, after, LOG_EVENT_COUNT_MAX);
  const wanted = all.filter((stored) => isWanted(stored, query));
  const events = wanted.slice(0, LOG_LINE_COUNT);
  const newest = events.at(-1);
  const isCut = events.length < wanted.length && newest !== undefined;
  const end = isCut ? newest.seq : Math.min(last, after + LOG_EVENT_COUNT_MAX);
  return { events, first: after + 1, end };
}

/** Text that a model or a program wrote belongs to the line of its call. */
function isWanted({ event, at }: StoredEvent, { level, step }: LogQuery): boolean {
  if (step !== "" && !("step" in event && (event.step === step || nodeIdOf(event.step) === step)))
    return false;
  if (level === "") return true;
  if (event.type === "model.delta" || event.type === "output.delta") return false;
  const found = describeEvent(event, at).level;
  return found === "error" || (level === "warn" && found === "warn");
}

function readPlace(text: string | undefined): number | undefined {
  const place = Number(text ?? "");
  return text !== undefined && text !== "" && Number.isSafeInteger(place) && place >= 0
    ? place
    : undefined;
}

function registerForks(app: Hono<WebEnv>, kit: Kit): void {
  const { deps, shell } = kit;

  app.get(PATTERNS.runForks, async (c) => {
    const run = await requireRun(deps, c.req.param("id"));
    const workflow = await requireWorkflow(kit, run);
    const { step, values } = await deps.actions.forkValues(run.id, c.req.query("from") ?? "");
    const fields = workflow.state.map((field) => ({
      field: optional(field),
      text: textOf(field, values[field.name] ?? null),
    }));
    return html(
      c,
      ForkPage({ shell: shell(c, "Fork"), run, from: step, fields, error: undefined }),
    );
  });

  app.post(PATTERNS.runForks, async (c) => {
    const run = await requireRun(deps, c.req.param("id"));
    const workflow = await requireWorkflow(kit, run);
    const form = await readForm(c);
    const { step, values } = await deps.actions.forkValues(run.id, form.text("from"));
    const { fields, set } = await readChanges(form, workflow, values);
    const refuse = (error: string | undefined) =>
      html(c, ForkPage({ shell: shell(c, "Fork"), run, from: step, fields, error }), 422);
    if (set === undefined) return refuse(undefined);
    try {
      const made = await deps.actions.fork(run.id, { from: step, set, source: "dashboard" });
      return c.redirect(pathTo.run(made.id), 303);
    } catch (error) {
      const { code, message, fix } = AppError.from(error);
      if (ERROR_CODES[code].status !== 422) throw error;
      return refuse(`${message} ${fix ?? ""}`.trim());
    }
  });
}

/** In a fork every field has a value already. */
function optional(field: StateField): StateField {
  return { ...field, required: false };
}

/** What was changed in the form; `set` is undefined when something is wrong. */
async function readChanges(
  form: Form,
  workflow: Workflow,
  values: JsonObject,
): Promise<{ fields: RunFormField[]; set: JsonObject | undefined }> {
  const { parseInputText, readInputs } = await import("../../language/input.ts");
  const fields = workflow.state.map(optional);
  const sent = fields.map((field) => ({ field, text: sentText(form, field) }));
  const changed = sent.filter(
    ({ field, text }) =>
      text !== textOf(field, values[field.name] ?? null).replaceAll("\r\n", "\n"),
  );
  const set = Object.fromEntries(
    changed.map(({ field, text }): [string, Json] => [field.name, parseInputText(field, text)]),
  );
  const { problems } = readInputs({ ...workflow, state: fields }, set);
  return {
    fields: sent.map(({ field, text }) => {
      const problem = problems.find((one) => one.field === field.name);
      return problem === undefined
        ? { field, text }
        : { field, text, error: `${problem.message} ${problem.fix}` };
    }),
    set: problems.length === 0 ? set : undefined,
  };
}

async function requireWorkflow(kit: Kit, run: Run): Promise<Workflow> {
  const { workflow } = await readVersion(kit, run);
  if (workflow !== undefined) return workflow;
  throw new AppError(
    "workflow_invalid",
    "The version that this run executed cannot be read any more.",
    {
      fix: "Start the workflow anew.",
    },
  );
}

function registerSignals(app: Hono<WebEnv>, { deps, shell }: Kit): void {
  app.post(PATTERNS.runSignals, async (c) => {
    const run = await requireRun(deps, c.req.param("id"));
    const form = await readForm(c);
    const [name, text] = [form.text("name").trim(), form.text("payload").trim()];
    const payload = text === "" ? null : parseJson(text);
    const refuse = (errors: { nameError?: string; payloadError?: string; error?: string }) => {
      const { error, ...beside } = errors;
      const state = { name, payload: form.text("payload"), ...beside };
      return html(c, SignalPage({ shell: shell(c, "Signal"), run, form: state, error }), 422);
    };
    if (name === "") return refuse({ nameError: "A signal needs a name." });
    if (payload === undefined) {
      return refuse({ payloadError: 'This is not JSON. Write {"amount": 12}, "text" or 12.' });
    }
    try {
      await deps.runs.signal(run.id, { name, payload, by: BY_DASHBOARD });
    } catch (error) {
      const { code, message, fix } = AppError.from(error);
      if (ERROR_CODES[code].status >= 500) throw error;
      return refuse({ error: `${message} ${fix ?? ""}`.trim() });
    }
    return c.redirect(pathTo.run(run.id), 303);
  });
}
