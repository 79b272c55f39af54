/**
 * Goal: what people do in the dashboard works on the executable itself, with script and without.
 * Method: the executable in an empty home, a model server that takes its time, and Chromium. Every page
 * that is met on the way is checked in light and dark, on desktop and phone (`visit.ts`). A page that
 * must follow by itself is never reloaded by the test.
 */
import { Database } from "bun:sqlite";
import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import {
  agentsProcesses,
  createHome,
  eventsOf,
  type Home,
  killQuietly,
  PATIENCE_MS,
  runAgents,
  type RunningAgents,
  startAgents,
  waitFor,
} from "../support/agents.ts";
import { startModelServer } from "../support/model-server.ts";
import { isWithoutChromium, launchChromium } from "../views/chromium.ts";
import {
  COUNTED,
  environment,
  PIECE_PAUSE_MS,
  startAgain,
  startCountingServer,
  storedLines,
} from "./counting.ts";
import { openVisit, type Visit } from "./visit.ts";

const TEST_MS = PATIENCE_MS;
const PASSWORD = "correct horse battery";
const MODES = [
  { mode: "with script", script: true },
  { mode: "without script", script: false },
] as const;

let browser: Browser;
const skipped = isWithoutChromium("tests/browser/flows.test.ts");
beforeAll(async () => {
  if (skipped) return;
  browser = await launchChromium();
}, TEST_MS);
afterAll(async () => {
  if (skipped) return;
  await browser.close();
}, TEST_MS);

function visit(agents: RunningAgents, script: boolean): Promise<Visit> {
  return openVisit({ browser, url: agents.url, script });
}

const see = ({ page }: Visit, text: string | RegExp) => page.getByText(text).first().waitFor();
const press = ({ page }: Visit, name: string | RegExp) =>
  page.getByRole("button", { name }).first().click();

/** Sends a form of a run's page: with script it is sent in place, without it leads to the page anew. */
async function pressAndLoad(open: Visit, name: string | RegExp): Promise<void> {
  if (open.script) return press(open, name);
  await Promise.all([open.page.waitForEvent("load"), press(open, name)]);
}

/** Adds an example and ends on its page. */
async function addExample(open: Visit, name: string): Promise<void> {
  await open.page.goto("/workflows");
  await press(open, `Add example ${name}`);
  await open.page.waitForURL(/\/workflows\/\w+$/);
}

async function runGreeting(open: Visit, fields: Readonly<Record<string, string>>): Promise<void> {
  await open.page.fill("#input-name", fields["name"] ?? "Ada");
  if (fields["model"] !== undefined) {
    await open.page.click("summary:has-text('Provider and model')");
    await open.page.fill("#model", fields["model"]);
  }
  await press(open, "Start run");
  await open.page.waitForURL(/\/runs\/\w+$/);
}

/** On a run's page: waits until it says that the run has ended so, and that it did so by itself. */
async function watchEnd(open: Visit, label: string): Promise<void> {
  await open.page.waitForLoadState("load");
  const before = open.loadCount;
  const isEnded = open.page.locator('#run-head[data-phase="final"]');
  await isEnded.waitFor({ timeout: PATIENCE_MS });
  expect(await isEnded.locator(".badge").textContent()).toBe(label);
  if (open.script) expect(open.loadCount).toBe(before);
}

/** Waits for streamed text. Without script the page shows it when it refreshes itself, after 5 s. */
async function seeStreamed(open: Visit, home: Home, words: string): Promise<void> {
  if (open.script) return see(open, words);
  const text = () => eventsOf(home, runIdOf(open)).map((event) => event.text ?? "");
  await waitFor(() => text().join("").includes(words), words);
}

function runIdOf(open: Visit): string {
  return new URL(open.page.url()).pathname.split("/").at(-1) ?? "";
}

/**
 * One test for each mode. Both run at the same time, each with its own product: one mostly waits for
 * pages that refresh themselves while the other is busy with axe.
 */
function testFlow(name: string, flow: (script: boolean) => Promise<void>): void {
  let results: Map<boolean, Promise<unknown>> | undefined;
  for (const { mode, script } of MODES) {
    test.skipIf(skipped)(
      `${name} (${mode})`,
      async () => {
        results ??= new Map(
          MODES.map((each) => [
            each.script,
            flow(each.script).then(
              () => undefined,
              (error: unknown) => error,
            ),
          ]),
        );
        const error = await results.get(script);
        if (error !== undefined) throw error;
      },
      TEST_MS,
    );
  }
}

testFlow(
  "a first visit: nothing there, the demo said; a key, an example, a run that streams to its end",
  async (script) => {
    await using models = await startModelServer({ latencyMs: PIECE_PAUSE_MS });
    await using agents = await startAgents({ env: environment(models) });
    await using open = await visit(agents, script);
    const { page } = open;
    await page.goto("/");
    await see(open, "No workflows yet");
    await see(open, "Demo provider.");
    await open.check("first status");
    await page.click("a:has-text('Run an example')");
    await page.waitForURL("**/workflows#examples");
    await open.check("first workflows");
    await page.goto("/runs");
    await see(open, "No runs yet");
    await open.check("first runs");

    await page.click("a:has-text('Add a key')");
    await page.fill("#key-openai", "bad-key");
    await press(open, "Save the key for OpenAI");
    await see(open, "The key was saved.");
    await press(open, "Check OpenAI");
    await see(open, /Check failed: .*(?:key|401)/);
    await page.fill("#key-openai", "sk-good");
    await press(open, "Save the key for OpenAI");
    await press(open, "Check OpenAI");
    await see(open, /It answers and offers \d+ models\./);
    expect(await page.isVisible("text=Demo provider.")).toBe(false);
    expect(await page.content()).not.toContain("sk-good");
    await open.check("settings");

    await addExample(open, "two-step-article");
    await open.check("workflow");
    await page.click("summary:has-text('Optional inputs')");
    await page.fill("#input-words", "250");
    await page.evaluate("document.querySelector('#run').noValidate = true");
    await press(open, "Start run");
    await see(open, "The input topic is required and was not given.");
    open.provoked(`422 POST ${new URL(page.url()).pathname}`);
    expect(await page.getAttribute("#input-topic", "aria-invalid")).toBe("true");
    expect(await page.locator("#input-topic:focus").count()).toBe(1);
    expect(await page.inputValue("#input-words")).toBe("250");
    await open.check("refused run form");

    await page.fill("#input-topic", "Tidal power");
    await press(open, "Start run");
    await page.waitForURL("**/runs/*");
    if (script) {
      await open.until("document.querySelector('.stream')?.textContent.length > 8");
    }
    await page.locator("#run-head[data-phase=active]").waitFor();
    await watchEnd(open, "Succeeded");
    await see(open, 'The mock server was asked: Write the article "mock text"');
    const head = (await page.locator("#run-head").textContent()) ?? "";
    expect(head).toContain("2 done");
    expect(head).toContain("3,0002,000 in, 1,000 out");
    expect(head).toMatch(/Cost\$0\.\d*[1-9]/);
    await open.check("finished run");
    await page.goto("/");
    await see(open, "two_step_article");
    await open.check("status with a run");
  },
);

testFlow(
  "a run is cancelled, run again, cancelled in the list; a failed one says why and what to do",
  async (script) => {
    await using models = await startModelServer();
    await using agents = await startAgents({ env: environment(models, "sk-1") });
    await using open = await visit(agents, script);
    const { page } = open;
    await addExample(open, "greeting");
    const workflow = page.url();
    await runGreeting(open, { model: "mock-stall" });
    await seeStreamed(open, agents.home, "One two");
    const first = runIdOf(open);
    // Nothing happens in it any more, but its time goes on.
    if (script)
      await open.until(
        "parseFloat(document.querySelector('#run-steps .facts li').textContent) > 1",
      );
    await open.check("running run");
    await pressAndLoad(open, "Cancel");
    await watchEnd(open, "Cancelled");
    await open.check("cancelled run");
    await press(open, "Run again");
    await page.waitForURL((url) => !url.pathname.endsWith(first));
    await seeStreamed(open, agents.home, "One two");
    expect(await page.textContent("#run-head")).toContain("Model set to mock-stall.");
    await page.goto("/runs");
    const loads = open.loadCount;
    await page.click(".c-actions button");
    if (script) {
      // At once, without leaving the list.
      await page.locator("#run-table tr:first-of-type .badge:text-matches('^Cancel')").waitFor();
      expect(open.loadCount).toBe(loads);
      await page.click("#run-table .c-flow a");
    }
    await page.waitForURL("**/runs/*");
    await page.locator('#run-head[data-phase="final"]').waitFor({ timeout: PATIENCE_MS });
    await watchEnd(open, "Cancelled");

    await page.goto(workflow);
    await runGreeting(open, { model: "no-such-model" });
    await watchEnd(open, "Failed");
    const failure = page.locator("#run-result .error-box");
    expect(await failure.textContent()).toMatch(/no model "no-such-model"\..*Fix: /s);
    await open.check("failed run");
  },
);

testFlow("runs are searched and filtered; a password and the theme are set", async (script) => {
  await using models = await startModelServer();
  const env = environment(models, "sk-1");
  await using agents = await startAgents({ env });
  const options = { home: agents.home, env };
  const greet = ["run", exampleFile("greeting"), "--input", "name=Ada"];
  await Promise.all([
    runAgents(greet, options),
    runAgents([...greet, "--model", "no-such-model"], options),
    runAgents(["run", exampleFile("two-step-article"), "--input", "topic=Tides"], options),
  ]);
  await using open = await visit(agents, script);
  const { page } = open;
  const names = () => page.locator("#run-table .flow-name").allTextContents();
  await page.goto("/runs");
  expect((await names()).toSorted()).toEqual(["greeting", "greeting", "two_step_article"]);
  await open.check("runs");
  await page.click("#run-states a:has-text('Failed')");
  await page.waitForURL(/state=failed/);
  await page.locator("#run-states a[aria-current]:has-text('Failed')").waitFor();
  expect(await names()).toEqual(["greeting"]);
  const [, shortId = ""] = /(\w{6}) ·/.exec((await page.textContent(".runs .sub")) ?? "") ?? [];
  for (const [search, found] of [
    ["article", ["two_step_article"]],
    [shortId, ["greeting"]],
    ["tides", ["two_step_article"]],
    ["nothing of the kind", []],
  ] as const) {
    await page.goto("/runs");
    await page.fill("#run-search", search);
    await press(open, "Filter");
    await page.waitForURL(/search=/);
    await page.locator(`#run-search[value="${search}"]`).waitFor();
    expect({ search, found: await names() }).toEqual({ search, found: [...found] });
  }
  await see(open, "No run matches");
  await open.check("empty search");

  await page.click("#sidebar button[value=light]");
  await page.locator('html[data-theme="light"]').waitFor({ state: "attached" });
  expect(page.url()).toContain("search=");
  await page.goto("/settings");
  await page.locator('html[data-theme="light"]').waitFor({ state: "attached" });
  await page.fill("#password", PASSWORD);
  await press(open, "Set password");
  await see(open, "The password was saved.");
  await page.fill("#current", "not this one");
  await page.fill("#password", `${PASSWORD}!`);
  await press(open, "Change password");
  await see(open, "The current password is wrong.");
  open.provoked("422 POST /settings/password");
  await open.check("refused password");
});

testFlow(
  "a locked database: said at once and on open pages, writing is not offered; all comes back",
  async (script) => {
    await using agents = await startAgents();
    await using open = await visit(agents, script);
    const { page } = open;
    const status = await open.openTab();
    await status.page.goto("/");
    await page.goto("/workflows");
    {
      using lock = new Database(agents.home.databasePath);
      lock.run("BEGIN EXCLUSIVE");
      await press(open, "Add example greeting");
      await see(open, "Degraded: nothing can be saved.");
      open.provoked("503 POST /workflows/examples/greeting");
      await open.check("refused write");
      if (!script) await status.page.reload();
      await see(status, "Degraded: nothing can be saved.");
      await page.goto("/workflows");
      expect(await page.locator("button:has-text('Add')").count()).toBe(0);
      await open.check("degraded workflows");
    }
    const healed = async (tab: Visit) => {
      const before = tab.loadCount;
      await waitFor(async () => {
        if (!script) await tab.page.reload();
        return !(await tab.page.isVisible("text=Degraded:"));
      }, "the banner to go");
      if (script) expect(tab.loadCount).toBe(before);
    };
    await healed(status);
    await status.page.getByText("Run a workflow").waitFor();
    await status.check("healed status");
    await healed(open);
    await press(open, "Add example greeting");
    await page.waitForURL(/\/workflows\/\w+$/);
  },
);

testFlow(
  "everything is killed under an open run: the page goes on after the restart, the status page says so",
  async (script) => {
    await using home = await createHome();
    await using models = await startCountingServer();
    await using first = await startAgents({ home, env: environment(models, "sk-1") });
    await using before = await visit(first, script);
    await startCounting(before, home);
    const runId = runIdOf(before);
    const loads = before.loadCount;
    // Without script the page would ask for itself while nobody answers, and become an error page of the
    // browser's, which goes on asking: it is closed, and opened again when there is an answer.
    if (!script) await before.page.close();
    for (const { pid } of agentsProcesses(home.path)) killQuietly(pid, "SIGKILL");
    await using second = await startAgain(first, models);
    expect(second.url).toBe(first.url);
    const open = script ? before : await before.openTab();
    if (!script) await open.page.goto(`/runs/${runId}`);
    await watchEnd(open, "Succeeded");
    if (script) expect(open.loadCount).toBe(loads);
    await expectWholeLog(open, home);
    await see(open, /taken up again by worker-\d\/\d+ after its worker died/);
    await open.check("recovered run");
    await open.page.goto("/");
    await see(open, "The last session ended without a clean shutdown.");
    expect(await open.page.locator(`.alert a[href="/runs/${runId}"]`).count()).toBe(1);
    await open.check("status after a crash");
  },
);

testFlow(
  "a run asks: what is typed outlasts live updates, a rejection goes back, an approval ends it, a step is done again",
  async (script) => {
    await using agents = await startAgents();
    await using open = await visit(agents, script);
    const { page } = open;
    await addExample(open, "approval-gate");
    await open.check("workflow with a way back");
    await page.fill("#input-news", "We open on Sundays.");
    await press(open, "Start run");
    await page.waitForURL(/\/runs\/\w+$/);
    const loads = open.loadCount;
    await see(open, "Needs your approval");
    if (script) expect(open.loadCount).toBe(loads);
    await open.check("run that asks");
    const runId = runIdOf(open);
    await page.fill("#approval-ask-comment", "Too long.\nShorter!");
    if (script) {
      // Anything that happens in the run draws the panel anew, under the hands of who is typing.
      await runAgents(["signal", runId, "nothing"], { home: agents.home });
      await see(open, /signal nothing from the command line/);
      expect(await page.inputValue("#approval-ask-comment")).toBe("Too long.\nShorter!");
      expect(open.loadCount).toBe(loads);
    }
    await page.goto("/");
    await see(open, /1 step waits for your approval/);
    await open.check("status with an approval");
    await page.click(".alert a");
    await page.waitForURL(`**/runs/${runId}`);
    await page.fill("#approval-ask-comment", "Shorter!");
    // Without script the page would ask for itself anew, and throw away what is typed.
    expect(await page.locator("meta[http-equiv=refresh]").count()).toBe(0);
    await press(open, /^Reject/);
    // It goes back to the writer, and asks again.
    await page.locator("#step-ask_23_2-1").waitFor({ timeout: PATIENCE_MS });
    await see(open, "Needs your approval");
    await see(open, /rejected, from the dashboard: Shorter!/);
    await pressAndLoad(open, /^Approve/);
    await watchEnd(open, "Succeeded");
    await see(open, "approved");
    await open.check("run after its approval");

    await page
      .locator("#step-ask_23_2-1")
      .getByRole("button", { name: /Do again/ })
      .click();
    await see(open, "Needs your approval");
    await page.locator("#step-ask_23_2-1 .badge:has-text('Superseded')").waitFor();
    await pressAndLoad(open, /^Approve/);
    await watchEnd(open, "Succeeded");
    await open.check("run that went back");
  },
);

testFlow("what is remembered is found, changed, forgotten and put back", async (script) => {
  await using agents = await startAgents();
  const remember = ["run", exampleFile("memory-assistant"), "--provider", "demo"];
  await runAgents([...remember, "--input", "message=I am Ada"], { home: agents.home });
  await using open = await visit(agents, script);
  const { page } = open;
  await page.goto("/memory");
  await see(open, "Was asked before: I am Ada");
  await open.check("memory");
  await page.click("summary:has-text('Change')");
  await page.fill(".node-item textarea", "She likes tea.");
  await press(open, "Save");
  await see(open, "She likes tea.");
  await press(open, /^Forget demo/);
  await page.waitForURL(/undo=/);
  await see(open, "Nothing is remembered");
  await open.check("forgotten memory");
  await press(open, "Undo");
  await page.waitForURL(/\/memory$/);
  await see(open, "She likes tea.");
  await page.fill("#memory-search", "coffee");
  await press(open, "Filter");
  await see(open, "Nothing matches");
  await page.goto("/memory");
  await page.selectOption("#clear-agent", "memory_assistant");
  await page.check("input[name=sure]");
  await page.click(".btn.danger");
  await see(open, "1 entry forgotten.");
  await open.check("empty memory");
});

testFlow("beyond this machine: a login with the password, and a way out", async (script) => {
  await using home = await createHome();
  await runAgents(["password", "--stdin"], { home, input: `${PASSWORD}\n` });
  await using agents = await startAgents({ home, flags: ["--host", "0.0.0.0"] });
  const url = `http://127.0.0.1:${new URL(agents.url).port}/`;
  await using open = await openVisit({ browser, url, script });
  const { page } = open;
  await page.goto("/runs");
  await page.waitForURL("**/login?next=%2Fruns");
  await open.check("login");
  await page.fill("#password", "not this one");
  await press(open, "Log in");
  await see(open, "This password is wrong.");
  open.provoked("401 POST /login");
  await open.check("refused login");
  await page.fill("#password", PASSWORD);
  await press(open, "Log in");
  await page.waitForURL("**/runs");
  await see(open, "No runs yet");
  await open.check("logged in");
  await press(open, "Log out");
  await page.waitForURL("**/login");
  await page.goto("/settings");
  await page.waitForURL("**/login?next=%2Fsettings");
  await open.check("logged out");
});

test.skipIf(skipped)(
  "the server is killed under an open run and started again: the page follows to the end",
  async () => {
    await using home = await createHome();
    await using models = await startCountingServer();
    await using first = await startAgents({ home, env: environment(models, "sk-1") });
    await using open = await visit(first, true);
    await startCounting(open, home);
    const loads = open.loadCount;
    first.child.kill("SIGKILL");
    await open.page.locator('html[data-live="lost"]').waitFor({ state: "attached" });
    await see(open, "Reconnecting…");
    await using second = await startAgain(first, models);
    expect(second.url).toBe(first.url);
    await watchEnd(open, "Succeeded");
    await open.page.locator('html[data-live="ended"]').waitFor({ state: "attached" });
    expect(open.loadCount).toBe(loads);
    await expectWholeLog(open, home);
    await open.check("followed run");
  },
  TEST_MS,
);

/** Starts a run and sees its answer begin. */
async function startCounting(open: Visit, home: Home): Promise<void> {
  await addExample(open, "greeting");
  await runGreeting(open, { name: "Ada" });
  await seeStreamed(open, home, "[3]");
}

/** What the page has put together live is what it would show anew: no line twice, none missing. */
async function expectWholeLog(open: Visit, home: Home): Promise<void> {
  open.forgiveOutage();
  const live = await shownLog(open);
  await open.page.reload();
  expect(live).toEqual(await shownLog(open));
  expect(live.lines).toEqual(storedLines(home, runIdOf(open)));
  const [whole = "", ...cutOff] = live.texts.toReversed();
  expect(whole).toBe(COUNTED.join(""));
  expect(cutOff.filter((text) => !whole.startsWith(text))).toEqual([]);
}

function exampleFile(name: string): string {
  return join(import.meta.dir, `../../examples/${name}.yaml`);
}

interface ShownLog {
  readonly lines: readonly string[];
  readonly texts: readonly string[];
}

async function shownLog({ page }: Visit): Promise<ShownLog> {
  const ids = await page.evaluate<string[]>(
    "[...document.querySelectorAll('#run-log-lines > li')].map((line) => line.id)",
  );
  return {
    lines: ids.map((id) => id.split("-").at(-1) ?? ""),
    texts: await page.locator(".stream").allTextContents(),
  };
}
