/**
 * The executable as someone has it who has only this file: an empty home, nothing on the PATH. Holds
 * that it sets itself up, keeps what it made, takes nothing from the folder that it happens to be in,
 * and can be watched and stopped.
 */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { chmod, copyFile, link, mkdir, readdir, readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import {
  agentsProcesses,
  createHome,
  EXECUTABLE,
  type Home,
  killQuietly,
  PATIENCE_MS,
  queryDatabase,
  runAgents,
  type RunningAgents,
  skipLoudly,
  spawnAgents,
  startAgents,
  waitFor,
} from "../support/agents.ts";
import { startModelServer } from "../support/model-server.ts";

setDefaultTimeout(PATIENCE_MS);

const WINDOWS = process.platform === "win32";
const EXAMPLE = join(import.meta.dir, "../../examples/greeting.yaml");
const RUN = ["run", EXAMPLE, "--provider", "demo", "--input", "name=Ada", "--json"];

/** What must survive a restart. */
function keptData({ databasePath }: Home) {
  const rows = (sql: string) => queryDatabase<Record<string, unknown>>(databasePath, sql);
  return {
    migrations: rows("SELECT * FROM migrations ORDER BY 1"),
    runs: rows('SELECT id, state, "values" FROM runs ORDER BY id'),
    workflows: rows("SELECT id, name, version_hash FROM workflows ORDER BY id"),
    events: rows("SELECT run_id, count(*) AS count FROM events GROUP BY run_id ORDER BY run_id"),
  };
}

async function statusOf(url: string): Promise<number> {
  const response = await fetch(url);
  await response.arrayBuffer();
  return response.status;
}

function freePort(): number {
  using listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  return listener.port;
}

describe("a first start in an empty home", () => {
  test("answers on its pages; the second one migrates nothing and keeps all", async () => {
    await using home = await createHome();
    const port = freePort();
    const flags = ["--port", String(port)];
    let before: ReturnType<typeof keptData>;
    let secretKey: string;
    {
      await using first = await startAgents({ home, flags });
      expect(first.url).toBe(`http://127.0.0.1:${port}/`);
      for (const path of ["", "health", "health/readiness", "health/liveness"]) {
        expect(`${path} ${await statusOf(first.url + path)}`).toBe(`${path} 200`);
      }
      expect((await runAgents(RUN, { home })).code).toBe(0);
      expect(await first.stop()).toBe(0);
      before = keptData(home);
      secretKey = await readFile(join(home.dataDir, "secret.key"), "utf8");
      expect(agentsProcesses(home.path)).toEqual([]);
    }
    expect(before.runs).toHaveLength(1);
    expect(before.migrations.length).toBeGreaterThan(0);
    expect(secretKey).toMatch(/^[0-9a-f]{64}\n$/);

    await using second = await startAgents({ home, flags });
    expect(await statusOf(`${second.url}health/readiness`)).toBe(200);
    expect(second.output()).not.toMatch(/brought up to date|without a shutdown/);
    expect(keptData(home)).toEqual(before);
    expect(await readFile(join(home.dataDir, "secret.key"), "utf8")).toBe(secretKey);
    expect((await readdir(home.dataDir)).filter((name) => /backup|corrupt/.test(name))).toEqual([]);
    expect(await statusOf(`${second.url}runs`)).toBe(200);
    expect(await second.stop()).toBe(0);
  });

  test("without MLflow it says so and is complete all the same", async () => {
    await using running = await startAgents();
    await running.waitForOutput(/mlflow: off \(MLflow is not installed\.\) Fix: /);
    expect(await statusOf(running.url)).toBe(200);
  });

  test.skipIf(WINDOWS)(
    "its folder is 0700, every file below 0600, while it runs and after",
    async () => {
      await using home = await createHome();
      const running = await startAgents({ home });
      expect((await runAgents(RUN, { home })).code).toBe(0);
      const expectPrivate = async (least: number) => {
        const entries = await readdir(home.dataDir, { recursive: true, withFileTypes: true });
        const shown = await Promise.all(
          entries.map(async (entry) => {
            const { mode } = await stat(join(entry.parentPath, entry.name));
            return `${(mode & 0o777).toString(8)} ${entry.isDirectory() ? "folder" : "file"} ${entry.name}`;
          }),
        );
        expect(shown.length).toBeGreaterThanOrEqual(least);
        expect(shown.filter((line) => !/^(700 folder|600 file) /.test(line))).toEqual([]);
        expect((await stat(home.dataDir)).mode & 0o777).toBe(0o700);
      };
      // Database with its companions, lock, address, key; then without what only runs.
      await expectPrivate(6);
      await running.stop();
      await expectPrivate(3);
    },
  );

  test("a second start on the same folder is refused and told the address of the first", async () => {
    await using running = await startAgents();
    const second = await runAgents(["start", "--yes", "--port", "0"], { home: running.home });
    expect(second).toEqual({
      code: 20,
      stdout: "",
      stderr: expect.stringContaining(`agents is already running at ${running.url}`),
    });
    expect(await statusOf(running.url)).toBe(200);
    const roles = agentsProcesses(running.home.path).map(({ role }) => role);
    const own = roles.filter((role) => role === "start" || role.startsWith("worker-"));
    expect(own.toSorted()).toEqual(["start", "worker-1", "worker-2"]);
  });

  test("two starts at the same moment: one serves, one is refused", async () => {
    await using home = await createHome();
    const argv = ["start", "--yes", "--port", "0", "--no-mlflow"];
    const starts = [spawnAgents(argv, { home }), spawnAgents(argv, { home })];
    await waitFor(
      () => starts.some(({ child }) => child.exitCode !== null),
      () => `one of two starts to give up:\n${starts.map((one) => one.output()).join("\n---\n")}`,
    );
    const [refused, serving] = starts.toSorted(
      (a, b) => Number(a.child.exitCode === null) - Number(b.child.exitCode === null),
    );
    await refused?.closed;
    expect(refused?.stderr()).toContain("already running");
    expect(refused?.child.exitCode).toBe(20);
    const [, url = ""] = (await serving?.waitForOutput(/Dashboard +(http\S+)/)) ?? [];
    expect(await statusOf(url)).toBe(200);
    serving?.child.kill("SIGTERM");
    expect(await serving?.child.exited).toBe(0);
  });

  test.skipIf(WINDOWS)("goes on when nobody reads its output any more", async () => {
    await using home = await createHome();
    const shell = ["/bin/sh", "-c", '"$0" "$@" 2>&1 | { read line; echo "$line"; }'];
    const argv = ["start", "--yes", "--port", "0", "--no-mlflow"];
    const spawned = spawnAgents(argv, { home, before: shell });
    await spawned.waitForOutput(/\n/);
    const workers = async () => {
      const { services } = JSON.parse((await runAgents(["status", "--json"], { home })).stdout);
      return (services as { name: string; state: string; pid: number }[]).filter(
        ({ name, state }) => name.startsWith("worker-") && state === "running",
      );
    };
    await waitFor(async () => (await workers()).length === 2, "both workers to run");
    const victim = agentsProcesses(home.path).find(({ role }) => role === "worker-1");
    killQuietly(victim?.pid ?? 0, "SIGKILL");
    await waitFor(
      async () => (await workers()).filter(({ pid }) => pid !== victim?.pid).length === 2,
      "the worker to be started again",
    );
    expect((await runAgents(["stop"], { home })).code).toBe(0);
    await spawned.child.exited;
    expect(spawned.output()).not.toContain("EPIPE");
    expect(agentsProcesses(home.path)).toEqual([]);
  });

  test("another address than the loopback is refused without a password, and leaves nothing running", async () => {
    await using home = await createHome();
    const refused = await runAgents(["start", "--yes", "--port", "0", "--host", "0.0.0.0"], {
      home,
    });
    expect(refused.stderr).toContain("password");
    expect(refused).toEqual({ code: 25, stdout: "", stderr: expect.stringContaining("Fix: ") });
    expect(agentsProcesses(home.path)).toEqual([]);

    const input = "correct horse battery\n";
    expect((await runAgents(["password", "--stdin"], { home, input })).code).toBe(0);
    await using running = await startAgents({ home, flags: ["--host", "0.0.0.0"] });
    const { port } = new URL(running.url);
    const answer = await fetch(`http://127.0.0.1:${port}/`, { redirect: "manual" });
    expect(answer.status).not.toBe(200);
    expect(await answer.text()).not.toContain("worker-1");
    expect(await statusOf(`http://127.0.0.1:${port}/health/liveness`)).toBe(200);
  });

  test("another address than the loopback is served to holders of tokens, without a password", async () => {
    await using home = await createHome();
    const body = JSON.stringify({ name: "Far away", scope: "read" });
    const json = { "Content-Type": "application/json" };
    let token = "";
    {
      await using local = await startAgents({ home });
      const made = await fetch(`${local.url}api/v1/tokens`, {
        method: "POST",
        headers: json,
        body,
      });
      token = /agents_[\w-]{43}/.exec(await made.text())?.[0] ?? "";
    }
    await using open = await startAgents({ home, flags: ["--host", "0.0.0.0"] });
    const address = `http://127.0.0.1:${new URL(open.url).port}/api/v1`;
    const headers = { Authorization: `Bearer ${token}` };
    expect((await fetch(`${address}/status`)).status).toBe(401);
    expect((await fetch(`${address}/status`, { headers })).status).toBe(200);
    const write = { method: "POST", headers: { ...json, ...headers }, body };
    expect((await fetch(`${address}/tokens`, write)).status).toBe(403);
  });
});

/** Every file that Bun, TypeScript or npm would read in a working folder, each one with a trap. */
async function layTraps(folder: string, mark: string): Promise<void> {
  const trap = `require("node:fs").appendFileSync(${JSON.stringify(mark)}, "sprung\\n");\n`;
  const files: Record<string, string> = {
    "trap.js": trap,
    "trap.ts": trap,
    "bunfig.toml": 'preload = ["./trap.ts"]\nlogLevel = "debug"\n[run]\nbun = true\n',
    "tsconfig.json": JSON.stringify({
      compilerOptions: { baseUrl: ".", paths: { "*": ["./trap.ts"], hono: ["./trap.ts"] } },
    }),
    "package.json": JSON.stringify({
      name: "trap",
      type: "commonjs",
      main: "./trap.js",
      imports: { "#*": "./trap.js" },
      browser: { hono: "./trap.js" },
    }),
    "node_modules/hono/package.json": JSON.stringify({ name: "hono", main: "index.js" }),
    "node_modules/hono/index.js": trap,
    "node_modules/ai/index.js": trap,
    ".env":
      "AGENTS_WORKERS=1\nTRAP_VARIABLE=1\nBUN_OPTIONS=--preload=./trap.ts\nPATH=/trap\nHOME=/trap\n",
    ".env.local": "AGENTS_WORKERS=7\n",
    ".env.production": "AGENTS_WORKERS=7\n",
    ".env.development": "AGENTS_WORKERS=7\n",
  };
  for (const [name, text] of Object.entries(files)) await Bun.write(join(folder, name), text);
}

describe("files beside the executable and in the working folder", () => {
  test("none is loaded; of .env only the settings that are documented count", async () => {
    await using home = await createHome();
    const folder = join(home.path, "hostile");
    const mark = join(home.path, "sprung");
    await mkdir(folder);
    await layTraps(folder, mark);
    const executable = join(folder, basename(EXECUTABLE));
    // A link where it can be one: a copy is 110 MB.
    await link(EXECUTABLE, executable).catch(() => copyFile(EXECUTABLE, executable));
    if (!WINDOWS) await chmod(executable, 0o755);

    await using running = await startAgents({ home, executable, cwd: folder });
    expect(await statusOf(running.url)).toBe(200);
    const run = await runAgents(RUN, { home, executable, cwd: folder });
    expect(run.code).toBe(0);
    expect(JSON.parse(run.stdout).state).toBe("succeeded");

    expect(await Bun.file(mark).exists()).toBe(false);
    const processes = agentsProcesses(home.path);
    // AGENTS_WORKERS=1 of .env is a setting; the other .env files are no source.
    const workers = processes.filter(({ role }) => role.startsWith("worker-"));
    expect(workers.map(({ role }) => role)).toEqual(["worker-1"]);
    expect(home.dataDir.startsWith(home.path) && (await stat(home.dataDir)).isDirectory()).toBe(
      true,
    );
    if (process.platform !== "linux") return;
    for (const { pid } of processes) {
      const environment = await readFile(`/proc/${pid}/environ`, "utf8");
      expect(environment).not.toContain("TRAP_VARIABLE");
      expect(environment).not.toContain("/trap");
    }
  });
});

describe("commands beside a running server", () => {
  let running: RunningAgents;
  let home: Home;
  beforeAll(async () => {
    home = await createHome();
    running = await startAgents({ home });
  });
  afterAll(async () => {
    await running.stop();
    await home[Symbol.asyncDispose]();
  });

  test("status shows the services, also as one JSON document", async () => {
    const shown = await runAgents(["status"], { home });
    expect({ code: shown.code, stderr: shown.stderr }).toEqual({ code: 0, stderr: "" });
    expect(shown.stdout).toContain(`agents runs on ${running.url} (process ${running.child.pid}`);
    for (const name of ["dashboard", "worker-1", "worker-2"]) {
      expect(shown.stdout).toMatch(new RegExp(`^${name} +running`, "m"));
    }
    const { stdout, code } = await runAgents(["status", "--json"], { home });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      running: true,
      url: running.url,
      pid: running.child.pid,
      data_dir: home.dataDir,
      runs: { queued: 0, running: 0 },
    });
  });

  test("doctor finds nothing wrong", async () => {
    const { stdout, code } = await runAgents(["doctor", "--json"], { home });
    const { ok, checks } = JSON.parse(stdout);
    expect({ ok, code }).toEqual({ ok: true, code: 0 });
    expect(checks.filter((check: { state: string }) => check.state === "fail")).toEqual([]);
  });

  test("logs ends, logs --follow goes on until Ctrl-C", async () => {
    expect((await runAgents(["logs"], { home })).code).toBe(0);
    expect((await runAgents(["logs", "worker-1", "-n", "5"], { home })).code).toBe(0);
    const worker = agentsProcesses(home.path).find(({ role }) => role === "worker-1");
    const following = spawnAgents(["logs", "--follow"], { home });
    await waitFor(
      () => agentsProcesses(home.path).some(({ role }) => role === "logs"),
      "the command to run",
    );
    process.kill(worker?.pid ?? 0, "SIGKILL");
    await waitFor(async () => {
      const { services } = JSON.parse((await runAgents(["status", "--json"], { home })).stdout);
      const now = services.find((one: { name: string }) => one.name === "worker-1");
      return now.state === "running" && now.pid !== worker?.pid;
    }, "worker-1 to be back");
    expect(following.child.exitCode).toBe(null);
    following.child.kill("SIGINT");
    expect(await following.child.exited).toBe(0);
  });

  test("stop ends it, and everything that it started", async () => {
    const stopped = await runAgents(["stop"], { home });
    expect(stopped).toEqual({
      code: 0,
      stdout: `Stopped the server on ${running.url}.\n`,
      stderr: "",
    });
    expect(await running.child.exited).toBe(0);
    expect(agentsProcesses(home.path)).toEqual([]);
    const status = await runAgents(["status", "--json"], { home });
    expect(status.code).toBe(21);
    expect(JSON.parse(status.stdout)).toMatchObject({ running: false, url: null, services: [] });
  });
});

describe("commands that need no server", () => {
  test("setup --yes keeps a key that start uses, 0600 and never shown", async () => {
    await using home = await createHome();
    await using models = await startModelServer();
    const argv = ["setup", "--yes", "--provider", "openai", "--key-stdin", "--no-mlflow"];
    const key = "sk-SeCrEt-0123456789";
    const env = { OPENAI_BASE_URL: models.baseUrlFor("openai") };
    const setup = await runAgents(argv, { home, env, input: `${key}\n` });
    expect({ code: setup.code, stderr: setup.stderr }).toEqual({ code: 0, stderr: "" });
    expect(setup.stdout).not.toContain(key);
    const file = join(home.dataDir, ".env");
    if (!WINDOWS) expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readFile(file, "utf8")).toContain(`OPENAI_API_KEY=${key}`);

    await using running = await startAgents({ home, env });
    const run = await runAgents(["run", EXAMPLE, "--input", "name=Ada", "--json"], { home, env });
    expect(JSON.parse(run.stdout)).toMatchObject({ state: "succeeded", demo: false });
    expect(models.requests().at(-1)?.headers["authorization"]).toBe(`Bearer ${key}`);
    for (const path of ["", "settings", "health", "runs"]) {
      expect(await (await fetch(running.url + path)).text()).not.toContain(key);
    }
    expect(running.output() + run.stdout + run.stderr).not.toContain(key);
  });

  test("version, --version and -v print the same and make nothing", async () => {
    await using home = await createHome();
    for (const word of ["version", "--version", "-v"]) {
      expect(await runAgents([word], { home })).toEqual({
        code: 0,
        stdout: expect.stringMatching(/^\d+\.\d+\.\d+\S*\n$/),
        stderr: "",
      });
    }
    const { stdout } = await runAgents(["version", "--verbose"], { home });
    expect(stdout).toMatch(/^\S+\ncommit \S+\nBun \d/);
    expect(await readdir(home.path)).toEqual(["work"]);
  });

  test("help lists every command that there is help for", async () => {
    await using home = await createHome();
    const { stdout, code } = await runAgents(["help"], { home });
    expect(code).toBe(0);
    for (const name of await commandNames(home)) {
      expect(stdout).toContain(`  ${name}`);
      const help = await runAgents(["help", name], { home });
      expect(help.code).toBe(0);
      expect(help.stdout).toContain(`agents ${name}`);
      expect((await runAgents([name, "--help"], { home })).stdout).toBe(help.stdout);
    }
    expect(await readdir(home.path)).toEqual(["work"]);
  });

  test.each(["bash", "zsh", "fish", "powershell"])("completion %s is a script", async (shell) => {
    await using home = await createHome();
    const { code, stdout, stderr } = await runAgents(["completion", shell], { home });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    for (const word of ["start", "validate", "cancel"]) expect(stdout).toContain(word);
    const program = Bun.which(shell);
    if (program === null || shell === "powershell") return;
    const path = join(home.path, "script");
    await Bun.write(path, stdout);
    const check = Bun.spawnSync([program, "-n", path]);
    expect(check.stderr.toString()).toBe("");
    expect(check.exitCode).toBe(0);
  });
});

/** From the completion of bash, which has to know them all. */
async function commandNames(home: Home): Promise<string[]> {
  const { stdout } = await runAgents(["help"], { home });
  const names = [...stdout.matchAll(/^ {2}([a-z]+) {2,}\S/gm)].map(([, name = ""]) => name);
  expect(names.length).toBeGreaterThan(10);
  return names;
}

describe("no line is wider than 80 columns", () => {
  test("help of every command, doctor, status, runs, validate", async () => {
    await using home = await createHome();
    const names = await commandNames(home);
    const commands = [
      ["help"],
      ...names.map((name) => ["help", name]),
      ["doctor"],
      ["status"],
      ["runs"],
      ["version", "--verbose"],
      ["nonsense"],
      ["run"],
    ];
    for (const argv of commands) {
      const { stdout, stderr } = await runAgents(argv, { home });
      const wide = `${stdout}${stderr}`
        .split("\n")
        // A path cannot be broken, and that of a test is long.
        .filter((line) => Bun.stringWidth(line.replaceAll(home.path, "~")) > 80);
      expect({ argv, wide }).toEqual({ argv, wide: [] });
    }
  });
});

if (WINDOWS) skipLoudly("modes of the data folder", "Windows has none");
