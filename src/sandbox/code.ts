/** `code` nodes: the author's Python or JavaScript, confined, with its inputs as variables. */
import { AppError } from "../domain/error.ts";
import type { CodePort } from "../domain/sandbox.ts";
import type { CodeNode, SandboxSpec } from "../domain/workflow.ts";
import { isJsonObject, type Json, type JsonObject, parseJson } from "../lib/json.ts";
import { keepFor } from "../lib/keep-for.ts";
import { BUN_INSIDE, javascriptCommand } from "./javascript.ts";
import type { ConfinedExit } from "./confinement.ts";
import { findPython, pythonCommand } from "./python.ts";
import type { Interpreter } from "./python.ts";
import type { Machine } from "./program.ts";
import { outOfMemory } from "./sandbox.ts";
import type { ConfinedRequest, Sandbox } from "./sandbox.ts";

const INTERPRETER_KEPT_MS = 60_000;
/** Bun reserves memory that it does not use; what it uses is watched. */
const BUN_RESERVE_BYTES = 1024 * 1024 * 1024;
/** Exit codes of a shell for a program that SIGABRT, SIGBUS, SIGKILL or SIGSEGV ended. */
const CRASHES: ReadonlySet<number | null> = new Set([134, 135, 137, 139]);

type Language = CodeNode["language"];
type Runtime = Pick<ConfinedRequest, "command" | "readable" | "dataBytesMax" | "env">;

export interface CodeOptions {
  readonly machine: Machine;
  readonly sandbox: Sandbox;
  /** The executable that is Bun when `BUN_BE_BUN` is set. */
  readonly bun: string;
  /** Absolute folders that an interpreter may not bring inside: the data folder, the home folder. */
  readonly hidden: readonly string[];
}

export function createCodePort({ machine, sandbox, bun, hidden }: CodeOptions): CodePort {
  const python = keepFor(machine.clock, INTERPRETER_KEPT_MS, () => findPython(machine, hidden));
  const runtimeOf = async (language: Language, spec: SandboxSpec): Promise<Runtime> => {
    if (language === "javascript") return javascriptRuntime(bun, spec);
    // The container has its own.
    const inContainer: Interpreter = { path: "python3", readable: [] };
    return pythonRuntime(spec.mode === "docker" ? inContainer : await python(), spec);
  };
  return {
    async run({ language, code, sandbox: spec }, call) {
      call.signal.throwIfAborted();
      await sandbox.check(spec);
      const runtime = await runtimeOf(language, spec);
      const exit = await sandbox.runConfined(
        {
          ...runtime,
          env: { ...runtime.env, AGENTS_IDEMPOTENCY_KEY: call.idempotencyKey },
          stdin: JSON.stringify({ code, inputs: call.inputs }),
          signal: call.signal,
          onOutput: call.onOutput,
        },
        spec,
      );
      return readAnswer(exit, { language, code, spec });
    },
  };
}

function pythonRuntime({ path, readable }: Interpreter, { limits }: SandboxSpec): Runtime {
  return {
    command: (place) => pythonCommand(path, place),
    readable,
    dataBytesMax: limits.memoryBytes,
    env: {},
  };
}

function javascriptRuntime(bun: string, { limits }: SandboxSpec): Runtime {
  return {
    command: (place) => javascriptCommand(BUN_INSIDE, place),
    readable: [{ source: bun, target: BUN_INSIDE }],
    dataBytesMax: limits.memoryBytes + BUN_RESERVE_BYTES,
    env: { BUN_BE_BUN: "1" },
  };
}

interface Ran {
  readonly language: Language;
  readonly code: string;
  readonly spec: SandboxSpec;
}

function readAnswer(exit: ConfinedExit, ran: Ran): Json {
  if (exit.result === undefined) {
    throw new AppError("code_failed", "The code left a `result` that is too large.", {
      fix: "Keep the `result` small and write large data to a file of the workspace.",
    });
  }
  const answer = parseAnswer(exit.result);
  if (answer === undefined) throw endedEarly(exit, ran);
  const { result, refused, error, memory } = answer;
  if (result !== undefined) return result;
  if (memory === true) throw outOfMemory(ran.spec.limits.memoryBytes);
  if (typeof refused === "string") {
    throw new AppError("code_failed", `The code's ${refused}.`, {
      fix: "Make it text, a number, true or false, a list, or a dictionary of them.",
    });
  }
  if (typeof error === "string") throw raised(error, answer["line"], ran);
  if (answer["left"] === true) throw endedEarly(exit, ran);
  throw new AppError("code_failed", "The code left no `result`.", {
    fix: "Give the variable `result` the value that the step is to have.",
  });
}

/** undefined where nothing was written, or not to its end. */
function parseAnswer(text: string): JsonObject | undefined {
  const answer = parseJson(text);
  return isJsonObject(answer) ? answer : undefined;
}

function raised(error: string, line: Json | undefined, { code }: Ran): AppError {
  if (typeof line !== "number") {
    return new AppError("code_failed", `The code failed: ${error}`, { fix: "Correct the code." });
  }
  const text = code.split("\n")[line - 1]?.trim() ?? "";
  return new AppError("code_failed", `The code failed in line ${line}: ${error}`, {
    fix: text === "" ? "Correct the code." : `Correct this line: ${text}`,
  });
}

function endedEarly({ code: exitCode, stderr }: ConfinedExit, { language, spec }: Ran): AppError {
  const cause = new Error(stderr);
  // Bun cannot go on without memory, and ends itself.
  if (language === "javascript" && CRASHES.has(exitCode)) {
    return new AppError("command_failed", outOfMemory(spec.limits.memoryBytes).message, {
      fix: "Give it more memory, or less to do.",
      cause,
    });
  }
  return new AppError(
    "code_failed",
    `The code ended itself (exit code ${exitCode ?? "none"}) and left no \`result\`.`,
    { fix: "Let the code run to its end and leave its answer in `result`.", cause },
  );
}
