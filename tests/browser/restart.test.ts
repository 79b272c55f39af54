/**
 * Goal: every live page outlasts a server that is killed: it finds the next one, loses nothing, shows nothing twice.
 * Method: one tab on each kind of live page while a model counts; all processes are killed and started again.
 * What each page has put together by then is what it shows when it is opened anew, and its log is the database's.
 */
import { expect, test } from "bun:test";
import { join } from "node:path";
import {
  agentsProcesses,
  createHome,
  eventsOf,
  type Home,
  killQuietly,
  PATIENCE_MS,
  queryDatabase,
  runAgents,
  startAgents,
  waitFor,
} from "../support/agents.ts";
import { startModelServer } from "../support/model-server.ts";
import { isWithoutChromium, launchChromium } from "../views/chromium.ts";
import { LOOKS } from "../views/looks.ts";
import { PAGES } from "../views/pages.tsx";
import { countNext, environment, startAgain } from "./counting.ts";
import { openVisit, type Visit } from "./visit.ts";

const TEST_MS = 4 * PATIENCE_MS;
const skipped = isWithoutChromium("tests/browser/restart.test.ts");

interface Tab {
  readonly route: string;
  readonly tab: Visit;
}

/** It only says whether anything can be saved. */
const STILL = "/settings";

type PathOf = (talk: string) => string;

/**
 * Every page with a stream of its own, the list of runs, and one of those that are told nothing but whether anything
 * can be saved. Opened before the run begins that is cut off; the page of that run is opened after it.
 */
const LIVE: Readonly<Record<string, PathOf>> = {
  "/": () => "/",
  "/runs": () => "/runs",
  "/agents": () => "/agents",
  "/agents/:id": () => "/agents/helper",
  "/logs": () => "/logs",
  [STILL]: () => "/settings",
  "/chat": () => "/chat",
  "/chat/:id": (talk) => talk,
};
const RUN = "/runs/:id";

/** The lines of a page's log as the database has them: run and number. */
const STORED_LINES: Readonly<Record<string, (home: Home, runId: string) => string[]>> = {
  "/": (home) => storedLines(home),
  [RUN]: (home, runId) => storedLines(home, runId),
};

const OWN_STREAM = /hx-sse:connect="(?!\/status\/stream")/;

test("every page with a stream of its own is killed under somebody", async () => {
  const live: string[] = [];
  for (const [route, { full }] of Object.entries(LOOKS)) {
    const cases = PAGES.filter(({ name }) => full.includes(name));
    const texts = await Promise.all(cases.map((found) => found.render("auto")));
    if (texts.some((text) => OWN_STREAM.test(text))) live.push(route);
  }
  expect([...Object.keys(LIVE), RUN]).toEqual(expect.arrayContaining(live));
  expect(live.length).toBeGreaterThan(5);
});

test.skipIf(skipped)(
  "all is killed under every live page at once: each comes back by itself, whole",
  async () => {
    await using home = await createHome();
    await using models = await startModelServer();
    await using first = await startAgents({ home, env: environment(models, "sk-1") });
    const browser = await launchChromium();
    try {
      const open = () => openVisit({ browser, url: first.url, script: true });
      const talk = await talkTo(await open());
      await registerAgent(first.url);
      const tabs: Tab[] = [];
      const openTab = async (route: string, path: string) => {
        const tab = await open();
        await tab.page.goto(path);
        await tab.until("document.documentElement.dataset.live === 'on'");
        tabs.push({ route, tab });
      };
      for (const [route, path] of Object.entries(LIVE)) await openTab(route, path(talk));
      countNext(models);
      const runId = await startRun(home);
      await waitFor(() => typesOf(home, runId).includes("model.delta"), "the model to count");
      await openTab(RUN, `/runs/${runId}`);
      const loads = tabs.map(({ tab }) => tab.loadCount);

      for (const { pid } of agentsProcesses(home.path)) killQuietly(pid, "SIGKILL");
      for (const { tab } of tabs)
        await tab.until("document.documentElement.dataset.live === 'lost'");
      await using second = await startAgain(first, models);
      expect(second.url).toBe(first.url);
      for (const { tab } of tabs)
        await tab.until("['on', 'ended'].includes(document.documentElement.dataset.live)");
      await waitFor(() => typesOf(home, runId).includes("run.succeeded"), "the end of the run");

      for (const { route, tab } of tabs) {
        const anew = await open();
        const shown = async () => {
          await anew.page.goto(tab.page.url());
          return { live: await contentOf(tab), anew: await contentOf(anew) };
        };
        let last = await shown();
        await waitFor(
          async () =>
            route === STILL ||
            Bun.deepEquals(last.live, last.anew) ||
            ((last = await shown()), false),
          () => `${route} to show what it shows anew: ${JSON.stringify(last)}`,
        );
        const { live } = last;
        expect({ route, twice: live.filter((id, index) => live.indexOf(id) !== index) }).toEqual({
          route,
          twice: [],
        });
        const stored = STORED_LINES[route]?.(home, runId);
        if (stored !== undefined)
          expect({ route, lines: linesIn(live) }).toEqual({ route, lines: stored });
        tab.forgiveOutage();
        await tab.check(`${route} after the restart`);
      }
      expect(tabs.map(({ tab }) => tab.loadCount)).toEqual(loads);
    } finally {
      await browser.close();
    }
  },
  TEST_MS,
);

async function startRun(home: Home): Promise<string> {
  const file = join(import.meta.dir, "../../examples/greeting.yaml");
  const { stdout } = await runAgents(["run", file, "--input", "name=Ada", "--detach"], { home });
  return stdout.trim();
}

const typesOf = (home: Home, runId: string) => eventsOf(home, runId).map(({ type }) => type);

/** Its answer is ready before the server is killed. @returns the path of the conversation. */
async function talkTo({ page }: Visit): Promise<string> {
  await page.goto("/chat");
  await page.fill("#text", "Greet people.");
  await page.click("form:has(#text) button[type=submit]");
  await page.waitForURL(/\/chat\/\w+$/);
  return new URL(page.url()).pathname;
}

async function registerAgent(url: string): Promise<void> {
  const body = JSON.stringify({
    agent_id: "helper",
    host: "127.0.0.1",
    port: 8000,
    ttl_seconds: 3600,
  });
  const headers = { "Content-Type": "application/json" };
  const { status } = await fetch(`${url}agents/register`, { method: "POST", headers, body });
  expect(status).toBe(201);
}

/** Ids of all that is on a page, in order. */
function contentOf({ page }: Visit): Promise<string[]> {
  return page.evaluate(
    "[...document.querySelectorAll('#main [id]:not(#pause)')].map((element) => element.id)",
  );
}

/** Of the ids on a page those of log lines. */
function linesIn(ids: readonly string[]): string[] {
  return ids.flatMap((id) => /^log-(\w+-\d+)$/.exec(id)?.[1] ?? []);
}

/** Without streamed text, in the order of the log. */
function storedLines(home: Home, runId?: string): string[] {
  return queryDatabase<{ line: string }>(
    home.databasePath,
    `SELECT run_id || '-' || seq AS line FROM events
     WHERE type <> 'model.delta' AND run_id LIKE ? ORDER BY at, run_id, seq`,
    runId ?? "%",
  ).map(({ line }) => line);
}
