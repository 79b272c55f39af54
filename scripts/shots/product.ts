/**
 * The README's pictures. The executable is started in a home of its own, with a model server of the
 * tests in place of a provider, and runs the example workflows; then its real pages are taken.
 */
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { Glob } from "bun";
import type { Browser } from "playwright-core";
import {
  createHome,
  type RunningAgents,
  runAgents,
  startAgents,
  waitFor,
} from "../../tests/support/agents.ts";
import { type ModelServer, type Play, startModelServer } from "../../tests/support/model-server.ts";
import { launchChromium } from "../../tests/views/chromium.ts";

const PICTURE_BYTES_MAX = 120 * 1024;
const FOLDER_BYTES_MAX = 2 * 1024 * 1024;
/** An indexed PNG is a quarter of the size, and nobody sees the difference on a page of few colours. */
const COLOUR_COUNT = 128;
const EXAMPLES = resolve("examples");
const DESKTOP = { viewport: { width: 1280, height: 800 }, deviceScaleFactor: 1 };
const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2 };

const MODEL = "gpt-4.1-mini";
const OUTLINE = {
  title: "Tidal power: electricity by timetable",
  outline: ["What moves the water", "Barrages and streams", "What it costs", "Where it fits"],
};
const ARTICLE = `## What moves the water

Twice a day the sea rises and falls, and nothing about it is a surprise: tables for the next
century are printed already. That is what sets tidal power apart from wind and sun.

## Barrages and streams

A barrage dams a bay and lets the water out through turbines. A stream turbine stands in the
current like a windmill under water, smaller and kinder to the shore.

## What it costs

Salt, silt and storms make the machines dear to keep, so a kilowatt hour still costs several
times as much as one from the wind.

## Where it fits

On coasts with a large range, beside cheaper sources, for the hours that they miss.`;
const REVIEW = {
  stars: 3,
  confidence: 0.85,
  recommended: false,
  summary: "Great sound, let down by a strap that broke within a week.",
  defects: ["The strap broke within a week"],
  scores: { sound: 9, strap: 1 },
};

const WISH = "Answer letters by how urgent they are, and write a line for the files.";
const ANSWER =
  "The workflow judges how urgent a letter is and what it is about. What is urgent, or tells of an outage, is answered at once; the rest is thanked for. Then a line goes into the files.";
const TALKED = join(EXAMPLES, "route-by-score.yaml");

/** What there is to be seen. */
interface Made {
  readonly finished: string;
  readonly underWay: string;
  readonly workflow: string;
  readonly schedule: string;
  readonly talk: string;
}

/** Every page, in both themes on a desktop; a new page is one line. */
const PICTURES: Readonly<Record<string, (made: Made) => string>> = {
  status: () => "/",
  workflows: () => "/workflows",
  workflow: ({ workflow }) => `/workflows/${workflow}`,
  editor: ({ workflow }) => `/workflows/${workflow}/edit`,
  runs: () => "/runs",
  run: ({ finished }) => `/runs/${finished}`,
  comparison: ({ finished, underWay }) => `/runs/compare?a=${finished}&b=${underWay}`,
  "run-live": ({ underWay }) => `/runs/${underWay}`,
  metrics: () => "/metrics",
  logs: () => "/logs",
  schedules: () => "/schedules",
  schedule: ({ schedule }) => `/schedules/${schedule}`,
  agents: () => "/agents",
  agent: () => "/agents/translator",
  memory: () => "/memory",
  search: () => "/search?q=article",
  chats: () => "/chat",
  chat: ({ talk }) => talk,
  settings: () => "/settings",
  tokens: () => "/settings/tokens",
  api: () => "/api",
  help: () => "/help",
};

/** Those that are shown on a phone too, and in which theme. */
const PHONE_PICTURES: Readonly<Record<string, "light" | "dark">> = {
  status: "light",
  "run-live": "dark",
  workflow: "light",
  runs: "dark",
};

/** Takes all pictures. @throws Error when they are too large for a README. */
export async function shootProduct(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  await using home = await createHome();
  await using models = await startModelServer();
  await using server = await startAgents({
    home,
    flags: ["--no-mlflow"],
    env: {
      OPENAI_API_KEY: "sk-for-pictures",
      OPENAI_BASE_URL: models.baseUrlFor("openai"),
      AGENTS_PROVIDER: "openai",
      AGENTS_MODEL: MODEL,
    },
  });
  const browser = await launchChromium();
  try {
    const runs = await fillWithRuns(server, models);
    const talk = await talkTo(browser, server, models);
    const workflow = await workflowNamed(server, "two_step_article");
    await registerAgents(server);
    const schedule = await addSchedule(browser, server, workflow);
    const made: Made = { ...runs, talk, workflow, schedule };
    const shoot = (name: string, path: string, look: Look) =>
      takePicture(browser, {
        path: join(folder, `${name}.png`),
        url: server.url + path.slice(1),
        look,
      });
    for (const [name, pathOf] of Object.entries(PICTURES)) {
      for (const colorScheme of ["light", "dark"] as const)
        await shoot(`${name}-${colorScheme}`, pathOf(made), { ...DESKTOP, colorScheme });
      const colorScheme = PHONE_PICTURES[name];
      if (colorScheme !== undefined)
        await shoot(`${name}-phone`, pathOf(made), { ...PHONE, colorScheme });
    }
    await runAgents(["cancel", runs.underWay], server);
  } finally {
    await browser.close();
  }
  const bytes = [...new Glob("*.png").scanSync(folder)].reduce(
    (sum, name) => sum + Bun.file(join(folder, name)).size,
    0,
  );
  if (bytes > FOLDER_BYTES_MAX) throw new Error(`The pictures have ${bytes} bytes.`);
  console.log(`pictures are in ${folder}: ${Math.round(bytes / 1024)} KiB`);
}

async function workflowNamed(server: RunningAgents, name: string): Promise<string> {
  const response = await fetch(`${server.url}api/v1/workflows/${name}`);
  const [, id] = /"id":\s*"(\w+)"/.exec(await response.text()) ?? [];
  if (id === undefined) throw new Error(`there is no workflow ${name}`);
  return id;
}

async function registerAgents(server: RunningAgents): Promise<void> {
  const agents = [
    { agent_id: "translator", agent_name: "Translator", capabilities: ["translate", "proofread"] },
    { agent_id: "researcher", agent_name: "Researcher", capabilities: ["search", "summarize"] },
  ];
  for (const agent of agents) {
    const body = JSON.stringify({ ...agent, host: "127.0.0.1", port: 9001, ttl_seconds: 3600 });
    const headers = { "Content-Type": "application/json" };
    await fetch(`${server.url}agents/register`, { method: "POST", headers, body });
  }
}

/** Every working day in the morning. @returns its id. */
async function addSchedule(
  browser: Browser,
  server: RunningAgents,
  workflow: string,
): Promise<string> {
  const page = await browser.newPage();
  await page.goto(`${server.url}workflows/${workflow}/schedules`);
  await page.fill("#input-topic", "Tidal power");
  await page.click("form:has(#input-topic) button[type=submit]");
  const link = page.locator('#main a[href^="/schedules/"]').first();
  const id = (await link.getAttribute("href"))?.split("/").at(-1);
  await page.close();
  if (id === undefined) throw new Error("no schedule on the page");
  return id;
}

/** Finished runs, one that failed and one that is still writing. */
async function fillWithRuns(server: RunningAgents, models: ModelServer) {
  const run = async (file: string, ...argv: readonly string[]) => {
    const { stdout } = await runAgents(["run", join(EXAMPLES, file), ...argv, "--detach"], server);
    const id = stdout.trim();
    return { id, ended: () => hasEnded(server, id) };
  };
  const runToEnd = async (plays: readonly Play[], file: string, ...argv: readonly string[]) => {
    models.next(...plays);
    const { id, ended } = await run(file, ...argv);
    await waitFor(ended, `the end of ${file}`);
    return id;
  };
  for (const name of ["Ada", "Grace", "Alan"]) {
    const text = `Good to see you, ${name}: the kettle is on.`;
    await runToEnd([answer(text)], "greeting.yaml", "--input", `name=${name}`);
  }
  const review = "Great sound, but the strap broke in a week.";
  await runToEnd([answer(REVIEW)], "typed-review.yaml", "--input", `review=${review}`);
  await runToEnd(
    [answer("Hello Ada, I will remember that you like tea.")],
    "memory-assistant.yaml",
    "--input",
    "message=I am Ada, and I like tea.",
  );
  const wrong = ["--input", "name=Edsger", "--model", "no-such-model"];
  await runToEnd([], "greeting.yaml", ...wrong);
  const topic = ["--input", "topic=Tidal power"];
  const finished = await runToEnd(
    [answer(OUTLINE), answer(ARTICLE)],
    "two-step-article.yaml",
    ...topic,
  );
  const half = ARTICLE.slice(0, Math.floor(ARTICLE.length / 2));
  models.next(answer(OUTLINE), { kind: "stall", pieces: piecesOf(half) });
  const { id: underWay } = await run("two-step-article.yaml", ...topic);
  await waitFor(async () => {
    const page = await fetch(`${server.url}runs/${underWay}`);
    return (await page.text()).includes("nothing about it");
  }, "the run to write");
  return { finished, underWay };
}

/** A conversation with one answer. @returns its path. */
async function talkTo(
  browser: Browser,
  server: RunningAgents,
  models: ModelServer,
): Promise<string> {
  models.next(answer(`${ANSWER}\n\n\`\`\`yaml\n${await Bun.file(TALKED).text()}\`\`\``));
  const page = await browser.newPage();
  await page.goto(`${server.url}chat`);
  await page.fill("#text", WISH);
  await page.click("form:has(#text) button[type=submit]");
  await page.waitForSelector(".result-head", { timeout: 20_000 });
  const { pathname } = new URL(page.url());
  await page.close();
  return pathname;
}

async function hasEnded(server: RunningAgents, id: string): Promise<boolean> {
  const { stdout } = await runAgents(["runs", id, "--json"], server);
  return /"state": "(?:succeeded|failed)"/.test(stdout);
}

function answer(content: string | object): Play {
  const text = typeof content === "string" ? content : JSON.stringify(content);
  const usage = { input: 180 + text.length, output: Math.ceil(text.length / 4) };
  return { kind: "answer", pieces: piecesOf(text), usage, delayMs: 25 };
}

function piecesOf(text: string): string[] {
  return text.match(/[^]{1,24}/g) ?? [];
}

interface Look {
  readonly viewport: { readonly width: number; readonly height: number };
  readonly deviceScaleFactor: number;
  readonly colorScheme: "light" | "dark";
}

async function takePicture(
  browser: Browser,
  { path, url, look }: { path: string; url: string; look: Look },
): Promise<void> {
  const context = await browser.newContext({ ...look, reducedMotion: "reduce" });
  const page = await context.newPage();
  await page.goto(url, { waitUntil: "load" });
  await page.evaluate("document.fonts.ready");
  // The editor comes when somebody is there.
  if ((await page.locator("[data-editor]").count()) > 0) {
    await page.mouse.move(1, 1);
    await page.locator("[data-editor][data-ready]").waitFor();
  }
  const picture = await page.screenshot();
  await context.close();
  await new Bun.Image(picture).png({ palette: true, colors: COLOUR_COUNT }).write(path);
  const { size } = Bun.file(path);
  if (size > PICTURE_BYTES_MAX) throw new Error(`${path} has ${size} bytes.`);
}
