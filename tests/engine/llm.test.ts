/** What an LLM node asks for, and its tools. */
import { describe, expect, test } from "bun:test";
import { AppError } from "../../src/domain/error.ts";
import type { ModelFile, ModelPort } from "../../src/domain/model.ts";
import {
  TOOL_OUTPUT_CHARS_MAX,
  TOOL_ROUNDS_MAX,
  TOOL_TIMEOUT_MS,
  type ToolContext,
  type ToolPort,
} from "../../src/domain/tool.ts";
import type { LlmNode, LlmSettings, ToolUse } from "../../src/domain/workflow.ts";
import { createAttemptLog } from "../../src/engine/attempt-log.ts";
import { newAttempt } from "../../src/engine/new-attempt.ts";
import { llmNode } from "../../src/engine/node/llm.ts";
import { runTool, TOOL_CALLS_PER_ROUND_MAX } from "../../src/engine/node/tool-call.ts";
import { createFakeClock } from "./fake-clock.ts";
import { failureOf, RUN } from "./node/harness.ts";
import {
  askFor,
  failWith,
  FITTING,
  jsonNode,
  llmStep,
  promptOf,
  reasonOf,
  redactSecret,
  say,
  type Script,
  scriptedModels,
  scriptedTools,
  textNode,
} from "./node/llm-kit.ts";

const SEARCH: ToolUse = { name: "search", onError: "fail", config: { depth: 2 } };
const CONTINUE: ToolUse = { ...SEARCH, onError: "continue" };
const sayFitting = () => say(FITTING);

/** Uses the tool once with these arguments, then answers. */
function useOnce(input: { readonly [key: string]: string } | string): Script {
  return (_, callCount) =>
    callCount === 0 ? askFor({ id: "c1", name: "search", arguments: input }) : sayFitting();
}

/** The tool message that the model saw in its second request. */
function seen(models: ReturnType<typeof scriptedModels>): string | undefined {
  return models.requests[1]?.messages.find(({ role }) => role === "tool")?.text;
}

/** Executes one node with these tools; a failure is part of what comes back. */
async function execute(node: Partial<LlmNode>, script: Script, tools: ToolPort) {
  const models = scriptedModels(script);
  const step = llmStep({ models, ports: { tools } });
  const work = step.run(jsonNode(node));
  const failure = await work.then(
    () => undefined,
    () => failureOf(work),
  );
  return { ...step, models, failure };
}

describe("the request of a node", () => {
  test("carries the rendered prompt, the answer's form and the node's settings", async () => {
    const node = jsonNode({
      inputs: { subject: "{state.topic}, please", topic: "hidden" },
      prompt: "Do {subject} ({topic}, {state.topic}).",
      outputDescription: "A short text.",
      llm: {
        provider: "anthropic",
        model: "m",
        temperature: 0.5,
        maxTokens: 99,
        reasoning: "low",
        apiBase: "http://x",
        fallbacks: [],
      },
    });
    const models = scriptedModels(sayFitting);
    const step = llmStep({ models });
    expect(step.render(llmNode, node)).toEqual({
      inputs: { subject: "tea, please", topic: "hidden" },
      prompt: "Do tea, please (hidden, tea).",
    });
    expect(await step.run(node)).toEqual({ patch: { a: "a!", a_count: 2 } });
    const schema = {
      type: "object",
      properties: { a: { type: "string" }, a_count: { type: "integer" } },
      required: ["a", "a_count"],
      additionalProperties: false,
      description: "A short text.",
    };
    const messages = [
      {
        role: "system",
        text:
          "Answer with one JSON object and nothing else: no explanation, no code fence. " +
          `It must satisfy this JSON Schema:\n${JSON.stringify(schema)}`,
      },
      { role: "user", text: "Do tea, please (hidden, tea)." },
    ] as const;
    const settings = {
      provider: "anthropic",
      model: "m",
      apiBase: "http://x",
      temperature: 0.5,
      maxTokens: 99,
      reasoning: "low",
    } as const;
    expect(models.requests).toEqual([
      {
        ...settings,
        messages,
        tools: [],
        output: { name: "a", description: "A short text.", schema },
        signal: expect.any(AbortSignal),
      },
    ]);
    expect(step.calls).toMatchObject([
      {
        name: "m",
        request: { ...settings, messages, tools: [], structured: true },
        result: { text: FITTING, toolCalls: [], finish: "stop", model: "scripted-1" },
      },
    ]);
  });

  test("asks for plain text where the node has one text output", async () => {
    const outputs = [{ name: "a", type: { kind: "str" }, description: "A poem." }] as const;
    const models = scriptedModels(() => say("Roses are red."));
    const result = await llmStep({ models }).run(textNode({ outputs }));
    expect(result).toEqual({ patch: { a: "Roses are red." } });
    expect(models.requests[0]?.output).toBeUndefined();
    expect(models.requests[0]?.messages[0]).toEqual({
      role: "system",
      text:
        "Answer with the text that is asked for and nothing else: no introduction, no remarks.\n" +
        "What is asked for: A poem.",
    });
  });

  test("tells the model why the answer before it was refused", async () => {
    const models = scriptedModels(sayFitting);
    await llmStep({ models, step: { correction: "- a is missing" } }).run(jsonNode());
    expect(promptOf(models.requests[0])).toBe(
      "Do it about tea.\n\nYour answer before this one was refused:\n- a is missing\nAnswer again and mend this.",
    );
  });

  test("an answer that does not fit is output_invalid with the reasons", async () => {
    const models = scriptedModels(() => say('{"a":1}', { finish: "length" }));
    const failure = await failureOf(llmStep({ models }).run(jsonNode()));
    expect(failure.code).toBe("output_invalid");
    expect(failure.message).toContain("The answer was cut at the token limit.");
    expect(failure.message).toContain('"a_count" is missing');
  });

  const file: LlmSettings = {
    provider: "google",
    model: "gemini-x",
    apiBase: "http://g",
    fallbacks: [],
  };
  const { fallbacks: _, ...asWritten } = file;
  for (const [name, llm, overrides, expected] of [
    ["the file's settings without overrides", file, {}, asWritten],
    [
      "another provider with its own model and address",
      file,
      { provider: "ollama" },
      { provider: "ollama" },
    ],
    ["the same provider with the file's model", file, { provider: "google" }, asWritten],
    ["another model of the file's provider", file, { model: "m2" }, { ...asWritten, model: "m2" }],
    [
      "both overrides",
      file,
      { provider: "openai", model: "m3" },
      { provider: "openai", model: "m3" },
    ],
    [
      "the file's model at the provider that the run names",
      { model: "m", fallbacks: [] },
      { provider: "ollama" },
      { provider: "ollama", model: "m" },
    ],
    [
      "no model of the file for the demo",
      { model: "m", fallbacks: [] },
      { provider: "demo" },
      { provider: "demo" },
    ],
  ] as const) {
    test(`resolves to ${name}`, async () => {
      const asked: unknown[] = [];
      const scripted = scriptedModels(sayFitting);
      const models: ModelPort = {
        ...scripted,
        resolve: (settings) => {
          asked.push(settings);
          return scripted.resolve(settings);
        },
      };
      const run = { ...RUN, overrides };
      await llmStep({ models, step: { run } }).run(jsonNode({ llm }));
      expect(asked).toEqual([expected]);
    });
  }

  test("is never made when the provider cannot be used", async () => {
    const models = scriptedModels(sayFitting);
    const missing = new AppError("missing_key", "OPENAI_API_KEY is not set.", { fix: "Set it." });
    const broken: ModelPort = { ...models, resolve: () => Promise.reject(missing) };
    expect(await failureOf(llmStep({ models: broken }).run(jsonNode()))).toEqual({
      code: "missing_key",
      message: "OPENAI_API_KEY is not set.",
      fix: "Set it.",
    });
    expect(models.requests).toEqual([]);
  });
});

describe("files of a node", () => {
  const image: ModelFile = {
    name: "a.png",
    mediaType: "image/png",
    hash: "h1",
    data: new Uint8Array([1, 2, 3]),
  };
  const node = textNode({ files: ["{topic}.png", "{missing}"] });
  const values = { topic: "tea", missing: null };

  test("are rendered, read, sent with the prompt and journaled by name", async () => {
    const models = scriptedModels(() => say("A cup."));
    const asked: string[] = [];
    const files = { read: async (reference: string) => (asked.push(reference), image) };
    const step = llmStep({ models, ports: { files }, values });
    expect(step.render(llmNode, node)).toMatchObject({ files: ["tea.png"] });
    await step.run(node);
    expect(asked).toEqual(["tea.png"]);
    expect(models.requests[0]?.messages[1]).toEqual({
      role: "user",
      text: "Do it about tea.",
      files: [image],
    });
    expect(step.calls[0]?.request).toMatchObject({
      messages: [
        {},
        {
          role: "user",
          text: "Do it about tea.",
          files: [{ name: "a.png", mediaType: "image/png", hash: "h1", size: 3 }],
        },
      ],
    });
    // The answer is journaled: the file may be gone by now.
    expect(await step.run(node)).toEqual({ patch: { text: "A cup." } });
    expect(asked.length).toBe(1);
  });

  test("are read once for a whole tool loop and for the last question", async () => {
    let readCount = 0;
    const files = { read: async () => ((readCount += 1), image) };
    const models = scriptedModels(({ tools }, count) => {
      if (count === 0) return askFor({ id: "c1", name: "search", arguments: {} });
      return tools.length > 0 ? say("Not JSON.") : sayFitting();
    });
    const ports = { files, tools: scriptedTools({ search: () => "7" }) };
    const step = llmStep({ models, ports, values });
    await step.run(jsonNode({ files: ["a.png"], tools: [SEARCH] }));
    expect(readCount).toBe(1);
    expect(models.requests.map(({ messages: [, user] }) => user)).toMatchObject([
      { files: [image] },
      { files: [image] },
      { files: [image] },
    ]);
  });

  test("that cannot be read fail the step before any call", async () => {
    const models = scriptedModels(() => say("A cup."));
    const gone = new AppError("not_found", "It is gone.");
    const step = llmStep({
      models,
      ports: { files: { read: () => Promise.reject(gone) } },
      values,
    });
    expect((await failureOf(step.run(node))).code).toBe("not_found");
    expect([models.requests.length, step.turns.log]).toEqual([0, []]);
  });

  test("are not read for the demo, which works without them", async () => {
    const models = scriptedModels(() => say("A cup."));
    const step = llmStep({ models, values });
    const demo = { ...node, llm: { provider: "demo", fallbacks: [] } } as const;
    expect(await step.run(demo)).toEqual({ patch: { text: "A cup." } });
  });
});

describe("the tool loop", () => {
  test("gives results back to the model and takes an answer that fits without another call", async () => {
    const tools = scriptedTools({ search: (input, { config }) => ({ input, config }) });
    const { failure, models, calls, events } = await execute(
      { tools: [SEARCH] },
      useOnce({ q: "tea" }),
      tools,
    );
    expect([failure, models.requests.length]).toEqual([undefined, 2]);
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
    expect(tools.uses).toEqual([{ tool: "search", input: { q: "tea" }, key: "run1/n/1.1" }]);
    expect(calls.map(({ ordinal, kind, name }) => [ordinal, kind, name])).toEqual([
      [0, "model", "m1"],
      [1, "tool", "search"],
      [2, "model", "m1"],
    ]);
    expect(events.filter(({ type }) => type.startsWith("tool."))).toEqual([
      { type: "tool.started", step: "n", attempt: 1, call: 1, tool: "search", input: { q: "tea" } },
      {
        type: "tool.finished",
        step: "n",
        attempt: 1,
        call: 1,
        tool: "search",
        ok: true,
        durationMs: expect.any(Number),
      },
    ]);
  });

  test("asks once more in the form, without tools, when the free answer does not fit", async () => {
    const { failure, models } = await execute(
      { tools: [SEARCH] },
      (request, callCount) => {
        if (callCount === 0) return askFor({ id: "c1", name: "search", arguments: { q: "tea" } });
        return request.output === undefined ? say("I think it is green.") : sayFitting();
      },
      scriptedTools({ search: () => "green" }),
    );
    expect(failure).toBeUndefined();
    const last = models.requests[2];
    expect([last?.tools, last?.messages.length, last?.output?.name]).toEqual([[], 2, "a"]);
    expect(promptOf(last)).toBe(
      'Do it about tea.\n\nResults of the tools that you have used:\n\nsearch({"q":"tea"}):\ngreen',
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
    const script: Script = (_, count) => (count === 0 ? askFor(...calls) : sayFitting());
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
    const { failure, models } = await execute(
      { tools: [SEARCH] },
      (request, count) =>
        request.tools.length > 0
          ? askFor({ id: "same", name: "search", arguments: { count: String(count) } })
          : sayFitting(),
      tools,
    );
    expect([failure, models.requests.length]).toEqual([undefined, TOOL_ROUNDS_MAX + 1]);
    // A provider may use the same id in each round: the keys differ all the same.
    expect(new Set(tools.uses.map(({ key }) => key)).size).toBe(TOOL_ROUNDS_MAX);
  });

  test("on_error fail: fails the step with the tool's error", async () => {
    const tools = scriptedTools({
      search: () => {
        throw new AppError("tool_failed", "No network.", { fix: "Plug it in." });
      },
    });
    const { failure, models, calls } = await execute({ tools: [SEARCH] }, useOnce({}), tools);
    expect(failure).toEqual({
      code: "tool_failed",
      message: "No network.",
      fix: "Plug it in.",
    });
    expect([models.requests.length, calls.length]).toEqual([1, 2]);
  });

  test("on_error continue: gives the failure to the model", async () => {
    const tools = scriptedTools({
      search: () => {
        throw new AppError("tool_failed", "No network.");
      },
    });
    const { failure, models, events } = await execute({ tools: [CONTINUE] }, useOnce({}), tools);
    expect([failure, seen(models)]).toEqual([undefined, "Error: No network."]);
    expect(events.find(({ type }) => type === "tool.finished")).toMatchObject({ ok: false });
  });

  test("gives wrong arguments and unknown names back to the model, whatever on_error says", async () => {
    const picky = scriptedTools({
      search: () => {
        throw new AppError("invalid", "`q` is missing.");
      },
    });
    const wrong = await execute({ tools: [SEARCH] }, useOnce({}), picky);
    expect([wrong.failure, seen(wrong.models)]).toEqual([undefined, "Error: `q` is missing."]);
    const text = await execute({ tools: [SEARCH] }, useOnce("tea"), picky);
    expect(seen(text.models)).toBe("Error: The arguments of `search` must be a JSON object.");
    const named = await execute(
      { tools: [SEARCH] },
      (_, count) =>
        count === 0 ? askFor({ id: "c1", name: "serach", arguments: {} }) : sayFitting(),
      picky,
    );
    expect(seen(named.models)).toBe("Error: There is no tool named `serach`. Use one of: search.");
  });

  test("treats a tool that throws something else as failed, and keeps the cause", async () => {
    const tools = scriptedTools({
      search: () => {
        throw new TypeError("bug with sk-secret");
      },
    });
    const step = llmStep({
      models: scriptedModels(useOnce({})),
      ports: { tools },
      step: { redact: redactSecret },
    });
    const failure = await failureOf(step.run(jsonNode({ tools: [SEARCH] })));
    expect([failure.code, failure.message]).toEqual([
      "tool_failed",
      "Tool `search` failed unexpectedly.",
    ]);
    const { result } = step.calls[1] ?? {};
    expect(JSON.stringify(result)).toContain("bug with [redacted]");
  });

  for (const [name, timeoutMs] of [
    ["the limit of all tools", undefined],
    ["a limit of its own", 1_500],
  ] as const) {
    test(`ends a tool that takes longer than ${name}, even one that does not listen`, async () => {
      const clock = createFakeClock();
      const startMs = clock.now();
      const tools = scriptedTools({
        search: () => {
          queueMicrotask(() => clock.step());
          return new Promise(() => {});
        },
      });
      const models = scriptedModels(useOnce({}));
      const use = timeoutMs === undefined ? CONTINUE : { ...CONTINUE, timeoutMs };
      await llmStep({ models, ports: { tools }, step: { clock } }).run(jsonNode({ tools: [use] }));
      const limitMs = timeoutMs ?? TOOL_TIMEOUT_MS;
      expect(clock.now() - startMs).toBe(limitMs);
      expect(seen(models)).toBe(
        `Error: Tool \`search\` took longer than ${limitMs / 1000} s. Raise the tool's \`timeout\`, or ask it for less.`,
      );
    });
  }

  test("logs what a tool writes while it runs, and nothing after its end", async () => {
    const clock = createFakeClock();
    const contexts: ToolContext[] = [];
    const tools = scriptedTools({
      search: (_, context) => {
        contexts.push(context);
        const { onOutput } = context;
        onOutput("stdout", "half");
        onOutput("stderr", "oh");
        queueMicrotask(() => clock.step());
        return new Promise(() => {});
      },
    });
    const step = llmStep({
      models: scriptedModels(useOnce({})),
      ports: { tools },
      step: { clock },
    });
    await step.run(jsonNode({ tools: [CONTINUE] }));
    contexts[0]?.onOutput("stdout", "late");
    const place = { type: "output.delta", step: "n", attempt: 1, call: 1 } as const;
    expect(step.typed("output.delta")).toEqual([
      { ...place, stream: "stdout", text: "half" },
      { ...place, stream: "stderr", text: "oh" },
    ]);
  });

  test("makes a call that failed its attempt again in the next attempt, with the same key", async () => {
    let callCount = 0;
    const tools = scriptedTools({
      search: () => {
        callCount += 1;
        if (callCount === 1) throw new AppError("timeout", "Slow.");
        return "found";
      },
    });
    const models = scriptedModels(useOnce({}));
    const step = llmStep({ models, ports: { tools } });
    const node = jsonNode({ tools: [SEARCH] });
    expect((await failureOf(step.run(node))).code).toBe("timeout");
    // What the engine lets the next attempt go on from.
    const log = createAttemptLog();
    const begun = newAttempt({ key: "n", nodeId: "a", attempt: 1, input: {}, startedAt: 0 });
    log.put({ ...begun, state: "failed", error: { code: "timeout", message: "Slow." } });
    log.put({ ...begun, attempt: 2 });
    for (const call of step.calls) log.putCall(call);
    step.calls.splice(0, step.calls.length, ...log.finishedCalls("n").calls.values());
    expect(await step.run(node, { attempt: 2 })).toEqual({ patch: { a: "a!", a_count: 2 } });
    expect(models.requests.length).toBe(2);
    expect(tools.uses.map(({ key }) => key)).toEqual(["run1/n/1.1", "run1/n/1.1"]);
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
      (_, count) => (count === 0 ? askFor(...calls) : sayFitting()),
      tools,
    );
    expect(tools.uses.length).toBe(TOOL_CALLS_PER_ROUND_MAX);
    expect(models.requests[1]?.messages.at(-1)?.text).toStartWith("Not called:");
  });

  test("opens the tools with the workflow's servers before the first model call", async () => {
    const tools = scriptedTools({ "files.*": () => "" });
    const use = { ...SEARCH, name: "files.*" };
    const workflow = {
      name: "test",
      state: [],
      nodes: [],
      edges: [],
      budget: {},
      onBudget: "fail",
      concurrency: 1,
      mcpServers: { files: { transport: "http", url: "http://x", headers: {} } },
    } as const;
    const step = llmStep({
      models: scriptedModels(sayFitting),
      ports: { tools },
      step: { workflow },
    });
    await step.run(jsonNode({ tools: [use] }));
    expect(tools.opened).toEqual([[["files.*"], ["files"]]]);
  });

  test("is not begun when a tool cannot be used", async () => {
    const { failure, models } = await execute(
      { tools: [SEARCH] },
      useOnce({}),
      scriptedTools({ fetch: () => "" }),
    );
    expect(failure?.message).toBe("There is no tool `search`.");
    expect(models.requests).toEqual([]);
  });

  test("does not exist for the demo provider, which needs no key of any tool", async () => {
    const models = scriptedModels((request) =>
      request.tools.length === 0 && request.output !== undefined
        ? sayFitting()
        : failWith("internal"),
    );
    const tools = scriptedTools({ search: () => "" });
    const run = { ...RUN, overrides: { provider: "demo" } } as const;
    const step = llmStep({ models, ports: { tools }, step: { run } });
    expect(await step.run(jsonNode({ tools: [SEARCH] }))).toEqual({
      patch: { a: "a!", a_count: 2 },
    });
    expect([tools.opened, models.requests.length]).toEqual([[], 1]);
  });
});

describe("runTool()", () => {
  test("gives the whole result, whatever a model would see of it", async () => {
    const long = "x".repeat(TOOL_OUTPUT_CHARS_MAX + 1);
    const tools = scriptedTools({ search: (input) => ({ input, long }) });
    const [open] = await tools.open([SEARCH], {
      servers: {},
      signal: new AbortController().signal,
    });
    if (open === undefined) throw new Error("no tool");
    const step = llmStep({ models: scriptedModels(sayFitting) });
    const work = { input: { q: "tea" }, idempotencyKey: "key" };
    expect(await step.within((context) => runTool(context, open, work))).toEqual({
      input: { q: "tea" },
      long,
    });
    expect(tools.uses).toEqual([{ tool: "search", input: { q: "tea" }, key: "key" }]);
  });

  test("rejects with what the tool says, and with the reason of the abort", async () => {
    const tools = scriptedTools({
      search: () => {
        throw new AppError("forbidden", "Not there.");
      },
    });
    const signal = new AbortController();
    const [open] = await tools.open([SEARCH], { servers: {}, signal: signal.signal });
    if (open === undefined) throw new Error("no tool");
    const step = llmStep({ models: scriptedModels(sayFitting) });
    const work = { input: {}, idempotencyKey: "key" };
    const failed = step.within((context) => runTool(context, open, work), {
      signal: signal.signal,
    });
    expect((await failureOf(failed)).code).toBe("forbidden");
    signal.abort(new Error("over"));
    const aborted = step.within((context) => runTool(context, open, work), {
      signal: signal.signal,
    });
    expect(String(await reasonOf(aborted))).toContain("over");
    expect(tools.uses.length).toBe(1);
  });
});
