/** Which model answers when one cannot, turns at providers, and budgets. */
import { describe, expect, test } from "bun:test";
import { AppError, type ErrorCode } from "../../../src/domain/error.ts";
import type { ModelPort } from "../../../src/domain/model.ts";
import type { LlmSettings } from "../../../src/domain/workflow.ts";
import type { CallLog } from "../../../src/engine/call-log.ts";
import { chooseModels } from "../../../src/engine/node/model-chain.ts";
import { TURN_WAIT_MS_MAX } from "../../../src/engine/node/model-turn.ts";
import { createModelPort } from "../../../src/llm/port.ts";
import { StepPostponed } from "../../../src/engine/postponed.ts";
import { serverSettings } from "../../llm/support.ts";
import { startModelServer } from "../../support/model-server.ts";
import { createFakeClock } from "../fake-clock.ts";
import { failureOf, RUN } from "./harness.ts";
import {
  askFor,
  COST,
  failWith,
  llmStep,
  reasonOf,
  say,
  scriptedModels,
  scriptedTools,
  textNode,
} from "./llm-kit.ts";

const CHAIN: LlmSettings = {
  provider: "openai",
  model: "m1",
  fallbacks: [
    { provider: "anthropic", model: "m2" },
    { provider: "google", model: "m3" },
  ],
};
const node = textNode({ llm: CHAIN });

/** How a run of work was postponed; undefined when it was not. */
async function postponementOf(work: Promise<unknown>) {
  const error: unknown = await work.catch((reason: unknown) => reason);
  return error instanceof StepPostponed ? error.wait : undefined;
}

describe("fallbacks", () => {
  for (const code of [
    "rate_limited",
    "provider_unreachable",
    "provider_unavailable",
    "timeout",
    "key_rejected",
    "unknown_model",
  ] as const satisfies readonly ErrorCode[]) {
    test(`the next model is asked after ${code}, within the same call`, async () => {
      const models = scriptedModels(({ model }) =>
        model === "m1" ? failWith(code) : say("Fine."),
      );
      const step = llmStep({ models });
      expect(await step.run(node)).toEqual({ patch: { text: "Fine." } });
      expect(models.requests.map(({ provider, model }) => [provider, model])).toEqual([
        ["openai", "m1"],
        ["anthropic", "m2"],
      ]);
      expect(step.calls).toEqual([
        expect.objectContaining({ ordinal: 0, name: "m2", costNanoUsd: COST }),
      ]);
      expect(step.calls[0]?.request).toMatchObject({ provider: "anthropic", model: "m2" });
      const place = { step: "n", attempt: 1, call: 0 };
      expect(step.events).toEqual([
        { type: "model.started", ...place, provider: "openai", model: "m1" },
        {
          type: "model.fallback",
          ...place,
          provider: "openai",
          model: "m1",
          error: { code, message: `It is ${code}.` },
        },
        { type: "model.started", ...place, provider: "anthropic", model: "m2" },
        { type: "model.delta", ...place, text: "Fine." },
        expect.objectContaining({ type: "model.finished", call: 0 }),
      ]);
    });
  }

  test("a key that is missing is no reason to fail either", async () => {
    const scripted = scriptedModels(() => say("Fine."));
    const models: ModelPort = {
      ...scripted,
      resolve: async (choice) => {
        if (choice.provider === "openai") throw new AppError("missing_key", "No key.");
        return scripted.resolve(choice);
      },
    };
    const step = llmStep({ models });
    expect(await step.run(node)).toEqual({ patch: { text: "Fine." } });
    expect(step.typed("model.fallback")).toMatchObject([
      { provider: "openai", model: "m1", error: { code: "missing_key", message: "No key." } },
    ]);
  });

  for (const code of ["provider_rejected", "invalid", "internal"] as const) {
    test(`no other model is asked after ${code}: it would say the same`, async () => {
      const models = scriptedModels(() => failWith(code));
      const failure = await failureOf(llmStep({ models }).run(node));
      expect([failure.code, models.requests.length]).toEqual([code, 1]);
    });
  }

  test("when all fail, the first error stands, with the shortest delay of all", async () => {
    const delays: Readonly<Record<string, number>> = { m1: 60_000, m3: 5_000 };
    const models = scriptedModels(({ model }) => {
      const retryAfterMs = delays[model];
      if (retryAfterMs === undefined) return failWith("provider_unavailable");
      return failWith("rate_limited", { retryAfterMs });
    });
    const step = llmStep({ models });
    expect(await failureOf(step.run(node))).toEqual({
      code: "rate_limited",
      message: "It is rate_limited.",
      fix: undefined,
      retryAfterMs: 5_000,
    });
    expect([models.requests.length, step.calls, step.typed("model.fallback").length]).toEqual([
      3,
      [],
      2,
    ]);
  });

  test("the model that has taken over stays for the attempt; the next attempt begins with the first", async () => {
    const use = { name: "search", onError: "fail", config: {} } as const;
    const models = scriptedModels(({ model, messages }) => {
      if (model === "m1") return failWith("provider_unavailable");
      return messages.length === 2
        ? askFor({ id: "c1", name: "search", arguments: {} })
        : say("Found.");
    });
    const tools = scriptedTools({ search: () => "7" });
    const step = llmStep({ models, ports: { tools } });
    await step.run({ ...node, tools: [use] });
    const asked = () => models.requests.map(({ model }) => model);
    expect(asked()).toEqual(["m1", "m2", "m2"]);
    step.calls.length = 0;
    await step.run({ ...node, tools: [use] }, { attempt: 2 });
    expect(asked()).toEqual(["m1", "m2", "m2", "m1", "m2", "m2"]);
  });

  test("after a crash the answer is read, whichever model gave it", async () => {
    const models = scriptedModels(({ model }) =>
      model === "m1" ? failWith("timeout") : say("Fine."),
    );
    const step = llmStep({ models });
    await step.run(node);
    expect(await step.run(node)).toEqual({ patch: { text: "Fine." } });
    expect(models.requests.length).toBe(2);
  });

  test("a model that broke off while it answered is counted as paid, and so is one that was stopped", async () => {
    const broken: string[] = [];
    const calls: CallLog = {
      perform: async (spec, make) => {
        const made = await make();
        const { kind, ordinal, name, request } = spec;
        return {
          key: "n",
          attempt: 1,
          kind,
          ordinal,
          name,
          request,
          startedAt: 0,
          finishedAt: 0,
          ...made,
        };
      },
      emit: () => undefined,
      addBroken: () => void broken.push("broken"),
      brokenCount: 0,
    };
    const cut = scriptedModels(({ model }) =>
      model === "m1" ? failWith("provider_unreachable", { text: "Once" }) : say("Fine."),
    );
    await llmStep({ models: cut, step: { calls } }).run(node);
    expect(broken.length).toBe(1);
    const silent = scriptedModels(({ model }) =>
      model === "m1" ? failWith("provider_unreachable") : say("Fine."),
    );
    await llmStep({ models: silent, step: { calls } }).run(node);
    expect(broken.length).toBe(1);
    const stop = new AbortController();
    const endless = scriptedModels(async function* () {
      yield { type: "text", text: "Once" };
      stop.abort(new Error("stopped"));
      await new Promise(() => {});
    });
    const stopped = llmStep({ models: endless, step: { calls } }).run(node, {
      signal: stop.signal,
    });
    expect(String(await reasonOf(stopped))).toContain("stopped");
    expect([broken.length, endless.requests.length]).toEqual([2, 1]);
  });

  test("a run that is stopped asks nobody else", async () => {
    const stop = new AbortController();
    const models = scriptedModels(() => {
      stop.abort(new AppError("timeout", "Over."));
      return failWith("timeout");
    });
    const failure = await failureOf(llmStep({ models }).run(node, { signal: stop.signal }));
    expect([failure.message, models.requests.length]).toEqual(["Over.", 1]);
  });
});

describe("chooseModels()", () => {
  const same = { model: "m1-mini" };
  const llm: LlmSettings = { ...CHAIN, apiBase: "http://o", fallbacks: [same, ...CHAIN.fallbacks] };

  test("takes the provider and address of the node for a fallback that names none", () => {
    expect(chooseModels(llm, {})).toEqual([
      { provider: "openai", model: "m1", apiBase: "http://o" },
      { provider: "openai", model: "m1-mini", apiBase: "http://o" },
      { provider: "anthropic", model: "m2" },
      { provider: "google", model: "m3" },
    ]);
  });

  test("keeps only fallbacks at the provider that a run has chosen", () => {
    expect(chooseModels(llm, { provider: "anthropic" })).toEqual([
      { provider: "anthropic" },
      { provider: "anthropic", model: "m2" },
    ]);
    expect(chooseModels(llm, { model: "m9" })).toEqual([
      { provider: "openai", model: "m9", apiBase: "http://o" },
      { provider: "openai", model: "m1-mini", apiBase: "http://o" },
    ]);
    expect(chooseModels(llm, { provider: "demo" })).toEqual([{ provider: "demo" }]);
  });
});

describe("turns at a provider", () => {
  const alone = textNode();

  test("one is taken for each call and given back, also when the call fails", async () => {
    const good = llmStep({ models: scriptedModels(() => say("Fine.")) });
    await good.run(alone);
    expect(good.turns.log).toEqual(["take openai:account of 2", "release openai:account"]);
    const bad = llmStep({ models: scriptedModels(() => failWith("provider_rejected")) });
    await failureOf(bad.run(alone));
    expect(bad.turns.log).toEqual(["take openai:account of 2", "release openai:account"]);
  });

  test("none is taken for the demo", async () => {
    const step = llmStep({ models: scriptedModels(() => say("Fine.")) });
    await step.run(textNode({ llm: { provider: "demo", fallbacks: [] } }));
    expect(step.turns.log).toEqual([]);
  });

  test("a turn that is free soon is waited for", async () => {
    const clock = createFakeClock();
    const models = scriptedModels(() => say("Fine."));
    const step = llmStep({ models, step: { clock } });
    const startMs = clock.now();
    step.turns.refuse(startMs + 300, startMs + TURN_WAIT_MS_MAX);
    const run = step.run(alone);
    while (models.requests.length === 0) {
      await new Promise((resolve) => setImmediate(resolve));
      clock.step();
    }
    expect(await run).toEqual({ patch: { text: "Fine." } });
    expect(clock.now() - startMs).toBe(TURN_WAIT_MS_MAX);
  });

  test("the wait ends with the signal", async () => {
    const stop = new AbortController();
    const step = llmStep({ models: scriptedModels(() => say("Fine.")) });
    step.turns.refuse(Date.now() + 1_000);
    const run = step.run(alone, { signal: stop.signal });
    stop.abort(new Error("stopped"));
    expect(String(await reasonOf(run))).toContain("stopped");
  });

  test("for a turn that is far off the step is postponed, and goes on with its finished calls", async () => {
    const clock = createFakeClock();
    const untilMs = clock.now() + TURN_WAIT_MS_MAX + 1;
    const use = { name: "search", onError: "fail", config: {} } as const;
    const models = scriptedModels((_, count) =>
      count === 0 ? askFor({ id: "c1", name: "search", arguments: {} }) : say("Found."),
    );
    const tools = scriptedTools({
      search: () => {
        step.turns.refuse(untilMs);
        return "7";
      },
    });
    const step = llmStep({ models, ports: { tools }, step: { clock } });
    const withTool = { ...alone, tools: [use] };
    expect(await postponementOf(step.run(withTool))).toEqual({ for: "rate_limit", untilMs });
    expect(step.calls.map(({ kind }) => kind)).toEqual(["model", "tool"]);
    expect(await step.run(withTool)).toEqual({ patch: { text: "Found." } });
    expect([models.requests.length, tools.uses.length]).toEqual([2, 1]);
  });

  test("fallbacks are asked before the step is postponed", async () => {
    const clock = createFakeClock();
    const models = scriptedModels(() => say("Fine."));
    const step = llmStep({ models, step: { clock } });
    step.turns.refuse(clock.now() + 90_000);
    expect(await step.run(node)).toEqual({ patch: { text: "Fine." } });
    expect(step.typed("model.fallback")).toMatchObject([
      {
        provider: "openai",
        error: { code: "rate_limited", message: "No turn is free there for another 90 s." },
      },
    ]);
    const full = llmStep({ models, step: { clock } });
    const base = clock.now();
    full.turns.refuse(base + 90_000, base + 30_000, base + 60_000);
    expect(await postponementOf(full.run(node))).toEqual({
      for: "rate_limit",
      untilMs: base + 30_000,
    });
  });

  test("what a provider asks to be waited for holds for everybody", async () => {
    const clock = createFakeClock();
    const models = scriptedModels(() => failWith("rate_limited", { retryAfterMs: 7_000.5 }));
    const step = llmStep({ models, step: { clock } });
    await failureOf(step.run(alone));
    expect(step.turns.log).toEqual([
      "take openai:account of 2",
      `block openai:account until ${clock.now() + 7_001}`,
      "release openai:account",
    ]);
    const plain = llmStep({ models: scriptedModels(() => failWith("rate_limited")) });
    await failureOf(plain.run(alone));
    expect(plain.turns.log.join()).not.toContain("block");
  });

  test("a database in trouble is asked again", async () => {
    const models = scriptedModels(() => say("Fine."));
    const step = llmStep({ models });
    let count = 0;
    const turns = {
      ...step.turns,
      take: async () => {
        count += 1;
        if (count < 3) throw new AppError("database_locked", "Locked.");
        return { taken: true, release: () => Promise.reject(new Error("gone")) } as const;
      },
    };
    const patient = llmStep({ models, ports: { turns } });
    expect(await patient.run(alone)).toEqual({ patch: { text: "Fine." } });
    expect(count).toBe(3);
  });
});

describe("the budget", () => {
  test("is asked before each call that would go out, with the call", async () => {
    const asked: string[] = [];
    const models = scriptedModels(({ model }) =>
      model === "m1" ? failWith("timeout") : say("Fine."),
    );
    const step = llmStep({
      models,
      step: {
        reserveBudget: async ({ provider, model }) => {
          asked.push(`${provider} ${model}`);
          return () => void asked.push(`${model} ended`);
        },
      },
    });
    await step.run(node);
    await step.run(node);
    expect(asked).toEqual(["openai m1", "m1 ended", "anthropic m2", "m2 ended"]);
  });

  test("that is used up ends the step before the call, and no fallback changes that", async () => {
    const models = scriptedModels(() => say("Fine."));
    const spent = new AppError("budget_exceeded", "Too much.");
    const step = llmStep({ models, step: { reserveBudget: () => Promise.reject(spent) } });
    expect((await failureOf(step.run(node))).code).toBe("budget_exceeded");
    const wait = new StepPostponed({ for: "budget" });
    const waiting = llmStep({ models, step: { reserveBudget: () => Promise.reject(wait) } });
    expect(await postponementOf(waiting.run(node))).toEqual({ for: "budget" });
    expect([models.requests.length, step.turns.log]).toEqual([0, []]);
  });
});

test("a run's own provider and model reach the models", async () => {
  const models = scriptedModels(() => say("Fine."));
  const run = { ...RUN, overrides: { provider: "ollama", model: "llama3.2" } } as const;
  await llmStep({ models, step: { run } }).run(node);
  expect(models.requests).toMatchObject([{ provider: "ollama", model: "llama3.2" }]);
});

test("over real HTTP: the second provider answers for the first, which everybody then leaves alone", async () => {
  await using server = await startModelServer();
  server.next({
    kind: "status",
    status: 429,
    message: "Slow down.",
    headers: { "retry-after": "30" },
  });
  const settings = serverSettings(server);
  const models = createModelPort({ ...settings, limits: { requestsPerMinute: 5 } });
  const clock = createFakeClock();
  const step = llmStep({ models, step: { clock } });
  const fallbacks = [{ provider: "anthropic", model: "claude-haiku-4-5" }] as const;
  const llm = { provider: "openai", model: "gpt-4o-mini", fallbacks } as const;
  expect(await step.run(textNode({ llm }))).toEqual({
    patch: { text: "The mock server was asked: Do it about tea." },
  });
  expect(server.requests().map(({ provider }) => provider)).toEqual(["openai", "anthropic"]);
  const [openai, anthropic] = llmAccounts(models);
  expect(step.turns.log).toEqual([
    `take ${openai} of any`,
    `block ${openai} until ${clock.now() + 30_000}`,
    `release ${openai}`,
    `take ${anthropic} of any`,
    `release ${anthropic}`,
  ]);
  // 1,000 in and 500 out at $1/$5 a million.
  expect(step.calls).toMatchObject([{ name: "claude-haiku-4-5", costNanoUsd: 3_500_000 }]);
});

function llmAccounts(models: ModelPort): string[] {
  return (["openai", "anthropic"] as const).map(
    (provider) => models.accountOf({ provider })?.name ?? "",
  );
}
