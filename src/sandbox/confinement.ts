/** One way to confine programs: bubblewrap or Docker. `sandbox.ts` chooses one and watches over its programs. */
import { AppError } from "../domain/error.ts";
import type { SandboxLimits } from "../domain/workflow.ts";
import type { OutputStream, ProgramExit } from "../domain/program.ts";
import type { Workspace } from "./workspace.ts";

/** A program that has to be seen inside, though it lies outside of the workspace and of the system folders. */
export interface Readable {
  readonly source: string;
  readonly target: string;
}

export interface ConfinedJob {
  /** Gets the place to which the program writes its result: a file descriptor's number, or a path. */
  readonly command: (resultPlace: string) => readonly string[];
  readonly stdin?: string;
  readonly env: Readonly<Record<string, string>>;
  readonly workspace: Workspace;
  /** Real path inside of the workspace. */
  readonly folder: string;
  readonly readable: readonly Readable[];
  readonly network: boolean;
  readonly limits: SandboxLimits;
  /** Private memory that one process may ask for, in bytes; a runtime that reserves much needs more. */
  readonly dataBytesMax: number;
  readonly onOutput: (stream: OutputStream, text: string) => void;
}

/** What a confined program takes at this moment, all of its processes together. */
export interface Usage {
  readonly processCount: number;
  /** Memory, with the files in memory (/tmp, /dev/shm). */
  readonly memoryBytes: number;
}

export interface ConfinedExit extends ProgramExit {
  /** What was written to the result place; undefined when it is longer than RESULT_BYTES_MAX. */
  readonly result: string | undefined;
}

export interface ConfinedProgram {
  /**
   * Resolves when nothing is left of it.
   * @throws AppError `command_failed` when the sandbox could not be set up.
   */
  readonly exited: Promise<ConfinedExit>;
  /** Undefined when it cannot be told, as before it runs. */
  usage(memoryBytesMax: number): Usage | undefined;
  /** Ends all of it at once. */
  kill(): void;
}

export interface Confinement {
  /** @throws AppError `sandbox_unavailable`. */
  check(): Promise<void>;
  /** @throws AppError `sandbox_unavailable`, `command_failed`. */
  start(job: ConfinedJob): Promise<ConfinedProgram>;
}

/** Processes of one sandbox. */
export const PROCESS_COUNT_MAX = 256;
/** Of one file that a confined program writes. */
export const FILE_BYTES_MAX = 1024 * 1024 * 1024;
export const OPEN_FILE_COUNT_MAX = 1_024;
export const RESULT_BYTES_MAX = 16 * 1024 * 1024;

export const SANDBOX_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** The environment inside, which a request adds to. */
export const SANDBOX_ENVIRONMENT: Readonly<Record<string, string>> = {
  PATH: SANDBOX_PATH,
  HOME: "/tmp",
  TMPDIR: "/tmp",
  LANG: "C.UTF-8",
  TERM: "dumb",
  USER: "agents",
  LOGNAME: "agents",
};

/**
 * The limits that the kernel keeps for each process, then the program. `-f` counts in 512 bytes, `-d` in
 * KiB. The number of processes is `-u` in some shells and `-p` in others; 0 sets none.
 */
const LIMITS_SCRIPT = [
  "ulimit -c 0",
  'ulimit -f "$1" 2>/dev/null',
  'ulimit -n "$2" 2>/dev/null',
  'ulimit -d "$3" 2>/dev/null',
  '[ "$4" = 0 ] || ulimit -u "$4" 2>/dev/null || ulimit -p "$4" 2>/dev/null',
  "shift 4",
  'exec "$@"',
].join("\n");
const FILE_BLOCK_BYTES = 512;
const KIBIBYTE = 1_024;

export function limitedCommand(
  command: readonly string[],
  limits: { readonly dataBytesMax: number; readonly processCountMax: number },
): string[] {
  return [
    "/bin/sh",
    "-c",
    LIMITS_SCRIPT,
    "sh",
    String(FILE_BYTES_MAX / FILE_BLOCK_BYTES),
    String(OPEN_FILE_COUNT_MAX),
    String(Math.ceil(limits.dataBytesMax / KIBIBYTE)),
    String(limits.processCountMax),
    ...command,
  ];
}

const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * The environment of a program inside. A zero character would end the text it is in and begin another argument.
 * @throws AppError `invalid`.
 */
export function sandboxEnvironment(env: Readonly<Record<string, string>>): [string, string][] {
  for (const [name, value] of Object.entries(env)) {
    if (!VARIABLE_NAME.test(name) || value.includes("\0"))
      throw new AppError("invalid", `${JSON.stringify(name)} cannot be set in an environment.`, {
        fix: "Use letters, digits and underscores for names, and text without zero characters.",
      });
  }
  return Object.entries({ ...SANDBOX_ENVIRONMENT, ...env });
}
