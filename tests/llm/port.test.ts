// Real HTTP through the real provider packages: ordinary answers come from aimock, which we did not
// write; what aimock drops (cached and reasoning tokens) and faults come from the hand-written server.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { ToolSpec } from "../../src/domain/model.ts";
import { createModelPort } from "../../src/llm/port.ts";
import { MOCK_USAGE, type ModelServer, startModelServer } from "../support/model-server.ts";
import { answerOf, collect, MODELS, PROVIDERS, requestFor, serverSettings } from "./support.ts";

const USED = {
  input: MOCK_USAGE.input,
  output: MOCK_USAGE.output,
  cacheRead: 0,
  cacheWrite: 0,
  reasoning: 0,
};
// 1,000 in and 500 out at $0.15/$0.60, $1/$5 and $0.10/$0.40 a million.
const COST = {
  openai: 450_000,
  anthropic: 3_500_000,
  google: 300_000,
  ollama: 0,
  "openai-compatible": 0,
};
const CLOSED = {
  type: "object",
  properties: { title: { type: "string" }, tags: { type: "array", items: { type: "string" } } },
  required: ["title", "tags"],
  additionalProperties: false,
} as const;
const WITH_MAP = {
  type: "object",
  properties: {
    score: { type: "integer" },
    shares: { type: "object", additionalProperties: { type: "integer" } },
  },
  required: ["score", "shares"],
} as const;
const SEARCH: ToolSpec = {
  name: "search",
  description: "Searches the web.",
  parameters: {
    type: "object",
    properties: { query: { type: "string" }, num: { type: "integer" } },
    required: ["query"],
  },
};
const TOLD = "must satisfy this JSON Schema";

let server: ModelServer;
beforeAll(async () => {
  server = await startModelServer({ latencyMs: 10 });
});
afterAll(() => server.stop());

/** The body of the request that a call sends. */
async function sentBy(call: () => Promise<unknown>) {
  const before = server.requests().length;
  await call();
  const sent = server.requests().slice(before);
  expect(sent.length).toBe(1);
  return sent[0];
}

const port = () => createModelPort(serverSettings(server));

/** From the abort in the middle of a stream to its end. */
async function abortDelayMs(provider: (typeof PROVIDERS)[number]): Promise<number> {
  server.next({ kind: "stall", pieces: ["One"] });
  const controller = new AbortController();
  let abortedAt = 0;
  const events = [];
  for await (const event of port().call(requestFor(provider, { signal: controller.signal }))) {
    events.push(event);
    if (event.type === "end") break;
    abortedAt = performance.now();
    controller.abort();
  }
  const delayMs = performance.now() - abortedAt;
  expect(events).toEqual([
    { type: "text", text: "One" },
    { type: "end", reason: "aborted" },
  ]);
  return delayMs;
}

for (const provider of PROVIDERS) {
  describe(provider, () => {
    test("call() streams the text in pieces before the end and prices the answer", async () => {
      const { pieces, times, end, endedAt } = await collect(port(), requestFor(provider));
      const text = "The mock server was asked: What is new?";
      expect(end).toEqual({
        type: "end",
        reason: "finished",
        answer: {
          text,
          toolCalls: [],
          finish: "stop",
          usage: USED,
          costNanoUsd: COST[provider],
          model: MODELS[provider],
        },
      });
      expect(pieces.join("")).toBe(text);
      expect(pieces.length).toBeGreaterThan(2);
      expect(endedAt - (times[0] ?? endedAt)).toBeGreaterThan(20);
    });

    test("call() gets JSON of a closed schema", async () => {
      const answer = await answerOf(
        port(),
        requestFor(provider, { output: { name: "article", schema: CLOSED } }),
      );
      expect(JSON.parse(answer.text)).toEqual({
        title: "mock text",
        tags: ["mock text", "mock text"],
      });
      expect(answer.finish).toBe("stop");
    });

    test("call() gets JSON of a schema with a map", async () => {
      const answer = await answerOf(
        port(),
        requestFor(provider, { output: { name: "scores", schema: WITH_MAP } }),
      );
      expect(JSON.parse(answer.text)).toEqual({ score: 42, shares: { first: 42 } });
    });

    test("call() hands over tool calls and takes their results back", async () => {
      await using caller = await startModelServer({ callTools: true });
      const tools = createModelPort(serverSettings(caller));
      const first = await answerOf(tools, requestFor(provider, { tools: [SEARCH] }));
      expect({ ...first, toolCalls: first.toolCalls.map(({ id: _id, ...call }) => call) }).toEqual({
        text: "",
        toolCalls: [{ name: "search", arguments: { query: "mock text", num: 42 } }],
        finish: "tool_calls",
        usage: USED,
        costNanoUsd: COST[provider],
        model: MODELS[provider],
      });
      const [toolCall] = first.toolCalls;
      if (toolCall === undefined) throw new Error("no tool call");
      const second = await answerOf(
        tools,
        requestFor(provider, {
          tools: [SEARCH],
          messages: [
            { role: "user", text: "Search it." },
            { role: "assistant", text: "", toolCalls: first.toolCalls },
            { role: "tool", callId: toolCall.id, name: "search", text: "Found 7 pages." },
          ],
        }),
      );
      expect(second.text).toBe("The mock server was asked: Search it.");
      const last = caller.requests().at(-1);
      expect(JSON.stringify(last?.body)).toContain("Found 7 pages.");
    });

    test("call() gets both a tool call and JSON from one conversation", async () => {
      await using caller = await startModelServer({ callTools: true });
      const both = createModelPort(serverSettings(caller));
      const output = { name: "article", schema: CLOSED };
      const first = await answerOf(both, requestFor(provider, { tools: [SEARCH], output }));
      expect(first.finish).toBe("tool_calls");
      const [toolCall] = first.toolCalls;
      if (toolCall === undefined) throw new Error("no tool call");
      const second = await answerOf(
        both,
        requestFor(provider, {
          tools: [SEARCH],
          output,
          messages: [
            { role: "user", text: "Search it." },
            { role: "assistant", text: "I will.", toolCalls: first.toolCalls },
            { role: "tool", callId: toolCall.id, name: "search", text: "Found 7 pages." },
          ],
        }),
      );
      expect(second.finish).toBe("stop");
      expect(JSON.parse(second.text)).toEqual({
        title: "mock text",
        tags: ["mock text", "mock text"],
      });
    });

    test("call() ends as aborted within 50 ms of the signal, in the middle of a stream", async () => {
      const delays: number[] = [];
      // The shortest of three, because other processes share the machine.
      for (let round = 0; round < 3; round += 1) delays.push(await abortDelayMs(provider));
      expect(Math.min(...delays)).toBeLessThan(50);
    });

    test("call() with an aborted signal sends nothing", async () => {
      const before = server.requests().length;
      const { end } = await collect(port(), requestFor(provider, { signal: AbortSignal.abort() }));
      expect(end).toEqual({ type: "end", reason: "aborted" });
      expect(server.requests().length).toBe(before);
    });

    test("call() sends settings, key and system text, and stores nothing", async () => {
      const sent = await sentBy(() =>
        collect(port(), requestFor(provider, { temperature: 0.25, maxTokens: 77 })),
      );
      expect(JSON.stringify(sent?.headers)).toMatch(
        {
          openai: /sk-test/,
          anthropic: /sk-ant/,
          google: /AIzaTest/,
          ollama: /./,
          "openai-compatible": /compatible-secret/,
        }[provider],
      );
      const body = JSON.stringify(sent?.body);
      expect(body).toContain("0.25");
      expect(body).toContain("77");
      expect(body).toContain("Be brief.");
      expect(body.includes('"store":false')).toBe(provider === "openai");
    });
  });
}

async function bodyFor(
  provider: (typeof PROVIDERS)[number],
  schema: object,
  tools: readonly ToolSpec[] = [],
) {
  const request = requestFor(provider, {
    tools,
    output: { name: "answer", schema: JSON.parse(JSON.stringify(schema)) },
  });
  const sent = await sentBy(() => collect(port(), request));
  return { body: sent?.body, isTold: JSON.stringify(sent?.body).includes(TOLD) };
}

describe("what is sent for a schema", () => {
  const closedMap = { ...WITH_MAP, additionalProperties: false };

  test("openai: strict for a closed schema, a hint and words for a map", async () => {
    expect(await bodyFor("openai", CLOSED)).toMatchObject({
      body: {
        text: { format: { type: "json_schema", strict: true, name: "answer", schema: CLOSED } },
      },
      isTold: false,
    });
    expect(await bodyFor("openai", WITH_MAP)).toMatchObject({
      body: { text: { format: { type: "json_schema", strict: false, schema: closedMap } } },
      isTold: true,
    });
  });

  test("openai: words alone for a schema that is no object", async () => {
    const { body, isTold } = await bodyFor("openai", { type: "array", items: { type: "string" } });
    expect(isTold).toBe(true);
    expect(JSON.stringify(body)).not.toContain("json_schema");
  });

  test("anthropic: native for a closed schema, a forced tool for a map", async () => {
    expect(await bodyFor("anthropic", CLOSED)).toMatchObject({
      body: { output_config: { format: { type: "json_schema", schema: CLOSED } } },
      isTold: false,
    });
    expect(await bodyFor("anthropic", WITH_MAP)).toMatchObject({
      body: { tools: [{ name: "json", input_schema: closedMap }], tool_choice: { type: "any" } },
      isTold: true,
    });
  });

  test("google: native for closed schemas and maps, words for a free-form object", async () => {
    expect(await bodyFor("google", WITH_MAP)).toMatchObject({
      body: {
        generationConfig: { responseMimeType: "application/json", responseJsonSchema: closedMap },
      },
      isTold: false,
    });
    const free = { type: "object", properties: { any: { type: "object" } }, required: ["any"] };
    const { body, isTold } = await bodyFor("google", free);
    expect(isTold).toBe(true);
    expect(JSON.stringify(body)).not.toContain("responseJsonSchema");
  });

  test("ollama: a grammar and words, but words alone beside tools", async () => {
    expect(await bodyFor("ollama", WITH_MAP)).toMatchObject({
      body: { response_format: { json_schema: { schema: closedMap } } },
      isTold: true,
    });
    const { body, isTold } = await bodyFor("ollama", CLOSED, [SEARCH]);
    expect(isTold).toBe(true);
    expect(JSON.stringify(body)).not.toContain("response_format");
  });

  test("openai-compatible: strict only where OpenAI itself would take it", async () => {
    expect(await bodyFor("openai-compatible", CLOSED)).toMatchObject({
      body: { response_format: { json_schema: { strict: true, schema: CLOSED } } },
    });
    expect(await bodyFor("openai-compatible", WITH_MAP)).toMatchObject({
      body: { response_format: { json_schema: { strict: false, schema: closedMap } } },
    });
  });

  test("a schema that the messages tell already is not told again", async () => {
    const text = `Answer in JSON of ${JSON.stringify(CLOSED)}`;
    const sent = await sentBy(() =>
      collect(
        port(),
        requestFor("ollama", {
          messages: [
            { role: "system", text },
            { role: "user", text: "Go." },
          ],
          output: { name: "answer", schema: CLOSED },
        }),
      ),
    );
    expect(sent?.body).toMatchObject({ messages: [{ role: "system", content: text }, {}] });
  });

  test("a model that refuses the schema is asked in words, once for the refusal and at once after it", async () => {
    await using strict = await startModelServer();
    const asker = createModelPort(serverSettings(strict));
    const message = "This response_format type is unavailable now";
    strict.next({ kind: "status", status: 400, message });
    const request = requestFor("openai-compatible", { output: { name: "answer", schema: CLOSED } });
    for (const count of [2, 3]) {
      const answer = await answerOf(asker, request);
      expect(JSON.parse(answer.text)).toEqual({
        title: "mock text",
        tags: ["mock text", "mock text"],
      });
      expect(strict.requests().length).toBe(count);
    }
    const formats = strict
      .requests()
      .map(({ body }) => JSON.stringify(body).includes("response_format"));
    expect(formats).toEqual([true, false, false]);
  });

  test("JSON in a fence, in a sentence or after thoughts is cut out", async () => {
    const request = requestFor("ollama", {
      tools: [SEARCH],
      output: { name: "answer", schema: CLOSED },
    });
    const json = '{"title":"A","tags":[]}';
    for (const text of [
      `\`\`\`json\n${json}\n\`\`\``,
      `Here it is: ${json} I hope it helps.`,
      `<think>{not json}</think>\n${json}`,
    ]) {
      server.next({ kind: "answer", pieces: [text] });
      expect((await answerOf(port(), request)).text).toBe(json);
    }
  });
});

describe("usage and cost", () => {
  const cached = { input: 2_000, output: 300, cacheRead: 1_024, cacheWrite: 512, reasoning: 100 };

  // By hand, in billionths of a dollar for one token: input, cached input, cache write, output.
  // openai gpt-4o-mini: 150, 75, as input, 600; anthropic claude-haiku-4-5: 1000, 100, 1250, 5000;
  // google gemini-2.5-flash-lite: 100, 10, as input, 400.
  for (const [provider, expected, costNanoUsd] of [
    ["openai", { ...cached, cacheWrite: 0 }, 976 * 150 + 1_024 * 75 + 300 * 600],
    [
      "anthropic",
      { ...cached, reasoning: 0 },
      464 * 1_000 + 1_024 * 100 + 512 * 1_250 + 300 * 5_000,
    ],
    ["google", { ...cached, cacheWrite: 0 }, 976 * 100 + 1_024 * 10 + 300 * 400],
    ["ollama", { ...cached, cacheWrite: 0 }, 0],
    ["openai-compatible", { ...cached, cacheWrite: 0 }, 0],
  ] as const) {
    test(`${provider}: cached and reasoning tokens are counted and priced`, async () => {
      server.next({ kind: "answer", pieces: ["Yes."], usage: cached });
      const answer = await answerOf(port(), requestFor(provider));
      expect({ usage: answer.usage, costNanoUsd: answer.costNanoUsd }).toEqual({
        usage: expected,
        costNanoUsd,
      });
    });
  }

  test("the model that answered is reported and priced, not the alias that was asked for", async () => {
    const usage = { input: 1_000_000, output: 0 };
    server.next({ kind: "answer", pieces: ["Yes."], model: "gpt-4.1-mini-2025-04-14", usage });
    const answer = await answerOf(port(), requestFor("openai"));
    expect([answer.model, answer.costNanoUsd]).toEqual(["gpt-4.1-mini-2025-04-14", 400_000_000]);
  });

  test("a model without a known price has none", async () => {
    const request = requestFor("openai", { model: "made-up-model" });
    const answer = await answerOf(port(), request);
    expect(answer.costNanoUsd).toBeNull();
  });

  test("finish tells an answer that was cut from one that was refused", async () => {
    for (const provider of PROVIDERS) {
      for (const finish of ["length", "refused"] as const) {
        server.next({ kind: "answer", pieces: ["Half"], finish });
        expect([provider, (await answerOf(port(), requestFor(provider))).finish]).toEqual([
          provider,
          finish,
        ]);
      }
    }
  });
});
