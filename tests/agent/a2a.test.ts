/** The A2A client against servers made with the official SDK, over the product's guarded HTTP. */
import { describe, expect, test } from "bun:test";
import type { AgentAddress } from "../../src/domain/agent.ts";
import { createAgentPort } from "../../src/agent/port.ts";
import { createHttpPort } from "../../src/http/port.ts";
import { systemClock } from "../../src/lib/clock.ts";
import type { Json } from "../../src/lib/json.ts";
import { failureOf, reasonOf } from "../engine/node/harness.ts";
import { type A2aServer, startA2aServer, type Turn } from "./a2a-server.ts";

const agents = createAgentPort({
  http: createHttpPort({ allowedAddresses: ["127.0.0.1"] }),
  clock: systemClock,
});
const MESSAGE = { text: "Hello", inputs: {}, idempotencyKey: "run1/n/1.0" };
const never = () => new AbortController().signal;

function addressOf({ url }: Pick<A2aServer, "url">): AgentAddress {
  return { protocol: "a2a", url, headers: { authorization: "Bearer k" } };
}

/** Both parts of a call. */
async function ask(server: A2aServer, message = MESSAGE) {
  const said: string[] = [];
  const address = addressOf(server);
  const reply = await agents.send(address, message, never());
  if (reply.kind === "answer") return { answer: reply.answer, said };
  const options = { signal: never(), onOutput: (text: string) => said.push(text) };
  return { answer: await agents.follow(address, reply.task, options), said };
}

describe.each(["1.0", "0.3"] as const)("A2A %s", (version) => {
  const names = {
    "1.0": { send: "SendMessage", get: "GetTask", cancel: "CancelTask" },
    "0.3": { send: "message/send", get: "tasks/get", cancel: "tasks/cancel" },
  }[version];

  test("send() finds the endpoint in the card and takes a direct answer", async () => {
    const messages: unknown[] = [];
    await using server = startA2aServer(version, (turn) => {
      messages.push(turn.message);
      turn.reply([{ text: "Hi" }, { text: "there" }]);
    });
    const inputs = { topic: "tea", count: 2 };
    expect(await ask(server, { ...MESSAGE, inputs })).toEqual({ answer: "Hi\nthere", said: [] });
    expect(server.calls).toEqual([{ method: names.send, version, authorization: "Bearer k" }]);
    expect(messages).toMatchObject([
      { messageId: "run1/n/1.0", role: "ROLE_USER", parts: [{ text: "Hello" }, { data: inputs }] },
    ]);
  });

  test("follow() looks at the task until it is done, and reports what the agent says", async () => {
    const done = Promise.withResolvers<void>();
    await using server = startA2aServer(version, async (turn) => {
      turn.task("TASK_STATE_WORKING", { parts: [{ text: "Thinking" }] });
      await done.promise;
      turn.task("TASK_STATE_COMPLETED", {
        artifacts: [
          { artifactId: "a", parts: [{ text: "An" }, { text: "swer" }] },
          { artifactId: "b", parts: [{ text: "More" }] },
        ],
      });
    });
    server.disturb = (method) => {
      if (method === names.get) done.resolve();
      return undefined;
    };
    expect(await ask(server)).toEqual({ answer: "Answer\n\nMore", said: ["Thinking\n"] });
    expect(server.calls[0]?.method).toBe(names.send);
    expect(new Set(server.calls.slice(1).map(({ method }) => method))).toEqual(
      new Set([names.get]),
    );
  });

  test("follow() prefers data, and goes on over a server that is away for a moment", async () => {
    await using server = startA2aServer(version, async (turn) => {
      turn.task("TASK_STATE_SUBMITTED");
      turn.task("TASK_STATE_COMPLETED", {
        artifacts: [{ artifactId: "a", parts: [{ text: "see data" }, { data: { n: 1 } }] }],
      });
    });
    let away = 2;
    server.disturb = (method) => {
      if (method !== names.get || away === 0) return undefined;
      away -= 1;
      return new Response("away", { status: 503 });
    };
    expect((await ask(server)).answer).toEqual({ n: 1 });
  });

  test.each<[string, (turn: Turn) => void, string]>([
    [
      "a question",
      (turn) => turn.task("TASK_STATE_INPUT_REQUIRED", { parts: [{ text: "Which one?" }] }),
      "The agent asks back: Which one?",
    ],
    [
      "a failure",
      (turn) => turn.task("TASK_STATE_FAILED", { parts: [{ text: "No luck" }] }),
      "The agent failed: No luck",
    ],
    ["a refusal", (turn) => turn.task("TASK_STATE_REJECTED"), "The agent refused the task."],
  ])("%s is an error that says so", async (_, execute, message) => {
    await using server = startA2aServer(version, execute);
    const failure = await failureOf(ask(server));
    expect(failure.code).toBe("agent_failed");
    expect(failure.message).toStartWith(message);
  });

  test("cancel() ends the task at the agent", async () => {
    const stopped = Promise.withResolvers<void>();
    await using server = startA2aServer(version, async (turn) => {
      turn.task("TASK_STATE_WORKING");
      await stopped.promise;
    });
    const address = addressOf(server);
    const reply = await agents.send(address, MESSAGE, never());
    if (reply.kind !== "task") throw new Error("the agent has answered at once");
    const abort = new AbortController();
    const work = agents.follow(address, reply.task, { signal: abort.signal, onOutput: () => {} });
    while (!server.calls.some(({ method }) => method === names.get)) await Bun.sleep(1);
    abort.abort(new Error("stop"));
    expect(await reasonOf(work)).toMatchObject({ message: "stop" });
    await agents.cancel(address, reply.task);
    stopped.resolve();
    expect<Json[]>(server.cancelled).toEqual([reply.task["id"] ?? null]);
    expect(server.calls.at(-1)?.method).toBe(names.cancel);
  });

  test("follow() of a task that is gone fails", async () => {
    await using server = startA2aServer(version, () => {});
    const task = { url: `${server.url}/rpc`, version, id: "gone" };
    const failure = await failureOf(
      agents.follow(addressOf(server), task, { signal: never(), onOutput: () => {} }),
    );
    expect(failure).toMatchObject({ code: "agent_failed" });
    expect(failure.message).toContain("gone");
  });

  test("send() keeps the provider's delay of a rate limit", async () => {
    await using server = startA2aServer(version, (turn) => turn.reply([{ text: "never" }]));
    server.disturb = () =>
      new Response("slow down", { status: 429, headers: { "retry-after": "3" } });
    expect(await failureOf(ask(server))).toEqual({
      code: "rate_limited",
      message: `${server.url}/rpc answered with status 429: slow down.`,
      fix: "Try again later.",
      retryAfterMs: 3_000,
    });
  });
});

function serve(fetch: (path: string) => Response): AsyncDisposable & { readonly url: string } {
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: (request) => fetch(new URL(request.url).pathname),
  });
  return {
    url: `http://127.0.0.1:${server.port}`,
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}
const send = (url: string) => agents.send(addressOf({ url }), MESSAGE, never());

describe("finding an agent", () => {
  test("send() looks beneath the address, at its host and for the older name", async () => {
    const paths: string[] = [];
    await using server = serve((path) => {
      paths.push(path);
      return new Response("no", { status: 404 });
    });
    expect(await failureOf(send(`${server.url}/agents/x/`))).toMatchObject({
      code: "agent_failed",
      message: `There is no agent card at ${server.url}/agents/x/.well-known/agent-card.json.`,
    });
    expect(paths).toEqual([
      "/agents/x/.well-known/agent-card.json",
      "/agents/x/.well-known/agent.json",
      "/.well-known/agent-card.json",
      "/.well-known/agent.json",
    ]);
  });

  test("send() refuses an agent without JSON-RPC, and one that answers nonsense", async () => {
    await using server = serve((path) =>
      path.endsWith("/other.json")
        ? Response.json({ supportedInterfaces: [{ url: "x", protocolBinding: "GRPC" }] })
        : path.endsWith(".json")
          ? Response.json({ url: "/rpc" })
          : Response.json({ hello: 1 }),
    );
    expect(await failureOf(send(`${server.url}/other.json`))).toMatchObject({
      message: "The agent does not offer JSON-RPC.",
    });
    expect(await failureOf(send(server.url))).toMatchObject({
      message: 'The agent\'s answer is not A2A: {"hello":1}',
    });
  });

  test("send() refuses an empty message and an address that is none", async () => {
    const empty = { ...MESSAGE, text: "" };
    expect(
      await failureOf(agents.send(addressOf({ url: "http://x" }), empty, never())),
    ).toMatchObject({ code: "invalid", message: "There is nothing to say to the agent." });
    expect(await failureOf(send("nowhere"))).toMatchObject({
      code: "invalid",
      message: "`nowhere` is not an address.",
    });
  });
});

test("send() gives the headers of the node to no other server that a card names", async () => {
  await using elsewhere = startA2aServer("1.0", (turn) => turn.reply([{ text: "Hi" }]));
  using named = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: ({ url }) => Response.redirect(`${elsewhere.url}${new URL(url).pathname}`),
  });
  const url = `http://127.0.0.1:${named.port}`;
  const address = { protocol: "a2a", url, headers: { authorization: "Bearer k" } } as const;
  const failure = await failureOf(agents.send(address, MESSAGE, never()));
  expect([failure.code, elsewhere.calls]).toEqual(["forbidden", []]);
  const open = await agents.send({ ...address, headers: {} }, MESSAGE, never());
  expect(open).toEqual({ kind: "answer", answer: "Hi" });
});
