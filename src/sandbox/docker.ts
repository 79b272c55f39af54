/**
 * Confinement by Docker, for `mode: docker`. The container goes with its program, by its time limit at the
 * latest: it is not tied to the life of this process as bubblewrap is.
 */
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AppError } from "../domain/error.ts";
import { COMMAND_OUTPUT_BYTES_MAX } from "../domain/sandbox.ts";
import {
  FILE_BYTES_MAX,
  OPEN_FILE_COUNT_MAX,
  PROCESS_COUNT_MAX,
  RESULT_BYTES_MAX,
  sandboxEnvironment,
} from "./confinement.ts";
import type { ConfinedExit, ConfinedJob, ConfinedProgram, Confinement } from "./confinement.ts";
import { ask, bareEnvironment } from "./program.ts";
import type { Program } from "../domain/program.ts";
import type { Machine } from "./program.ts";
import { isInside } from "./workspace.ts";

export const DOCKER_IMAGE = "python:3.11-slim";
const RESULT_FOLDER = "/agents";
const RESULT_FILE = "result.json";
const CHECK_TIMEOUT_MS = 15_000;
const KILL_TIMEOUT_MS = 10_000;
const MS_PER_SECOND = 1_000;
/** Exit codes of `docker run` when the container could not be made or its command not be started. */
const START_FAILURES: ReadonlySet<number | null> = new Set([125, 126, 127]);

export function createDocker(machine: Machine): Confinement {
  return {
    check: () => checkDocker(machine),
    start: (job) => startContainer(machine, job),
  };
}

function findDocker(machine: Machine): string {
  const docker = machine.which("docker");
  if (docker !== undefined) return docker;
  throw unavailable("Docker is not installed", "Install Docker, or leave out `mode: docker`.");
}

async function checkDocker(machine: Machine): Promise<void> {
  const docker = findDocker(machine);
  const version = ["version", "--format", "{{.Server.Version}}"];
  const daemon = await ask(machine, [docker, ...version], CHECK_TIMEOUT_MS);
  if (daemon?.code !== 0) {
    const fix = "Start Docker, and let this user use it.";
    throw unavailable("Docker does not answer", fix, daemon?.stderr);
  }
  const image = await ask(machine, [docker, "image", "inspect", DOCKER_IMAGE], CHECK_TIMEOUT_MS);
  if (image?.code !== 0) {
    const fix = `Get it with \`docker pull ${DOCKER_IMAGE}\`.`;
    throw unavailable(`Docker does not have the image ${DOCKER_IMAGE}`, fix, image?.stderr);
  }
}

async function startContainer(machine: Machine, job: ConfinedJob): Promise<ConfinedProgram> {
  const docker = findDocker(machine);
  const { hidden, path } = job.workspace;
  if (hidden.some((place) => isInside(place.path, path))) {
    throw unavailable(
      "the data folder lies inside of the workspace",
      "Name another workspace with AGENTS_WORKSPACE, or leave out `mode: docker`.",
    );
  }
  const name = `agents-${crypto.randomUUID()}`;
  const folder = await mkdtemp(join(tmpdir(), "agents-docker-"));
  let program: Program;
  try {
    program = machine.startProgram({
      command: [docker, ...dockerArguments(job, { name, resultFolder: folder })],
      env: bareEnvironment(machine),
      cwd: "/",
      ...(job.stdin === undefined ? {} : { stdin: job.stdin }),
      outputBytesMax: COMMAND_OUTPUT_BYTES_MAX,
      onOutput: job.onOutput,
    });
  } catch (cause) {
    await rm(folder, { recursive: true, force: true });
    if (cause instanceof AppError) throw cause;
    throw new AppError("command_failed", "docker cannot be started.", {
      fix: "Check that it may be executed.",
      cause,
    });
  }
  let killed: Promise<unknown> | undefined;
  const kill = async () => {
    // Ending `docker run` would leave the container behind.
    await ask(machine, [docker, "kill", name], KILL_TIMEOUT_MS);
    program.kill();
  };
  return {
    exited: end(program, folder, () => killed),
    usage: () => undefined,
    kill() {
      killed ??= kill();
    },
  };
}

async function end(
  program: Program,
  folder: string,
  killed: () => Promise<unknown> | undefined,
): Promise<ConfinedExit> {
  try {
    const exit = await program.exited;
    const kill = killed();
    await kill;
    if (kill === undefined && START_FAILURES.has(exit.code) && exit.stderr.includes("docker:")) {
      throw new AppError("command_failed", "The container could not be started.", {
        fix: "Run `agents doctor` to see what it needs.",
        cause: new Error(exit.stderr.trim()),
      });
    }
    return { ...exit, result: await readResult(join(folder, RESULT_FILE)) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function readResult(path: string): Promise<string | undefined> {
  try {
    return (await stat(path)).size > RESULT_BYTES_MAX ? undefined : await readFile(path, "utf8");
  } catch {
    // The program left none.
    return "";
  }
}

function unavailable(reason: string, fix: string, details?: string): AppError {
  return new AppError("sandbox_unavailable", `There is no Docker sandbox here: ${reason}.`, {
    fix,
    ...(details === undefined ? {} : { cause: new Error(details) }),
  });
}

/** The arguments of docker for a job. */
export function dockerArguments(
  job: ConfinedJob,
  { name, resultFolder }: { readonly name: string; readonly resultFolder: string },
): string[] {
  const { limits, workspace } = job;
  const user = `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`;
  const memory = `${limits.memoryBytes}b`;
  const seconds = Math.ceil(limits.timeMs / MS_PER_SECOND);
  return [
    ["run", "--rm", "--interactive", "--init", "--pull", "never", "--name", name],
    ["--network", job.network ? "bridge" : "none", "--hostname", "sandbox"],
    ["--memory", memory, "--memory-swap", memory, "--cpus", String(limits.cpuCount)],
    ["--pids-limit", String(PROCESS_COUNT_MAX), "--ulimit", "core=0"],
    ["--ulimit", `fsize=${FILE_BYTES_MAX}`, "--ulimit", `nofile=${OPEN_FILE_COUNT_MAX}`],
    ["--read-only", "--tmpfs", `/tmp:rw,nosuid,nodev,exec,size=${limits.memoryBytes}`],
    ["--user", user, "--cap-drop", "ALL", "--security-opt", "no-new-privileges"],
    sandboxEnvironment(job.env).flatMap(([key, value]) => ["--env", `${key}=${value}`]),
    mount(workspace.path, workspace.path),
    mount(resultFolder, RESULT_FOLDER),
    job.readable.flatMap(({ source, target }) => mount(source, target, ",readonly")),
    ["--workdir", job.folder, DOCKER_IMAGE],
    // The container's own end, also when nobody is left to end it.
    ["timeout", "--signal", "KILL", `${seconds + 1}s`],
    job.command(`${RESULT_FOLDER}/${RESULT_FILE}`),
  ].flat();
}

function mount(source: string, target: string, access = ""): string[] {
  return ["--mount", `type=bind,${field("source", source)},${field("target", target)}${access}`];
}

/** One field of `--mount`, which is read as CSV. */
function field(name: string, value: string): string {
  const text = `${name}=${value}`;
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
