/** The response cache of llm nodes. */
import { describe, expect, test } from "bun:test";
import { AppError } from "../../../src/domain/error.ts";
import type { ModelFile } from "../../../src/domain/model.ts";
import type { LlmNode } from "../../../src/domain/workflow.ts";
import { cacheKey, type Question } from "../../../src/engine/node/model-json.ts";
import {
  askFor,
  COST,
  failWith,
  FITTING,
  freeTurns,
  jsonNode,
  llmStep,
  memoryCache,
  say,
  type Script,
  scriptedModels,
  scriptedTools,
  textNode,
  USAGE,
} from "./llm-kit.ts";

const node = textNode({ cache: true });
const NO_USAGE = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, reasoning: 0 };

/** Runs the node in one fresh run after the other, all with the same cache. */
async function runTwice(changed: LlmNode, script: Script, cache = memoryCache()) {
  const models = scriptedModels(script);
  const first = llmStep({ models, ports: { cache } });
  const one = await first.run(changed).catch((error: unknown) => error);
  const second = llmStep({ models, ports: { cache } });
  const two = await second.run(changed).catch((error: unknown) => error);
  return { results: [one, two], first, second, models, cache };
}

describe("the response cache", () => {
  test("answers an equal request for nothing, and says so", async () => {
    const { results, first, second, models } = await runTwice(node, () => say("Fine."));
    expect(results).toEqual([{ patch: { text: "Fine." } }, { patch: { text: "Fine." } }]);
    expect(models.requests.length).toBe(1);
    expect(first.calls).toMatchObject([{ usage: USAGE, costNanoUsd: COST }]);
    expect(second.calls).toEqual([
      expect.objectContaining({
        name: "m1",
        request: first.calls[0]?.request,
        result: first.calls[0]?.result,
        usage: NO_USAGE,
        costNanoUsd: 0,
      }),
    ]);
    const place = { step: "n", attempt: 1, call: 0 };
    expect(second.events).toEqual([
      { type: "model.started", ...place, provider: "openai", model: "m1" },
      {
        type: "model.finished",
        ...place,
        usage: NO_USAGE,
        costNanoUsd: 0,
        durationMs: expect.any(Number),
        cached: true,
      },
    ]);
    expect(first.typed("model.finished")[0]).not.toHaveProperty("cached");
  });

  test("asks neither for a turn nor for a budget, which a call that does not go out does not need", async () => {
    const cache = memoryCache();
    await runTwice(node, () => say("Fine."), cache);
    const turns = freeTurns();
    const spent = new AppError("budget_exceeded", "Too much.");
    const step = llmStep({
      models: scriptedModels(() => failWith("internal")),
      ports: { cache, turns },
      step: { reserveBudget: () => Promise.reject(spent) },
    });
    expect(await step.run(node)).toEqual({ patch: { text: "Fine." } });
    expect(turns.log).toEqual([]);
  });

  test("is neither asked nor filled without `cache`, nor for the demo", async () => {
    const demo = textNode({ cache: true, llm: { provider: "demo", fallbacks: [] } });
    for (const plain of [textNode(), demo]) {
      const { models, cache } = await runTwice(plain, () => say("Fine."));
      expect([models.requests.length, cache.kept.size]).toEqual([2, 0]);
    }
  });

  test("keeps no answer that was cut, refused, or does not fit", async () => {
    const json = jsonNode({ cache: true });
    for (const [name, changed, script] of [
      ["cut", node, () => say("Half", { finish: "length" })],
      ["refused", node, () => say("No.", { finish: "refused" })],
      ["not fitting", json, () => say("I do not do JSON.")],
      ["failed", node, () => failWith("provider_unavailable")],
    ] as const) {
      const { models, cache } = await runTwice(changed, script);
      expect([name, models.requests.length, cache.kept.size]).toEqual([name, 2, 0]);
    }
    const good = await runTwice(json, () => say(FITTING));
    expect([good.models.requests.length, good.cache.kept.size]).toEqual([1, 1]);
  });

  test("keeps each round of a tool loop; the tools are used again", async () => {
    const use = { name: "search", onError: "fail", config: {} } as const;
    const models = scriptedModels(({ messages }) =>
      messages.length === 2
        ? askFor({ id: "c1", name: "search", arguments: { q: "tea" } })
        : say("Found."),
    );
    const cache = memoryCache();
    const tools = scriptedTools({ search: () => "7" });
    const withTool = textNode({ cache: true, tools: [use] });
    for (const round of [1, 2]) {
      const step = llmStep({ models, ports: { cache, tools } });
      expect(await step.run(withTool)).toEqual({ patch: { text: "Found." } });
      expect([models.requests.length, tools.uses.length]).toEqual([2, round]);
    }
  });

  test("is looked into for each fallback, under its own name", async () => {
    const fallbacks = [{ provider: "anthropic", model: "m2" }] as const;
    const llm = { provider: "openai", model: "m1", fallbacks } as const;
    const { models } = await runTwice({ ...node, llm }, ({ model }) =>
      model === "m1" ? failWith("rate_limited") : say("Fine."),
    );
    expect(models.requests.map(({ model }) => model)).toEqual(["m1", "m2", "m1"]);
  });

  test("that cannot be written to costs nothing but its use", async () => {
    const cache = { ...memoryCache(), put: () => Promise.reject(new Error("full")) };
    const step = llmStep({ models: scriptedModels(() => say("Fine.")), ports: { cache } });
    expect(await step.run(node)).toEqual({ patch: { text: "Fine." } });
  });

  test("hands what the provider wants back to the next round of a loop", async () => {
    const use = { name: "search", onError: "fail", config: {} } as const;
    const thoughts = { signed: "yes" };
    const toolCalls = [{ id: "c1", name: "search", arguments: {} }];
    const models = scriptedModels(({ messages }) =>
      messages.length === 2
        ? say("", { toolCalls, finish: "tool_calls", thoughts })
        : say("", { finish: "length", text: "cut" }),
    );
    const ports = { cache: memoryCache(), tools: scriptedTools({ search: () => "7" }) };
    const withTool = textNode({ cache: true, tools: [use] });
    await llmStep({ models, ports }).run(withTool);
    const second = llmStep({ models, ports });
    await second.run(withTool);
    expect(models.requests.at(-1)?.messages[2]).toEqual({
      role: "assistant",
      text: "",
      toolCalls,
      thoughts,
    });
    // In the journal they are with the answer, once.
    expect(second.calls[0]?.result).toMatchObject({ thoughts });
    expect(JSON.stringify(second.calls[2]?.request)).not.toContain("signed");
  });
});

function asked(files: readonly ModelFile[], text = "U"): Question["messages"] {
  return [
    { role: "system", text: "S" },
    { role: "user", text, files },
  ];
}

describe("cacheKey()", () => {
  const file: ModelFile = {
    name: "a.png",
    mediaType: "image/png",
    hash: "h1",
    data: new Uint8Array([1, 2]),
  };
  const base: Question = {
    provider: "openai",
    model: "m1",
    temperature: 0.5,
    messages: asked([file]),
    tools: [{ name: "t", description: "d", parameters: { type: "object" } }],
    output: { name: "o", schema: { type: "object" } },
  };

  test("is the same for the same request, whatever bytes hang on it", () => {
    const other = { ...file, data: new Uint8Array([9, 9]) };
    const copy: Question = { ...base, messages: asked([other]) };
    expect(cacheKey(copy)).toBe(cacheKey(base));
    expect(cacheKey(base)).toMatch(/^[0-9a-f]{64}$/);
  });

  test("is another for everything that the answer depends on", () => {
    const changes: readonly Partial<Question>[] = [
      {},
      { provider: "anthropic" },
      { model: "m2" },
      { apiBase: "http://x" },
      { temperature: 0.6 },
      { maxTokens: 10 },
      { reasoning: "high" },
      { messages: asked([file], "U2") },
      { messages: asked([]) },
      { messages: asked([{ ...file, hash: "h2" }]) },
      { messages: [...base.messages, { role: "assistant", text: "A", toolCalls: [] }] },
      { tools: [] },
      { tools: [{ name: "t", description: "other", parameters: { type: "object" } }] },
      { output: { name: "o", schema: { type: "array" } } },
    ];
    const keys = changes.map((change) => cacheKey({ ...base, ...change }));
    const { temperature: _, ...without } = base;
    keys.push(cacheKey(without));
    expect(new Set(keys).size).toBe(changes.length + 1);
  });
});
