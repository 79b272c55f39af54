/**
 * From the moment at which a model server sends the first piece of an answer to the moment at which the page has it: in
 * the stream, read over HTTP through the dashboard, and in the document, in Chromium. All on one machine, so that
 * there is one clock.
 */
import type { Browser as Chromium } from "playwright-core";
import { launchChromium } from "../../tests/views/chromium.ts";
import { openSse } from "../../tests/web/sse-client.ts";
import { Browser } from "../../tests/web/world.ts";
import { spread } from "./process.ts";
import { type Started, startAgents, type Subject } from "./subject.ts";

const SAMPLE_COUNT = 20;
const START_COUNT = 3;
/** As a model thinks before it speaks, then between two pieces. */
const THINK_MS = { min: 150, spread: 350 };
const PIECE_MS = 30;
const PIECE_COUNT = 8;

export async function measureFirstToken(subject: Subject) {
  const model = startModel();
  const chromium = await launchChromium();
  try {
    const rounds: Delays[] = [];
    for (let start = 0; start < START_COUNT; start += 1)
      rounds.push(await measureProcess(subject, { model, chromium, inPage: start % 2 === 0 }));
    const of = (inPage: boolean) => rounds.filter((one) => one.inPage === inPage);
    return {
      firstOfProcessMs: rounds.map(({ inPage, delays: [ms = Number.NaN] }) => ({
        inPage,
        ms: Math.round(ms * 100) / 100,
      })),
      streamMs: spread(of(false).flatMap(({ delays }) => delays.slice(1))),
      pageMs: spread(of(true).flatMap(({ delays }) => delays.slice(1))),
    };
  } finally {
    await chromium.close();
    model.stop();
  }
}

interface Model {
  readonly url: string;
  /** When the first piece of the answer to this was sent, by the clock of the machine. */
  sentAt(word: string): number;
  /** Lets it begin to think about this. */
  allow(word: string): void;
  stop(): void;
}

interface Delays {
  readonly inPage: boolean;
  /** In milliseconds, the first answer of the process first. */
  readonly delays: readonly number[];
}

async function measureProcess(
  subject: Subject,
  { model, chromium, inPage }: { model: Model; chromium: Chromium; inPage: boolean },
): Promise<Delays> {
  const agents = await startAgents(subject, {
    env: { OPENAI_COMPATIBLE_BASE_URL: model.url, AGENTS_OPENAI_COMPATIBLE_MODEL: "bench" },
  });
  try {
    await untilChat(agents);
    const delays = await (inPage
      ? pageDelays(agents, model, chromium)
      : streamDelays(agents, model));
    return { inPage, delays };
  } finally {
    await agents.stop();
  }
}

async function untilChat({ url }: Started): Promise<void> {
  const limit = performance.now() + 30_000;
  while ((await fetch(`${url}chat`)).status !== 200) {
    if (performance.now() > limit) throw new Error("The chat did not start within 30 s.");
    await Bun.sleep(20);
  }
}

async function streamDelays({ url }: Started, model: Model): Promise<number[]> {
  const browser = new Browser({ url: url.slice(0, -1) });
  await browser.get("/chat");
  const delays: number[] = [];
  let path = "";
  for (let sample = 0; sample < SAMPLE_COUNT; sample += 1) {
    const word = `s${sample}-${crypto.randomUUID()}`;
    const sent = await browser.post(path === "" ? "/chat" : `${path}/messages`, { text: word });
    path = sent.headers.get("Location") ?? path;
    const page = await browser.get(path);
    const stream = /hx-sse:connect="([^"]+)"/.exec(page.text)?.[1]?.replaceAll("&amp;", "&") ?? "";
    await using client = await openSse(new URL(stream, url), {
      headers: { Cookie: browser.cookieHeader() },
    });
    // Only then: how long a page takes to come is not what is measured.
    model.allow(word);
    await client.until(() => client.messages.some(({ data }) => data.includes(`first-${word}`)));
    const seenAt = now();
    delays.push(seenAt - model.sentAt(word));
    await client.until(() => client.messages.some(({ data }) => data.includes(`last-${word}`)));
    await client.until(() => client.messages.at(-1)?.data.includes('data-phase="idle"') === true);
  }
  return delays;
}

/** Says when a text is in the document first, by the clock of the machine. */
const WATCH = `
  globalThis.seen = {};
  new MutationObserver((changes) => {
    for (const { addedNodes, target } of changes)
      for (const node of [target, ...addedNodes])
        for (const [word] of (node.textContent ?? "").matchAll(/(?:first|last)-s[\\w-]+/g))
          globalThis.seen[word] ??= performance.timeOrigin + performance.now();
  }).observe(document, { childList: true, subtree: true, characterData: true });`;

async function pageDelays({ url }: Started, model: Model, chromium: Chromium): Promise<number[]> {
  const page = await chromium.newPage();
  await page.addInitScript(WATCH);
  await page.goto(`${url}chat`);
  const delays: number[] = [];
  for (let sample = 0; sample < SAMPLE_COUNT; sample += 1) {
    const word = `s${sample}-${crypto.randomUUID()}`;
    model.allow(word);
    await page.fill("#text", word);
    await page.press("#text", "Enter");
    await page.getByText(`last-${word}`).first().waitFor({ state: "attached" });
    await page.locator("#chat-head[data-phase=idle]").waitFor({ state: "attached" });
    delays.push(
      (await page.evaluate<number>(`globalThis.seen["first-${word}"]`)) - model.sentAt(word),
    );
  }
  await page.close();
  return delays;
}

/** An OpenAI-compatible server that streams, and remembers when it began. */
function startModel(): Model {
  const sent = new Map<string, number>();
  const allowed = new Map<string, PromiseWithResolvers<void>>();
  const turnOf = (word: string) => {
    const turn = allowed.get(word) ?? Promise.withResolvers<void>();
    allowed.set(word, turn);
    return turn;
  };
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 60,
    async fetch(request) {
      if (request.method !== "POST") return Response.json({ data: [{ id: "bench" }] });
      const words = [...(await request.text()).matchAll(/\bs\d+-[0-9a-f-]{36}/g)];
      const word = words.at(-1)?.[0] ?? "";
      await turnOf(word).promise;
      return new Response(speak(word, sent), { headers: { "Content-Type": "text/event-stream" } });
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}/v1`,
    allow: (word) => turnOf(word).resolve(),
    sentAt: (word) => sent.get(word) ?? Number.NaN,
    stop: () => void server.stop(true),
  };
}

function piece(delta: object, finish: string | null = null): string {
  const choices = [{ index: 0, delta, finish_reason: finish }];
  const chunk = { id: "1", object: "chat.completion.chunk", created: 1, model: "bench", choices };
  return `data: ${JSON.stringify(chunk)}\n\n`;
}

async function* speak(word: string, sent: Map<string, number>): AsyncGenerator<string> {
  await Bun.sleep(THINK_MS.min + Math.random() * THINK_MS.spread);
  sent.set(word, now());
  yield piece({ role: "assistant", content: `first-${word} ` });
  for (let count = 0; count < PIECE_COUNT; count += 1) {
    await Bun.sleep(PIECE_MS);
    yield piece({ content: `word ${count} ` });
  }
  yield piece({ content: `last-${word}` });
  yield piece({}, "stop");
  yield "data: [DONE]\n\n";
}

function now(): number {
  return performance.timeOrigin + performance.now();
}
