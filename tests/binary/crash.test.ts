/**
 * Goal: whatever is killed, at whatever moment, nothing is left running, the service is back, and every
 * run ends as if nothing had happened.
 *
 * Method: twenty rounds. In each, two runs of four model calls are under way when a victim is killed or
 * asked to stop. The rounds are drawn from a seed, which is printed; `AGENTS_TEST_SEED` repeats them.
 * Every victim comes up at least twice; order and moments are random. What is checked does not depend
 * on the moment: a step succeeds once, a call whose result was stored is never made again, and of the
 * calls under way at the kill each is made at most once more.
 */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import {
  agentsProcesses,
  createHome,
  eventsOf,
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
  waitForValue,
} from "../support/agents.ts";
import { createRandom } from "../support/random.ts";
import { MOCK_USAGE, type ModelServer, startModelServer } from "../support/model-server.ts";

setDefaultTimeout(PATIENCE_MS);

const ROUND_COUNT = 20;
const RUNS_PER_ROUND = 2;
const STEPS = ["one", "two", "three", "four"];
/** An answer of about a dozen pieces takes about a fifth of a second. */
const PIECE_PAUSE_MS = 15;
/** What is promised; a machine that is slow at everything is given as much more as it is slow. */
const BACK_MS_MAX = 5_000;
const VERSION_MS_IDLE = 100;

const seed = Number(process.env["AGENTS_TEST_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
console.log(`crash.test.ts: AGENTS_TEST_SEED=${seed}`);

const WORKFLOW = `schema_version: "1.0"
flow: { name: four_calls }
state:
  fields:
    token: { type: str, required: true }
${STEPS.map((name) => `    ${name}: { type: str }`).join("\n")}
nodes:
${STEPS.map(
  (name, index) => `  - id: ${name}
    prompt: "@{token}/${name}@ ${index === 0 ? "" : `after {${STEPS[index - 1]}}`}"
    outputs: [${name}]
    output_schema: { type: str }`,
).join("\n")}
edges:
  - { from: START, to: one }
${STEPS.map((name, index) => `  - { from: ${name}, to: ${STEPS[index + 1] ?? "END"} }`).join("\n")}
`;

/** Whole numbers below a limit; a round's own, so that one round does not change those after it. */
type Draw = (limit: number) => number;

function createDraw(start: number): Draw {
  const random = createRandom(start);
  return (limit) => Math.floor(random() * limit);
}

/** Runs are told apart at the model server by what their prompts say. */
interface Launched {
  readonly id: string;
  readonly token: string;
}

const VICTIMS = {
  "SIGKILL to a worker": killWorker,
  "SIGKILL to all workers": killWorkers,
  "SIGKILL to the chat": killChat,
  "SIGKILL to the parent": killParent,
  "SIGKILL to everything": killEverything,
  "SIGKILL to a start": killStart,
  "SIGTERM to the parent": (world: World) => askParent(world, "SIGTERM"),
  "SIGINT to the parent": (world: World) => askParent(world, "SIGINT"),
  "double Ctrl-C": interruptTwice,
} as const;
type Victim = keyof typeof VICTIMS;

interface World {
  readonly home: Home;
  readonly models: ModelServer;
  server: RunningAgents;
  draw: Draw;
  /** Starts again, and checks how soon it answers. */
  restart(): Promise<void>;
}

function drawRounds(): Victim[] {
  const draw = createDraw(seed);
  const names = Object.keys(VICTIMS) as Victim[];
  const drawn = Array.from({ length: ROUND_COUNT }, (_, index) => names[index % names.length]);
  for (let index = drawn.length - 1; index > 0; index -= 1) {
    const other = draw(index + 1);
    [drawn[index], drawn[other]] = [drawn[other], drawn[index]];
  }
  return drawn.filter((name) => name !== undefined);
}

/** How much longer than promised a thing may take on this machine at this moment. */
async function slackMs(home: Home): Promise<number> {
  const before = performance.now();
  await runAgents(["--version"], { home });
  return Math.max(0, performance.now() - before - VERSION_MS_IDLE) * 10;
}

async function expectBackSince(world: World, since: number, isBack: () => Promise<boolean>) {
  await waitFor(isBack, () => `the service to be back:\n${world.server.output()}`);
  await expectWithinLimit(world, performance.now() - since);
}

async function expectWithinLimit({ home }: World, tookMs: number): Promise<void> {
  if (tookMs > BACK_MS_MAX) expect(tookMs).toBeLessThan(BACK_MS_MAX + (await slackMs(home)));
}

interface ServiceInfo {
  readonly name: string;
  readonly state: string;
  readonly pid: number | null;
  readonly url: string | null;
  readonly restartCount: number;
}

async function servicesOf(server: RunningAgents): Promise<readonly ServiceInfo[]> {
  const response = await fetch(`${server.url}health`);
  const { services } = (await response.json()) as { services: readonly ServiceInfo[] };
  return services;
}

const workersOf = (home: Home) =>
  agentsProcesses(home.path).filter(({ role }) => role.startsWith("worker-"));

async function killWorker(world: World): Promise<void> {
  const workers = workersOf(world.home);
  const victim = workers[world.draw(workers.length)];
  await killAndAwait(world, victim === undefined ? [] : [victim.pid]);
}

async function killWorkers(world: World): Promise<void> {
  await killAndAwait(
    world,
    workersOf(world.home).map(({ pid }) => pid),
  );
}

async function killChat(world: World): Promise<void> {
  const chats = agentsProcesses(world.home.path).filter(({ role }) => role === "chat");
  await killAndAwait(
    world,
    chats.map(({ pid }) => pid),
  );
}

/** Children come back by themselves, and the dashboard never goes away. */
async function killAndAwait(world: World, pids: readonly number[]): Promise<void> {
  expect(pids.length).toBeGreaterThan(0);
  for (const pid of pids) killQuietly(pid, "SIGKILL");
  const killedAt = performance.now();
  expect((await fetch(`${world.server.url}health/liveness`)).status).toBe(200);
  await expectBackSince(world, killedAt, async () => {
    const children = (await servicesOf(world.server)).filter(({ name }) => name !== "mlflow");
    return children.every(({ state, pid }) => state === "running" && !pids.includes(pid ?? 0));
  });
}

async function killParent(world: World): Promise<void> {
  await endAndRestart(world, () => world.server.child.kill("SIGKILL"));
}

/** As when the power fails: nobody lives to tidy up. */
async function killEverything(world: World): Promise<void> {
  await endAndRestart(world, () => {
    for (const { pid } of agentsProcesses(world.home.path)) killQuietly(pid, "SIGKILL");
  });
}

/** The next start is itself killed, somewhere on its way. */
async function killStart(world: World): Promise<void> {
  world.server.child.kill("SIGKILL");
  const half = spawnAgents(["start", "--yes", "--port", "0"], {
    home: world.home,
    env: environmentFor(world.models),
  });
  // A random moment is the point; nothing that is checked depends on it.
  await Bun.sleep(world.draw(300));
  await endAndRestart(world, () => half.child.kill("SIGKILL"));
}

/** Starts again at once or when the last process of the old tree is gone, as it happens to people. */
async function endAndRestart(world: World, kill: () => void): Promise<void> {
  const old = new Set(agentsProcesses(world.home.path).map(({ pid }) => pid));
  const killedAt = performance.now();
  kill();
  const leftovers = () => agentsProcesses(world.home.path).filter(({ pid }) => old.has(pid));
  const expectNoOrphan = async () => {
    await waitFor(
      () => leftovers().length === 0,
      () => `no process to be left: ${JSON.stringify(leftovers())}`,
    );
    await expectWithinLimit(world, performance.now() - killedAt);
  };
  if (world.draw(2) === 0) await expectNoOrphan();
  await world.restart();
  await expectNoOrphan();
}

async function askParent(world: World, signal: "SIGTERM" | "SIGINT"): Promise<void> {
  world.server.child.kill(signal);
  expect(await world.server.child.exited).toBe(0);
  expect(agentsProcesses(world.home.path)).toEqual([]);
  await world.restart();
  expect(world.server.output()).not.toContain("without a shutdown");
}

async function interruptTwice(world: World): Promise<void> {
  const { server } = world;
  server.child.kill("SIGINT");
  await server.waitForOutput(/Ctrl-C again ends everything at once/);
  await endAndRestart(world, () => server.child.kill("SIGINT"));
  // 0 where it had already stopped by itself.
  expect([0, 130]).toContain(await server.child.exited);
}

function environmentFor(models: ModelServer): Record<string, string> {
  return {
    OPENAI_COMPATIBLE_BASE_URL: models.baseUrlFor("openai-compatible"),
    AGENTS_PROVIDER: "openai-compatible",
    AGENTS_MODEL: "local-model",
    AGENTS_MLFLOW: "off",
  };
}

async function launch({ home }: World, token: string): Promise<Launched> {
  const argv = ["run", "four.yaml", "--input", `token=${token}`, "--detach"];
  const { code, stdout, stderr } = await runAgents(argv, { home });
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return { id: stdout.trim(), token };
}

/** `TOKEN/STEP` of each request so far. */
function requested(models: ModelServer, token: string): string[] {
  return models.requests().flatMap(({ body }) => {
    const [, step] = new RegExp(`@${token}/(\\w+)@`).exec(lastMessage(body)) ?? [];
    return step === undefined ? [] : [step];
  });
}

function lastMessage(body: unknown): string {
  return JSON.stringify((body as { messages: readonly unknown[] }).messages.at(-1));
}

/** How often each step asked the model whose call has its result in the journal by now. */
function finishedCalls({ home, models }: World, { id, token }: Launched): Record<string, number> {
  const rows = queryDatabase<{ key: string }>(
    home.databasePath,
    "SELECT DISTINCT key FROM step_calls WHERE run_id = ?",
    id,
  );
  const steps = requested(models, token);
  return Object.fromEntries(
    rows.map(({ key }) => [key, steps.filter((step) => step === key).length]),
  );
}

function expectAppliedOnce(world: World, { id, token }: Launched, mostRequests: number): void {
  const events = eventsOf(world.home, id);
  const told = `run ${id}: ${JSON.stringify(events.filter(({ type }) => type !== "model.delta"))}`;
  const succeeded = events.flatMap(({ type, step }) => (type === "step.succeeded" ? [step] : []));
  expect({ told, succeeded }).toEqual({ told, succeeded: STEPS });
  const ends = events.filter(({ type }) => /^run\.(succeeded|failed|cancelled)$/.test(type));
  expect({ told, ends: ends.length, last: events.at(-1)?.type }).toEqual({
    told,
    ends: 1,
    last: "run.succeeded",
  });
  const [run] = queryDatabase<{ input_tokens: number; output_tokens: number; values: string }>(
    world.home.databasePath,
    'SELECT input_tokens, output_tokens, "values" FROM runs WHERE id = ?',
    id,
  );
  expect(run).toMatchObject({
    input_tokens: STEPS.length * MOCK_USAGE.input,
    output_tokens: STEPS.length * MOCK_USAGE.output,
  });
  const values = JSON.parse(run?.values ?? "{}");
  for (const step of STEPS) expect(values[step]).toContain(`@${token}/${step}@`);
  const requests = requested(world.models, token);
  expect(new Set(requests)).toEqual(new Set(STEPS));
  expect(requests.length).toBeLessThanOrEqual(mostRequests);
}

const stateOf = ({ home }: World, id: string) =>
  queryDatabase<{ state: string }>(home.databasePath, "SELECT state FROM runs WHERE id = ?", id)[0]
    ?.state;

describe("twenty rounds", () => {
  let world: World;
  beforeAll(async () => {
    const home = await createHome();
    await Bun.write(join(home.cwd, "four.yaml"), WORKFLOW);
    const models = await startModelServer({ latencyMs: PIECE_PAUSE_MS });
    const start = () => startAgents({ home, env: environmentFor(models) });
    world = {
      home,
      models,
      server: await start(),
      draw: createDraw(seed),
      async restart() {
        const since = performance.now();
        world.server = await start();
        await expectBackSince(world, since, async () => {
          const response = await fetch(`${world.server.url}health/readiness`);
          return response.status === 200;
        });
      },
    };
  });
  afterAll(async () => {
    await world.models.stop();
    await world.home[Symbol.asyncDispose]();
  });

  for (const [index, victim] of drawRounds().entries()) {
    const draw = createDraw(seed + index + 1);
    const callsBefore = 1 + draw(STEPS.length);
    const pauseMs = draw(250);
    test(`${index + 1}: ${victim} during call ${callsBefore} (seed ${seed})`, async () => {
      world.draw = draw;
      const tokens = Array.from({ length: RUNS_PER_ROUND }, (_, run) => `t${index}-${run}`);
      const runs = await Promise.all(tokens.map((token) => launch(world, token)));
      const watched = tokens[0] ?? "";
      await waitFor(
        () => requested(world.models, watched).length >= callsBefore,
        () => `call ${callsBefore} of ${watched}:\n${world.server.output()}`,
      );
      await Bun.sleep(pauseMs);
      const finished = runs.map((run) => finishedCalls(world, run));
      await VICTIMS[victim](world);
      for (const { id } of runs) {
        await waitFor(
          () => stateOf(world, id) === "succeeded",
          () => `run ${id} to succeed, it is ${stateOf(world, id)}:\n${world.server.output()}`,
        );
      }
      // One more for the call that was under way; a start that was killed may have made it too.
      const kills = victim === "SIGKILL to a start" ? 2 : 1;
      for (const [run, launched] of runs.entries()) {
        expectAppliedOnce(world, launched, STEPS.length + kills);
        expect(finishedCalls(world, launched)).toMatchObject(finished[run] ?? {});
      }
    });
  }
});

test("a run in the terminal whose process is killed is finished by the next start", async () => {
  await using home = await createHome();
  await using models = await startModelServer({ latencyMs: PIECE_PAUSE_MS });
  await Bun.write(join(home.cwd, "four.yaml"), WORKFLOW);
  const env = environmentFor(models);
  const run = spawnAgents(["run", "four.yaml", "--input", "token=alone"], { home, env });
  await waitFor(() => requested(models, "alone").length === 2, "the second call");
  run.child.kill("SIGKILL");
  await run.child.exited;
  const [stored] = queryDatabase<{ id: string }>(home.databasePath, "SELECT id FROM runs");
  const launched = { id: stored?.id ?? "", token: "alone" };
  await using server = await startAgents({ home, env });
  const world: World = { home, models, server, draw: createDraw(seed), restart: async () => {} };
  await waitFor(
    () => stateOf(world, launched.id) === "succeeded",
    () => `the run to succeed, it is ${stateOf(world, launched.id)}:\n${server.output()}`,
  );
  expectAppliedOnce(world, launched, STEPS.length + 1);
});

async function expectFinishedBy(world: World, launched: Launched): Promise<void> {
  await using server = await startAgents({ home: world.home, env: environmentFor(world.models) });
  await waitFor(
    () => stateOf(world, launched.id) === "succeeded",
    () => `the run to succeed, it is ${stateOf(world, launched.id)}:\n${server.output()}`,
  );
  expectAppliedOnce(world, launched, STEPS.length + 1);
}

/** A server with one run whose only call under way gets no answer. */
async function startWithStuckCall(home: Home, models: ModelServer) {
  await Bun.write(join(home.cwd, "four.yaml"), WORKFLOW);
  const server = await startAgents({ home, env: environmentFor(models) });
  models.next({ kind: "silence" });
  const world: World = { home, models, server, draw: createDraw(seed), restart: async () => {} };
  const launched = await launch(world, "stuck");
  await waitFor(() => requested(models, "stuck").length === 1, "the call");
  return { world, launched };
}

describe("a call that never ends", () => {
  test("is given up after the grace of SIGTERM, and made again by the next start", async () => {
    await using home = await createHome();
    await using models = await startModelServer();
    const { world, launched } = await startWithStuckCall(home, models);
    const since = performance.now();
    expect(await world.server.stop()).toBe(0);
    await expectWithinLimit(world, performance.now() - since);
    expect(agentsProcesses(home.path)).toEqual([]);
    await expectFinishedBy(world, launched);
  });

  test("does not keep a second Ctrl-C from ending everything at once", async () => {
    await using home = await createHome();
    await using models = await startModelServer();
    const { world, launched } = await startWithStuckCall(home, models);
    const { child } = world.server;
    child.kill("SIGINT");
    await world.server.waitForOutput(/Ctrl-C again ends everything at once/);
    child.kill("SIGINT");
    expect(await child.exited).toBe(130);
    await waitFor(() => agentsProcesses(home.path).length === 0, "no process to be left");
    await expectFinishedBy(world, launched);
  });
});

const mlflowDir = process.env["AGENTS_TEST_MLFLOW_DIR"];
if (mlflowDir === undefined) {
  skipLoudly(
    "MLflow under SIGKILL",
    "AGENTS_TEST_MLFLOW_DIR is not set (bun scripts/install-mlflow.ts)",
  );
}

describe.skipIf(mlflowDir === undefined)("MLflow", () => {
  let home: Home;
  beforeAll(async () => {
    home = await createHome();
    // Only the installation is shared; its data are this home's own.
    await mkdir(join(home.dataDir, "mlflow"), { recursive: true, mode: 0o700 });
    await symlink(join(mlflowDir ?? "", "mlflow", "venv"), join(home.dataDir, "mlflow", "venv"));
  });
  afterAll(async () => {
    await home[Symbol.asyncDispose]();
  });

  const start = () => startAgents({ home, flags: ["--mlflow", "--mlflow-port", "0"] });
  const processOf = (role: string) => agentsProcesses(home.path).find((one) => one.role === role);

  /** Its own start takes seconds of work; that it is being started again is what must be quick. */
  async function expectRunning(server: RunningAgents, notPid = 0): Promise<ServiceInfo> {
    return await waitForValue(
      async () => {
        const mlflow = (await servicesOf(server)).find(({ name }) => name === "mlflow");
        const isUp = mlflow?.state === "running" && processOf("mlflow")?.pid !== notPid;
        return isUp ? mlflow : undefined;
      },
      () => `MLflow to run:\n${server.output()}`,
    );
  }

  test("killed, itself or its guard, it is started again and nothing of it stays", async () => {
    await using server = await start();
    const { url } = await expectRunning(server);
    expect((await fetch(new URL("/health", url ?? ""))).status).toBe(200);
    for (const role of ["mlflow", "guard"]) {
      const [victim, other] = [processOf(role), processOf(role === "guard" ? "mlflow" : "guard")];
      expect(victim).toBeDefined();
      killQuietly(victim?.pid ?? 0, "SIGKILL");
      expect((await fetch(`${server.url}health/readiness`)).status).toBe(200);
      const old = new Set([victim?.pid, other?.pid]);
      await waitFor(
        () => agentsProcesses(home.path).every(({ pid }) => !old.has(pid)),
        "both of the old processes to end",
      );
      await waitFor(() => processOf("guard") !== undefined, "it to be started again");
      await expectRunning(server, role === "mlflow" ? victim?.pid : other?.pid);
    }
    const logs = await runAgents(["logs", "mlflow"], { home });
    expect(logs.stdout).toContain("mlflow");
    expect(await server.stop()).toBe(0);
    expect(agentsProcesses(home.path)).toEqual([]);
  });

  test("ends with a parent that is killed, also while it is still starting", async () => {
    const first = await start();
    await waitFor(() => processOf("mlflow") !== undefined, "MLflow's process");
    first.child.kill("SIGKILL");
    await waitFor(
      () => agentsProcesses(home.path).length === 0,
      () => `no process to be left: ${JSON.stringify(agentsProcesses(home.path))}`,
    );
    const second = await start();
    await expectRunning(second);
    second.child.kill("SIGKILL");
    await waitFor(
      () => agentsProcesses(home.path).length === 0,
      () => `no process to be left: ${JSON.stringify(agentsProcesses(home.path))}`,
    );
  });
});
