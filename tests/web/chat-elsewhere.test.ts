/** A conversation that another process answers, with its own connection to the database: shown live, stopped, kept. */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { systemClock } from "../../src/lib/clock.ts";
import { openStore, type Store } from "../../src/store/store.ts";
import { type Answers, createAnswers } from "../../src/web/chat/answers.ts";
import { createAnswerReader } from "../../src/web/chat/reading.ts";
import { say, scriptedModels } from "../engine/script.ts";
import { waitFor } from "../support/agents.ts";
import { closeAfterEach } from "../support/close-after-each.ts";
import {
  type ChatWorld,
  type ChatWorldOptions,
  createSpeaker,
  isAtRest,
  pageWith,
  startChatWorld,
} from "./chat-world.ts";
import { openSse, type SseClient } from "./sse-client.ts";
import { Browser } from "./world.ts";

/** What a person may wait for a piece that another process has got. */
const LIVE_MS_MAX = 500;
const STOP_MS_MAX = 200;

const closed = closeAfterEach();

interface Elsewhere {
  readonly store: Store;
  readonly answers: Answers;
  readonly errors: unknown[];
}

async function start(options: ChatWorldOptions = {}): Promise<ChatWorld> {
  return closed(await startChatWorld(options));
}

/** As `agents new` answers. */
async function startElsewhere(
  world: ChatWorld,
  script: Parameters<typeof scriptedModels>[0],
): Promise<Elsewhere> {
  const store = await openStore({
    path: join(world.folder, "agents.sqlite"),
    clock: systemClock,
  });
  const errors: unknown[] = [];
  const answers = createAnswers({
    conversations: store.conversations,
    models: scriptedModels(script),
    reader: createAnswerReader(() => Promise.resolve([])),
    facts: () => Promise.resolve({ tools: [], providers: ["openai"], workflows: [] }),
    examples: () => Promise.resolve([]),
    tools: () => Promise.resolve([]),
    clock: systemClock,
    changes: store.changes,
    self: { name: "elsewhere" },
    reportError: (error) => errors.push(error),
    onChange: () => {},
  });
  closed({
    async [Symbol.asyncDispose]() {
      await answers.close();
      await store.close();
    },
  });
  await store.conversations.create({ id: "talk", title: "Tea", text: "About tea" });
  return { store, answers, errors };
}

async function openTab(world: ChatWorld, path: string): Promise<SseClient> {
  const { text } = await new Browser(world).get(path);
  const address = /hx-sse:connect="([^"]+)"/.exec(text)?.[1]?.replaceAll("&amp;", "&") ?? "";
  const tab = await openSse(world.url + address);
  closed(tab);
  return tab;
}

const has = (tab: SseClient, text: string) => tab.messages.some(({ data }) => data.includes(text));

async function msUntil(isSo: () => boolean, tab: SseClient): Promise<number> {
  const begun = performance.now();
  await tab.until(isSo);
  return performance.now() - begun;
}

async function nextSign({ conversations }: Store): Promise<void> {
  const sign = async () => (await conversations.underWay())[0]?.aliveAt ?? 0;
  const last = await sign();
  await waitFor(async () => (await sign()) > last, "a sign of life");
}

test("an open page moves as the answer of another process comes, and shows its end", async () => {
  const world = await start();
  const speaker = createSpeaker();
  const { answers } = await startElsewhere(world, speaker.script);
  const tab = await openTab(world, "/chat/talk");
  const list = await openTab(world, "/chat");
  await answers.begin("talk");
  expect(await msUntil(() => has(tab, 'id="message-2"'), tab)).toBeLessThan(LIVE_MS_MAX);
  expect(tab.messages.at(-1)?.data).toContain('data-phase="answering"');
  await list.until(() => has(list, "answering"));
  for (const piece of ["The first ", "half of it, ", "and the rest."]) {
    speaker.say(piece);
    expect(await msUntil(() => has(tab, piece), tab)).toBeLessThan(LIVE_MS_MAX);
  }
  speaker.end();
  await tab.until(() => tab.messages.at(-1)?.data.includes('data-phase="idle"') === true);
  const whole = tab.messages.findLast(({ data }) => data.includes('id="message-2"'))?.data;
  expect(whole).toContain("The first half of it, and the rest.");
  await list.until(() => list.messages.at(-1)?.data.includes("answering") === false);
  expect(world.errors).toEqual([]);
});

test("what workers write wakes an open page, and nothing is watched when none is open", async () => {
  const listeners = new Set<() => void>();
  const changes = {
    onChange(listener: () => void) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
  const world = await start({ chatDeps: { changes } });
  const { conversations } = world.store;
  await conversations.create({ id: "talk", title: "Tea", text: "About tea" });
  await new Browser(world).get("/chat/talk");
  expect(listeners.size).toBe(0);
  const tab = await openTab(world, "/chat/talk");
  expect(listeners.size).toBe(1);
  await conversations.say("talk", "And coffee.");
  // Nothing but the signal tells of it.
  for (const ring of listeners) ring();
  expect(await msUntil(() => has(tab, "And coffee."), tab)).toBeLessThan(LIVE_MS_MAX);
  await tab.close();
  await waitFor(() => listeners.size === 0, "the end of the watch");
});

test("Stop on the page ends the request of the process that answers, also while the provider is silent", async () => {
  const world = await start();
  const speaker = createSpeaker();
  const { answers, store, errors } = await startElsewhere(world, speaker.script);
  await answers.begin("talk");
  speaker.say("The first half");
  const browser = new Browser(world);
  await pageWith(browser, "/chat/talk", (text) => text.includes("The first half"));
  // Now only signs of life are left.
  await nextSign(store);
  await nextSign(store);
  const stoppedAt = performance.now();
  expect((await browser.post("/chat/talk/cancellation")).status).toBe(303);
  await waitFor(() => speaker.abortedAt() !== undefined, "the end of the request");
  expect((speaker.abortedAt() ?? 0) - stoppedAt).toBeLessThan(STOP_MS_MAX);
  await waitFor(() => !answers.isActive("talk"), "the end of the answer");
  const page = await pageWith(browser, "/chat/talk", isAtRest);
  expect(page).toContain("Stopped. What had come is kept.");
  expect(page).toContain("The first half");
  expect(errors).toEqual([]);
});

test("an answer of the chat is stopped from elsewhere as fast, with the page told", async () => {
  const speaker = createSpeaker();
  const world = await start({ script: speaker.script });
  const { answers } = await startElsewhere(world, () => say("never asked"));
  const browser = new Browser(world);
  await browser.get("/chat/talk");
  await browser.post("/chat/talk/answers");
  const tab = await openTab(world, "/chat/talk");
  speaker.say("The first half");
  await pageWith(browser, "/chat/talk", (text) => text.includes("The first half"));
  const stoppedAt = performance.now();
  await answers.stop("talk");
  await waitFor(() => speaker.abortedAt() !== undefined, "the end of the request");
  expect((speaker.abortedAt() ?? 0) - stoppedAt).toBeLessThan(STOP_MS_MAX);
  await tab.until(() => has(tab, "Stopped. What had come is kept."));
  expect(world.errors).toEqual([]);
});

test("repairs go on beside another answer: what ends by itself is not taken for ended elsewhere", async () => {
  const world = await start();
  const broken = "```yaml\nschema_version: '1.0'\n```\n";
  const { answers, store } = await startElsewhere(world, (_, count) =>
    say(count < 3 ? broken : "Enough."),
  );
  await answers.begin("talk");
  await waitFor(() => !answers.isActive("talk"), "the end of the repairs");
  const told = await store.conversations.messages("talk", { limit: 9 });
  expect(told.map((one) => (one.role === "model" ? [one.state, one.round] : one.text))).toEqual([
    "About tea",
    ["done", 0],
    ["done", 1],
    ["done", 2],
    ["done", 3],
  ]);
});

test("while its provider is silent a process says that it lives", async () => {
  const world = await start();
  const speaker = createSpeaker();
  const { answers, store } = await startElsewhere(world, speaker.script);
  await answers.begin("talk");
  const begun = performance.now();
  await nextSign(store);
  await nextSign(store);
  expect(performance.now() - begun).toBeLessThan(2 * 2_000);
});

test("one that was killed is marked, and gone on with; one that lives goes on over a new start", async () => {
  const world = await start({
    script: () => say(", and the rest."),
    chatDeps: { self: { name: "chat", hasEnded: (name) => name === "gone" } },
  });
  const speaker = createSpeaker();
  const { answers } = await startElsewhere(world, speaker.script);
  const { conversations } = world.store;
  await conversations.create({ id: "left", title: "Left", text: "Greet." });
  const left = await conversations.startAnswer("left", 0, { answeredBy: "gone" });
  const progress = { provider: "openai", model: "gpt", omittedCount: 0 } as const;
  await conversations.saveProgress(left, { text: "The half", ...progress });
  await answers.begin("talk");
  await world.stopChat("kill");
  await world.startChat();
  const browser = new Browser(world);
  const page = await pageWith(browser, "/chat/left", isAtRest);
  expect(page).toContain("Interrupted: its process ended in the middle of this answer.");
  expect(page).toContain("The half");
  await browser.post("/chat/left/answers", { goOnWith: "2" });
  await pageWith(browser, "/chat/left", (text) => text.includes("The half, and the rest."));
  speaker.say("Still here");
  expect((await browser.get("/chat/talk")).text).toContain('data-phase="answering"');
  await pageWith(browser, "/chat/talk", (text) => text.includes("Still here"));
  expect(answers.isActive("talk")).toBe(true);
});
