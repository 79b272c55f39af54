import type { Browser } from "playwright-core";

export interface FirstVisit {
  readonly requestCount: number;
  /** As they came over the wire, heads included. */
  readonly byteCount: number;
  /** Cumulative layout shift: how much moved by itself. */
  readonly layoutShift: number;
  /** When the largest piece of the page was painted. */
  readonly paintedMs: number;
}

const OBSERVE = `
  globalThis.seen = { shift: 0, painted: 0 };
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) seen.shift += entry.value;
  }).observe({ type: "layout-shift", buffered: true });
  new PerformanceObserver((list) => {
    seen.painted = list.getEntries().at(-1).startTime;
  }).observe({ type: "largest-contentful-paint", buffered: true });`;
/** Two frames: what has arrived is drawn. */
const DRAWN =
  "new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))";

/** Opens a page as somebody who has never been here, and measures until it is whole and its stream is open. */
export async function firstVisit(browser: Browser, url: string): Promise<FirstVisit> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  try {
    const page = await context.newPage();
    await page.addInitScript(OBSERVE);
    const session = await context.newCDPSession(page);
    await session.send("Network.enable");
    let byteCount = 0;
    let requestCount = 0;
    session.on("Network.requestWillBeSent", () => {
      requestCount += 1;
    });
    session.on("Network.loadingFinished", (event) => {
      byteCount += event.encodedDataLength;
    });
    await page.goto(url, { waitUntil: "load" });
    if ((await page.locator("[hx-sse\\:connect]").count()) > 0)
      await page.waitForSelector("html[data-live]", { state: "attached" });
    await page.evaluate(`document.fonts.ready.then(() => ${DRAWN}).then(() => 0)`);
    const seen = await page.evaluate<{ shift: number; painted: number }>("seen");
    return { requestCount, byteCount, layoutShift: seen.shift, paintedMs: seen.painted };
  } finally {
    await context.close();
  }
}
