/**
 * Goal: what people do with many runs, and with one that is large, works on the executable, with script and without.
 * Method: as in flows.test.ts; the run of 10,000 items is written into the database of a running product.
 */
import { Database } from "bun:sqlite";
import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Browser } from "playwright-core";
import {
  type Home,
  PATIENCE_MS,
  queryDatabase,
  runAgents,
  type RunningAgents,
  startAgents,
  waitFor,
} from "../support/agents.ts";
import { isWithoutChromium, launchChromium } from "../views/chromium.ts";
import { openVisit, type Visit } from "./visit.ts";

const TEST_MS = PATIENCE_MS;
const ITEM_COUNT = 10_000;
const MODES = [true, false] as const;

let browser: Browser;
const skipped = isWithoutChromium("tests/browser/runs.test.ts");
beforeAll(async () => {
  if (!skipped) browser = await launchChromium();
}, TEST_MS);
afterAll(async () => {
  if (!skipped) await browser.close();
}, TEST_MS);

const example = (name: string) => new URL(`../../examples/${name}.yaml`, import.meta.url).pathname;
const visit = (agents: RunningAgents, script: boolean) =>
  openVisit({ browser, url: agents.url, script });
const see = ({ page }: Visit, text: string | RegExp) => page.getByText(text).first().waitFor();
const press = ({ page }: Visit, name: string | RegExp) =>
  page.getByRole("button", { name }).first().click();
const rows = ({ page }: Visit) => page.locator("#run-table tbody tr");
const statesOf = (home: Home) =>
  queryDatabase<{ state: string }>(home.databasePath, "SELECT state FROM runs ORDER BY id").map(
    (row) => row.state,
  );

async function run(home: Home, name: string, ...inputs: string[]): Promise<void> {
  const flags = inputs.flatMap((input) => ["--input", input]);
  await runAgents(["run", example(name), ...flags, "--provider", "demo"], { home });
}

for (const script of MODES) {
  const mode = script ? "with script" : "without script";

  test.skipIf(skipped)(
    `runs are found by their inputs, exported and compared (${mode})`,
    async () => {
      await using agents = await startAgents();
      await run(agents.home, "greeting", "name=Ada");
      await run(agents.home, "greeting", "name=Grace");
      await run(agents.home, "two-step-article", "topic=Tides");
      await using open = await visit(agents, script);
      const { page } = open;
      await page.goto("/runs");
      expect(await rows(open).count()).toBe(3);
      await page.fill("#run-search", "grac");
      await page.selectOption("#run-range", "1h");
      await press(open, "Filter");
      await page.waitForURL(/search=grac&.*range=1h/);
      await page.locator(".active-filters").waitFor();
      expect(await rows(open).count()).toBe(1);
      await open.check("a filtered list");
      await page.click(".active-filters a:has-text('grac')");
      await page.locator(".active-filters a:has-text('grac')").waitFor({ state: "detached" });
      await page.selectOption("#run-workflow", { label: "greeting" });
      await press(open, "Filter");
      await page.waitForURL(/workflow=\w/);
      await page.locator(".active-filters a:has-text('greeting')").waitFor();
      expect(await rows(open).count()).toBe(2);

      const href = (await page.getAttribute("a[href^='/runs/export.csv']", "href")) ?? "";
      const file = await page.request.get(href);
      expect((await file.text()).trim().split("\r\n")).toHaveLength(3);

      expect(await page.locator(".bulk").isVisible()).toBe(false);
      for (const box of await page.locator("input[name=run]").all()) await box.check();
      if (script) await see(open, "With 2 chosen runs");
      await open.check("chosen runs");
      await press(open, "Compare");
      await page.waitForURL(/\/runs\/compare\?a=\w+&b=\w+$/);
      const verdict = (await page.textContent("#divergence")) ?? "";
      expect(verdict).toMatch(/They part at step \w+: it wrote something else into/);
      expect(
        await page.locator("[aria-labelledby=inputs-diff-h] .diff ins").textContent(),
      ).toContain("Grace");
      await open.check("two runs compared");
      const before = await page.inputValue("#compare-a");
      await page.click("a:has-text('Swap')");
      await page.locator(`#compare-b[value="${before}"]`).waitFor();
    },
    TEST_MS,
  );

  test.skipIf(skipped)(
    `many runs are cancelled, and the cancellation is taken back (${mode})`,
    async () => {
      await using agents = await startAgents();
      const { home } = agents;
      await using open = await visit(agents, script);
      const { page } = open;
      await page.goto("/workflows");
      await press(open, "Add example approval-gate");
      await page.waitForURL(/\/workflows\/\w+$/);
      const workflow = page.url();
      for (const news of ["One", "Two"]) {
        await page.goto(workflow);
        await page.fill("#input-news", news);
        await press(open, "Start run");
        await page.waitForURL(/\/runs\/\w+$/);
      }
      await waitFor(() => statesOf(home).every((state) => state === "waiting"), "both wait");
      await page.goto("/runs?state=waiting");
      for (const box of await page.locator("input[name=run]").all()) await box.check();
      await page.locator(".bulk button:has-text('Cancel')").click();
      await page.waitForURL(/\/runs\/bulk\/\w+$/);
      await see(open, /2 cancelled\./);
      expect(statesOf(home)).toEqual(["cancelled", "cancelled"]);
      await open.check("cancelled together");
      await press(open, "Let them go on again");
      await see(open, /2 going on\./);
      await waitFor(() => statesOf(home).every((state) => state === "waiting"), "both wait again");

      // What is refused is said, run by run; what cannot be undone is asked first.
      await page.goto("/runs");
      await page.locator("input[name=run]").first().check();
      await page.locator("#bulk-all").check();
      await page.locator(".bulk button:has-text('Delete')").click();
      await see(open, "Delete 2 runs?");
      await open.check("asked before it is deleted");
      await press(open, "Delete 2 runs");
      await see(open, "2 refused");
      await see(open, /has not ended/);
      await open.check("refused together");
      expect(statesOf(home)).toHaveLength(2);
    },
    TEST_MS,
  );

  test.skipIf(skipped)(
    `a run is forked with another value, a signal is sent, a refusal is said (${mode})`,
    async () => {
      await using agents = await startAgents();
      await using open = await visit(agents, script);
      const { page } = open;
      await page.goto("/workflows");
      await press(open, "Add example approval-gate");
      await page.waitForURL(/\/workflows\/\w+$/);
      await page.fill("#input-news", "We open on Sundays.");
      await press(open, "Start run");
      await page.waitForURL(/\/runs\/\w+$/);
      await see(open, "Needs your approval");
      const first = page.url();

      await page.click("#signal-fold summary");
      await page.fill("#signal-name", "hello");
      await page.fill("#signal-payload", "{");
      await press(open, "Send");
      await see(open, "This is not JSON.");
      open.provoked(`422 POST ${new URL(first).pathname}/signals`);
      expect(await page.inputValue("#signal-name")).toBe("hello");
      await open.check("a refused signal");
      await page.fill("#signal-payload", '{"amount": 12}');
      await press(open, "Send");
      await page.waitForURL(first);
      await see(open, /signal hello from the dashboard/);

      await page.click("#step-write-1 a:has-text('Details')");
      await see(open, "State after this step");
      await open.check("a step with the state after it");
      await page.click("a:has-text('Fork from here')");
      await page.locator("#input-news").waitFor();
      expect(await page.inputValue("#input-news")).toBe("We open on Sundays.");
      await open.check("a fork to be filled in");
      await page.fill("#input-news", "We open on Mondays.");
      await press(open, "Start the fork");
      await page.waitForURL((url) => /\/runs\/\w+$/.test(url.pathname) && url.href !== first);
      await see(open, "forked from");
      await page.locator("#approval-ask-h").waitFor({ timeout: PATIENCE_MS });
      expect(await page.textContent("#run-log-lines")).toContain("made from run");

      // Another tab still shows what somebody else has decided meanwhile.
      const id = new URL(page.url()).pathname.split("/").at(-1) ?? "";
      await using other = await open.openTab();
      await other.page.goto(`/runs/${id}`);
      if (!script) return;
      await other.page.click("#pause");
      await runAgents(["approve", id], { home: agents.home });
      await page.locator('#run-head[data-phase="final"]').waitFor();
      await press(other, /^Approve/);
      await other.page.locator(".refused-here").waitFor();
      other.provoked(`409 POST /runs/${id}/decisions`);
      // The focus is where it was.
      expect(await other.page.locator("button[name=approve]:focus").count()).toBe(1);
      await other.check("a refusal in its place");
    },
    TEST_MS,
  );

  test.skipIf(skipped)(
    `a run with 10,000 items opens like a small one (${mode})`,
    async () => {
      await using agents = await startAgents();
      await run(agents.home, "map-reviews");
      const id = enlarge(agents.home);
      await using open = await visit(agents, script);
      const { page } = open;
      await page.goto(`/runs/${id}`);
      await page.locator("#run-head").waitFor();
      expect(await page.evaluate<number>("document.documentElement.outerHTML.length")).toBeLessThan(
        400_000,
      );
      await page.click("#step-rate-1-items-fold > summary");
      await see(open, /10,000 items, 1 failed/);
      await see(open, /rate\[7777\]/);
      await open.check("a large run");
      await page.click("#step-rate-1-items-fold a:has-text('Show all')");
      await page.waitForURL(/\/items\?map=rate$/);
      await see(open, "Items of rate");
      expect(await page.locator(".item-list > li").count()).toBe(50);
      await open.check("items of a large map");
      await page.click("a[rel=next]");
      await page.waitForURL(/from=50/);
      await see(open, "rate[50]");
      await page.goto(`/runs/${id}`);
      await page.getByRole("link", { name: "Whole trace" }).click();
      await page.getByRole("link", { name: "Items of rate" }).click();
      await see(open, "0 to 49 of 10,000");
      await page.click("a[rel=next]");
      await see(open, "50 to 99 of 10,000");
      await open.check("a window of the trace of a large run");
      await page.goto(`/runs/${id}/trace?map=rate&from=7750`);
      await page.getByRole("link", { name: "rate[7777]" }).click();
      await see(open, /rate\[7777\]/);
      await page.goto(`/runs/${id}/log?level=error`);
      await page.locator(".log, .empty").first().waitFor();
      await open.check("the log of a large run");
    },
    TEST_MS,
  );
}

/** Gives the map of the only run 10,000 items, one of them failed. */
function enlarge({ databasePath: path }: Home): string {
  using database = new Database(path);
  database.run("PRAGMA busy_timeout = 10000");
  const [row] = database.query<{ id: string }, []>("SELECT id FROM runs").all();
  const id = row?.id ?? "";
  const columns = database
    .query<{ name: string }, []>("SELECT name FROM pragma_table_info('steps')")
    .all()
    .map(({ name }) => name);
  const changed: Readonly<Record<string, string>> = {
    key: "'rate[' || n || ']'",
    state: "CASE n WHEN 7777 THEN 'failed' ELSE 'succeeded' END",
  };
  const values = columns.map((name) => changed[name] ?? `one."${name}"`);
  database.run(
    `INSERT INTO steps (${columns.map((name) => `"${name}"`).join(", ")})
     WITH RECURSIVE numbers(n) AS (SELECT 3 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${ITEM_COUNT - 1})
     SELECT ${values.join(", ")} FROM numbers, steps AS one WHERE one.run_id = ? AND one.key = 'rate[1]'`,
    [id],
  );
  database.run(
    `UPDATE events SET data = json_set(data, '$.itemCount', ${ITEM_COUNT})
     WHERE run_id = ? AND type = 'step.started' AND data ->> 'step' = 'rate'`,
    [id],
  );
  return id;
}
