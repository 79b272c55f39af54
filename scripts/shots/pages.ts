import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { launchChromium } from "../../tests/views/chromium.ts";
import { startFixtureServer } from "../../tests/views/fixture-server.ts";
import { PAGES } from "../../tests/views/pages.tsx";

const SIZES = [
  { device: "desktop", width: 1440, height: 900, scale: 1 },
  { device: "phone", width: 390, height: 844, scale: 2 },
] as const;

/** Each page of the tests on desktop and phone, light and dark. @param names Only these; all when empty. */
export async function shootPages(folder: string, names: readonly string[]): Promise<void> {
  mkdirSync(folder, { recursive: true });
  await using server = startFixtureServer();
  const browser = await launchChromium();
  try {
    for (const { device, width, height, scale } of SIZES) {
      for (const scheme of ["light", "dark"] as const) {
        const context = await browser.newContext({
          viewport: { width, height },
          colorScheme: scheme,
          deviceScaleFactor: scale,
          reducedMotion: "reduce",
        });
        const page = await context.newPage();
        for (const { name, path } of PAGES) {
          if (names.length > 0 && !names.includes(name)) continue;
          await page.goto(server.url + path, { waitUntil: "load" });
          await page.evaluate("document.fonts.ready");
          await page.screenshot({
            path: join(folder, `${name}-${device}-${scheme}.png`),
            fullPage: true,
          });
        }
        await context.close();
      }
    }
  } finally {
    await browser.close();
  }
  console.log(`pictures are in ${folder}`);
}
