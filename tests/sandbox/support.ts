import { mkdir, mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CommandRequest } from "../../src/domain/sandbox.ts";
import type { SandboxLimits, SandboxSpec } from "../../src/domain/workflow.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { startProgram } from "../../src/process/program.ts";
import { which } from "../../src/process/run-command.ts";
import { createCodePort } from "../../src/sandbox/code.ts";
import { createCommandPort } from "../../src/sandbox/command.ts";
import type { Machine } from "../../src/sandbox/program.ts";
import { createSandbox } from "../../src/sandbox/sandbox.ts";

export const MIBIBYTE = 1024 * 1024;

/** What the product hands in, with the parts that a test changes. */
export function newMachine(changes: Partial<Machine> = {}): Machine {
  return {
    clock: systemClock,
    platform: process.platform,
    environment: process.env,
    startProgram: (asked) => startProgram(asked, systemClock),
    which,
    ...changes,
  };
}

export interface Place {
  readonly root: string;
  readonly dataDir: string;
  readonly workspace: string;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A data folder with a workspace inside, as by default, and a secret beside it. */
export async function makePlace(): Promise<Place> {
  const root = await realpath(await mkdtemp(join(tmpdir(), "agents-sandbox-")));
  const dataDir = join(root, "data");
  const workspace = join(dataDir, "workspace");
  await mkdir(workspace, { recursive: true });
  await Bun.write(join(dataDir, "agents.db"), "SECRET-DATA");
  return {
    root,
    dataDir,
    workspace,
    async [Symbol.asyncDispose]() {
      await rm(root, { recursive: true, force: true });
    },
  };
}

export function spec(
  limits: Partial<SandboxLimits> = {},
  more: Partial<Omit<SandboxSpec, "limits">> = {},
): SandboxSpec {
  return {
    mode: "auto",
    network: false,
    limits: { timeMs: 20_000, memoryBytes: 512 * MIBIBYTE, cpuCount: 2, ...limits },
    ...more,
  };
}

export function request(
  command: readonly string[],
  more: Partial<CommandRequest> = {},
): CommandRequest {
  return { command, env: {}, signal: new AbortController().signal, onOutput: () => {}, ...more };
}

export const shell = (script: string, more: Partial<CommandRequest> = {}) =>
  request(["/bin/sh", "-c", script], more);

/** All ports on one place. */
export function openPorts(
  place: Pick<Place, "dataDir" | "workspace">,
  options: {
    readonly machine?: Partial<Machine>;
    readonly allowedCommands?: readonly string[];
    readonly hidden?: readonly string[];
  } = {},
) {
  const machine = newMachine(options.machine);
  const { workspace } = place;
  const hidden = [place.dataDir, ...(options.hidden ?? [])];
  const sandbox = createSandbox({ machine, workspace, hidden });
  const { allowedCommands = [] } = options;
  return {
    sandbox,
    code: createCodePort({ machine, sandbox, bun: process.execPath, hidden }),
    commands: createCommandPort({ machine, sandbox, workspace, hidden, allowedCommands }),
  };
}

/** Why there is no real sandbox here; undefined where there is one. */
async function whyNone(): Promise<string | undefined> {
  await using place = await makePlace();
  try {
    await openPorts(place).sandbox.check(spec());
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Said once a file; the tests of it are then skipped and counted. */
export const SANDBOX_MISSING = await whyNone();
if (SANDBOX_MISSING !== undefined)
  console.warn(`SKIPPED: what happens in a sandbox is not tried. ${SANDBOX_MISSING}`);

export const failureOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    (value) => {
      throw new Error(`It did not fail: ${JSON.stringify(value)}`);
    },
    (error: unknown) => error,
  );
