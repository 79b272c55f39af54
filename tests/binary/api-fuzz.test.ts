/**
 * The HTTP API under a fuzzer that we did not write: Schemathesis reads the document that the executable answers
 * with, makes requests that fit it and requests that do not, and follows what answers lead to. All of its
 * checks are on; schemathesis.toml says where the meaning of a request may be refused. Workers run
 * meanwhile, so that started runs really go on. `AGENTS_TEST_SEED` repeats a run of it.
 */
import { expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import {
  PATIENCE_MS,
  type RunningAgents,
  skipLoudly,
  startAgents,
  waitFor,
} from "../support/agents.ts";

setDefaultTimeout(5 * PATIENCE_MS);

const PROGRAM = resolve(
  process.env["AGENTS_TEST_SCHEMATHESIS"] ?? ".tools/schemathesis/bin/schemathesis",
);
const CONFIGURATION = join(import.meta.dir, "schemathesis.toml");
const seed = Number(process.env["AGENTS_TEST_SEED"] ?? Math.floor(Math.random() * 1_000_000));
/** Requests for each operation in the phase that has no fixed number. */
const EXAMPLE_COUNT = Number(process.env["AGENTS_TEST_API_EXAMPLES"] ?? 12);
/** Operations that schemathesis.toml leaves out. */
const LEFT_OUT_COUNT = 2;
/** Nobody listens there: keys that the fuzzer makes up are shown to no provider. */
const NOWHERE = "http://127.0.0.1:9";
const PROVIDERS_NOWHERE = Object.fromEntries(
  ["OPENAI", "ANTHROPIC", "GOOGLE", "OLLAMA", "OPENAI_COMPATIBLE"].map((name) => [
    `${name}_BASE_URL`,
    NOWHERE,
  ]),
);

const isMissing = !existsSync(PROGRAM);
if (isMissing) {
  skipLoudly(
    "all of api-fuzz.test.ts",
    "there is no Schemathesis here. Install it: bun scripts/install-schemathesis.ts .tools/schemathesis",
  );
}

test.skipIf(isMissing)(
  `Schemathesis finds no fault in /api/v1 (AGENTS_TEST_SEED=${seed})`,
  async () => {
    console.log(`api-fuzz: AGENTS_TEST_SEED=${seed}`);
    await using agents = await startAgents({
      env: { AGENTS_PROVIDER: "demo", ...PROVIDERS_NOWHERE },
    });
    await addWorkflows(agents);
    const whole = await read<Document>(agents, "openapi.json");
    await fuzz(agents, whole);
    // Equal keys under different requests are refused, which hides much of what is behind them.
    await fuzz(agents, withoutHeaders(whole));

    // The sums have also those that were deleted since.
    const { totals } = await read<{ totals: Record<string, number> }>(agents, "metrics?range=24h");
    const ranCount = (totals["succeeded"] ?? 0) + (totals["failed"] ?? 0);
    expect(ranCount, "runs that really ran").toBeGreaterThan(5);
    expect(agents.output()).not.toMatch(/request failed, error/);
  },
);

/** Such as can be started without knowing them, and stay because they have a run. */
async function addWorkflows(agents: RunningAgents): Promise<void> {
  for (const name of ["greeting", "approval-gate", "wait-for-signal"]) {
    const source = await readFile(join("examples", `${name}.yaml`), "utf8");
    const saved = await post(agents, "workflows", { source });
    expect(saved.status, await saved.text()).toBe(201);
  }
  const started = await post(agents, "workflows/greeting/runs", { inputs: { name: "Ada" } });
  const path = started.headers.get("Location")?.replace("/api/v1/", "") ?? "";
  await waitFor(
    async () => (await read<{ state: string }>(agents, path)).state === "succeeded",
    "the end of the first run",
  );
}

function post(agents: RunningAgents, path: string, body: unknown): Promise<Response> {
  return fetch(`${agents.url}api/v1/${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
}

interface Document {
  readonly paths: Record<string, Record<string, { parameters?: { name: string }[] }>>;
}

async function read<T>(agents: RunningAgents, path: string): Promise<T> {
  const answer = await fetch(`${agents.url}api/v1/${path}`);
  expect(answer.status, path).toBe(200);
  return (await answer.json()) as T;
}

function withoutHeaders(document: Document): Document {
  const copy = structuredClone(document);
  for (const operation of Object.values(copy.paths).flatMap((methods) => Object.values(methods))) {
    operation.parameters = (operation.parameters ?? []).filter(
      ({ name }) => name !== "Idempotency-Key" && name !== "If-Match",
    );
  }
  return copy;
}

async function fuzz(agents: RunningAgents, document: Document): Promise<void> {
  const file = join(agents.home.path, "openapi.json");
  await Bun.write(file, JSON.stringify(document));
  const child = Bun.spawn(
    [
      PROGRAM,
      `--config-file=${CONFIGURATION}`,
      "run",
      file,
      `--url=${agents.url}api/v1`,
      "--checks=all",
      `--max-examples=${EXAMPLE_COUNT}`,
      `--seed=${seed}`,
      "--continue-on-failure",
    ],
    {
      cwd: agents.home.cwd,
      stdout: "pipe",
      stderr: "pipe",
      env: { ...process.env, NO_COLOR: "1" },
    },
  );
  const output = await new Response(child.stdout).text();
  const code = await child.exited;
  const failures = output.split(/^=+ (?:FAILURES|ERRORS) =+$/m)[1] ?? output;
  expect(code, failures).toBe(0);
  const [, selected, total, tested] =
    /Selected: (\d+)\/(\d+)\n +Tested: (\d+)\n/.exec(output)?.map(Number) ?? [];
  expect(selected, output).toBe((total ?? 0) - LEFT_OUT_COUNT);
  expect(tested).toBe(selected);
  console.log(/\d+ generated, .*$/m.exec(output)?.[0] ?? output);
}
