/** The chat over real HTTP with a scripted model: branches, answers that go on, tool calls, files, options. */
import { expect, test } from "bun:test";
import { AppError } from "../../src/domain/error.ts";
import type { ModelRequest, ToolCall } from "../../src/domain/model.ts";
import type { ChatTool } from "../../src/web/chat/tool.ts";
import { say } from "../engine/script.ts";
import { closeAfterEach } from "../support/close-after-each.ts";
import {
  beginTalk,
  type ChatWorld,
  type ChatWorldOptions,
  createSpeaker,
  isAtRest,
  pageWith,
  startChatWorld,
} from "./chat-world.ts";
import { openSse } from "./sse-client.ts";
import { Browser, GREETING } from "./world.ts";

const PNG = Uint8Array.fromBase64(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
);
const closed = closeAfterEach();

async function start(options: ChatWorldOptions = {}): Promise<ChatWorld> {
  return closed(await startChatWorld(options));
}

const counted = (_: ModelRequest, count: number) => say(`Answer ${count + 1}`);
const talkOf = ({ messages }: ModelRequest) =>
  messages.slice(1).map(({ role, text }) => `${role}: ${text.slice(0, 40)}`);
const idOf = (path: string) => path.split("/")[2] ?? "";
const shown = async (world: ChatWorld, path: string) =>
  (await world.store.conversations.messages(idOf(path), { limit: 99 })).map(({ text }) => text);

async function said(browser: Browser, path: string, fields: Record<string, string>) {
  const { status } = await browser.post(`${path}/messages`, fields);
  expect(status).toBe(303);
  return pageWith(browser, path, isAtRest);
}

test("a message is written anew on a branch of its own, and both branches can be seen", async () => {
  const world = await start({ script: counted });
  const browser = new Browser(world);
  const path = await beginTalk(browser, "About cats");
  await pageWith(browser, path, isAtRest);
  await said(browser, path, { text: "Shorter" });
  const before = await browser.get(path);
  expect(before.text).toContain(`${path}?edit=3#text`);
  const edit = await browser.get(`${path}?edit=3`);
  expect(edit.text).toMatch(/name="inPlaceOf" value="3"[^]*>Shorter<\/textarea>/);

  const address = /hx-sse:connect="([^"]+)"/.exec(before.text)?.[1]?.replaceAll("&amp;", "&") ?? "";
  await using tab = await openSse(world.url + address);
  await said(browser, path, { text: "Longer", inPlaceOf: "3" });
  expect(await shown(world, path)).toEqual(["About cats", "Answer 1", "Longer", "Answer 3"]);
  expect(talkOf(world.requests[2]!)).toEqual([
    "user: About cats",
    "assistant: Answer 1",
    "user: Longer",
  ]);
  // The other tab is shown the other branch, whole.
  await tab.until(() => tab.messages.some(({ data }) => data.includes("Answer 3")));
  const replaced = tab.messages.find(({ data }) => data.includes('hx-target="#talk"'))?.data ?? "";
  expect(replaced).toContain("About cats");
  expect(replaced).not.toContain("Answer 2");

  const page = await browser.get(path);
  expect(page.text).toContain("2 of 2");
  expect((await browser.post(`${path}/branch`, { message: "3" })).status).toBe(303);
  expect(await shown(world, path)).toEqual(["About cats", "Answer 1", "Shorter", "Answer 2"]);
  await tab.until(() => tab.messages.some(({ data }) => data.includes("Answer 2")));
});

test("an answer is asked for anew beside the one that is there", async () => {
  const world = await start({ script: counted });
  const browser = new Browser(world);
  const path = await beginTalk(browser, "About cats");
  await pageWith(browser, path, isAtRest);
  await browser.post(`${path}/answers`, { inPlaceOf: "2" });
  const text = await pageWith(browser, path, (page) => isAtRest(page) && page.includes("Answer 2"));
  expect(text).toContain("2 of 2");
  expect(talkOf(world.requests[1]!)).toEqual(["user: About cats"]);
  expect((await browser.post(`${path}/answers`, { inPlaceOf: "1" })).status).toBe(404);
});

test("an answer that was stopped is gone on with where it broke off", async () => {
  const speaker = createSpeaker();
  const world = await start({
    script: (request, count) => (count === 0 ? speaker.script(request) : say(" and dogs.")),
  });
  const browser = new Browser(world);
  const path = await beginTalk(browser, "What do you like?");
  speaker.say("I like cats");
  await pageWith(browser, path, (page) => page.includes("I like cats"));
  await browser.post(`${path}/cancellation`);
  const stopped = await pageWith(browser, path, isAtRest);
  expect(stopped).toContain("Continue");
  await browser.post(`${path}/answers`, { goOnWith: "2" });
  await pageWith(browser, path, (page) => page.includes("I like cats and dogs."));
  expect(talkOf(world.requests[1]!)).toEqual([
    "user: What do you like?",
    "assistant: I like cats",
    "user: Your answer broke off there. Go on at ex",
  ]);
});

const spec = (name: string) => ({ name, description: name, parameters: { type: "object" } });

/** Two tools: one that looks, one that acts after a person was asked. */
function createTools() {
  const acted: string[] = [];
  let hold: Promise<void> | undefined;
  const look: ChatTool = {
    spec: spec("look"),
    asks: false,
    check: () => Promise.resolve(),
    run: (input) => Promise.resolve({ text: `saw ${JSON.stringify(input)}` }),
  };
  const act: ChatTool = {
    spec: spec("act"),
    asks: true,
    check(input) {
      if (JSON.stringify(input) !== '{"bad":true}') return Promise.resolve();
      throw new AppError("invalid", "That makes no sense.", { fix: "Do it well." });
    },
    async run(_, { seed }) {
      await hold;
      acted.push(seed);
      return { text: "acted", link: "/workflows/w1" };
    },
  };
  return {
    tools: () => Promise.resolve([look, act]),
    acted,
    holdUntil: (release: Promise<void>) => {
      hold = release;
    },
  };
}

const calls = (...made: [name: string, input: ToolCall["arguments"]][]) =>
  say("Let me see.", {
    finish: "tool_calls",
    toolCalls: made.map(([name, input], index) => ({
      id: `call-${index + 1}`,
      name,
      arguments: input,
    })),
  });

test("the model looks at things by itself; what it has seen goes into its next answer", async () => {
  const { tools, acted } = createTools();
  const world = await start({
    script: (_, count) =>
      count === 0
        ? calls(["look", { at: 1 }], ["nothing", {}], ["act", { bad: true }])
        : say("Seen."),
    chatDeps: { tools },
  });
  const browser = new Browser(world);
  const path = await beginTalk(browser, "Look!");
  await pageWith(browser, path, (page) => isAtRest(page) && page.includes("Seen."));
  expect(world.requests[0]?.tools.map(({ name }) => name)).toEqual(["look", "act"]);
  expect(world.requests[1]?.messages.slice(2)).toEqual([
    {
      role: "assistant",
      text: "Let me see.",
      toolCalls: [
        { id: "call-1", name: "look", arguments: { at: 1 } },
        { id: "call-2", name: "nothing", arguments: {} },
        { id: "call-3", name: "act", arguments: { bad: true } },
      ],
    },
    { role: "tool", callId: "call-1", name: "look", text: 'saw {"at":1}' },
    {
      role: "tool",
      callId: "call-2",
      name: "nothing",
      text: "There is no tool nothing. Use one of look, act.",
    },
    { role: "tool", callId: "call-3", name: "act", text: "That makes no sense. Do it well." },
  ]);
  expect(acted).toEqual([]);
});

test("what writes or spends waits for a person, and is done once when approved", async () => {
  const { tools, acted } = createTools();
  const world = await start({
    script: (_, count) => (count === 0 ? calls(["act", {}], ["act", {}]) : say("Done.")),
    chatDeps: { tools },
  });
  const browser = new Browser(world);
  const path = await beginTalk(browser, "Act!");
  await pageWith(browser, path, (page) => page.includes('data-phase="asking"'));
  expect(acted).toEqual([]);
  expect((await browser.post(`${path}/answers`)).status).toBe(409);
  expect((await browser.post(`${path}/decisions`, { decision: "2-1-approve" })).status).toBe(303);
  await pageWith(browser, path, (page) => page.includes('data-phase="asking"'));
  expect(world.requests).toHaveLength(1);
  // A second click, a wrong one, and one on a message that is no longer the newest.
  expect((await browser.post(`${path}/decisions`, { decision: "2-1-approve" })).status).toBe(409);
  expect((await browser.post(`${path}/decisions`, { decision: "1-1-approve" })).status).toBe(409);
  expect((await browser.post(`${path}/decisions`, { decision: "what" })).status).toBe(409);
  expect((await browser.post(`${path}/decisions`, { decision: "2-2-decline" })).status).toBe(303);
  await pageWith(browser, path, (page) => isAtRest(page) && page.includes("Done."));
  expect(acted).toEqual([`${idOf(path)}-2-1`]);
  expect(world.requests[1]?.messages.slice(3).map(({ text }) => text)).toEqual([
    "acted",
    "The person declined. Nothing was done.",
  ]);
});

test("approved and killed before it was done: it is done when it is gone on with, under the same key", async () => {
  const { tools, acted, holdUntil } = createTools();
  const { promise, resolve } = Promise.withResolvers<void>();
  const world = await start({
    script: (_, count) => (count === 0 ? calls(["act", {}]) : say("Done.")),
    chatDeps: { tools },
  });
  const browser = new Browser(world);
  const path = await beginTalk(browser, "Act!");
  await pageWith(browser, path, (page) => page.includes('data-phase="asking"'));
  holdUntil(promise);
  await browser.post(`${path}/decisions`, { decision: "2-1-approve" });
  await world.stopChat("kill");
  await world.startChat();
  await pageWith(browser, path, (page) => page.includes('data-phase="retry"'));
  resolve();
  await browser.post(`${path}/answers`);
  await pageWith(browser, path, (page) => isAtRest(page) && page.includes("Done."));
  expect(new Set(acted)).toEqual(new Set([`${idOf(path)}-2-1`]));
});

test("while a call is made nothing is said, and no other branch is shown", async () => {
  const { tools, acted, holdUntil } = createTools();
  const { promise, resolve } = Promise.withResolvers<void>();
  const world = await start({
    script: (_, count) => (count === 0 ? calls(["act", {}]) : say("Done.")),
    chatDeps: { tools },
  });
  const browser = new Browser(world);
  const path = await beginTalk(browser, "Act!");
  await pageWith(browser, path, (page) => page.includes('data-phase="asking"'));
  holdUntil(promise);
  await browser.post(`${path}/decisions`, { decision: "2-1-approve" });
  expect((await browser.post(`${path}/messages`, { text: "And?" })).status).toBe(409);
  expect((await browser.post(`${path}/branch`, { message: "1" })).status).toBe(409);
  resolve();
  await pageWith(browser, path, (page) => isAtRest(page) && page.includes("Done."));
  expect(await shown(world, path)).toEqual(["Act!", "Let me see.", "Done."]);
  expect(acted).toHaveLength(1);
});

test("a person who goes on without deciding has decided that nothing is done", async () => {
  const { tools, acted } = createTools();
  const world = await start({
    script: (_, count) => (count === 0 ? calls(["act", {}]) : say("All right.")),
    chatDeps: { tools },
  });
  const browser = new Browser(world);
  const path = await beginTalk(browser, "Act!");
  await pageWith(browser, path, (page) => page.includes('data-phase="asking"'));
  await said(browser, path, { text: "Never mind" });
  expect(acted).toEqual([]);
  expect((await browser.post(`${path}/decisions`, { decision: "2-1-approve" })).status).toBe(409);
});

test("after many rounds of calls the model is given no more tools", async () => {
  const { tools } = createTools();
  const world = await start({
    script: (request) => (request.tools.length > 0 ? calls(["look", {}]) : say("Enough.")),
    chatDeps: { tools },
  });
  const browser = new Browser(world);
  const path = await beginTalk(browser, "Look!");
  await pageWith(browser, path, (page) => isAtRest(page) && page.includes("Enough."));
  expect(world.requests).toHaveLength(11);
});

test("conversations get another title, and are found by words", async () => {
  const world = await start({ script: counted });
  const browser = new Browser(world);
  const path = await beginTalk(browser, "About cats");
  await pageWith(browser, path, isAtRest);
  await browser.post(`${path}/title`, { title: "Felines" });
  expect((await browser.get("/chat?search=feli")).text).toContain(">Felines</a>");
  expect((await browser.get("/chat?search=dogs")).text).toContain("Nothing found");
  const refused = await browser.post(`${path}/title`, { title: " " });
  expect(refused.status).toBe(422);
});

test("a model is picked for one conversation; what is no model is refused", async () => {
  const wishes: unknown[] = [];
  const world = await start();
  const models = {
    resolve: (wish: unknown) => {
      wishes.push(wish);
      return Promise.resolve({ provider: "openai", model: "gpt-5-mini" } as const);
    },
    call: () => say("Yes."),
  };
  await world.stopChat("stop");
  const other = await start({ models });
  const browser = new Browser(other);
  await browser.get("/chat");
  const begun = await browser.post("/chat", { text: "Hello", model: "openai/gpt-5-mini" });
  const path = begun.headers.get("Location") ?? "";
  await pageWith(browser, path, isAtRest);
  await browser.post(`${path}/model`, { model: "" });
  await said(browser, path, { text: "Again" });
  expect(wishes).toEqual([{ provider: "openai", model: "gpt-5-mini" }, {}]);
  expect((await browser.post(`${path}/model`, { model: "gpt-5" })).status).toBe(422);
});

test("texts and images go with a message; what is neither is refused and nothing is begun", async () => {
  const world = await start({ script: counted });
  const browser = new Browser(world);
  await browser.get("/chat");
  const send = (...files: File[]) => browser.post("/chat", { text: "See", files });
  const begun = await send(
    new File(["a: 1\n"], "a.yaml"),
    new File([PNG], "b.png", { type: "text/plain" }),
  );
  const path = begun.headers.get("Location") ?? "";
  const page = await pageWith(browser, path, isAtRest);
  expect(page).toContain(">a.yaml</a>");
  expect(world.requests[0]?.messages[1]).toMatchObject({
    text: "See\n\nThe attached file a.yaml:\n\na: 1\n",
    files: [{ name: "b.png", mediaType: "image/png", data: PNG }],
  });
  const file = await browser.get(`${path}/files/1/1`);
  expect(file.text).toBe("a: 1\n");
  expect(file.headers.get("Content-Disposition")).toBe("attachment; filename*=UTF-8''a.yaml");
  expect(file.headers.get("Content-Type")).toBe("application/octet-stream");

  // What is no text is no such file, whatever it is called.
  const lie = await send(new File([new Uint8Array([137, 80])], "b.png", { type: "image/png" }));
  expect(lie.status).toBe(422);
  const binary = await send(new File([new Uint8Array([0, 255, 254])], "c.bin"));
  expect([binary.status, binary.text.includes("neither text nor an image")]).toEqual([422, true]);
  const large = await send(new File(["x".repeat(60_001)], "d.txt"));
  expect(large.status).toBe(413);
  const many = await send(...Array.from({ length: 6 }, (_, at) => new File(["x"], `${at}.txt`)));
  expect(many.status).toBe(413);
  expect(await world.store.conversations.list({ limit: 9 })).toHaveLength(1);
});

test("an image is shown where nothing of it can run, and nothing else is shown", async () => {
  const world = await start({ script: counted });
  const browser = new Browser(world);
  await browser.get("/chat");
  const svg = `<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`;
  const begun = await browser.post("/chat", {
    text: "See",
    files: [
      new File([PNG], "<b>.png", { type: "image/png" }),
      new File([svg], "b.svg", { type: "image/svg+xml" }),
      new File(["<script>alert(1)</script>"], "c.png", { type: "image/png" }),
    ],
  });
  const path = begun.headers.get("Location") ?? "";
  const page = await pageWith(browser, path, isAtRest);
  const images = [...page.matchAll(/<img [^>]+>/g)].map(([image]) => image);
  expect(images).toHaveLength(1);
  expect(images[0]).toContain(`src="${path}/files/1/1?view"`);
  expect(images[0]).toContain('alt="&lt;b&gt;.png"');

  const headers = async (address: string) => {
    const { headers: all } = await browser.get(address);
    const wanted = ["Content-Type", "Content-Disposition", "Content-Security-Policy"];
    expect(all.get("X-Content-Type-Options")).toBe("nosniff");
    return wanted.map((name) => all.get(name));
  };
  const name = "filename*=UTF-8''%3Cb%3E.png";
  const [type, disposition, policy] = await headers(`${path}/files/1/1`);
  expect([type, disposition]).toEqual(["application/octet-stream", `attachment; ${name}`]);
  expect(policy).toStartWith("default-src 'none'; script-src 'self';");
  expect(await headers(`${path}/files/1/1?view`)).toEqual([
    "image/png",
    `inline; ${name}`,
    "sandbox; default-src 'none'",
  ]);
  for (const number of [2, 3]) {
    const other = await headers(`${path}/files/1/${number}?view`);
    expect(other[0]).toBe("application/octet-stream");
    expect(other[1]).toStartWith("attachment;");
  }
});

test("a link from a workflow or a run brings what it is about", async () => {
  const readWorkflow: ChatTool = {
    spec: spec("read_workflow"),
    asks: false,
    check: () => Promise.resolve(),
    run: (input) => Promise.resolve({ text: `text of ${JSON.stringify(input)}` }),
  };
  const world = await start({
    script: counted,
    chatDeps: { tools: () => Promise.resolve([readWorkflow]) },
  });
  const browser = new Browser(world);
  const { id, name } = await world.store.workflows.save({
    name: "greeting",
    description: null,
    source: GREETING,
    format: "yaml",
  });
  const page = await browser.get(`/chat?workflow=${id}`);
  expect(page.text).toContain(`name="workflow" value="${id}"`);
  expect(page.text).toContain(`Change the workflow ${name} so that`);
  expect((await browser.get(`/chat?variant=${id}`)).text).toContain("Make a variant of");
  expect((await browser.get("/chat?run=none")).status).toBe(200);
  await browser.post("/chat", { text: "Change it", workflow: id });
  expect(world.requests[0]?.messages[1]?.text).toContain(`text of {"workflow":"${id}"}`);
});
