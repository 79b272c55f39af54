/**
 * One program that is run to its end in a process group of its own, with what it writes kept up to a
 * limit and told while it comes. What it leaves of its group when it ends is killed at once.
 */
import { closeSync } from "node:fs";
import { assert } from "../lib/assert.ts";
import type { OutputStream, Program, ProgramExit, ProgramRequest } from "../domain/program.ts";
import type { Clock } from "../lib/clock.ts";
import { stopper } from "./stop.ts";

/** Output that an ended program left in its pipes is read for at most this long. */
const OUTPUT_DRAIN_MS = 1_000;
const FILE_FIRST = 3;
/** Shells know descriptors of one digit. */
const DESCRIPTOR_MAX = 9;

/**
 * Starts the program ("$@") in this very process, beside a watcher that kills the group when a
 * descriptor closes: when the process that holds the other end is gone, however it ended. The watcher is
 * nobody's child, so that a program that waits for all of its children does not wait for it.
 */
function lifelineScript(descriptor: number): string {
  assert(descriptor <= DESCRIPTOR_MAX, "a program with a lifeline was given too many files");
  const watcher = `trap "" HUP INT TERM; read -r _ <&${descriptor}; kill -s KILL -- -$$`;
  return `( ( ${watcher} ) >/dev/null 2>&1 & ); exec "$@" ${descriptor}<&-`;
}

/** The watcher of a program that gets no other files. */
export const LIFELINE_SCRIPT = lifelineScript(FILE_FIRST);

/** @throws Error of Bun.spawn when the program cannot be started (ENOENT, EACCES). */
export function startProgram(options: ProgramRequest, clock: Clock): Program {
  const lifeline = options.lifeline === true && process.platform !== "win32";
  const files = options.files ?? [];
  const lifelineDescriptor = FILE_FIRST + files.length;
  const command = lifeline
    ? ["/bin/sh", "-c", lifelineScript(lifelineDescriptor), "sh", ...options.command]
    : [...options.command];
  const stdin = options.stdin === undefined ? "ignore" : new TextEncoder().encode(options.stdin);
  const subprocess = Bun.spawn(command, {
    cwd: options.cwd,
    env: { ...options.env },
    stdio: [stdin, "pipe", "pipe", ...files, ...(lifeline ? (["pipe"] as const) : [])],
    detached: process.platform !== "win32",
    windowsHide: true,
  });
  const stdout = keepOutput(subprocess.stdout, "stdout", options);
  const stderr = keepOutput(subprocess.stderr, "stderr", options);
  const alive = () => subprocess.exitCode === null && subprocess.signalCode === null;
  const watchExit = async (): Promise<ProgramExit> => {
    await subprocess.exited;
    stopper.sweepGroup(subprocess.pid);
    const held = subprocess.stdio[lifelineDescriptor];
    if (lifeline && typeof held === "number") closeSync(held);
    // A process that left the group may hold the pipes open for ever.
    const drained = new AbortController();
    await Promise.race([
      Promise.all([stdout.ended, stderr.ended]),
      clock.sleep(OUTPUT_DRAIN_MS, drained.signal),
    ]);
    drained.abort();
    return {
      code: subprocess.exitCode,
      stdout: stdout.text(),
      stderr: stderr.text(),
      cut: [
        ...(stdout.cut() ? ["stdout" as const] : []),
        ...(stderr.cut() ? ["stderr" as const] : []),
      ],
    };
  };
  return {
    pid: subprocess.pid,
    exited: watchExit(),
    ask: () => alive() && stopper.askGroup(subprocess.pid),
    kill() {
      if (alive()) stopper.killGroup(subprocess.pid);
    },
  };
}

function keepOutput(
  stream: ReadableStream<Uint8Array>,
  name: OutputStream,
  { outputBytesMax, onOutput }: Pick<ProgramRequest, "outputBytesMax" | "onOutput">,
) {
  const decoder = new TextDecoder();
  let text = "";
  let roomBytes = outputBytesMax;
  let cut = false;
  const take = (piece: string) => {
    if (piece === "") return;
    text += piece;
    onOutput(name, piece);
  };
  const read = async () => {
    try {
      for await (const chunk of stream) {
        const kept = chunk.subarray(0, roomBytes);
        cut ||= kept.length < chunk.length;
        roomBytes -= kept.length;
        take(decoder.decode(kept, { stream: true }));
      }
    } catch {
      // A broken pipe is as good as a closed one.
    }
    take(decoder.decode());
  };
  return { ended: read(), text: () => text, cut: () => cut };
}
