import { expect, test } from "bun:test";
import { createAgentCheck } from "../../src/app/agent-check.ts";
import { BY_HAND, type RegisteredAgent } from "../../src/domain/registered-agent.ts";
import { systemClock } from "../../src/lib/clock.ts";

/** A text, or what is sent as JSON. */
type Answers = Readonly<Record<string, string | object>>;

function serve(answers: Answers) {
  return Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch({ url }) {
      const answer = answers[new URL(url).pathname];
      if (answer === undefined) return new Response("", { status: 404 });
      return typeof answer === "string" ? new Response(answer) : Response.json(answer);
    },
  });
}

function agent(port: number | undefined, over: Partial<RegisteredAgent> = {}): RegisteredAgent {
  return {
    id: "a",
    name: "A",
    url: `http://127.0.0.1:${port}`,
    ttlSeconds: 60,
    registeredAt: 0,
    heartbeatAt: 0,
    capabilities: [],
    metadata: BY_HAND,
    ...over,
  };
}

const check = (allowedAddresses: readonly string[] = []) =>
  createAgentCheck({ tools: { allowedAddresses } as never }, systemClock);

const CARD = "/.well-known/agent-card.json";
const CASES: readonly (readonly [
  string,
  Answers,
  { ok: boolean; says: RegExp; docs?: boolean },
])[] = [
  ["healthy", { "/health": { status: "healthy" } }, { ok: true, says: /healthy/ }],
  ["alive", { "/health": { status: "ALIVE" } }, { ok: true, says: /ALIVE/ }],
  ["no JSON", { "/health": "fine" }, { ok: true, says: /It answers \(\d+ ms\)/ }],
  ["sick", { "/health": { status: "sick" } }, { ok: false, says: /says: sick/ }],
  ["a card only", { [CARD]: { name: "A" } }, { ok: true, says: /card/, docs: true }],
  ["nothing", {}, { ok: false, says: /status 404 at \/health, and has no agent card/ }],
];

for (const [name, answers, expected] of CASES) {
  test(`an agent that has ${name}`, async () => {
    using server = serve(answers);
    const { ok, message, docs } = await check()(agent(server.port));
    expect(ok).toBe(expected.ok);
    expect(message).toMatch(expected.says);
    expect(docs).toBe(expected.docs === true ? `http://127.0.0.1:${server.port}${CARD}` : null);
  });
}

test("an agent of this machine that registered itself is asked only where the owner allows it", async () => {
  using server = serve({ "/health": { status: "ok" } });
  const own = agent(server.port, { metadata: {} });
  const refused = await check()(own);
  expect(refused.ok).toBe(false);
  expect(refused.message).toContain("AGENTS_ALLOWED_ADDRESSES");
  expect((await check([`127.0.0.1:${server.port}`])(own)).ok).toBe(true);
});

test("an agent that is not there", async () => {
  const server = serve({});
  const { port } = server;
  await server.stop(true);
  const { ok, message } = await check()(agent(port));
  expect(ok).toBe(false);
  expect(message).toContain(`\`127.0.0.1:${port}\` cannot be reached`);
});
