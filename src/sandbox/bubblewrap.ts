/**
 * Confinement by bubblewrap (Linux): a new user, process, IPC, host name and, unless the network is
 * allowed, network namespace. Everything in it dies with the group of bubblewrap, and that with this process.
 * Arguments and environment go through a file without a name, so that `ps` shows neither, and
 * bubblewrap itself gets an empty environment, which the program could otherwise read of process 1.
 */
import { readdirSync, readFileSync, statfsSync, statSync } from "node:fs";
import { availableParallelism, release } from "node:os";
import { AppError } from "../domain/error.ts";
import { COMMAND_OUTPUT_BYTES_MAX } from "../domain/sandbox.ts";
import { startTimer } from "../lib/timer.ts";
import { bubblewrapArguments, DESCRIPTORS, OPTIONAL_FEATURES } from "./bubblewrap-arguments.ts";
import type { Feature } from "./bubblewrap-arguments.ts";
import { explainBubblewrap, missingBubblewrap } from "./bubblewrap-failure.ts";
import { limitedCommand, PROCESS_COUNT_MAX, RESULT_BYTES_MAX } from "./confinement.ts";
import type {
  ConfinedExit,
  ConfinedJob,
  ConfinedProgram,
  Confinement,
  Usage,
} from "./confinement.ts";
import { ask } from "./program.ts";
import type { Program } from "../domain/program.ts";
import type { Machine } from "./program.ts";
import { seccompFilter } from "./seccomp.ts";
import { openUnnamedFile } from "./unnamed-file.ts";
import type { UnnamedFile } from "./unnamed-file.ts";

const CHECK_TIMEOUT_MS = 10_000;
const STATUS_BYTES_MAX = 64 * 1024;
/** Between looks whether the last process is gone, and how often to look. */
const GONE_POLL_MS = 5;
const GONE_POLL_COUNT_MAX = 400;
const KIBIBYTE = 1_024;
/** Before, the kernel counts all processes of the user, wherever they are, for this limit. */
const PROCESS_LIMIT_KERNEL = [5, 14] as const;
/** Less urgent than the product itself, which has to be able to end them: for root the kernel limits no processes. */
const NICENESS = process.getuid?.() === 0 ? "19" : "10";

interface Files {
  readonly status: UnnamedFile;
  readonly result: UnnamedFile;
  readonly all: readonly UnnamedFile[];
}

interface Found {
  readonly path: string;
  readonly features: ReadonlySet<Feature>;
}

/** @param probe A job that does nothing, to try the sandbox with. */
export function createBubblewrap(machine: Machine, probe: () => Promise<ConfinedJob>): Confinement {
  const filter = seccompFilter(process.arch);
  const pickProcessors = createProcessorChoice();
  const find = async (): Promise<Found> => {
    const path = machine.which("bwrap");
    if (path === undefined) throw missingBubblewrap(machine.which);
    const help = await ask(machine, [path, "--help"], CHECK_TIMEOUT_MS);
    const words = new Set(`${help?.stdout}${help?.stderr}`.split(/\s+/));
    return { path, features: new Set(OPTIONAL_FEATURES.filter((name) => words.has(name))) };
  };
  let found: Found | undefined;

  const start = async (job: ConfinedJob): Promise<ConfinedProgram> => {
    found ??= await find();
    const { path, features } = found;
    const options = bubblewrapArguments(job, { features, seccomp: filter !== undefined });
    const files = openFiles(options, filter);
    const command = limitedCommand(job.command(String(DESCRIPTORS.result)), {
      dataBytesMax: job.dataBytesMax,
      processCountMax: countsPerSandbox() ? PROCESS_COUNT_MAX : 0,
    });
    let program: Program;
    try {
      program = machine.startProgram({
        command: [
          ...spare(machine, pickProcessors(job.limits.cpuCount)),
          path,
          "--args",
          String(DESCRIPTORS.arguments),
          "--",
          ...command,
        ],
        env: {},
        cwd: "/",
        ...(job.stdin === undefined ? {} : { stdin: job.stdin }),
        files: files.all.map((file) => file.descriptor),
        lifeline: true,
        outputBytesMax: COMMAND_OUTPUT_BYTES_MAX,
        onOutput: job.onOutput,
      });
    } catch (cause) {
      closeAll(files);
      found = undefined;
      throw new AppError("command_failed", "bubblewrap cannot be started.", {
        fix: "Check that bwrap may be executed.",
        cause,
      });
    }
    let killed = false;
    return {
      exited: end(machine, { program, files, wasKilled: () => killed }),
      usage: (memoryBytesMax: number) => usageOf(statusOf(files.status).pid, memoryBytesMax),
      kill() {
        killed = true;
        program.kill();
      },
    };
  };

  return {
    start,
    async check() {
      found = await find();
      await tryOut(machine, await start(await probe()));
    },
  };
}

/** @throws AppError `sandbox_unavailable` when a program that does nothing cannot be run. */
async function tryOut(machine: Machine, program: ConfinedProgram): Promise<void> {
  const stopTimer = startTimer(machine.clock, CHECK_TIMEOUT_MS, () => program.kill());
  try {
    const { code, stderr } = await program.exited;
    if (code !== 0) throw explainBubblewrap(stderr);
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "command_failed") throw error;
    throw explainBubblewrap(error.cause instanceof Error ? error.cause.message : "");
  } finally {
    stopTimer();
  }
}

function openFiles(options: readonly string[], filter: Uint8Array | undefined): Files {
  const opened: UnnamedFile[] = [];
  const open = (content?: string | Uint8Array) => {
    const file = openUnnamedFile(content);
    opened.push(file);
    return file;
  };
  const { uid, gid } = ids();
  try {
    open(options.map((option) => `${option}\0`).join(""));
    const status = open();
    const result = open();
    open(`agents:x:${uid}:${gid}::/tmp:/bin/sh\n`);
    open(`agents:x:${gid}:\n`);
    if (filter !== undefined) open(filter);
    return { status, result, all: opened };
  } catch (cause) {
    for (const file of opened) file.close();
    throw new AppError("command_failed", "The sandbox cannot be prepared.", {
      fix: "Check that the folder for temporary files can be written to and has space.",
      cause,
    });
  }
}

function closeAll(files: Files): void {
  for (const file of files.all) file.close();
}

function ids() {
  return { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
}

async function end(
  machine: Machine,
  run: {
    readonly program: Program;
    readonly files: Files;
    readonly wasKilled: () => boolean;
  },
): Promise<ConfinedExit> {
  const { program, files } = run;
  try {
    const exit = await program.exited;
    const { pid, exitCode } = statusOf(files.status);
    await untilGone(machine, pid);
    // It tells an exit code only when the program had been started.
    if (exitCode === undefined && !run.wasKilled()) {
      throw new AppError("command_failed", "The sandbox could not be set up.", {
        fix: "Run `agents doctor` to see what it needs.",
        cause: new Error(exit.stderr.trim()),
      });
    }
    return { ...exit, result: files.result.read(RESULT_BYTES_MAX) };
  } finally {
    closeAll(files);
  }
}

/** What bubblewrap has written by now: JSON objects, one after the other. */
function statusOf(file: UnnamedFile): {
  readonly pid: number | undefined;
  readonly exitCode: number | undefined;
} {
  const text = file.read(STATUS_BYTES_MAX) ?? "";
  const number = (name: string) => {
    const digits = new RegExp(`"${name}": *(\\d+)`).exec(text)?.[1];
    return digits === undefined ? undefined : Number(digits);
  };
  return { pid: number("child-pid"), exitCode: number("exit-code") };
}

/** The kernel ends the first process of the sandbox after all the others. */
async function untilGone(machine: Machine, pid: number | undefined): Promise<void> {
  if (pid === undefined) return;
  for (let look = 0; look < GONE_POLL_COUNT_MAX && isAlive(pid); look += 1)
    // Each look follows the one before.
    // oxlint-disable-next-line no-await-in-loop
    await machine.clock.sleep(GONE_POLL_MS);
}

function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const state = stat.slice(stat.lastIndexOf(")") + 2, stat.lastIndexOf(")") + 3);
    return state !== "Z" && state !== "X";
  } catch {
    // There is no such process any more.
    return false;
  }
}

/**
 * Looks into the sandbox from outside, through its first process: its own process table lists only its own
 * processes. The exact measure, which divides shared pages, is dear, so it is taken only when the
 * simple one is above the limit.
 */
function usageOf(pid: number | undefined, memoryBytesMax: number): Usage | undefined {
  if (pid === undefined) return undefined;
  const root = `/proc/${pid}/root`;
  try {
    // Until it has a root of its own it sees ours, with all of our processes.
    if (statSync(root).dev === statSync("/").dev) return undefined;
    const processes = readdirSync(`${root}/proc`).filter((name) => /^\d+$/.test(name));
    // So many need not be looked at one by one: there will be more of them meanwhile.
    if (processes.length > PROCESS_COUNT_MAX) {
      return { processCount: processes.length, memoryBytes: 0 };
    }
    const fileBytes = filesInMemory(`${root}/tmp`) + filesInMemory(`${root}/dev/shm`);
    const sum = (measure: (process: string) => number) =>
      processes.reduce((bytes, name) => bytes + measure(`${root}/proc/${name}`), fileBytes);
    const residentBytes = sum((process) => kibibytesIn(`${process}/status`, /^VmRSS:\s+(\d+)/m));
    return {
      processCount: processes.length,
      memoryBytes:
        residentBytes <= memoryBytesMax
          ? residentBytes
          : sum((process) => kibibytesIn(`${process}/smaps_rollup`, /^Pss:\s+(\d+)/m)),
    };
  } catch {
    // It has ended, or is being set up.
    return undefined;
  }
}

function filesInMemory(path: string): number {
  const { bsize, blocks, bfree } = statfsSync(path);
  return bsize * (blocks - bfree);
}

function kibibytesIn(path: string, pattern: RegExp): number {
  try {
    return Number(pattern.exec(readFileSync(path, "utf8"))?.[1] ?? 0) * KIBIBYTE;
  } catch {
    // It ended meanwhile.
    return 0;
  }
}

function countsPerSandbox(): boolean {
  const [major = 0, minor = 0] = release().split(".").map(Number);
  const [sinceMajor, sinceMinor] = PROCESS_LIMIT_KERNEL;
  return major > sinceMajor || (major === sinceMajor && minor >= sinceMinor);
}

/** The processors that a program is kept to, another choice each time; none when it may use all. */
function createProcessorChoice(): (cpuCount: number) => readonly number[] {
  let next = 0;
  return (cpuCount) => {
    const count = Math.max(1, Math.ceil(cpuCount));
    const all = allowedProcessors();
    if (count >= all.length) return [];
    const chosen = Array.from({ length: count }, (_, index) => all[(next + index) % all.length]);
    next = (next + count) % all.length;
    return chosen.filter((processor) => processor !== undefined);
  };
}

/** The numbers of the processors that this process may use. */
function allowedProcessors(): readonly number[] {
  const list = /^Cpus_allowed_list:\s+(\S+)/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
  if (list === undefined)
    return Array.from({ length: availableParallelism() }, (_, index) => index);
  return list.split(",").flatMap((range) => {
    const [first = 0, last = first] = range.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

function spare(machine: Machine, processors: readonly number[]): readonly string[] {
  const nice = machine.which("nice");
  const taskset = processors.length === 0 ? undefined : machine.which("taskset");
  return [
    ...(nice === undefined ? [] : [nice, "-n", NICENESS]),
    ...(taskset === undefined ? [] : [taskset, "-c", processors.join(",")]),
  ];
}
