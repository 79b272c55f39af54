/**
 * Goal: workers that die all the time lose nothing and do nothing twice.
 *
 * Method: 200 runs of five steps over three worker processes. For a minute a random one of them is killed every
 * 100 to 500 ms and replaced at once, then it is calm. Nobody tells the product of a death: its runs are taken up when
 * their leases have run out. Each step writes to a ledger outside of the product (a server in this
 * test), under the idempotency key that it is given; the ledger applies a key once and answers with the number of
 * the entry. At the end the ledger and the database must tell the same story. `AGENTS_TEST_SEED` repeats the
 * kills; the moments at which they hit cannot be repeated.
 */
import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import {
  createHome,
  environmentOf,
  EXECUTABLE,
  queryDatabase,
  runAgents,
  startAgents,
  waitFor,
} from "../support/agents.ts";
import { createRandom } from "../support/random.ts";

const RUN_COUNT = 200;
const WORKER_COUNT = 3;
const STEPS = ["one", "two", "three", "four", "five"];
const CHAOS_MS = Number(process.env["AGENTS_TEST_CHAOS_MS"] ?? 60_000);
const KILL_PAUSE_MS_MIN = 100;
const KILL_PAUSE_MS_MAX = 500;
/** Writing to the ledger takes this long at most, so that kills find steps under way. */
const LEDGER_DELAY_MS_MAX = 40;
/** To the end after the last kill; far above what it takes. */
const CALM_MS = 180_000;
setDefaultTimeout(CHAOS_MS + CALM_MS + 60_000);

const seed = Number(process.env["AGENTS_TEST_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
console.log(`chaos.test.ts: AGENTS_TEST_SEED=${seed}`);

function workflow(ledgerUrl: string): string {
  return `schema_version: "1.0"
flow: { name: five_entries }
state:
  fields:
    token: { type: str, required: true }
${STEPS.map((step) => `    ${step}: { type: int }`).join("\n")}
nodes:
${STEPS.map(
  (step) => `  - id: ${step}
    http: { method: POST, url: "${ledgerUrl}", body: { run: "{token}", step: ${step} } }
    retry: { max_attempts: 100, delay: 0.1 }
    outputs: [${step}]`,
).join("\n")}
edges:
  - { from: START, to: one }
${STEPS.map((step, index) => `  - { from: ${step}, to: ${STEPS[index + 1] ?? "END"} }`).join("\n")}
`;
}

interface Entry {
  readonly number: number;
  readonly run: string;
  readonly step: string;
  requestCount: number;
}

/** Applies each idempotency key once, and answers every request for it with the same number. */
function startLedger(random: () => number) {
  const entries = new Map<string, Entry>();
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      const { run, step } = (await request.json()) as { run: string; step: string };
      const key = request.headers.get("idempotency-key") ?? "";
      const entry = entries.get(key) ?? { number: entries.size + 1, run, step, requestCount: 0 };
      entries.set(key, entry);
      entry.requestCount += 1;
      // Some answers are on their way when their worker dies.
      await Bun.sleep(random() * LEDGER_DELAY_MS_MAX);
      return Response.json(entry.number);
    },
  });
  return { entries, url: `http://127.0.0.1:${server.port}/`, stop: () => server.stop(true) };
}

/** Starts a run from the workflow's page, as a browser without script does. */
async function launcher(url: string, workflowId: string) {
  const page = await fetch(`${url}workflows/${workflowId}`);
  const cookie = page.headers.getSetCookie().map((text) => text.split(";")[0]);
  const [, csrf = ""] = /name="_csrf" value="([^"]+)"/.exec(await page.text()) ?? [];
  return async (token: string) => {
    const response = await fetch(`${url}workflows/${workflowId}/runs`, {
      method: "POST",
      redirect: "manual",
      headers: { cookie: cookie.join("; "), origin: url.slice(0, -1) },
      body: new URLSearchParams({ _csrf: csrf, "input.token": token }),
    });
    expect({ status: response.status, token }).toEqual({ status: 303, token });
  };
}

test(`${RUN_COUNT} runs survive a minute of kills (seed ${seed})`, async () => {
  const random = createRandom(seed);
  await using home = await createHome();
  const ledger = startLedger(createRandom(seed + 1));
  const env = {
    AGENTS_MLFLOW: "off",
    AGENTS_CHAT: "off",
    AGENTS_ALLOWED_ADDRESSES: new URL(ledger.url).host,
  };
  await Bun.write(join(home.cwd, "five.yaml"), workflow(ledger.url));
  await using server = await startAgents({ home, env, flags: ["--workers", "0"] });
  // The first run also stores the workflow.
  const first = await runAgents(["run", "five.yaml", "--input", "token=run-0", "--detach"], {
    home,
    env,
  });
  expect({ code: first.code, stderr: first.stderr }).toEqual({ code: 0, stderr: "" });
  const [stored] = queryDatabase<{ id: string }>(home.databasePath, "SELECT id FROM workflows");
  const launch = await launcher(server.url, stored?.id ?? "");

  const startWorker = (place: number) =>
    Bun.spawn([EXECUTABLE, "worker", "--name", `worker-${place}`], {
      cwd: home.cwd,
      env: { ...environmentOf(home), ...env },
      // It ends when its parent's pipe closes.
      stdin: "pipe",
      stdout: "ignore",
      stderr: "ignore",
    });
  const workers = Array.from({ length: WORKER_COUNT }, (_, place) => startWorker(place));
  let killCount = 0;
  const chaosEnd = performance.now() + CHAOS_MS;
  const chaos = (async () => {
    while (performance.now() < chaosEnd) {
      await Bun.sleep(KILL_PAUSE_MS_MIN + random() * (KILL_PAUSE_MS_MAX - KILL_PAUSE_MS_MIN));
      const place = Math.floor(random() * WORKER_COUNT);
      workers[place]?.kill("SIGKILL");
      await workers[place]?.exited;
      workers[place] = startWorker(place);
      killCount += 1;
    }
  })();
  // Spread over the minute, so that every kill finds some of them under way.
  for (let index = 1; index < RUN_COUNT; index += 1) {
    await launch(`run-${index}`);
    await Bun.sleep((CHAOS_MS * 0.8) / RUN_COUNT);
  }
  await chaos;

  const unfinished = () =>
    queryDatabase<{ id: string; state: string }>(
      home.databasePath,
      "SELECT id, state FROM runs WHERE finished_at IS NULL",
    );
  await waitFor(
    () => unfinished().length === 0,
    () => `all runs to end: ${JSON.stringify(unfinished())}\n${server.output().slice(-4_000)}`,
    CALM_MS,
  );

  const runs = queryDatabase<{ id: string; state: string; error: string | null; values: string }>(
    home.databasePath,
    'SELECT id, state, error, "values" FROM runs',
  );
  expect(runs.filter(({ state }) => state !== "succeeded")).toEqual([]);
  expect(runs.length).toBe(RUN_COUNT);

  // The ledger: one entry for each step of each run, none missing, none twice.
  const entries = [...ledger.entries.values()];
  const names = entries.map(({ run, step }) => `${run}/${step}`).toSorted();
  const expected = Array.from({ length: RUN_COUNT }, (_, index) =>
    STEPS.map((step) => `run-${index}/${step}`),
  ).flat();
  expect(names).toEqual(expected.toSorted());

  // The database: what each step has is what the ledger answered to it.
  for (const { values } of runs) {
    const state: Record<string, unknown> = JSON.parse(values);
    const own = entries.filter(({ run }) => run === state["token"]);
    expect(Object.fromEntries(STEPS.map((step) => [step, state[step]]))).toEqual(
      Object.fromEntries(own.map(({ step, number }) => [step, number])),
    );
  }

  // The log: no gap, every step ended once, one end.
  for (const { id } of runs) {
    const events = queryDatabase<{ seq: number; type: string; data: string }>(
      home.databasePath,
      "SELECT seq, type, data FROM events WHERE run_id = ? ORDER BY seq",
      id,
    );
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
    const succeeded = events
      .filter(({ type }) => type === "step.succeeded")
      .map(({ data }) => (JSON.parse(data) as { step: string }).step);
    expect(succeeded).toEqual(STEPS);
    expect(events.filter(({ type }) => type === "run.succeeded").length).toBe(1);
    expect(events.at(-1)?.type).toBe("run.succeeded");
  }
  const requests = entries.reduce((sum, entry) => sum + entry.requestCount, 0);
  console.log(
    `chaos.test.ts: ${killCount} kills, ${entries.length} entries, ${requests - entries.length} requests made again`,
  );
  // Kills that hit nothing would prove nothing.
  expect(killCount).toBeGreaterThan(CHAOS_MS / KILL_PAUSE_MS_MAX / 2);
  for (const worker of workers) worker.kill("SIGKILL");
  expect(requests).toBeGreaterThan(entries.length);
  await ledger.stop();
});
