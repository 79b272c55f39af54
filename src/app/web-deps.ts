/** What the web app is given: the store, and the settings as pages show them. */
import { statSync } from "node:fs";
import type { Config } from "../config/config.ts";
import { describePlace, type Settings } from "../config/load.ts";
import { saveEnvFile } from "../config/save.ts";
import { isVariableName, VARIABLES } from "../config/schema.ts";
import { AppError } from "../domain/error.ts";
import type { ServiceStatus } from "../domain/service.ts";
import { PROVIDERS } from "../domain/workflow.ts";
import { TOOL_NAMES } from "../domain/tool.ts";
import { systemClock } from "../lib/clock.ts";
import { createTurns } from "../lib/in-turn.ts";
import { withoutCredentials } from "../lib/without-credentials.ts";
import type { Store } from "../store/store.ts";
import type { WebDeps } from "../web/deps.ts";
import { EXAMPLES } from "../../examples/index.ts";
import { createAgentCheck } from "./agent-check.ts";
import type { LiveSettings } from "./live-settings.ts";
import { hasRealProvider, providerStatuses } from "./provider-status.ts";
import { createRunActions } from "./run-actions.ts";
import { createTreeMemory } from "./tree-memory.ts";
import { createRun } from "./workflow-runs.ts";

export interface WebParts {
  readonly store: Store;
  readonly settings: LiveSettings<Settings>;
  readonly interrupted: readonly string[];
  readonly version: string;
  readonly services: () => readonly ServiceStatus[];
  readonly port: () => number;
  readonly reportError: (error: unknown) => void;
}

export function createWebDeps(config: Config, parts: WebParts): WebDeps {
  const { store, settings } = parts;
  const clock = systemClock;
  /** A `.env` that was changed by hand shows from the next request on. */
  const current = () => {
    void settings.refresh();
    return settings.current();
  };
  /** The file is read, changed and written: two at the same time would lose what one has changed. */
  const inTurn = createTurns();
  const save = (changes: Parameters<typeof saveEnvFile>[1]) =>
    inTurn(async () => {
      await saveEnvFile(config.dataDir, changes);
      await settings.refresh();
    });
  return {
    ...store,
    health: () => store.health(),
    services: parts.services,
    interrupted: parts.interrupted,
    clock,
    version: parts.version,
    secretKey: config.secretKey,
    host: config.host,
    port: parts.port,
    adminPasswordHash: () => current().adminPasswordHash,
    demo: () => !hasRealProvider(current().llm),
    providers: () => providerStatuses(current()),
    async checkProvider(name) {
      const provider = PROVIDERS.find((one) => one === name);
      if (provider === undefined) throw new AppError("not_found", `There is no provider ${name}.`);
      const { checkProvider } = await import("../llm/check.ts");
      const result = await checkProvider((await settings.refresh()).llm, provider);
      if (result.ok) return { ok: true, message: answered(result.models.length) };
      return { ok: false, message: [result.error.message, result.error.fix].join(" ").trim() };
    },
    checkAgent: createAgentCheck(config, clock),
    async saveKey(variable, value) {
      if (!isVariableName(variable))
        throw new AppError("invalid", `There is no setting ${variable}.`);
      refuseShadowed(settings.current(), variable);
      await save({ [variable]: value });
    },
    async setPassword(hash) {
      refuseShadowed(settings.current(), "AGENTS_ADMIN_PASSWORD_HASH");
      await save({ AGENTS_ADMIN_PASSWORD_HASH: hash });
    },
    values: () => shownValues(current()),
    memoryBytes: createTreeMemory(clock),
    databaseBytes: () => statSync(config.databasePath, { throwIfNoEntry: false })?.size ?? null,
    dataDir: config.dataDir,
    knownTools: TOOL_NAMES,
    examples: EXAMPLES,
    createRun: (request) => createRun(store, request, { clock, source: "dashboard" }),
    actions: createRunActions({ ...store, toolNames: TOOL_NAMES, clock }),
    reportError: parts.reportError,
  };
}

function answered(modelCount: number): string {
  return modelCount === 0 ? "It answers." : `It answers and offers ${modelCount} models.`;
}

/** A value that the environment sets wins over the file, so saving it there would change nothing. */
function refuseShadowed(settings: Settings, variable: string): void {
  const origin = settings.origins[variable];
  if (origin === undefined || origin.kind === "default" || origin.kind === "data_env_file") return;
  throw new AppError(
    "conflict",
    `${variable} is set by ${describePlace(origin)}, which wins over what is saved here.`,
    { fix: `Change it there, or remove it and restart agents.` },
  );
}

/** The settings as they are in force, without secrets. */
function shownValues(settings: Settings): ReturnType<WebDeps["values"]> {
  return VARIABLES.map(({ name, info }) => {
    const origin = settings.origins[name] ?? { kind: "default", place: "" };
    const isSet = origin.kind !== "default";
    return {
      name,
      value: info.secret
        ? isSet
          ? "set"
          : ""
        : withoutCredentials(settings.texts[name] ?? info.default ?? ""),
      origin: describePlace(origin),
      description: info.description,
      secret: info.secret === true,
    };
  });
}
