/** The client of deployed workflows, against a server that behaves like theirs. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { AgentAddress } from "../../src/domain/agent.ts";
import { createAgentPort } from "../../src/agent/port.ts";
import { createHttpPort } from "../../src/http/port.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { failureOf } from "../engine/node/harness.ts";

const agents = createAgentPort({
  http: createHttpPort({ allowedAddresses: ["127.0.0.1"] }),
  clock: systemClock,
});
const MESSAGE = { text: "", inputs: { topic: "tea" }, idempotencyKey: "run1/n/1.0" };
const signal = new AbortController().signal;

const requests: string[] = [];
let answers: Response[] = [];
let server: ReturnType<typeof Bun.serve>;
let address: AgentAddress;

beforeEach(() => {
  requests.length = 0;
  server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: async (request) => {
      const { pathname } = new URL(request.url);
      requests.push(`${request.method} ${pathname} ${await request.text()}`.trim());
      return answers.shift() ?? new Response("no more", { status: 400 });
    },
  });
  const url = `http://127.0.0.1:${server.port}/flow/`;
  address = { protocol: "run", url, headers: {} };
});
afterEach(() => server.stop(true));

const later = { status: "async", job_id: "job 1", message: "Poll." };
const json = (body: unknown, status = 200) => Response.json(body, { status });

describe("run", () => {
  test("send() takes an answer at once", async () => {
    answers = [json({ status: "success", outputs: { text: "short" }, job_id: null })];
    expect(await agents.send(address, MESSAGE, signal)).toEqual({
      kind: "answer",
      answer: { text: "short" },
    });
    expect(requests).toEqual(['POST /flow/run {"topic":"tea"}']);
  });

  test("follow() asks about the job and never begins it again", async () => {
    answers = [
      json(later),
      json({ job_id: "job 1", status: "pending" }),
      new Response("away", { status: 502 }),
      json({ job_id: "job 1", status: "completed", outputs: { text: "long" }, error: null }),
    ];
    const reply = await agents.send(address, MESSAGE, signal);
    expect(reply).toEqual({ kind: "task", task: { job: "job 1" } });
    const task = { job: "job 1" };
    expect(await agents.follow(address, task, { signal, onOutput: () => {} })).toEqual({
      text: "long",
    });
    const look = "GET /flow/status/job%201";
    expect(requests).toEqual(['POST /flow/run {"topic":"tea"}', look, look, look]);
    await agents.cancel(address, task);
    expect(requests).toHaveLength(4);
  });

  test.each([
    {
      status: 500,
      body: { detail: "Workflow failed: no key" },
      code: "agent_failed",
      said: "no key",
    },
    { status: 504, body: "gateway", code: "agent_failed", said: "gateway" },
    { status: 503, body: "busy", code: "unavailable", said: "busy" },
    { status: 429, body: "slow", code: "rate_limited", said: "slow" },
    { status: 422, body: { detail: "no topic" }, code: "agent_failed", said: "no topic" },
    {
      status: 200,
      body: { status: "failed", error: "no luck" },
      code: "agent_failed",
      said: "no luck",
    },
    { status: 200, body: [1], code: "agent_failed", said: "no JSON object" },
  ])("send() turns $status into $code: $said", async ({ status, body, code, said }) => {
    answers = [json(body, status)];
    const failure = await failureOf(agents.send(address, MESSAGE, signal));
    expect<string>(failure.code).toBe(code);
    expect(failure.message).toContain(said);
    expect(requests).toHaveLength(1);
  });

  test("send() does not call a message lost that may have arrived", async () => {
    const breaking = Bun.listen({
      hostname: "127.0.0.1",
      port: 0,
      socket: { data: (socket) => socket.terminate() },
    });
    const url = `http://127.0.0.1:${breaking.port}`;
    const broken = await failureOf(agents.send({ ...address, url }, MESSAGE, signal));
    breaking.stop(true);
    expect(broken).toEqual({
      code: "agent_failed",
      message:
        "The connection to the agent ended before its answer; the workflow there may be running.",
      fix: "Look at the agent before you retry the step.",
    });
    const refused = await failureOf(agents.send({ ...address, url }, MESSAGE, signal));
    expect(refused.code).toBe("unavailable");
  });

  test.each([
    [200, { status: "failed", error: "no luck" }, "The agent failed: no luck"],
    [404, { detail: "Job not found" }, "The agent no longer knows its job job 1."],
  ])("follow() turns %d %j into an error", async (status, body, message) => {
    answers = [json(body, status)];
    const work = agents.follow(address, { job: "job 1" }, { signal, onOutput: () => {} });
    expect(await failureOf(work)).toMatchObject({ code: "agent_failed", message });
  });
});
