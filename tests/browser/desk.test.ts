/**
 * Goal: agents, settings, backups, search and help work on the executable itself, with script and without.
 * Method: as `flows.test.ts`.
 */
import { Database } from "bun:sqlite";
import { afterAll, beforeAll, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { PATIENCE_MS, type RunningAgents, startAgents, waitFor } from "../support/agents.ts";
import { isWithoutChromium, launchChromium } from "../views/chromium.ts";
import { openVisit, type Visit } from "./visit.ts";

const TEST_MS = 2 * PATIENCE_MS;

let browser: Browser;
let agents: RunningAgents;
const skipped = isWithoutChromium("tests/browser/desk.test.ts");
beforeAll(async () => {
  if (skipped) return;
  browser = await launchChromium();
  agents = await startAgents({ flags: ["--no-mlflow", "--no-chat", "--workers", "1"] });
}, TEST_MS);
afterAll(async () => {
  if (skipped) return;
  await browser.close();
  await agents[Symbol.asyncDispose]();
}, TEST_MS);

const visit = (script: boolean) => openVisit({ browser, url: agents.url, script });
const see = ({ page }: Visit, text: string | RegExp) => page.getByText(text).first().waitFor();
const press = ({ page }: Visit, name: string | RegExp) =>
  page.getByRole("button", { name }).first().click();

for (const script of [true, false]) {
  const mode = script ? "with script" : "without script";
  const own = (name: string) => `${name} ${script ? "one" : "two"}`;

  test.skipIf(skipped)(
    `an agent registers by curl, is late, dead, alive again, removed and put back (${mode})`,
    async () => {
      await using open = await visit(script);
      await open.page.goto("/agents");
      const id = script ? "curl-1" : "curl-2";
      const name = own("Curl");
      const row = open.page.locator("tr", { hasText: name });
      const state = (label: string) => row.getByText(label, { exact: true }).waitFor();
      const register = (ttlSeconds: number) =>
        fetch(`${agents.url}agents/register`, {
          method: "POST",
          headers: { "Content-Type": "application/json" },
          body: JSON.stringify({
            agent_id: id,
            agent_name: name,
            host: "127.0.0.1",
            port: 9,
            ttl_seconds: ttlSeconds,
          }),
        });
      await register(24);
      // From here on the page follows by itself: by its stream, or as it refreshes itself.
      await state("Alive");
      await open.check("an agent");
      await state("Late");
      await register(1);
      await state("Dead");
      await register(600);
      await state("Alive");
      await row.getByRole("button", { name: /Check/ }).click();
      await see(open, /cannot be reached|is an address of this machine/);
      await press(open, "Remove");
      await see(open, `Removed: ${name}`);
      expect(await row.count()).toBe(0);
      await press(open, "Undo");
      await state("Alive");
    },
    TEST_MS,
  );

  test.skipIf(skipped)(
    `an agent that a person registers is refused, mended, asked and found (${mode})`,
    async () => {
      using server = Bun.serve({
        port: 0,
        hostname: "127.0.0.1",
        fetch: ({ url }) =>
          new URL(url).pathname === "/health"
            ? Response.json({ status: "healthy" })
            : new Response("", { status: 404 }),
      });
      await using open = await visit(script);
      const { page } = open;
      await page.goto("/agents#register");
      const name = own("Hand");
      await page.fill("#agent-name", name);
      await page.fill("#agent-url", "ftp://127.0.0.1");
      await page.fill("#agent-can", "sums, words");
      open.provoked("422 POST /agents/register");
      await page.click("#register button.primary");
      await see(open, /cannot be registered/);
      expect(await page.inputValue("#agent-can")).toBe("sums, words");
      await open.check("a refused agent");
      await page.fill("#agent-url", `http://127.0.0.1:${server.port}`);
      await page.click("#register button.primary");
      await page.waitForURL(/\/agents\/hand-\w+$/);
      await see(open, "by hand");
      await press(open, "Check");
      await see(open, /It answers and is healthy/);
      await open.check("one agent");
      await page.goto(`/search?q=${encodeURIComponent(name)}`);
      await page.locator(".hit", { hasText: name }).click();
      await page.waitForURL(/\/agents\/hand-\w+$/);
    },
    TEST_MS,
  );

  test.skipIf(skipped)(
    `settings are refused, saved, taken up by a restart, and reset (${mode})`,
    async () => {
      await using open = await visit(script);
      const { page } = open;
      await page.goto("/settings");
      await open.check("settings");
      const field = "#setting-AGENTS_MODEL_CONCURRENCY";
      const save = () => page.click('form:has([value="limits"]) button.primary');
      await page.fill(field, "lots");
      open.provoked("422 POST /settings/values");
      await save();
      await see(open, /Give a whole number from 0 to 1000/);
      expect(await page.inputValue(field)).toBe("lots");
      await page.fill(field, "7");
      await page.fill("#setting-AGENTS_WORKER_CONCURRENCY", script ? "5" : "6");
      await save();
      await see(open, "The settings were saved.");
      expect(readEnv()).toContain("AGENTS_MODEL_CONCURRENCY=7\n");
      await see(open, "What was saved here counts after a restart.");
      open.forgiveOutage();
      await press(open, "Restart now");
      await see(open, "agents is starting anew");
      await comeBack(open);
      expect(await page.getByText("counts after a restart").count()).toBe(0);
      await page.click("#openai-fold summary");
      const ownField = "#setting-AGENTS_OPENAI_CONCURRENCY";
      const saveOwn = () => page.click('form:has([value="openai"]) button.primary');
      await page.fill("#setting-AGENTS_OPENAI_MODEL", "gpt-5-mini");
      await page.fill(ownField, "-1");
      open.provoked("422 POST /settings/values");
      await saveOwn();
      await see(open, /Give a whole number from 0 to 1000/);
      expect(await page.inputValue("#setting-AGENTS_OPENAI_MODEL")).toBe("gpt-5-mini");
      await page.fill(ownField, "3");
      await saveOwn();
      await see(open, "The settings were saved.");
      expect(readEnv()).toContain("AGENTS_OPENAI_CONCURRENCY=3\n");
      for (const name of ["OPENAI_MODEL", "OPENAI_CONCURRENCY"]) {
        await page.click("#openai-fold summary");
        await page.click(`button[value="AGENTS_${name}"]`);
        await see(open, "The setting is back at its default.");
      }
      expect(readEnv()).not.toMatch(/^AGENTS_OPENAI_\w+=./m);
      for (const name of ["MODEL_CONCURRENCY", "WORKER_CONCURRENCY"]) {
        await page.click(`button[value="AGENTS_${name}"]`);
        await see(open, "The setting is back at its default.");
      }
      expect(await page.inputValue(field)).toBe("0");
      expect(readEnv()).not.toContain("AGENTS_MODEL_CONCURRENCY=7\n");
    },
    TEST_MS,
  );

  test.skipIf(skipped)(
    `a backup is made; what was changed since is gone when it is restored, and kept aside (${mode})`,
    async () => {
      await using open = await visit(script);
      const { page } = open;
      await page.goto("/workflows");
      await press(open, "Add example greeting");
      await page.waitForURL(/\/workflows\/\w+$/);
      await page.goto("/settings");
      await press(open, "Back up now");
      await see(open, "A backup was made.");
      await page.goto("/workflows");
      await press(open, "Add example two-step-article");
      await page.waitForURL(/\/workflows\/\w+$/);
      await page.goto("/settings#backups-h");
      const made = page.locator(".backup", { hasText: "made by hand" }).first();
      await made.locator("summary").click();
      await open.check("backups");
      await made.getByRole("button", { name: "Restore and restart" }).click();
      await see(open, "agents is starting anew");
      await comeBack(open);
      await page.goto("/workflows");
      const names = await page.locator(".flows .flow-name").allTextContents();
      expect(names.filter((name) => /greeting|two-step|two_step/.test(name))).toEqual(["greeting"]);
      await page.goto("/settings");
      await see(open, "replaced by a restore");
      const [aside = ""] = readdirSync(agents.dataDir)
        .filter((name) => /\.before-restore-\w+$/.test(name))
        .toSorted()
        .toReversed();
      using before = new Database(join(agents.dataDir, aside));
      const [row] = before.query("SELECT count(*) AS count FROM workflows").all();
      expect(row).toEqual({ count: 2 });
    },
    TEST_MS,
  );
}

/** Without script the browser may have met nobody when it asked: then a person reloads. */
async function comeBack(open: Visit): Promise<void> {
  const isBack = () => /done=restarted/.test(open.page.url());
  if (!open.script) {
    await waitFor(
      async () => (await fetch(`${agents.url}health/liveness`).catch(() => undefined))?.ok === true,
      "the server",
    );
    await waitFor(async () => {
      if (!isBack()) await open.page.reload().catch(() => undefined);
      return isBack();
    }, "the settings page");
  }
  await open.page.waitForURL(/done=restarted/);
  await see(open, "agents has started anew.");
  open.forgiveOutage();
}

function readEnv(): string {
  return readFileSync(join(agents.dataDir, ".env"), "utf8");
}

test.skipIf(skipped)(
  "a search by keyboard alone: opened, typed, an option chosen, followed; the same words on its page",
  async () => {
    await using open = await visit(true);
    const { page } = open;
    await page.goto("/");
    await page.keyboard.press("/");
    await page.locator("#search-results [role=option]", { hasText: "Settings" }).waitFor();
    await page.keyboard.type("backu");
    const option = page.locator('#search-results [role=option][aria-selected="true"]');
    // Before the words were looked for, everything was offered.
    const other = page.locator("#search-results [role=option]", { hasText: "Workflows" });
    await other.first().waitFor({ state: "detached" });
    await page.locator("#search-results [role=option]", { hasText: "Backup" }).waitFor();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowUp");
    const id = await option.getAttribute("id");
    expect(await page.getAttribute("#search-input", "aria-activedescendant")).toBe(id ?? "");
    await open.check("the search dialog");
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/settings#backups-h$/);
    expect(await page.locator("#search-dialog").isVisible()).toBe(false);
    await page.keyboard.press("Control+k");
    await page.keyboard.type("nothing of this name");
    await see(open, "Nothing found for");
    await page.keyboard.press("Escape");
    expect(await page.locator("#search-dialog").isVisible()).toBe(false);
    await open.check("after the search");
  },
  TEST_MS,
);

test.skipIf(skipped)(
  "shortcuts lead on, never while typing, and can be turned off",
  async () => {
    await using open = await visit(true);
    const { page } = open;
    await page.goto("/");
    await page.keyboard.press("?");
    await see(open, "Pause live updates, or go on");
    await open.check("the help dialog");
    await page.keyboard.press("Escape");
    await page.keyboard.press("g");
    await page.keyboard.press("a");
    await page.waitForURL("**/agents");
    await open.until("document.activeElement.id === 'main'");
    await page.focus("#agent-search");
    await page.keyboard.type("g?pr/");
    expect(await page.inputValue("#agent-search")).toBe("g?pr/");
    await page.evaluate("document.activeElement.blur()");
    await page.keyboard.press("p");
    expect(await page.getAttribute("#pause", "aria-pressed")).toBe("true");
    await page.goto("/help");
    await press(open, "Turn shortcuts off");
    await see(open, "They are off in this browser.");
    await open.check("help");
    await page.keyboard.press("?");
    await page.keyboard.press("g");
    await page.keyboard.press("w");
    expect(await page.locator("#help-dialog").isVisible()).toBe(false);
    expect(new URL(page.url()).pathname).toBe("/help");
    await press(open, "Turn shortcuts on");
    await see(open, "They never act while you type.");
  },
  TEST_MS,
);

test.skipIf(skipped)(
  "a key that comes before htmx has started fills its dialog",
  async () => {
    await using open = await visit(true);
    // htmx starts in a task of its own: it is given none before the key came.
    await open.page.addInitScript(`
      const { setTimeout } = window;
      const held = [];
      window.setTimeout = (task, ms, ...rest) =>
        ms === undefined ? held.push(task) : setTimeout(task, ms, ...rest);
      window.release = () => {
        window.setTimeout = setTimeout;
        for (const task of held) task();
      };
    `);
    await open.page.goto("/");
    await open.page.keyboard.press("?");
    await open.page.evaluate("release()");
    await see(open, "Pause live updates, or go on");
  },
  TEST_MS,
);
