/** What the sandbox needs of the machine, handed in by the composition root as plain functions. */
import type { Clock } from "../lib/clock.ts";

export type OutputStream = "stdout" | "stderr";

export interface ProgramRequest {
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly stdin?: string;
  /** Open files that the program gets as descriptors 3, 4, …. */
  readonly files?: readonly number[];
  /** Its group is killed when this process is gone, however it ended. */
  readonly lifeline?: boolean;
  readonly outputBytesMax: number;
  readonly onOutput: (stream: OutputStream, text: string) => void;
}

export interface ProgramExit {
  /** null when a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Streams of which something was dropped. */
  readonly cut: readonly OutputStream[];
}

export interface Program {
  readonly pid: number;
  /** Resolves when its group is gone and its output was read. */
  readonly exited: Promise<ProgramExit>;
  /** Asks the whole group to end. @returns false where the platform has no such request. */
  ask(): boolean;
  /** Ends the whole group at once. */
  kill(): void;
}

export interface Machine {
  readonly clock: Clock;
  readonly platform: NodeJS.Platform;
  /** The environment of this process; only the names in `ENVIRONMENT_PASSED` ever reach a program. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Starts a program as the leader of a session, and so of a process group. @throws Error when it cannot be started. */
  readonly startProgram: (request: ProgramRequest) => Program;
  /** The full path of a command on the PATH. */
  readonly which: (name: string) => string | undefined;
}

/** What a program outside of the sandbox gets of our environment. Never a key. */
const ENVIRONMENT_PASSED =
  /^(?:PATH|HOME|USER|LOGNAME|LANG|LC_[A-Z]+|TMPDIR|SYSTEMROOT|COMSPEC|PATHEXT|USERPROFILE|APPDATA|LOCALAPPDATA|TEMP|TMP)$/i;

/** The bare minimum that a program outside of the sandbox needs. */
export function bareEnvironment(machine: Machine): Record<string, string> {
  const passed = Object.entries(machine.environment).flatMap(([name, value]) =>
    value !== undefined && ENVIRONMENT_PASSED.test(name) ? [[name, value] as const] : [],
  );
  return { ...Object.fromEntries(passed), TERM: "dumb" };
}

/** Bytes of each stream that questions to tools of the machine may answer. */
const ANSWER_BYTES_MAX = 64 * 1024;

/** Runs a tool of the machine to its end. @returns undefined when it cannot be started or takes too long. */
export async function ask(
  machine: Machine,
  command: readonly string[],
  timeoutMs: number,
): Promise<ProgramExit | undefined> {
  let program: Program;
  try {
    program = machine.startProgram({
      command,
      env: bareEnvironment(machine),
      cwd: "/",
      outputBytesMax: ANSWER_BYTES_MAX,
      onOutput: () => {},
    });
  } catch {
    // Not there, or not to be executed: for the one who asks it is the same.
    return undefined;
  }
  const over = new AbortController();
  const limit = async () => {
    await machine.clock.sleep(timeoutMs, over.signal);
    if (over.signal.aborted) return false;
    program.kill();
    return true;
  };
  const late = limit();
  const exit = await program.exited;
  over.abort();
  return (await late) ? undefined : exit;
}
