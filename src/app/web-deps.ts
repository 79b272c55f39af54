/** What the web app is given: the store, and the settings as pages show them. */
import { statSync } from "node:fs";
import type { Config } from "../config/config.ts";
import type { Settings } from "../config/load.ts";
import { BUILD } from "../domain/build.ts";
import { AppError } from "../domain/error.ts";
import type { ServiceStatus } from "../domain/service.ts";
import { PROVIDERS } from "../domain/workflow.ts";
import { TOOL_NAMES } from "../domain/tool.ts";
import { systemClock } from "../lib/clock.ts";
import { selfCommand } from "../process/self-command.ts";
import { createServiceLogs } from "../process/log-reader.ts";
import type { Store } from "../store/store.ts";
import type { WebDeps } from "../web/deps.ts";
import { EXAMPLES } from "../../examples/index.ts";
import { createAgentCheck } from "./agent-check.ts";
import { createBackups } from "./backups.ts";
import type { LiveSettings } from "./live-settings.ts";
import { createSettingsDeps } from "./settings-deps.ts";
import { toolFacts } from "./prompt-facts.ts";
import { createRunActions } from "./run-actions.ts";
import { followResources } from "./resources.ts";
import { runCreator } from "./workflow-runs.ts";

const RESTART_DELAY_MS = 300;
/** A key of the database's settings. */
const SESSIONS_SINCE = "sessions_since";

/** When all sessions were ended last; 0 when they never were, or nobody can tell. */
export async function readSessionsSince({ system }: Pick<Store, "system">): Promise<number> {
  const text = await system.setting(SESSIONS_SINCE).catch(() => undefined);
  return Number(text ?? 0);
}

export interface WebParts {
  readonly store: Store;
  readonly settings: LiveSettings<Settings>;
  readonly interrupted: readonly string[];
  readonly version: string;
  readonly services: () => readonly ServiceStatus[];
  readonly port: () => number;
  readonly restart: () => void;
  /** Sessions that were begun before this time have ended. */
  readonly sessionsSince: number;
  readonly reportError: (error: unknown) => void;
  /** Ends what goes on beside requests. */
  readonly signal: AbortSignal;
}

export function createWebDeps(config: Config, parts: WebParts): WebDeps {
  const { store, settings } = parts;
  const clock = systemClock;
  let { sessionsSince } = parts;
  const databaseBytes = () =>
    statSync(config.databasePath, { throwIfNoEntry: false })?.size ?? null;
  const resources = followResources({
    clock,
    intervalMs: config.refresh.systemMs,
    dataDir: config.dataDir,
    databaseBytes,
    queueDepth: async () => (await store.runs.counts()).queued,
    signal: parts.signal,
  });
  return {
    ...store,
    ...createSettingsDeps(config, settings),
    health: () => store.health(),
    services: parts.services,
    interrupted: parts.interrupted,
    clock,
    version: parts.version,
    secretKey: config.secretKey,
    host: config.host,
    port: parts.port,
    async checkProvider(name) {
      const provider = PROVIDERS.find((one) => one === name);
      if (provider === undefined) throw new AppError("not_found", `There is no provider ${name}.`);
      const { checkProvider } = await import("../llm/check.ts");
      const result = await checkProvider((await settings.refresh()).llm, provider);
      if (result.ok) return { ok: true, message: answered(result.models.length) };
      return { ok: false, message: [result.error.message, result.error.fix].join(" ").trim() };
    },
    checkAgent: createAgentCheck(config, clock),
    startedAt: clock.now(),
    restart: () => {
      // The answer goes out before.
      void clock.sleep(RESTART_DELAY_MS).then(parts.restart);
    },
    backups: createBackups(config, { clock, self: selfCommand() }),
    sessionsSince: () => sessionsSince,
    async endSessions() {
      // Also those of this very millisecond.
      sessionsSince = clock.now() + 1;
      await store.system.setSetting(SESSIONS_SINCE, String(sessionsSince));
    },
    commit: BUILD.commit,
    databasePath: config.databasePath,
    memoryBytes: () => resources().at(-1)?.memoryBytes ?? null,
    databaseBytes,
    resources,
    serviceLogs: createServiceLogs(config.dataDir),
    refresh: config.refresh,
    dataDir: config.dataDir,
    knownTools: TOOL_NAMES,
    examples: EXAMPLES,
    vocabulary: () => readVocabulary(config),
    createRun: runCreator(store, clock),
    actions: createRunActions({ ...store, toolNames: TOOL_NAMES, clock }),
    reportError: parts.reportError,
  };
}

async function readVocabulary(config: Config) {
  const { listKnownModels } = await import("../llm/known-models.ts");
  return { tools: await toolFacts(config), models: await listKnownModels() };
}

function answered(modelCount: number): string {
  return modelCount === 0 ? "It answers." : `It answers and offers ${modelCount} models.`;
}
