/** `cli` nodes: bare for the programs that the owner of the machine has allowed, else confined. */
import { realpath } from "node:fs/promises";
import { isAbsolute } from "node:path";
import { AppError } from "../domain/error.ts";
import type { CommandPort, CommandRequest, CommandResult } from "../domain/sandbox.ts";
import { COMMAND_OUTPUT_BYTES_MAX } from "../domain/sandbox.ts";
import type { SandboxSpec } from "../domain/workflow.ts";
import { isLoaderVariable } from "../lib/loader-variable.ts";
import { startTimer } from "../lib/timer.ts";
import { bareEnvironment } from "./program.ts";
import type { Program } from "../domain/program.ts";
import type { Machine } from "./program.ts";
import { noticeCut, resultOf, tooSlow } from "./sandbox.ts";
import type { Sandbox } from "./sandbox.ts";
import { folderInside, isInside, openWorkspace } from "./workspace.ts";
import type { Workspace } from "./workspace.ts";

/** Between asking a program to end and killing it. */
const STOP_GRACE_MS = 2_000;

export interface CommandOptions {
  readonly machine: Machine;
  readonly sandbox: Sandbox;
  readonly workspace: string;
  readonly hidden: readonly string[];
  /** Names of programs on the PATH, or full paths. */
  readonly allowedCommands: readonly string[];
}

export function createCommandPort(options: CommandOptions): CommandPort {
  const { machine, sandbox } = options;
  return {
    async run(request, spec) {
      request.signal.throwIfAborted();
      const [name = ""] = request.command;
      const workspace = await openWorkspace(options.workspace, options.hidden);
      const program = await findAllowed(name, options, workspace);
      if (program !== undefined) {
        const command = [program, ...request.command.slice(1)];
        return runBare(machine, { ...request, command, workspace }, spec);
      }
      if (options.allowedCommands.includes(name) && machine.which(name) === undefined)
        throw notInstalled(name);
      try {
        await sandbox.check(spec);
      } catch (error) {
        throw withOtherWay(error, name);
      }
      return sandbox.run(request, spec);
    },
  };
}

/**
 * The full path of a program that may run bare. A program in the workspace is never meant, whatever its
 * name and the PATH: code in the sandbox may have put it there.
 */
async function findAllowed(
  name: string,
  { machine, allowedCommands }: CommandOptions,
  workspace: Workspace,
): Promise<string | undefined> {
  if (!allowedCommands.includes(name)) return undefined;
  // It would be looked for in whatever folder this process was started in.
  if (name.includes("/") && !isAbsolute(name)) return undefined;
  const path = machine.which(name);
  if (path === undefined) return undefined;
  const real = await realpath(path);
  const planted = isInside(path, workspace.path) || isInside(real, workspace.path);
  return planted ? undefined : path;
}

async function runBare(
  machine: Machine,
  request: CommandRequest & { readonly workspace: Workspace },
  { limits }: SandboxSpec,
): Promise<CommandResult> {
  const { signal, onOutput } = request;
  const cwd = await folderInside(request.workspace, request.folder);
  signal.throwIfAborted();
  const program = startBare(machine, { ...request, cwd });
  let reason: { readonly error: unknown } | undefined;
  const over = new AbortController();
  const stop = async (error: unknown) => {
    if (reason !== undefined) return;
    reason = { error };
    if (program.ask()) await machine.clock.sleep(STOP_GRACE_MS, over.signal);
    program.kill();
  };
  const onAbort = () => void stop(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  const stopTimer = startTimer(
    machine.clock,
    limits.timeMs,
    () => void stop(tooSlow(limits.timeMs)),
  );
  try {
    const exit = await program.exited;
    if (reason !== undefined) throw reason.error;
    noticeCut(exit.cut, onOutput);
    return resultOf(exit);
  } finally {
    over.abort();
    stopTimer();
    signal.removeEventListener("abort", onAbort);
  }
}

function startBare(machine: Machine, request: CommandRequest & { readonly cwd: string }): Program {
  const { command, env, cwd, stdin, onOutput } = request;
  const loader = Object.keys(env).find(isLoaderVariable);
  if (loader !== undefined) {
    throw new AppError(
      "forbidden",
      `A command may not set ${loader}: it makes programs run other code.`,
      {
        fix: "Remove it from the node's `env`; set it where agents is started if it is needed.",
      },
    );
  }
  try {
    return machine.startProgram({
      command,
      env: { ...bareEnvironment(machine), ...env },
      cwd,
      ...(stdin === undefined ? {} : { stdin }),
      lifeline: true,
      outputBytesMax: COMMAND_OUTPUT_BYTES_MAX,
      onOutput,
    });
  } catch (cause) {
    throw new AppError("command_failed", `The program ${command[0]} cannot be started.`, {
      fix: "Check that the file exists and may be executed.",
      cause,
    });
  }
}

function notInstalled(name: string): AppError {
  return new AppError("not_found", `The program ${name} is not installed.`, {
    fix: `Install ${name} on this machine and put it on the PATH.`,
  });
}

/** A program that is not allowed has another way than a sandbox: to be allowed. */
function withOtherWay(error: unknown, name: string): unknown {
  if (!(error instanceof AppError) || error.code !== "sandbox_unavailable") return error;
  return new AppError(error.code, error.message, {
    fix: `${error.fix ?? "Set up a sandbox."} Or allow ${name} outside of it with ALLOWED_COMMANDS.`,
    cause: error,
  });
}
