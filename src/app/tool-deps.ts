/** What tools use of the world outside, and what they are. Nothing here can execute a step. */
import { mkdirSync, realpathSync } from "node:fs";
import { join } from "node:path";
import type { Config } from "../config/config.ts";
import { inheritedEnvironment } from "../config/environment.ts";
import { ENV_FILE } from "../config/source.ts";
import { BUILD } from "../domain/build.ts";
import type { ToolSpec } from "../domain/model.ts";
import { createFetchFunction } from "../http/guarded-fetch.ts";
import { createHttpPort } from "../http/port.ts";
import { type Clock, systemClock } from "../lib/clock.ts";
import { createMcpPort } from "../mcp/port.ts";
import { startPipedProgram } from "../process/piped-program.ts";
import { startProgram } from "../process/program.ts";
import { which } from "../process/run-command.ts";
import type { Machine } from "../sandbox/program.ts";
import { createSandbox } from "../sandbox/sandbox.ts";
import { toolSpecs } from "../tool/registry.ts";

/** Where MCP servers start; nothing is ever put there. */
const SERVER_FOLDER = "mcp";

export interface ToolDepsOptions {
  readonly clock: Clock;
  readonly redact: (text: string) => string;
  /** Takes what programs write that is no result. */
  readonly onLog: (line: string) => void;
}

export type ToolConfig = Pick<Config, "tools" | "dataDir" | "databasePath">;

/** What tools are told to models with: names, descriptions, parameters. */
export function describeTools(config: ToolConfig): readonly ToolSpec[] {
  const nothing = { redact: (text: string) => text, onLog: () => undefined };
  return toolSpecs(createToolDeps(config, { clock: systemClock, ...nothing }));
}

export function createMachine(clock: Clock, environment: Machine["environment"]): Machine {
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
function hiddenPlaces({ dataDir, databasePath }: ToolConfig): readonly string[] {
  const database = DATABASE_ENDS.map((end) => databasePath + end);
  // The keys may be in it, and people start the product in the folder that is its workspace.
  return [dataDir, ...database, join(process.cwd(), ENV_FILE)];
}

export function createToolDeps(config: ToolConfig, deps: ToolDepsOptions) {
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
