/**
 * Goal: every page looks right and can be used by everybody, under the product's own CSP.
 * Method: the pages of the fixtures in Chromium, on desktop and phone, light and dark, with and
 * without script; axe-core for accessibility, the console and CSP reports for faults, measured boxes
 * for sideways scroll; then what the browser code does with a stream that speaks, breaks and comes
 * back. What runs inside the page is text, so that no DOM types leak into the product.
 */
import { afterAll, beforeAll, describe, expect, test as bunTest } from "bun:test";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import type { RunEvent, StoredEvent } from "../../src/domain/event.ts";
import { BannersPart } from "../../views/part/banner.tsx";
import { RunUpdate } from "../../views/run.tsx";
import { LogLines, statusParts, StatusUpdate } from "../../views/status.tsx";
import { type FirstVisit, firstVisit } from "../views/first-visit.ts";
import { isWithoutChromium, launchChromium } from "../views/chromium.ts";
import { PLANTED_PATH, startFixtureServer, type FixtureServer } from "../views/fixture-server.ts";
import {
  calls,
  DRAWING,
  events,
  NOW,
  run,
  STATUS_FULL,
  steps,
  WORKFLOW,
} from "../views/fixtures.ts";
import { LOOKS } from "../views/looks.ts";
import { PAGES, text } from "../views/pages.tsx";

const DESKTOP = { width: 1440, height: 900 };
const PHONE = { width: 390, height: 844 };
const NARROW = { width: 320, height: 640 };
const WAIT_MS = 10_000;
const TEST_MS = 120_000;
const MATRIX_MS = 300_000;
const REQUEST_COUNT_MAX = 10;
const FIRST_VISIT_BYTES_MAX = 150 * 1024;
const LAYOUT_SHIFT_MAX = 0.01;
const TARGET_PX_MIN = 24;
/** Tabs that are looked at side by side: while one is drawn, another is checked. */
const TAB_COUNT = 3;

const skipped = isWithoutChromium("tests/browser/look.test.ts");
const test = bunTest.skipIf(skipped);
const axe = await Bun.file(require.resolve("axe-core/axe.min.js")).text();
const inPage = await Bun.file(new URL("../views/in-page.js", import.meta.url)).text();
let browser: Browser;
let server: FixtureServer;

beforeAll(async () => {
  if (skipped) return;
  server = startFixtureServer();
  browser = await launchChromium();
}, TEST_MS);

afterAll(async () => {
  if (skipped) return;
  await browser.close();
  await server[Symbol.asyncDispose]();
});

interface Visit extends AsyncDisposable {
  readonly page: Page;
  /** Console errors, warnings and CSP reports so far. */
  readonly noise: string[];
}

async function visit(options: BrowserContextOptions, base = server.url): Promise<Visit> {
  const context = await browser.newContext({
    baseURL: base,
    viewport: DESKTOP,
    reducedMotion: "reduce",
    ...options,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(WAIT_MS);
  const noise: string[] = [];
  page.on("console", (message) => {
    // Chromium itself reports every answer of 4xx and 5xx.
    if (message.text().includes("Failed to load resource")) return;
    if (message.type() === "error" || message.type() === "warning") noise.push(message.text());
  });
  page.on("pageerror", (error) => noise.push(String(error)));
  return { page, noise, [Symbol.asyncDispose]: () => context.close() };
}

/** A page whose stream is open. */
async function watch(own: FixtureServer, name: string): Promise<Visit> {
  const open = await visit({}, own.url);
  await open.page.goto(pathOf(name));
  await open.page.waitForSelector(live("on"));
  return open;
}

/** Waits until an expression is true in the page; the driver's own way needs `eval`, which the CSP bans. */
async function until(page: Page, expression: string): Promise<void> {
  const end = Date.now() + 2 * WAIT_MS;
  while (!(await page.evaluate<boolean>(expression))) {
    if (Date.now() > end) throw new Error(`still not true: ${expression}`);
    await Bun.sleep(30);
  }
}

/** The script lives in a scope of its own: its names must not be declared twice in a page. */
async function prepare(page: Page): Promise<void> {
  await page.evaluate(axe);
  await page.evaluate(`(() => {${inPage}})()`);
}

function pathOf(name: string): string {
  const found = PAGES.find((page) => page.name === name);
  if (found === undefined) throw new Error(`no page ${name}`);
  return found.path;
}

const live = (state: string) => `html[data-live="${state}"]`;
const activeIs = (value: number) =>
  `document.querySelector('#tile-active .tile-value').textContent === '${value}'`;
const lineCountIs = (count: number) =>
  `document.querySelectorAll('#log-lines > li').length === ${count}`;
const ARRIVED =
  "document.addEventListener('htmx:sse:before:message', () => { globalThis.arrived = true; })";
const STREAM = "[data-text=run-text-research-1-0] > .stream";
const SIDEWAYS = "document.documentElement.scrollWidth - innerWidth";
const SCROLL_TOP = "document.querySelector('.log').scrollTop";

/** A message of the status stream; one run of the fixtures waits and counts as active too. */
function statusWith(active: number, list: readonly StoredEvent[] = []): Promise<string> {
  const counts = { ...STATUS_FULL.counts, running: active - STATUS_FULL.counts.waiting };
  const parts = statusParts({ ...STATUS_FULL, counts });
  return text(StatusUpdate({ parts, events: list }));
}

async function linesOf(runId: string, list: readonly RunEvent[]): Promise<string> {
  const lines = await text(LogLines({ events: events(runId, list) }));
  return `<hx-partial hx-target="#log-lines" hx-swap="beforeend">${lines}</hx-partial>`;
}

/** Takes each page in turn, in several tabs at once, and tells all that is wrong with any of them. */
async function expectNoFaults(
  options: BrowserContextOptions,
  look: (page: Page) => Promise<object>,
): Promise<void> {
  const pages = PAGES.values();
  const faults: object[] = [];
  await inTabs(async () => {
    await using open = await visit(options);
    for (const { name, path } of pages) {
      await open.page.goto(path, { waitUntil: "load" });
      const found = { ...(await look(open.page)), noise: open.noise.splice(0) };
      const wrong = Object.entries(found).filter(([, value]) => !isFine(value));
      if (wrong.length > 0) faults.push({ name, ...Object.fromEntries(wrong) });
    }
  });
  expect(faults).toEqual([]);
}

/** What is wrong with a page without script. */
async function bare(page: Page): Promise<string[]> {
  const sideways = await page.evaluate<number>(SIDEWAYS);
  const dead = await page.locator(".js-only:visible").count();
  const isHeaded = await page.isVisible("h1");
  return [
    ...(sideways === 0 ? [] : [`scrolls ${sideways} px sideways`]),
    ...(dead === 0 ? [] : [`${dead} dead controls`]),
    ...(isHeaded ? [] : ["no heading"]),
  ];
}

const isFine = (found: unknown) => found === 0 || Bun.deepEquals(found, []);

async function inTabs(walk: () => Promise<void>): Promise<void> {
  await Promise.all(Array.from({ length: TAB_COUNT }, walk));
}

describe.each([
  { name: "desktop", viewport: DESKTOP, narrowest: DESKTOP },
  { name: "phone", viewport: PHONE, narrowest: NARROW },
])("on a $name, light and dark", ({ viewport, narrowest }) => {
  test(
    "every page has no violation, noise, sideways scroll or small target",
    () =>
      expectNoFaults({ viewport, colorScheme: "light" }, async (page) => {
        await prepare(page);
        await page.evaluate("look.unfold(); document.fonts.ready.then(() => 0)");
        const light = await page.evaluate<string[]>("look.violations()");
        const menus = await page.evaluate<string[]>("look.menuViolations()");
        const measured = await page.evaluate<object>(`look.measure(${TARGET_PX_MIN})`);
        await page.emulateMedia({ colorScheme: "dark" });
        const dark = await page.evaluate<string[]>("look.colourViolations()");
        await page.emulateMedia({ colorScheme: "light" });
        await page.setViewportSize(narrowest);
        const sidewaysNarrow = await page.evaluate<number>(SIDEWAYS);
        await page.setViewportSize(viewport);
        return { light, menus, dark, ...measured, sidewaysNarrow };
      }),
    MATRIX_MS,
  );

  // Without script no promise is ever settled in the page, so axe cannot run there.
  test(
    "every page has no noise, sideways scroll or dead control without script",
    () =>
      expectNoFaults({ viewport, javaScriptEnabled: false, colorScheme: "light" }, async (page) => {
        // A live page asks for itself anew, which must not happen while it is looked at.
        await page.evaluate("stop()");
        const light = await bare(page);
        await page.emulateMedia({ colorScheme: "dark" });
        return { light, dark: await bare(page) };
      }),
    MATRIX_MS,
  );
});

test(
  "the checks find planted faults",
  async () => {
    await using open = await visit({});
    await open.page.goto(PLANTED_PATH, { waitUntil: "load" });
    await prepare(open.page);
    const found = await open.page.evaluate<string[]>("look.violations()");
    expect(found.some((line) => line.startsWith("image-alt"))).toBe(true);
    expect(await open.page.evaluate<number>(SIDEWAYS)).toBeGreaterThan(0);
    expect(open.noise.filter((line) => line.includes("Content Security Policy"))).not.toEqual([]);
  },
  TEST_MS,
);

test(
  "text keeps its contrast in both themes, where axe cannot tell",
  async () => {
    for (const colorScheme of ["light", "dark"] as const) {
      await using open = await visit({ colorScheme });
      await open.page.goto("/");
      await prepare(open.page);
      expect(await open.page.evaluate<string[]>("look.lowContrast()"), colorScheme).toEqual([]);
    }
  },
  TEST_MS,
);

describe("the browser code", () => {
  test(
    "shows what the stream says, each line once, and keeps open what was opened",
    async () => {
      await using own = startFixtureServer();
      await using open = await watch(own, "status");
      const { page } = open;
      await page.click("#alerts-info > summary");
      const before = await page.locator("#log-lines > li").count();
      const update = await statusWith(42, [
        ...STATUS_FULL.events,
        { runId: "01abc", seq: 99, at: NOW, event: { type: "run.succeeded", outputs: null } },
      ]);
      own.send(update);
      own.send(update);
      await until(page, activeIs(42));
      await page.waitForSelector("#log-01abc-99");
      await until(page, lineCountIs(before + 1));
      expect(await page.getAttribute("#alerts-info", "open")).toBe("");
      expect(open.noise).toEqual([]);
    },
    TEST_MS,
  );

  test(
    "keeps at most 400 lines, at the newest unless the reader scrolled up",
    async () => {
      await using own = startFixtureServer();
      await using open = await watch(own, "status");
      const { page } = open;
      own.send(
        await linesOf(
          "01a",
          Array.from({ length: 450 }, () => ({ type: "run.queued" })),
        ),
      );
      await until(page, lineCountIs(400));
      expect(await page.locator("#log-01a-450").count()).toBe(1);
      // The list grows upwards from its end, so 0 is the newest line.
      expect(await page.evaluate<number>(SCROLL_TOP)).toBe(0);
      await page.evaluate("document.querySelector('.log').scrollTo(0, -2000)");
      own.send(await linesOf("01b", [{ type: "run.queued" }]));
      await page.waitForSelector("#log-01b-1", { state: "attached" });
      expect(await page.evaluate<number>(SCROLL_TOP)).toBeLessThan(-1000);
    },
    TEST_MS,
  );

  test(
    "joins streamed text in its line, and changes the buttons when the run ends",
    async () => {
      await using own = startFixtureServer();
      await using open = await watch(own, "run-running");
      const { page } = open;
      expect(await page.isVisible("text=Run again")).toBe(false);
      const { id } = run("running");
      const message = (state: "running" | "succeeded", list: readonly RunEvent[]) =>
        text(
          RunUpdate({
            run: { ...run(state), id },
            steps: steps(state),
            calls: calls(state),
            events: events(id, list),
            workflow: WORKFLOW,
            drawing: DRAWING,
            approvals: [],
            descendants: [],
            now: NOW,
          }),
        );
      const piece = { type: "model.delta", step: "research", attempt: 1, call: 0 } as const;
      const before = (await page.textContent(STREAM)) ?? "";
      own.send(await message("running", [{ ...piece, text: "  <b>And</b>\n" }]));
      own.send(await message("running", [{ ...piece, text: "more." }]));
      await until(page, `document.querySelector('${STREAM}').textContent.endsWith('more.')`);
      expect(await page.textContent(STREAM)).toBe(`${before}  <b>And</b>\nmore.`);
      own.send(await message("succeeded", [{ type: "run.succeeded", outputs: null }]));
      await page.waitForSelector('#run-head[data-phase="final"]');
      expect(await page.isVisible("text=Run again")).toBe(true);
      expect(await page.isVisible(".when-cancellable")).toBe(false);
      expect(open.noise).toEqual([]);
    },
    TEST_MS,
  );

  test(
    "ends the stream for good when the server says so",
    async () => {
      await using own = startFixtureServer();
      await using open = await watch(own, "run-running");
      const count = own.requests.length;
      own.send("succeeded", "end");
      await open.page.waitForSelector(live("ended"));
      expect(await open.page.isVisible("text=Reconnecting…")).toBe(false);
      expect(own.requests.slice(count)).toEqual([]);
    },
    TEST_MS,
  );

  test(
    "says when the stream is lost, asks for the page meanwhile, and comes back by itself",
    async () => {
      const fragment = await statusWith(77);
      await using own = startFixtureServer({ fragment: () => fragment });
      await using open = await watch(own, "status");
      const { page } = open;
      own.breakStreams();
      await page.waitForSelector(live("lost"));
      expect(await page.isVisible("text=Reconnecting…")).toBe(true);
      await until(page, activeIs(77));
      own.restore();
      await page.waitForSelector(live("on"), { timeout: 4 * WAIT_MS });
    },
    TEST_MS,
  );

  test(
    "starts a stream again whose first connection failed",
    async () => {
      await using own = startFixtureServer();
      own.breakStreams();
      await using open = await visit({}, own.url);
      await open.page.goto("/");
      await open.page.waitForSelector(live("lost"));
      own.restore();
      await open.page.waitForSelector(live("on"), { timeout: 2 * WAIT_MS });
    },
    TEST_MS,
  );

  test(
    "pause holds the page still; what came meanwhile is shown when it goes on",
    async () => {
      await using own = startFixtureServer();
      await using open = await watch(own, "status");
      const { page } = open;
      await page.click("#pause");
      await page.evaluate(ARRIVED);
      const before = await page.locator("#log-lines > li").count();
      own.send(await linesOf("01held", [{ type: "run.queued" }]));
      own.send(await statusWith(50));
      own.send(await linesOf("01later", [{ type: "run.queued" }]));
      await until(page, "globalThis.arrived === true");
      expect(await page.textContent("#tile-active .tile-value")).toBe("3");
      expect(await page.locator("#log-lines > li").count()).toBe(before);
      expect(await page.isVisible("text=Paused")).toBe(true);
      await page.click("#pause");
      await page.waitForSelector("#log-01later-1", { state: "attached" });
      await page.waitForSelector("#log-01held-1", { state: "attached" });
      await until(page, activeIs(50));
      own.send(await statusWith(61));
      await until(page, activeIs(61));
      expect(open.noise).toEqual([]);
    },
    TEST_MS,
  );

  test(
    "what a paused page held back does not reach the page that comes after it",
    async () => {
      await using own = startFixtureServer();
      await using open = await watch(own, "run-running");
      const { page } = open;
      await page.click("#pause");
      await page.evaluate(ARRIVED);
      own.send(await statusWith(50));
      await until(page, "globalThis.arrived === true");
      await page.click('.sidebar a[href="/"]');
      await page.waitForSelector("#tile-active", { state: "attached" });
      await page.click("#pause");
      own.send(await linesOf("01new", [{ type: "run.queued" }]));
      await page.waitForSelector("#log-01new-1", { state: "attached" });
      expect(await page.textContent("#tile-active .tile-value")).toBe("3");
      expect(open.noise).toEqual([]);
    },
    TEST_MS,
  );

  test(
    "an open page says that the database cannot be written, and is fetched anew when nobody types",
    async () => {
      await using own = startFixtureServer();
      await using open = await watch(own, "status");
      const { page } = open;
      const health = {
        state: "degraded",
        code: "database_locked",
        message: "The database is locked by `sqlite3`.",
        fix: "Close it.",
      } as const;
      const visits = () => own.requests.filter((request) => request === pathOf("status")).length;
      await page.focus("#q");
      own.send(await text(BannersPart({ demo: false, health })));
      await page.waitForSelector("text=The database is locked by sqlite3.");
      own.send(await text(BannersPart({ demo: false, health: { state: "ok" } })));
      await page.waitForSelector("#banners[data-database=ok]", { state: "attached" });
      expect(visits()).toBe(1);

      await page.evaluate("document.activeElement.blur(); globalThis.same = true");
      own.send(await text(BannersPart({ demo: false, health })));
      await page.waitForSelector("#banners[data-database=ok]", { state: "attached" });
      await until(page, "document.activeElement.id === 'main'");
      expect(visits()).toBe(2);
      expect(await page.evaluate("[globalThis.same, history.length]")).toEqual([true, 2]);
      expect(open.noise).toEqual([]);
    },
    TEST_MS,
  );

  test(
    "a boosted link moves the page, the title, the focus and the stream, and Back works",
    async () => {
      await using own = startFixtureServer();
      await using open = await watch(own, "status");
      const { page } = open;
      await page.evaluate("globalThis.same = true");
      await page.click('.sidebar a[href="/runs"]');
      await page.waitForURL("**/runs");
      await until(page, "document.title === 'Runs · agents'");
      await until(page, "document.activeElement.id === 'main'");
      expect(await page.evaluate<boolean>("globalThis.same")).toBe(true);
      expect(await page.getAttribute('.sidebar a[href="/runs"]', "aria-current")).toBe("page");
      expect(await page.textContent("#announce")).toBe("Runs");
      await page.waitForSelector(live("on"));
      await page.goBack();
      await page.waitForSelector("#tile-active");
      expect(open.noise).toEqual([]);
    },
    TEST_MS,
  );

  test(
    "a link to what does not exist shows the error page",
    async () => {
      await using open = await visit({});
      await open.page.goto("/");
      await open.page.evaluate(
        "document.querySelector('.sidebar a[href=\"/settings\"]').setAttribute('href', '/nowhere')",
      );
      await open.page.click('.sidebar a[href="/nowhere"]');
      await open.page.waitForSelector("text=There is no run with this id.");
    },
    TEST_MS,
  );

  test(
    "the theme changes at once, the slash key opens the search",
    async () => {
      await using open = await visit({ colorScheme: "light" });
      await open.page.goto("/");
      await open.page.click('.theme button[value="dark"]');
      expect(await open.page.getAttribute("html", "data-theme")).toBe("dark");
      const button = '.theme button[value="dark"]';
      expect(await open.page.getAttribute(button, "aria-pressed")).toBe("true");
      await open.page.keyboard.press("/");
      expect(await open.page.evaluate<string>("document.activeElement.id")).toBe("search-input");
    },
    TEST_MS,
  );

  test(
    "the drawer opens and leads on without script",
    async () => {
      await using open = await visit({ viewport: PHONE, javaScriptEnabled: false });
      await open.page.goto("/");
      expect(await open.page.isVisible("#sidebar")).toBe(false);
      await open.page.click(".topbar .icon-btn");
      await open.page.waitForSelector("#sidebar", { state: "visible" });
      await open.page.click('#sidebar a[href="/runs"]');
      await open.page.waitForURL("**/runs");
    },
    TEST_MS,
  );

  test(
    "copies a value, and sends a form once",
    async () => {
      await using open = await visit({ permissions: ["clipboard-read", "clipboard-write"] });
      const { page } = open;
      await page.goto(pathOf("run-succeeded"));
      await page.click('[data-copy="output-word_5f_count"]');
      await until(page, "document.getElementById('announce').textContent === 'Copied.'");
      expect(await page.evaluate<string>("navigator.clipboard.readText()")).toBe("412");
      const posts: (string | null)[] = [];
      await page.route("**/reruns", async (route) => {
        posts.push(route.request().postData());
        // No content: the browser stays on the page, as while it waits for a slow answer.
        await route.fulfill({ status: 204 });
      });
      const submit = "document.querySelector('.when-final').requestSubmit()";
      await Promise.all([page.waitForResponse("**/reruns"), page.evaluate(submit)]);
      await page.evaluate(submit);
      await page.evaluate("new Promise((resolve) => setTimeout(resolve))");
      expect(await page.getAttribute(".when-final", "aria-busy")).toBe("true");
      expect(posts).toEqual(["_csrf=token-1"]);
    },
    TEST_MS,
  );
});

test(
  "a first visit of any page takes at most 10 requests and 150 KiB, and nothing moves on it",
  async () => {
    const full = new Set(Object.values(LOOKS).flatMap((look) => look.full.slice(0, 1)));
    const visits: { name: string; found: FirstVisit }[] = [];
    // One after the other: what moves because other pages are being drawn says nothing of this one.
    for (const { name, path } of PAGES.filter((page) => full.has(page.name)))
      visits.push({ name, found: await firstVisit(browser, server.url + path) });
    const over = visits.filter(
      ({ found: { requestCount, byteCount, layoutShift } }) =>
        requestCount > REQUEST_COUNT_MAX ||
        byteCount > FIRST_VISIT_BYTES_MAX ||
        layoutShift > LAYOUT_SHIFT_MAX,
    );
    expect(over).toEqual([]);
    // What is measured is there: a page without a style sheet, script and fonts would pass.
    expect(visits.filter(({ found }) => found.requestCount < 4)).toEqual([]);
  },
  MATRIX_MS,
);
