/** What code and shell commands of a workflow can reach on the executable, and that without a sandbox nothing runs. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { createHome, type Home, PATIENCE_MS, runAgents, skipLoudly } from "../support/agents.ts";

setDefaultTimeout(PATIENCE_MS);

const needed = ["python3", "bwrap"].filter((program) => Bun.which(program) === null);
const runs = needed.length === 0;
if (!runs) skipLoudly("the sandbox on the executable", `${needed.join(", ")} is not installed`);

interface Outcome {
  readonly exit: number | null;
  readonly outputs: Readonly<Record<string, unknown>>;
  readonly error: { readonly code: string; readonly message: string; readonly fix?: string } | null;
}

async function run(
  home: Home,
  nodes: string,
  { path = process.env["PATH"] ?? "", ...settings }: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  const file = join(home.cwd, "work.yaml");
  await Bun.write(
    file,
    `schema_version: "1.0"
flow: { name: work }
state:
  fields:
    out: { type: object }
nodes:
${nodes}
edges:
  - { from: START, to: work }
  - { from: work, to: END }
`,
  );
  const env = { PATH: path, AGENTS_MLFLOW: "off", ...settings };
  const finished = await runAgents(["run", file, "--json"], { home, env });
  const { outputs, error } = JSON.parse(finished.stdout) as Omit<Outcome, "exit">;
  return { exit: finished.code, outputs, error };
}

/** A node that runs a shell command through the tool; the state takes what it answers. */
function shell(command: string): string {
  return `  - id: work
    tool: shell
    arguments: { command: ${JSON.stringify(command)} }
    retry: { max_attempts: 1 }
    outputs: [out]`;
}

function code(language: "python" | "javascript", text: string): string {
  return `  - id: work
    language: ${language}
    code: ${JSON.stringify(text)}
    retry: { max_attempts: 1 }
    outputs: [out]`;
}

describe.skipIf(!runs)("in the sandbox", () => {
  test("shell works in the workspace, and sees neither the data folder nor the home", async () => {
    await using home = await createHome();
    await Bun.write(join(home.path, "private.txt"), "my secret");
    const command = [
      "echo made > here.txt",
      `cat ${home.databasePath} || echo no-database`,
      `cat ${join(home.dataDir, "secret.key")} || echo no-key`,
      `cat ${join(home.path, "private.txt")} || echo no-home`,
      // What looks like the home is memory of the sandbox, and gone with it.
      `echo x > ${join(home.path, "planted.txt")}`,
      "cat /etc/shadow || echo no-shadow",
    ].join("; ");
    const { exit, outputs } = await run(home, shell(command));
    expect(exit).toBe(0);
    const said = JSON.stringify(outputs["out"]);
    for (const word of ["no-database", "no-key", "no-home", "no-shadow"])
      expect(said).toContain(word);
    expect(said).not.toContain("my secret");
    expect(await Bun.file(join(home.dataDir, "workspace", "here.txt")).text()).toBe("made\n");
    expect(existsSync(join(home.path, "planted.txt"))).toBe(false);
  });

  test("shell sees neither the database nor the .env with the keys where the workspace has them", async () => {
    await using home = await createHome();
    const secret = "a-key-of-the-owner";
    await Bun.write(join(home.cwd, ".env"), `SERPER_API_KEY=${secret}\n`);
    const settings = {
      AGENTS_WORKSPACE: home.cwd,
      AGENTS_DB_URL: `sqlite:///${join(home.cwd, "state", "my.db")}`,
    };
    const command = `grep -l -a -e ${secret} -e "flow:" -r . ; echo looked`;
    const { outputs } = await run(home, shell(command), settings);
    // The workflow file itself is there to be read.
    expect(outputs["out"]).toMatchObject({ stdout: "./work.yaml\nlooked\n" });
  });

  test("shell and code open no socket when the network is off", async () => {
    await using home = await createHome();
    let asked = 0;
    using server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch() {
        asked += 1;
        return new Response("reached");
      },
    });
    const python = [
      "import urllib.request",
      "try:",
      `    urllib.request.urlopen("http://127.0.0.1:${server.port}/", timeout=3)`,
      '    result = {"reached": True}',
      "except OSError as error:",
      '    result = {"reached": False}',
    ].join("\n");
    expect(await run(home, code("python", python))).toMatchObject({
      exit: 0,
      outputs: { out: { reached: false } },
    });
    const javascript = `try { await fetch("http://127.0.0.1:${server.port}/"); result = { reached: true }; }
catch { result = { reached: false }; }`;
    expect(await run(home, code("javascript", javascript))).toMatchObject({
      exit: 0,
      outputs: { out: { reached: false } },
    });
    const viaShell = `(exec 3<>/dev/tcp/127.0.0.1/${server.port}) && echo reached || echo closed`;
    const { outputs } = await run(home, shell(`bash -c '${viaShell}'`));
    expect(JSON.stringify(outputs["out"])).toContain("closed");
    expect(asked).toBe(0);
  });

  test("code that fails says where", async () => {
    await using home = await createHome();
    const { exit, error } = await run(home, code("python", "numbers = []\nresult = numbers[3]"));
    expect({ exit, code: error?.code }).toEqual({ exit: 33, code: "code_failed" });
    expect(error?.message).toContain("line 2");
  });
});

test("without a sandbox code and shell are refused, and nothing ran", async () => {
  await using home = await createHome();
  const empty = join(home.path, "no-programs");
  await mkdir(empty);
  const marker = join(home.path, "ran.txt");
  for (const nodes of [
    code("python", `open(${JSON.stringify(marker)}, "w").write("x")\nresult = {}`),
    code("javascript", `await Bun.write(${JSON.stringify(marker)}, "x"); result = {};`),
    shell(`echo x > ${marker}`),
  ]) {
    const { exit, error } = await run(home, nodes, { path: empty });
    expect({ exit, code: error?.code }).toEqual({ exit: 29, code: "sandbox_unavailable" });
    expect(error?.fix).not.toBe("");
  }
  expect(existsSync(marker)).toBe(false);
});
