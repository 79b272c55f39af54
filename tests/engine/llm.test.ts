/** What an LLM node asks for, and its tools. */
import { describe, expect, test } from "bun:test";
import { AppError } from "../../src/domain/error.ts";
import type { ModelPort } from "../../src/domain/model.ts";
import { TOOL_OUTPUT_CHARS_MAX, TOOL_ROUNDS_MAX, TOOL_TIMEOUT_MS } from "../../src/domain/tool.ts";
import type { LlmNode, LlmSettings, ToolUse } from "../../src/domain/workflow.ts";
import { TOOL_CALLS_PER_ROUND_MAX } from "../../src/engine/node/tool-call.ts";
import { line, llmNode, RETRY_ALL } from "./fixture.ts";
import {
  askFor,
  failWith,
  type ModelScript,
  promptOf,
  say,
  sayFor,
  scriptedModels,
  scriptedTools,
} from "./script.ts";
import { createWorld } from "./world.ts";

const SEARCH: ToolUse = { name: "search", onError: "fail", config: { depth: 2 } };
const CONTINUE: ToolUse = { ...SEARCH, onError: "continue" };

/** Uses the tool once with these arguments, then answers. */
function useOnce(input: { readonly [key: string]: string } | string): ModelScript {
  return (_, callCount) =>
    callCount === 0 ? askFor({ id: "c1", name: "search", arguments: input }) : sayFor("a");
}

/** The tool message that the model saw in its second request. */
function seen(models: { readonly requests: readonly unknown[] }): unknown {
  const request = models.requests[1] as { messages: { role: string; text: string }[] } | undefined;
  return request?.messages.find(({ role }) => role === "tool")?.text;
}

/** Executes one node with these tools. */
async function execute(
  node: Partial<LlmNode>,
  script: ModelScript,
  tools: ReturnType<typeof scriptedTools>,
) {
  await using world = await createWorld(line([llmNode("a", node)]));
  const models = scriptedModels(script);
  const run = await world.execute({ models, tools });
  const journal = await world.store.runs.journal(run.id);
  return { run, models, journal, events: await world.events(run.id), errors: world.errors };
}

describe("the request of a node", () => {
  test("carries the rendered prompt, the answer's form and the node's settings", async () => {
    const node = llmNode("a", {
      inputs: { subject: "{state.topic}, please", topic: "hidden" },
      prompt: "Do {subject} ({topic}, {state.topic}).",
      outputDescription: "A short text.",
      llm: {
        provider: "anthropic",
        model: "m",
        temperature: 0.5,
        maxTokens: 99,
        apiBase: "http://x",
      },
    });
    await using world = await createWorld(line([node]));
    const models = scriptedModels(() => sayFor("a"));
    const run = await world.execute({ models });
    const [request] = models.requests;
    const schema = {
      type: "object",
      properties: { a: { type: "string" }, a_count: { type: "integer" } },
      required: ["a", "a_count"],
      additionalProperties: false,
      description: "A short text.",
    };
    expect(request).toEqual({
      provider: "anthropic",
      model: "m",
      apiBase: "http://x",
      temperature: 0.5,
      maxTokens: 99,
      messages: [
        {
          role: "system",
          text:
            "Answer with one JSON object and nothing else: no explanation, no code fence. " +
            `It must satisfy this JSON Schema:\n${JSON.stringify(schema)}`,
        },
        { role: "user", text: "Do tea, please (hidden, tea)." },
      ],
      tools: [],
      output: { name: "a", description: "A short text.", schema },
      signal: expect.any(AbortSignal),
    });
    const { steps, calls } = await world.store.runs.journal(run.id);
    expect(steps[0]?.input).toEqual({
      inputs: { subject: "tea, please", topic: "hidden" },
      prompt: "Do tea, please (hidden, tea).",
    });
    expect(calls[0]).toMatchObject({
      name: "m",
      request: { model: "m", messages: request?.messages, tools: [], structured: true },
      result: {
        text: '{"a":"a!","a_count":2}',
        toolCalls: [],
        finish: "stop",
        model: "scripted-1",
      },
    });
  });

  test("asks for plain text where the node has one text output", async () => {
    const outputs = [{ name: "a", type: { kind: "str" }, description: "A poem." }] as const;
    await using world = await createWorld(line([llmNode("a", { outputs })]));
    const models = scriptedModels(() => say("Roses are red."));
    const run = await world.execute({ models });
    expect(run.values["a"]).toBe("Roses are red.");
    expect(models.requests[0]?.output).toBeUndefined();
    expect(models.requests[0]?.messages[0]).toEqual({
      role: "system",
      text:
        "Answer with the text that is asked for and nothing else: no introduction, no remarks.\n" +
        "What is asked for: A poem.",
    });
  });

  const file: LlmSettings = { provider: "google", model: "gemini-x", apiBase: "http://g" };
  for (const [name, llm, overrides, expected] of [
    ["the file's settings without overrides", file, {}, file],
    [
      "another provider with its own model and address",
      file,
      { provider: "ollama" },
      { provider: "ollama" },
    ],
    ["the same provider with the file's model", file, { provider: "google" }, file],
    ["another model of the file's provider", file, { model: "m2" }, { ...file, model: "m2" }],
    [
      "both overrides",
      file,
      { provider: "openai", model: "m3" },
      { provider: "openai", model: "m3" },
    ],
    [
      "the file's model at the provider that the run names",
      { model: "m" },
      { provider: "ollama" },
      { provider: "ollama", model: "m" },
    ],
    [
      "no model of the file for the demo",
      { model: "m" },
      { provider: "demo" },
      { provider: "demo" },
    ],
  ] as const) {
    test(`resolves to ${name}`, async () => {
      await using world = await createWorld(line([llmNode("a", { llm })]));
      const asked: unknown[] = [];
      const scripted = scriptedModels(() => sayFor("a"));
      const models: ModelPort = {
        ...scripted,
        resolve: (settings) => {
          asked.push(settings);
          return scripted.resolve(settings);
        },
      };
      await world.execute({ models }, undefined, overrides);
      expect(asked).toEqual([expected]);
    });
  }

  test("is never made when the provider cannot be used", async () => {
    await using world = await createWorld(line([llmNode("a", { retry: RETRY_ALL })]));
    const models = scriptedModels(() => sayFor("a"));
    const broken: ModelPort = {
      ...models,
      resolve: () =>
        Promise.reject(
          new AppError("missing_key", "OPENAI_API_KEY is not set.", { fix: "Set it." }),
        ),
    };
    const run = await world.execute({ models: broken });
    expect([run.error, models.requests.length]).toEqual([
      {
        code: "missing_key",
        message: "Step `a` failed: OPENAI_API_KEY is not set.",
        fix: "Set it.",
      },
      0,
    ]);
  });
});

describe("the tool loop", () => {
  test("gives results back to the model and takes an answer that fits without another call", async () => {
    const tools = scriptedTools({ search: (input, { config }) => ({ input, config }) });
    const { run, models, journal, events } = await execute(
      { tools: [SEARCH] },
      useOnce({ q: "tea" }),
      tools,
    );
    expect([run.state, models.requests.length]).toEqual(["succeeded", 2]);
    expect(models.requests.map((request) => [request.tools.length, request.output])).toEqual([
      [1, undefined],
      [1, undefined],
    ]);
    expect(models.requests[1]?.messages.slice(2)).toEqual([
      {
        role: "assistant",
        text: "",
        toolCalls: [{ id: "c1", name: "search", arguments: { q: "tea" } }],
      },
      {
        role: "tool",
        callId: "c1",
        name: "search",
        text: '{"input":{"q":"tea"},"config":{"depth":2}}',
      },
    ]);
    expect(tools.uses).toEqual([{ tool: "search", input: { q: "tea" }, key: `${run.id}/a/1.1` }]);
    expect(journal.calls.map(({ ordinal, kind, name }) => [ordinal, kind, name])).toEqual([
      [0, "model", "scripted-1"],
      [1, "tool", "search"],
      [2, "model", "scripted-1"],
    ]);
    expect(events.filter(({ type }) => type.startsWith("tool."))).toEqual([
      { type: "tool.started", step: "a", attempt: 1, call: 1, tool: "search", input: { q: "tea" } },
      {
        type: "tool.finished",
        step: "a",
        attempt: 1,
        call: 1,
        tool: "search",
        ok: true,
        durationMs: 0,
      },
    ]);
  });

  test("asks once more in the form, without tools, when the free answer does not fit", async () => {
    const { run, models } = await execute(
      { tools: [SEARCH] },
      (request, callCount) => {
        if (callCount === 0) return askFor({ id: "c1", name: "search", arguments: { q: "tea" } });
        return request.output === undefined ? say("I think it is green.") : sayFor("a");
      },
      scriptedTools({ search: () => "green" }),
    );
    expect(run.state).toBe("succeeded");
    const last = models.requests[2];
    expect([last?.tools, last?.messages.length, last?.output?.name]).toEqual([[], 2, "a"]);
    expect(last === undefined ? "" : promptOf(last)).toBe(
      'Do a about tea.\n\nResults of the tools that you have used:\n\nsearch({"q":"tea"}):\ngreen',
    );
  });

  test("makes the calls of one answer in parallel", async () => {
    let current = 0;
    let most = 0;
    const tools = scriptedTools({
      search: async (input) => {
        current += 1;
        most = Math.max(most, current);
        await new Promise((resolve) => setImmediate(resolve));
        current -= 1;
        return input["q"] ?? null;
      },
    });
    const calls = ["x", "y", "z"].map((q) => ({ id: q, name: "search", arguments: { q } }));
    const script: ModelScript = (_, count) => (count === 0 ? askFor(...calls) : sayFor("a"));
    const { models } = await execute({ tools: [SEARCH] }, script, tools);
    expect(most).toBe(3);
    expect(models.requests[1]?.messages.slice(3).map((message) => message.text)).toEqual([
      "x",
      "y",
      "z",
    ]);
  });

  test(`ends after ${TOOL_ROUNDS_MAX} rounds with a call without tools`, async () => {
    const tools = scriptedTools({ search: () => "more" });
    const { run, models } = await execute(
      { tools: [SEARCH] },
      (request, count) =>
        request.tools.length > 0
          ? askFor({ id: "same", name: "search", arguments: { count: String(count) } })
          : sayFor("a"),
      tools,
    );
    expect([run.state, models.requests.length]).toEqual(["succeeded", TOOL_ROUNDS_MAX + 1]);
    // A provider may use the same id in each round: the keys differ all the same.
    expect(new Set(tools.uses.map(({ key }) => key)).size).toBe(TOOL_ROUNDS_MAX);
  });

  test("on_error fail: fails the step with the tool's error", async () => {
    const tools = scriptedTools({
      search: () => {
        throw new AppError("tool_failed", "No network.", { fix: "Plug it in." });
      },
    });
    const { run, models, journal } = await execute(
      { tools: [SEARCH], retry: RETRY_ALL },
      useOnce({}),
      tools,
    );
    expect(run.error).toEqual({
      code: "tool_failed",
      message: "Step `a` failed: No network.",
      fix: "Plug it in.",
    });
    expect([models.requests.length, journal.calls.length]).toEqual([1, 2]);
  });

  test("on_error continue: gives the failure to the model", async () => {
    const tools = scriptedTools({
      search: () => {
        throw new AppError("tool_failed", "No network.");
      },
    });
    const { run, models, events } = await execute({ tools: [CONTINUE] }, useOnce({}), tools);
    expect([run.state, seen(models)]).toEqual(["succeeded", "Error: No network."]);
    expect(events.find(({ type }) => type === "tool.finished")).toMatchObject({ ok: false });
  });

  test("gives wrong arguments and unknown names back to the model, whatever on_error says", async () => {
    const picky = scriptedTools({
      search: () => {
        throw new AppError("invalid", "`q` is missing.");
      },
    });
    const wrong = await execute({ tools: [SEARCH] }, useOnce({}), picky);
    expect([wrong.run.state, seen(wrong.models)]).toEqual(["succeeded", "Error: `q` is missing."]);
    const text = await execute({ tools: [SEARCH] }, useOnce("tea"), picky);
    expect(seen(text.models)).toBe("Error: The arguments of `search` must be a JSON object.");
    const named = await execute(
      { tools: [SEARCH] },
      (_, count) =>
        count === 0 ? askFor({ id: "c1", name: "serach", arguments: {} }) : sayFor("a"),
      picky,
    );
    expect(seen(named.models)).toBe("Error: There is no tool named `serach`.");
  });

  test("treats a tool that throws something else as failed, and keeps the cause", async () => {
    const tools = scriptedTools({
      search: () => {
        throw new TypeError("bug with sk-secret");
      },
    });
    const { run } = await execute({ tools: [SEARCH] }, useOnce({}), tools);
    expect([run.error?.code, run.error?.message]).toEqual([
      "tool_failed",
      "Step `a` failed: Tool `search` failed unexpectedly.",
    ]);
    expect(run.error?.details).toContain("bug with [redacted]");
  });

  test("ends a tool that takes too long, even one that does not listen", async () => {
    const tools = scriptedTools({ search: () => new Promise(() => {}) });
    const { run, models } = await execute({ tools: [CONTINUE] }, useOnce({}), tools);
    expect([run.state, seen(models)]).toEqual([
      "succeeded",
      `Error: Tool \`search\` took longer than ${TOOL_TIMEOUT_MS / 1000} s.`,
    ]);
  });

  test("makes a call that failed its attempt again in the next attempt, with the same key", async () => {
    let calls = 0;
    const tools = scriptedTools({
      search: () => {
        calls += 1;
        if (calls === 1) throw new AppError("timeout", "Slow.");
        return "found";
      },
    });
    const { run, models } = await execute(
      { tools: [SEARCH], retry: RETRY_ALL },
      useOnce({}),
      tools,
    );
    expect([run.state, models.requests.length]).toEqual(["succeeded", 2]);
    expect(tools.uses.map(({ key }) => key)).toEqual([`${run.id}/a/1.1`, `${run.id}/a/1.1`]);
  });

  test("cuts long results with a notice", async () => {
    const tools = scriptedTools({ search: () => "x".repeat(TOOL_OUTPUT_CHARS_MAX + 1) });
    const { models } = await execute({ tools: [SEARCH] }, useOnce({}), tools);
    expect(seen(models)).toBe(
      `${"x".repeat(TOOL_OUTPUT_CHARS_MAX)}\n[Cut: the first 8000 of 8001 characters.]`,
    );
  });

  test("never cuts a character into halves that no database takes", async () => {
    const tools = scriptedTools({ search: () => `${"x".repeat(TOOL_OUTPUT_CHARS_MAX - 1)}😀` });
    const { models } = await execute({ tools: [SEARCH] }, useOnce({}), tools);
    expect(String(seen(models)).isWellFormed()).toBe(true);
  });

  test(`makes at most ${TOOL_CALLS_PER_ROUND_MAX} calls of one answer and says so`, async () => {
    const calls = Array.from({ length: TOOL_CALLS_PER_ROUND_MAX + 1 }, (_, index) => ({
      id: String(index),
      name: "search",
      arguments: {},
    }));
    const tools = scriptedTools({ search: () => "found" });
    const { models } = await execute(
      { tools: [SEARCH] },
      (_, count) => (count === 0 ? askFor(...calls) : sayFor("a")),
      tools,
    );
    expect(tools.uses.length).toBe(TOOL_CALLS_PER_ROUND_MAX);
    expect(models.requests[1]?.messages.at(-1)?.text).toStartWith("Not called:");
  });

  test("is not begun when a tool lacks its key or does not exist", async () => {
    const keyless = scriptedTools({ search: () => "" }, () => {
      throw new AppError("missing_key", "SERPER_API_KEY is not set.");
    });
    const missing = await execute({ tools: [SEARCH] }, useOnce({}), keyless);
    expect([missing.run.error?.code, missing.models.requests.length]).toEqual(["missing_key", 0]);
    const none = await execute(
      { tools: [SEARCH] },
      useOnce({}),
      scriptedTools({ fetch: () => "" }),
    );
    expect(none.run.error).toEqual({
      code: "invalid",
      message: "Step `a` failed: There is no tool named `search`.",
      fix: "Use one of these in node `a`: fetch.",
    });
  });

  test("does not exist for the demo provider, which needs no key of any tool", async () => {
    await using world = await createWorld(line([llmNode("a", { tools: [SEARCH] })]));
    const models = scriptedModels((request) =>
      request.tools.length === 0 && request.output !== undefined
        ? sayFor("a")
        : failWith({ code: "internal", message: "offered tools" }),
    );
    const tools = scriptedTools({ search: () => "" });
    const run = await world.execute({ models, tools }, undefined, { provider: "demo" });
    expect([run.state, tools.checks, models.requests.length]).toEqual(["succeeded", [], 1]);
  });
});
