/** What goes over the wire beyond prompts and schemas: files, reasoning, cache marks, and what comes back in a loop. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { ModelFile, ModelRequest, ToolSpec } from "../../src/domain/model.ts";
import { createModelPort } from "../../src/llm/port.ts";
import type { Json } from "../../src/lib/json.ts";
import { at } from "../support/fill-schema.ts";
import { type ModelServer, type Play, startModelServer } from "../support/model-server.ts";
import {
  answerOf,
  collect,
  failureOf,
  NO_SETTINGS,
  PROVIDERS,
  requestFor,
  serverSettings,
} from "./support.ts";

const PNG = Uint8Array.fromBase64(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
);
const BASE64 = PNG.toBase64();
const PDF = new TextEncoder().encode("%PDF-1.4\n");
const SEARCH: ToolSpec = {
  name: "search",
  description: "Searches the web.",
  parameters: { type: "object", properties: { query: { type: "string" } }, required: ["query"] },
};
const EPHEMERAL = { type: "ephemeral" };

function file(name: string, mediaType: string, data: Uint8Array): ModelFile {
  return { name, mediaType, hash: name, data };
}

function ask(text: string, ...files: readonly ModelFile[]): Partial<ModelRequest> {
  return {
    messages: [
      { role: "system", text: "Be brief." },
      { role: "user", text, files },
    ],
  };
}

let server: ModelServer;
beforeAll(async () => {
  server = await startModelServer();
});
afterAll(() => server.stop());

const port = () => createModelPort(serverSettings(server));

/** The body of the only request that a call sends. */
async function bodyOf(request: ModelRequest) {
  const before = server.requests().length;
  const answer = await answerOf(port(), request);
  const sent = server.requests().slice(before);
  expect(sent.length).toBe(1);
  return { body: sent[0]?.body ?? null, answer };
}

const event = (value: { type: string; [key: string]: unknown }) =>
  `event: ${value.type}\ndata: ${JSON.stringify(value)}\n\n`;
const data = (value: unknown) => `data: ${JSON.stringify(value)}\n\n`;

/** Asks, gives the tool's result back, and returns the second request. */
async function secondRequest(request: ModelRequest, play: Play, other?: Partial<ModelRequest>) {
  server.next(play);
  const first = await answerOf(port(), request);
  expect(first.finish).toBe("tool_calls");
  const [call] = first.toolCalls;
  const { text, toolCalls, thoughts = null } = first;
  const { body } = await bodyOf({
    ...request,
    ...other,
    messages: [
      { role: "user", text: "Search it." },
      // As the journal keeps it.
      { role: "assistant", text, toolCalls, thoughts: JSON.parse(JSON.stringify(thoughts)) },
      { role: "tool", callId: call?.id ?? "", name: "search", text: "Found." },
    ],
  });
  return body;
}

const prompt = (length: number): Partial<ModelRequest> => ({
  messages: [{ role: "user", text: "x".repeat(length) }],
});

const marked = (body: Json) => JSON.stringify(body).split('"cache_control"').length - 1;

describe("files of a user's message", () => {
  const text = file("notes.md", "text/markdown", new TextEncoder().encode("# Notes ü"));
  const image = file("dot.png", "image/png", PNG);
  const document = file("paper.pdf", "application/pdf", PDF);
  const pdfUrl = `data:application/pdf;base64,${PDF.toBase64()}`;
  const words = 'File "notes.md":\n# Notes ü';
  const expected: Readonly<Record<string, (body: Json) => readonly [Json | undefined, unknown]>> = {
    openai: (body) => [
      at(body, "input", "1", "content"),
      [
        { type: "input_text", text: words },
        { type: "input_image", image_url: `data:image/png;base64,${BASE64}` },
        { type: "input_file", filename: "paper.pdf", file_data: pdfUrl },
        { type: "input_text", text: "Describe." },
      ],
    ],
    anthropic: (body) => [
      at(body, "messages", "0", "content"),
      [
        { type: "text", text: words },
        { type: "image", source: { type: "base64", media_type: "image/png", data: BASE64 } },
        {
          type: "document",
          title: "paper.pdf",
          source: { type: "base64", media_type: "application/pdf", data: PDF.toBase64() },
          // Retries and other steps ask about the same files again.
          cache_control: EPHEMERAL,
        },
        { type: "text", text: "Describe." },
      ],
    ],
    google: (body) => [
      at(body, "contents", "0", "parts"),
      [
        { text: words },
        { inlineData: { mimeType: "image/png", data: BASE64 } },
        { inlineData: { mimeType: "application/pdf", data: PDF.toBase64() } },
        { text: "Describe." },
      ],
    ],
    "openai-compatible": (body) => [
      at(body, "messages", "1", "content"),
      [
        { type: "text", text: words },
        { type: "image_url", image_url: { url: `data:image/png;base64,${BASE64}` } },
        { type: "file", file: { filename: "paper.pdf", file_data: pdfUrl } },
        { type: "text", text: "Describe." },
      ],
    ],
  };
  for (const [provider, read] of Object.entries(expected)) {
    test(`${provider}: text, image and PDF go before the prompt`, async () => {
      const name = PROVIDERS.find((known) => known === provider) ?? "openai";
      const { body } = await bodyOf(requestFor(name, ask("Describe.", text, image, document)));
      const [actual, wanted] = read(body);
      expect(actual).toEqual(wanted as never);
    });
  }

  test("ollama: takes images, and refuses a PDF before anything is sent", async () => {
    const { body } = await bodyOf(requestFor("ollama", ask("Describe.", image)));
    expect(at(body, "messages", "1", "content", "0")).toEqual({
      type: "image_url",
      image_url: { url: `data:image/png;base64,${BASE64}` },
    });
    const before = server.requests().length;
    const { error } = await failureOf(port(), requestFor("ollama", ask("Describe.", document)));
    expect(error).toEqual({
      code: "invalid",
      message: 'Ollama takes images and text but no PDF: "paper.pdf".',
      fix: "Ask another provider in this node, or give it the document as text or as images.",
    });
    expect(server.requests().length).toBe(before);
  });
});

describe("reasoning", () => {
  for (const [provider, model, expected] of [
    ["openai", "gpt-6-luna", { reasoning: { effort: "high" } }],
    ["google", "gemini-2.5-flash-lite", { generationConfig: { thinkingConfig: {} } }],
    ["ollama", "qwen3:8b", { reasoning_effort: "high" }],
    ["openai-compatible", "local-model", { reasoning_effort: "high" }],
  ] as const) {
    test(`${provider}: the level is sent, and the tokens that it costs are counted`, async () => {
      server.next({
        kind: "answer",
        pieces: ["Yes."],
        usage: { input: 10, output: 300, reasoning: 250 },
      });
      const { body, answer } = await bodyOf(requestFor(provider, { model, reasoning: "high" }));
      expect(body).toMatchObject(expected);
      expect([answer.usage.output, answer.usage.reasoning]).toEqual([300, 250]);
      const { body: without } = await bodyOf(requestFor(provider, { model }));
      expect(JSON.stringify(without)).not.toMatch(/effort|thinkingConfig/);
    });
  }

  test("anthropic: thinking has a budget, and no temperature beside it", async () => {
    const settings = { reasoning: "medium", temperature: 0.5, maxTokens: 2_000 } as const;
    const { body } = await bodyOf(requestFor("anthropic", settings));
    expect(body).toMatchObject({ thinking: { type: "enabled" } });
    expect(at(body, "temperature")).toBeUndefined();
  });

  test("openai: a model that reasons is not given a temperature", async () => {
    const { body } = await bodyOf(requestFor("openai", { model: "gpt-6-luna", temperature: 0.5 }));
    expect(at(body, "temperature")).toBeUndefined();
  });

  test("a server that refuses a temperature is asked without, once for the refusal and at once after it", async () => {
    await using strict = await startModelServer();
    const asker = createModelPort(serverSettings(strict));
    const message =
      "Unsupported value: 'temperature' does not support 0.2 with this model. Only the default (1) value is supported.";
    strict.next({ kind: "status", status: 400, message });
    const request = requestFor("openai-compatible", { temperature: 0.2 });
    for (const count of [2, 3]) {
      await answerOf(asker, request);
      expect(strict.requests().length).toBe(count);
    }
    expect(strict.requests().map(({ body }) => at(body, "temperature"))).toEqual([
      0.2,
      undefined,
      undefined,
    ]);
  });

  for (const [status, message] of [
    [400, "registry.ollama.ai/library/gemma3:4b does not support tools"],
    [404, "No endpoints found that support tool use."],
    [400, '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'],
    [500, "tools param requires --jinja flag"],
    [400, "Function calling is not enabled for models/gemma-3"],
  ] as const) {
    test(`a server that says "${message}" is asked without tools where these are optional`, async () => {
      await using strict = await startModelServer();
      const asker = createModelPort(serverSettings(strict));
      const refusal = { kind: "status", status, message } as const;
      strict.next(refusal);
      const tools = [{ name: "look", description: "Looks.", parameters: { type: "object" } }];
      const request = requestFor("openai-compatible", { tools, toolsOptional: true });
      for (const _ of [1, 2]) await answerOf(asker, request);
      expect(strict.requests().map(({ body }) => at(body, "tools") !== undefined)).toEqual([
        true,
        false,
        false,
      ]);
      // A step of a workflow cannot do its work without them.
      strict.next(refusal);
      const { error } = await failureOf(asker, requestFor("openai-compatible", { tools }));
      expect(error.code).not.toBe("internal");
      expect(at(strict.requests().at(-1)?.body, "tools")).toBeDefined();
    });
  }

  test("a temperature that is out of range is an error, not dropped", async () => {
    const message = "Invalid 'temperature': expected a value <= 2.";
    server.next({ kind: "status", status: 400, message });
    const { error } = await failureOf(port(), requestFor("openai-compatible", { temperature: 3 }));
    expect(error.code).toBe("provider_rejected");
  });

  test("a refused schema and a refused temperature are both left out", async () => {
    await using strict = await startModelServer();
    strict.next(
      { kind: "status", status: 400, message: "response_format is not supported" },
      { kind: "status", status: 400, message: "temperature is not supported" },
    );
    const output = {
      name: "a",
      schema: { type: "object", properties: { b: { type: "string" } }, required: ["b"] },
    };
    const request = requestFor("openai-compatible", { temperature: 0.2, output });
    const answer = await answerOf(createModelPort(serverSettings(strict)), request);
    expect(JSON.parse(answer.text)).toEqual({ b: "mock text" });
    expect(strict.requests().length).toBe(3);
  });
});

describe("prompt caching", () => {
  const loop: Partial<ModelRequest> = {
    tools: [SEARCH],
    messages: [
      { role: "system", text: "Be brief." },
      { role: "user", text: "Search it." },
      {
        role: "assistant",
        text: "I will.",
        toolCalls: [{ id: "toolu_1", name: "search", arguments: { query: "tea" } }],
      },
      { role: "tool", callId: "toolu_1", name: "search", text: "Found 7 pages." },
    ],
  };

  test("anthropic: a tool loop marks the system prompt and the last message", async () => {
    const { body } = await bodyOf(requestFor("anthropic", loop));
    expect(at(body, "system")).toEqual([
      { type: "text", text: "Be brief.", cache_control: EPHEMERAL },
    ]);
    expect(at(body, "messages", "2", "content")).toEqual([
      {
        type: "tool_result",
        tool_use_id: "toolu_1",
        content: "Found 7 pages.",
        cache_control: EPHEMERAL,
      },
    ]);
    expect(marked(body)).toBe(2);
  });

  test("anthropic: a long system prompt is marked, a lone question is not", async () => {
    const long = "Know this. ".repeat(500);
    const messages = [
      { role: "system", text: long },
      { role: "user", text: long },
    ] as const;
    const { body } = await bodyOf(requestFor("anthropic", { messages }));
    expect([at(body, "system", "0", "cache_control"), marked(body)]).toEqual([EPHEMERAL, 1]);
    const { body: short } = await bodyOf(requestFor("anthropic"));
    expect(marked(short)).toBe(0);
  });

  test("other providers do it by themselves and get no mark", async () => {
    for (const provider of PROVIDERS.filter((name) => name !== "anthropic")) {
      const { body } = await bodyOf(requestFor(provider, loop));
      expect(marked(body)).toBe(0);
    }
  });

  test("what was kept and read again has its own price, in its tier", async () => {
    const usage = { input: 300_000, cacheRead: 200_000, cacheWrite: 50_000, output: 1_000 };
    server.next({ kind: "answer", pieces: ["Yes."], usage });
    const model = "claude-sonnet-4-5";
    const { answer } = await bodyOf(requestFor("anthropic", { ...loop, model }));
    expect(answer.usage).toEqual({ ...usage, reasoning: 0 });
    // Above 200,000 tokens: 6 fresh, 0.60 read, 7.50 written, 22.50 out, dollars a million.
    const nano = 50_000 * 6_000 + 200_000 * 600 + 50_000 * 7_500 + 1_000 * 22_500;
    expect(answer.costNanoUsd).toBe(nano);
  });
});

describe("thoughts go back with the calls they led to", () => {
  const anthropicPlay: Play = {
    kind: "raw",
    pieces: [],
    events: [
      event({ type: "content_block_stop", index: 0 }),
      event({
        type: "content_block_start",
        index: 1,
        content_block: { type: "thinking", thinking: "", signature: "" },
      }),
      event({
        type: "content_block_delta",
        index: 1,
        delta: { type: "thinking_delta", thinking: "I should search." },
      }),
      event({
        type: "content_block_delta",
        index: 1,
        delta: { type: "signature_delta", signature: "sig-1" },
      }),
      event({ type: "content_block_stop", index: 1 }),
      event({
        type: "content_block_start",
        index: 2,
        content_block: { type: "tool_use", id: "toolu_9", name: "search", input: {} },
      }),
      event({
        type: "content_block_delta",
        index: 2,
        delta: { type: "input_json_delta", partial_json: '{"query":"tea"}' },
      }),
      event({ type: "content_block_stop", index: 2 }),
      event({
        type: "message_delta",
        delta: { stop_reason: "tool_use", stop_sequence: null },
        usage: { output_tokens: 20 },
      }),
      event({ type: "message_stop" }),
    ].join(""),
  };

  test("anthropic: the signed thinking comes first", async () => {
    const request = requestFor("anthropic", { tools: [SEARCH], reasoning: "low" });
    const body = await secondRequest(request, anthropicPlay);
    expect(at(body, "messages", "1", "content")).toEqual([
      { type: "thinking", thinking: "I should search.", signature: "sig-1" },
      { type: "tool_use", id: "toolu_9", name: "search", input: { query: "tea" } },
    ]);
  });

  test("another model is not given them", async () => {
    const request = requestFor("anthropic", { tools: [SEARCH], reasoning: "low" });
    const body = await secondRequest(request, anthropicPlay, { model: "claude-sonnet-4-5" });
    expect(at(body, "messages", "1", "content")).toEqual([
      { type: "tool_use", id: "toolu_9", name: "search", input: { query: "tea" } },
    ]);
  });

  test("google: the signature of a call", async () => {
    const body = await secondRequest(requestFor("google", { tools: [SEARCH] }), {
      kind: "raw",
      pieces: [],
      events: data({
        candidates: [
          {
            content: {
              role: "model",
              parts: [
                {
                  functionCall: { name: "search", args: { query: "tea" } },
                  thoughtSignature: "sig-2",
                },
              ],
            },
            finishReason: "STOP",
            index: 0,
          },
        ],
        usageMetadata: { promptTokenCount: 5, candidatesTokenCount: 5, totalTokenCount: 10 },
      }),
    });
    expect(at(body, "contents", "1", "parts", "0")).toMatchObject({
      functionCall: { name: "search", args: { query: "tea" } },
      thoughtSignature: "sig-2",
    });
  });

  test("openai: the encrypted reasoning", async () => {
    const reasoning = { id: "rs_1", type: "reasoning", encrypted_content: "enc-1", summary: [] };
    const call = {
      type: "function_call",
      id: "fc_1",
      call_id: "call_1",
      name: "search",
      arguments: '{"query":"tea"}',
      status: "completed",
    };
    const request = requestFor("openai", {
      model: "gpt-6-luna",
      tools: [SEARCH],
      reasoning: "low",
    });
    const body = await secondRequest(request, {
      kind: "raw",
      pieces: [],
      events: [
        event({ type: "response.output_item.added", output_index: 1, item: reasoning }),
        event({ type: "response.output_item.done", output_index: 1, item: reasoning }),
        event({ type: "response.output_item.added", output_index: 2, item: call }),
        event({ type: "response.output_item.done", output_index: 2, item: call }),
        event({
          type: "response.completed",
          response: {
            id: "resp_1",
            model: "gpt-6-luna",
            usage: { input_tokens: 5, output_tokens: 5 },
          },
        }),
      ].join(""),
    });
    expect(at(body, "include")).toContain("reasoning.encrypted_content");
    expect(at(body, "input")).toMatchObject([
      { role: "user" },
      { type: "reasoning", encrypted_content: "enc-1" },
      { type: "function_call", call_id: "call_1", name: "search" },
      { type: "function_call_output", call_id: "call_1", output: "Found." },
    ]);
  });
});

describe("estimateInputNanoUsd()", () => {
  test("counts a token for a short word, and images and PDF by their size", async () => {
    const model = "gpt-4o-mini";
    const estimate = (rest: Partial<ModelRequest>) =>
      port().estimateInputNanoUsd(requestFor("openai", { model, ...rest }));
    const empty = (await estimate(ask(""))) ?? 0;
    // 150 billionths of a dollar a token.
    const words = await estimate(ask("word ".repeat(100_000)));
    expect((words ?? 0) - empty).toBe(100_000 * 150);
    const large = file("a.png", "image/png", new Uint8Array(5_000_000));
    expect(((await estimate(ask("", large))) ?? 0) - empty).toBe(1_600 * 150);
    const document = file("a.pdf", "application/pdf", new Uint8Array(2_000));
    expect(((await estimate(ask("", document))) ?? 0) - empty).toBe(100 * 150);
    expect(await estimate({ ...prompt(0), tools: [SEARCH] })).toBeGreaterThan(30 * 150);
  });

  test("is 0 for the demo and for Ollama, and null where no price is known", async () => {
    const demo = { ...requestFor("openai", prompt(400)), provider: "demo", model: "demo" } as const;
    expect(await port().estimateInputNanoUsd(demo)).toBe(0);
    expect(await port().estimateInputNanoUsd(requestFor("ollama", prompt(400)))).toBe(0);
    const unknown = requestFor("openai", { model: "made-up", ...prompt(400) });
    expect(await port().estimateInputNanoUsd(unknown)).toBeNull();
  });
});

describe("accountOf()", () => {
  const limits = { concurrency: 3 };
  const settings = { ...serverSettings({ baseUrlFor: () => "http://x/v1" } as never), limits };
  const accounts = createModelPort(settings);

  test("is one for each address and key, with the limits of the settings", () => {
    const own = accounts.accountOf({ provider: "openai" });
    expect(own).toEqual({ name: expect.stringMatching(/^openai:[0-9a-f]{16}$/), limits });
    expect(accounts.accountOf({ provider: "openai" })).toEqual(own);
    const names = [
      own,
      accounts.accountOf({ provider: "openai", apiBase: "http://y/v1" }),
      accounts.accountOf({ provider: "anthropic" }),
      createModelPort({
        ...settings,
        openai: { ...settings.openai, apiKey: "sk-other-0123456789" },
      }).accountOf({ provider: "openai" }),
    ].map((account) => account?.name);
    expect(new Set(names).size).toBe(4);
    expect(JSON.stringify(names)).not.toContain(settings.openai.apiKey ?? "?");
  });

  test("has the provider's own limits where it has some", () => {
    const own = { openai: { limits: { requestsPerMinute: 2 } }, google: { model: "gemini-x" } };
    const limited = createModelPort({ ...settings, own });
    expect(limited.accountOf({ provider: "openai" })?.limits).toEqual({ requestsPerMinute: 2 });
    expect(limited.accountOf({ provider: "google" })?.limits).toEqual(limits);
  });

  test("is none for the demo, nor where nothing can be sent", () => {
    expect(accounts.accountOf({ provider: "demo" })).toBeUndefined();
    const bare = createModelPort(NO_SETTINGS);
    expect(bare.accountOf({ provider: "openai-compatible" })).toBeUndefined();
  });
});

test("call() does not take the thinking time of a model that thinks hard for silence", async () => {
  const timeouts = { firstPieceMs: 40, pieceMs: 40 };
  const patient = createModelPort(serverSettings(server), { timeouts });
  const startedAt = performance.now();
  server.next({ kind: "silence" });
  const { end } = await collect(patient, requestFor("ollama", { reasoning: "high" }));
  expect(end).toMatchObject({ reason: "failed", error: { code: "timeout" } });
  expect(performance.now() - startedAt).toBeGreaterThan(155);
});

test("contextWindow() is known of known models, and of no others", async () => {
  const models = [
    ["anthropic", "claude-haiku-4-5-20251001", 200_000],
    ["openai", "gpt-4o-mini", 128_000],
    ["openai", "nobody-knows", undefined],
    ["ollama", "llama3.2", undefined],
    ["demo", "demo", undefined],
  ] as const;
  const found = models.map(([provider, model]) => port().contextWindow({ provider, model }));
  expect(await Promise.all(found)).toEqual(models.map(([, , window]) => window));
});
