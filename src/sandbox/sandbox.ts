/**
 * Programs that cannot see or change anything but the workspace. Never runs anything bare: where there
 * is no sandbox, the reason is an error.
 */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "../domain/error.ts";
import type { CommandRequest, CommandResult, SandboxPort } from "../domain/sandbox.ts";
import type { SandboxLimits, SandboxSpec } from "../domain/workflow.ts";
import { keepFor } from "../lib/keep-for.ts";
import { startTimer } from "../lib/timer.ts";
import { createBubblewrap } from "./bubblewrap.ts";
import { PROCESS_COUNT_MAX, SANDBOX_PATH } from "./confinement.ts";
import type { ConfinedExit, ConfinedJob, ConfinedProgram, Confinement } from "./confinement.ts";
import { createDocker } from "./docker.ts";
import type { OutputStream } from "../domain/program.ts";
import type { Machine } from "./program.ts";
import { folderInside, openWorkspace } from "./workspace.ts";

/** How long the answer of `check` is used again. */
const CHECK_KEPT_MS = 60_000;
/** Between looks at the memory and the number of processes. */
const WATCH_MS = 50;
const PROBE_LIMITS: SandboxLimits = { timeMs: 10_000, memoryBytes: 256 * 1024 * 1024, cpuCount: 1 };
const MIBIBYTE = 1024 * 1024;
const MS_PER_SECOND = 1_000;

export interface SandboxOptions {
  readonly machine: Machine;
  /** Absolute; made when it is not there. */
  readonly workspace: string;
  /** Absolute; files and folders that stay hidden also where they lie inside of the workspace. The data folder. */
  readonly hidden: readonly string[];
}

/** What `code` nodes need beyond a command. */
export interface ConfinedRequest extends Omit<CommandRequest, "command"> {
  readonly command: ConfinedJob["command"];
  readonly readable: ConfinedJob["readable"];
  readonly dataBytesMax: number;
}

export interface Sandbox extends SandboxPort {
  /** As `run`, for a program that also hands over a result. @throws as `run`. */
  runConfined(request: ConfinedRequest, spec: SandboxSpec): Promise<ConfinedExit>;
}

export function createSandbox({ machine, workspace, hidden }: SandboxOptions): Sandbox {
  const openIt = () => openWorkspace(workspace, hidden);
  const confinements: Record<SandboxSpec["mode"], Confinement> = {
    auto: machine.platform === "linux" ? createBubblewrap(machine, probe) : NONE,
    docker: createDocker(machine),
  };
  async function probe(): Promise<ConfinedJob> {
    const place = await openIt();
    return {
      command: () => ["true"],
      env: {},
      workspace: place,
      folder: place.path,
      readable: [],
      network: false,
      limits: PROBE_LIMITS,
      dataBytesMax: PROBE_LIMITS.memoryBytes,
      onOutput: () => {},
    };
  }
  const checks = {
    auto: keepFor(machine.clock, CHECK_KEPT_MS, () => confinements.auto.check()),
    docker: keepFor(machine.clock, CHECK_KEPT_MS, () => confinements.docker.check()),
  };

  const runConfined = async (request: ConfinedRequest, spec: SandboxSpec) => {
    request.signal.throwIfAborted();
    await checks[spec.mode]();
    const place = await openIt();
    const folder = await folderInside(place, request.folder);
    request.signal.throwIfAborted();
    const program = await confinements[spec.mode].start({
      ...request,
      workspace: place,
      folder,
      network: spec.network,
      limits: spec.limits,
    });
    const exit = await watch(program, { ...request, machine, limits: spec.limits });
    noticeCut(exit.cut, request.onOutput);
    return exit;
  };
  return {
    check: (spec) => checks[spec.mode](),
    runConfined,
    async run(request, spec) {
      request.signal.throwIfAborted();
      await checks[spec.mode]();
      // A container has programs of its own.
      if (spec.mode === "auto") await findProgram(request, machine);
      const exit = await runConfined(
        {
          ...request,
          command: () => request.command,
          readable: [],
          dataBytesMax: spec.limits.memoryBytes,
        },
        spec,
      );
      return resultOf(exit);
    },
  };
}

export function resultOf(exit: Omit<ConfinedExit, "result">): CommandResult {
  return {
    exitCode: exit.code,
    stdout: exit.stdout,
    stderr: exit.stderr,
    cut: exit.cut.length > 0,
  };
}

/** Tells the log that not all is there. */
export function noticeCut(
  cut: readonly OutputStream[],
  onOutput: (stream: OutputStream, text: string) => void,
): void {
  for (const stream of cut) onOutput(stream, "\n[The rest of the output was dropped.]\n");
}

async function watch(
  program: ConfinedProgram,
  watched: {
    readonly machine: Machine;
    readonly limits: SandboxLimits;
    readonly signal: AbortSignal;
  },
): Promise<ConfinedExit> {
  const { machine, limits, signal } = watched;
  const over = new AbortController();
  let reason: { readonly error: unknown } | undefined;
  const stop = (error: unknown) => {
    reason ??= { error };
    program.kill();
  };
  const onAbort = () => stop(signal.reason);
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  const stopTimer = startTimer(machine.clock, limits.timeMs, () => stop(tooSlow(limits.timeMs)));
  const look = async () => {
    while (!over.signal.aborted) {
      const usage = program.usage(limits.memoryBytes);
      if (usage !== undefined && usage.memoryBytes > limits.memoryBytes)
        stop(outOfMemory(limits.memoryBytes));
      if (usage !== undefined && usage.processCount > PROCESS_COUNT_MAX) stop(tooManyProcesses());
      // One look after the other is the point of this loop.
      // oxlint-disable-next-line no-await-in-loop
      await machine.clock.sleep(WATCH_MS, over.signal);
    }
  };
  const looking = look();
  try {
    const exit = await program.exited;
    if (reason !== undefined) throw reason.error;
    return exit;
  } finally {
    over.abort();
    stopTimer();
    signal.removeEventListener("abort", onAbort);
    await looking;
  }
}

export function tooSlow(timeMs: number): AppError {
  return new AppError("timeout", `It did not end within ${timeMs / MS_PER_SECOND} s.`, {
    fix: "Give it more time, or less to do.",
  });
}

export function outOfMemory(memoryBytes: number): AppError {
  const size = Math.round(memoryBytes / MIBIBYTE);
  return new AppError("command_failed", `It needed more than ${size} MiB of memory.`, {
    fix: "Give it more memory, or less to do.",
  });
}

function tooManyProcesses(): AppError {
  return new AppError("command_failed", `It started more than ${PROCESS_COUNT_MAX} processes.`, {
    fix: "Start fewer processes at the same time.",
  });
}

/** A program that is named by a path is looked for by the sandbox itself. */
async function findProgram(
  { command: [name = ""], env }: Pick<CommandRequest, "command" | "env">,
  machine: Machine,
): Promise<void> {
  if (name.includes("/")) return;
  const folders = (env["PATH"] ?? SANDBOX_PATH).split(":").filter((one) => one.startsWith("/"));
  const found = await Promise.all(folders.map((one) => isThere(join(one, name))));
  if (!found.includes(true)) throw notInside(name, machine.which(name));
}

function notInside(name: string, elsewhere: string | undefined): AppError {
  return elsewhere === undefined
    ? new AppError("not_found", `The program ${name} is not installed.`, {
        fix: `Install ${name} on this machine.`,
      })
    : new AppError("not_found", `The program ${name} cannot be seen from inside of the sandbox.`, {
        fix: `Install ${name} below /usr, or allow it outside of the sandbox with ALLOWED_COMMANDS.`,
      });
}

async function isThere(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

/** Systems without a sandbox of their own in this version. */
const NONE: Confinement = { check: refuse, start: refuse };

function refuse(): Promise<never> {
  return Promise.reject(
    new AppError(
      "sandbox_unavailable",
      "There is no sandbox on this machine: it is made by bubblewrap, which is for Linux.",
      { fix: "Install Docker and write `sandbox: {mode: docker}`, or run agents on Linux." },
    ),
  );
}
