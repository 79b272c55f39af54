/**
 * Goal: a workflow is described, repaired, saved, changed, and run from the chat, with script and without.
 * Method: the executable, Chromium, and aimock as the model, which says what the fixtures say to what it is asked.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import type { ChatCompletionRequest, Fixture } from "@copilotkit/aimock";
import type { Browser } from "playwright-core";
import { PATIENCE_MS, type RunningAgents, startAgents } from "../support/agents.ts";
import { type ModelServer, startModelServer, USAGE_OVERRIDES } from "../support/model-server.ts";
import { isWithoutChromium, launchChromium } from "../views/chromium.ts";
import { openVisit, type Visit } from "./visit.ts";

const TEST_MS = 2 * PATIENCE_MS;
const source = (name: string, words = "Greet") => `schema_version: "1.0"
flow: { name: ${name} }
state:
  fields:
    name: { type: str, required: true }
    text: { type: str }
nodes:
  - id: write
    prompt: "${words} {name}."   # as friendly as can be
    outputs: [text]
    output_schema: { type: str }
  - id: shorten
    prompt: "Shorten this: {text}"
    outputs: [text]
    output_schema: { type: str }
edges:
  - { from: START, to: write }
  - { from: write, to: shorten }
  - { from: shorten, to: END }
`;
const broken = (name: string) =>
  source(name)
    .replace('prompt: "Greet', 'promt: "Greet')
    .replace("{text}", "{txt}")
    .replace("to: shorten }", "to: shorten_it }");
const fenced = (yaml: string) => `Here it is.\n\n\`\`\`yaml\n${yaml}\`\`\`\n`;

const lastOf = ({ messages }: ChatCompletionRequest) => {
  const { role = "", content = "" } = messages.at(-1) ?? {};
  return { role, text: typeof content === "string" ? content : JSON.stringify(content) };
};
const isAsked = (words: string) => (request: ChatCompletionRequest) => {
  const { role, text } = lastOf(request);
  return role === "user" && text.includes(words);
};
const usage = USAGE_OVERRIDES;

const say = (words: string, response: Fixture["response"]): Fixture => ({
  match: { endpoint: "chat", predicate: isAsked(words) },
  response,
});

function fixturesFor(name: string): Fixture[] {
  return [
    say(`Write ${name}`, { usage, content: fenced(broken(name)) }),
    {
      match: {
        endpoint: "chat",
        predicate: (request) =>
          isAsked("The workflow was checked")(request) &&
          request.messages.some(({ content }) => content === `Write ${name}`),
      },
      response: { usage, content: fenced(source(name)) },
    },
    say(`In ${name}, greet loudly`, { usage, content: fenced(source(name, "Greet loudly")) }),
    say(`Run ${name}`, {
      usage,
      toolCalls: [
        {
          name: "run_workflow",
          arguments: JSON.stringify({ workflow: name, inputs: { name: "Ada" } }),
        },
      ],
    }),
    {
      match: { endpoint: "chat", predicate: (request) => lastOf(request).role === "tool" },
      response: { usage, content: "It runs now." },
    },
  ];
}

/** What the steps of the workflows ask. */
const STEPS = [
  say("Greet", { usage, content: '{"text":"Hello, dear Ada."}' }),
  say("Shorten this", { usage, content: '{"text":"Hello."}' }),
];

let browser: Browser;
let models: ModelServer;
let agents: RunningAgents;
const skipped = isWithoutChromium("tests/browser/chat.test.ts");
beforeAll(async () => {
  if (skipped) return;
  const names = [
    "with_script",
    "without_script",
    "beside_with_script",
    "beside_without_script",
    "in_place",
  ];
  models = await startModelServer({
    fixtures: [...names.flatMap(fixturesFor), ...STEPS],
  });
  const env = { OPENAI_API_KEY: "sk-test", OPENAI_BASE_URL: models.baseUrlFor("openai") };
  [browser, agents] = await Promise.all([
    launchChromium(),
    startAgents({ env, flags: ["--no-mlflow", "--workers", "1"] }),
  ]);
  await agents.waitForOutput(/^ {2}Chat +http\S+\/chat$/m);
}, TEST_MS);
afterAll(async () => {
  if (skipped) return;
  await browser.close();
  await agents[Symbol.asyncDispose]();
  await models[Symbol.asyncDispose]();
}, TEST_MS);

const press = ({ page }: Visit, name: string | RegExp) =>
  page.getByRole("button", { name }).last().click();
const follow = ({ page }: Visit, name: string | RegExp) =>
  page.getByRole("link", { name }).last().click();
const see = ({ page }: Visit, text: string | RegExp) =>
  page.getByText(text).locator("visible=true").last().waitFor();

async function send(open: Visit, text: string, button: string): Promise<void> {
  await open.page.fill("#text", text);
  await press(open, button);
}

for (const script of [true, false]) {
  const mode = script ? "with script" : "without script";
  const name = script ? "with_script" : "without_script";
  test.skipIf(skipped)(
    `a workflow is described, repaired, saved, changed in one node, and run from the chat (${mode})`,
    async () => {
      await using open = await openVisit({ browser, url: agents.url, script });
      const { page } = open;
      await page.goto("/chat");
      await send(open, `Write ${name}`, "Start");
      await see(open, "Repair 1 of 3");
      await see(open, "valid, 2 steps");
      await open.check("a repaired workflow");
      await press(open, /^Save the workflow/);
      await see(open, "Version 1 is what you have talked about.");
      await open.check("what was saved in the chat");
      expect(await page.textContent("h1")).toBe(name);
      await follow(open, "Back to the conversation");

      await send(open, `In ${name}, greet loudly`, "Send");
      await press(open, /^Save as version 2/);
      await see(open, "Version 2 is what you have talked about.");
      const before = source(name).split("\n");
      const changed = (await savedText(open))
        .split("\n")
        .filter((line, index) => line !== before[index]);
      expect(changed).toEqual(['    prompt: "Greet loudly {name}."   # as friendly as can be']);
      await follow(open, "Back to the conversation");

      await send(open, `Run ${name}`, "Send");
      await see(open, "It waits for your decision.");
      await see(open, "needs your decision");
      await open.check("a call that asks");
      await press(open, "Approve");
      await see(open, "It runs now.");
      await open.check("a call that was approved");
      await page.locator('.message a[href^="/runs/"]').last().click();
      await page.waitForURL(/\/runs\/\w+$/);
      await page.locator('#run-head[data-phase="final"]').waitFor({ timeout: PATIENCE_MS });
      expect(await page.textContent("#run-head .badge")).toBe("Succeeded");
    },
    TEST_MS,
  );
}

for (const script of [true, false]) {
  const mode = script ? "with script" : "without script";
  const name = script ? "beside_with_script" : "beside_without_script";
  test.skipIf(skipped)(
    `the workflow beside the talk is looked at, saved and run in one go, and its run followed in place (${mode})`,
    async () => {
      await using open = await openVisit({ browser, url: agents.url, script });
      const { page } = open;
      await page.goto("/chat");
      await send(open, `Write ${name}`, "Start");
      await see(open, "Repair 1 of 3");
      await page.locator('#result-head[data-shown="valid"]').waitFor();
      expect(await page.locator(".view-graph .node").count()).toBe(2);
      await view(open, "YAML");
      expect(await page.innerText("#result-source")).toBe(source(name));
      await view(open, "Run");
      await open.check("the form that begins a run");
      await page.fill("#input-name", "Ada");
      await press(open, "Save and run");
      await page.locator("#result-run[data-run]").waitFor();
      await page
        .locator("#result-run .badge", { hasText: "Succeeded" })
        .waitFor({ timeout: PATIENCE_MS });
      const steps = await page.locator(".run-nodes li").allInnerTexts();
      expect(steps).toEqual([
        expect.stringMatching(/^write\s+Succeeded, /),
        expect.stringMatching(/^shorten\s+Succeeded, /),
      ]);
      expect(await page.locator("#result-run .values").innerText()).toContain("Hello.");
      expect(await page.locator("#result-head").innerText()).toContain("Saved as version 1");
      await open.check("a run beside the talk");
      // It is still there for whoever comes back.
      await page.goto(new URL(page.url()).pathname);
      await view(open, "Run");
      await see(open, "Succeeded");
    },
    TEST_MS,
  );
}

test.skipIf(skipped)(
  "a message is sent, an answer asked for again and a text changed without leaving the page",
  async () => {
    await using open = await openVisit({ browser, url: agents.url, script: true });
    const { page } = open;
    await page.goto("/chat");
    await send(open, "Write in_place", "Start");
    await see(open, "Repair 1 of 3");
    await page.locator('#result-head[data-shown="valid"]').waitFor();
    await view(open, "YAML");
    await page.evaluate("globalThis.mark = 1");
    await page.setInputFiles("#files", {
      name: "tone.txt",
      mimeType: "text/plain",
      buffer: Buffer.from("Louder!"),
    });
    await send(open, "In in_place, greet loudly", "Send");
    await page.locator("#result-source", { hasText: "Greet loudly" }).waitFor();
    await page.locator(".message.person", { hasText: "tone.txt" }).waitFor();
    await page.locator('#chat-head[data-phase="idle"]').waitFor();
    expect(await page.inputValue("#text")).toBe("");
    expect(await page.locator("[data-attached]").textContent()).toBe("");
    await page
      .getByRole("button", { name: /^Answer anew/ })
      .last()
      .click();
    await see(open, "2 of 2");
    await page.locator('#chat-head[data-phase="idle"]').waitFor();
    await view(open, "Form");
    await page.fill('[name="edit:nodes/shorten/prompt"]', "Halve this: {text}");
    await press(open, "Apply the changes");
    await see(open, "Changed by hand: Prompt of shorten");
    await open.check("what was sent in place");
    // What is refused is said where it was typed, and stays there.
    await page.evaluate("document.getElementById('text').removeAttribute('maxlength')");
    await page.fill("#text", "x".repeat(20_001));
    await press(open, "Send");
    await see(open, "A message has at most 20000 characters.");
    expect(await page.inputValue("#text")).toHaveLength(20_001);
    expect(await page.evaluate("globalThis.mark")).toBe(1);
  },
  TEST_MS,
);

async function view({ page }: Visit, name: string): Promise<void> {
  await page.locator(".result-choices label", { hasText: name }).click();
}

/** The newest version as the file that the page offers. */
async function savedText({ page }: Visit): Promise<string> {
  await page.getByText("More", { exact: true }).click();
  const waiting = page.waitForEvent("download");
  await page
    .getByRole("link", { name: /^Download/ })
    .first()
    .click();
  const path = await (await waiting).path();
  return Bun.file(path).text();
}
