/**
 * `agents start`: the parent process. It serves the dashboard and supervises the workers and MLflow; it
 * never executes a step. The order of a start: the data folder is taken, the database opened, the port
 * bound, and only then is anything spawned, so that a start that cannot succeed leaves nothing behind.
 */
import type { Config } from "../config/config.ts";
import type { Settings } from "../config/load.ts";
import { AppError } from "../domain/error.ts";
import type { ServiceStatus } from "../domain/service.ts";
import { TOOL_NAMES } from "../domain/tool.ts";
import { type Clock, systemClock } from "../lib/clock.ts";
import { acquireInstance, type InstanceLock, watchStopFile } from "../process/instance-lock.ts";
import { createLogFile } from "../process/log-file.ts";
import type { ServiceLine } from "../process/service.ts";
import { createSupervisor } from "../process/supervisor.ts";
import { applyStaged } from "../store/restore.ts";
import { openStoreDegradable, type Store } from "../store/store.ts";
import { createWebApp } from "../web/app.ts";
import { startHousekeeping } from "./housekeeping.ts";
import { listen } from "./listen.ts";
import { followSettings } from "./live-settings.ts";
import { redactorFor } from "./ports.ts";
import { addServices } from "./services.ts";
import { followSchedules } from "./scheduler.ts";
import { recoverSession } from "./session.ts";
import { createWebDeps, readSessionsSince } from "./web-deps.ts";
import { followFolder } from "./workflow-folder.ts";
import { workerId } from "./worker-id.ts";

export interface DashboardHooks {
  readonly version: string;
  /** Reads the settings anew, for keys and passwords that were saved on a page. */
  readonly reload: () => Promise<Settings>;
  readonly onStatus: (status: ServiceStatus) => void;
  readonly onLine: (line: ServiceLine) => void;
  readonly onNotice: (text: string) => void;
  /** `agents stop` asked through its file, where there are no signals. */
  readonly onStopAsked: () => void;
  /** A page asked for a new start, with the settings as they are then. */
  readonly onRestartAsked: () => void;
}

export async function startDashboard(config: Config, hooks: DashboardHooks) {
  const clock = systemClock;
  const startedAt = clock.now();
  const { version } = hooks;
  const lock = acquireInstance(config.dataDir, { pid: process.pid, url: null, startedAt, version });
  const output = createOutput(config, hooks, clock);
  let store: Store | undefined;
  let web: ReturnType<typeof createWeb> | undefined;
  try {
    restoreStaged(config, hooks);
    store = await openStoreDegradable({ path: config.databasePath, clock });
    announceStore(store, hooks);
    const supervision = supervise(config, { store, hooks, output, clock });
    const sessionsSince = await readSessionsSince(store);
    const { statuses } = supervision;
    web = createWeb(config, { store, hooks, output, statuses, sessionsSince });
    const { host, port } = config;
    const { app } = web;
    const wish = { host, port, service: "dashboard", flag: "--port" };
    const server = await listen(wish, (request, on) => app.fetch(request, on));
    const url = addressOf(host, web.setPort(server.port));
    lock.update({ url });
    const session = { startedAt, pid: process.pid, url, version };
    const { reportError } = output;
    const { onNotice } = hooks;
    web.interrupted.push(...(await recoverSession(store, session, { reportError, onNotice })));
    supervision.announceSelf(url);
    await supervision.startAll(server.port ?? config.port);
    const { supervisor, settled } = supervision;
    const parts = { url, store, server, supervisor, lock, output, web };
    return running(parts, { settled, startedAt, config, hooks, clock });
  } catch (error) {
    web?.close();
    await store?.close();
    output.close();
    lock.release();
    throw error;
  }
}

/** A backup that a page or `agents restore --stage` has made ready. */
function restoreStaged({ databasePath }: Config, { onNotice }: DashboardHooks): void {
  const aside = applyStaged(databasePath);
  if (aside !== undefined) onNotice(`A backup was restored. The database before it is ${aside}`);
}

/** Lines of all services: to the terminal and to the log files, without secrets. */
function createOutput(config: Config, hooks: DashboardHooks, clock: Clock) {
  const redact = redactorFor(config);
  const write = (entry: ServiceLine) => {
    const line = redact(entry.line);
    logs.append({ ...entry, line });
    hooks.onLine({ ...entry, line });
  };
  const reportError = (error: unknown) => {
    const text = failureText(error, config.verbose);
    for (const line of text.split("\n")) write({ service: "dashboard", stream: "stderr", line });
  };
  // A log that cannot be written is said in the terminal only.
  const logs = createLogFile(config.dataDir, {
    clock,
    reportError(error) {
      const reason = error instanceof Error ? error.message : String(error);
      const line = `The log cannot be written: ${reason}`;
      hooks.onLine({ service: "dashboard", stream: "stderr", line });
    },
  });
  /** What became of a service: the terminal shows it in its own way, `agents logs` reads it from here. */
  const note = ({ name, state, message }: ServiceStatus) => {
    // The rest of the message quotes lines that are in the log already.
    const [reason = ""] = state === "starting" ? [] : (message ?? "").split("\n");
    logs.append({ service: name, stream: "stdout", line: redact(`[${state}] ${reason}`.trim()) });
  };
  return { write, note, reportError, logs, close: () => logs.close() };
}
type Output = ReturnType<typeof createOutput>;

/** An expected failure in its own words; anything else, and all with --verbose, with where it came from. */
function failureText(error: unknown, verbose: boolean): string {
  if (!(error instanceof AppError) || error.code === "internal" || verbose)
    return Bun.inspect(error, { colors: false });
  return error.fix === undefined ? error.message : `${error.message} Fix: ${error.fix}`;
}

function announceStore({ opened }: Store, hooks: DashboardHooks): void {
  const { migrated, created, backup } = opened;
  if (created || migrated.length === 0) return;
  const copy = backup === undefined ? "" : ` A copy of the old data is in ${backup}.`;
  hooks.onNotice(`The database was brought up to date (${migrated.join(", ")}).${copy}`);
}

function supervise(
  config: Config,
  deps: { store: Store; hooks: DashboardHooks; output: Output; clock: Clock },
) {
  const { store, hooks, output, clock } = deps;
  const settled = Promise.withResolvers<void>();
  let self: ServiceStatus | undefined;
  const statuses = () => [...(self === undefined ? [] : [self]), ...supervisor.statuses()];
  const onStatus = (status: ServiceStatus) => {
    hooks.onStatus(status);
    output.note(status);
    // Degraded or busy: the page shows the state from memory; only `agents status` misses this one.
    store.system.saveService(status).catch(() => undefined);
    checkSettled();
  };
  let started = false;
  /** MLflow takes seconds, and nothing waits for it. */
  const checkSettled = () => {
    const waits = statuses().some(({ name, state }) => name !== "mlflow" && state === "starting");
    if (started && !waits) settled.resolve();
  };
  const supervisor = createSupervisor({
    clock,
    onStatus,
    onLine: output.write,
    onExit({ service, pid }) {
      // Its runs go on at once on another worker, not when the lease has run out.
      if (!service.startsWith("worker-")) return;
      store.queue.releaseWorker(workerId(service, pid)).catch((error: unknown) => {
        // What is wrong with the database is shown everywhere already.
        if (store.health().state === "ok") output.reportError(error);
      });
    },
    reportError: output.reportError,
  });
  const announceSelf = (url: string) => {
    self = {
      name: "dashboard",
      state: "running",
      pid: process.pid,
      url,
      restartCount: 0,
      since: clock.now(),
      message: null,
      fix: null,
    };
    onStatus(self);
  };
  const startAll = async (port: number) => {
    addServices(supervisor, { ...config, port }, { clock, reportError: output.reportError });
    await supervisor.startAll();
    started = true;
    checkSettled();
  };
  return { supervisor, statuses, announceSelf, startAll, settled: settled.promise };
}

function createWeb(
  config: Config,
  deps: {
    store: Store;
    hooks: DashboardHooks;
    output: Output;
    statuses: () => readonly ServiceStatus[];
    sessionsSince: number;
  },
) {
  const { store, hooks, output, statuses, sessionsSince } = deps;
  const interrupted: string[] = [];
  let port = config.port;
  const settings = followSettings<Settings>(config, hooks.reload);
  const ended = new AbortController();
  const app = createWebApp(
    createWebDeps(config, {
      store,
      settings,
      restart: hooks.onRestartAsked,
      sessionsSince,
      interrupted,
      version: hooks.version,
      services: statuses,
      port: () => port,
      reportError: output.reportError,
      signal: ended.signal,
    }),
  );
  const setPort = (bound: number | undefined): number => (port = bound ?? port);
  const close = () => {
    ended.abort();
    app.close();
  };
  return { app, interrupted, setPort, settings, close };
}

const TIDY_INTERVAL_MS = 60 * 60 * 1000;

/** Removes the sums of old hours, at the start and every hour. */
async function tidyHourly(
  store: Store,
  deps: { clock: Clock; reportError: (error: unknown) => void; signal: AbortSignal },
): Promise<void> {
  while (!deps.signal.aborted) {
    // What a degraded database keeps from being done, the next hour does.
    // oxlint-disable-next-line no-await-in-loop -- Each round follows a wait.
    if (store.health().state === "ok") await store.metrics.removeOldHours().catch(deps.reportError);
    // oxlint-disable-next-line no-await-in-loop
    await deps.clock.sleep(TIDY_INTERVAL_MS, deps.signal);
  }
}

/** The address to open: a wildcard bind is reached by this machine's own name. */
function addressOf(host: string, port: number): string {
  if (host === "0.0.0.0" || host === "::") return `http://localhost:${port}/`;
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}/`;
}

interface Parts {
  readonly url: string;
  readonly store: Store;
  readonly server: Awaited<ReturnType<typeof listen>>;
  readonly supervisor: ReturnType<typeof createSupervisor>;
  readonly lock: InstanceLock;
  readonly output: Output;
  readonly web: ReturnType<typeof createWeb>;
}

function running(
  parts: Parts,
  context: {
    settled: Promise<void>;
    startedAt: number;
    config: Config;
    hooks: DashboardHooks;
    clock: Clock;
  },
) {
  const { store, server, supervisor, lock, output, web } = parts;
  const { config, hooks, clock, startedAt } = context;
  const stopping = new AbortController();
  const watch = async () => {
    if (process.platform !== "win32") return;
    await watchStopFile(config.dataDir, { clock, startedAt, signal: stopping.signal });
    if (!stopping.signal.aborted) hooks.onStopAsked();
  };
  void watch();
  void tidyHourly(store, { clock, reportError: output.reportError, signal: stopping.signal });
  const stopFollowing = followFolder(config.workflowsDir, {
    workflows: store.workflows,
    knownTools: TOOL_NAMES,
    clock,
    onFault: (line) => output.write({ service: "dashboard", stream: "stderr", line }),
  });
  const { reportError } = output;
  const stopSchedules = followSchedules({ ...store, toolNames: TOOL_NAMES, clock, reportError });
  const stopHousekeeping = startHousekeeping({
    runs: store.runs,
    agents: store.agents,
    logs: output.logs,
    keep: async () => (await web.settings.refresh()).keep,
    clock,
    reportError: output.reportError,
  });
  return {
    url: parts.url,
    services: () => supervisor.statuses(),
    interrupted: web.interrupted,
    settled: context.settled,
    /** Stop accepting, end the children, mark the session clean, give the folder back. */
    async stop(): Promise<void> {
      stopping.abort();
      stopFollowing();
      stopSchedules();
      stopHousekeeping();
      web.close();
      await Promise.all([server.stop(true), supervisor.shutdown()]);
      // A database that cannot be written now makes the next start say that this end was not clean.
      await store.system.endSession().catch(output.reportError);
      await store.close();
      output.close();
      lock.release();
    },
    /** Ends all children at once; what is left undone, the next start recovers. */
    kill(): void {
      stopping.abort();
      supervisor.kill();
    },
  };
}
