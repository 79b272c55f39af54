/** The short addresses: HTML for htmx, JSON for everybody else. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { setUp, type Setting } from "../scenarios.ts";
import { openSse } from "../sse-client.ts";
import { startWorld, type World } from "../world.ts";

let world: World;
let setting: Setting;
beforeAll(async () => {
  world = await startWorld();
  setting = await setUp(world);
});
afterAll(() => world[Symbol.asyncDispose]());

const HTMX = { "HX-Request": "true", "HX-Request-Type": "partial" };

async function send(method: string, path: string, init: RequestInit = {}) {
  const response = await fetch(`${world.url}/api${path}`, { method, ...init });
  const type = response.headers.get("Content-Type") ?? "";
  return { status: response.status, type, text: await response.text() };
}

test("start, stop and restart act at once, and answer both ways", async () => {
  const body = JSON.stringify({ inputs: { name: "Grace" } });
  const headers = { "Content-Type": "application/json" };
  const started = await send("POST", "/workflows/start/greeting", { headers, body });
  const run = JSON.parse(started.text);
  expect([started.status, run.state, run.source, run.inputs]).toEqual([
    201,
    "queued",
    "api",
    { name: "Grace" },
  ]);
  const stopped = await send("POST", `/workflows/stop/${run.id}`, { headers: HTMX });
  expect([stopped.status, stopped.type]).toEqual([200, "text/html; charset=UTF-8"]);
  expect(stopped.text).toContain("Cancelled");
  expect(stopped.text).not.toContain("<html");
  const again = await send("POST", `/workflows/restart/${run.id}`);
  expect(JSON.parse(again.text)).toMatchObject({
    state: "queued",
    origin: { kind: "rerun", run: run.id },
  });
  expect((await world.store.runs.get(run.id))?.state).toBe("cancelled");
});

test("what is wrong is told both ways", async () => {
  const missing = await send("POST", "/workflows/start/greeting");
  expect([missing.status, missing.type]).toEqual([422, "application/problem+json"]);
  expect(JSON.parse(missing.text).detail).toContain("`name` is required");
  const fragment = await send("POST", "/workflows/stop/nothing", { headers: HTMX });
  expect([fragment.status, fragment.type]).toEqual([404, "text/html; charset=UTF-8"]);
  expect(fragment.text).toContain("There is no run nothing.");
  for (const text of ["{", "[]", '{"inputs":3}']) {
    const headers = { "Content-Type": "application/json" };
    const refused = await send("POST", "/workflows/start/greeting", { headers, body: text });
    expect(refused.status, text).toBe(400);
  }
});

test("a workflow, a run and agents are read both ways", async () => {
  const { workflow, finished, agent } = setting;
  const run = await send("GET", `/workflows/${finished.id}`);
  expect(JSON.parse(run.text)).toMatchObject({ id: finished.id, state: "succeeded" });
  const named = await send("GET", "/workflows/greeting");
  expect(JSON.parse(named.text)).toMatchObject({ id: workflow.id, is_valid: true });
  const card = await send("GET", "/workflows/greeting", { headers: HTMX });
  expect(card.text).toContain(`href="/workflows/${workflow.id}"`);
  const agents = await send("GET", "/agents", { headers: HTMX });
  expect(agents.text).toContain("Alive");
  const one = await send("GET", `/agents/${agent.id}`, { headers: HTMX });
  expect(one.text).toContain("http://127.0.0.1:8000");
  expect((await send("GET", "/agents/nobody")).status).toBe(404);
});

test("the stream tells the log as JSON, from the place that a reader has, to the end", async () => {
  const { finished } = setting;
  const events = await world.store.runs.events(finished.id, 0, 100);
  const read = async (headers: Record<string, string>) => {
    await using client = await openSse(`${world.url}/api/workflows/stream/${finished.id}`, {
      headers,
    });
    await client.until(() => client.messages.at(-1)?.event === "end");
    return client.messages;
  };
  const all = await read({});
  const logged = all.filter(({ event }) => event !== "end");
  expect(logged.map(({ data }) => JSON.parse(data).seq)).toEqual(events.map(({ seq }) => seq));
  expect(logged.map(({ event }) => event)).toEqual(events.map(({ event }) => event.type));
  expect(all.at(-1)?.data).toBe('{"state":"succeeded"}');
  const rest = await read({ "Last-Event-ID": "2" });
  expect(JSON.parse(rest[0]?.data ?? "{}").seq).toBe(3);
});

test("the stream of a run that goes on tells what comes", async () => {
  const run = await world.addRun(setting.workflow);
  await using client = await openSse(`${world.url}/api/workflows/stream/${run.id}`);
  await client.until(() => client.messages.some(({ event }) => event === "run.queued"));
  await send("POST", `/workflows/stop/${run.id}`);
  await client.until(() => client.messages.at(-1)?.event === "end");
  const ids = client.messages.map(({ id }) => Number(id));
  expect(ids).toEqual(ids.toSorted((a, b) => a - b));
  expect(client.messages.map(({ event }) => event)).toContain("run.cancelled");
});
