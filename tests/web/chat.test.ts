/** The chat over real HTTP through the dashboard, with a scripted model: what is said, kept, repaired. */
import { expect, test } from "bun:test";
import { AppError } from "../../src/domain/error.ts";
import { answer, failWith, say } from "../engine/script.ts";
import { closeAfterEach } from "../support/close-after-each.ts";
import {
  beginTalk,
  type ChatWorld,
  type ChatWorldOptions,
  createSpeaker,
  FENCED,
  isAtRest,
  pageWith,
  startChatWorld,
} from "./chat-world.ts";
import { openSse, type SseClient } from "./sse-client.ts";
import { Browser, GREETING } from "./world.ts";

const closed = closeAfterEach();

async function start(options: ChatWorldOptions = {}): Promise<ChatWorld> {
  return closed(await startChatWorld(options));
}

const fenced = (source: string) => `Here it is.\n\n\`\`\`yaml\n${source}\`\`\`\n`;
const visible = (text: string) =>
  text
    .replaceAll(/<[^>]+>/g, " ")
    .replaceAll(/\s+/g, " ")
    .trim();
/** What the button that saves this answer sends. */
const savedBy = (page: string, ordinal: number) =>
  new RegExp(`form="save-form" name="message" value="(${ordinal}-[^"]*)"`).exec(page)?.[1] ?? "";
const idOf = (path: string) => path.split("/")[2] ?? "";
const textsOf = (client: SseClient, ordinal: number) =>
  client.messages
    .flatMap(({ data }) => [
      ...data.matchAll(
        new RegExp(`hx-target="#message-${ordinal}-text"[^>]*>([^]*?)</hx-partial>`, "g"),
      ),
    ])
    .map((hit) => hit[1])
    .join("");

function isOver(tab: SseClient): boolean {
  return tab.messages.at(-1)?.data.includes('data-phase="idle"') === true;
}

/** The second message as it came when it had ended. */
function wholeOf(tab: SseClient): string | undefined {
  return tab.messages
    .map(({ data }) => /<li class="message model" id="message-2">[^]*?<\/li>/.exec(data)?.[0])
    .findLast((html) => html !== undefined);
}

async function streamOf(world: ChatWorld, browser: Browser, path: string): Promise<SseClient> {
  const { text } = await browser.get(path);
  const address = /hx-sse:connect="([^"]+)"/.exec(text)?.[1]?.replaceAll("&amp;", "&") ?? "";
  return openSse(world.url + address);
}

test("a described workflow is answered, checked, saved and downloaded, all by plain HTTP", async () => {
  const world = await start();
  const browser = new Browser(world);
  const path = await beginTalk(browser, "Greet people.\r\nPolitely.");
  const page = await pageWith(browser, path, isAtRest);
  expect(page).toContain("<h1>Greet people.</h1>");
  const shown = visible(page);
  expect(shown).toContain("Greet people. Politely.");
  expect(shown).toContain("greeting valid, 1 step");
  expect(shown).toContain("openai scripted-1 · 10 tokens in, 5 out · &lt; $0.0001");
  expect(page).toContain('data-phase="idle"');
  expect(page).not.toContain("http-equiv");

  const file = await browser.get(`${path}/2.yaml`);
  expect(file.text).toBe(GREETING);
  expect(file.headers.get("Content-Type")).toBe("application/yaml; charset=utf-8");
  expect(file.headers.get("Content-Disposition")).toBe('attachment; filename="greeting.yaml"');

  const saved = await browser.post(`${path}/workflows`, { message: "2-new" });
  const address = saved.headers.get("Location") ?? "";
  expect(address).toMatch(/^\/workflows\/\w+\?conversation=\w+$/);
  const record = await world.store.workflows.get("greeting");
  expect(record?.version).toMatchObject({ number: 1, source: GREETING, format: "yaml" });
  const there = await browser.get(address);
  expect(there.text).toContain(`href="${path}">Back to the conversation</a>`);
  expect(visible((await browser.get(path)).text)).toContain("Saved as version 1");
  expect(world.errors).toEqual([]);
});

test("the model is told the format, the tools and the providers, and only what this version runs", async () => {
  const world = await start();
  const browser = new Browser(world);
  await pageWith(browser, await beginTalk(browser, "Greet."), isAtRest);
  const [request] = world.requests;
  expect(request?.messages.map(({ role }) => role)).toEqual(["system", "user"]);
  const system = request?.messages[0]?.text ?? "";
  for (const key of [
    "output_schema: (map)",
    "routes: (list of map)",
    "approval: (map)",
    "parallel: (map)",
  ])
    expect(system).toContain(key);
  expect(system).toContain("There are no tools");
  expect(system).toContain("Providers that the user has set up: openai.");
  for (const key of ["ab_test", "optimization", "log_prompts"]) expect(system).not.toContain(key);
  expect(request).toMatchObject({ provider: "openai", model: "scripted-1", tools: [] });
});

test("an answer with mistakes goes back with its problems until it is valid", async () => {
  const broken = GREETING.replace("outputs: [text]", "outputs: [txt]").replace("prompt:", "promt:");
  const world = await start({
    script: (_, count) => say(count === 0 ? fenced(broken) : FENCED),
  });
  const browser = new Browser(world);
  const path = await beginTalk(browser);
  const page = await pageWith(browser, path, isAtRest);
  const shown = visible(page);
  expect(shown).toContain("Not valid: 2 errors");
  expect(shown).toContain("The problems go back to the model: repair 1 of 3.");
  expect(shown).toContain("Did you mean prompt ?");
  expect(shown).toContain("Repair 1 of 3 Here it is.");
  expect(shown).toContain("greeting valid, 1 step");
  expect(page).toContain('data-phase="idle"');

  const [, repair] = world.requests;
  expect(repair?.messages.map(({ role }) => role)).toEqual(["system", "user", "assistant", "user"]);
  expect(repair?.messages[2]?.text).toBe(fenced(broken));
  const told = repair?.messages[3]?.text ?? "";
  expect(told).toContain("2 errors");
  expect(told).toMatch(/- line \d+, column \d+: .*promt/);
  expect(await world.store.conversations.totals(idOf(path))).toEqual({
    inputTokens: 20,
    outputTokens: 10,
    costNanoUsd: 2_000,
    unpricedCount: 0,
  });
});

test("after three repairs the rest is shown, cannot be saved, and may be asked for again", async () => {
  const broken = GREETING.replace("outputs: [text]", "outputs: [txt]");
  const world = await start({ script: (_, count) => say(count < 4 ? fenced(broken) : FENCED) });
  const browser = new Browser(world);
  const path = await beginTalk(browser);
  const page = await pageWith(browser, path, isAtRest);
  expect(world.requests).toHaveLength(4);
  expect(visible(page)).toContain("After 3 repairs these problems are left.");
  expect(page).toContain('data-phase="retry"');
  expect(page).not.toContain('form="save-form"');
  const refused = await browser.post(`${path}/workflows`, { message: "5-new" });
  expect(refused.status).toBe(422);
  expect(await world.store.workflows.list({ limit: 9 })).toEqual([]);

  await browser.post(`${path}/answers`);
  expect(await pageWith(browser, path, isAtRest)).toContain('data-phase="idle"');
  const last = world.requests.at(-1)?.messages;
  expect(last?.map(({ role }) => role)).toEqual(["system", "user"]);
});

test("warnings alone are shown and send nothing back", async () => {
  const source = GREETING.replace("  name: greeting\n", "  name: greeting\n  author: Ada\n");
  const world = await start({ script: () => say(fenced(source)) });
  const browser = new Browser(world);
  const page = await pageWith(browser, await beginTalk(browser), isAtRest);
  expect(world.requests).toHaveLength(1);
  expect(visible(page)).toContain("accepted and has no effect");
  expect(page).toContain('form="save-form"');
});

test("a second turn carries the talk, and a newer text becomes the next version", async () => {
  const second = GREETING.replace("Says hello.", "Says good evening.");
  const world = await start({
    script: (_, count) => say(count === 0 ? FENCED : fenced(second)),
  });
  const browser = new Browser(world);
  const path = await beginTalk(browser);
  await pageWith(browser, path, isAtRest);
  await browser.post(`${path}/workflows`, { message: "2-new" });
  const sent = await browser.post(`${path}/messages`, { text: "In the evening, please." });
  expect([sent.status, sent.headers.get("Location")]).toEqual([303, path]);
  const page = await pageWith(browser, path, isAtRest);
  expect(world.requests[1]?.messages.slice(1)).toEqual([
    { role: "user", text: "Greet people." },
    { role: "assistant", text: FENCED, toolCalls: [] },
    { role: "user", text: "In the evening, please." },
  ]);
  expect(visible(page)).toContain("Save as version 2");
  await browser.post(`${path}/workflows`, { message: savedBy(page, 4) });
  expect((await world.store.workflows.get("greeting"))?.version).toMatchObject({
    number: 2,
    source: second,
  });
});

test("words without a workflow are an answer too", async () => {
  const world = await start({ script: () => say("It greets people.\n\nNothing more.") });
  const browser = new Browser(world);
  const page = await pageWith(browser, await beginTalk(browser), isAtRest);
  expect(page).toContain('<p class="said">It greets people.</p><p class="said">Nothing more.</p>');
  expect(page).not.toContain('class="result"');
});

test("text comes as it is said, a reload shows what has come and goes on, two tabs agree", async () => {
  const speaker = createSpeaker();
  const world = await start({ script: speaker.script });
  const browser = new Browser(world);
  const path = await beginTalk(browser);
  await using first = await streamOf(world, browser, path);
  const saidAt = performance.now();
  speaker.say("One <b>");
  await first.until(() => textsOf(first, 2).includes("One"));
  expect(performance.now() - saidAt).toBeLessThan(250);
  const reload = await pageWith(browser, path, (text) => text.includes("One &lt;b&gt;"));
  expect(reload).toContain('<noscript><meta http-equiv="refresh" content="2"/></noscript>');
  await using second = await streamOf(world, browser, path);
  speaker.say("two\n");
  speaker.say("\nthree");
  await Promise.all(
    [first, second].map((tab) => tab.until(() => textsOf(tab, 2).endsWith("three"))),
  );
  expect(textsOf(first, 2)).toBe("One &lt;b&gt;two\n\nthree");
  expect(textsOf(second, 2)).toBe("two\n\nthree");
  speaker.end();
  await Promise.all([first, second].map((tab) => tab.until(() => isOver(tab))));
  expect(wholeOf(first)).toContain('<p class="said">One &lt;b&gt;two</p>');
  expect(wholeOf(second)).toBe(wholeOf(first));

  await browser.post(`${path}/messages`, { text: "Next." });
  await Promise.all(
    [first, second].map((tab) =>
      tab.until(() => tab.messages.some(({ data }) => data.includes('id="message-3"'))),
    ),
  );
  const added = first.messages.filter(({ data }) => data.includes('id="message-4"'));
  expect(added).toHaveLength(1);
  expect(added[0]?.data).toContain('hx-target="#messages"');
});

test("a reader who comes back gets what it missed, once", async () => {
  const speaker = createSpeaker();
  const world = await start({ script: speaker.script });
  const browser = new Browser(world);
  const path = await beginTalk(browser);
  const first = await streamOf(world, browser, path);
  speaker.say("a");
  await first.until(() => textsOf(first, 2) === "a");
  const last = first.messages.at(-1)?.id ?? "";
  await first.close();
  speaker.say("b");
  await pageWith(browser, path, (text) => text.includes(">ab</pre>"));
  await using again = await openSse(`${world.url}${path}/stream`, {
    headers: { "Last-Event-ID": last },
  });
  speaker.say("c");
  await again.until(() => textsOf(again, 2) === "bc");
});

test("stop ends the provider's request within 200 ms and keeps what has come", async () => {
  const speaker = createSpeaker();
  const world = await start({ script: speaker.script });
  const browser = new Browser(world);
  const path = await beginTalk(browser);
  speaker.say("Half an ans");
  await pageWith(browser, path, (text) => text.includes("Half an ans"));
  const askedAt = performance.now();
  const stopped = await browser.post(`${path}/cancellation`);
  expect(stopped.status).toBe(303);
  expect((speaker.abortedAt() ?? Number.POSITIVE_INFINITY) - askedAt).toBeLessThan(200);
  const { text } = await browser.get(path);
  expect(visible(text)).toContain("Half an ans Stopped. What had come is kept.");
  expect(text).toContain('data-phase="retry"');
  expect(await world.store.conversations.get(idOf(path))).toMatchObject({ isAnswering: false });
});

test("what has come is stored within 250 ms", async () => {
  const speaker = createSpeaker();
  const world = await start({ script: speaker.script });
  const browser = new Browser(world);
  const id = idOf(await beginTalk(browser));
  speaker.say("kept");
  const saidAt = performance.now();
  let stored = "";
  while (stored !== "kept" && performance.now() - saidAt < 2_000) {
    stored =
      (await world.store.conversations.message({ conversationId: id, ordinal: 2 }))?.text ?? "";
    await Bun.sleep(5);
  }
  expect(stored).toBe("kept");
  expect(performance.now() - saidAt).toBeLessThan(400);
});

test("after a crash in the middle the part that came is kept, marked, and can be tried again", async () => {
  const speaker = createSpeaker();
  const world = await start({
    script: (request, count) => (count === 0 ? speaker.script(request) : say(FENCED)),
  });
  const browser = new Browser(world);
  const path = await beginTalk(browser);
  speaker.say("The first half");
  const id = idOf(path);
  const isKept = async () =>
    (await world.store.conversations.message({ conversationId: id, ordinal: 2 }))?.text !== "";
  while (!(await isKept())) await Bun.sleep(5);
  await using tab = await streamOf(world, browser, path);
  await world.stopChat("kill");
  await tab.until(() => tab.ended);
  const away = await browser.get(path);
  expect(away.status).toBe(503);
  expect(visible(away.text)).toContain("The chat is not running");
  expect(visible(away.text)).toContain("chat was killed by SIGKILL.");
  expect((await browser.get("/workflows")).status).toBe(200);

  await world.startChat();
  const { text } = await browser.get(path);
  expect(visible(text)).toContain("The first half Interrupted: its process ended in the middle");
  expect(text).toContain('data-phase="retry"');
  await browser.post(`${path}/answers`);
  expect(visible(await pageWith(browser, path, isAtRest))).toContain("greeting valid, 1 step");
  // The half answer is not what the new one builds on.
  expect(world.requests[1]?.messages.map(({ role }) => role)).toEqual(["system", "user"]);
});

test("an orderly end marks the answer as interrupted too", async () => {
  const speaker = createSpeaker();
  const world = await start({ script: speaker.script });
  const browser = new Browser(world);
  const path = await beginTalk(browser);
  speaker.say("Some");
  await pageWith(browser, path, (text) => text.includes("Some"));
  await world.stopChat("stop");
  expect(
    await world.store.conversations.message({ conversationId: idOf(path), ordinal: 2 }),
  ).toMatchObject({
    state: "interrupted",
    text: "Some",
  });
  expect(speaker.abortedAt()).toBeDefined();
});

test("a failure is shown with its fix, and the partial answer is kept", async () => {
  const world = await start({
    async *script(_, count) {
      if (count > 0) {
        yield* say(FENCED);
        return;
      }
      yield { type: "text", text: "Part" };
      yield* failWith({ code: "rate_limited", message: "Too fast.", fix: "Wait a minute." });
    },
  });
  const browser = new Browser(world);
  const path = await beginTalk(browser);
  const page = await pageWith(browser, path, isAtRest);
  expect(visible(page)).toContain("Part Too fast. Fix: Wait a minute.");
  expect(page).toContain('data-phase="retry"');
  await browser.post(`${path}/answers`);
  expect(await pageWith(browser, path, isAtRest)).toContain('data-phase="idle"');
});

test("a provider that cannot be used is an answer that failed, not a lost message", async () => {
  const models = {
    resolve: () =>
      Promise.reject(new AppError("missing_key", "OPENAI_API_KEY is not set.", { fix: "Set it." })),
    call: () => say(""),
  };
  const world = await start({ models });
  const browser = new Browser(world);
  const page = await pageWith(browser, await beginTalk(browser), isAtRest);
  expect(visible(page)).toContain("OPENAI_API_KEY is not set. Fix: Set it.");
  expect(world.errors).toEqual([]);
});

test("the demo says that it is one and offers a template that can be saved", async () => {
  const models = {
    resolve: async () => ({ provider: "demo" as const, model: "demo" }),
    call: () => say("never asked"),
  };
  const world = await start({ models, chatDeps: { demo: () => true } });
  const browser = new Browser(world);
  expect(visible((await browser.get("/chat")).text)).toContain("the chat offers templates");
  const path = await beginTalk(browser, "Something with a greeting");
  const page = await pageWith(browser, path, isAtRest);
  const shown = visible(page);
  expect(shown).toContain("demo, no model");
  expect(shown).toContain("This is the demo: no model provider is set up");
  expect(shown).toContain("The nearest one to your words is greeting.");
  expect(shown).not.toContain("never asked");
  expect((await browser.get(`${path}/2.yaml`)).text).toBe(GREETING);
  expect((await browser.post(`${path}/workflows`, { message: "2-new" })).status).toBe(303);
});

test("one answer at a time: a message meanwhile is refused and changes nothing", async () => {
  const speaker = createSpeaker();
  const world = await start({ script: speaker.script });
  const browser = new Browser(world);
  const path = await beginTalk(browser);
  for (const [action, fields] of [
    ["messages", { text: "more" }],
    ["answers", {}],
  ] as const) {
    const refused = await browser.post(`${path}/${action}`, fields);
    expect(refused.status).toBe(409);
    expect(refused.text).toContain("An answer is under way in this conversation.");
  }
  expect(await world.store.conversations.messages(idOf(path), { limit: 9 })).toHaveLength(2);
});

test("deleting ends the answer, the other tab is told, and it can be put back", async () => {
  const speaker = createSpeaker();
  const world = await start({ script: speaker.script });
  const browser = new Browser(world);
  const path = await beginTalk(browser);
  await using tab = await streamOf(world, browser, path);
  const gone = await browser.post(`${path}/deletion`);
  const list = gone.headers.get("Location") ?? "";
  expect([gone.status, list]).toEqual([303, `/chat?undo=${idOf(path)}`]);
  await tab.until(() => tab.messages.at(-1)?.event === "end");
  expect(tab.messages.at(-2)?.data).toContain('data-phase="deleted"');
  expect(speaker.abortedAt()).toBeDefined();
  expect((await browser.get(path)).status).toBe(404);
  expect((await fetch(`${world.url}${path}/stream`)).status).toBe(404);
  expect(visible((await browser.get(list)).text)).toContain("Deleted: Greet people. Undo");
  const back = await browser.post("/chat/restorations", { id: idOf(path) });
  expect([back.status, back.headers.get("Location")]).toEqual([303, path]);
  expect(visible((await browser.get(path)).text)).toContain("Stopped. What had come is kept.");
  expect(visible((await browser.get(list)).text)).not.toContain("Undo");
  expect(world.errors).toEqual([]);
});

test("the list is live and goes on to older conversations", async () => {
  const world = await start();
  const { conversations } = world.store;
  for (let index = 0; index < 52; index += 1) {
    await conversations.create({ id: `old${index}`, title: `Old ${index}`, text: "x" });
  }
  const browser = new Browser(world);
  await using tab = await openSse(`${world.url}/chat/stream`);
  await tab.until(() => tab.messages.length === 1);
  expect(tab.messages[0]?.data).toContain('hx-target="#conversation-list"');
  const path = await beginTalk(browser, "The newest talk");
  await tab.until(() => tab.messages.some(({ data }) => data.includes("The newest talk")));
  const { text } = await browser.get("/chat");
  expect(text.indexOf(path)).toBeLessThan(text.indexOf("Old 51"));
  const next = /href="(\/chat\?before=\w+)"/.exec(text)?.[1] ?? "";
  const older = (await browser.get(next)).text;
  expect(older).toContain("Old 0");
  expect(older).not.toContain("The newest talk");
});

test("a long conversation is shown page by page, and its stream still says what is new", async () => {
  const world = await start();
  const { conversations } = world.store;
  await conversations.create({ id: "long", title: "Long", text: "text 1" });
  for (let index = 2; index <= 150; index += 1) await conversations.say("long", `text ${index}.`);
  const browser = new Browser(world);
  const newest = (await browser.get("/chat/long")).text;
  expect(newest).toContain("text 150.");
  expect(newest).not.toContain("text 90.");
  const older = await browser.get(/href="(\/chat\/long\?before=\d+)"/.exec(newest)?.[1] ?? "");
  expect(older.text).toContain("text 90.");
  expect(older.text).not.toContain("text 91.");
  expect(older.text).not.toContain('action="/chat/long/messages"');
  await using tab = await openSse(`${world.url}/chat/long/stream`);
  await tab.until(() => tab.messages.some(({ data }) => data.includes("text 150.")));
  const ids = tab.messages.flatMap(({ data }) =>
    [...data.matchAll(/<li class="message person" id="message-(\d+)"/g)].map((hit) =>
      Number(hit[1]),
    ),
  );
  expect(ids).toEqual(Array.from({ length: 150 }, (_, index) => index + 1));
});

test("older turns that do not fit are left out, and the page says so", async () => {
  const world = await start();
  const { conversations } = world.store;
  await conversations.create({ id: "long", title: "Long", text: "first" });
  for (let index = 0; index < 12; index += 1)
    await conversations.say("long", "to do ".repeat(1_666)); // 3,300 tokens
  const browser = new Browser(world);
  await browser.get("/chat");
  await browser.post("/chat/long/messages", { text: "and now?" });
  const page = await pageWith(browser, "/chat/long", isAtRest);
  expect(visible(page)).toContain("oldest messages were left out of what the model was sent");
  const sent = world.requests[0]?.messages.slice(1) ?? [];
  expect(sent.at(-1)?.text).toBe("and now?");
  expect(sent).toHaveLength(9);
  expect(await conversations.message({ conversationId: "long", ordinal: 15 })).toMatchObject({
    omittedCount: 5,
  });
});

test("nothing, and too much, is refused with what to do", async () => {
  const world = await start();
  const browser = new Browser(world);
  await browser.get("/chat");
  const nothing = await browser.post("/chat", { text: " \n " });
  expect([nothing.status, nothing.text.includes("There is nothing to send.")]).toEqual([422, true]);
  const much = await browser.post("/chat", { text: "x".repeat(20_001) });
  expect(much.status).toBe(413);
  expect(await world.store.conversations.list({ limit: 9 })).toEqual([]);
});

test("an endless answer is cut off and ends the provider's request", async () => {
  let isAborted = false;
  const world = await start({
    async *script(request) {
      request.signal.addEventListener("abort", () => {
        isAborted = true;
      });
      while (!request.signal.aborted) {
        yield { type: "text", text: "y".repeat(50_000) };
        await Bun.sleep(1);
      }
      yield { type: "end", reason: "aborted" };
    },
  });
  const browser = new Browser(world);
  const page = await pageWith(browser, await beginTalk(browser), isAtRest);
  expect(visible(page)).toContain("The answer was longer than 200000 characters and was stopped.");
  expect(isAborted).toBe(true);
});

test("what the provider cut or refused is said", async () => {
  for (const [finish, said] of [
    ["length", "cut off at the model"],
    ["refused", "filter stopped this answer"],
    ["stop", "answered with nothing"],
  ] as const) {
    const world = await start({
      async *script() {
        yield { type: "end", reason: "finished", answer: answer("", { finish }) };
      },
    });
    const browser = new Browser(world);
    const page = await pageWith(browser, await beginTalk(browser), isAtRest);
    expect(visible(page)).toContain(said);
  }
});
