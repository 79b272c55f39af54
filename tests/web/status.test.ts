/** What the status page says needs attention, and that it can be put away until it changes. */
import { afterEach, expect, test } from "bun:test";
import { openSse } from "./sse-client.ts";
import { Browser, startWorld, type World, type WorldOptions } from "./world.ts";

let world: World | undefined;
afterEach(async () => {
  await world?.[Symbol.asyncDispose]();
  world = undefined;
});

async function start(options?: WorldOptions): Promise<World> {
  world = await startWorld(options);
  return world;
}

async function failRun(here: World): Promise<string> {
  const run = await here.addRun(await here.addWorkflow());
  const claim = await here.claim(run.id);
  await here.store.runs.failRun(claim, { code: "timeout", message: "Late." });
  return run.id;
}

/** What the button of an alert sends. */
function buttonsOf(html: string): string[] {
  return [...html.matchAll(/name="alert" value="([^"]*)"/g)].map(([, value = ""]) =>
    value.replaceAll("&quot;", '"'),
  );
}

test("an alert that was put away stays away until its state is another one, also after a restart", async () => {
  const here = await start();
  const browser = new Browser(here);
  const first = await failRun(here);
  const before = (await browser.get("/")).text;
  expect(before).toContain("Runs have failed in 24h:");
  const [button = ""] = buttonsOf(before);
  expect(JSON.parse(button)).toEqual(["failed", first]);
  const answer = await browser.post("/status/acknowledgements", { alert: button, range: "24h" });
  expect([answer.status, answer.headers.get("Location")]).toEqual([303, "/?range=24h"]);
  expect((await browser.get("/")).text).not.toContain("Runs have failed");
  await here.restart();
  expect((await browser.get("/")).text).not.toContain("Runs have failed");
  await failRun(here);
  expect((await browser.get("/")).text).toContain("Runs have failed in 24h:");
});

test("what is no alert is refused, and nothing is kept of it", async () => {
  const here = await start();
  const browser = new Browser(here);
  for (const alert of ["", "x", "[1,2]", '["a"]', JSON.stringify(["a", "x".repeat(5_000)])])
    expect((await browser.post("/status/acknowledgements", { alert })).status).toBe(422);
  expect(await here.store.system.setting("alerts.acknowledged")).toBeUndefined();
});

test("only so many states are kept", async () => {
  const here = await start();
  const browser = new Browser(here);
  for (let index = 0; index < 105; index += 1)
    await browser.post("/status/acknowledgements", { alert: JSON.stringify([`a${index}`, "s"]) });
  const kept = JSON.parse((await here.store.system.setting("alerts.acknowledged")) ?? "[]");
  expect(kept).toHaveLength(100);
  expect(kept[0]).toEqual(["a5", "s"]);
});

test("a provider that asks to be left alone is named until then", async () => {
  const here = await start();
  const browser = new Browser(here);
  await here.store.turns.block("openai:0123456789abcdef", Date.now() + 60_000);
  await here.store.turns.block("google:0123456789abcdef", Date.now() - 1_000);
  const { text } = await browser.get("/");
  expect(text).toContain("<b>openai is rate limited.</b>");
  expect(text).not.toContain("google is rate limited");
});

test("a message has only the parts that have changed, each at its pace", async () => {
  const memory = { bytes: 1 };
  const sample = { at: 1, cpuShare: 0.5, diskFreeBytes: 1, databaseBytes: 1, queueDepth: 0 };
  const refresh = {
    queueMs: 100,
    workflowsMs: 100,
    agentsMs: 100,
    systemMs: 60_000,
    pollMs: 5_000,
  };
  const resources = () => [{ ...sample, memoryBytes: memory.bytes }];
  const here = await start({ deps: { refresh, resources } });
  await using client = await openSse(`${here.url}/status/stream`);
  await client.until(() => client.messages.length === 1);
  const targets = (index: number) =>
    [...(client.messages[index]?.data ?? "").matchAll(/hx-target="#([\w-]+)"/g)].map(
      (hit) => hit[1],
    );
  expect(targets(0)).toContain("resources");
  await here.addWorkflow();
  memory.bytes = 2;
  await client.until(() => client.messages.length === 2);
  // The machine has its own pace: what has changed of it comes later.
  expect(targets(1)).toEqual(["runs"]);
  await here.addRun(await here.addWorkflow());
  await client.until(() => client.messages.length === 3);
  expect(targets(2)).toEqual(["tile-active", "runs", "log-lines"]);
});
