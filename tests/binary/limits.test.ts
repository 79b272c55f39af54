/** What stops a run that would not stop by itself: each with its state, message and exit code, on the executable. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { createHome, eventsOf, type Home, PATIENCE_MS, runAgents } from "../support/agents.ts";
import {
  MOCK_USAGE,
  type ModelServer,
  startModelServer,
  USAGE_OVERRIDES,
} from "../support/model-server.ts";

setDefaultTimeout(PATIENCE_MS);

let home: Home;
let models: ModelServer;
beforeAll(async () => {
  home = await createHome();
  models = await startModelServer({
    fixtures: [
      {
        match: { predicate: () => true },
        response: { content: '{"text": "Not yet.", "done": false}', usage: USAGE_OVERRIDES },
      },
    ],
  });
});
afterAll(async () => {
  await models.stop();
  await home[Symbol.asyncDispose]();
});

interface Outcome {
  readonly exit: number | null;
  readonly id: string;
  readonly state: string;
  readonly error: { code: string; message: string; fix?: string } | null;
  readonly calls: number;
}

async function run(name: string, source: string): Promise<Outcome> {
  const file = join(home.cwd, `${name}.yaml`);
  await Bun.write(file, source);
  const before = models.requests().length;
  const env = {
    OPENAI_API_KEY: "test-openai",
    OPENAI_BASE_URL: models.baseUrlFor("openai"),
    AGENTS_MLFLOW: "off",
  };
  const { code, stdout } = await runAgents(["run", file, "--json"], { home, env });
  const { id, state, error } = JSON.parse(stdout) as Outcome;
  return { exit: code, id, state, error, calls: models.requests().length - before };
}

const STATE = `state:
  fields:
    text: { type: str, default: "" }
    done: { type: bool, default: false }
`;
const LLM = "config: { llm: { provider: openai, model: gpt-4o } }";
const DRAFT = `  - id: draft
    prompt: Write.
    outputs: [text, done]
    output_schema: { type: object, fields: [{ name: text, type: str }, { name: done, type: bool }] }
`;

describe("a run ends", () => {
  test("a loop whose model never says true after max_iterations", async () => {
    const outcome = await run(
      "endless_loop",
      `schema_version: "1.0"
flow: { name: endless_loop }
${STATE}nodes:
${DRAFT}edges:
  - { from: START, to: draft }
  - { from: draft, loop: { condition_field: done, max_iterations: 5 } }
${LLM}
`,
    );
    expect(outcome).toMatchObject({ exit: 0, state: "succeeded", error: null, calls: 5 });
    const events = eventsOf(home, outcome.id);
    expect(events.filter(({ type }) => type === "loop.exhausted")).toEqual([
      expect.objectContaining({ step: "draft#5", iterationCount: 5 }),
    ]);
  });

  test("a node that waits at its timeout", async () => {
    const outcome = await run(
      "sleeper",
      `schema_version: "1.0"
flow: { name: sleeper }
${STATE}nodes:
  - id: sleep
    wait: { signal: never, timeout: 1, on_timeout: fail }
    outputs: [text]
edges:
  - { from: START, to: sleep }
  - { from: sleep, to: END }
`,
    );
    expect(outcome).toMatchObject({
      exit: 19,
      state: "failed",
      error: {
        code: "timeout",
        message: "Step `sleep` failed: The signal `never` did not come in time.",
      },
    });
  });

  test("a model that does not answer at the node's timeout", async () => {
    models.next({ kind: "silence" });
    const outcome = await run(
      "silent_model",
      `schema_version: "1.0"
flow: { name: silent_model }
${STATE}nodes:
${DRAFT}    timeout: 1
    retry: { max_attempts: 1 }
edges:
  - { from: START, to: draft }
  - { from: draft, to: END }
${LLM}
`,
    );
    expect(outcome).toMatchObject({
      exit: 19,
      state: "failed",
      calls: 1,
      error: {
        code: "timeout",
        message: "Step `draft` failed: It took longer than its limit of 1 s.",
      },
    });
  });

  test("over its max_cost_usd before the next call", async () => {
    // What the mock says that a call took, at 2.50 and 10 dollars for a million tokens.
    const callUsd = (MOCK_USAGE.input * 2.5 + MOCK_USAGE.output * 10) / 1e6;
    const outcome = await run(
      "costly",
      `schema_version: "1.0"
flow: { name: costly }
${STATE}nodes:
${DRAFT}edges:
  - { from: START, to: draft }
  - { from: draft, loop: { condition_field: done, max_iterations: 50 } }
config:
  llm: { provider: openai, model: gpt-4o }
  budget: { max_cost_usd: ${callUsd * 3} }
`,
    );
    expect(outcome).toMatchObject({
      exit: 28,
      state: "failed",
      calls: 3,
      error: { code: "budget_exceeded" },
    });
  });

  test("over its max_tokens before the next call, and goes on with a larger budget", async () => {
    const perCall = MOCK_USAGE.input + MOCK_USAGE.output;
    const outcome = await run(
      "wordy",
      `schema_version: "1.0"
flow: { name: wordy }
${STATE}nodes:
${DRAFT}edges:
  - { from: START, to: draft }
  - { from: draft, loop: { condition_field: done, max_iterations: 4 } }
config:
  llm: { provider: openai, model: gpt-4o }
  budget: { max_tokens: ${perCall * 2} }
`,
    );
    expect(outcome).toMatchObject({
      exit: 28,
      state: "failed",
      calls: 2,
      error: { code: "budget_exceeded" },
    });
    const env = { OPENAI_API_KEY: "test-openai", OPENAI_BASE_URL: models.baseUrlFor("openai") };
    const before = models.requests().length;
    const resumed = await runAgents(
      ["resume", outcome.id, "--max-tokens", String(perCall * 100), "--json"],
      { home, env },
    );
    expect(resumed.code).toBe(0);
    expect(JSON.parse(resumed.stdout)).toMatchObject({ id: outcome.id, state: "succeeded" });
    expect(models.requests().length - before).toBe(2);
  });
});
