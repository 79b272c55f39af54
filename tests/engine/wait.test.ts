/** Steps that wait: for time, people, signals, other runs and budgets. */
import { describe, expect, test } from "bun:test";
import { AppError } from "../../src/domain/error.ts";
import { approvalSignal, type Run } from "../../src/domain/run.ts";
import { END, START } from "../../src/domain/workflow.ts";
import { NO_USAGE } from "../../src/engine/call-log.ts";
import { WAIT_IN_PLACE_MS_MAX } from "../../src/engine/drive.ts";
import type { StepContext } from "../../src/engine/node/executor.ts";
import { StepPostponed } from "../../src/engine/postponed.ts";
import { nodesDo } from "./doing.ts";
import {
  approvalNode,
  callNode,
  graph,
  type GraphOptions,
  line,
  llmNode,
  RETRY_ALL,
  to,
  waitNode,
} from "./fixture.ts";
import { sayFor, scriptedModels } from "./script.ts";
import { createWorld, type World } from "./world.ts";

const HOUR = 60 * 60_000;
const WEEK = 7 * 24 * HOUR;
const ANY = { kind: "any" } as const;
const node = (id: string, changes: Parameters<typeof llmNode>[1] = {}) =>
  llmNode(id, { outputs: [{ name: id, type: ANY }], ...changes });
const IDLE = { executors: nodesDo({}) };
const YES = { approved: true, comment: "fine", by: "ann" };

/** Until the run is parked: it waits, and no worker holds it. */
async function parked(world: World, id: string): Promise<void> {
  await world.until(async () => (await world.run(id)).state === "waiting");
}

/** To the second: a worker looks at its queue a little later than at once. */
function lasted({ finishedAt, createdAt }: Run): number {
  return Math.floor(((finishedAt ?? 0) - createdAt) / 1_000) * 1_000;
}

async function finished(world: World, id: string): Promise<void> {
  await world.until(async () => (await world.run(id)).finishedAt !== null, 2 * WEEK);
}

describe("a timer", () => {
  test("that is long parks the run, which goes on by itself when its time has come", async () => {
    await using world = await createWorld(
      line([waitNode("w", { for: "duration", ms: HOUR }), node("a")]),
    );
    const id = await world.submit();
    world.start(IDLE);
    await parked(world, id);
    const { waitingFor, dueAt, createdAt, worker } = await world.run(id);
    expect([waitingFor, (dueAt ?? 0) - createdAt, worker]).toEqual(["timer", HOUR, null]);
    await finished(world, id);
    const run = await world.run(id);
    expect([run.state, lasted(run), run.activeMs < 100]).toEqual(["succeeded", HOUR, true]);
  });

  test("that is short is waited for with the run in hand", async () => {
    const ms = WAIT_IN_PLACE_MS_MAX - 1;
    await using world = await createWorld(line([waitNode("w", { for: "duration", ms })]));
    const run = await world.execute(IDLE);
    expect((await world.events(run.id)).some(({ type }) => type === "run.waiting")).toBe(false);
    expect((run.finishedAt ?? 0) - run.createdAt).toBe(ms);
  });

  test("counts from the beginning of its step, also over a crash", async () => {
    await using world = await createWorld(line([waitNode("w", { for: "duration", ms: HOUR })]));
    const id = await world.submit();
    let isDead = false;
    const first = world.start({
      ...IDLE,
      worker: "first",
      probe: (moment, call) => {
        if (isDead) throw new Error("dead");
        isDead = moment === "after" && call === "runs.write";
      },
    });
    await world.until(() => isDead);
    await world.settled(first.stop({ graceMs: 0 }));
    world.clock.jump(HOUR / 2);
    world.start({ ...IDLE, worker: "second" });
    await finished(world, id);
    const run = await world.run(id);
    expect(lasted(run)).toBe(HOUR);
  });
});

describe("an approval", () => {
  const workflow = line([
    approvalNode("ask", { outputs: [{ name: "ask", type: { kind: "bool" } }] }),
    node("a"),
  ]);

  test("holds no worker for weeks, and goes on at once when it is decided", async () => {
    await using world = await createWorld(workflow);
    const id = await world.submit();
    const runner = world.start(IDLE);
    await parked(world, id);
    expect(await world.run(id)).toMatchObject({
      waitingFor: "approval",
      dueAt: null,
      worker: null,
    });
    // With nothing due now or later, a worker has nothing left to do.
    await world.settled(runner.drained);
    world.clock.jump(WEEK);
    await world.store.runs.decide(id, "ask", YES);
    const decidedAt = world.clock.now();
    await finished(world, id);
    const run = await world.run(id);
    expect([run.state, run.values["ask"], (run.finishedAt ?? 0) - decidedAt <= 20]).toEqual([
      "succeeded",
      true,
      true,
    ]);
    expect((await world.store.runs.journal(id)).signals).toMatchObject([{ consumedBy: "ask" }]);
    const decided = (await world.events(id)).filter(({ type }) => type === "approval.decided");
    expect(decided.length).toBe(1);
  });

  test("that is rejected fails the run; when the run is resumed it asks again", async () => {
    await using world = await createWorld(workflow);
    const id = await world.submit();
    world.start(IDLE);
    await parked(world, id);
    await world.store.runs.decide(id, "ask", { ...YES, approved: false });
    await finished(world, id);
    expect((await world.run(id)).error?.code).toBe("approval_rejected");
    await world.store.runs.resume(id, { by: "ann" });
    await parked(world, id);
    await world.store.runs.decide(id, "ask", YES);
    await finished(world, id);
    expect((await world.run(id)).state).toBe("succeeded");
    expect((await world.steps(id)).map(({ key, attempt, state }) => [key, attempt, state])).toEqual(
      [
        ["ask", 1, "failed"],
        ["ask", 2, "succeeded"],
        ["a", 1, "succeeded"],
      ],
    );
  });

  test("that nobody decides in time ends as its node says", async () => {
    const late = approvalNode("ask", { waitMs: HOUR, onTimeout: "approve" });
    await using world = await createWorld(line([late]));
    const run = await world.execute(IDLE);
    expect([run.state, lasted(run)]).toEqual(["succeeded", HOUR]);
  });

  /** Decides at every possible moment of the worker's way from asking to parking and back. */
  test("whose decision comes at any moment is never lost", async () => {
    const moments: string[] = [];
    for (let at = 1; ; at += 1) {
      await using world = await createWorld(workflow);
      const id = await world.submit();
      let seen = 0;
      let isDecided = false;
      const decide = async (where: string) => {
        const name = approvalSignal("ask");
        await world.store.runs.signal(id, { name, payload: { approved: true }, by: null });
        isDecided = true;
        moments.push(where);
      };
      world.start({
        ...IDLE,
        probe: async (moment, call) => {
          if (!call.startsWith("runs.") || isDecided) return;
          seen += 1;
          if (seen === at) await decide(`${moment} ${call}`);
        },
      });
      await world.until(async () => isDecided || (await world.run(id)).state === "waiting");
      if (!isDecided) break;
      await finished(world, id);
      expect([at, (await world.run(id)).state]).toEqual([at, "succeeded"]);
    }
    expect(moments).toContain("before runs.write");
    expect(moments).toContain("after runs.write");
    expect(moments).toContain("after runs.journal");
  });
});

const waitFor = (id: string, changes: object = {}) =>
  waitNode(
    id,
    { for: "signal", name: "go", onTimeout: "fail", ...changes },
    {
      outputs: [{ name: id, type: ANY }],
    },
  );

describe("a signal", () => {
  test("that comes before anybody waits for it is kept", async () => {
    await using world = await createWorld(line([waitFor("w")]));
    const id = await world.submit();
    await world.store.runs.signal(id, { name: "go", payload: { n: 1 }, by: null });
    await world.drain(IDLE);
    const run = await world.run(id);
    expect([run.state, run.values["w"]]).toEqual(["succeeded", { n: 1 }]);
    // It never waited.
    expect((await world.events(id)).some(({ type }) => type === "run.waiting")).toBe(false);
  });

  test("is taken by one of those who wait for it; the others take the next", async () => {
    const ways = to({ [START]: ["a", "b"], a: [END], b: [END] });
    await using world = await createWorld(graph([waitFor("a"), waitFor("b")], ways));
    const id = await world.submit();
    world.start(IDLE);
    await parked(world, id);
    await world.store.runs.signal(id, { name: "go", payload: 1, by: null });
    await world.until(async () => (await world.run(id)).values["a"] !== null);
    await parked(world, id);
    expect((await world.run(id)).values["b"]).toBeNull();
    await world.store.runs.signal(id, { name: "go", payload: 2, by: null });
    await finished(world, id);
    const { values } = await world.run(id);
    expect([values["a"], values["b"]]).toEqual([1, 2]);
  });

  test("is noticed while another branch is at work", async () => {
    const ways = to({ [START]: ["w", "b"], w: ["c"], b: [END], c: [END] });
    await using world = await createWorld(graph([waitFor("w"), node("b"), node("c")], ways));
    const id = await world.submit();
    let cAt = 0;
    world.start({
      executors: nodesDo({
        b: async ({ clock }) => (await clock.sleep(10_000), {}),
        c: ({ clock }) => ((cAt = clock.now()), {}),
      }),
    });
    await world.until(async () => (await world.steps(id)).some(({ state }) => state === "waiting"));
    await world.until(() => world.clock.now() >= 1_800_000_001_000);
    const sentAt = world.clock.now();
    await world.store.runs.signal(id, { name: "go", payload: null, by: null });
    await finished(world, id);
    expect([(await world.run(id)).state, cAt - sentAt < 1_000]).toEqual(["succeeded", true]);
  });

  test("that does not come in time ends as its node says", async () => {
    await using world = await createWorld(line([waitFor("w", { limitMs: HOUR })]));
    const run = await world.execute(IDLE);
    expect([run.state, run.error?.code]).toEqual(["failed", "timeout"]);
    expect(lasted(run)).toBe(HOUR);
  });
});

const call = (step: StepContext, ordinal: number) =>
  step.calls.perform({ ordinal, kind: "model", name: "m", request: {} }, async () => ({
    result: ordinal,
    usage: NO_USAGE,
    costNanoUsd: 0,
    finished: (durationMs) => ({
      type: "model.finished",
      step: step.key,
      attempt: step.attempt,
      call: ordinal,
      usage: NO_USAGE,
      costNanoUsd: 0,
      durationMs,
    }),
  }));

describe("a step that is postponed by a rate limit", () => {
  test("goes on as the same attempt with its finished calls, and has failed nowhere", async () => {
    await using world = await createWorld(line([node("a")]));
    let tries = 0;
    const run = await world.execute({
      executors: nodesDo({
        a: async (step) => {
          await call(step, 0);
          tries += 1;
          const untilMs = step.clock.now() + HOUR;
          if (tries < 3) throw new StepPostponed({ for: "rate_limit", untilMs });
          await call(step, 1);
          return { a: step.attempt };
        },
      }),
    });
    expect([run.state, run.values["a"], tries]).toEqual(["succeeded", 1, 3]);
    expect(lasted(run)).toBe(2 * HOUR);
    const { calls, steps } = await world.store.runs.journal(run.id);
    expect([calls.map(({ ordinal }) => ordinal), steps.length]).toEqual([[0, 1], 1]);
    expect((await world.events(run.id)).filter(({ type }) => type === "run.waiting")).toMatchObject(
      [{ for: "rate_limit" }, { for: "rate_limit" }],
    );
  });

  test("never spins, however soon it asks to be tried again", async () => {
    await using world = await createWorld(line([node("a")]));
    const end = world.clock.now() + 1_000;
    let tries = 0;
    await world.execute({
      executors: nodesDo({
        a: ({ clock }) => {
          tries += 1;
          if (clock.now() >= end) return {};
          throw new StepPostponed({ for: "rate_limit", untilMs: 0 });
        },
      }),
    });
    expect(tries).toBeLessThanOrEqual(1_000 / 20 + 2);
  });
});

const fails = () => {
  throw new AppError("tool_failed", "Broken inside.");
};

describe("a workflow inside of a workflow", () => {
  const child = line([node("x")], { name: "child" });
  const caller = (changes: object = {}, options: GraphOptions = {}) =>
    line(
      [callNode("call", "child", { outputs: [{ name: "x", type: ANY }], ...changes }), node("a")],
      options,
    );

  test("is a run of its own, whose end lets the caller go on with its result and cost", async () => {
    await using world = await createWorld(caller(), { others: [child] });
    const id = await world.submit();
    const runner = world.start({
      executors: nodesDo({ x: () => ({ x: "from inside" }) }),
      concurrency: 1,
    });
    await world.settled(runner.drained);
    const run = await world.run(id);
    const [inside] = await world.store.runs.descendants(id, 5);
    expect([run.state, run.values["x"]]).toEqual(["succeeded", "from inside"]);
    expect(inside).toMatchObject({ state: "succeeded", depth: 1, rootId: id, source: "workflow" });
    expect(inside?.origin).toEqual({ kind: "child", runId: id, step: "call" });
  });

  test("costs its caller what it has cost", async () => {
    const priced = line([llmNode("x")], { name: "child" });
    await using world = await createWorld(caller(), { others: [priced] });
    const models = scriptedModels(() => sayFor("x"));
    const { llm: _, ...rest } = nodesDo({});
    const run = await world.execute({ models, executors: rest }).catch(() => undefined);
    // `a` asks a model too, with an answer that does not fit it.
    expect(run?.costNanoUsd).toBe(2_000);
  });

  test("that fails fails its step; on_error is for that too", async () => {
    await using world = await createWorld(caller(), { others: [child] });
    const run = await world.execute({ executors: nodesDo({ x: fails }) });
    expect([run.state, run.error?.code]).toEqual(["failed", "tool_failed"]);
    expect(run.error?.message).toContain("Broken inside.");
    await using other = await createWorld(caller({ onError: { kind: "continue" } }), {
      others: [child],
    });
    expect((await other.execute({ executors: nodesDo({ x: fails }) })).state).toBe("succeeded");
  });

  test("ends with its caller", async () => {
    const ways = to({ [START]: ["call", "b"], call: [END], b: [END] });
    await using world = await createWorld(graph([callNode("call", "child"), node("b")], ways), {
      others: [line([waitNode("x", { for: "duration", ms: WEEK })], { name: "child" })],
    });
    const run = await world.execute({
      executors: nodesDo({
        b: async ({ clock }) => {
          await clock.sleep(5_000);
          throw new AppError("tool_failed", "No.");
        },
      }),
    });
    const inside = await world.store.runs.descendants(run.id, 5);
    expect([run.state, inside.map(({ state }) => state)]).toEqual(["failed", ["cancelled"]]);
  });

  test("is executed by a worker for one run alone, together with its caller", async () => {
    await using world = await createWorld(caller(), { others: [child] });
    const other = await world.submit();
    const id = await world.submit(undefined, undefined, { reservedFor: "cli" });
    const runner = world.start({ ...IDLE, only: id, worker: "cli", concurrency: 1 });
    await world.settled(runner.drained);
    expect([(await world.run(id)).state, (await world.run(other)).state]).toEqual([
      "succeeded",
      "queued",
    ]);
    expect(world.clock.now() - (await world.run(id)).createdAt).toBeLessThan(200);
  });

  test("does not end the worker for one run while that run waits for a person", async () => {
    await using world = await createWorld(line([approvalNode("ask")]));
    const id = await world.submit();
    const runner = world.start({ ...IDLE, only: id });
    let isDrained = false;
    void runner.drained.then(() => (isDrained = true));
    await parked(world, id);
    const start = world.clock.now();
    await world.until(() => world.clock.now() > start + HOUR);
    expect(isDrained).toBe(false);
    await world.store.runs.decide(id, "ask", YES);
    await world.until(() => isDrained);
    expect((await world.run(id)).state).toBe("succeeded");
  });
});

const models = () =>
  scriptedModels((request) => sayFor(/Do (\w+)/.exec(JSON.stringify(request))?.[1] ?? ""));
const chain = (options: GraphOptions) => line([llmNode("a"), llmNode("b"), llmNode("c")], options);

describe("a budget", () => {
  test("stops the run before the call that would break it, also past on_error and retries", async () => {
    const survivor = { onError: { kind: "continue" }, retry: RETRY_ALL } as const;
    const budget = { maxCostNanoUsd: 2_300 };
    await using world = await createWorld(
      line([llmNode("a"), llmNode("b"), llmNode("c", survivor)], { budget }),
    );
    const asked = models();
    const run = await world.execute({ models: asked });
    expect([run.state, asked.requests.length, run.costNanoUsd]).toEqual(["failed", 2, 2_000]);
    expect(run.error).toMatchObject({
      code: "budget_exceeded",
      message:
        "Step `c` failed: The run has spent $0.0000020 of its budget of $0.0000023, and the next call costs at least $0.00000040.",
    });
  });

  test("of tokens, and of time, stop it too", async () => {
    await using tokens = await createWorld(chain({ budget: { maxTokens: 30 } }));
    const asked = models();
    const run = await tokens.execute({ models: asked });
    expect([run.error?.code, asked.requests.length]).toEqual(["budget_exceeded", 2]);
    await using slow = await createWorld(
      line([waitNode("w", { for: "duration", ms: HOUR }), llmNode("a")], {
        budget: { maxDurationMs: HOUR / 2 },
      }),
    );
    expect((await slow.execute({ models: models() })).error?.code).toBe("budget_exceeded");
  });

  test("of the run wins over that of its workflow, key by key", async () => {
    await using world = await createWorld(
      chain({ budget: { maxCostNanoUsd: 1, maxTokens: 1_000 } }),
    );
    const overrides = { budget: { maxCostNanoUsd: 1_000_000 } };
    const run = await world.execute({ models: models() }, undefined, overrides);
    expect(run.state).toBe("succeeded");
  });

  test("that is waited for lets the run go on where it stopped, once it was raised", async () => {
    await using world = await createWorld(
      chain({ budget: { maxCostNanoUsd: 1_500 }, onBudget: "wait" }),
    );
    const asked = models();
    const id = await world.submit();
    world.start({ models: asked });
    await parked(world, id);
    expect(await world.run(id)).toMatchObject({ waitingFor: "budget", dueAt: null });
    expect(asked.requests.length).toBe(2);
    const budget = { maxCostNanoUsd: 10_000 };
    await world.store.runs.resume(id, { overrides: { budget }, by: "ann" });
    await finished(world, id);
    const { steps } = await world.store.runs.journal(id);
    expect([(await world.run(id)).state, asked.requests.length]).toEqual(["succeeded", 3]);
    expect(steps.map(({ attempt, state }) => [attempt, state])).toEqual([
      [1, "succeeded"],
      [1, "succeeded"],
      [1, "succeeded"],
    ]);
  });

  test("that was not raised enough is waited for again", async () => {
    await using world = await createWorld(
      chain({ budget: { maxCostNanoUsd: 1_500 }, onBudget: "wait" }),
    );
    const asked = models();
    const id = await world.submit();
    world.start({ models: asked });
    await parked(world, id);
    await world.store.runs.resume(id, { by: "ann" });
    await world.until(
      async () =>
        (await world.events(id)).filter(({ type }) => type === "run.waiting").length === 2,
    );
    expect([(await world.run(id)).waitingFor, asked.requests.length]).toEqual(["budget", 2]);
  });

  test("counts what runs inside have cost", async () => {
    const priced = line([llmNode("x")], { name: "child" });
    const ways = [callNode("call", "child"), llmNode("a")];
    await using world = await createWorld(line(ways, { budget: { maxCostNanoUsd: 1_399 } }), {
      others: [priced],
    });
    const run = await world.execute({ models: models() });
    expect([run.error?.code, run.costNanoUsd]).toEqual(["budget_exceeded", 1_000]);
  });

  test("of the outermost run is shared by all inside of it, also while they run side by side", async () => {
    // Three children of three calls each: 1,000 nano-dollars a call, 400 of it before the first word.
    const inner = line([llmNode("x"), llmNode("y"), llmNode("z")], { name: "child" });
    const calls = ["p", "q", "r"].map((id) => callNode(id, "child"));
    await using world = await createWorld(
      graph(calls, to({ [START]: ["p", "q", "r"], p: [END], q: [END], r: [END] }), {
        budget: { maxCostNanoUsd: 4_500 },
      }),
      { others: [inner] },
    );
    const asked = models();
    const run = await world.execute({ models: asked });
    expect([run.state, run.error?.code]).toEqual(["failed", "budget_exceeded"]);
    // The three under way at the limit may be above it; no other call is made.
    expect(asked.requests.length).toBeGreaterThanOrEqual(4);
    expect(asked.requests.length).toBeLessThanOrEqual(7);
  });

  test("of a workflow holds also inside of a run that may spend more", async () => {
    const inner = line([llmNode("x"), llmNode("y"), llmNode("z")], {
      name: "child",
      budget: { maxTokens: 20 },
    });
    await using world = await createWorld(
      line([callNode("call", "child")], { budget: { maxTokens: 1_000 } }),
      { others: [inner] },
    );
    const asked = models();
    const run = await world.execute({ models: asked });
    expect([run.error?.code, asked.requests.length]).toEqual(["budget_exceeded", 2]);
  });

  test("counts calls under way for as much as they cost at least", async () => {
    const ids = ["p", "q", "r", "s"];
    await using world = await createWorld(
      graph(
        ids.map((id) => llmNode(id)),
        to({ [START]: ids, p: [END], q: [END], r: [END], s: [END] }),
        { budget: { maxCostNanoUsd: 900 } },
      ),
    );
    const asked = models();
    const run = await world.execute({ models: asked });
    expect([run.error?.code, asked.requests.length]).toEqual(["budget_exceeded", 2]);
  });
});
