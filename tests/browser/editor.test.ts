/**
 * Goal: a workflow is written, mended, saved and run in the browser: with script, without script, by keyboard
 * alone, and beside somebody else; what was typed is never lost.
 * Method: the executable with the demo provider, and Chromium. Every page met is checked as in `visit.ts`.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { PATIENCE_MS, type RunningAgents, startAgents } from "../support/agents.ts";
import { isWithoutChromium, launchChromium } from "../views/chromium.ts";
import { openVisit, type Visit } from "./visit.ts";

const BROKEN = `schema_version: "1.0"
flow: { name: mended }
state:
  fields:
    topic: { type: str, required: true }
    text: { type: str }
nodes:
  - id: write
    promt: "About {topic}"
    outputs: [text]
    output_schema: { type: str }
edges:
  - { from: START, to: write }
  - { from: write, to: END }
  - { from: wriet, to: END }
`;
const MENDED = BROKEN.replace("promt", "prompt").replace("  - { from: wriet, to: END }\n", "");

let browser: Browser;
let agents: RunningAgents;
const skipped = isWithoutChromium("tests/browser/editor.test.ts");
beforeAll(async () => {
  if (skipped) return;
  [browser, agents] = await Promise.all([launchChromium(), startAgents({})]);
}, PATIENCE_MS);
afterAll(async () => {
  if (skipped) return;
  await browser.close();
  await agents[Symbol.asyncDispose]();
}, PATIENCE_MS);

const visit = (script: boolean) => openVisit({ browser, url: agents.url, script });
const flow = (name: string, body: () => Promise<void>) =>
  test.skipIf(skipped)(name, body, PATIENCE_MS);
const press = ({ page }: Visit, name: string | RegExp) =>
  page
    .getByRole("button", { name, exact: typeof name === "string" })
    .first()
    .click();
const see = ({ page }: Visit, text: string | RegExp) => page.getByText(text).first().waitFor();
const named = (name: string) => MENDED.replace("name: mended", `name: ${name}`);

/** Opens an editor, which takes the place of the text area once somebody is there. */
async function openEditor({ page }: Visit, path: string): Promise<void> {
  await page.goto(path);
  await meetEditor({ page });
}

async function meetEditor({ page }: Pick<Visit, "page">): Promise<void> {
  await page.mouse.move(10, 10);
  await page.mouse.move(20, 20);
  await page.locator("[data-ready]").waitFor();
}

/** Puts a text in the place of what is there. */
async function write({ page }: Visit, text: string): Promise<void> {
  await page.locator(".cm-content").click();
  await page.keyboard.press("Control+a");
  await page.keyboard.insertText(text);
}

/** The text as the form would send it. */
const textOf = ({ page }: Visit) => page.inputValue("#source");

/** The lines that have something marked as wrong in them. */
const markedLines = (page: Page) =>
  page
    .locator(".cm-line")
    .filter({ has: page.locator(".cm-lintRange-error") })
    .allTextContents();

/** Saves a text as somebody else would, and gives the address of the workflow. */
async function saveElsewhere(text: string): Promise<string> {
  await using other = await visit(false);
  await other.page.goto("/workflows/new");
  await other.page.fill("#source", text);
  await press(other, "Save");
  const over = other.page.getByRole("button", { name: "Save mine over it, as a new version" });
  if (await over.isVisible()) await over.click();
  await other.page.waitForURL(/\/workflows\/\w+\?saved=/);
  return new URL(other.page.url()).pathname;
}

async function runTo(open: Visit, topic: string): Promise<void> {
  await open.page.fill("#input-topic", topic);
  await press(open, "Start run");
  await open.page.waitForURL(/\/runs\/\w+$/);
  await open.page.goto(open.page.url());
  await open.page.locator('#run-head[data-phase="final"]').waitFor({ timeout: PATIENCE_MS });
  expect(await open.page.textContent("#run-head .badge")).toBe("Succeeded");
}

flow(
  "a workflow is written, two mistakes are marked at their lines, mended, and it runs",
  async () => {
    await using open = await visit(true);
    const { page } = open;
    await openEditor(open, "/workflows/new");
    await see(open, "Valid, 1 step");
    await open.check("new workflow");
    await write(open, BROKEN);
    await see(open, /2 errors/);
    expect(await markedLines(page)).toEqual([
      '    promt: "About {topic}"',
      "  - { from: wriet, to: END }",
    ]);
    // The graph of the text before stays.
    expect(await page.locator("#preview[data-stale] .graph .node-name").allTextContents()).toEqual([
      "write",
    ]);
    await open.check("mistakes");

    await press(open, "Write prompt");
    await see(open, /1 error/);
    expect(await textOf(open)).toBe(BROKEN.replace("promt", "prompt"));
    await page.click("a.place");
    expect(await page.evaluate("document.activeElement.dataset.ready")).toBe("");
    await page.keyboard.press("Home");
    await page.keyboard.press("Shift+End");
    await page.keyboard.press("Delete");
    await page.keyboard.press("Backspace");
    await see(open, "Valid, 1 step");
    expect(await page.locator("#preview[data-stale]").count()).toBe(0);
    expect(await markedLines(page)).toEqual([]);
    await press(open, "Save and run");
    await page.waitForURL(/\/workflows\/\w+\?saved=new#run$/);
    await see(open, "Version 1 was saved.");
    await open.check("saved workflow");
    await runTo(open, "Tides");
    // What was saved is no draft any more.
    await openEditor(open, "/workflows/new");
    expect(await page.isVisible("#draft")).toBe(false);
  },
);

flow("the same without script: the lines are shown beneath, nothing is lost", async () => {
  await using open = await visit(false);
  const { page } = open;
  const text = BROKEN.replace("name: mended", "name: plain");
  await page.goto("/workflows/new");
  await open.check("new workflow without script");
  await page.fill("#source", text);
  await press(open, "Validate");
  await see(open, "2 errors");
  expect(await textOf(open)).toBe(text);
  await page.click("a.place:has-text('line 9:5')");
  expect(await page.locator("#L9:target").textContent()).toContain("promt");
  await press(open, "Save");
  open.provoked("422 POST /workflows/new");
  await see(open, "The workflow was not saved: the text has errors.");
  await open.check("mistakes without script");
  await page.fill("#source", named("plain"));
  await press(open, "Save and run");
  await page.waitForURL(/\/workflows\/\w+\?saved=new#run$/);
  await runTo(open, "Tides");
});

flow("proposals have the node kinds and names, a pointed-at key says what it is for", async () => {
  await using open = await visit(true);
  const { page } = open;
  await openEditor(open, "/workflows/new");
  await write(open, `${MENDED.slice(0, MENDED.indexOf("edges:"))}  - id: second\n    `);
  // Letters that are shortcuts elsewhere on the page are text here.
  await page.keyboard.type("ki");
  const options = page.locator(".cm-tooltip-autocomplete li");
  await options.filter({ hasText: "kind" }).waitFor();
  await options.filter({ hasText: "kind" }).click();
  await options.filter({ hasText: "approval" }).waitFor();
  const kinds = await options.locator(".cm-completionLabel").allTextContents();
  expect(kinds).toEqual([
    "llm",
    "code",
    "tool",
    "http",
    "cli",
    "agent",
    "workflow",
    "approval",
    "wait",
  ]);
  expect(await page.locator(".cm-completionInfo").textContent()).toContain("What the node is.");
  // As fast as people type: what has just shown up is not taken by the next key.
  await page.keyboard.type("wai", { delay: 60 });
  await options.filter({ hasText: "wait" }).waitFor();
  await page.keyboard.press("Tab");
  expect(await textOf(open)).toEndWith("  - id: second\n    kind: wait");
  await page.hover(".cm-line:has-text('output_schema') >> text=output_schema");
  await page.locator(".cm-hover:has-text('What the result must look like.')").waitFor();
  await open.check("proposals");
});

flow("by keyboard alone: reach, write, propose, leave, save", async () => {
  await using open = await visit(true);
  const { page } = open;
  await openEditor(open, "/workflows/new");
  const isInside = () => page.evaluate<boolean>("document.activeElement.matches('[data-ready]')");
  for (let count = 0; !(await isInside()); count += 1) {
    expect(count).toBeLessThan(60);
    await page.keyboard.press("Tab");
  }
  await page.keyboard.press("Control+a");
  await page.keyboard.insertText(named("by_keyboard").replace("prompt:", "promt:"));
  await see(open, "1 error");
  await page.keyboard.press("Control+Home");
  await page.keyboard.press("F8");
  await page.locator(".cm-tooltip .cm-diagnostic:has-text('promt')").waitFor();
  await page.keyboard.press("Control+.");
  await see(open, "Valid, 1 step");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Control+End");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Tab");
  expect(await isInside()).toBe(false);
  await page.keyboard.press("Shift+Tab");
  expect(await isInside()).toBe(true);
  await page.keyboard.press("Control+s");
  await page.waitForURL(/\/workflows\/\w+\?saved=new$/);
  await see(open, "by_keyboard");
});

flow("a text that was not saved is kept in the browser, and leaving asks first", async () => {
  const path = await saveElsewhere(named("drafted"));
  await using open = await visit(true);
  const { page } = open;
  await openEditor(open, `${path}/edit`);
  await page.locator(".cm-content").click();
  await page.keyboard.press("Control+End");
  await page.keyboard.insertText("# not yet\n");
  const asked: string[] = [];
  const answers = [false, true];
  page.on("dialog", (dialog) => {
    asked.push(dialog.type());
    void (answers.shift() === true ? dialog.accept() : dialog.dismiss());
  });
  const runs = page.locator("#sidebar").getByRole("link", { name: "Runs" });
  await runs.click();
  await open.until("document.activeElement !== null");
  expect(new URL(page.url()).pathname).toBe(`${path}/edit`);
  await runs.click();
  await page.waitForURL("**/runs");
  expect(asked).toEqual(["beforeunload", "beforeunload"]);

  await openEditor(open, `${path}/edit`);
  expect(await textOf(open)).toBe(named("drafted"));
  await page.locator("#draft").waitFor();
  await open.check("draft");
  await press(open, "Restore it");
  expect(await textOf(open)).toBe(`${named("drafted")}# not yet\n`);
  await page.getByRole("link", { name: "Discard" }).click();
  await page.waitForURL(`**${path}`);
  await openEditor(open, `${path}/edit`);
  expect(await page.isVisible("#draft")).toBe(false);
});

flow("what somebody else saved meanwhile is shown, and saved over only when asked to", async () => {
  const path = await saveElsewhere(named("contested"));
  await using open = await visit(true);
  const { page } = open;
  await openEditor(open, `${path}/edit`);
  await saveElsewhere(named("contested").replace("About", "Theirs about"));
  await write(open, named("contested").replace("About", "Mine about"));
  await press(open, "Save");
  await see(open, "Not saved: somebody else was here");
  open.provoked(`409 POST ${path}/edit`);
  expect(await page.locator(".diff del").allTextContents()).toEqual(["Theirs"]);
  expect(await page.locator(".diff ins").allTextContents()).toEqual(["Mine"]);
  await meetEditor(open);
  expect(await textOf(open)).toContain("Mine about");
  await open.check("conflict");
  await press(open, "Save mine over it, as a new version");
  await see(open, "Version 3 was saved.");
  await page.getByRole("link", { name: "Changes from version 2 to 3" }).click();
  await see(open, "contested: version 2 to 3");
  await open.check("differences");
  await page.getByRole("link", { name: "Side by side" }).click();
  await page.waitForURL("**&view=split**");
  await page.locator(".diff.split").waitFor();
  await page.locator(".diff-fold summary").last().click();
  await open.check("differences side by side");
  await page.getByRole("button", { name: "Compare" }).click();
  await page.locator(".diff.split").waitFor();
  await page.goto(`${path}/versions/1`);
  await open.check("old version");
  await page.fill("#input-topic", "old tea");
  await press(open, "Start run");
  await page.waitForURL(/\/runs\/\w+$/);
  await page.getByRole("link", { name: "Version 1", exact: true }).click();
  await page.waitForURL(`**${path}/versions/1`);
  await press(open, "Restore version 1");
  await page.waitForURL("**?saved=restored");
  await see(open, "Version 1 was saved.");
});

flow("what is typed before the editor has come is in it, with the cursor behind it", async () => {
  await using open = await visit(true);
  const { page } = open;
  const sent = Promise.withResolvers<void>();
  await page.route("**/editor.js*", async (route) => {
    await sent.promise;
    await route.continue();
  });
  await page.goto("/workflows/new");
  // Nobody has been there yet, so it was not even asked for.
  const names = "performance.getEntriesByType('resource').map((entry) => entry.name)";
  expect(await page.evaluate<string>(`${names}.join(' ')`)).not.toContain("editor.js");
  await page.fill("#source", named("early"));
  await page.locator("#source").press("Control+Home");
  await page.keyboard.type("# ab");
  sent.resolve();
  await page.locator("[data-ready]").waitFor();
  await page.keyboard.type("c\n");
  expect(await textOf(open)).toBe(`# abc\n${named("early")}`);
  await see(open, "Valid, 1 step");
  // It is a draft now.
  await page.goto("/help");
  page.on("dialog", (dialog) => void dialog.accept());
  await page.goto("/workflows/new");
  await page.locator("[data-ready]").waitFor();
  expect(await page.isVisible("#draft")).toBe(true);
});

flow("a file is uploaded, dropped and opened; the list finds, orders and copies", async () => {
  const folder = await mkdtemp(join(tmpdir(), "agents-upload-"));
  try {
    const [good, bad] = [join(folder, "good.yaml"), join(folder, "bad.yaml")];
    await Bun.write(good, named("uploaded"));
    await Bun.write(bad, BROKEN);
    await using open = await visit(true);
    const { page } = open;
    await page.goto("/workflows");
    await page.setInputFiles("#file", good);
    await press(open, "Upload");
    await page.waitForURL(/\/workflows\/\w+$/);
    await page.goto("/workflows");
    await page.setInputFiles("#file", bad);
    await press(open, "Upload");
    await see(open, "The workflow was not saved: the text has errors.");
    open.provoked("422 POST /workflows");
    await meetEditor(open);
    expect(await textOf(open)).toBe(BROKEN);
    page.on("dialog", (dialog) => void dialog.accept());

    await page.goto("/workflows?search=upload&order=name");
    expect(await page.locator(".flow-name").allTextContents()).toEqual(["uploaded"]);
    await page.selectOption("#workflow-result", "never");
    await press(open, "Apply");
    expect(await page.locator(".flow-name").allTextContents()).toEqual(["uploaded"]);
    await open.check("list of workflows");
    const download = page.waitForEvent("download");
    await page.getByRole("link", { name: "Download uploaded" }).click();
    expect((await download).suggestedFilename()).toBe("uploaded.yaml");
    await page.getByRole("link", { name: "Duplicate uploaded" }).click();
    await meetEditor(open);
    expect(await textOf(open)).toBe(named("uploaded_copy"));
    await press(open, "Save");
    await see(open, "uploaded_copy");
    await page.click("summary:has-text('Delete this workflow')");
    await press(open, "Delete uploaded_copy");
    await see(open, "The workflow uploaded_copy was deleted.");
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
