/**
 * Goal: a browser that shows hostile answers does nothing that the product did not mean.
 * Method: all of them come live into open pages of Chromium, and are looked at again after a reload. Every element is
 * pointed at and focused, so that handlers would run; what asks for input or leads away must be one of the product's.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Browser, Page } from "playwright-core";
import { say } from "../engine/script.ts";
import { PATIENCE_MS, waitFor } from "../support/agents.ts";
import { isWithoutChromium, launchChromium } from "../views/chromium.ts";
import {
  beginTalk,
  type ChatWorld,
  isAtRest,
  pageWith,
  startChatWorld,
} from "../web/chat-world.ts";
import { HOSTILE_ANSWERS } from "../web/hostile-answers.ts";
import { Browser as Client } from "../web/world.ts";

const GROUP_SIZE = 14;
const GROUPS = Array.from({ length: Math.ceil(HOSTILE_ANSWERS.length / GROUP_SIZE) }, (_, index) =>
  HOSTILE_ANSWERS.slice(index * GROUP_SIZE, (index + 1) * GROUP_SIZE),
);

/** What can be used in an answer. */
const OWN = [
  ".md a.plain-link[href][rel='noopener noreferrer nofollow'][hx-boost=false]",
  "button.js-only[type=button][data-copy^=message-]",
  "button.btn[type=submit][form=answer-form]:is([name=inPlaceOf], [name=goOnWith]):not(.md *)",
  "pre.value[role=region]",
  ".md-table[role=region]",
  ".graph-wrap[role=region]",
  ".result svg a[href^='#message-']",
  ".result .problem > pre.frame:not([id])",
  ".error-box details.more-details",
  ".error-box details.more-details > summary",
  ".result > .actions > a[download]",
  ".result > .actions > button[form=save-form]",
  ".result > details.fold",
  ".result > details.fold > summary",
].join(",");
const USABLE =
  "a,area,audio,button,details,dialog,embed,form,frame,iframe,img,input,label,link,meta,object,option,script,select,style,summary,textarea,video,[autofocus],[contenteditable],[draggable],[popover],[tabindex],[style]";
const STRANGE = `[...document.querySelectorAll("li.message.model :is(${USABLE})")]
  .filter((element) => !element.matches(${JSON.stringify(OWN)}))
  .map((element) => element.outerHTML.slice(0, 200))`;
const TOUCH = `for (const element of document.querySelectorAll("li.message.model, li.message.model *")) {
  for (const type of ["mouseover", "mouseenter", "pointerover", "focusin", "toggle", "error", "load"])
    element.dispatchEvent(new Event(type, { bubbles: type === "mouseover" }));
}`;
const SCRIPTED = `[...document.querySelectorAll("li.message.model *")].flatMap((element) =>
  [...element.attributes].map(({ name }) => name).filter((name) => /^on|^hx-(?!boost$)/.test(name)))`;
const RULES = [
  "heading-order",
  "empty-heading",
  "duplicate-id",
  "landmark-unique",
  "list",
  "nested-interactive",
];
const AXE = `axe.run(document, { runOnly: { type: "rule", values: ${JSON.stringify(RULES)} } })
  .then(({ violations }) => violations.map(({ id, nodes }) => id + ": " + nodes[0].html.slice(0, 160)))`;
const SIDEWAYS = "document.documentElement.scrollWidth - innerWidth";

const skipped = isWithoutChromium("tests/browser/hostile.test.ts");
const axe = await Bun.file(require.resolve("axe-core/axe.min.js")).text();
let browser: Browser;
let world: ChatWorld;
let answer = "";
beforeAll(async () => {
  if (skipped) return;
  browser = await launchChromium();
  world = await startChatWorld({ script: () => say(answer) });
}, PATIENCE_MS);
afterAll(async () => {
  if (skipped) return;
  await browser.close();
  await world[Symbol.asyncDispose]();
}, PATIENCE_MS);

/** Everything that a page does beyond showing itself. */
function watch(page: Page): string[] {
  const deeds: string[] = [];
  page.on("dialog", (dialog) => {
    deeds.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("popup", (popup) => deeds.push(`popup: ${popup.url()}`));
  page.on("download", (file) => deeds.push(`download: ${file.url()}`));
  page.on("console", (message) => deeds.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => deeds.push(String(error)));
  page.on("request", (request) => {
    const { origin } = new URL(request.url());
    const isQuiet = request.method() === "GET" && origin === new URL(world.url).origin;
    if (!isQuiet) deeds.push(`${request.method()} ${request.url().slice(0, 200)}`);
  });
  return deeds;
}

async function expectNothingStrange(page: Page): Promise<void> {
  await page.evaluate(TOUCH);
  expect(await page.evaluate<string[]>(STRANGE)).toEqual([]);
  expect(await page.evaluate<string[]>(SCRIPTED)).toEqual([]);
  expect(await page.evaluate<string[]>(AXE)).toEqual([]);
  expect(await page.locator("h1").count()).toBe(1);
  expect(await page.evaluate<number>(SIDEWAYS)).toBe(0);
}

test.skipIf(skipped).each(GROUPS.map((group, index) => [index + 1, group] as const))(
  "hostile answers do nothing, group %d",
  async (_, group) => {
    const client = new Client(world);
    answer = "Hello.";
    const path = await beginTalk(client, "Hello.");
    await pageWith(client, path, isAtRest);
    const context = await browser.newContext({ baseURL: world.url, reducedMotion: "reduce" });
    const page = await context.newPage();
    const deeds = watch(page);
    await page.goto(path);
    for (const [, text] of group) {
      answer = text;
      await client.post(`${path}/messages`, { text: "Go on." });
      await pageWith(client, path, isAtRest);
    }
    const messages = (await client.get(path)).text.match(/<li class="message /g)?.length ?? 0;
    expect(messages).toBeGreaterThan(2 * group.length);
    await waitFor(
      async () => (await page.locator("li.message").count()) === messages,
      () => `${messages} messages on the open page`,
      PATIENCE_MS,
    );
    await page.locator("#chat-head:not([data-phase=answering])").waitFor({ state: "attached" });
    await page.evaluate(axe);
    await expectNothingStrange(page);
    await page.setViewportSize({ width: 390, height: 844 });
    await page.reload();
    await page.evaluate(axe);
    await expectNothingStrange(page);
    expect(deeds).toEqual([]);
    expect(await world.store.workflows.list({ limit: 9 })).toEqual([]);
    await context.close();
  },
  PATIENCE_MS,
);

test.skipIf(skipped)(
  "what is looked for would be found",
  async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    const deeds = watch(page);
    await page.setContent(
      `<ol><li class="message model"><p onmouseover="alert(1)">x</p><a href="https://evil.example">x</a></li></ol>`,
    );
    await page.evaluate(TOUCH);
    expect(await page.evaluate<string[]>(STRANGE)).toEqual([
      '<a href="https://evil.example">x</a>',
    ]);
    expect(await page.evaluate<string[]>(SCRIPTED)).toEqual(["onmouseover"]);
    expect(deeds).toEqual(["dialog: 1"]);
    await context.close();
  },
  PATIENCE_MS,
);
