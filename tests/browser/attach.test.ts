/**
 * Goal: files are chosen, pasted and dropped, what is too much is said before it is sent, and images are seen.
 * Method: Chromium at the chat with a scripted model, on a phone and on a desktop.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Browser, Page } from "playwright-core";
import { say } from "../engine/script.ts";
import { PATIENCE_MS } from "../support/agents.ts";
import { isWithoutChromium, launchChromium } from "../views/chromium.ts";
import { type ChatWorld, startChatWorld } from "../web/chat-world.ts";
import { openVisit } from "./visit.ts";

const PNG =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const skipped = isWithoutChromium("tests/browser/attach.test.ts");
let browser: Browser;
let world: ChatWorld;
beforeAll(async () => {
  if (skipped) return;
  browser = await launchChromium();
  world = await startChatWorld({ script: () => say("Seen.") });
}, PATIENCE_MS);
afterAll(async () => {
  if (skipped) return;
  await browser.close();
  await world[Symbol.asyncDispose]();
}, PATIENCE_MS);

const file = (name: string, mimeType: string, buffer: Buffer) => ({ name, mimeType, buffer });
const picture = (name: string) => file(name, "image/png", Buffer.from(PNG, "base64"));
const note = (name: string, size = 5) => file(name, "text/plain", Buffer.alloc(size, "a"));

/** As the browser does when somebody pastes or drops: files of these names, PNG images of one pixel. */
function transfer(page: Page, how: "paste" | "drop", names: readonly string[]): Promise<void> {
  const field = how === "paste" ? "clipboardData" : "dataTransfer";
  const type = how === "paste" ? "ClipboardEvent" : "DragEvent";
  return page.evaluate(`{
    const data = new DataTransfer();
    const bytes = Uint8Array.from(atob(${JSON.stringify(PNG)}), (sign) => sign.charCodeAt(0));
    for (const name of ${JSON.stringify(names)}) data.items.add(new File([bytes], name, { type: "image/png" }));
    document.querySelector("#text").dispatchEvent(new ${type}(${JSON.stringify(how)},
      { ${field}: data, bubbles: true, cancelable: true }));
  }`);
}

const attached = (page: Page) => page.textContent("[data-attached]");
const refused = (page: Page) => page.textContent("[data-attach-error]");

test.skipIf(skipped)(
  "files are pasted, dropped and chosen, what is too much is refused, and the image is seen",
  async () => {
    await using open = await openVisit({ browser, url: world.url, script: true });
    const { page } = open;
    await page.goto("/chat");
    await page.fill("#text", "See");
    await transfer(page, "paste", ["image.png"]);
    expect(await attached(page)).toBe("image.png (1 KiB)");
    await transfer(page, "drop", ["a.png", "b.png"]);
    expect(await attached(page)).toBe("image.png (1 KiB), a.png (1 KiB), b.png (1 KiB)");
    await open.check("files that go with a message");

    await transfer(page, "drop", ["c.png", "d.png", "e.png"]);
    expect(await refused(page)).toBe("A message takes at most 5 files. Nothing was added.");
    expect(await attached(page)).toStartWith("image.png (1 KiB), a.png");
    await page.getByRole("button", { name: "Remove the files" }).click();
    expect([await attached(page), await refused(page)]).toEqual(["", ""]);
    expect(await page.getByRole("button", { name: "Remove the files" }).isVisible()).toBe(false);

    await page.setInputFiles("#files", [note("large.txt", 2 * 1024 * 1024 + 1)]);
    expect(await refused(page)).toBe("large.txt has more than 2 MiB. Choose others.");
    await page.press("#text", "Enter");
    expect(new URL(page.url()).pathname).toBe("/chat");
    await open.check("a file that is too large");

    await page.setInputFiles("#files", [picture("chart.png"), note("notes.md")]);
    expect([await attached(page), await refused(page)]).toEqual([
      "chart.png (1 KiB), notes.md (1 KiB)",
      "",
    ]);
    await page.press("#text", "Enter");
    await page.getByText("Seen.").first().waitFor();
    const image = page.getByRole("img", { name: "chart.png" });
    await image.scrollIntoViewIfNeeded();
    await open.until(`document.querySelector(".picture img").naturalWidth === 1`);
    expect(await image.boundingBox()).toMatchObject({ width: 192, height: 144 });
    await open.check("an image in a message");
    await page.getByRole("button", { name: "Copy message 1" }).click();
    await open.until(`document.querySelector('[data-copy="message-1-said"]').dataset.done === "" ||
      document.querySelector("#announce").textContent !== ""`);

    await page.getByRole("link", { name: "Open chart.png" }).click();
    await page.waitForURL(/files\/1\/1\?view$/);
    expect(await page.evaluate<number>("document.images[0].naturalWidth")).toBe(1);
    await page.goBack();
    await page.getByRole("link", { name: "chart.png", exact: true }).waitFor();
  },
  2 * PATIENCE_MS,
);

test.skipIf(skipped)(
  "without script files are chosen and sent, and the image is seen",
  async () => {
    await using open = await openVisit({ browser, url: world.url, script: false });
    const { page } = open;
    await page.goto("/chat");
    await page.fill("#text", "See");
    await page.getByText("Attach files").click();
    await page.setInputFiles("#files", [picture("chart.png")]);
    await page.getByRole("button", { name: "Start" }).click();
    await page.getByRole("img", { name: "chart.png" }).waitFor();
    await open.check("an image in a message, without script");
  },
  PATIENCE_MS,
);
