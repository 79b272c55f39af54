/** What steps use of the world outside, put together from the settings of one worker. */
import { mkdirSync, realpathSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { createAgentPort } from "../agent/port.ts";
import type { Config } from "../config/config.ts";
import { inheritedEnvironment } from "../config/environment.ts";
import { ENV_FILE } from "../config/source.ts";
import { BUILD } from "../domain/build.ts";
import type { ModelPort, ToolSpec } from "../domain/model.ts";
import type { SandboxSpec } from "../domain/workflow.ts";
import { createFetchFunction } from "../http/guarded-fetch.ts";
import { createHttpPort } from "../http/port.ts";
import type { StepPorts } from "../engine/node/executor.ts";
import { type Clock, systemClock } from "../lib/clock.ts";
import { createModelFiles } from "../llm/file.ts";
import { createMcpPort } from "../mcp/port.ts";
import { startPipedProgram } from "../process/piped-program.ts";
import { startProgram } from "../process/program.ts";
import { which } from "../process/run-command.ts";
import { createCodePort } from "../sandbox/code.ts";
import { createCommandPort } from "../sandbox/command.ts";
import type { Machine } from "../sandbox/program.ts";
import { createSandbox } from "../sandbox/sandbox.ts";
import type { Store } from "../store/store.ts";
import { createToolPort, toolSpecs } from "../tool/registry.ts";
import { startChild } from "./child-run.ts";

/** Where MCP servers start; nothing is ever put there. */
const SERVER_FOLDER = "mcp";

interface StepPortDeps {
  readonly store: Store;
  readonly models: ModelPort;
  readonly clock: Clock;
  readonly redact: (text: string) => string;
  /** Takes what programs write that is no result. */
  readonly onLog: (line: string) => void;
}

export type StepConfig = Pick<Config, "tools" | "dataDir" | "databasePath">;

/** @throws AppError `config_invalid` for addresses that cannot be read. */
export function createStepPorts(config: StepConfig, deps: StepPortDeps): StepPorts {
  const { store, clock } = deps;
  const { workspace, allowedPaths, allowedCommands, variables } = config.tools;
  const parts = createToolDeps(config, deps);
  const { http, sandbox, machine, hidden } = parts;
  const tools = createToolPort(parts);
  return {
    models: deps.models,
    tools,
    cache: store.cache,
    turns: store.turns,
    files: createModelFiles({ folders: { roots: [workspace, ...allowedPaths], hidden }, http }),
    memory: store.memory,
    code: createCodePort({
      machine,
      sandbox,
      bun: process.execPath,
      hidden: [...hidden, homedir()],
    }),
    commands: createCommandPort({ machine, sandbox, workspace, hidden, allowedCommands }),
    http,
    agents: createAgentPort({ http, clock }),
    startChild: (child) => startChild(store, child, { clock, toolNames: tools.names }),
    variable: (name) => (Object.hasOwn(variables, name) ? variables[name] : undefined),
  };
}

/** What tools are told to models with: names, descriptions, parameters. */
export function describeTools(config: StepConfig): readonly ToolSpec[] {
  const nothing = { redact: (text: string) => text, onLog: () => undefined };
  return toolSpecs(createToolDeps(config, { clock: systemClock, ...nothing }));
}

/**
 * Whether code can be confined on this machine. Tried in a folder of its own, so that the workspace need
 * not be there. @throws AppError `sandbox_unavailable`.
 */
export async function checkSandbox(): Promise<void> {
  const machine = createMachine(systemClock, inheritedEnvironment());
  const workspace = await mkdtemp(join(tmpdir(), "agents-sandbox-"));
  try {
    await createSandbox({ machine, workspace, hidden: [] }).check(SANDBOX_DEFAULT);
  } finally {
    await rm(workspace, { recursive: true, force: true });
  }
}

const SANDBOX_DEFAULT: SandboxSpec = {
  mode: "auto",
  network: false,
  limits: { timeMs: 10_000, memoryBytes: 256 * 1024 * 1024, cpuCount: 1 },
};

function createMachine(clock: Clock, environment: Machine["environment"]): Machine {
  return {
    clock,
    platform: process.platform,
    environment,
    startProgram: (request) => startProgram(request, clock),
    which,
  };
}

/** Files that SQLite keeps beside a database: what was written last is in them. */
const DATABASE_ENDS = ["", "-wal", "-shm", "-journal"];

/** What no step may see, also where it lies in a folder that steps work in. */
function hiddenPlaces({ dataDir, databasePath }: StepConfig): readonly string[] {
  const database = DATABASE_ENDS.map((end) => databasePath + end);
  // The keys may be in it, and people start the product in the folder that is its workspace.
  return [dataDir, ...database, join(process.cwd(), ENV_FILE)];
}

function createToolDeps(
  config: StepConfig,
  deps: Pick<StepPortDeps, "clock" | "redact" | "onLog">,
) {
  const { clock, redact } = deps;
  const { workspace, allowedAddresses, allowedCommands, variables } = config.tools;
  const environment = inheritedEnvironment();
  const machine = createMachine(clock, environment);
  const hidden = hiddenPlaces(config);
  const http = createHttpPort({ allowedAddresses });
  const sandbox = createSandbox({ machine, workspace, hidden });
  return {
    settings: config.tools,
    machine,
    hidden,
    http,
    sandbox,
    mcp: createMcpPort({
      allowedCommands,
      variables,
      environment,
      folder: makeFolder(join(config.dataDir, SERVER_FOLDER)),
      workspace: realpathSync(makeFolder(workspace)),
      startProgram: startPipedProgram,
      which,
      fetch: createFetchFunction({ allowedAddresses }),
      onLog: (server, line) => deps.onLog(redact(`${server}: ${line}`)),
      version: BUILD.version,
      clock,
    }),
    startProgram: machine.startProgram,
    environment,
    protectedPaths: hidden,
    redact,
  };
}

function makeFolder(path: string): string {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  return path;
}
