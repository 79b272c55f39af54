/** The real web app on a real server and a real database, and a client that keeps cookies like a browser. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { ProviderStatus, SettingControl, SettingValue } from "../../views/settings.tsx";
import { createBackups } from "../../src/app/backups.ts";
import type { Claim, Run } from "../../src/domain/run.ts";
import type { ServiceStatus } from "../../src/domain/service.ts";
import type { WorkflowRecord } from "../../src/domain/workflow.ts";
import { systemClock, type Clock } from "../../src/lib/clock.ts";
import { newId } from "../../src/lib/id.ts";
import { createServiceLogs } from "../../src/process/log-reader.ts";
import { openStoreDegradable, type Store } from "../../src/store/store.ts";
import { createRunActions } from "../../src/app/run-actions.ts";
import { createWebApp, type WebApp } from "../../src/web/app.ts";
import type { RunMade, WebDeps } from "../../src/web/deps.ts";

export const GREETING = `schema_version: "1.0"
flow:
  name: greeting
  description: Says hello.
state:
  fields:
    name: { type: str, required: true, description: Whom to greet. }
    count: { type: int, default: 3 }
    polite: { type: bool, default: true }
    tags: { type: "list[str]", default: ["a", "b"] }
    text: { type: str, default: "" }
nodes:
  - id: write
    prompt: "Greet {name} {count} times."
    output_schema: { type: str }
    outputs: [text]
edges:
  - { from: START, to: write }
  - { from: write, to: END }
`;

export const SECRET_KEY = "a secret of this test";
export const PASSWORD = "correct horse battery";

export interface World extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly folder: string;
  readonly store: Store;
  readonly app: WebApp;
  readonly errors: unknown[];
  readonly keys: Map<string, string>;
  /** Times at which a new start was asked for. */
  readonly restarts: readonly number[];
  /** Ends the server and starts another on the same database and port, as the product would. */
  restart(): Promise<void>;
  /** A workflow in the store. */
  addWorkflow(source?: string): Promise<WorkflowRecord>;
  addRun(record: WorkflowRecord): Promise<Run>;
  /** Takes the run as a worker would. */
  claim(runId: string): Promise<Claim>;
}

const WORKER: ServiceStatus = {
  name: "worker-1",
  state: "running",
  pid: 4711,
  url: null,
  restartCount: 0,
  since: 1,
  message: null,
  fix: null,
};

const PROVIDERS: readonly ProviderStatus[] = [
  {
    name: "openai",
    label: "OpenAI",
    configured: false,
    variable: "OPENAI_API_KEY",
    baseUrl: null,
    origin: null,
    check: null,
  },
  {
    name: "demo",
    label: "Demo",
    configured: true,
    variable: "",
    baseUrl: null,
    origin: null,
    check: null,
  },
];

/** The product from its sources, for what it has another process of its own do. */
const SELF = [process.execPath, "--no-env-file", resolve("src/main.ts")];

function setting(
  name: string,
  control: Pick<SettingControl, "section" | "label" | "applies">,
): SettingValue {
  return {
    name,
    value: "2",
    origin: "default",
    description: "How many.",
    secret: false,
    default: "2",
    control: { ...control, kind: "number", isSaved: true, fixedBy: null },
  };
}

export interface WorldOptions {
  /** What the app believes to listen on; the server itself is always on loopback. */
  readonly host?: string;
  readonly clock?: Clock;
  readonly deps?: Partial<WebDeps>;
  /** After which the server ends a connection without traffic. */
  readonly idleSeconds?: number;
  /** The database file as it is found, or another one to copy; none is the same as a fresh one. */
  readonly database?: string | Bun.BunFile;
}

export async function startWorld(options: WorldOptions = {}): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), "agents-web-"));
  const clock = options.clock ?? systemClock;
  const path = join(folder, "agents.sqlite");
  if (options.database !== undefined) await Bun.write(path, options.database);
  const store = await openStoreDegradable({ path, clock });
  const errors: unknown[] = [];
  const keys = new Map<string, string>();
  const restarts: number[] = [];
  const startedAt = clock.now();
  let sessionsSince = 0;
  let hash = options.host === undefined ? undefined : await cheapHash(PASSWORD);

  function serve(port: number): { app: WebApp; server: Bun.Server<undefined> } {
    const app: WebApp = createWebApp({
      runs: store.runs,
      runReader: store.runReader,
      workflows: store.workflows,
      system: store.system,
      metrics: store.metrics,
      eventLog: store.eventLog,
      serviceLogs: createServiceLogs(folder),
      changes: store.changes,
      health: () => store.health(),
      services: () => [WORKER],
      interrupted: [],
      clock,
      version: "1.2.3",
      secretKey: SECRET_KEY,
      host: options.host ?? "127.0.0.1",
      port: () => server.port ?? 0,
      adminPasswordHash: () => hash,
      demo: () => true,
      providers: () => PROVIDERS,
      checkProvider: (name) => Promise.resolve({ ok: true, message: `${name} answers.` }),
      checkAgent: ({ name }) =>
        Promise.resolve({ ok: true, message: `${name} answers.`, docs: null }),
      saveKey(variable, value) {
        keys.set(variable, value);
        return Promise.resolve();
      },
      removeKey(variable) {
        keys.delete(variable);
        return Promise.resolve();
      },
      saveSettings(changes) {
        if (changes["AGENTS_WORKERS"] === "many")
          return Promise.resolve({ AGENTS_WORKERS: "Give a whole number from 0 to 64." });
        for (const [name, value] of Object.entries(changes)) keys.set(name, value ?? "");
        return Promise.resolve({});
      },
      needsRestart: () => false,
      startedAt,
      restart: () => restarts.push(clock.now()),
      backups: createBackups({ dataDir: folder, databasePath: path }, { clock, self: SELF }),
      sessionsSince: () => sessionsSince,
      endSessions() {
        sessionsSince = clock.now() + 1;
        return Promise.resolve();
      },
      commit: "abc1234",
      databasePath: path,
      setPassword(next) {
        hash = next;
        return Promise.resolve();
      },
      values: () => [
        {
          name: "PORT",
          value: "7861",
          origin: "default",
          description: "The port.",
          secret: false,
        },
        setting("AGENTS_WORKERS", { section: "defaults", label: "Workers", applies: "restart" }),
        setting("AGENTS_KEEP_RUNS_DAYS", { section: "retention", label: "Runs", applies: "now" }),
        setting("AGENTS_KEEP_RUNS_COUNT", {
          section: "retention",
          label: "Newest",
          applies: "now",
        }),
      ],
      memoryBytes: () => 1024 * 1024,
      databaseBytes: () => 4096,
      resources: () => [],
      refresh: {
        queueMs: 1_000,
        workflowsMs: 2_000,
        agentsMs: 5_000,
        systemMs: 5_000,
        pollMs: 5_000,
      },
      dataDir: folder,
      knownTools: [],
      examples: [{ name: "greeting", description: "Says hello.", source: GREETING }],
      vocabulary: () =>
        Promise.resolve({
          tools: [{ name: "web_search", description: "Searches the web." }],
          models: [{ name: "gpt-test", provider: "openai" }],
        }),
      createRun: (request, made) => createRun(store, { clock, ...made }, request),
      bulkJobs: store.bulkJobs,
      tokens: store.tokens,
      idempotency: store.idempotency,
      memory: store.memory,
      schedules: store.schedules,
      agents: store.agents,
      conversations: store.conversations,
      actions: createRunActions({ ...store, toolNames: [], clock }),
      reportError: (error) => errors.push(error),
      ...options.deps,
    });
    const server = Bun.serve({
      port,
      hostname: "127.0.0.1",
      ...(options.idleSeconds === undefined ? {} : { idleTimeout: options.idleSeconds }),
      fetch: (request, host) => app.fetch(request, host),
    });
    return { app, server };
  }

  let running = serve(0);
  return {
    get url() {
      return `http://127.0.0.1:${running.server.port}`;
    },
    get port() {
      return running.server.port ?? 0;
    },
    get app() {
      return running.app;
    },
    folder,
    store,
    errors,
    keys,
    restarts,
    async restart() {
      const port = running.server.port ?? 0;
      await stop(running);
      running = serve(port);
    },
    addWorkflow: (source = GREETING) =>
      store.workflows.save({
        name: /name: (\w+)/.exec(source)?.[1] ?? "nameless",
        description: "Says hello.",
        source,
        format: "yaml",
      }),
    addRun: (record) =>
      createRun(
        store,
        { clock },
        {
          workflowId: record.id,
          versionHash: record.version.hash,
          workflow: { name: record.name, nodes: [{ id: "write" }] },
          values: { name: "Ada", count: 3, polite: true, tags: ["a", "b"], text: "" },
          inputs: { name: "Ada" },
          overrides: {},
        },
      ),
    async claim(runId) {
      const [claim] = await store.queue.fetch("worker-1", 1, runId);
      if (claim === undefined) throw new Error(`run ${runId} cannot be claimed`);
      return claim;
    },
    async [Symbol.asyncDispose]() {
      await stop(running);
      await store.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function stop(running: { app: WebApp; server: Bun.Server<undefined> }): Promise<void> {
  running.app.close();
  await running.server.stop(true);
}

type Request = Omit<Parameters<WebDeps["createRun"]>[0], "workflow"> & {
  readonly workflow: { readonly name: string; readonly nodes: readonly { readonly id: string }[] };
};

async function createRun(
  store: Store,
  made: RunMade & { readonly clock: Clock },
  request: Request,
): Promise<Run> {
  const { clock, id = newId(clock.now()), source = "dashboard" } = made;
  await store.runs.create(
    {
      id,
      workflowId: request.workflowId,
      versionHash: request.versionHash,
      workflowName: request.workflow.name,
      nodeIds: request.workflow.nodes.map((node) => node.id),
      inputs: request.inputs,
      overrides: request.overrides,
      source,
    },
    request.values,
  );
  const run = await store.runs.get(id);
  if (run === undefined) throw new Error("the run that was just written is not there");
  return run;
}

function cheapHash(password: string): Promise<string> {
  return Bun.password.hash(password, { algorithm: "argon2id", memoryCost: 8, timeCost: 1 });
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** A browser without script: keeps cookies, follows nothing, sends forms with the page's token. */
export class Browser {
  readonly cookies = new Map<string, string>();
  readonly #world: { readonly url: string };
  token = "";

  constructor(world: { readonly url: string }) {
    this.#world = world;
  }

  async get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
    return this.#send(path, { headers });
  }

  /** Sends a form; the page with the token is fetched first when there was none. */
  async post(
    path: string,
    fields: Record<string, string | Blob | readonly Blob[]> = {},
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    if (this.token === "") await this.get("/login");
    if (this.token === "") await this.get("/settings");
    const entries = Object.entries({ _csrf: this.token, ...fields }).flatMap(([name, value]) =>
      (Array.isArray(value) ? value : [value]).map((one: string | Blob) => [name, one] as const),
    );
    const body = entries.some(([, value]) => value instanceof Blob)
      ? new FormData()
      : new URLSearchParams();
    for (const [name, value] of entries) {
      if (body instanceof FormData) body.append(name, value);
      else if (typeof value === "string") body.append(name, value);
    }
    return this.#send(path, {
      method: "POST",
      body,
      headers: { Origin: this.#world.url, ...headers },
    });
  }

  cookieHeader(): string {
    return [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  }

  async #send(path: string, init: RequestInit): Promise<Answer> {
    const headers = new Headers(init.headers);
    if (this.cookies.size > 0) headers.set("Cookie", this.cookieHeader());
    const response = await fetch(`${this.#world.url}${path}`, {
      ...init,
      headers,
      redirect: "manual",
    });
    for (const line of response.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === "") this.cookies.delete(name);
      else this.cookies.set(name, decodeURIComponent(value));
    }
    const text = await response.text();
    this.token = /name="_csrf" value="([^"]+)"/.exec(text)?.[1] ?? this.token;
    return { status: response.status, headers: response.headers, text };
  }
}
