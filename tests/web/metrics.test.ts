/** The metrics page on a real store: what it sums up, its ranges, and its exports. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readMetricsChoice } from "../../src/web/metrics-range.ts";
import { call } from "../conformance/support.ts";
import { createManualClock, type ManualClock } from "../store/support/manual-clock.ts";
import { beginStep, endStep } from "../support/journal.ts";
import { GREETING, Browser, startWorld, type World } from "./world.ts";

const DAY_MS = 86_400_000;
const START_MS = Date.UTC(2026, 10, 1, 12);

let world: World;
let clock: ManualClock;
let browser: Browser;

/** Two workflows: one with a run a day that costs 20 cents, a quoted one with a run that failed. */
beforeAll(async () => {
  clock = createManualClock(START_MS);
  world = await startWorld({ clock });
  browser = new Browser(world);
  const greeting = await world.addWorkflow();
  for (let day = 0; day < 20; day += 1) {
    const run = await world.addRun(greeting);
    const claim = await world.claim(run.id);
    await beginStep(world.store.runs, claim, { key: "write" });
    clock.advance(2_000);
    const model = { key: "write", name: "demo/a", costNanoUsd: 200_000_000 };
    await world.store.runs.recordCall(claim, call(0, model), []);
    await endStep(world.store.runs, claim, { key: "write", patch: {}, last: true });
    clock.advance(DAY_MS - 2_000);
  }
  const other = await world.store.workflows.save({
    name: '=cmd|"x"',
    description: null,
    source: GREETING,
    format: "yaml",
  });
  const failed = await world.addRun(other);
  const claim = await world.claim(failed.id);
  clock.advance(6_000);
  await world.store.runs.failRun(claim, { code: "timeout", message: "Late." });
  clock.advance(-6_000);
});
afterAll(() => world[Symbol.asyncDispose]());

const valueOf = (html: string, id: string) =>
  new RegExp(`id="tile-${id}".*?<p class="tile-value">(.*?)</p>`, "s")
    .exec(html)?.[1]
    ?.replaceAll(/<[^>]+>/g, "");

test("sums up a range, beside the one before it", async () => {
  const { text } = await browser.get("/metrics?range=7d");
  expect(valueOf(text, "runs")).toBe("7");
  expect(valueOf(text, "success")).toBe("85.7%");
  expect(valueOf(text, "cost")).toBe("$1.20");
  expect(text).toContain("Bottleneck:");
  const whole = await browser.get("/metrics?range=90d");
  expect(valueOf(whole.text, "cost")).toBe("$4.00");
});

test("days that were joined tell the same", async () => {
  const before = (await browser.get("/metrics.json?range=90d")).text;
  const joined = await world.store.metrics.removeOldHours();
  expect(joined).toBeGreaterThan(3);
  expect((await browser.get("/metrics.json?range=90d")).text).toBe(before);
});

test("filters by workflow, and says what to do where nothing ran", async () => {
  const [greeting] = await world.store.workflows.list({ limit: 5, search: "greeting" });
  const own = await browser.get(`/metrics?range=90d&workflow=${greeting?.id}`);
  expect(valueOf(own.text, "runs")).toBe("20");
  expect(own.text).toContain(`href="/runs?workflow=${greeting?.id}"`);
  const empty = await browser.get("/metrics?workflow=nobody");
  expect(empty.text).toContain("Nothing ran in this time");
  expect(empty.text).toContain('href="/workflows"');
});

test("a range of one's own is one of whole days; what is none keeps what was typed", async () => {
  const own = await browser.get("/metrics?range=custom&from=2026-11-03&to=2026-11-05");
  expect(valueOf(own.text, "runs")).toBe("3");
  const refused = await browser.get("/metrics?range=custom&from=2026-11-05&to=2026-11-03");
  expect(refused.status).toBe(422);
  expect(refused.text).toContain("The last day is before the first.");
  expect(refused.text).toContain('value="2026-11-05"');
  const csv = await browser.get("/metrics.csv?range=custom&from=x&to=2026-11-03");
  expect(csv.status).toBe(422);
});

test("exports what the tables show, as numbers, safe for spreadsheets", async () => {
  const [head, ...rows] = (await browser.get("/metrics.csv?table=workflows&range=90d")).text
    .trim()
    .split("\r\n");
  expect(head).toStartWith("workflow_id,workflow,created,succeeded,failed,cancelled,success_rate,");
  expect(rows[0]).toMatch(/^\w+,greeting,20,20,0,0,1,2000,2000,200,100,4$/);
  expect(rows[1]).toMatch(/^\w+,"'=cmd\|""x""",1,0,1,0,0,6000,6000,0,0,0$/);
  const models = JSON.parse((await browser.get("/metrics.json?table=models&range=90d")).text);
  expect(models).toMatchObject({ models: [{ model: "demo/a", calls: 20, cost_usd: 4 }] });
  const nodes = (await browser.get("/metrics.csv?table=nodes&range=90d")).text;
  expect(nodes).toContain(",greeting,write,20,0,40000,2000,2000,200,100,4\r\n");
  expect((await browser.get("/metrics.csv?table=users")).status).toBe(422);
});

function choose(query: Record<string, string>) {
  return readMetricsChoice((name) => query[name], Date.UTC(2026, 10, 20, 14, 31));
}

/** The range in whole hours, and how many hours a bar has. */
function rangeOf(query: Record<string, string>): unknown[] {
  const { sinceMs, untilMs, spanMs } = choose(query);
  return [
    new Date(sinceMs).toISOString().slice(0, 13),
    new Date(untilMs).toISOString().slice(0, 13),
    spanMs / 3_600_000,
  ];
}

describe("readMetricsChoice()", () => {
  test.each([
    [{}, "2026-11-13T15", "2026-11-20T15", 6],
    [{ range: "24h" }, "2026-11-19T15", "2026-11-20T15", 1],
    [{ range: "30d" }, "2026-10-22T00", "2026-11-21T00", 24],
    [{ range: "90d" }, "2026-08-23T00", "2026-11-21T00", 24],
    [
      { range: "custom", from: "2026-11-19", to: "2026-11-20" },
      "2026-11-19T00",
      "2026-11-21T00",
      1,
    ],
    [
      { range: "custom", from: "2026-01-01", to: "2026-01-01" },
      "2026-01-01T00",
      "2026-01-02T00",
      24,
    ],
    [
      { range: "custom", from: "2025-01-01", to: "2025-12-31" },
      "2025-01-01T00",
      "2026-01-01T00",
      96,
    ],
    [
      { range: "custom", from: "2026-02-31", to: "2026-03-02" },
      "2026-11-13T15",
      "2026-11-20T15",
      6,
    ],
    [{ range: "nonsense" }, "2026-11-13T15", "2026-11-20T15", 6],
  ])("%j", (...row) => {
    const [query, since, until, span] = row;
    expect(rangeOf(query)).toEqual([since, until, span]);
  });
});
