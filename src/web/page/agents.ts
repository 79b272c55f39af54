import type { Hono } from "hono";
import { AgentPage, AgentUpdate, type AgentCheck } from "../../../views/agent.tsx";
import {
  type AgentDraft,
  type AgentListProps,
  AgentsPage,
  type AgentsFilter,
  AgentsUpdate,
} from "../../../views/agents.tsx";
import { AppError } from "../../domain/error.ts";
import { readRegistration } from "../../domain/agent-registration.ts";
import {
  AGENT_TTL_SECONDS_DEFAULT,
  BY_HAND,
  isAlive,
  isByHand,
  livenessOf,
  type RegisteredAgent,
} from "../../domain/registered-agent.ts";
import type { AgentNode, WorkflowRecord } from "../../domain/workflow.ts";
import { defined } from "../../lib/defined.ts";
import type { WebDeps } from "../deps.ts";
import { wantsFragment } from "../error.ts";
import { type Form, readForm } from "../form.ts";
import { bannersOf, readOr, type Kit, type WebContext, type WebEnv } from "../kit.ts";
import { isJson, isProgram } from "../program.ts";
import { html, renderText } from "../render.ts";
import { requireAgent } from "../require.ts";
import { pathTo, PATTERNS } from "../routes.ts";
import { encodeMessage, type SnapshotSource } from "../sse.ts";
import { openStream } from "../stream.ts";
import { createUndo, type Undo } from "../undo.ts";

const AGENT_COUNT_MAX = 50;
/** In one answer to a program. */
const ANSWER_COUNT_MAX = 1_000;
/** Checks that are kept, in this process. */
const KEPT_COUNT_MAX = 100;
/** Workflows that are looked through for an agent. */
const WORKFLOW_COUNT_MAX = 200;
/** An agent becomes late and dead without the database telling. */
const AGENTS_REFRESH_MS = 5_000;
const AGENTS_INTERVAL_MS = 1_000;

interface Desk extends Kit {
  readonly removed: Undo<RegisteredAgent>;
  readonly checks: Map<string, AgentCheck>;
}

export function registerAgents(app: Hono<WebEnv>, kit: Kit): void {
  const { deps } = kit;
  const epoch = deps.clock.now().toString(36);
  const desk: Desk = { ...kit, removed: createUndo(), checks: new Map() };

  app.get(PATTERNS.agents, async (c) => {
    if (isProgram(c)) return c.json(await listForPrograms(c, deps));
    return listPage(c, desk, {});
  });

  app.get(PATTERNS.agentStream, (c) => {
    const id = c.req.query("id");
    const filter = readFilter(c);
    const csrf = kit.shell(c, "").csrf;
    const place = { origin: originOf(c), csrf };
    const [given, position] = c.req.header("Last-Event-ID")?.split("-") ?? [];
    const make = () =>
      id === undefined
        ? createSource(epoch, () => readListFace(deps, { filter, ...place }))
        : createSource(epoch, () => readAgentFace(desk, id));
    return openStream(c, kit, {
      // Forms of the list carry the token of their browser.
      key: id === undefined ? `agents:${JSON.stringify([filter, place])}` : `agent:${id}`,
      createSource: make,
      after: given === epoch ? Number(position) : undefined,
    });
  });

  app.get(PATTERNS.agent, async (c) => {
    const id = c.req.param("id");
    const agent = await requireAgent(deps, id);
    if (isProgram(c)) return c.json(toWire(agent, deps.clock.now()));
    const detail = { agent, check: desk.checks.get(id) };
    if (wantsFragment(c))
      return html(c, AgentUpdate({ ...detail, now: deps.clock.now(), banners: bannersOf(deps) }));
    const workflows = await readOr(c, workflowsWith(desk, agent), []);
    return html(c, AgentPage({ ...detail, workflows, shell: kit.shell(c, agent.name) }));
  });

  registerCalls(app, desk);
  registerForms(app, desk);
}

/** What agents themselves call. */
function registerCalls(app: Hono<WebEnv>, desk: Desk): void {
  const { deps } = desk;

  app.post(PATTERNS.agentRegistration, async (c) => {
    if (!isJson(c.req.header("Content-Type") ?? "")) {
      if (isProgram(c)) throw noJson();
      return registerByForm(c, desk);
    }
    const { agent, created } = await deps.agents.register(readRegistration(await readJson(c)));
    if (!isProgram(c)) return listUpdate(c, desk);
    return c.json(toWire(agent, deps.clock.now()), created ? 201 : 200);
  });

  app.post(PATTERNS.agentHeartbeat, async (c) => {
    const agent = await deps.agents.heartbeat(c.req.param("id"));
    if (!isProgram(c)) return listUpdate(c, desk);
    return c.json({ status: "ok", last_heartbeat: isoTime(agent.heartbeatAt) });
  });

  app.delete(PATTERNS.agent, async (c) => {
    const agent = await remove(desk, c.req.param("id"));
    if (!isProgram(c)) return listUpdate(c, desk);
    return c.json({ status: "deleted", agent_id: agent.id });
  });
}

/** What people do with agents. */
function registerForms(app: Hono<WebEnv>, desk: Desk): void {
  const { deps, removed, checks } = desk;

  app.post(PATTERNS.agentChecks, async (c) => {
    const id = c.req.param("id");
    const agent = await requireAgent(deps, id);
    const result = await deps.checkAgent(agent);
    keep(checks, id, { ...result, at: deps.clock.now() });
    // It cannot beat, so its answer counts.
    if (result.ok && isByHand(agent)) await deps.agents.heartbeat(id);
    return c.redirect(pathTo.agent(id), 303);
  });

  app.post(PATTERNS.agentDeletion, async (c) => {
    const agent = await remove(desk, c.req.param("id"));
    return c.redirect(`${pathTo.agents()}?undo=${encodeURIComponent(agent.id)}`, 303);
  });

  app.post(PATTERNS.agentRestorations, async (c) => {
    const agent = removed.require((await readForm(c)).text("id"));
    await deps.agents.restore(agent);
    removed.drop(agent.id);
    return c.redirect(pathTo.agents(), 303);
  });
}

async function remove({ deps, removed }: Desk, id: string): Promise<RegisteredAgent> {
  const agent = await deps.agents.remove(id);
  removed.keep(agent);
  return agent;
}

function keep<T>(all: Map<string, T>, id: string, value: T): void {
  all.delete(id);
  all.set(id, value);
  const [oldest] = all.keys();
  if (all.size > KEPT_COUNT_MAX && oldest !== undefined) all.delete(oldest);
}

async function registerByForm(c: WebContext, desk: Desk): Promise<Response> {
  const draft = readDraft(await readForm(c));
  try {
    const agent = readRegistration({
      agent_id: await freeId(desk.deps, draft.name),
      agent_name: draft.name,
      url: draft.url,
      ttl_seconds: Number(draft.ttlSeconds),
      capabilities: draft.capabilities.split(",").filter((text) => text.trim() !== ""),
    });
    const registered = await desk.deps.agents.register({ ...agent, metadata: BY_HAND });
    return c.redirect(pathTo.agent(registered.agent.id), 303);
  } catch (error) {
    const failure = AppError.from(error);
    if (failure.code !== "invalid" && failure.code !== "limit_reached") throw error;
    return listPage(c, desk, { draft, error: formError(failure) });
  }
}

/** In the words of the form, which has no host and port. */
function formError(failure: AppError): AppError {
  if (failure.code !== "invalid") return failure;
  return new AppError("invalid", failure.message, {
    fix: "Give it a name, an address that begins with http:// or https://, and 1 to 3600 seconds.",
  });
}

/** Made of the name; the number that makes it another one where there is one already. */
async function freeId(deps: WebDeps, name: string, number = 1): Promise<string> {
  const base =
    name
      .toLowerCase()
      .replaceAll(/[^\w.-]+/g, "-")
      .replaceAll(/^-+|-+$/g, "") || "agent";
  const id = number === 1 ? base.slice(0, 100) : `${base.slice(0, 100)}-${number}`;
  return (await deps.agents.get(id)) === undefined ? id : freeId(deps, name, number + 1);
}

function readDraft(form: Form): AgentDraft {
  return {
    name: form.text("name").trim(),
    url: form.text("url").trim(),
    capabilities: form.text("capabilities").trim(),
    ttlSeconds: form.text("ttl_seconds").trim(),
  };
}

const DRAFT_EMPTY: AgentDraft = {
  name: "",
  url: "",
  capabilities: "",
  ttlSeconds: String(AGENT_TTL_SECONDS_DEFAULT),
};

async function listPage(
  c: WebContext,
  desk: Desk,
  { draft = DRAFT_EMPTY, error }: { draft?: AgentDraft; error?: AppError },
): Promise<Response> {
  const { deps, removed, shell } = desk;
  const filter = readFilter(c);
  const list = await readOr(c, readList(deps, filter), { agents: [], next: undefined });
  const view = { ...list, filter, origin: originOf(c) };
  if (wantsFragment(c)) return listUpdate(c, desk);
  const page = AgentsPage({
    ...view,
    shell: shell(c, "Agents"),
    removed: removed.get(c.req.query("undo")),
    draft,
    error: error?.toRecord(),
  });
  return html(c, page, error === undefined ? 200 : 422);
}

/** The parts of the list that htmx swaps. */
async function listUpdate(c: WebContext, { deps, shell }: Desk): Promise<Response> {
  const filter = readFilter(c);
  const list = await readList(deps, filter);
  const csrf = deps.health().state === "ok" ? shell(c, "").csrf : undefined;
  const props = { ...list, filter, now: deps.clock.now(), csrf, origin: originOf(c) };
  return html(c, AgentsUpdate({ list: props, banners: bannersOf(deps) }));
}

function readFilter(c: WebContext): AgentsFilter {
  const text = (name: string) => c.req.query(name)?.trim() || undefined;
  return { search: text("search"), after: text("after") };
}

async function readList(
  deps: WebDeps,
  filter: AgentsFilter,
): Promise<Pick<AgentListProps, "agents" | "next">> {
  const found = await deps.agents.list({ ...defined(filter), limit: AGENT_COUNT_MAX + 1 });
  const agents = found.slice(0, AGENT_COUNT_MAX);
  return { agents, next: found.length > AGENT_COUNT_MAX ? agents.at(-1)?.id : undefined };
}

async function listForPrograms(c: WebContext, deps: WebDeps) {
  const includeDead = /^(?:true|1|yes|)$/i.test(c.req.query("include_dead") ?? "no");
  const agents = await deps.agents.list({
    ...defined(readFilter(c)),
    limit: ANSWER_COUNT_MAX,
    isAlive: !includeDead,
  });
  const now = deps.clock.now();
  return agents.map((agent) => toWire(agent, now));
}

/** As the replaced system answers, with what is new beside it. */
function toWire(agent: RegisteredAgent, now: number) {
  const { protocol, hostname, port } = new URL(agent.url);
  return {
    agent_id: agent.id,
    agent_name: agent.name,
    host: hostname.replace(/^\[(.*)\]$/, "$1"),
    port: port === "" ? (protocol === "https:" ? 443 : 80) : Number(port),
    url: agent.url,
    is_alive: isAlive(agent, now),
    last_heartbeat: isoTime(agent.heartbeatAt),
    registered_at: isoTime(agent.registeredAt),
    ttl_seconds: agent.ttlSeconds,
    capabilities: agent.capabilities,
    metadata: JSON.stringify(agent.metadata),
    agent_metadata: agent.metadata,
  };
}

function isoTime(at: number): string {
  return new Date(at).toISOString();
}

async function readJson(c: WebContext): Promise<unknown> {
  try {
    return await c.req.json();
  } catch (error) {
    throw noJson(error);
  }
}

function noJson(cause?: unknown): AppError {
  return new AppError("usage", "The body is no JSON.", {
    fix: "Send one JSON object, with the header Content-Type: application/json.",
    cause,
  });
}

/** Where this request found the server. */
function originOf(c: WebContext): string {
  return new URL(c.req.url).origin;
}

/** Workflows whose last version names the agent or its address. */
async function workflowsWith(
  { deps, reader }: Desk,
  agent: RegisteredAgent,
): Promise<readonly Pick<WorkflowRecord, "id" | "name">[]> {
  const records = await deps.workflows.list({ limit: WORKFLOW_COUNT_MAX });
  // Reading a file takes long, finding a text in it does not.
  const likely = records.filter(
    ({ version: { source } }) =>
      source.includes("agent") &&
      [agent.url, agent.id, agent.name].some((text) => source.includes(text)),
  );
  const checked = await Promise.all(
    likely.map(async (record) => {
      const { workflow } = await reader.version(record.version);
      const calls = workflow?.nodes.some(
        (node) => node.kind === "agent" && isCallOf(agent, node.target),
      );
      return calls === true ? [record] : [];
    }),
  );
  return checked.flat();
}

function isCallOf(agent: RegisteredAgent, target: AgentNode["target"]): boolean {
  if ("name" in target) return target.name === agent.id || target.name === agent.name;
  return isBelow(target.url, agent.url);
}

function isBelow(url: string, base: string): boolean {
  return url === base || url.startsWith(`${base}/`);
}

interface Face {
  /** What differs when something to be seen has changed. */
  readonly key: string;
  readonly render: () => ReturnType<typeof renderText>;
}

async function readListFace(
  deps: WebDeps,
  place: { filter: AgentsFilter; origin: string; csrf: string },
): Promise<Face> {
  const now = deps.clock.now();
  const banners = bannersOf(deps);
  const list = await readList(deps, place.filter);
  const csrf = banners.health.state === "ok" ? place.csrf : undefined;
  return {
    key: JSON.stringify([list, list.agents.map((agent) => livenessOf(agent, now)), banners]),
    render: () => renderText(AgentsUpdate({ list: { ...list, ...place, csrf, now }, banners })),
  };
}

async function readAgentFace({ deps, checks }: Desk, id: string): Promise<Face> {
  const now = deps.clock.now();
  const banners = bannersOf(deps);
  const agent = await deps.agents.get(id);
  // One that was removed stays on the page as it was.
  if (agent === undefined) return { key: JSON.stringify(banners), render: async () => "" };
  const detail = { agent, check: checks.get(id), now, banners };
  return {
    key: JSON.stringify([agent, livenessOf(agent, now), detail.check, banners]),
    render: () => renderText(AgentUpdate(detail)),
  };
}

/** Sends the whole face whenever it has changed. */
function createSource(epoch: string, read: () => Promise<Face>): SnapshotSource {
  let position = 0;
  let shown: Face | undefined;
  const encode = async (face: Face) =>
    encodeMessage({ id: `${epoch}-${position}`, data: await face.render() });
  return {
    kind: "snapshot",
    intervalMs: AGENTS_INTERVAL_MS,
    refreshMs: AGENTS_REFRESH_MS,
    ended: false,
    async produce() {
      const face = await read();
      if (face.key === shown?.key) return [];
      shown = face;
      position += 1;
      return [{ position, bytes: await encode(face) }];
    },
    snapshot: () => (shown === undefined ? Promise.resolve(new Uint8Array()) : encode(shown)),
  };
}
