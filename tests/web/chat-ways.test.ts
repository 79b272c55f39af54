/** The ways into the chat from other pages, and out of it into the editor: what goes along is seen, and told. */
import { expect, test } from "bun:test";
import { TOOL_NAMES } from "../../src/domain/tool.ts";
import type { ChatTool } from "../../src/web/chat/tool.ts";
import { createChatTools } from "../../src/web/chat/tools.ts";
import { createWorkflowReader } from "../../src/web/workflow-reader.ts";
import { closeAfterEach } from "../support/close-after-each.ts";
import { beginTalk, type ChatWorld, isAtRest, pageWith, startChatWorld } from "./chat-world.ts";
import { type Answer, Browser, GREETING } from "./world.ts";

const closed = closeAfterEach();

const BROKEN = GREETING.replace("outputs: [text]", "outputs: [texts]");

/** With the tools that the product has. */
async function start(isDemo = false): Promise<{ world: ChatWorld; browser: Browser }> {
  const known: ChatTool[] = [];
  const world = await startChatWorld({
    deps: { demo: () => isDemo },
    chatDeps: { tools: () => Promise.resolve(known) },
  });
  closed(world);
  const { store } = world;
  known.push(
    ...createChatTools({
      ...store,
      reader: createWorkflowReader(TOOL_NAMES),
      createRun: () => Promise.reject(new Error("not asked for")),
      providers: () => [],
      offeredModels: () => Promise.resolve([]),
      tools: () => Promise.resolve([]),
      redact: (text) => text,
      now: () => Date.now(),
    }),
  );
  return { world, browser: new Browser(world) };
}

const decode = (text: string) =>
  text
    .replaceAll("&quot;", '"')
    .replaceAll("&#39;", "'")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&amp;", "&");
const links = ({ text }: Answer) =>
  [...text.matchAll(/href="(\/chat\?[^"]+)"/g)].map(([, path = ""]) => decode(path));

/** Sends what the page of a link would send, and gives what the model was told. */
async function follow(world: ChatWorld, browser: Browser, path: string) {
  const { text: page, status } = await browser.get(path);
  expect(status).toBe(200);
  const asked = decode(/<textarea[^>]*name="text"[^>]*>([^<]*)</.exec(page)?.[1] ?? "").trim();
  const note = /<p class="message-note">[^]*?<\/p>/.exec(page)?.[0] ?? "";
  const [, field = "", value = ""] = /name="(\w+)" value="([^"]*)"/.exec(note) ?? [];
  const shown = decode(note.replaceAll(/<[^>]+>/g, " "))
    .replaceAll(/\s+/g, " ")
    .trim();
  const before = world.requests.length;
  const begun = await browser.post("/chat", { text: asked || "Tell me.", [field]: decode(value) });
  expect(begun.status).toBe(303);
  await pageWith(browser, begun.headers.get("Location") ?? "", isAtRest);
  return { asked, shown, told: world.requests[before]?.messages.at(-1)?.text ?? "" };
}

async function endedRun(world: ChatWorld, name: string) {
  const record = await world.addWorkflow(GREETING.replace("greeting", name));
  const { id } = await world.addRun(record);
  await world.store.runs.requestCancel(id);
  return { id, record };
}

async function fail(world: ChatWorld, id: string, message: string): Promise<void> {
  await world.store.runs.failRun(await world.claim(id), { code: "unknown_model", message });
}

test("a workflow's page leads to a variant and to a change of it", async () => {
  const { world, browser } = await start();
  const { id } = await world.addWorkflow();
  const page = await browser.get(`/workflows/${id}`);
  expect(links(page)).toEqual([`/chat?workflow=${id}`, `/chat?variant=${id}`]);
  const { asked, shown, told } = await follow(world, browser, `/chat?variant=${id}`);
  expect(asked).toBe("Make a variant of the workflow greeting, under another name, that");
  expect(shown).toStartWith("With the workflow greeting :");
  expect(told).toContain("greeting, version 1 (the newest), yaml:");
});

test("an older version is told with the current one; the current one is for changing", async () => {
  const { world, browser } = await start();
  const { id } = await world.addWorkflow();
  await world.addWorkflow(GREETING.replace("text", "text "));
  const older = await browser.get(`/workflows/${id}/versions/1`);
  expect(links(older)).toEqual([`/chat?version=${id}%2F1`]);
  expect(links(await browser.get(`/workflows/${id}/versions/2`))).toEqual([`/chat?workflow=${id}`]);
  const { shown, told } = await follow(world, browser, links(older)[0] ?? "");
  expect(shown).toStartWith("With the workflow greeting, version 1 :");
  expect(told).toContain("greeting, version 1, yaml:");
  expect(told).toContain("greeting, version 2 (the newest), yaml:");
});

test("two runs that have ended are compared, with their figures", async () => {
  const { world, browser } = await start();
  const a = await endedRun(world, "plain");
  const b = await endedRun(world, "variant");
  const { id: open } = await world.addRun(a.record);
  expect(links(await browser.get(`/runs/compare?a=${a.id}&b=${open}`))).toEqual([]);
  expect(links(await browser.get(`/runs/compare?a=${a.id}&b=${a.id}`))).toEqual([]);
  const [path = ""] = links(await browser.get(`/runs/compare?a=${a.id}&b=${b.id}`));
  const { asked, shown, told } = await follow(world, browser, path);
  expect(asked).toStartWith("Which of these two runs is better");
  expect(shown).toStartWith("With the comparison of plain ");
  expect(told).toContain(`First: run ${a.id} of plain, version 1: cancelled`);
  expect(told).toContain(`Second: run ${b.id} of variant, version 1: cancelled`);
  expect(told).toContain(`Run ${b.id} of variant: cancelled.`);
});

test("runs that have failed are told, when something is wrong", async () => {
  const { world, browser } = await start();
  const record = await world.addWorkflow();
  expect(links(await browser.get("/"))).toEqual([]);
  const first = await world.addRun(record);
  await fail(world, first.id, "No such model.");
  expect(links(await browser.get("/"))).toEqual([`/chat?run=${first.id}`]);
  const second = await world.addRun(record);
  await fail(world, second.id, "No such tool.");
  const [path = ""] = links(await browser.get("/"));
  const { asked, shown, told } = await follow(world, browser, path);
  expect(asked).toStartWith("Why have these runs failed");
  expect(shown).toStartWith("With the list of the newest failed runs :");
  expect(told).toContain("No such model.");
  expect(told).toContain(`Run ${second.id} of greeting: failed.`);
});

test("without a provider nothing is asked that only a model can answer", async () => {
  const { world, browser } = await start(true);
  const { id } = await world.addWorkflow();
  await world.addWorkflow(GREETING.replace("text", "text "));
  const a = await endedRun(world, "plain");
  const b = await endedRun(world, "variant");
  const failed = await world.addRun(a.record);
  await fail(world, failed.id, "No such model.");
  const compared = await browser.get(`/runs/compare?a=${a.id}&b=${b.id}`);
  const version = await browser.get(`/workflows/${id}/versions/1`);
  const check = await browser.post("/workflows/preview", { source: BROKEN, id: "" });
  const status = await browser.get("/");
  expect([compared, version, check, status].flatMap(links)).toEqual([]);
  expect(check.text).not.toContain('value="ask"');
});

test("the metrics are told as they are shown, once something has cost", async () => {
  const { world, browser } = await start();
  const record = await world.addWorkflow();
  expect(links(await browser.get("/metrics"))).toEqual([]);
  const query = new URLSearchParams({ metrics: `range=30d&workflow=${record.id}` });
  const { asked, shown, told } = await follow(world, browser, `/chat?${query.toString()}`);
  expect(asked).toStartWith("What costs most here");
  expect(shown).toStartWith("With the metrics the last 30d of greeting :");
  expect(told).toContain("All: 0 runs succeeded");
  expect(told).toContain("Models:\n(none)");
});

test("what is not there is not promised", async () => {
  const { world, browser } = await start();
  const { id } = await world.addWorkflow();
  for (const query of [
    "variant=none",
    "version=none%2F1",
    `version=${id}%2F9`,
    "comparison=a%2Fb",
    "metrics=workflow%3Dnone",
    "metrics=range%3Dcustom%26from%3Dx",
    "failures=newest",
    "source=x",
  ]) {
    const page = await browser.get(`/chat?${query}`);
    expect({ query, status: page.status }).toEqual({ query, status: 200 });
    expect(page.text).not.toContain("goes with your message");
  }
  const refused = await browser.post("/chat", { text: "Which?", comparison: "a/b" });
  expect(refused.status).toBe(404);
  const long = await browser.post("/chat", { text: "Mend it", source: "x".repeat(60_001) });
  expect(long.status).toBe(413);
});

test("a text with errors goes from the editor to the chat with its problems, and back", async () => {
  const { world, browser } = await start();
  const fine = await browser.post("/workflows/preview", { source: GREETING, id: "" });
  expect(fine.text).not.toContain("Have the chat mend it");
  const check = await browser.post("/workflows/preview", { source: BROKEN, id: "" });
  expect(check.text).toContain('name="intent" value="ask"');

  const page = await browser.post("/workflows/new", { source: BROKEN, intent: "ask" });
  expect(page.status).toBe(200);
  expect(page.text).toContain("Mend the errors of this workflow");
  expect(page.text).toContain('formaction="/workflows/new"');
  expect(await world.store.conversations.list({ limit: 1 })).toEqual([]);

  const begun = await browser.post("/chat", { text: "Mend it.", source: BROKEN });
  const talk = begun.headers.get("Location") ?? "";
  await pageWith(browser, talk, isAtRest);
  const told = world.requests[0]?.messages.at(-1)?.text ?? "";
  expect(told).toContain(BROKEN);
  expect(told).toContain("Not valid. It cannot run yet:");

  const mended = await browser.post("/workflows/new", { source: GREETING, intent: "ask" });
  expect(mended.text).toContain("Valid, 1 step");
  const large = `${BROKEN}#${"x".repeat(60_000)}\n`;
  expect((await browser.post("/workflows/new", { source: large, intent: "ask" })).status).toBe(413);
});

test("a workflow of an answer opens in the editor, and saving leads back to the talk", async () => {
  const { world, browser } = await start();
  const talk = await beginTalk(browser);
  const id = talk.split("/")[2] ?? "";
  await pageWith(browser, talk, isAtRest);
  const page = await browser.get(`/workflows/new?conversation=${id}&message=2`);
  expect(page.status).toBe(200);
  expect(decode(page.text)).toContain(GREETING);
  expect(page.text).toContain(`<a class="plain-link" href="${talk}">`);
  expect(page.text).toContain(`name="conversation" value="${id}"`);
  expect(page.text).not.toContain("Begin with an example");

  const form = { source: GREETING, conversation: id };
  const checked = await browser.post("/workflows/new", { ...form, intent: "validate" });
  expect(checked.text).toContain(`name="conversation" value="${id}"`);
  const saved = await browser.post("/workflows/new", { ...form, intent: "save" });
  const record = await world.store.workflows.get("greeting");
  const path = saved.headers.get("Location") ?? "";
  expect(path).toBe(`/workflows/${record?.id}?saved=new&conversation=${id}`);
  const after = await browser.get(path);
  expect(after.text).toContain("Version 1 was saved.");
  expect(after.text).toContain(`href="${talk}"`);

  await world.store.conversations.remove(id);
  const gone = { source: GREETING.replace("greeting", "other"), conversation: id, intent: "save" };
  const alone = await browser.post("/workflows/new", gone);
  expect(alone.headers.get("Location")).not.toContain("conversation");
});

test("a workflow that a person attached opens in the editor too; what has none says so", async () => {
  const { world, browser } = await start();
  const file = new File([GREETING], "mine.yaml", { type: "application/yaml" });
  const begun = await browser.post("/chat", { text: "Look at this", files: file });
  const id = (begun.headers.get("Location") ?? "").split("/")[2] ?? "";
  await pageWith(browser, `/chat/${id}`, isAtRest);
  const open = (query: string) => browser.get(`/workflows/new?${query}`);
  expect(decode((await open(`conversation=${id}&message=1`)).text)).toContain(GREETING);

  const none = await open(`conversation=${id}&message=9`);
  expect(none.status).toBe(404);
  expect(none.text).toContain("There is no workflow in this message.");
  expect(none.text).toContain("choose an answer that has one");
  expect((await open(`conversation=${id}`)).status).toBe(404);
  const gone = await open("conversation=none&message=1");
  expect(gone.status).toBe(404);
  expect(gone.text).toContain("Choose one from the list of conversations.");
  expect(world.errors).toEqual([]);
});
