/** What steps use of the world outside, put together from the settings of one worker. */
import { mkdtemp, rm } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { createAgentPort } from "../agent/port.ts";
import { inheritedEnvironment } from "../config/environment.ts";
import type { ModelPort } from "../domain/model.ts";
import type { SandboxSpec } from "../domain/workflow.ts";
import type { StepPorts } from "../engine/node/executor.ts";
import { systemClock } from "../lib/clock.ts";
import { createModelFiles } from "../llm/file.ts";
import { createCodePort } from "../sandbox/code.ts";
import { createCommandPort } from "../sandbox/command.ts";
import { createSandbox } from "../sandbox/sandbox.ts";
import type { Store } from "../store/store.ts";
import { createToolPort } from "../tool/registry.ts";
import { startChild } from "./child-run.ts";
import {
  createMachine,
  createToolDeps,
  type ToolConfig,
  type ToolDepsOptions,
} from "./tool-deps.ts";

interface StepPortDeps extends ToolDepsOptions {
  readonly store: Store;
  readonly models: ModelPort;
}

/** @throws AppError `config_invalid` for addresses that cannot be read. */
export function createStepPorts(config: ToolConfig, deps: StepPortDeps): StepPorts {
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
    registeredAgent: async (idOrName) =>
      (await store.agents.get(idOrName)) ?? (await store.agents.findByName(idOrName)),
    startChild: (child) => startChild(store, child, { clock, toolNames: tools.names }),
    variable: (name) => (Object.hasOwn(variables, name) ? variables[name] : undefined),
  };
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
