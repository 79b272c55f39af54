/**
 * A person with a browser at the running product, and what must hold wherever they go: nothing on the
 * console, no broken rule of the CSP, nothing refused that was not provoked, valid HTML, no sideways scroll, no
 * violation that axe knows, in light and dark, on desktop and phone. What runs inside the page is text,
 * so that no DOM types are needed here.
 */
import { expect } from "bun:test";
import type { Browser, Page, Request } from "playwright-core";
import { waitFor } from "../support/agents.ts";
import { htmlFaults } from "../support/html-faults.ts";

const WAIT_MS = 30_000;
const DESKTOP = { width: 1440, height: 900 };
const PHONE = { width: 390, height: 844 };
const LOOKS = [
  { viewport: DESKTOP, colorScheme: "dark" },
  { viewport: PHONE, colorScheme: "light" },
  { viewport: DESKTOP, colorScheme: "light" },
  { viewport: PHONE, colorScheme: "dark" },
] as const;
const LOOKS_A_PAGE = 2;
/** Every page in all four looks; without it each gets two, in turn. */
const FULL = process.env["AGENTS_TEST_LOOK"] === "full";

const SIDEWAYS = "document.documentElement.scrollWidth - innerWidth";
const axe = await Bun.file(require.resolve("axe-core/axe.min.js")).text();
const inPage = await Bun.file(new URL("../views/in-page.js", import.meta.url)).text();

export interface Visit extends AsyncDisposable {
  readonly page: Page;
  readonly script: boolean;
  /** Documents that were loaded so far: what changed without one was changed by script. */
  readonly loadCount: number;
  /** Says that this answer, such as `422 POST /workflows`, was provoked since the last `check`. */
  provoked(answer: string): void;
  /** Forgets what the console says, and what is not to be had, while the server is away. */
  forgiveOutage(): void;
  check(what: string): Promise<void>;
  /** Another tab of the same person. */
  openTab(): Promise<Visit>;
  /** Waits until an expression is true in the page. */
  until(expression: string): Promise<void>;
}

export interface VisitOptions {
  readonly browser: Browser;
  readonly url: string;
  readonly script: boolean;
}

/** Pages that were looked at, so that each gets other looks than the one before. */
let checkCount = 0;

export async function openVisit({ browser, url, script }: VisitOptions): Promise<Visit> {
  const context = await browser.newContext({
    baseURL: url,
    javaScriptEnabled: script,
    reducedMotion: "reduce",
    ...LOOKS[0],
  });
  return openTab();

  async function openTab(): Promise<Visit> {
    const page = await context.newPage();
    page.setDefaultTimeout(WAIT_MS);
    const heard = listen(page);
    const expected: string[] = [];
    return {
      page,
      script,
      get loadCount() {
        return heard.loads.length;
      },
      provoked: (answer) => void expected.push(answer),
      forgiveOutage() {
        heard.noise.splice(0, Infinity, ...heard.noise.filter((text) => !isOutage(text)));
        heard.refused.splice(
          0,
          Infinity,
          ...heard.refused.filter((text) => !/^50[23] GET/.test(text)),
        );
      },
      async check(what) {
        await look(page, { script, what });
        expect({ what, noise: heard.noise }).toEqual({ what, noise: [] });
        const faults = (await Promise.all(heard.faults.splice(0))).flat();
        expect({ what, faults }).toEqual({ what, faults: [] });
        expect({ what, refused: heard.refused.splice(0) }).toEqual({
          what,
          refused: expected.splice(0),
        });
      },
      openTab,
      until: (expression) =>
        waitFor(
          () => page.evaluate<boolean>(expression),
          () => `${expression} in ${page.url()}`,
          WAIT_MS,
        ),
      async [Symbol.asyncDispose]() {
        await context.close();
      },
    };
  }
}

function listen(page: Page) {
  const noise: string[] = [];
  const refused: string[] = [];
  const loads: string[] = [];
  const faults: Promise<string[]>[] = [];
  page.on("console", (message) => {
    // Chromium itself tells of every answer of 4xx and 5xx; these are in `refused`.
    if (/Failed to load resource.*status of/.test(message.text())) return;
    noise.push(`${message.type()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => noise.push(String(error)));
  page.on("response", (response) => {
    if (response.status() < 400) return;
    const { pathname } = new URL(response.url());
    refused.push(`${response.status()} ${response.request().method()} ${pathname}`);
  });
  // One that is cut off never finishes, and its text would be waited for without an end.
  page.on("requestfinished", (request) => void faults.push(faultsOf(request)));
  page.on("load", () => loads.push(page.url()));
  return { noise, refused, loads, faults };
}

/** What a validator says of a page or a part of one as it came over the wire. */
async function faultsOf(request: Request): Promise<string[]> {
  // Neither is there any more once the visit is over.
  const response = await request.response().catch(() => null);
  if (response?.headers()["content-type"]?.startsWith("text/html") !== true) return [];
  // A body is forgotten with the page that it made: then the next page was asked for already.
  const html = await response.text().catch(() => "");
  return htmlFaults(html);
}

/** What the browser and htmx write while there is nobody to connect to. */
function isOutage(text: string): boolean {
  return /net::ERR_|htmx:sse:error|Failed to fetch|network error/i.test(text);
}

async function look(
  page: Page,
  { script, what }: { script: boolean; what: string },
): Promise<void> {
  const first = FULL ? 0 : (checkCount * LOOKS_A_PAGE) % LOOKS.length;
  checkCount += 1;
  const looks = LOOKS.slice(first, first + (FULL ? LOOKS.length : LOOKS_A_PAGE));
  await page.waitForLoadState("load");
  expect({ what, heading: await page.locator("h1").count() }).toEqual({ what, heading: 1 });
  if (script) {
    await page.evaluate(axe);
    await page.evaluate(`(() => {${inPage}})()`);
  }
  for (const { viewport, colorScheme } of looks) {
    const where = `${what}, ${viewport.width} px, ${colorScheme}`;
    await page.setViewportSize(viewport);
    await page.emulateMedia({ colorScheme });
    expect({ where, sideways: await page.evaluate<number>(SIDEWAYS) }).toEqual({
      where,
      sideways: 0,
    });
    if (script) {
      const violations = await page.evaluate<string[]>("look.violations()");
      expect({ where, violations }).toEqual({ where, violations: [] });
    } else {
      const dead = await page.locator(".js-only:visible").count();
      expect({ where, dead }).toEqual({ where, dead: 0 });
    }
  }
  await page.setViewportSize(LOOKS[0].viewport);
  await page.emulateMedia({ colorScheme: LOOKS[0].colorScheme });
}
