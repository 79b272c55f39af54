/** Agents by the paths that they know, and on their page. */
import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { systemClock } from "../../src/lib/clock.ts";
import { Browser, startWorld, type World } from "./world.ts";

let world: World;
let browser: Browser;
let aheadMs = 0;
const clock = { ...systemClock, now: () => systemClock.now() + aheadMs };
beforeAll(async () => {
  world = await startWorld({ clock });
});
afterAll(() => world[Symbol.asyncDispose]());
beforeEach(() => {
  browser = new Browser(world);
});

const HELPER = { agent_id: "helper-1", agent_name: "Helper", host: "127.0.0.1", port: 8000 };

async function send(method: string, path: string, json?: unknown) {
  const response = await fetch(`${world.url}${path}`, {
    method,
    ...(json === undefined
      ? {}
      : { body: JSON.stringify(json), headers: { "Content-Type": "application/json" } }),
  });
  return { status: response.status, json: (await response.json()) as Record<string, unknown> };
}

test("registers, beats, is listed, told and removed in JSON", async () => {
  const first = await send("POST", "/agents/register", {
    ...HELPER,
    metadata: '{"capabilities":["sums"],"registered_by":"hand"}',
  });
  expect(first).toEqual({
    status: 201,
    json: {
      ...HELPER,
      url: "http://127.0.0.1:8000",
      is_alive: true,
      last_heartbeat: expect.any(String),
      registered_at: expect.any(String),
      ttl_seconds: 60,
      capabilities: ["sums"],
      metadata: '{"capabilities":["sums"]}',
      agent_metadata: { capabilities: ["sums"] },
    },
  });
  expect((await send("POST", "/agents/register", HELPER)).status).toBe(200);
  expect((await send("GET", "/agents/helper-1")).json["agent_name"]).toBe("Helper");
  expect((await send("GET", "/agents")).json).toHaveLength(1);
  aheadMs = 61_000;
  expect((await send("GET", "/agents")).json).toEqual([] as never);
  expect((await send("GET", "/agents?include_dead=true")).json).toMatchObject([
    { agent_id: "helper-1", is_alive: false },
  ]);
  const beat = await send("POST", "/agents/helper-1/heartbeat");
  expect(beat).toEqual({
    status: 200,
    json: { status: "ok", last_heartbeat: expect.any(String) },
  });
  expect((await send("GET", "/agents")).json).toHaveLength(1);
  expect(await send("DELETE", "/agents/helper-1")).toEqual({
    status: 200,
    json: { status: "deleted", agent_id: "helper-1" },
  });
  for (const [method, path] of [
    ["GET", "/agents/helper-1"],
    ["DELETE", "/agents/helper-1"],
    ["POST", "/agents/helper-1/heartbeat"],
  ] as const) {
    const { status, json } = await send(method, path);
    expect({ method, status, code: json["code"] }).toEqual({
      method,
      status: 404,
      code: "not_found",
    });
  }
});

test("says what is wrong with a registration", async () => {
  const cases: readonly (readonly [object, RegExp])[] = [
    [{ ...HELPER, agent_id: undefined }, /agent_id/],
    [{ ...HELPER, agent_id: "a/b" }, /agent_id: letters, digits/],
    [{ ...HELPER, agent_id: "stream" }, /is taken/],
    [{ ...HELPER, port: undefined }, /host and port: both are needed/],
    [{ ...HELPER, host: "a b" }, /is not an address/],
    [{ ...HELPER, url: "ftp://x" }, /is not an address/],
    [{ ...HELPER, url: "http://me:hush@x" }, /is not an address/],
    [{ ...HELPER, ttl_seconds: 3_601 }, /ttl_seconds/],
    [{ ...HELPER, metadata: "x".repeat(17_000) }, /longer than 16384/],
  ];
  for (const [body, says] of cases) {
    const { status, json } = await send("POST", "/agents/register", body);
    expect({ body, status }).toEqual({ body, status: 422 });
    expect(json["detail"]).toMatch(says);
    expect(json["fix"]).toContain("Send agent_id");
  }
  for (const [type, status] of [
    [undefined, 400],
    ["application/json", 400],
    ["text/plain", 403],
    ["application/x-www-form-urlencoded", 403],
  ] as const) {
    const answer = await fetch(`${world.url}/agents/register`, {
      method: "POST",
      body: new TextEncoder().encode("{"),
      ...(type === undefined ? {} : { headers: { "Content-Type": type } }),
    });
    expect({ type, status: answer.status }).toEqual({ type, status });
    const { fix } = (await answer.json()) as { fix: string };
    expect(fix).toContain("Content-Type: application/json");
  }
  expect((await send("GET", "/agents?include_dead=1")).json).toEqual([] as never);
});

test("a form keeps what was typed when it is refused; undo puts an agent back as it was", async () => {
  const fields = { name: "My  Agent!", url: "nowhere", capabilities: "a, b", ttl_seconds: "9" };
  const html = { Accept: "text/html" };
  const refused = await browser.post("/agents/register", fields, html);
  expect(refused.status).toBe(422);
  expect(refused.text).toContain('value="nowhere"');
  expect(refused.text).toContain('value="a, b"');
  const good = { ...fields, url: "http://127.0.0.1:9/" };
  const taken = await browser.post("/agents/register", good, html);
  expect(taken.headers.get("Location")).toBe("/agents/my-agent");
  const second = await browser.post("/agents/register", good, html);
  expect(second.headers.get("Location")).toBe("/agents/my-agent-2");
  const before = await world.store.agents.get("my-agent");
  expect(before).toMatchObject({ capabilities: ["a", "b"], url: "http://127.0.0.1:9" });
  const removed = await browser.post("/agents/my-agent/deletion");
  const page = await browser.get(removed.headers.get("Location") ?? "", html);
  expect(page.text).toContain("Removed: <b>My  Agent!</b>");
  await browser.post("/agents/restorations", { id: "my-agent" });
  expect(await world.store.agents.get("my-agent")).toEqual(before);
});

test.each([
  ["by its address", 'url: "http://127.0.0.1:8123/x"'],
  ["by its id", "name: helper-1"],
  ["by its name", 'name: "Helper"'],
])("a page tells which workflows call an agent %s", async (how, target) => {
  await send("POST", "/agents/register", { ...HELPER, port: 8123, agent_name: "Helper" });
  const source = `schema_version: "1.0"
flow: { name: "asking ${how}" }
state: { fields: { question: { type: str, required: true }, answer: { type: str, default: "" } } }
nodes:
  - { id: ask, agent: { ${target} }, prompt: "{question}", outputs: [answer] }
edges: [{ from: START, to: ask }, { from: ask, to: END }]
`;
  const workflow = await world.addWorkflow(source);
  const page = await browser.get("/agents/helper-1", { Accept: "text/html" });
  expect(page.text).toContain(`href="/workflows/${workflow.id}"`);
  expect(page.text).toContain("name: &quot;helper-1&quot;");
});
