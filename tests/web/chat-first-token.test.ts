/**
 * Goal: the first words of an answer are on the page before there are any others.
 * Method: a model server that holds back its second piece until the first one was seen: a condition, not a time.
 */
import { expect, test } from "bun:test";
import { createModelPort } from "../../src/llm/port.ts";
import { settingsFor } from "../llm/support.ts";
import { beginTalk, isAtRest, pageWith, startChatWorld } from "./chat-world.ts";
import { openSse } from "./sse-client.ts";
import { Browser } from "./world.ts";

const piece = (delta: object, finish: string | null = null) =>
  `data: ${JSON.stringify({ id: "1", object: "chat.completion.chunk", created: 1, model: "m", choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;

test("the first piece is on the page while the model server holds back the second", async () => {
  const opened = Promise.withResolvers<void>();
  const seen = Promise.withResolvers<void>();
  async function* speak(): AsyncGenerator<string> {
    await opened.promise;
    yield piece({ role: "assistant", content: "First " });
    await seen.promise;
    yield piece({ content: "second." }) + piece({}, "stop");
    yield "data: [DONE]\n\n";
  }
  using server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: () => new Response(speak(), { headers: { "Content-Type": "text/event-stream" } }),
  });
  const settings = settingsFor(() => `http://127.0.0.1:${server.port}/v1`);
  const models = createModelPort({ ...settings, provider: "openai-compatible", model: "m" });
  await using world = await startChatWorld({ models });
  const browser = new Browser(world);
  const path = await beginTalk(browser);
  const { text } = await browser.get(path);
  const address = /hx-sse:connect="([^"]+)"/.exec(text)?.[1]?.replaceAll("&amp;", "&") ?? "";
  await using tab = await openSse(world.url + address);
  const shown = () => tab.messages.map(({ data }) => data).join("");
  opened.resolve();
  await tab.until(() => shown().includes("First "));
  expect(shown()).not.toContain("second.");
  const reload = await pageWith(browser, path, (page) => page.includes("First "));
  expect(reload).toContain('data-phase="answering"');
  seen.resolve();
  await tab.until(() => shown().includes("second."));
  expect(await pageWith(browser, path, isAtRest)).toContain("First second.");
});
