/**
 * A program that is talked to over its standard input and output, in a process group of its own. The group is gone
 * when the program ends, and when this process does, however it ends.
 */
import { closeSync } from "node:fs";
import type { PipedProgram, PipedProgramRequest } from "../domain/program.ts";
import { readLines } from "./lines.ts";
import { LIFELINE_SCRIPT } from "./program.ts";
import { stopper } from "./stop.ts";

/** The first descriptor after standard input, output and error. */
const LIFELINE = 3;

/** @throws Error of Bun.spawn when the program cannot be started (ENOENT, EACCES). */
export function startPipedProgram({
  command,
  env,
  cwd,
  onLine,
}: PipedProgramRequest): PipedProgram {
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
