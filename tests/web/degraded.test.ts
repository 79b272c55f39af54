/** A database that cannot be used, for real: pages stay, writes are refused with the reason, it recovers. */
import { Database } from "bun:sqlite";
import { rename } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "bun:test";
import { systemClock } from "../../src/lib/clock.ts";
import { openStore } from "../../src/store/store.ts";
import { openSse } from "./sse-client.ts";
import { Browser, startWorld } from "./world.ts";

async function until(condition: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 8_000;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`not in time: ${condition.toString()}`);
    await Bun.sleep(50);
  }
}

test("a locked database: reads stay, writes get 503 and the reason, and it recovers by itself", async () => {
  await using world = await startWorld();
  const record = await world.addWorkflow();
  const browser = new Browser(world);
  await browser.get("/");
  const other = new Database(join(world.folder, "agents.sqlite"));
  other.run("BEGIN IMMEDIATE");
  try {
    // The first write waits for the lock and finds out; the next ones are refused at once.
    const waited = await browser.post(`/workflows/${record.id}/deletion`);
    expect(waited.status).toBe(503);
    expect(waited.text).toContain("<b>Fix:</b>");

    const startedAt = performance.now();
    const refused = await browser.post(`/workflows/${record.id}/runs`, { "input.name": "Ada" });
    expect(refused.status).toBe(503);
    expect(performance.now() - startedAt).toBeLessThan(1_000);
    const json = await browser.post("/settings/keys", {}, { Accept: "application/json" });
    expect(JSON.parse(json.text)).toMatchObject({ status: 503, code: "database_locked" });
    expect(world.keys.size).toBe(0);

    // What was written is kept, and can still be checked.
    const source = record.version.source.replace("Says hello.", "Says good day.");
    const edit = `/workflows/${record.id}/edit`;
    const kept = await browser.post(edit, { intent: "save", source });
    expect(kept.status).toBe(503);
    expect(kept.text).toContain("Says good day.");
    expect((await browser.post("/workflows/preview", { source })).status).toBe(200);

    const page = await browser.get("/workflows");
    expect(page.status).toBe(200);
    expect(page.text).toContain("Degraded: nothing can be saved.");
    expect(page.text).toContain("greeting");
    expect(page.text).not.toContain('method="post" action="/workflows"');
    expect((await browser.post("/theme", { theme: "dark", back: "/" })).status).toBe(303);
    const readiness = await browser.get("/health/readiness");
    expect(readiness.status).toBe(503);
    expect(JSON.parse(readiness.text)).toMatchObject({
      status: "unavailable",
      code: "database_locked",
      reason: expect.any(String),
      fix: expect.any(String),
    });
    expect(JSON.parse((await browser.get("/health")).text)).toMatchObject({ status: "degraded" });
    expect((await browser.get("/health/liveness")).status).toBe(200);
    await using stream = await openSse(`${world.url}/status/stream`);
    await stream.until(() => stream.messages.length > 0);
    expect(stream.messages.at(-1)?.data).toContain("Degraded: nothing can be saved.");
  } finally {
    other.run("ROLLBACK");
    other.close();
  }
  await until(async () => (await browser.get("/health/readiness")).status === 200);
  const started = await browser.post(`/workflows/${record.id}/runs`, { "input.name": "Ada" });
  expect(started.status).toBe(303);
  expect((await browser.get("/")).text).not.toContain("Degraded");
  expect(world.errors).toEqual([]);
}, 20_000);

test("a damaged database: every page says so instead of failing, and it recovers", async () => {
  await using world = await startWorld({ database: "this is not a database ".repeat(500) });
  const browser = new Browser(world);
  for (const path of ["/", "/workflows", "/runs", "/settings"]) {
    const { status, text } = await browser.get(path);
    expect([path, status]).toEqual([path, 200]);
    expect(text).toContain("Degraded: nothing can be saved.");
  }
  for (const path of ["/workflows/x", "/runs/x", "/runs/x/stream", "/runs/x.json"]) {
    expect([path, (await browser.get(path)).status]).toEqual([path, 503]);
  }
  const page = await browser.get("/runs/x");
  expect(page.text).toContain('<div class="error-box">');
  expect(page.text).toContain("Fix:");
  await using stream = await openSse(`${world.url}/status/stream`);
  expect(stream.status).toBe(200);

  // A file that has gone is waited for; a sound one in its place, such as a backup, is taken up.
  const sound = join(world.folder, "sound.sqlite");
  await (await openStore({ path: sound, clock: systemClock })).close();
  await rename(sound, join(world.folder, "agents.sqlite"));
  await until(async () => (await browser.get("/health/readiness")).status === 200);
  expect((await browser.get("/")).text).not.toContain("Degraded");
  await stream.until(() => stream.messages.length > 0);
  // Only the stream had to say that it could not read, and said it once.
  expect(world.errors.length).toBeLessThanOrEqual(1);
}, 20_000);
