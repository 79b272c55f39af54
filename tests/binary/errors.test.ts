/**
 * Every failure that a person can run into, provoked for real, with what the executable then says: one
 * file of tests/golden/errors for each, in which only paths, ports and numbers of processes are made
 * equal. `UPDATE=1` writes the files anew; read the difference before you keep it.
 *
 * Held for all of them: nothing is wider than 80 columns, `--verbose` says more, a failure makes no
 * mess, and no secret is ever printed or stored.
 */
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  setDefaultTimeout,
  test,
} from "bun:test";
import { Database } from "bun:sqlite";
import { existsSync, readFileSync } from "node:fs";
import {
  chmod,
  chown,
  copyFile,
  mkdir,
  readdir,
  readFile,
  rm,
  unlink,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import {
  agentsProcesses,
  createHome,
  EXECUTABLE,
  type Finished,
  type Home,
  PATIENCE_MS,
  runAgents,
  skipLoudly,
  startAgents,
  waitFor,
} from "../support/agents.ts";
import { type ModelServer, startModelServer } from "../support/model-server.ts";

setDefaultTimeout(PATIENCE_MS);

const GOLDEN = join(import.meta.dir, "../golden/errors");
const COLUMNS = 80;
const LINUX = process.platform === "linux";
const ROOT = process.getuid?.() === 0;
const NOBODY = 65_534;
/** In every key and password that the cases are given, in no text of the product. */
const SECRET = "SeCrEt";
const FULL_FOLDER_BYTES = 2 * 1024 * 1024;

const HELLO = `schema_version: "1.0"
flow: { name: hello }
state:
  fields:
    name: { type: str, required: true }
    times: { type: int, default: 1 }
    text: { type: str }
nodes:
  - id: greet
    prompt: "Greet {name} {times} times."
    outputs: [text]
    output_schema: { type: str }
    retry: { max_attempts: 1 }
edges:
  - { from: START, to: greet }
  - { from: greet, to: END }
`;
const BAD = `schema_version: "1.0"
flow: { nmae: hello }
state:
  fields:
    name: { type: strr, required: true }
    text: { type: str }
nodes:
  - id: greet
    promt: "Greet {nam}."
    outputs: [txt]
    output_schema: { type: int }
edges:
  - { from: START, to: gret }
`;
const RUN = ["run", "hello.yaml", "--input", "name=Ada"];

interface World {
  readonly home: Home;
  readonly models: ModelServer;
  /** Released, last first, when the case is over. */
  readonly cleanups: (() => unknown)[];
}

interface Provoked {
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly before?: readonly string[];
  readonly executable?: string;
  /** More texts to make equal in the golden file. */
  readonly replace?: readonly (readonly [string | RegExp, string])[];
}

interface Case {
  readonly name: string;
  readonly exitCode: number;
  /** Why it cannot be provoked on this machine; undefined where it can. */
  readonly impossible?: string | undefined;
  /** All that there is to say is said already. */
  readonly verboseIsSame?: true;
  readonly provoke: (world: World) => Provoked | Promise<Provoked>;
}

const keys = (world: World) => ({
  OPENAI_API_KEY: `sk-${SECRET}-openai-000000`,
  OPENAI_BASE_URL: world.models.baseUrlFor("openai"),
  ANTHROPIC_API_KEY: `sk-ant-${SECRET}-0000000`,
  ANTHROPIC_BASE_URL: world.models.baseUrlFor("anthropic"),
  GOOGLE_API_KEY: `AIza-${SECRET}-google-00`,
  GOOGLE_BASE_URL: world.models.baseUrlFor("google"),
});

const LOOP = "{ from: greet, loop: { condition_field: done, max_iterations: 9 } }";
const SANDBOX_PATH = "/usr/local/bin:/usr/bin:/bin";

/** Runs a workflow of one node, whose result is a number. */
async function oneNode(
  { home }: World,
  given: { node: string; env?: Readonly<Record<string, string>>; sandbox?: boolean },
): Promise<Provoked> {
  const text = `schema_version: "1.0"
flow: { name: one }
state:
  fields:
    number: { type: int, default: 1 }
nodes:
  - id: work
    ${given.node}
    ${/^(?:approval|wait)/.test(given.node) ? "" : "outputs: [number]"}
    retry: { max_attempts: 1 }
edges:
  - { from: START, to: work }
  - { from: work, to: END }
`;
  await Bun.write(join(home.cwd, "one.yaml"), text);
  const env = given.sandbox === true ? { PATH: SANDBOX_PATH } : {};
  return { argv: ["run", "one.yaml"], env: { ...env, ...given.env } };
}

/** A server that is there as long as the case. @returns its address. */
function serveFor({ cleanups }: World, answer: () => Response): string {
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: answer });
  cleanups.push(() => server.stop(true));
  return `http://127.0.0.1:${server.port}`;
}

async function oneNodeAt(world: World, answer: () => Response): Promise<Provoked> {
  const url = serveFor(world, answer);
  const host = new URL(url).host;
  const provoked = await oneNode(world, {
    node: `http: { url: "${url}/page" }`,
    env: { AGENTS_ALLOWED_ADDRESSES: host },
  });
  return { ...provoked, replace: [[host, "127.0.0.1:PORT"]] };
}

const needsSandbox =
  LINUX && Bun.which("bwrap") !== null && Bun.which("python3") !== null
    ? undefined
    : "it needs bubblewrap and Python";
const needsRootOnLinux =
  LINUX && ROOT ? undefined : "it needs root on Linux, to mount or to become another user";
const needsUnix = process.platform === "win32" ? "Windows has no such rights" : undefined;

/** What runs a program as somebody who may do little: as this user when that is not root. */
async function asAnotherUser({ home }: World): Promise<Pick<Provoked, "before" | "executable">> {
  await chmod(home.path, 0o755);
  if (!ROOT) return {};
  await chown(home.cwd, NOBODY, NOBODY);
  const setpriv = Bun.which("setpriv") ?? "/usr/bin/setpriv";
  const id = String(NOBODY);
  const before = [setpriv, `--reuid=${id}`, `--regid=${id}`, "--clear-groups"];
  const mayRun = Bun.spawnSync([...before, EXECUTABLE, "--version"]).exitCode === 0;
  if (mayRun) return { before };
  const executable = join(home.path, "agents");
  await copyFile(EXECUTABLE, executable);
  await chmod(executable, 0o755);
  return { before, executable };
}

/** A file system of 1 MiB at the data folder. @returns a way to mount it anew with other options. */
async function mountSmall(world: World): Promise<(options: string) => void> {
  const { dataDir } = world.home;
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const mount = (options: string) => {
    const tool = Bun.which("mount") ?? "mount";
    const mounted = Bun.spawnSync([tool, "-t", "tmpfs", "-o", options, "tmpfs", dataDir]);
    if (mounted.exitCode !== 0) throw new Error(mounted.stderr.toString());
  };
  mount(`size=${FULL_FOLDER_BYTES},mode=700`);
  world.cleanups.push(() => {
    Bun.spawnSync([Bun.which("umount") ?? "umount", "--lazy", dataDir]);
  });
  return (options) => mount(`remount,${options}`);
}

/** Writes until nothing more fits. */
async function fill(folder: string): Promise<void> {
  for (const size of [64 * 1024, 4 * 1024, 512]) {
    for (let index = 0; ; index += 1) {
      try {
        await writeFile(join(folder, `filler-${size}-${index}`), new Uint8Array(size));
      } catch {
        // It is full for this size.
        break;
      }
    }
  }
}

/** A data folder that was used before. */
async function useOnce({ home }: World): Promise<void> {
  const { code, stderr } = await runAgents([...RUN, "--provider", "demo"], { home });
  if (code !== 0) throw new Error(stderr);
}

const CASES: readonly Case[] = [
  // The command line.
  { name: "unknown-command", exitCode: 2, provoke: () => ({ argv: ["strat"] }) },
  { name: "unknown-flag", exitCode: 2, provoke: () => ({ argv: ["start", "--prot", "1"] }) },
  { name: "missing-argument", exitCode: 2, provoke: () => ({ argv: ["run"] }) },
  { name: "bad-choice", exitCode: 2, provoke: () => ({ argv: [...RUN, "--provider", "opnai"] }) },
  { name: "file-not-found", exitCode: 4, provoke: () => ({ argv: ["run", "missing.yaml"] }) },
  { name: "run-not-found", exitCode: 4, provoke: () => ({ argv: ["runs", "zzzz"] }) },
  // Settings.
  {
    name: "bad-variable-in-env-file",
    exitCode: 5,
    async provoke({ home }) {
      await Bun.write(join(home.cwd, ".env"), "# Ours\nAGENTS_HOST=127.0.0.1\nAGENTS_PORT=78612\n");
      return { argv: ["start", "--yes"] };
    },
  },
  {
    name: "bad-variables-everywhere",
    exitCode: 5,
    async provoke({ home }) {
      await Bun.write(join(home.cwd, ".env"), `AGENTS_PROVIDER=opnai\nOPENAI_API_KEY="${SECRET}\n`);
      return { argv: ["start", "--yes", "--workers", "none"], env: { AGENTS_PORT: "http" } };
    },
  },
  {
    name: "postgres-url",
    exitCode: 5,
    provoke: () => ({
      argv: ["start", "--yes", "--db-url", `postgres://ada:${SECRET}@db.example.com/agents`],
    }),
  },
  {
    name: "data-folder-is-a-file",
    exitCode: 2,
    async provoke({ home }) {
      await Bun.write(join(home.cwd, "file"), "");
      return { argv: ["start", "--yes", "--port", "0", "--data-dir", "file"] };
    },
  },
  {
    name: "no-password-for-other-addresses",
    exitCode: 25,
    provoke: () => ({ argv: ["start", "--yes", "--port", "0", "--host", "0.0.0.0"] }),
  },
  {
    name: "foreign-address",
    exitCode: 5,
    provoke: () => ({
      argv: ["start", "--yes", "--port", "0", "--host", "192.0.2.1"],
      env: { AGENTS_ADMIN_PASSWORD: `${SECRET}-password` },
    }),
  },
  // Start and stop.
  {
    name: "port-in-use",
    exitCode: 6,
    async provoke({ cleanups }) {
      const holder = await startAgents();
      cleanups.push(() => holder[Symbol.asyncDispose]());
      const { port } = new URL(holder.url);
      const pid = String(holder.child.pid);
      return {
        argv: ["start", "--yes", "--port", port],
        replace: [
          [new RegExp(`process ${pid} \\(\\S*agents[^)]*\\)`), "process PID (COMMAND)"],
          [new RegExp(`\\b${port}\\b`, "g"), "PORT"],
          [/--port \d+, which/, "--port FREE, which"],
        ],
      };
    },
  },
  {
    name: "privileged-port",
    exitCode: 7,
    impossible: needsRootOnLinux ?? privilegedPortsAreOpen(),
    provoke: async (world) => ({
      argv: ["start", "--yes", "--port", "80", "--data-dir", "data"],
      ...(await asAnotherUser(world)),
    }),
  },
  {
    name: "already-running",
    exitCode: 20,
    async provoke({ home, cleanups }) {
      const first = await startAgents({ home });
      cleanups.push(() => first[Symbol.asyncDispose]());
      return {
        argv: ["start", "--yes", "--port", "0"],
        replace: [
          [new URL(first.url).host, "127.0.0.1:PORT"],
          [new URL(first.url).host, "127.0.0.1:PORT"],
          [`process ${first.child.pid}`, "process PID"],
        ],
      };
    },
  },
  { name: "not-running", exitCode: 21, provoke: () => ({ argv: ["stop"] }) },
  // The disk.
  {
    name: "permission-denied",
    exitCode: 7,
    impossible: needsUnix,
    async provoke(world) {
      const { home } = world;
      const other = await asAnotherUser(world);
      await mkdir(join(home.path, "locked"), { mode: 0o500 });
      return { argv: ["start", "--yes", "--port", "0", "--data-dir", "../locked"], ...other };
    },
  },
  {
    name: "permission-denied-to-write",
    exitCode: 7,
    impossible: needsUnix,
    async provoke(world) {
      const { home } = world;
      const other = await asAnotherUser(world);
      await mkdir(join(home.path, "others"));
      await chmod(join(home.path, "others"), 0o555);
      return { argv: ["start", "--yes", "--port", "0", "--data-dir", "../others"], ...other };
    },
  },
  {
    name: "permission-denied-inside-the-folder",
    exitCode: 7,
    impossible: needsRootOnLinux,
    async provoke(world) {
      const { home } = world;
      const other = await asAnotherUser(world);
      await useOnce(world);
      await chown(home.dataDir, NOBODY, NOBODY);
      for (const folder of [".local", ".local/share"]) await chmod(join(home.path, folder), 0o755);
      await chown(join(home.dataDir, "secret.key"), NOBODY, NOBODY);
      return { argv: [...RUN, "--provider", "demo"], ...other };
    },
  },
  {
    name: "permission-denied-for-the-workflow",
    exitCode: 7,
    impossible: needsUnix,
    async provoke(world) {
      const other = await asAnotherUser(world);
      await chmod(join(world.home.cwd, "hello.yaml"), 0o000);
      return { argv: RUN, ...other };
    },
  },
  {
    name: "disk-full",
    exitCode: 8,
    impossible: needsRootOnLinux,
    async provoke(world) {
      await mountSmall(world);
      await fill(world.home.dataDir);
      return { argv: ["start", "--yes", "--port", "0"] };
    },
  },
  {
    name: "disk-full-at-a-run",
    exitCode: 8,
    impossible: needsRootOnLinux,
    async provoke(world) {
      await mountSmall(world);
      await useOnce(world);
      await fill(world.home.dataDir);
      return { argv: [...RUN, "--provider", "demo"] };
    },
  },
  {
    name: "read-only-folder",
    exitCode: 9,
    impossible: needsRootOnLinux,
    async provoke(world) {
      const remount = await mountSmall(world);
      remount("ro");
      return { argv: ["start", "--yes", "--port", "0"] };
    },
  },
  {
    name: "read-only-folder-with-data",
    exitCode: 9,
    impossible: needsRootOnLinux,
    async provoke(world) {
      const remount = await mountSmall(world);
      await useOnce(world);
      remount("ro");
      return { argv: ["start", "--yes", "--port", "0"] };
    },
  },
  {
    name: "read-only-folder-at-a-run",
    exitCode: 9,
    impossible: needsRootOnLinux,
    async provoke(world) {
      const remount = await mountSmall(world);
      await useOnce(world);
      remount("ro");
      return { argv: [...RUN, "--provider", "demo"] };
    },
  },
  // The database.
  {
    name: "database-locked",
    exitCode: 10,
    async provoke(world) {
      await useOnce(world);
      const holder = new Database(world.home.databasePath);
      holder.run("PRAGMA locking_mode = EXCLUSIVE");
      holder.run("BEGIN EXCLUSIVE");
      world.cleanups.push(() => holder.close());
      return { argv: [...RUN, "--provider", "demo"] };
    },
  },
  {
    name: "database-corrupt",
    exitCode: 11,
    async provoke(world) {
      await useOnce(world);
      await writeFile(world.home.databasePath, "This is no database.\n".repeat(1_000));
      return { argv: [...RUN, "--provider", "demo"] };
    },
  },
  {
    name: "database-newer",
    exitCode: 12,
    async provoke(world) {
      await useOnce(world);
      using database = new Database(world.home.databasePath);
      database.run(
        "INSERT INTO migrations SELECT '9999_from_the_future', sha256, applied_at FROM migrations LIMIT 1",
      );
      return { argv: [...RUN, "--provider", "demo"] };
    },
  },
  // Workflows and inputs.
  {
    name: "bad-yaml",
    verboseIsSame: true,
    exitCode: 3,
    async provoke({ home }) {
      await Bun.write(join(home.cwd, "bad.yaml"), BAD);
      return { argv: ["validate", "bad.yaml"] };
    },
  },
  {
    name: "bad-yaml-at-a-run",
    verboseIsSame: true,
    exitCode: 3,
    async provoke({ home }) {
      await Bun.write(join(home.cwd, "broken.yaml"), 'flow: { name: "hello }\nstate: [\n');
      return { argv: ["run", "broken.yaml"] };
    },
  },
  {
    name: "unsupported",
    verboseIsSame: true,
    exitCode: 3,
    async provoke({ home }) {
      const more = `config:
  ab_test: { enabled: true, experiment: hello, variants: [{ name: short, prompt: "Hi {name}" }] }
`;
      await Bun.write(join(home.cwd, "variants.yaml"), HELLO + more);
      return { argv: ["run", "variants.yaml", "--input", "name=Ada"] };
    },
  },
  {
    name: "no-sandbox",
    exitCode: 29,
    verboseIsSame: true,
    provoke: (world) => oneNode(world, { node: 'code: "result = 1"' }),
  },
  {
    name: "code-failed",
    exitCode: 33,
    verboseIsSame: true,
    impossible: needsSandbox,
    provoke: (world) =>
      oneNode(world, { node: 'code: "numbers = []\\nresult = numbers[3]"', sandbox: true }),
  },
  {
    name: "wrong-result-of-code",
    exitCode: 17,
    impossible: needsSandbox,
    provoke: (world) => oneNode(world, { node: `code: "result = 'many'"`, sandbox: true }),
  },
  {
    name: "command-failed",
    exitCode: 34,
    verboseIsSame: true,
    impossible: needsUnix,
    provoke: (world) =>
      oneNode(world, {
        node: 'cli: { command: [sh, "-c", "echo it is broken >&2; exit 3"] }',
        env: { ALLOWED_COMMANDS: "sh", PATH: "/usr/bin:/bin" },
      }),
  },
  {
    name: "command-not-installed",
    exitCode: 4,
    verboseIsSame: true,
    provoke: (world) => oneNode(world, { node: "cli: { command: [claude, --version] }" }),
  },
  {
    name: "private-address",
    exitCode: 25,
    verboseIsSame: true,
    provoke: (world) => oneNode(world, { node: 'http: { url: "http://169.254.169.254/latest" }' }),
  },
  {
    name: "http-refused",
    exitCode: 18,
    verboseIsSame: true,
    provoke: (world) => oneNodeAt(world, () => new Response("No such page.", { status: 404 })),
  },
  {
    name: "agent-failed",
    exitCode: 35,
    verboseIsSame: true,
    async provoke(world) {
      const url = serveFor(world, () => new Response("Not an agent.", { status: 404 }));
      const host = new URL(url).host;
      return {
        ...(await oneNode(world, {
          node: `agent: { url: "${url}", protocol: a2a }\n    prompt: Hello`,
          env: { AGENTS_ALLOWED_ADDRESSES: host },
        })),
        replace: [[host, "127.0.0.1:PORT"]],
      };
    },
  },
  {
    name: "condition-failed",
    exitCode: 32,
    verboseIsSame: true,
    provoke: (world) => oneNode(world, { node: 'wait: 1\n    when: state.number > "high"' }),
  },
  {
    name: "approval-rejected",
    exitCode: 30,
    verboseIsSame: true,
    provoke: (world) =>
      oneNode(world, { node: "approval: { message: Publish?, timeout: 1, on_timeout: reject }" }),
  },
  {
    name: "budget-exceeded",
    exitCode: 28,
    verboseIsSame: true,
    async provoke(world) {
      const { home, models } = world;
      const text = HELLO.replace("{ from: greet, to: END }", LOOP).replace(
        "text: { type: str }",
        "text: { type: str }\n    done: { type: bool }",
      );
      await Bun.write(
        join(home.cwd, "loop.yaml"),
        `${text}config: { budget: { max_tokens: 1 } }\n`,
      );
      const env = { ...keys(world), OPENAI_BASE_URL: models.baseUrlFor("openai") };
      return { argv: ["run", "loop.yaml", "--input", "name=Ada", "--provider", "openai"], env };
    },
  },
  {
    name: "wrong-state-for-a-resume",
    exitCode: 22,
    verboseIsSame: true,
    async provoke({ home }) {
      await Bun.write(join(home.cwd, "hello.yaml"), HELLO);
      const { stdout } = await runAgents([...RUN, "--provider", "demo", "--json"], { home });
      const { id } = JSON.parse(stdout) as { id: string };
      return { argv: ["resume", id], replace: [[id, "RUN"]] };
    },
  },
  {
    name: "no-such-step",
    exitCode: 4,
    verboseIsSame: true,
    async provoke({ home }) {
      await Bun.write(join(home.cwd, "hello.yaml"), HELLO);
      const { stdout } = await runAgents([...RUN, "--provider", "demo", "--json"], { home });
      const { id } = JSON.parse(stdout) as { id: string };
      return { argv: ["fork", id, "--from", "gret"], replace: [[id, "RUN"]] };
    },
  },
  {
    name: "workflow-too-large",
    exitCode: 26,
    async provoke({ home }) {
      await Bun.write(join(home.cwd, "large.yaml"), `${HELLO}${"# filler\n".repeat(200_000)}`);
      return { argv: ["run", "large.yaml"] };
    },
  },
  {
    name: "wrong-inputs",
    exitCode: 2,
    provoke: () => ({ argv: ["run", "hello.yaml", "-i", "nmae=Ada", "-i", "times=often"] }),
  },
  { name: "missing-input", exitCode: 2, provoke: () => ({ argv: ["run", "hello.yaml"] }) },
  { name: "malformed-input", exitCode: 2, provoke: () => ({ argv: [...RUN, "-i", "times"] }) },
  // Models.
  {
    name: "missing-key",
    verboseIsSame: true,
    exitCode: 13,
    provoke: () => ({ argv: [...RUN, "--provider", "openai"] }),
  },
  {
    name: "missing-address",
    verboseIsSame: true,
    exitCode: 13,
    provoke: () => ({ argv: [...RUN, "--provider", "openai-compatible"] }),
  },
  {
    name: "key-rejected",
    exitCode: 13,
    provoke: (world) => ({
      argv: [...RUN, "--provider", "openai"],
      env: { ...keys(world), OPENAI_API_KEY: `bad-${SECRET}-0000000000` },
    }),
  },
  {
    name: "key-rejected-by-google",
    exitCode: 13,
    provoke: (world) => ({
      argv: [...RUN, "--provider", "google"],
      env: { ...keys(world), GOOGLE_API_KEY: `bad-${SECRET}-0000000000` },
    }),
  },
  {
    name: "unknown-model",
    exitCode: 14,
    provoke(world) {
      world.models.next({
        kind: "status",
        status: 404,
        code: "model_not_found",
        message: "The model `gpt-6-lunna` does not exist.",
      });
      return { argv: [...RUN, "--provider", "openai", "--model", "gpt-6-lunna"], env: keys(world) };
    },
  },
  {
    name: "provider-unreachable",
    exitCode: 15,
    provoke: (world) => ({
      argv: [...RUN, "--provider", "openai"],
      env: { ...keys(world), OPENAI_BASE_URL: "http://127.0.0.1:9/v1" },
    }),
  },
  {
    name: "ollama-not-running",
    exitCode: 15,
    provoke: () => ({
      argv: [...RUN, "--provider", "ollama", "--model", "llama3.2"],
      env: { OLLAMA_BASE_URL: "http://127.0.0.1:9" },
    }),
  },
  {
    name: "provider-fault",
    exitCode: 15,
    provoke: (world) => ({
      argv: [...RUN, "--provider", "anthropic", "--model", "mock-500"],
      env: keys(world),
    }),
  },
  {
    name: "rate-limited",
    exitCode: 16,
    provoke: (world) => ({
      argv: [...RUN, "--provider", "openai", "--model", "mock-429"],
      env: keys(world),
    }),
  },
];

/** Containers often let everyone listen on every port. */
function privilegedPortsAreOpen(): string | undefined {
  const path = "/proc/sys/net/ipv4/ip_unprivileged_port_start";
  const first = existsSync(path) ? Number(readFileSync(path, "utf8")) : 1024;
  return first > 80 ? undefined : "every user may listen on port 80 here";
}

describe.each(CASES)("$name", ({ name, exitCode, impossible, verboseIsSame, provoke }) => {
  if (impossible !== undefined) skipLoudly(`error ${name}`, impossible);
  let world: World;
  beforeAll(async () => {
    const home = await createHome();
    await Bun.write(join(home.cwd, "hello.yaml"), HELLO);
    world = { home, models: await startModelServer(), cleanups: [] };
  });
  afterAll(() => endWorld(world));

  test.skipIf(impossible !== undefined)(
    `exits ${exitCode} and says what happened and what to do`,
    async () => {
      const provoked = await provoke(world);
      const { home } = world;
      const running = agentsProcesses(home.path).length;
      const options = { ...provoked, home };
      const finished = await runAgents(provoked.argv, options);
      const shown = shownText(provoked, finished, world);
      await expectGolden(`${name}.txt`, shown);
      expect(finished.code).toBe(exitCode);
      expectNarrow(finished, home);
      expect(agentsProcesses(home.path)).toHaveLength(running);
      expect(finished.stdout + finished.stderr).not.toContain(SECRET);
      expect(finished.stderr).toMatch(/Fix: |fix: /i);

      expect(finished.stderr).not.toContain("Details:");

      // What is played to the client is played once.
      if (name === "unknown-model") await provoke(world);
      const verbose = await runAgents([...provoked.argv, "--verbose"], options);
      expect(verbose.code).toBe(exitCode);
      expect(verbose.stdout + verbose.stderr).not.toContain(SECRET);
      if (verboseIsSame !== true) expect(verbose.stderr).toMatch(/^Details:$/m);
      await expectNoSecretIn(home.dataDir);
    },
  );
});

/** The faults of storage with data in it: reading goes on, nothing is lost, and it heals by itself. */
describe("with data of before", () => {
  let world: World;
  beforeEach(async () => {
    const home = await createHome();
    await Bun.write(join(home.cwd, "hello.yaml"), HELLO);
    world = { home, models: await startModelServer(), cleanups: [] };
  });
  afterEach(() => endWorld(world));

  const run = () => runAgents([...RUN, "--provider", "demo", "--json"], world);
  /** A start while the fault is there, and what it is like; `heal` ends the fault. */
  async function expectDegraded(code: string, heal: () => unknown): Promise<void> {
    await using server = await startAgents({ home: world.home, flags: ["--no-mlflow"] });
    const page = await fetch(server.url);
    expect(page.status).toBe(200);
    expect(await page.text()).toContain("Degraded");
    const health = await fetch(`${server.url}health`);
    expect(await health.json()).toMatchObject({ status: "degraded", database: { code } });
    expect(await readiness(server.url)).toBe(503);
    // Told to people: no stacks, no source text.
    expect(server.output()).not.toMatch(/^.*\| +at |\bnew AppError\b/m);
    await heal();
    await waitFor(async () => (await readiness(server.url)) === 200, "it to heal");
    expect((await run()).code).toBe(0);
  }

  test.skipIf(needsRootOnLinux !== undefined)(
    "a full disk: pages answer, runs are listed",
    async () => {
      await mountSmall(world);
      await useOnce(world);
      await fill(world.home.dataDir);
      const listed = await runAgents(["runs"], world);
      expect(listed).toMatchObject({
        code: 0,
        stdout: expect.stringContaining("succeeded  hello"),
      });
      await expectDegraded("disk_full", async () => {
        for (const name of await readdir(world.home.dataDir))
          if (name.startsWith("filler-")) await unlink(join(world.home.dataDir, name));
      });
    },
  );

  test.skipIf(needsRootOnLinux !== undefined)(
    "a read-only folder: runs and status are shown",
    async () => {
      const remount = await mountSmall(world);
      await useOnce(world);
      remount("ro");
      const listed = await runAgents(["runs"], world);
      expect(listed).toMatchObject({
        code: 0,
        stdout: expect.stringContaining("succeeded  hello"),
      });
      const status = await runAgents(["status"], world);
      expect(status.stdout).toContain("Runs: 1 succeeded");
    },
  );

  test("a locked database: pages answer, and it goes on when the lock is gone", async () => {
    await useOnce(world);
    const holder = new Database(world.home.databasePath);
    world.cleanups.push(() => holder.close());
    holder.run("PRAGMA locking_mode = EXCLUSIVE");
    holder.run("BEGIN EXCLUSIVE");
    await expectDegraded("database_locked", () => holder.close());
  });

  test("a damaged database is kept; doctor --repair sets it aside", async () => {
    await useOnce(world);
    const { dataDir, databasePath } = world.home;
    const garbage = "This is no database.\n".repeat(1_000);
    for (const suffix of ["-wal", "-shm"]) await rm(databasePath + suffix, { force: true });
    await writeFile(databasePath, garbage);
    {
      await using server = await startAgents({ home: world.home, flags: ["--no-mlflow"] });
      expect(await (await fetch(server.url)).text()).toContain("agents doctor --repair");
      expect(await readiness(server.url)).toBe(503);
    }
    expect(await readFile(databasePath, "utf8")).toBe(garbage);
    expect((await runAgents(["doctor"], world)).code).toBe(11);
    const repaired = await runAgents(["doctor", "--repair"], world);
    const files = await readdir(dataDir);
    const aside = files.find((name) => /^agents\.db\..*corrupt/.test(name)) ?? "";
    expect(aside).not.toBe("");
    expect(repaired.stderr + repaired.stdout).toContain(aside);
    expect(await readFile(join(dataDir, aside), "utf8")).toBe(garbage);
    expect((await run()).code).toBe(0);
  });
});

async function readiness(url: string): Promise<number> {
  return (await fetch(`${url}health/readiness`)).status;
}

async function endWorld({ cleanups, models, home }: World): Promise<void> {
  for (const cleanup of cleanups.toReversed()) await cleanup();
  await models.stop();
  await home[Symbol.asyncDispose]();
}

/** What the product wrote must not hold what it was told in confidence. */
async function expectNoSecretIn(folder: string): Promise<void> {
  const entries = existsSync(folder)
    ? await readdir(folder, { recursive: true, withFileTypes: true })
    : [];
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) expect((await readFile(path, "latin1")).includes(SECRET)).toBe(false);
  }
}

function expectNarrow({ stdout, stderr }: Finished, home: Home): void {
  const wide = `${stdout}${stderr}`
    // A path is not broken, and that of a test is long.
    .replaceAll(home.path, "~")
    .split("\n")
    // The log of a run has a line for each event, however long.
    .filter((line) => Bun.stringWidth(line) > COLUMNS && !EVENT_LINE.test(line));
  expect(wide).toEqual([]);
}

/** The command, its exit code and its output, the same on every machine. */
function shownText({ argv, replace = [] }: Provoked, finished: Finished, world: World): string {
  const { home, models } = world;
  const equal = (text: string) => {
    let result = unwrap(text)
      .replaceAll(join(home.cwd, ""), "WORK")
      .replaceAll(home.dataDir, "DATA")
      .replaceAll(home.path, "HOME")
      .replaceAll(models.url, "http://MODELS");
    for (const [from, to] of replace) result = result.replaceAll(globally(from), to);
    return rewrap(
      result
        .replaceAll(/\b01[0-9a-hjkmnp-tv-z]{14}\b/g, "RUN")
        .replaceAll(/\bcli-\d+/g, "cli-PID")
        .replaceAll(/^ *\d+(?:\.\d+)? m?s(?= )/gm, "    TIME")
        .replaceAll(/\d+(?:\.\d+)? m?s(?=,|$)/gm, "TIME"),
    );
  };
  const command = replace.reduce<string>(
    (text, [from, to]) => text.replaceAll(globally(from), to),
    `agents ${argv.join(" ")}`,
  );
  const sections = [
    `$ ${command}`,
    ...(finished.stdout === "" ? [] : ["--- standard output", equal(finished.stdout).trimEnd()]),
    ...(finished.stderr === "" ? [] : ["--- standard error", equal(finished.stderr).trimEnd()]),
    `--- exit code ${finished.code}`,
  ];
  return `${sections.join("\n")}\n`;
}

const globally = (from: string | RegExp) =>
  typeof from === "string" ? from : new RegExp(from.source, "g");

const EVENT_LINE = /^ +\d+(?:\.\d+)? m?s {2}/;
const LABEL = /^(?:error|Fix|Details|Warning|Note): ?/;

/** Joins the lines of a wrapped paragraph, which break elsewhere on a machine with longer paths. */
function unwrap(text: string): string {
  const lines: string[] = [];
  let inParagraph = false;
  for (const line of text.split("\n")) {
    const last = lines.at(-1) ?? "";
    const goesOn = inParagraph && /^\S/.test(line) && !LABEL.test(line);
    const itemGoesOn = inParagraph && /^ {2}\S/.test(last) && /^ {4}\S/.test(line);
    if (goesOn || itemGoesOn) lines[lines.length - 1] = `${last} ${line.trim()}`;
    else lines.push(line);
    inParagraph = line !== "" && (inParagraph || LABEL.test(line));
  }
  return lines.join("\n");
}

function rewrap(text: string): string {
  return text
    .split("\n")
    .flatMap((line) => (LABEL.test(line) || /^ {2}\S/.test(line) ? wrap(line) : [line]))
    .join("\n");
}

function wrap(line: string): string[] {
  const indent = /^ */.exec(line)?.[0] ?? "";
  const lines: string[] = [];
  let current = indent;
  for (const word of line.trim().split(" ")) {
    const joined = current.trim() === "" ? `${current}${word}` : `${current} ${word}`;
    if (joined.length <= COLUMNS || current.trim() === "") current = joined;
    else {
      lines.push(current);
      current = indent === "" ? word : `${indent}  ${word}`;
    }
  }
  return [...lines, current];
}

async function expectGolden(name: string, text: string): Promise<void> {
  const path = join(GOLDEN, name);
  if (process.env["UPDATE"] === "1") await Bun.write(path, text);
  const golden = Bun.file(path);
  expect(text).toBe((await golden.exists()) ? await golden.text() : "(there is no golden file)");
}

test("every golden file belongs to a case", async () => {
  const files = await readdir(GOLDEN);
  expect(files.toSorted()).toEqual(CASES.map(({ name }) => `${name}.txt`).toSorted());
});
