/**
 * A program that is talked to over its standard input and output, in a process group of its own. The group is gone
 * when the program ends, and when this process does, however it ends.
 */
import { closeSync } from "node:fs";
import { readLines } from "./lines.ts";
import { LIFELINE_SCRIPT } from "./program.ts";
import { stopper } from "./stop.ts";

/** The first descriptor after standard input, output and error. */
const LIFELINE = 3;

export interface PipedOptions {
  /** The program's full path and its arguments. */
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Gets each line of standard error. */
  readonly onLine: (line: string) => void;
}

export interface PipedProgram {
  readonly pid: number;
  readonly stdout: ReadableStream<Uint8Array>;
  /** Resolves when the program has ended and its group is gone. */
  readonly exited: Promise<void>;
  /** @throws Error when the program does not read any more. */
  write(text: string): Promise<void>;
  /** Tells the program that nothing more will come. */
  closeInput(): void;
  /** Asks the whole group to end. @returns false where the platform has no such request. */
  ask(): boolean;
  /** Ends the whole group at once. */
  kill(): void;
}

/** @throws Error of Bun.spawn when the program cannot be started (ENOENT, EACCES). */
export function startPipedProgram({ command, env, cwd, onLine }: PipedOptions): PipedProgram {
  const lifeline = process.platform !== "win32";
  const subprocess = Bun.spawn(
    lifeline ? ["/bin/sh", "-c", LIFELINE_SCRIPT, "sh", ...command] : [...command],
    {
      cwd,
      env: { ...env },
      stdio: ["pipe", "pipe", "pipe", ...(lifeline ? (["pipe"] as const) : [])],
      detached: lifeline,
      windowsHide: true,
    },
  );
  const readErrors = async () => {
    try {
      await readLines(subprocess.stderr, onLine);
    } catch {
      // A broken pipe is as good as a closed one.
    }
  };
  void readErrors();
  const alive = () => subprocess.exitCode === null && subprocess.signalCode === null;
  const watchExit = async () => {
    await subprocess.exited;
    stopper.sweepGroup(subprocess.pid);
    const held = subprocess.stdio[LIFELINE];
    if (lifeline && typeof held === "number") closeSync(held);
  };
  return {
    pid: subprocess.pid,
    stdout: subprocess.stdout,
    exited: watchExit(),
    async write(text) {
      await subprocess.stdin.write(text);
      await subprocess.stdin.flush();
    },
    closeInput: () => void subprocess.stdin.end(),
    ask: () => alive() && stopper.askGroup(subprocess.pid),
    kill() {
      if (alive()) stopper.killGroup(subprocess.pid);
    },
  };
}
