/** Agent nodes with a real A2A server and a real deployed workflow. */
import { describe, expect, test } from "bun:test";
import { createAgentPort } from "../../../src/agent/port.ts";
import type { AgentPort } from "../../../src/domain/agent.ts";
import { AppError } from "../../../src/domain/error.ts";
import { BY_HAND, type RegisteredAgent } from "../../../src/domain/registered-agent.ts";
import { type AgentNode, RETRY_REASONS } from "../../../src/domain/workflow.ts";
import { RunAborted } from "../../../src/engine/abort.ts";
import { agentNode } from "../../../src/engine/node/agent.ts";
import { createHttpPort } from "../../../src/http/port.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { type A2aServer, startA2aServer } from "../../agent/a2a-server.ts";
import { BASE, createTestStep, failureOf, reasonOf } from "./harness.ts";

const agents = createAgentPort({
  http: createHttpPort({ allowedAddresses: ["127.0.0.1"] }),
  clock: systemClock,
});
const SECRET = "s3cret-value";

function node(url: string, changes: Partial<AgentNode> = {}): AgentNode {
  return {
    ...BASE,
    kind: "agent",
    target: { url },
    protocol: "a2a",
    prompt: "About {topic}",
    headers: { Authorization: "Bearer ${TOKEN}" },
    outputs: [{ name: "said", type: { kind: "str" } }],
    ...changes,
  };
}

const OPTIONS = { values: { topic: "tea" }, variables: { TOKEN: SECRET } };

const named = (changes: Partial<AgentNode> = {}) =>
  node("", { target: { name: "{topic}-agent" }, headers: {}, ...changes });
const registeredAt = (url: string, changes: Partial<RegisteredAgent> = {}) => ({
  id: "tea-agent",
  name: "Tea",
  url,
  ttlSeconds: 60,
  registeredAt: 0,
  heartbeatAt: systemClock.now(),
  capabilities: [],
  metadata: {},
  ...changes,
});

/** An agent that works until it is told to stop. */
function startBusyAgent() {
  const done = Promise.withResolvers<void>();
  const server = startA2aServer("1.0", async (turn) => {
    turn.task("TASK_STATE_WORKING", { parts: [{ text: `key ${SECRET}` }] });
    await done.promise;
    turn.task("TASK_STATE_COMPLETED", {
      artifacts: [{ artifactId: "a", parts: [{ text: `{"said":"${SECRET}"}` }] }],
    });
  });
  return { server, finish: () => done.resolve() };
}

const countOf = (server: A2aServer, method: string) =>
  server.calls.filter((call) => call.method === method).length;

async function untilFollowed(server: A2aServer) {
  while (countOf(server, "GetTask") === 0) await Bun.sleep(1);
}

describe("agentNode", () => {
  test("execute() takes a direct answer, and makes no second call after a crash", async () => {
    await using server = startA2aServer("1.0", (turn) => turn.reply([{ text: "Tea is good." }]));
    const step = createTestStep({ ports: { agents }, ...OPTIONS });
    const first = await step.execute(agentNode, node(server.url));
    expect(first).toEqual({ patch: { said: "Tea is good." } });
    expect(await step.execute(agentNode, node(server.url))).toEqual(first);
    expect(server.calls).toEqual([
      { method: "SendMessage", version: "1.0", authorization: `Bearer ${SECRET}` },
    ]);
    expect(step.calls[0]?.request).toEqual({
      input: {
        protocol: "a2a",
        url: server.url,
        headers: { Authorization: ["Bearer ", { variable: "TOKEN" }] },
        text: "About tea",
        inputs: {},
      },
      idempotencyKey: "run1/n/1.0",
    });
  });

  test("execute() finds the agent's task again after a crash, and does not begin another", async () => {
    const { server, finish } = startBusyAgent();
    await using _ = server;
    const step = createTestStep({ ports: { agents }, ...OPTIONS });
    const crash = new AbortController();
    const lost = step.execute(agentNode, node(server.url), { signal: crash.signal });
    while (!step.events.some(({ type }) => type === "output.delta")) await Bun.sleep(1);
    crash.abort(new RunAborted("lost"));
    expect(await reasonOf(lost)).toMatchObject({ message: "run aborted: lost" });
    expect(step.calls).toHaveLength(1);
    finish();
    expect(await step.execute(agentNode, node(server.url))).toEqual({
      patch: { said: '{"said":"[redacted]"}' },
    });
    expect(countOf(server, "SendMessage")).toBe(1);
    expect(server.cancelled).toEqual([]);
    expect(JSON.stringify([step.calls, step.events])).not.toContain(SECRET);
    expect(step.events).toContainEqual(
      expect.objectContaining({ type: "output.delta", text: "key [redacted]\n" }),
    );
  });

  test.each([
    ["the run is cancelled", new RunAborted("cancelled"), 1],
    ["the last attempt has no time left", new AppError("timeout", "Over."), 1],
    ["the worker stops", new RunAborted("stopping"), 0],
  ] as const)("execute() ends the agent's task or leaves it when %s", async (_, reason, count) => {
    const { server, finish } = startBusyAgent();
    await using agent = server;
    const step = createTestStep({ ports: { agents }, ...OPTIONS });
    const abort = new AbortController();
    const work = step.execute(agentNode, node(server.url), { signal: abort.signal });
    await untilFollowed(server);
    abort.abort(reason);
    expect(await reasonOf(work)).toBe(reason);
    expect(agent.cancelled).toHaveLength(count);
    finish();
  });

  test("execute() leaves the task to the next attempt after a time limit", async () => {
    const { server, finish } = startBusyAgent();
    await using _ = server;
    const retry = { maxAttempts: 2, backoff: "fixed", delayMs: 0, on: ["timeout"] } as const;
    const step = createTestStep({ ports: { agents }, ...OPTIONS });
    const abort = new AbortController();
    const work = step.execute(agentNode, node(server.url, { retry }), { signal: abort.signal });
    await untilFollowed(server);
    abort.abort(new AppError("timeout", "Over."));
    expect(await reasonOf(work)).toMatchObject({ message: "Over." });
    finish();
    await step.execute(agentNode, node(server.url, { retry }), { attempt: 2 });
    expect(countOf(server, "SendMessage")).toBe(1);
    expect(server.cancelled).toEqual([]);
  });

  test("execute() reads several outputs from the text of an answer", async () => {
    const text = 'Here:\n```json\n{"a": 1, "b": "x"}\n```';
    await using server = startA2aServer("1.0", (turn) => turn.reply([{ text }]));
    const step = createTestStep({ ports: { agents }, ...OPTIONS });
    const outputs = [
      { name: "a", type: { kind: "int" } },
      { name: "b", type: { kind: "str" } },
    ] as const;
    expect(await step.execute(agentNode, node(server.url, { outputs }))).toEqual({
      patch: { a: 1, b: "x" },
    });
    const other = createTestStep({ ports: { agents }, ...OPTIONS });
    const wrong = [outputs[0], { name: "c", type: { kind: "str" } }] as const;
    const failure = await failureOf(other.execute(agentNode, node(server.url, { outputs: wrong })));
    expect(failure.code).toBe("output_invalid");
  });

  test("execute() runs a deployed workflow with the node's inputs and keeps its job", async () => {
    const bodies: unknown[] = [];
    let looks = 0;
    using server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: async (request) => {
        if (request.method === "POST") {
          bodies.push(await request.json());
          return Response.json({ status: "async", job_id: "j" });
        }
        looks += 1;
        if (looks === 1) return Response.json({ job_id: "j", status: "running" });
        return Response.json({ job_id: "j", status: "completed", outputs: { said: "done" } });
      },
    });
    const step = createTestStep({ ports: { agents }, ...OPTIONS });
    const deployed = node(`http://127.0.0.1:${server.port}`, {
      protocol: "run",
      inputs: { topic: "{topic}", list: "{topic}s" },
    });
    expect(await step.execute(agentNode, deployed)).toEqual({ patch: { said: "done" } });
    expect(bodies).toEqual([{ topic: "tea", list: "teas" }]);
    expect(step.calls.map(({ result }) => result)).toEqual([
      { value: { kind: "task", task: { job: "j" } } },
      { value: { said: "done" } },
    ]);
  });

  describe("with the name of a registered agent", () => {
    const asked: string[] = [];
    const portsOf = (agent: RegisteredAgent | undefined) => ({
      agents,
      registeredAgent: async (idOrName: string) => {
        asked.push(idOrName);
        return agent;
      },
    });

    test("execute() asks it where it is now, and follows its task there", async () => {
      const { server, finish } = startBusyAgent();
      await using _ = server;
      const step = createTestStep({ ports: portsOf(registeredAt(server.url)), ...OPTIONS });
      const crash = new AbortController();
      const lost = step.execute(agentNode, named(), { signal: crash.signal });
      while (!step.events.some(({ type }) => type === "output.delta")) await Bun.sleep(1);
      crash.abort(new RunAborted("lost"));
      expect(await reasonOf(lost)).toMatchObject({ message: "run aborted: lost" });
      finish();
      expect(await step.execute(agentNode, named())).toEqual({
        patch: { said: `{"said":"${SECRET}"}` },
      });
      expect(asked).toEqual(["tea-agent"]);
      expect(step.calls[0]?.request).toMatchObject({ input: { name: "tea-agent" } });
      expect(countOf(server, "SendMessage")).toBe(1);
    });

    test("execute() says when there is none, and when it is dead, which may pass", async () => {
      const unknown = createTestStep({ ports: portsOf(undefined), ...OPTIONS });
      expect(await failureOf(unknown.execute(agentNode, named()))).toMatchObject({
        code: "not_found",
        message: "No agent named `tea-agent` is registered.",
      });
      const dead = registeredAt("http://127.0.0.1:1", { heartbeatAt: systemClock.now() - 90_000 });
      const step = createTestStep({ ports: portsOf(dead), ...OPTIONS });
      const failure = await failureOf(step.execute(agentNode, named()));
      expect(failure).toMatchObject({
        code: "unavailable",
        message: expect.stringMatching(/is dead: its last heartbeat was (?:90|91) s ago/),
      });
      expect(RETRY_REASONS).toContain("unavailable");
    });

    test("execute() asks one by hand without heartbeats, and sends variables to no other", async () => {
      await using server = startA2aServer("1.0", (turn) => turn.reply([{ text: "Here." }]));
      const byHand = registeredAt(server.url, { heartbeatAt: 0, metadata: BY_HAND });
      const withKey = named({ headers: { Authorization: "Bearer ${TOKEN}" } });
      const step = createTestStep({ ports: portsOf(byHand), ...OPTIONS });
      expect(await step.execute(agentNode, withKey)).toEqual({ patch: { said: "Here." } });
      const itself = createTestStep({ ports: portsOf(registeredAt(server.url)), ...OPTIONS });
      expect(await failureOf(itself.execute(agentNode, withKey))).toMatchObject({
        code: "forbidden",
      });
      expect(server.calls).toHaveLength(1);
    });
  });

  test("execute() frees errors of the variables' values", async () => {
    const failing: AgentPort = {
      send: () => Promise.reject(new AppError("agent_failed", `No ${SECRET}.`, { cause: SECRET })),
      follow: () => Promise.reject(new Error("unused")),
      cancel: async () => {},
    };
    const step = createTestStep({ ports: { agents: failing }, ...OPTIONS });
    const error: unknown = await step.execute(agentNode, node("http://x")).catch((each) => each);
    expect(error).toMatchObject({ message: "No [redacted].", cause: "[redacted]" });
  });
});
