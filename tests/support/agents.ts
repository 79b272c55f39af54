/**
 * Drives the executable that users get, from outside: nothing here or in `tests/binary` imports the
 * product's code. Every test has a home folder of its own with nothing in it, a PATH without Bun or
 * anything else, and no variable of the developer's shell; so everything that the product starts can
 * be told by its HOME, which is how leftovers are found.
 */
import { Database } from "bun:sqlite";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

/** Far above what anything takes on an idle machine: reached only when something hangs. */
export const PATIENCE_MS = 60_000;
const POLL_MS = 20;
const WINDOWS = process.platform === "win32";

export const EXECUTABLE = resolve(process.env["AGENTS_EXE"] ?? (WINDOWS ? "agents.exe" : "agents"));
if (!existsSync(EXECUTABLE)) {
  throw new Error(`There is no executable at ${EXECUTABLE}. Build it: bun build.ts`);
}

export interface Home extends AsyncDisposable {
  readonly path: string;
  /** Where the product keeps its data when nobody says otherwise. */
  readonly dataDir: string;
  readonly databasePath: string;
  /** An empty folder to work in. */
  readonly cwd: string;
}

/** An empty home folder, removed with everything that still runs in it. */
export async function createHome(): Promise<Home> {
  const path = await realpath(await mkdtemp(join(tmpdir(), "agents-test-")));
  const dataDir = dataDirOf(path);
  const cwd = join(path, "work");
  await mkdir(cwd);
  return {
    path,
    dataDir,
    databasePath: join(dataDir, "agents.db"),
    cwd,
    async [Symbol.asyncDispose]() {
      for (const { pid } of agentsProcesses(path)) killQuietly(pid, "SIGKILL");
      await waitFor(() => agentsProcesses(path).length === 0, "the end of the test's processes");
      await rm(path, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

function dataDirOf(home: string): string {
  if (WINDOWS) return join(home, "AppData", "Local", "agents");
  if (process.platform === "darwin") return join(home, "Library", "Application Support", "agents");
  return join(home, ".local", "share", "agents");
}

export interface CommandOptions {
  readonly home: Home;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Standard input; empty otherwise. */
  readonly input?: string;
  /** Another copy of the executable. */
  readonly executable?: string;
  /** Words before the command, such as those that change the user. */
  readonly before?: readonly string[];
}

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one command to its end. */
export async function runAgents(
  argv: readonly string[],
  options: CommandOptions,
): Promise<Finished> {
  const spawned = spawnAgents(argv, options);
  const code = await Promise.race([spawned.child.exited, Bun.sleep(PATIENCE_MS).then(() => null)]);
  if (code === null) {
    spawned.child.kill("SIGKILL");
    throw new Error(`agents ${argv.join(" ")} did not end:\n${spawned.output()}`);
  }
  await spawned.closed;
  return { code, stdout: spawned.stdout(), stderr: spawned.stderr() };
}

export interface SpawnedAgents {
  readonly child: Bun.Subprocess<Blob, "pipe", "pipe">;
  /** All output so far, as it came. */
  output(): string;
  stdout(): string;
  stderr(): string;
  /** Resolves when all output was read. */
  readonly closed: Promise<unknown>;
  /** Waits until the output holds the text. @throws Error when the process ends without it. */
  waitForOutput(pattern: RegExp): Promise<RegExpExecArray>;
}

export function spawnAgents(
  argv: readonly string[],
  { home, env = {}, cwd, input = "", executable = EXECUTABLE, before = [] }: CommandOptions,
): SpawnedAgents {
  const child = Bun.spawn([...before, executable, ...argv], {
    cwd: cwd ?? home.cwd,
    env: { ...environmentOf(home), ...env },
    stdin: new Blob([input]),
    stdout: "pipe",
    stderr: "pipe",
  });
  const texts = { stdout: "", stderr: "", both: "" };
  const read = async (name: "stdout" | "stderr") => {
    const decoder = new TextDecoder();
    for await (const piece of child[name]) {
      const text = decoder.decode(piece, { stream: true });
      texts[name] += text;
      texts.both += text;
    }
  };
  const closed = Promise.all([read("stdout"), read("stderr")]);
  return {
    child,
    output: () => texts.both,
    stdout: () => texts.stdout,
    stderr: () => texts.stderr,
    closed,
    async waitForOutput(pattern) {
      let match: RegExpExecArray | null = null;
      await waitFor(
        () => {
          match = pattern.exec(texts.both);
          if (match === null && child.exitCode !== null)
            throw new Error(
              `agents ended with ${child.exitCode} without ${pattern}:\n${texts.both}`,
            );
          return match !== null;
        },
        () => `${pattern} in the output:\n${texts.both}`,
      );
      if (match === null) throw new Error("unreachable");
      return match;
    },
  };
}

/** What the product is started with: nothing of the developer's shell. */
export function environmentOf(home: Home): Record<string, string> {
  const bare = {
    HOME: home.path,
    PATH: join(home.path, "no-programs"),
    NO_COLOR: "1",
    // Several products run side by side in tests.
    AGENTS_CHAT_PORT: "0",
  };
  if (!WINDOWS) {
    // macOS has no /proc: the product asks ps and lsof there.
    return process.platform === "darwin" ? { ...bare, PATH: "/usr/bin:/bin:/usr/sbin" } : bare;
  }
  const kept = ["SystemRoot", "TEMP", "TMP", "PATHEXT", "ComSpec"].flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  const root = process.env["SystemRoot"] ?? "C:\\Windows";
  return {
    ...Object.fromEntries(kept),
    ...bare,
    PATH: `${root}\\System32;${root}\\System32\\WindowsPowerShell\\v1.0`,
    USERPROFILE: home.path,
    LOCALAPPDATA: join(home.path, "AppData", "Local"),
  };
}

export interface StartOptions {
  readonly home?: Home;
  readonly env?: Readonly<Record<string, string>>;
  /** After `start --yes --port 0 --chat-port 0`. */
  readonly flags?: readonly string[];
  readonly cwd?: string;
  readonly executable?: string;
}

export interface RunningAgents extends SpawnedAgents, AsyncDisposable {
  /** Ends with a slash. */
  readonly url: string;
  readonly home: Home;
  readonly dataDir: string;
  /** SIGTERM, and the exit code. */
  stop(): Promise<number>;
}

/** `agents start`, as far as that it says it is ready. Its home is removed with it when it made that itself. */
export async function startAgents(options: StartOptions = {}): Promise<RunningAgents> {
  const { flags = [], home: given, ...rest } = options;
  const home = given ?? (await createHome());
  const spawned = spawnAgents(["start", "--yes", "--port", "0", "--chat-port", "0", ...flags], {
    ...rest,
    home,
  });
  const [, url = ""] = await spawned.waitForOutput(
    /^ {2}Dashboard +(http\S+)$[^]*Ctrl-C stops everything/m,
  );
  const stop = async () => {
    spawned.child.kill("SIGTERM");
    return await spawned.child.exited;
  };
  return {
    ...spawned,
    url,
    home,
    dataDir: home.dataDir,
    stop,
    async [Symbol.asyncDispose]() {
      if (spawned.child.exitCode === null && spawned.child.signalCode === null) await stop();
      if (given === undefined) await home[Symbol.asyncDispose]();
    },
  };
}

export interface TestProcess {
  readonly pid: number;
  readonly command: string;
  /** What it is: `start`, `worker-1`, `guard`, `mlflow`, or a command such as `run`. */
  readonly role: string;
}

/** Every living process of this home, however it was started and whoever its parent is now. */
export function agentsProcesses(home: string): TestProcess[] {
  if (process.platform === "linux") return linuxProcesses(home);
  // Windows shows no other process's environment: there, only what names the home can be found.
  const argv = WINDOWS
    ? ["powershell", "-NoProfile", "-Command", WINDOWS_LIST]
    : ["ps", "-axEww", "-o", "pid=,command="];
  return Bun.spawnSync(argv)
    .stdout.toString()
    .split("\n")
    .flatMap((line) => {
      const [, pid, command = ""] = /^\s*(\d+)\s+(.*)$/.exec(line) ?? [];
      const ours = command.includes(WINDOWS ? home : `HOME=${home}`) && !command.startsWith("ps ");
      return ours ? [{ pid: Number(pid), command, role: roleOf(command) }] : [];
    });
}

const WINDOWS_LIST =
  'Get-CimInstance Win32_Process | ForEach-Object { "$($_.ProcessId) $($_.CommandLine)" }';

function linuxProcesses(home: string): TestProcess[] {
  return readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      // Empty for one that has ended and only waits for its parent.
      const environment = readFileSync(`/proc/${name}/environ`, "utf8").split("\0");
      if (!environment.includes(`HOME=${home}`)) return [];
      const command = readFileSync(`/proc/${name}/cmdline`, "utf8").split("\0").join(" ").trim();
      return [{ pid: Number(name), command, role: roleOf(command) }];
    } catch {
      // It ended meanwhile, or belongs to another user.
      return [];
    }
  });
}

function roleOf(command: string): string {
  const [, worker] = / worker --name (\S+)/.exec(command) ?? [];
  if (worker !== undefined) return worker;
  if (/ guard( |$)/.test(command)) return "guard";
  if (/python/i.test(command)) return "mlflow";
  return /agents(?:\.exe)? (\S+)/.exec(command)?.[1] ?? command;
}

export function killQuietly(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended already.
  }
}

/** Polls until the condition holds. @throws Error that says what was waited for. */
export async function waitFor(
  condition: () => boolean | Promise<boolean>,
  what: string | (() => string),
  timeoutMs = PATIENCE_MS,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > deadline) {
      throw new Error(`Waited ${timeoutMs} ms for ${typeof what === "string" ? what : what()}`);
    }
    await Bun.sleep(POLL_MS);
  }
}

/** The same, with the first value that is there. */
export async function waitForValue<T>(
  read: () => T | undefined | Promise<T | undefined>,
  what: string | (() => string),
  timeoutMs = PATIENCE_MS,
): Promise<T> {
  let found: T | undefined;
  await waitFor(
    async () => {
      found = await read();
      return found !== undefined;
    },
    what,
    timeoutMs,
  );
  if (found === undefined) throw new Error("unreachable");
  return found;
}

/** Rows of the product's database, read beside it. */
export function queryDatabase<Row>(
  path: string,
  sql: string,
  ...values: (string | number)[]
): Row[] {
  using database = new Database(path, { readonly: true });
  database.run("PRAGMA busy_timeout = 10000");
  return database.query<Row, (string | number)[]>(sql).all(...values);
}

/** The events of a run, in order. */
export function eventsOf(home: Home, runId: string): readonly RunEvent[] {
  const rows = queryDatabase<{ type: string; data: string }>(
    home.databasePath,
    "SELECT type, data FROM events WHERE run_id = ? ORDER BY seq",
    runId,
  );
  return rows.map(({ type, data }) => Object.assign(JSON.parse(data), { type }));
}

export interface RunEvent {
  readonly type: string;
  readonly step?: string;
  readonly call?: number;
  readonly text?: string;
  readonly provider?: string;
  readonly model?: string;
  readonly outputs?: unknown;
}

/** Prints what cannot be tested here, so that nobody takes silence for success. */
export function skipLoudly(what: string, why: string): void {
  console.warn(`SKIPPED: ${what}: ${why}`);
}
