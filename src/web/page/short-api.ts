/**
 * Short addresses for buttons and small programs: HTML for htmx, JSON for everybody else. `start` takes the id
 * or name of a workflow, the others the id of a run. Everything else is below /api/v1.
 */
import type { Hono } from "hono";
import { AgentItems } from "../../../views/part/agent-items.tsx";
import { RunList } from "../../../views/part/run-table.tsx";
import { WorkflowList } from "../../../views/workflows.tsx";
import { AppError } from "../../domain/error.ts";
import type { RegisteredAgent } from "../../domain/registered-agent.ts";
import type { Run } from "../../domain/run.ts";
import type { WorkflowRecord } from "../../domain/workflow.ts";
import { isJsonObject, type Json, parseJson } from "../../lib/json.ts";
import { createEventSource } from "../event-source.ts";
import { wantsFragment } from "../error.ts";
import { readForm } from "../form.ts";
import type { Kit, WebContext, WebEnv } from "../kit.ts";
import { html } from "../render.ts";
import { requireAgent, requireRun, requireWorkflow } from "../require.ts";
import { API_PREFIX, PATTERNS } from "../routes.ts";
import { readRunForm, type RunFormReading } from "../run-form.ts";
import { createRunSource } from "../run-source.ts";
import { requireScope } from "../scope.ts";
import { openStream } from "../stream.ts";
import { listingOf, readItems } from "./workflows.ts";

const AGENT_COUNT_MAX = 200;

export function registerShortApi(app: Hono<WebEnv>, kit: Kit): void {
  registerActions(app, kit);
  registerReadings(app, kit);
}

function registerActions(app: Hono<WebEnv>, kit: Kit): void {
  const { deps, access } = kit;

  app.post(PATTERNS.shortStart, async (c) => {
    requireScope(c, access, "write");
    return showRun(c, kit, { run: await start(c, kit, c.req.param("id")), status: 201 });
  });

  app.post(PATTERNS.shortStop, async (c) => {
    requireScope(c, access, "write");
    return showRun(c, kit, { run: await deps.runs.requestCancel(c.req.param("id")), status: 200 });
  });

  app.post(PATTERNS.shortRestart, async (c) => {
    requireScope(c, access, "write");
    const run = await deps.actions.rerun(c.req.param("id"), { source: "api" });
    return showRun(c, kit, { run, status: 201 });
  });
}

function registerReadings(app: Hono<WebEnv>, kit: Kit): void {
  const { deps, access } = kit;

  app.get(PATTERNS.shortStream, async (c) => {
    requireScope(c, access, "read");
    const run = await requireRun(deps, c.req.param("id"));
    const given = Number(c.req.header("Last-Event-ID") ?? 0);
    const after = Number.isSafeInteger(given) && given > 0 ? given : 0;
    if (wantsFragment(c)) {
      const version = await deps.workflows.version(run.workflowId, run.versionHash);
      const { workflow, drawing } =
        version === undefined ? NO_VERSION : await kit.reader.version(version);
      const createSource = () => createRunSource(deps, { runId: run.id, workflow, drawing });
      return openStream(c, kit, { key: `run:${run.id}`, createSource, after });
    }
    const { presentEvent: present } = await import("../api/schema/journal.ts");
    const createSource = () => createEventSource(deps, { runId: run.id, present });
    return openStream(c, kit, { key: `events:${run.id}`, createSource, after });
  });

  app.get(PATTERNS.shortWorkflow, async (c) => {
    requireScope(c, access, "read");
    const id = c.req.param("id");
    const run = await deps.runs.get(id);
    if (run !== undefined) return showRun(c, kit, { run, status: 200 });
    return showWorkflow(c, kit, await requireWorkflow(deps, id));
  });

  app.get(PATTERNS.shortAgents, async (c) => {
    requireScope(c, access, "read");
    const agents = await deps.agents.list({ limit: AGENT_COUNT_MAX });
    if (wantsFragment(c)) return showAgents(c, kit, agents);
    const { presentAgent } = await import("../api/schema/entry.ts");
    const now = deps.clock.now();
    return c.json({ agents: agents.map((agent) => presentAgent(agent, now)) });
  });

  app.get(PATTERNS.shortAgent, async (c) => {
    requireScope(c, access, "read");
    const id = c.req.param("id");
    const agent = await requireAgent(deps, id);
    if (wantsFragment(c)) return showAgents(c, kit, [agent]);
    const { presentAgent } = await import("../api/schema/entry.ts");
    return c.json(presentAgent(agent, deps.clock.now()));
  });
}

const NO_VERSION = { workflow: undefined, drawing: undefined };

/** Inputs come as the run form sends them, or as JSON: `{"inputs": {"name": "Ada"}}`. */
async function start(c: WebContext, kit: Kit, id: string): Promise<Run> {
  const record = await requireWorkflow(kit.deps, id);
  const { workflow } = await kit.reader.version(record.version);
  if (workflow === undefined) {
    throw new AppError("workflow_invalid", `The workflow ${record.name} has errors.`, {
      fix: "Mend its file and save it again.",
    });
  }
  const isJson = /^application\/json\b/i.test(c.req.header("Content-Type") ?? "");
  const request = isJson
    ? await readJsonRequest(await c.req.text(), workflow)
    : readingOf(await readRunForm(await readForm(c), workflow, kit.deps.providers()));
  return kit.deps.createRun(
    { workflowId: record.id, versionHash: record.version.hash, workflow, ...request },
    { source: "api" },
  );
}

async function readJsonRequest(
  text: string,
  workflow: Parameters<typeof readRunForm>[1],
): Promise<NonNullable<RunFormReading["request"]>> {
  const body: Json | undefined = text === "" ? {} : parseJson(text);
  if (body === undefined || !isJsonObject(body) || !isJsonObject(body["inputs"] ?? {})) {
    throw new AppError("usage", "The body is not what starts a run.", {
      fix: 'Send JSON such as {"inputs": {"name": "Ada"}}.',
    });
  }
  const inputs = body["inputs"] ?? {};
  const { readRunInputs } = await import("../api/resource/workflows.ts");
  return { ...(await readRunInputs(workflow, isJsonObject(inputs) ? inputs : {})), overrides: {} };
}

function readingOf({ request, form }: RunFormReading): NonNullable<RunFormReading["request"]> {
  if (request !== undefined) return request;
  const wrong = form.fields.find(({ error }) => error !== undefined);
  throw new AppError("invalid", wrong?.error ?? "The inputs are not right.", {
    fix: "Correct it, then start again.",
  });
}

async function showRun(
  c: WebContext,
  { deps }: Kit,
  { run, status }: { run: Run; status: 200 | 201 },
): Promise<Response> {
  const now = deps.clock.now();
  if (wantsFragment(c)) {
    const caption = `Run of ${run.workflowName}`;
    return html(c, RunList({ runs: [run], now, caption }), status);
  }
  const { presentRun } = await import("../api/schema/run.ts");
  if (status === 201) c.header("Location", `${API_PREFIX}/runs/${run.id}`);
  return c.json(presentRun(run), status);
}

async function showWorkflow(c: WebContext, kit: Kit, record: WorkflowRecord): Promise<Response> {
  if (wantsFragment(c)) {
    const workflows = await readItems(kit, [listingOf(record)]);
    return html(c, WorkflowList({ workflows, shell: kit.shell(c, record.name) }));
  }
  const { presentDetail } = await import("../api/schema/workflow.ts");
  return c.json(presentDetail(record, await kit.reader.version(record.version)));
}

function showAgents(
  c: WebContext,
  { deps }: Kit,
  agents: readonly RegisteredAgent[],
): Promise<Response> {
  return html(c, AgentItems({ agents, now: deps.clock.now() }));
}
