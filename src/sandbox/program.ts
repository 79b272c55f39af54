/** What the sandbox needs of the machine, handed in by the composition root as plain functions. */
import type { Program, ProgramExit, StartProgram } from "../domain/program.ts";
import type { Clock } from "../lib/clock.ts";

export interface Machine {
  readonly clock: Clock;
  readonly platform: NodeJS.Platform;
  /** The environment of this process; only the names in `ENVIRONMENT_PASSED` ever reach a program. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly startProgram: StartProgram;
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
