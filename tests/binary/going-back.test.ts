/** Going back in a run that has ended, on the executable: what was set stays set, and time begins anew. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { createHome, type Home, PATIENCE_MS, runAgents } from "../support/agents.ts";

setDefaultTimeout(PATIENCE_MS);

/** The limit of a run, and how long its second step takes the first time: longer than that. */
const LIMIT_MS = 2_000;
const SLOW_MS = 20_000;

let home: Home;
let outside: ReturnType<typeof startOutside>;
beforeAll(async () => {
  home = await createHome();
  outside = startOutside();
});
afterAll(async () => {
  await outside.server.stop(true);
  await home[Symbol.asyncDispose]();
});

/** Answers with what it is told; `/slow` takes its time at first. */
function startOutside() {
  const bodies: { readonly path: string; readonly body: unknown }[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    idleTimeout: 0,
    async fetch(request) {
      const path = new URL(request.url).pathname;
      const isFirst = bodies.every((one) => one.path !== path);
      bodies.push({ path, body: await request.json() });
      if (path === "/slow" && isFirst) await Bun.sleep(SLOW_MS);
      return Response.json(bodies.length);
    },
  });
  return { bodies, server, host: `127.0.0.1:${server.port}` };
}

interface Shown {
  readonly id: string;
  readonly state: string;
  readonly error: { readonly code: string } | null;
}

async function agents(...argv: string[]): Promise<Shown & { readonly exit: number | null }> {
  const env = { AGENTS_MLFLOW: "off", AGENTS_ALLOWED_ADDRESSES: outside.host };
  const { code, stdout, stderr } = await runAgents([...argv, "--json"], { home, env });
  if (stdout === "") throw new Error(`agents ${argv.join(" ")} ended with ${code}: ${stderr}`);
  return { exit: code, ...(JSON.parse(stdout) as Shown) };
}

const postNode = (step: string) => `  - id: ${step}
    http: { method: POST, url: "http://${outside.host}/${step}", body: { tone: "{tone}" } }`;

const told = (path: string) =>
  outside.bodies.flatMap((one) => (one.path === path ? [one.body] : []));

async function save(name: string, steps: readonly string[], config = ""): Promise<string> {
  const file = join(home.cwd, `${name}.yaml`);
  const ways = ["START", ...steps].map(
    (step, index) => `  - { from: ${step}, to: ${steps[index] ?? "END"} }`,
  );
  await Bun.write(
    file,
    `schema_version: "1.0"
flow: { name: ${name} }
state: { fields: { tone: { type: str, default: dry } } }
nodes:
${steps.map(postNode).join("\n")}
edges:
${ways.join("\n")}
${config}`,
  );
  return file;
}

test("a fork keeps the values that it was begun with when it is gone back in, and forked again", async () => {
  const { id } = await agents("run", await save("forked", ["one", "two", "three"]));
  const fork = await agents("fork", id, "--from", "two", "--set", "tone=warm");
  await agents("retry", fork.id, "--from", "three");
  const second = await agents("fork", fork.id, "--from", "three");
  expect([fork.exit, second.exit]).toEqual([0, 0]);
  expect([told("/one"), told("/two"), told("/three")]).toEqual([
    [{ tone: "dry" }],
    [{ tone: "dry" }, { tone: "warm" }],
    [{ tone: "dry" }, { tone: "warm" }, { tone: "warm" }, { tone: "warm" }],
  ]);
});

test("a run whose time was over goes on with its whole time when it is resumed", async () => {
  const config = `config: { execution: { timeout: ${LIMIT_MS / 1000} } }\n`;
  const run = await agents("run", await save("late", ["fast", "slow"], config));
  expect(run).toMatchObject({ exit: 19, state: "failed", error: { code: "timeout" } });
  expect(await agents("resume", run.id)).toMatchObject({ exit: 0, id: run.id, state: "succeeded" });
  expect(told("/fast")).toHaveLength(1);
});
