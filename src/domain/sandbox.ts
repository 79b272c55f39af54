/**
 * Running programs for a step: confined (code, shell, commands nobody has allowed) or, for programs that the
 * owner of the machine has allowed by name, bare in a process group of their own. Every way ends the
 * whole process group on abort and at the time limit.
 */
import type { Json, JsonObject } from "../lib/json.ts";
import type { CodeNode, SandboxSpec } from "./workflow.ts";

/** Bytes of standard output, and of standard error, that are kept; the rest is dropped with a notice. */
export const COMMAND_OUTPUT_BYTES_MAX = 1024 * 1024;

export interface CommandRequest {
  /** Program and arguments; never goes through a shell. */
  readonly command: readonly string[];
  readonly stdin?: string;
  /** Added to a bare minimum (PATH, HOME, LANG, TMPDIR); the product's own keys are never passed on. */
  readonly env: Readonly<Record<string, string>>;
  /** Folder inside the workspace; the workspace itself when left out. */
  readonly folder?: string;
  readonly signal: AbortSignal;
  readonly onOutput: (stream: "stdout" | "stderr", text: string) => void;
}

export interface CommandResult {
  /** null when a signal ended it. */
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Output was dropped. */
  readonly cut: boolean;
}

/** What a command or code may do: everything outside of the workspace is hidden or read-only system files. */
export interface SandboxPort {
  /** @throws AppError `sandbox_unavailable` that says what to install. */
  check(spec: SandboxSpec): Promise<void>;
  /**
   * Runs a command with the workspace as the only place it can write to.
   * @throws AppError `sandbox_unavailable`, `forbidden` (folder outside of the workspace), `timeout` (its
   * own limit), `not_found` when the program is not to be seen inside, `command_failed` when it cannot be started or
   * runs out of memory; the signal's reason when aborted.
   */
  run(request: CommandRequest, spec: SandboxSpec): Promise<CommandResult>;
}

/** `cli` nodes: programs of this machine. */
export interface CommandPort {
  /**
   * Runs the command bare when its program is allowed (`ALLOWED_COMMANDS`), else in the sandbox by `spec`.
   * @throws AppError as `SandboxPort.run`; `not_found` when the program is not installed.
   */
  run(request: CommandRequest, spec: SandboxSpec): Promise<CommandResult>;
}

/** `code` nodes. */
export interface CodePort {
  /**
   * Runs code in the sandbox. `inputs` is the dict (object) of that name; each input is also a variable. The value left in
   * `result` is returned; what it prints goes to `onOutput`.
   * @throws AppError as `SandboxPort.run`; `code_failed` with the place in the code (line of the node's text)
   * and the message when it raises, leaves no `result`, or leaves one that JSON cannot hold.
   */
  run(
    code: Pick<CodeNode, "language" | "code" | "sandbox">,
    call: Pick<CommandRequest, "signal" | "onOutput"> & {
      readonly inputs: JsonObject;
      readonly idempotencyKey: string;
    },
  ): Promise<Json>;
}
