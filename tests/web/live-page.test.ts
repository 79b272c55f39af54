/**
 * hx-sse itself, in Chromium, against our streams. It has gaps (a stream that ends is asked for again
 * for ever, a first connection that fails never); a new version of htmx must pass this too.
 */
import { afterAll, beforeAll, expect, test as bunTest } from "bun:test";
import type { Browser, Page } from "playwright-core";
import { isWithoutChromium, launchChromium } from "../views/chromium.ts";
import { beginStep, endStep } from "../support/journal.ts";
import { startWorld, type World } from "./world.ts";

const STEP = { key: "write", attempt: 1 };
const CALL = { step: "write", attempt: 1, call: 0 };

const skipped = isWithoutChromium("tests/web/live-page.test.ts");
const test = bunTest.skipIf(skipped);
let chromium: Browser;
let world: World;
beforeAll(async () => {
  if (skipped) return;
  [chromium, world] = await Promise.all([launchChromium(), startWorld()]);
}, 20_000);
afterAll(async () => {
  if (skipped) return;
  await chromium.close();
  await world[Symbol.asyncDispose]();
});

interface Opened extends AsyncDisposable {
  readonly page: Page;
  readonly streams: string[];
  readonly noise: string[];
}

async function open(path: string): Promise<Opened> {
  const page = await chromium.newPage();
  const streams: string[] = [];
  const noise: string[] = [];
  page.on("request", (request) => {
    const { pathname } = new URL(request.url());
    if (pathname.endsWith("/stream")) streams.push(request.headers()["last-event-id"] ?? "");
  });
  page.on("console", (message) => noise.push(message.text()));
  page.on("pageerror", (error) => noise.push(error.message));
  await page.goto(world.url + path);
  return { page, streams, noise, [Symbol.asyncDispose]: () => page.close() };
}

const live = (page: Page, state: string) => page.waitForSelector(`html[data-live="${state}"]`);

test("a run's page shows every piece once, over a restart of the server, and then hangs up", async () => {
  const run = await world.addRun(await world.addWorkflow());
  const claim = await world.claim(run.id);
  const { runs } = world.store;
  await beginStep(runs, claim, STEP);
  await runs.appendEvents(claim, [
    { type: "model.started", ...CALL, provider: "demo", model: "tiny" },
  ]);
  await using opened = await open(`/runs/${run.id}`);
  const { page, streams, noise } = opened;
  await live(page, "on");
  for (let piece = 1; piece <= 40; piece += 1) {
    await runs.appendEvents(claim, [{ type: "model.delta", ...CALL, text: `[${piece}]` }]);
    if (piece === 20) {
      await page.locator(".stream", { hasText: "[5]" }).waitFor();
      await world.restart();
    }
    await Bun.sleep(10);
  }
  await page.locator(".stream", { hasText: "[40]" }).waitFor();
  const patch = { text: "Hello Ada" };
  await endStep(runs, claim, { ...STEP, patch, last: true });
  await live(page, "ended");
  const shown = await page.textContent(".stream");
  const pieces = [...(shown ?? "").matchAll(/\[(\d+)\]/g)].map((hit) => Number(hit[1]));
  expect(pieces).toEqual(Array.from({ length: 40 }, (_, index) => index + 1));
  expect(await page.textContent("#run-result")).toContain("Hello Ada");
  const lines = await page.locator("#run-log-lines > li").count();
  const events = await runs.events(run.id, 0, 1_000);
  expect(lines).toBe(events.filter(({ event }) => event.type !== "model.delta").length);

  // hx-sse asks for a stream that has ended again within 0.65 s.
  const { length } = streams;
  await Bun.sleep(1_000);
  expect(streams.slice(length)).toEqual([]);
  expect(streams.at(-1)).toMatch(/^\d+$/);
  // The restart itself is told on the console, by the browser and by htmx.
  expect(noise.filter((text) => !/net::ERR|htmx:sse:error/.test(text))).toEqual([]);
}, 20_000);

test("the status page follows what happens, on one stream", async () => {
  const record = await world.addWorkflow();
  await using opened = await open("/");
  const { page, streams, noise } = opened;
  await live(page, "on");
  const run = await world.addRun(record);
  await page.waitForSelector(`#runs a[href="/runs/${run.id}"]`, { state: "attached" });
  expect(await page.locator(`#log-${run.id}-1`).count()).toBe(1);
  expect(streams).toEqual([""]);
  expect(noise).toEqual([]);
}, 20_000);
