/** A conversation of 500 turns over real HTTP: what is shown, what is sent, and what it has cost. */
import { expect, test } from "bun:test";
import { estimateInputTokens } from "../../src/domain/token-estimate.ts";
import { CONTEXT_MESSAGE_COUNT_MAX, REQUEST_TOKENS_DEFAULT } from "../../src/web/chat/context.ts";
import { MESSAGE_COUNT_MAX } from "../../src/web/chat/conversation-view.ts";
import { USAGE } from "../engine/script.ts";
import { isAtRest, pageWith, startChatWorld } from "./chat-world.ts";
import { Browser } from "./world.ts";

const TURN_COUNT = 500;
const ID = "long";

test("500 turns are shown in pages, and the model is sent what fits, which the page says", async () => {
  await using world = await startChatWorld();
  const { conversations } = world.store;
  await conversations.create({ id: ID, title: "Long", text: turnText(1) });
  for (let turn = 1; turn <= TURN_COUNT; turn += 1) {
    if (turn > 1) await conversations.say(ID, turnText(turn));
    const begun = await conversations.startAnswer(ID, 0);
    await conversations.endAnswer(begun, {
      text: `Answer ${turn}. ${"Yes, as it was. ".repeat(32)}`,
      state: "done",
      provider: "openai",
      model: "gpt",
      omittedCount: 0,
      finish: "stop",
      usage: USAGE,
      costNanoUsd: 1_000_000,
      error: null,
      thoughts: null,
      calls: [],
    });
  }
  const browser = new Browser(world);
  const seen: number[] = [];
  let path: string | undefined = `/chat/${ID}`;
  for (let pages = 0; path !== undefined; pages += 1) {
    expect(pages).toBeLessThan(TURN_COUNT);
    const { text } = await browser.get(path);
    const shown = [...text.matchAll(/<li class="message \w+" id="message-(\d+)"/g)];
    expect(shown.length).toBeLessThanOrEqual(MESSAGE_COUNT_MAX);
    seen.unshift(...shown.map(([, ordinal]) => Number(ordinal)));
    const before = /\?before=(\d+)">\s*Older messages/.exec(text)?.[1];
    path = before === undefined ? undefined : `/chat/${ID}?before=${before}`;
  }
  // Each message once, from the first to the last.
  expect(seen).toEqual(Array.from({ length: 2 * TURN_COUNT }, (_, index) => index + 1));
  expect((await browser.get(`/chat/${ID}`)).text).toContain("5,000 tokens in, 2,500 out, $0.5");

  await browser.post(`/chat/${ID}/messages`, { text: "And now?" });
  const page = await pageWith(browser, `/chat/${ID}`, isAtRest);
  const [request] = world.requests;
  const tokens = request === undefined ? 0 : estimateInputTokens(request);
  expect(tokens).toBeLessThanOrEqual(REQUEST_TOKENS_DEFAULT);
  expect(tokens).toBeGreaterThan(REQUEST_TOKENS_DEFAULT - 1_000);
  expect(request?.messages.at(-1)).toMatchObject({ role: "user", text: "And now?" });
  const omitted = 2 * TURN_COUNT + 1 - ((request?.messages.length ?? 0) - 1);
  expect(omitted).toBeGreaterThan(CONTEXT_MESSAGE_COUNT_MAX);
  expect(page).toContain(`The ${omitted} oldest messages were left out`);
  expect(page).toContain("to keep within its limit of tokens. What was sent has 10.");
}, 30_000);

function turnText(turn: number): string {
  return `Turn ${turn}. ${"Another step. ".repeat(36)}`;
}
