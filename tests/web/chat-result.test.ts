/**
 * Goal: the workflow beside the talk follows it, is changed in its form and run, and its run is followed there.
 * Method: the dashboard with the chat's process behind it over HTTP; the test acts as the worker of the run.
 */
import { expect, test } from "bun:test";
import { say } from "../engine/script.ts";
import { closeAfterEach } from "../support/close-after-each.ts";
import { beginStep, endStep } from "../support/journal.ts";
import { visibleText as visible } from "../views/inspect.ts";
import {
  beginTalk,
  createSpeaker,
  type ChatWorld,
  type ChatWorldOptions,
  FENCED,
  isAtRest,
  pageWith,
  startChatWorld,
} from "./chat-world.ts";
import { openSse } from "./sse-client.ts";
import { Browser, GREETING } from "./world.ts";

const closed = closeAfterEach();

async function start(options: ChatWorldOptions = {}): Promise<ChatWorld> {
  return closed(await startChatWorld(options));
}

/** What stands beside the talk. */
function beside(page: string): string {
  return page.slice(page.indexOf('<aside class="result-panel"'), page.indexOf("</aside>"));
}

async function talkWithWorkflow(world: ChatWorld) {
  const browser = new Browser(world);
  const path = await beginTalk(browser);
  await pageWith(browser, path, isAtRest);
  return { browser, path, id: path.slice("/chat/".length) };
}

test("the newest workflow of the talk is shown as graph, form, YAML, and with what a run needs", async () => {
  const { browser, path } = await talkWithWorkflow(await start());
  const panel = beside((await browser.get(path)).text);
  expect(visible(panel)).toContain("greeting valid, 1 step, from answer 2");
  expect(panel).toContain('<a href="#node-write" class="node s-none">');
  expect(panel).toContain('name="edit:nodes/write/prompt"');
  expect(panel).toContain('id="result-source"');
  expect(panel).toContain('name="input.name"');
  expect(visible(panel)).toContain("Save and run It is saved as version 1 first.");
  expect(visible(panel)).toContain("Cost: < $0.0001 for the first prompts");
});

test("a talk without a workflow has nothing beside it", async () => {
  const world = await start({ script: () => say("Hello.") });
  const { browser, path } = await talkWithWorkflow(world);
  expect(beside((await browser.get(path)).text)).not.toContain("data-shown");
});

test("what is changed in the form becomes a message with the file, and not a byte beside it changes", async () => {
  const world = await start();
  const { browser, path, id } = await talkWithWorkflow(world);
  const sent = await browser.post(`${path}/edits`, {
    message: "2",
    "edit:nodes/write/prompt": "Greet {name} warmly.",
    "edit:state/fields/count/default": "5",
    "edit:flow/description": "Says hello.",
  });
  expect(sent.headers.get("Location")).toBe(`${path}?view=form`);
  const page = (await browser.get(path)).text;
  expect(visible(page)).toContain("Changed by hand: ");
  expect(page).toContain('data-phase="idle"');
  expect(visible(beside(page))).toContain("greeting valid, 1 step, from your message 3");
  const edited = GREETING.replace("Greet {name} {count} times.", "Greet {name} warmly.").replace(
    "default: 3",
    "default: 5",
  );
  expect((await browser.get(`${path}/3.yaml`)).text).toBe(edited);
  await browser.post(`${path}/workflows`, { message: "3-new" });
  expect((await world.store.workflows.get("greeting"))?.version.source).toBe(edited);
  // The model goes on from there.
  await browser.post(`${path}/messages`, { text: "Shorter." });
  await pageWith(browser, path, isAtRest);
  const told = world.requests.at(-1)?.messages.map(({ text }) => text) ?? [];
  expect(told.some((text) => text.includes(edited.trim()))).toBe(true);
  expect(await world.store.conversations.get(id)).toMatchObject({ messageCount: 5 });
});

test("a form in which nothing was changed adds nothing", async () => {
  const world = await start();
  const { browser, path, id } = await talkWithWorkflow(world);
  const same = { message: "2", "edit:nodes/write/prompt": "Greet {name} {count} times." };
  expect((await browser.post(`${path}/edits`, same)).status).toBe(303);
  expect(await world.store.conversations.get(id)).toMatchObject({ messageCount: 2 });
});

test("a change that a place cannot hold is refused, and nothing that was typed is lost", async () => {
  const world = await start();
  const { browser, path, id } = await talkWithWorkflow(world);
  const refused = await browser.post(`${path}/edits`, {
    message: "2",
    "edit:nodes/write/prompt": "Greet {name} <twice>.",
    "edit:state/fields/count/default": "many",
  });
  expect(refused.status).toBe(422);
  const panel = beside(refused.text);
  expect(visible(panel)).toContain("`many` is no number.");
  expect(panel).toContain('value="many"');
  expect(panel).toContain("Greet {name} &lt;twice&gt;.");
  expect(panel).toMatch(/value="form" id="result-view-form" checked=""/);
  expect(await world.store.conversations.get(id)).toMatchObject({ messageCount: 2 });
});

test("what is changed in the form of an older text is not put over a newer one unseen", async () => {
  const world = await start();
  const { browser, path, id } = await talkWithWorkflow(world);
  // Another tab has changed the prompt.
  await browser.post(`${path}/edits`, { message: "2", "edit:nodes/write/prompt": "Hail {name}." });
  const stale = {
    message: "2",
    "edit:nodes/write/prompt": "Greet {name} {count} times.",
    "edit:state/fields/count/default": "5",
  };
  const refused = await browser.post(`${path}/edits`, stale);
  expect(refused.status).toBe(422);
  const panel = beside(refused.text);
  expect(visible(panel)).toContain("The talk has come to another workflow meanwhile.");
  // The newest prompt, and what was typed.
  expect(visible(panel)).toContain("Prompt Hail {name}.");
  expect(panel).toContain('value="5"');
  expect(panel).toContain('name="message" value="3"');
  expect(await world.store.conversations.get(id)).toMatchObject({ messageCount: 3 });
});

test("a workflow that is changed into one with errors is kept, with its problems", async () => {
  const { browser, path } = await talkWithWorkflow(await start());
  await browser.post(`${path}/edits`, { message: "2", "edit:nodes/write/prompt": "Greet {nmae}." });
  const page = (await browser.get(path)).text;
  expect(visible(beside(page))).toContain("Not valid: 1 error from your message 3");
  expect(visible(beside(page))).toContain("{nmae} names no input and no state field. line 14:20");
});

test("an attached workflow file is shown beside the talk", async () => {
  const world = await start({ script: () => say("I see.") });
  const browser = new Browser(world);
  const path = await beginTalk(browser);
  await pageWith(browser, path, isAtRest);
  const file = new File([GREETING.replace("name: greeting", "name: mine")], "mine.yml");
  await browser.post(`${path}/messages`, { text: "Look.", files: file });
  const page = await pageWith(browser, path, (text) =>
    visible(beside(text)).includes("mine valid, 1 step"),
  );
  expect(visible(beside(page))).toContain("from your message 3");
});

test("a run that lacks an input is refused beside the field, and nothing is saved", async () => {
  const world = await start();
  const { browser, path } = await talkWithWorkflow(world);
  const refused = await browser.post(`${path}/runs`, { message: "2-new", "input.count": "7" });
  expect(refused.status).toBe(422);
  const panel = beside(refused.text);
  expect(visible(panel)).toContain("The run was not started: some inputs need another look.");
  expect(panel).toContain('value="7"');
  const stays = await browser.post(
    `${path}/runs`,
    { message: "2-new" },
    { Accept: "application/problem+json" },
  );
  expect(stays.status).toBe(422);
  expect(JSON.parse(stays.text).detail).toContain("The run was not started. name: ");
  expect(await world.store.workflows.get("greeting")).toBeUndefined();
});

test("a run is saved and begun in one go, followed in place, and still there afterwards", async () => {
  const world = await start();
  const { browser, path, id } = await talkWithWorkflow(world);
  await using stream = await openSse(`${world.url}${path}/stream?after=0`);
  const begun = await browser.post(`${path}/runs`, { message: "2-new", "input.name": "Ada" });
  expect(begun.headers.get("Location")).toBe(`${path}?view=run`);
  const runId = (await world.store.conversations.get(id))?.runId ?? "";
  expect(await world.store.runs.get(runId)).toMatchObject({
    workflowName: "greeting",
    inputs: { name: "Ada" },
    state: "queued",
  });
  await stream.until(() =>
    stream.messages.some(
      ({ data }) => data.includes(`data-run="${runId}"`) && visible(data).includes("Queued"),
    ),
  );
  expect(visible(beside((await browser.get(path)).text))).toContain("Saved as version 1");
  // The card in the talk says so too.
  await stream.until(() =>
    stream.messages.some(
      ({ data }) =>
        data.includes('hx-target="#message-2"') && visible(data).includes("Saved as version 1"),
    ),
  );

  const claim = await world.claim(runId);
  await beginStep(world.store.runs, claim, { key: "write", attempt: 1 });
  await stream.until(() =>
    stream.messages.some(({ data }) => visible(data).includes("write Running")),
  );
  // What was refused meanwhile, and typed again, is not thrown away without script.
  const followed = (await browser.get(`${path}?view=run`)).text;
  expect(followed).toContain('<meta http-equiv="refresh" content="5"/>');
  const { version } = (await world.store.workflows.get("greeting"))!;
  const refused = await browser.post(`${path}/runs`, { message: `2-${version.hash}` });
  expect(refused.status).toBe(422);
  expect(refused.text).not.toContain("http-equiv");
  expect(visible(beside((await browser.get(`${path}?view=run`)).text))).toContain("Once more");
  const patch = { text: "Hello Ada" };
  await endStep(world.store.runs, claim, { key: "write", attempt: 1, patch, last: true });
  await stream.until(() =>
    stream.messages.some(({ data }) => visible(data).includes("write Succeeded")),
  );
  // Whoever joins is told how it is, though nothing new is said any more.
  await using late = await openSse(`${world.url}${path}/stream?after=999999999999`);
  await late.until(() =>
    late.messages.some(({ data }) => visible(data).includes("write Succeeded")),
  );
});

test("a workflow is saved on the way to its schedule", async () => {
  const world = await start();
  const { browser, path } = await talkWithWorkflow(world);
  const [, value = ""] =
    /name="schedule" value="([^"]+)"/.exec((await browser.get(path)).text) ?? [];
  const sent = await browser.post(`${path}/workflows`, { schedule: value });
  const record = await world.store.workflows.get("greeting");
  expect(record?.version).toMatchObject({ number: 1, source: GREETING });
  const there = sent.headers.get("Location") ?? "";
  expect(there).toBe(`/workflows/${record?.id}/schedules`);
  expect((await browser.get(there)).status).toBe(200);
});

test("a run is cancelled where it is shown", async () => {
  const world = await start();
  const { browser, path, id } = await talkWithWorkflow(world);
  await browser.post(`${path}/runs`, { message: "2-new", "input.name": "Ada" });
  const cancelled = await browser.post(`${path}/runs/cancellation`);
  expect(cancelled.headers.get("Location")).toBe(`${path}?view=run`);
  const runId = (await world.store.conversations.get(id))?.runId ?? "";
  expect((await world.store.runs.get(runId))?.state).toBe("cancelled");
});

test("a run that was deleted is no longer shown, and nothing is decided on it", async () => {
  const world = await start();
  const { browser, path, id } = await talkWithWorkflow(world);
  await world.store.conversations.showRun(id, "01kaegone0000000");
  expect(beside((await browser.get(path)).text)).toContain(
    '<div id="result-run" class="view-run"></div>',
  );
  const decided = await browser.post(`${path}/runs/decisions`, { approve: "ask" });
  expect(decided.status).toBe(404);
});

test("there is nothing to change, run or save in a message without a workflow", async () => {
  const world = await start();
  const { browser, path } = await talkWithWorkflow(world);
  for (const ordinal of ["1", "9"]) {
    expect((await browser.post(`${path}/edits`, { message: ordinal })).status).toBe(404);
    for (const address of ["runs", "workflows"])
      expect((await browser.post(`${path}/${address}`, { message: `${ordinal}-new` })).status).toBe(
        404,
      );
  }
  expect(await world.store.workflows.list({ limit: 9 })).toEqual([]);
});

test("nothing is changed in the middle of an answer, whose place it would take", async () => {
  const speaker = createSpeaker();
  const world = await start({ script: (request) => speaker.script(request) });
  const browser = new Browser(world);
  speaker.say(FENCED);
  speaker.end();
  const path = await beginTalk(browser);
  await pageWith(browser, path, isAtRest);
  await browser.post(`${path}/messages`, { text: "Shorter." });
  const edit = { message: "2", "edit:nodes/write/prompt": "Greet {name}." };
  const refused = await browser.post(`${path}/edits`, edit);
  expect(refused.status).toBe(409);
  expect(visible(refused.text)).toContain("An answer is under way in this conversation.");
  speaker.end();
});
