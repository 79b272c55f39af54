/** What is saved and run from the chat is what the person saw, whoever has changed the workflow meanwhile. */
import { expect, test } from "bun:test";
import { createRun } from "../../src/app/workflow-runs.ts";
import { TOOL_NAMES } from "../../src/domain/tool.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { createChatTools } from "../../src/web/chat/tools.ts";
import { createWorkflowReader } from "../../src/web/workflow-reader.ts";
import { askFor, say } from "../engine/script.ts";
import { closeAfterEach } from "../support/close-after-each.ts";
import {
  beginTalk,
  type ChatWorld,
  FENCED,
  isAtRest,
  pageWith,
  startChatWorld,
} from "./chat-world.ts";
import { Browser, GREETING } from "./world.ts";

const closed = closeAfterEach();

const THEIRS = `${GREETING}# theirs\n`;
const valuesOf = (page: string, form: string, name: string) =>
  [...page.matchAll(new RegExp(`form="${form}" name="${name}" value="([^"]+)"`, "g"))].map(
    (hit) => hit[1] ?? "",
  );
const saveValue = (page: string) => valuesOf(page, "save-form", "message")[0] ?? "";
const approval = (page: string) => valuesOf(page, "call-form", "decision")[0] ?? "";

async function start(tool?: { name: string; input: Record<string, string> }): Promise<ChatWorld> {
  const world: ChatWorld = await startChatWorld({
    script: (_, count) => {
      if (tool === undefined) return say(FENCED);
      return count === 0
        ? askFor({ id: "c1", name: tool.name, arguments: tool.input })
        : say("Done.");
    },
    chatDeps: {
      tools: () =>
        Promise.resolve(
          createChatTools({
            ...world.store,
            reader: createWorkflowReader(TOOL_NAMES),
            createRun: (request, made) =>
              createRun(world.store, request, { clock: systemClock, source: "dashboard", ...made }),
            providers: () => [],
            offeredModels: () => Promise.resolve([]),
            tools: () => Promise.resolve([]),
            redact: (text) => text,
            now: () => systemClock.now(),
          }),
        ),
    },
  });
  closed(world);
  return world;
}

test("Save: a version that came meanwhile is not written over; the page says so and shows what would change", async () => {
  const world = await start();
  const browser = new Browser(world);
  const path = await beginTalk(browser);
  const page = await pageWith(browser, path, isAtRest);
  expect(saveValue(page)).toBe("2-new");
  const { version: theirs } = await world.addWorkflow(THEIRS);
  const refused = await browser.post(`${path}/workflows`, { message: saveValue(page) });
  expect(refused.status).toBe(409);
  expect(refused.text).toContain("There is a workflow &quot;greeting&quot; already, in version 1.");
  expect(refused.text).toContain("What saving would change in version 1:");
  expect(refused.text).toContain("# theirs");
  expect(refused.text).toContain("Save as version 2");
  expect((await world.store.workflows.get("greeting"))?.version).toEqual(theirs);

  // It goes on from there with one more click, or is refused again.
  expect(saveValue(refused.text)).toBe(`2-${theirs.hash}`);
  await world.addWorkflow(`${THEIRS}# once more\n`);
  const again = await browser.post(`${path}/workflows`, { message: saveValue(refused.text) });
  expect(again.status).toBe(409);
  expect(again.text).toContain("version 2 is newer than the one you began with.");
  const saved = await browser.post(`${path}/workflows`, { message: saveValue(again.text) });
  expect(saved.status).toBe(303);
  expect((await world.store.workflows.get("greeting"))?.version).toMatchObject({
    number: 3,
    source: GREETING,
  });
  // Who has saved this very text has done what is asked for.
  const twice = await browser.post(`${path}/workflows`, { message: saveValue(page) });
  expect([twice.status, twice.headers.get("Location")]).toEqual([
    303,
    saved.headers.get("Location"),
  ]);
  expect(world.errors).toEqual([]);
});

test("Save: a workflow that was deleted meanwhile is not there again by an old button", async () => {
  const world = await start();
  const record = await world.addWorkflow(THEIRS);
  const browser = new Browser(world);
  const path = await beginTalk(browser);
  const page = await pageWith(browser, path, isAtRest);
  expect(saveValue(page)).toBe(`2-${record.version.hash}`);
  await world.store.workflows.remove(record.id);
  const refused = await browser.post(`${path}/workflows`, { message: saveValue(page) });
  expect(refused.status).toBe(409);
  expect(refused.text).toContain("has been deleted meanwhile.");
  expect(saveValue(refused.text)).toBe("2-new");
});

test("Save and run: nothing is saved or run over another version, and what was typed stays", async () => {
  const world = await start();
  const browser = new Browser(world);
  const path = await beginTalk(browser);
  await pageWith(browser, path, isAtRest);
  const theirs = await world.addWorkflow(THEIRS);
  const begun = await world.addRun(theirs);
  await world.store.conversations.showRun(path.split("/")[2] ?? "", begun.id);
  expect((await browser.get(`${path}?view=run`)).text).toContain('http-equiv="refresh"');
  const fields = { message: "2-new", "input.name": "Grace Hopper" };
  const refused = await browser.post(`${path}/runs`, fields);
  expect(refused.status).toBe(409);
  expect(refused.text).toContain("already, in version 1.");
  expect(refused.text).toContain("Grace Hopper");
  expect(refused.text).toContain("It is saved as version 2 first.");
  // Without script the page does not ask for itself: its address is that of the form.
  expect(refused.text).not.toContain('http-equiv="refresh"');
  // A form that stays where it is gets the reason alone.
  const fragment = await browser.post(`${path}/runs`, fields, { "HX-Request": "true" });
  expect(fragment.status).toBe(409);
  expect(fragment.text).not.toContain("<html");
  expect((await world.store.runs.list({ limit: 9 })).map(({ id }) => id)).toEqual([begun.id]);
  expect((await world.store.workflows.get("greeting"))?.version.number).toBe(1);
});

test("what no button of ours has sent saves nothing", async () => {
  const world = await start();
  const browser = new Browser(world);
  const path = await beginTalk(browser);
  await pageWith(browser, path, isAtRest);
  const hash = "0f".repeat(32);
  for (const message of [
    "",
    "2",
    "2-",
    "2-null",
    "2-NEW",
    "2-new\n",
    " 2-new",
    "-2-new",
    "2.0-new",
    `2-${hash.toUpperCase()}`,
    `2-${hash}0`,
    `2-${hash}'--`,
    `2-new-${hash}`,
    "1234567890-new",
    "constructor-new",
  ]) {
    for (const action of ["workflows", "runs"]) {
      const answer = await browser.post(`${path}/${action}`, { message, "input.name": "Ada" });
      expect([answer.status, message]).toEqual([422, message]);
    }
  }
  expect((await browser.post(`${path}/workflows`, { message: "9-new" })).status).toBe(404);
  expect((await browser.post(`${path}/workflows`, { message: `2-${hash}` })).status).toBe(409);
  expect(await world.store.workflows.list({ limit: 9 })).toEqual([]);
});

test("approving to save: another version is shown first, then the approval counts for that", async () => {
  const world = await start({ name: "save_workflow", input: { yaml: GREETING } });
  const first = await world.addWorkflow(`${GREETING}# one\n`);
  const browser = new Browser(world);
  const path = await beginTalk(browser);
  const page = await pageWith(browser, path, isAtRest);
  expect(approval(page)).toBe(`2-1-approve-${first.version.hash}`);
  await world.addWorkflow(THEIRS);
  // Also for a button that says nothing of what was seen.
  for (const decision of [approval(page), "2-1-approve", "2-1-approve-new"]) {
    const refused = await browser.post(`${path}/decisions`, { decision });
    expect(refused.status).toBe(409);
    expect(refused.text).toContain("The workflow was changed after this was shown.");
    expect(refused.text).toContain("# theirs");
    expect(refused.text).toContain("Save greeting as version 3");
    expect(refused.text).toContain("needs your decision");
    expect(approval(refused.text)).not.toBe(approval(page));
  }
  expect((await world.store.workflows.get("greeting"))?.version.source).toBe(THEIRS);
  const now = await browser.get(path);
  const approved = await browser.post(`${path}/decisions`, { decision: approval(now.text) });
  expect(approved.status).toBe(303);
  await pageWith(browser, path, (text) => isAtRest(text) && text.includes("Done."));
  expect((await world.store.workflows.get("greeting"))?.version).toMatchObject({
    number: 3,
    source: GREETING,
  });
  expect(world.errors).toEqual([]);
});

test("approving a run: no other version runs than the one that was shown; declining needs no second look", async () => {
  const input = { workflow: "greeting" };
  const world = await start({ name: "run_workflow", input });
  const source = GREETING.replace("required: true", "default: Ada");
  const record = await world.addWorkflow(source);
  const browser = new Browser(world);
  const path = await beginTalk(browser);
  const page = await pageWith(browser, path, isAtRest);
  expect(approval(page)).toBe(`2-1-approve-${record.version.hash}`);
  await world.addWorkflow(`${source}# theirs\n`);
  const refused = await browser.post(`${path}/decisions`, { decision: approval(page) });
  expect(refused.status).toBe(409);
  expect(refused.text).toContain("version 2, the newest");
  await world.store.workflows.remove(record.id);
  const gone = await browser.post(`${path}/decisions`, { decision: approval(refused.text) });
  expect(gone.status).toBe(409);
  expect(gone.text).toContain("There is no workflow greeting.");
  expect((await browser.post(`${path}/decisions`, { decision: "2-1-decline" })).status).toBe(303);
  await pageWith(browser, path, (text) => isAtRest(text) && text.includes("Done."));
  expect(await world.store.runs.list({ limit: 9 })).toEqual([]);
});
