/** Servers whose answers never end. */
import { expect, test } from "bun:test";
import type { ModelEvent } from "../../src/domain/model.ts";
import { createModelPort } from "../../src/llm/port.ts";
import { PROVIDERS, requestFor, settingsFor } from "./support.ts";

/** Sends the same piece until nobody reads it any more. */
function serveEndless(begin: string, piece: string) {
  const bytes = new TextEncoder().encode(piece);
  return Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: () =>
      new Response(
        new ReadableStream({
          start: (controller) => controller.enqueue(new TextEncoder().encode(begin)),
          pull: (controller) => controller.enqueue(bytes),
        }),
        { headers: { "content-type": "text/event-stream" } },
      ),
  });
}

async function endOf(port: number | undefined, provider: (typeof PROVIDERS)[number]) {
  const models = createModelPort(settingsFor(() => `http://127.0.0.1:${port}/v1`));
  let last: ModelEvent | undefined;
  for await (const event of models.call(requestFor(provider))) last = event;
  return last;
}

const TOO_LARGE = { type: "end", reason: "failed", error: { code: "too_large" } };

test.each([...PROVIDERS])("%s: an event that never ends is cut off", async (provider) => {
  using server = serveEndless('data: {"a":"', "x".repeat(1024 * 1024));
  expect(await endOf(server.port, provider)).toMatchObject(TOO_LARGE);
});

test("a text that never ends is cut off", async () => {
  const content = "x".repeat(100_000);
  const chunk = {
    id: "a",
    object: "chat.completion.chunk",
    model: "m",
    choices: [{ index: 0, delta: { content }, finish_reason: null }],
  };
  using server = serveEndless("", `data: ${JSON.stringify(chunk)}\n\n`);
  expect(await endOf(server.port, "openai-compatible")).toMatchObject(TOO_LARGE);
});
