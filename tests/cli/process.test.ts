/** Commands as processes: real arguments, streams, signals, files and exit codes. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { ERROR_CODES } from "../../src/domain/error.ts";

/** From another folder Bun would not find the settings that the views need. */
const PROGRAM = [
  "--no-env-file",
  `--tsconfig-override=${resolve("tsconfig.json")}`,
  resolve("src/main.ts"),
];
const WORKFLOW = `schema_version: "1.0"
flow: {name: hello}
state:
  fields:
    name: {type: str, required: true}
    times: {type: int, default: 1}
    text: {type: str}
nodes:
  - id: greet
    prompt: "Greet {name} {times} times."
    outputs: [text]
    output_schema: {type: str}
edges:
  - {from: START, to: greet}
  - {from: greet, to: END}
`;

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "agents-cli-"));
  await Bun.write(join(root, "hello.yaml"), WORKFLOW);
});
afterEach(() => rm(root, { recursive: true, force: true }));

interface Options {
  readonly environment?: Record<string, string>;
  readonly stdin?: string;
}

function spawn(argv: readonly string[], { environment = {}, stdin = "" }: Options = {}) {
  return Bun.spawn([process.execPath, ...PROGRAM, ...argv], {
    cwd: root,
    env: {
      PATH: process.env["PATH"] ?? "",
      HOME: join(root, "home"),
      NO_COLOR: "1",
      AGENTS_DATA_DIR: join(root, "data"),
      ...environment,
    },
    stdin: new Blob([stdin]),
    stdout: "pipe",
    stderr: "pipe",
  });
}

async function agents(argv: readonly string[], options?: Options) {
  const child = spawn(argv, options);
  const [out, errors, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { out, errors: errors.replaceAll(root, "ROOT"), code };
}

describe("arguments", () => {
  test("--version prints the version, and makes nothing", async () => {
    const { out, errors, code } = await agents(["--version"]);
    expect({ errors, code }).toEqual({ errors: "", code: 0 });
    expect(out).toMatch(/^\d+\.\d+\.\d+\S*\n$/);
    expect(await readdir(root)).not.toContain("data");
  });

  test("a mistyped command is answered with the nearest, exit code 2", async () => {
    expect(await agents(["strat"])).toEqual({
      out: "",
      errors:
        'error: There is no command "strat".\nFix: Did you mean `agents start`? `agents help` lists all commands.\n',
      code: 2,
    });
  });

  test("help works from a pipe and for a command", async () => {
    const help = await agents(["help", "run"]);
    expect(help.code).toBe(0);
    expect(help.out).toContain("Usage: agents run FILE [FLAGS]");
    expect((await agents(["run", "--help"])).out).toBe(help.out);
  });

  test("all bad settings are told at once, exit code 5, also as JSON", async () => {
    const { out, errors, code } = await agents(["runs", "--json"], {
      environment: { AGENTS_PORT: "x", AGENTS_WORKERS: "-1" },
    });
    expect(code).toBe(5);
    expect(errors).toStartWith("error: 2 settings are not valid:\n");
    expect(JSON.parse(out)).toEqual({
      error: {
        code: "config_invalid",
        message: expect.stringContaining("AGENTS_WORKERS"),
        fix: "Correct or remove these settings.",
      },
    });
  });

  test("start refuses another address without a password, exit code 25", async () => {
    const { errors, code } = await agents(["start", "--yes", "--host", "0.0.0.0", "--port", "0"]);
    expect(code).toBe(25);
    expect(errors.replaceAll("\n", " ")).toContain("no administrator password is set.");
    expect(errors).toContain("Fix: Run `agents password`");
  });

  test("password --stdin stores a hash that fits, 0600", async () => {
    const { code } = await agents(["password", "--stdin"], { stdin: "correct horse\n" });
    expect(code).toBe(0);
    const path = join(root, "data", ".env");
    const [, hash] = /^AGENTS_ADMIN_PASSWORD_HASH='(.*)'$/m.exec(await Bun.file(path).text()) ?? [];
    expect(await Bun.password.verify("correct horse", hash ?? "")).toBe(true);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await agents(["password", "--stdin"], { stdin: "short" })).code).toBe(2);
  });
});

describe("run", () => {
  const demo = ["run", "hello.yaml", "--provider", "demo"];

  test("--json prints one document on standard output and nothing else", async () => {
    const { out, errors, code } = await agents([
      ...demo,
      "-i",
      "name=Ada",
      "-i",
      "times=2",
      "--json",
    ]);
    expect({ errors, code }).toEqual({ errors: "", code: 0 });
    const document = JSON.parse(out);
    expect(document).toMatchObject({
      workflow: "hello",
      state: "succeeded",
      error: null,
      demo: true,
      cost_usd: 0,
      inputs: { name: "Ada", times: 2 },
    });
    const shown = JSON.parse((await agents(["runs", document.id.slice(0, 12), "--json"])).out);
    expect(shown.outputs).toEqual(document.outputs);
    expect(shown.steps).toHaveLength(1);
  });

  test("without a terminal progress is a line per event on standard error", async () => {
    await Bun.write(join(root, "in.yaml"), "name: Bo\ntimes: 3\n");
    const { out, errors, code } = await agents([...demo, "--input-file", "in.yaml"]);
    expect(code).toBe(0);
    expect(out).toStartWith("text:");
    expect(out).not.toContain("queued");
    expect(errors).toContain("greet: calls demo/demo (demo provider: no real AI is called)");
    expect(errors).toContain("demo provider: no real AI is called\n");
  });

  test.each([
    [["run", "missing.yaml"], 4, "Cannot read missing.yaml: there is no such file or folder."],
    [[...demo], 2, "name"],
    [[...demo, "-i", "nonsense"], 2, '--input "nonsense" is not of the form name=value.'],
    [[...demo, "-i", "name=A", "-i", "tmes=2"], 2, "times"],
    [["run", "bad.yaml"], 3, "bad.yaml cannot be run"],
    [["runs", "zzzz"], 4, "There is no run zzzz"],
    [["cancel", "zzzz"], 4, "There is no run zzzz"],
    [["stop"], 21, "agents is not running"],
  ] as [string[], number, string][])("%p exits %p", async (argv, exitCode, text) => {
    await Bun.write(join(root, "bad.yaml"), `${WORKFLOW}\nnonsense: 1\n`);
    const { out, errors, code } = await agents(argv);
    expect(errors.replaceAll(/\s+/g, " ")).toContain(text);
    expect({ out, code }).toEqual({ out: "", code: exitCode });
  });

  test("--detach prints the id; the run waits, can be listed and cancelled", async () => {
    const { out, errors, code } = await agents([...demo, "-i", "name=Ada", "--detach"]);
    expect(code).toBe(0);
    const id = out.trim();
    expect(errors.replaceAll(/\s+/g, " ")).toBe(
      `No server is running. The run waits: \`agents start\` or \`agents resume ${id}\` goes on with it. `,
    );
    const cancelled = await agents(["cancel", id]);
    expect(cancelled).toEqual({ out: `Run ${id} is cancelled.\n`, errors: "", code: 0 });
    const { runs } = JSON.parse((await agents(["runs", "--json"])).out);
    expect(runs).toMatchObject([{ id, state: "cancelled" }]);
  });

  test("Ctrl-C cancels the run, waits for its end and exits 130", async () => {
    const called = Promise.withResolvers<void>();
    const gone = Promise.withResolvers<Response>();
    using server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      idleTimeout: 0,
      fetch(request) {
        if (request.method !== "POST") return Response.json({ data: [{ id: "slow" }] });
        called.resolve();
        return gone.promise;
      },
    });
    const environment = { OPENAI_COMPATIBLE_BASE_URL: `${server.url.href}v1` };
    const argv = ["--provider", "openai-compatible", "--model", "slow", "-i", "name=A", "--json"];
    const child = spawn(["run", "hello.yaml", ...argv], { environment });
    await called.promise;
    child.kill("SIGINT");
    const document = JSON.parse(await new Response(child.stdout).text());
    expect(await child.exited).toBe(130);
    expect(document).toMatchObject({ state: "cancelled", outputs: null });
    gone.resolve(new Response());
  });
});

test.skipIf(process.platform === "win32")(
  "all of a long output reaches a reader that is slow",
  async () => {
    const prompt = "x".repeat(300_000);
    await Bun.write(join(root, "in.json"), JSON.stringify({ name: prompt }));
    const command = [
      "run",
      "hello.yaml",
      "--input-file",
      "in.json",
      "--provider",
      "demo",
      "--json",
    ];
    const slowly = `"$@" | { sleep 1.5; cat; }`;
    const child = Bun.spawn(
      ["bash", "-c", slowly, "bash", process.execPath, ...PROGRAM, ...command],
      {
        cwd: root,
        env: { PATH: process.env["PATH"] ?? "", AGENTS_DATA_DIR: join(root, "data") },
        stdio: ["ignore", "pipe", "ignore"],
      },
    );
    const document = JSON.parse(await new Response(child.stdout).text());
    expect(document.inputs.name).toBe(prompt);
  },
);

test("setup --yes asks nothing and writes what the flags say", async () => {
  const { out, code } = await agents(
    ["setup", "--yes", "--provider", "demo", "--no-mlflow", "--workflows-dir", "flows"],
    { environment: { AGENTS_OPEN: "off" } },
  );
  expect(code).toBe(0);
  expect(out).toContain(`Workflows: ${join(root, "flows")} (`);
  const lines = (await Bun.file(join(root, "data", ".env")).text()).split("\n");
  expect(lines.filter((line) => /^[A-Z]/.test(line)).toSorted()).toEqual([
    "AGENTS_MLFLOW=off",
    "AGENTS_OPEN=off",
    "AGENTS_PROVIDER=demo",
    `AGENTS_WORKFLOWS_DIR=${join(root, "flows")}`,
  ]);
  expect((await readdir(join(root, "flows"))).length).toBeGreaterThan(0);
});

test.skipIf(process.platform === "win32")(
  "setup that cannot write a whole example leaves no part of one",
  async () => {
    // No file may grow over 1 KiB, as on a disk that is full then.
    const limited = `trap '' XFSZ; ulimit -f 1; exec "$@"`;
    const argv = [process.execPath, ...PROGRAM, "setup", "--yes", "--no-mlflow"];
    const child = Bun.spawn(["bash", "-c", limited, "bash", ...argv], {
      cwd: root,
      env: { PATH: process.env["PATH"] ?? "", AGENTS_DATA_DIR: join(root, "data") },
      stdio: ["ignore", "ignore", "pipe"],
    });
    const errors = await new Response(child.stderr).text();
    expect(await child.exited).not.toBe(0);
    expect(errors).toStartWith("error: ");
    const folder = join(root, "data", "workflows");
    const names = await readdir(folder);
    const whole = await Promise.all(
      names.map(async (name) => {
        const example = Bun.file(resolve("examples", name));
        return (await example.text()) === (await Bun.file(join(folder, name)).text());
      }),
    );
    expect(whole).toEqual(names.map(() => true));
    expect(names.length).toBeLessThan(8);
  },
);

async function modelLine(): Promise<string[]> {
  const lines = (await Bun.file(join(root, "data", ".env")).text()).split("\n");
  return lines.filter((line) => /AGENTS_MODEL=/.test(line));
}

test("setup --yes with another provider drops the model of the one before", async () => {
  const first = ["--provider", "openai", "--model", "gpt-4o", "--no-mlflow", "--no-examples"];
  await agents(["setup", "--yes", ...first]);
  await agents(["setup", "--yes", "--provider", "openai"]);
  expect(await modelLine()).toEqual(["AGENTS_MODEL=gpt-4o"]);
  const { code } = await agents(["setup", "--yes", "--provider", "anthropic"]);
  expect(code).toBe(0);
  expect(await modelLine()).toEqual(["# AGENTS_MODEL="]);
  await agents(["setup", "--yes", "--provider", "google", "--model", "gemini-2.5-pro"]);
  expect(await modelLine()).toEqual(["AGENTS_MODEL=gemini-2.5-pro"]);
});

test.each(["run", "validate"])("%s refuses a file that is not in UTF-8", async (command) => {
  const latin1 = Buffer.from(WORKFLOW.replace("Greet", "Gr\u00fc\u00df"), "latin1");
  await Bun.write(join(root, "latin1.yaml"), latin1);
  expect(await agents([command, "latin1.yaml"])).toEqual({
    out: "",
    errors: "error: latin1.yaml is not text in UTF-8.\nFix: Save it with the encoding UTF-8.\n",
    code: ERROR_CODES.invalid.exit,
  });
});

test("validate reports on every file, also after one that cannot be read", async () => {
  await Bun.write(join(root, "bad.yaml"), `${WORKFLOW}\nnonsense: 1\n`);
  const { out, code } = await agents([
    "validate",
    "missing.yaml",
    "bad.yaml",
    "hello.yaml",
    "--json",
  ]);
  expect(code).toBe(4);
  expect(JSON.parse(out).files).toMatchObject([
    { file: "missing.yaml", valid: false, error: { code: "not_found" } },
    { file: "bad.yaml", valid: false, problems: [{ severity: "error" }] },
    { file: "hello.yaml", valid: true, problems: [] },
  ]);
  const plain = await agents(["validate", "hello.yaml"]);
  expect(plain).toEqual({ out: "hello.yaml: ok\n", errors: "", code: 0 });
});

test("doctor makes nothing, says what a first start would do, and fails for a port in use", async () => {
  using server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response() });
  const argv = ["doctor", "--json"];
  const environment = { AGENTS_PORT: String(server.port), AGENTS_MLFLOW: "off" };
  const { out, code } = await agents(argv, { environment });
  expect(code).toBe(6);
  const { ok, checks } = JSON.parse(out);
  expect(ok).toBe(false);
  const states = Object.fromEntries(
    checks.map(({ name, state }: { name: string; state: string }) => [name, state]),
  );
  expect(states).toMatchObject({
    settings: "ok",
    "data folder": "ok",
    "disk space": expect.stringMatching(/ok|warn/),
    database: "ok",
    address: "ok",
    [`port ${server.port}`]: "fail",
    sandbox: expect.stringMatching(/ok|warn/),
    mlflow: "ok",
    terminal: "ok",
  });
  expect(await readdir(root)).not.toContain("data");
});

test("start serves, its workers take runs, status and logs see it, SIGTERM ends it with 0", async () => {
  const environment = { AGENTS_WORKERS: "1", AGENTS_MLFLOW: "off" };
  const child = spawn(["start", "--yes", "--port", "0"], { environment });
  let shown = "";
  const decoder = new TextDecoder();
  for await (const chunk of child.stdout) {
    shown += decoder.decode(chunk, { stream: true });
    if (shown.includes("Ctrl-C stops everything.")) break;
  }
  const [, url] = /Dashboard {2}(http:\S+)/.exec(shown) ?? [];
  const health = await fetch(`${url}health/liveness`);
  expect(health.status).toBe(200);

  const run = await agents(["run", "hello.yaml", "--provider", "demo", "-i", "name=A", "--json"]);
  expect(run.code).toBe(0);
  const status = await agents(["status", "--json"]);
  expect(status.code).toBe(0);
  expect(JSON.parse(status.out)).toMatchObject({ running: true, url, runs: { succeeded: 1 } });
  const second = await agents(["start", "--yes", "--port", "0"]);
  expect(second.code).toBe(20);
  expect(second.errors.replaceAll("\n", " ")).toContain(url ?? "no url");

  child.kill("SIGTERM");
  expect(await child.exited).toBe(0);
  expect((await agents(["status"])).code).toBe(21);
});

test.skipIf(process.platform === "win32")(
  "start that gets SIGTERM twice still stops in order",
  async () => {
    const environment = { AGENTS_WORKERS: "1", AGENTS_MLFLOW: "off", AGENTS_CHAT: "off" };
    const child = spawn(["start", "--yes", "--port", "0"], { environment });
    const cues = ["Ctrl-C stops everything.", "Stopping."];
    let shown = "";
    for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
      shown += chunk;
      while (cues[0] !== undefined && shown.includes(cues[0])) {
        cues.shift();
        child.kill("SIGTERM");
      }
    }
    expect(await child.exited).toBe(0);
    expect(shown).toContain("worker-1: stopped");
    expect(await readdir(join(root, "data"))).not.toContain("instance.json");
  },
);
