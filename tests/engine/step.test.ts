/** Failures of steps: retries, time limits, answers that do not fit. */
import { describe, expect, test } from "bun:test";
import type { ErrorRecord } from "../../src/domain/error.ts";
import { ERROR_DETAILS_CHARS_MAX } from "../../src/engine/failure.ts";
import { END, START } from "../../src/domain/workflow.ts";
import { graph, line, llmNode, RETRY_ALL, to } from "./fixture.ts";
import {
  askFor,
  failWith,
  type ModelScript,
  nodeOf,
  promptOf,
  say,
  sayFor,
  scriptedModels,
  scriptedTools,
  USAGE,
} from "./script.ts";
import { createWorld } from "./world.ts";

const AWAY: ErrorRecord = {
  code: "provider_unreachable",
  message: "The server does not answer.",
  fix: "Start it.",
  details: "connect ECONNREFUSED with key sk-secret",
};
const LIMITED: ErrorRecord = { code: "rate_limited", message: "Too many requests." };
const HOUR = 60 * 60_000;

/** Fails as often as said, then answers. */
function failing(count: number, error: ErrorRecord, retryAfterMs?: number): ModelScript {
  return (request, callCount) =>
    callCount < count ? failWith(error, retryAfterMs) : sayFor(nodeOf(request));
}

describe("a failed attempt", () => {
  test("is followed by others until one succeeds; each is kept", async () => {
    await using world = await createWorld(line([llmNode("a", { retry: RETRY_ALL })]));
    const models = scriptedModels(failing(2, AWAY));
    const run = await world.execute({ models });
    expect([run.state, run.error, models.requests.length]).toEqual(["succeeded", null, 3]);
    const { steps } = await world.store.runs.journal(run.id);
    expect(steps.map(({ attempt, state, error }) => [attempt, state, error?.message])).toEqual([
      [1, "failed", AWAY.message],
      [2, "failed", AWAY.message],
      [3, "succeeded", undefined],
    ]);
    // Short delays are waited for in place.
    expect((await world.events(run.id)).some(({ type }) => type === "run.waiting")).toBe(false);
    expect(run.finishedAt ?? 0).toBe(run.createdAt + 2 * RETRY_ALL.delayMs);
  });

  test("fails the run after the last try, with the error, its fix, and redacted details", async () => {
    await using world = await createWorld(line([llmNode("a", { retry: RETRY_ALL }), llmNode("b")]));
    const run = await world.execute({ models: scriptedModels(failing(9, AWAY)) });
    const error = {
      ...AWAY,
      message: "Step `a` failed after 3 tries: The server does not answer.",
      details: "connect ECONNREFUSED with key [redacted]",
    };
    expect([run.state, run.error, run.doneNodeIds]).toEqual(["failed", error, []]);
    expect((await world.events(run.id)).slice(-2)).toEqual([
      { type: "step.failed", step: "a", attempt: 3, error },
      { type: "run.failed", error },
    ]);
    const { steps } = await world.store.runs.journal(run.id);
    expect(steps.at(-1)?.error).toEqual(error);
  });

  test("is final at once for reasons that the node does not try again", async () => {
    const retry = { ...RETRY_ALL, on: ["timeout"] as const };
    await using world = await createWorld(line([llmNode("a", { retry })]));
    const run = await world.execute({ models: scriptedModels(failing(9, AWAY)) });
    expect(run.error?.message).toBe("Step `a` failed: The server does not answer.");
  });

  test("counts across crashes: a new worker does not start again at one", async () => {
    await using world = await createWorld(line([llmNode("a", { retry: RETRY_ALL })]));
    const id = await world.submit();
    let requests = 0;
    for (const worker of ["first", "second"]) {
      let dead = false;
      const models = scriptedModels((_, callCount) => {
        requests += 1;
        dead = worker === "first" && callCount === 1;
        return failWith(AWAY);
      });
      const runner = world.start({
        models,
        worker,
        probe: () => {
          if (dead) throw new Error("dead");
        },
      });
      let drained = false;
      void runner.drained.then(() => (drained = true));
      await world.until(() => dead || drained);
      await world.settled(runner.stop({ graceMs: 0 }));
    }
    // The second attempt was in flight at the crash and is made again; there is no fourth.
    expect(requests).toBe(4);
    expect((await world.run(id)).error?.message).toContain("after 3 tries");
  });

  test("of a template that names nothing is recorded with its step", async () => {
    await using world = await createWorld(line([llmNode("a", { prompt: "Use {nothing}." })]));
    const run = await world.execute({ models: scriptedModels(failing(0, AWAY)) });
    expect([run.state, run.error?.code]).toEqual(["failed", "invalid"]);
    expect((await world.store.runs.journal(run.id)).steps.length).toBe(1);
  });

  test("of a port that breaks its contract is internal, reported, and final", async () => {
    await using world = await createWorld(line([llmNode("a", { retry: RETRY_ALL })]));
    const bug = new TypeError("x is not a function, key sk-secret");
    const models = scriptedModels(() => {
      throw bug;
    });
    const run = await world.execute({ models });
    expect([run.error?.code, run.error?.message]).toEqual([
      "internal",
      "Step `a` failed: Internal error.",
    ]);
    expect(run.error?.details).toContain("x is not a function, key [redacted]");
    expect(world.errors).toEqual([bug]);
  });

  test("whose stream ends without an end counts as broken off", async () => {
    await using world = await createWorld(line([llmNode("a", { retry: RETRY_ALL })]));
    const models = scriptedModels(async function* (_, callCount) {
      yield { type: "text", text: "…" };
      if (callCount > 0) yield* sayFor("a");
    });
    const run = await world.execute({ models });
    expect([run.state, models.requests.length]).toEqual(["succeeded", 2]);
    // What the broken call cost is not known, so the sum is only a lower bound.
    expect([run.unpricedCount, run.costNanoUsd, run.usage]).toEqual([1, 1_000, USAGE]);
    const { steps } = await world.store.runs.journal(run.id);
    expect(steps.map((step) => step.unpricedCount)).toEqual([1, 0]);
  });

  test("counts what broke off as unpriced where a fallback answers in its place", async () => {
    const fallbacks = [{ provider: "anthropic", model: "m2" }] as const;
    const chain = { provider: "openai", model: "m1", fallbacks } as const;
    await using world = await createWorld(line([llmNode("a", { llm: chain })]));
    const models = scriptedModels(async function* ({ model }) {
      if (model === "m1") yield { type: "text", text: "…" };
      else yield* sayFor("a");
    });
    const run = await world.execute({ models });
    expect([run.state, models.requests.length]).toEqual(["succeeded", 2]);
    expect([run.unpricedCount, run.costNanoUsd]).toEqual([1, 1_000]);
  });

  test("of a step counts the answers of those beside it that it breaks off", async () => {
    const nodes = ["a", "b"].map((id) => llmNode(id));
    const fork = to({ [START]: ["a", "b"], a: [END], b: [END] });
    await using world = await createWorld(graph(nodes, fork));
    const models = scriptedModels(async function* (request) {
      yield { type: "text", text: "…" };
      if (nodeOf(request) === "b") await world.clock.sleep(HOUR, request.signal);
      else await world.clock.sleep(10);
      yield* failWith({ code: "tool_failed", message: "It is broken." });
    });
    const run = await world.execute({ models });
    expect([run.state, run.unpricedCount]).toEqual(["failed", 2]);
    expect((await world.steps(run.id)).map(({ unpricedCount }) => unpricedCount)).toEqual([1, 1]);
  });

  test("that came before any piece of an answer costs nothing", async () => {
    await using world = await createWorld(line([llmNode("a", { retry: RETRY_ALL })]));
    const run = await world.execute({ models: scriptedModels(failing(2, AWAY)) });
    expect([run.state, run.unpricedCount, run.costNanoUsd]).toEqual(["succeeded", 0, 1_000]);
  });
});

test("the details of an error are cut", async () => {
  await using world = await createWorld(line([llmNode("a")]));
  const details = "x".repeat(2 * ERROR_DETAILS_CHARS_MAX);
  const run = await world.execute({ models: scriptedModels(failing(1, { ...AWAY, details })) });
  expect(run.error?.details).toBe("x".repeat(ERROR_DETAILS_CHARS_MAX));
});

describe("a rate limit", () => {
  test("parks the run for as long as the provider says and frees the slot", async () => {
    await using world = await createWorld(line([llmNode("a", { retry: RETRY_ALL })]));
    const models = scriptedModels(failing(1, LIMITED, HOUR));
    const limited = await world.submit();
    const runner = world.start({ models, concurrency: 1 });
    await world.until(async () => (await world.run(limited)).state === "waiting");
    const parked = await world.run(limited);
    expect([parked.waitingFor, (parked.dueAt ?? 0) - parked.createdAt, parked.worker]).toEqual([
      "rate_limit",
      HOUR + RETRY_ALL.delayMs,
      null,
    ]);
    const other = await world.submit();
    await world.until(async () => (await world.run(other)).state === "succeeded", HOUR / 2);
    const { createdAt, finishedAt } = await world.run(other);
    expect((finishedAt ?? 0) - createdAt).toBeLessThan(1_000);
    await world.settled(runner.drained);
    const run = await world.run(limited);
    expect([run.state, (run.finishedAt ?? 0) - run.createdAt >= HOUR]).toEqual(["succeeded", true]);
    expect(run.activeMs).toBeLessThan(1_000);
  });

  test("in the middle of a tool loop does not make the finished calls again", async () => {
    const tools = [{ name: "search", onError: "fail" as const, config: {} }];
    await using world = await createWorld(line([llmNode("a", { retry: RETRY_ALL, tools })]));
    const search = scriptedTools({ search: () => "found" });
    const models = scriptedModels((_, callCount) => {
      if (callCount === 0) return askFor({ id: "1", name: "search", arguments: {} });
      return callCount === 1 ? failWith(LIMITED, HOUR) : sayFor("a");
    });
    const run = await world.execute({ models, tools: search });
    expect([run.state, models.requests.length, search.uses.length]).toEqual(["succeeded", 3, 1]);
    const { calls } = await world.store.runs.journal(run.id);
    expect(calls.map((call) => [call.attempt, call.ordinal, call.kind])).toEqual([
      [1, 0, "model"],
      [1, 1, "tool"],
      [2, 2, "model"],
    ]);
  });
});

describe("the time limit of an attempt", () => {
  test("ends a call that hangs, even one that does not listen, and tries again", async () => {
    const node = llmNode("a", { timeoutMs: 5_000, retry: { ...RETRY_ALL, maxAttempts: 2 } });
    await using world = await createWorld(line([node]));
    const models = scriptedModels(async function* () {
      yield { type: "text", text: "…" };
      await world.clock.sleep(5_050);
      yield { type: "text", text: "too late" };
      await new Promise(() => {});
    });
    const run = await world.execute({ models });
    const texts = (await world.events(run.id)).flatMap((event) =>
      event.type === "model.delta" ? [`${event.attempt} ${event.text}`] : [],
    );
    expect(texts).toEqual(["1 …", "2 …"]);
    expect(run.error).toEqual({
      code: "timeout",
      message: "Step `a` failed after 2 tries: It took longer than its limit of 5 s.",
      fix: "Raise the node's `timeout`, or give it less to do.",
    });
    expect(models.requests.map((request) => request.signal.aborted)).toEqual([true, true]);
    expect((run.finishedAt ?? 0) - run.createdAt).toBe(10_000 + RETRY_ALL.delayMs);
  });

  test("ends the choice of a model that hangs", async () => {
    await using world = await createWorld(line([llmNode("a", { timeoutMs: 5_000 })]));
    const models = scriptedModels(() => sayFor("a"));
    const hanging = { ...models, resolve: () => new Promise<never>(() => {}) };
    expect((await world.execute({ models: hanging })).error?.code).toBe("timeout");
  });

  test("does not outlive the attempt", async () => {
    await using world = await createWorld(
      line([llmNode("a", { timeoutMs: 5_000 }), llmNode("b", { timeoutMs: 5_000 })]),
    );
    const models = scriptedModels(async function* (request) {
      await world.clock.sleep(4_000, request.signal);
      yield* sayFor(nodeOf(request));
    });
    expect((await world.execute({ models })).state).toBe("succeeded");
  });
});

/** Answers wrongly until it is told why. */
const mend: ModelScript = (request) =>
  promptOf(request).includes("refused") ? sayFor("a") : say('{"a": "x", "a_count": "many"}');

describe("an answer that does not fit", () => {
  const workflow = line([llmNode("a", { retry: RETRY_ALL })]);

  test("is refused with the reasons, which the next prompt carries", async () => {
    await using world = await createWorld(workflow);
    const models = scriptedModels(mend);
    const run = await world.execute({ models });
    expect(run.state).toBe("succeeded");
    expect(models.requests.map(promptOf)).toEqual([
      "Do a about tea.",
      "Do a about tea.\n\nYour answer before this one was refused:\n" +
        '- "a_count": expected int, got text "many".\nAnswer again and mend this.',
    ]);
    const [first] = (await world.store.runs.journal(run.id)).steps;
    expect(first?.error).toEqual({
      code: "output_invalid",
      message: `The model's answer does not fit the outputs: "a_count": expected int, got text "many".`,
      fix: "Say in the prompt of node `a` what its answer must hold, or use a stronger model.",
      details: '- "a_count": expected int, got text "many".',
    });
    // Both answers are paid for.
    expect([run.costNanoUsd, run.usage.output]).toEqual([2_000, 10]);
  });

  test("is corrected by another worker after a crash just the same", async () => {
    await using world = await createWorld(
      line([llmNode("a", { retry: { ...RETRY_ALL, delayMs: 10_000 } })]),
    );
    const id = await world.submit();
    const first = world.start({ models: scriptedModels(mend), worker: "first" });
    await world.until(async () => (await world.run(id)).state === "waiting");
    await world.settled(first.stop({ graceMs: 0 }));
    const models = scriptedModels(mend);
    const second = world.start({ models, worker: "second" });
    await world.settled(second.drained);
    expect((await world.run(id)).state).toBe("succeeded");
    expect(
      models.requests.map((request) => promptOf(request).includes('"a_count": expected')),
    ).toEqual([true]);
  });

  test("fails the run when it never fits", async () => {
    await using world = await createWorld(workflow);
    const run = await world.execute({ models: scriptedModels(() => say("no")) });
    expect(run.error).toMatchObject({
      code: "output_invalid",
      message:
        "Step `a` failed after 3 tries: The model's answer does not fit the outputs: " +
        'The answer is not a JSON object with the keys "a", "a_count".',
    });
  });

  test("says when it was cut at the token limit", async () => {
    await using world = await createWorld(line([llmNode("a")]));
    const models = scriptedModels(() => say('{"a": "x', { finish: "length" }));
    expect((await world.execute({ models })).error?.message).toContain(
      "The answer was cut at the token limit.",
    );
  });

  test("that the provider's filter stopped is not tried again", async () => {
    await using world = await createWorld(workflow);
    const models = scriptedModels(() => say("", { finish: "refused" }));
    const run = await world.execute({ models });
    expect([run.error?.code, models.requests.length]).toEqual(["provider_rejected", 1]);
  });
});
