/**
 * One child process: the leader of a process group, with a stdin pipe that is held open and never
 * written. When this process ends in any way, SIGKILL included, the pipe closes, which tells the child
 * to end too (`watchParent`, `runGuard`, launcher.py). When the child ends, what is left of its group is
 * killed at once, so nothing that it started outlives it.
 */
import type { OutputStream } from "../domain/program.ts";
import { STOP_GRACE_MS } from "../domain/service.ts";
import type { Clock } from "../lib/clock.ts";
import { readLines } from "./lines.ts";
import { stopper } from "./stop.ts";

/** Output that a dead child left in its pipes is read for at most this long. */
const OUTPUT_DRAIN_MS = 500;

export interface ChildExit {
  readonly code: number | null;
  /** SIGKILL, SIGSEGV, … */
  readonly signal: string | null;
}

export interface ChildOptions {
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly onLine: (stream: OutputStream, line: string) => void;
}

export interface Child {
  readonly pid: number;
  /** Resolves as soon as the process has ended and the rest of its group was killed. */
  readonly exited: Promise<ChildExit>;
  /** Resolves after `exited`, when its last output was read. */
  readonly closed: Promise<ChildExit>;
  /**
   * Asks the leader to end. The leader answers for its own children, so that a worker may finish a step
   * whose command it runs.
   */
  terminate(): void;
  /** Ends the whole group at once. */
  kill(): void;
}

/** @throws Error of Bun.spawn when the command cannot be started (ENOENT, EACCES). */
export function startChild(options: ChildOptions, clock: Clock): Child {
  const subprocess = Bun.spawn([...options.command], {
    cwd: options.cwd,
    env: { ...options.env },
    stdin: "pipe",
    stdout: "pipe",
    stderr: "pipe",
    detached: process.platform !== "win32",
    windowsHide: true,
  });
  const output = Promise.allSettled([
    readLines(subprocess.stdout, (line) => options.onLine("stdout", line)),
    readLines(subprocess.stderr, (line) => options.onLine("stderr", line)),
  ]);
  // The number of a process that has ended may belong to another one.
  const alive = () => subprocess.exitCode === null && subprocess.signalCode === null;
  const watchExit = async (): Promise<ChildExit> => {
    await subprocess.exited;
    stopper.sweepGroup(subprocess.pid);
    return {
      code: subprocess.exitCode,
      signal: subprocess.signalCode === null ? null : String(subprocess.signalCode),
    };
  };
  const exited = watchExit();
  const watchClose = async (): Promise<ChildExit> => {
    const exit = await exited;
    // A process that left the group may hold the pipes open for ever.
    const drained = new AbortController();
    await Promise.race([output, clock.sleep(OUTPUT_DRAIN_MS, drained.signal)]);
    drained.abort();
    return exit;
  };
  return {
    pid: subprocess.pid,
    exited,
    closed: watchClose(),
    terminate() {
      if (alive() && !stopper.ask(subprocess.pid)) void subprocess.stdin.end();
    },
    kill() {
      if (alive()) stopper.killGroup(subprocess.pid);
    },
  };
}

/** Asks a child to end, and kills its group when it has not ended after STOP_GRACE_MS. */
export async function stopChild(child: Child, clock: Clock): Promise<void> {
  child.terminate();
  const ended = new AbortController();
  const kill = async () => {
    await clock.sleep(STOP_GRACE_MS, ended.signal);
    if (!ended.signal.aborted) child.kill();
  };
  const late = kill();
  await child.exited;
  ended.abort();
  await late;
}
