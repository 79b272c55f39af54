/** An agent registers with one request, a workflow calls it by its name, and says so when it has died. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { PATIENCE_MS, runAgents, startAgents, waitFor } from "../support/agents.ts";

setDefaultTimeout(PATIENCE_MS);

const WORKFLOW = `schema_version: "1.0"
flow: { name: by_name }
state: { fields: { topic: { type: str, required: true }, summary: { type: str, default: "" } } }
nodes:
  - id: ask
    inputs: { topic: "{topic}" }
    agent: { name: "Tea helper", protocol: run }
    outputs: [summary]
    retry: { max_attempts: 1 }
edges: [{ from: START, to: ask }, { from: ask, to: END }]
`;

/** As a deployed workflow of configurable-agents answers. */
function startHelper() {
  return Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: async (request) => {
      const inputs: unknown = await request.json();
      return Response.json({ status: "success", outputs: { summary: JSON.stringify(inputs) } });
    },
  });
}

test("a registered agent is called by its name, where it is now, until it is dead", async () => {
  await using agents = await startAgents({ env: { AGENTS_ALLOWED_ADDRESSES: "127.0.0.1" } });
  const { home } = agents;
  await Bun.write(join(home.cwd, "by-name.yaml"), WORKFLOW);
  const call = async () => {
    const { stdout } = await runAgents(["run", "by-name.yaml", "-i", "topic=tea", "--json"], {
      home,
    });
    return JSON.parse(stdout) as unknown;
  };
  const registerHelper = async (port: number | undefined, ttlSeconds: number) => {
    const body = {
      agent_id: "helper-1",
      agent_name: "Tea helper",
      host: "127.0.0.1",
      port,
      ttl_seconds: ttlSeconds,
    };
    const answer = await fetch(`${agents.url}agents/register`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    expect(answer.ok).toBe(true);
  };

  expect(await call()).toMatchObject({
    state: "failed",
    error: {
      code: "not_found",
      message: "Step `ask` failed: No agent named `Tea helper` is registered.",
    },
  });

  const first = startHelper();
  await registerHelper(first.port, 60);
  expect(await call()).toMatchObject({
    state: "succeeded",
    outputs: { summary: '{"topic":"tea"}' },
  });

  // It starts anew elsewhere, and then dies.
  await first.stop(true);
  const second = startHelper();
  await registerHelper(second.port, 60);
  expect(await call()).toMatchObject({ state: "succeeded" });
  await registerHelper(second.port, 1);
  await second.stop(true);
  const isDead = async () => {
    const answer = await fetch(`${agents.url}agents/helper-1`);
    return (await answer.text()).includes('"is_alive":false');
  };
  await waitFor(isDead, "the agent to be dead");
  expect(await call()).toMatchObject({
    state: "failed",
    error: {
      code: "unavailable",
      message: expect.stringMatching(
        /^Step `ask` failed: The agent `Tea helper` at http:\/\/127\.0\.0\.1:\d+ is dead: its last heartbeat was \d+ s ago\.$/,
      ),
    },
  });
});
