import { describe, expect, test } from "bun:test";
import { AppError } from "../../src/domain/error.ts";
import { LEASE_MS, STEP_RECOVERY_COUNT_MAX } from "../../src/domain/run.ts";
import { RUN_LOOK_PAUSE_MS } from "../../src/engine/claims.ts";
import { LOOK_INTERVAL_MS_MAX } from "../../src/engine/runner.ts";
import type { FakeClock } from "./fake-clock.ts";
import { line, llmNode, RETRY_ALL } from "./fixture.ts";
import {
  answer,
  askFor,
  failWith,
  type ModelScript,
  nodeOf,
  sayFor,
  scriptedModels,
  scriptedTools,
  USAGE,
} from "./script.ts";
import { createWorld, type Probe } from "./world.ts";

const HOUR = 60 * 60_000;
const ECHO: ModelScript = (request) => sayFor(nodeOf(request));

/** Says a word a second, for ever or until the signal aborts. */
function endless(clock: FakeClock): ModelScript {
  return async function* (request) {
    while (!request.signal.aborted) {
      yield { type: "text", text: "word " };
      await clock.sleep(1_000, request.signal);
    }
    yield { type: "end", reason: "aborted" };
  };
}

/** Answers after some time. */
function slow(clock: FakeClock, ms: number): ModelScript {
  return async function* (request) {
    await clock.sleep(ms, request.signal);
    if (request.signal.aborted) yield { type: "end", reason: "aborted" };
    else yield* sayFor(nodeOf(request));
  };
}

/** Throws the first `count` times that `call` is made, before it reaches the store. */
function refusing(call: string, count: number, error: AppError): Probe {
  let left = count;
  return (moment, seen) => {
    if (moment !== "before" || seen !== call || left === 0) return;
    left -= 1;
    throw error;
  };
}

/** The log of a step that ECHO answers. */
function logOf(id: string, next: string): unknown[] {
  const place = { step: id, attempt: 1 };
  return [
    { type: "step.started", node: id, ...place },
    { type: "model.started", ...place, call: 0, provider: "openai", model: "scripted-1" },
    { type: "model.delta", ...place, call: 0, text: `{"${id}":"${id}!","${id}_count":2}` },
    {
      type: "model.finished",
      ...place,
      call: 0,
      usage: USAGE,
      costNanoUsd: 1_000,
      durationMs: 0,
    },
    {
      type: "step.succeeded",
      ...place,
      patch: { [id]: `${id}!`, [`${id}_count`]: 2 },
      next: [next],
    },
  ];
}

describe("startRunner()", () => {
  test("executes a run step by step and logs it", async () => {
    await using world = await createWorld(line([llmNode("a"), llmNode("b")]));
    const run = await world.execute({ models: scriptedModels(ECHO) });
    expect<unknown[]>(await world.events(run.id)).toEqual([
      { type: "run.queued" },
      { type: "run.started", worker: "worker-1" },
      ...logOf("a", "b"),
      ...logOf("b", "END"),
      { type: "run.succeeded", outputs: { a: "a!", a_count: 2, b: "b!", b_count: 2 } },
    ]);
    expect(world.errors).toEqual([]);
  });

  test("executes at most `concurrency` runs at once, and all of them in the end", async () => {
    await using world = await createWorld(line([llmNode("a")]));
    let current = 0;
    let most = 0;
    const models = scriptedModels(async function* (request) {
      current += 1;
      most = Math.max(most, current);
      await world.clock.sleep(100, request.signal);
      current -= 1;
      yield* sayFor("a");
    });
    for (let index = 0; index < 10; index += 1) await world.submit();
    const runner = world.start({ models, concurrency: 3 });
    await world.settled(runner.drained);
    expect(most).toBe(3);
    expect((await world.store.runs.counts()).succeeded).toBe(10);
    expect(models.requests.length).toBe(10);
  });

  test("with `only` touches no other run and is drained when that one has ended", async () => {
    await using world = await createWorld(line([llmNode("a")]));
    const other = await world.submit();
    const mine = await world.submit();
    const runner = world.start({ models: scriptedModels(ECHO), only: mine });
    await world.settled(runner.drained);
    expect((await world.run(mine)).state).toBe("succeeded");
    expect((await world.run(other)).state).toBe("queued");
  });

  test("looks at an idle queue once in a while and writes nothing", async () => {
    await using world = await createWorld(line([llmNode("a")]));
    const calls: string[] = [];
    const runner = world.start({
      models: scriptedModels(ECHO),
      probe: (moment, call) => void (moment === "before" && calls.push(call)),
    });
    await world.settled(runner.drained);
    const start = world.clock.now();
    await world.until(() => world.clock.now() >= start + 60_000);
    expect(new Set(calls)).toEqual(new Set(["queue.nextDueAt"]));
    expect(calls.length).toBeLessThanOrEqual(60_000 / LOOK_INTERVAL_MS_MAX + 2);
  });

  test("takes a run that is created while it sleeps at once, told by the change signal", async () => {
    await using world = await createWorld(line([llmNode("a")]));
    const runner = world.start({ models: scriptedModels(ECHO) });
    await world.settled(runner.drained);
    const before = world.clock.now();
    const id = await world.submit();
    await world.until(async () => (await world.run(id)).state === "succeeded");
    expect(world.clock.now() - before).toBeLessThan(100);
  });

  test("takes at once a run that is reserved for it", async () => {
    await using world = await createWorld(line([llmNode("a")]));
    const id = await world.submit(undefined, undefined, { reservedFor: "cli-1" });
    const before = world.clock.now();
    const runner = world.start({ models: scriptedModels(ECHO), only: id, worker: "cli-1" });
    await world.settled(runner.drained);
    expect((await world.run(id)).state).toBe("succeeded");
    expect(world.clock.now() - before).toBeLessThan(100);
  });

  test("reads each short run once, and each version of a workflow once", async () => {
    const workflow = line([llmNode("a")]);
    await using world = await createWorld(workflow);
    const calls: string[] = [];
    let loads = 0;
    for (let index = 0; index < 5; index += 1) await world.submit();
    const runner = world.start({
      models: scriptedModels(ECHO),
      concurrency: 1,
      probe: (moment, call) => void (moment === "before" && calls.push(call)),
      loadWorkflow: async () => {
        loads += 1;
        return workflow;
      },
    });
    await world.settled(runner.drained);
    expect([calls.filter((call) => call === "runs.get").length, loads]).toEqual([5, 1]);
  });

  test("loads a workflow again that could not be loaded for the run before", async () => {
    const workflow = line([llmNode("a")]);
    await using world = await createWorld(workflow);
    const ids = [await world.submit(), await world.submit()];
    let loads = 0;
    const runner = world.start({
      models: scriptedModels(ECHO),
      concurrency: 1,
      loadWorkflow: async () => {
        loads += 1;
        if (loads === 1) throw new AppError("not_found", "Gone.");
        return workflow;
      },
    });
    await world.settled(runner.drained);
    const states = await Promise.all(ids.map(async (id) => (await world.run(id)).state));
    expect(states.toSorted()).toEqual(["failed", "succeeded"]);
  });

  test("leaves no timer and no listener behind, which would keep its process alive", async () => {
    const tools = [{ name: "search", onError: "fail" as const, config: {} }];
    const node = llmNode("a", { timeoutMs: HOUR, tools });
    await using world = await createWorld({ ...line([node]), timeoutMs: HOUR });
    const run = await world.execute({
      models: scriptedModels((_, callCount) =>
        callCount === 0 ? askFor({ id: "1", name: "search", arguments: {} }) : sayFor("a"),
      ),
      tools: scriptedTools({ search: () => "found" }),
    });
    expect([run.state, world.clock.sleeperCount, world.listenerCount]).toEqual(["succeeded", 0, 0]);
  });

  test("fails the run with the reason when its workflow cannot be loaded", async () => {
    await using world = await createWorld(line([llmNode("a")]));
    const run = await world.execute({
      models: scriptedModels(ECHO),
      loadWorkflow: () =>
        Promise.reject(new AppError("workflow_invalid", "Line 3 is wrong.", { fix: "Mend it." })),
    });
    expect([run.state, run.error]).toEqual([
      "failed",
      { code: "workflow_invalid", message: "Line 3 is wrong.", fix: "Mend it." },
    ]);
  });

  test("joins pieces of an answer that arrive within 100 ms and writes them while it streams", async () => {
    await using world = await createWorld(line([llmNode("a")]));
    const models = scriptedModels(async function* (request) {
      for (let index = 0; index < 25; index += 1) {
        yield { type: "text", text: String(index % 10) };
        await world.clock.sleep(10, request.signal);
      }
      yield { type: "end", reason: "finished", answer: answer('{"a":"x","a_count":1}') };
    });
    const run = await world.execute({ models });
    const deltas = (await world.store.runs.events(run.id, 0, 100)).filter(
      ({ event }) => event.type === "model.delta",
    );
    const texts = deltas.map(({ event }) => (event.type === "model.delta" ? event.text : ""));
    expect(texts.join("")).toBe("0123456789012345678901234");
    expect(texts.length).toBe(3);
    expect(deltas.map(({ at }) => at - (deltas[0]?.at ?? 0))).toEqual([0, 100, 150]);
  });
});

describe("cancellation", () => {
  test("aborts a streaming call soon after it was asked for, and keeps what was streamed", async () => {
    const first = llmNode("a", { timeoutMs: 60_000 });
    await using world = await createWorld(line([first, llmNode("b")]));
    const models = scriptedModels(endless(world.clock));
    const id = await world.submit();
    world.start({ models });
    const start = world.clock.now();
    await world.until(() => world.clock.now() >= start + 1_500);
    const asked = world.clock.now();
    await world.store.runs.requestCancel(id);
    await world.until(async () => (await world.run(id)).state === "cancelled");
    // Nobody says any more what the broken answer costs, so the sum is only a lower bound.
    expect((await world.run(id)).unpricedCount).toBe(1);
    expect((await world.steps(id)).map(({ unpricedCount }) => unpricedCount)).toEqual([1]);
    expect(world.clock.now() - asked).toBeLessThanOrEqual(RUN_LOOK_PAUSE_MS);
    expect(models.requests.map((request) => request.signal.aborted)).toEqual([true]);
    expect((await world.events(id)).map((event) => event.type)).toEqual([
      "run.queued",
      "run.started",
      "step.started",
      "model.started",
      "model.delta",
      "model.delta",
      "run.cancelling",
      // What had arrived since the last flush.
      "model.delta",
      "run.cancelled",
    ]);
    expect((await world.store.runs.journal(id)).steps.map(({ state }) => state)).toEqual([
      "cancelled",
    ]);
    expect(world.errors).toEqual([]);
  });

  test("is noticed at the next renewal when no change is signalled", async () => {
    await using world = await createWorld(line([llmNode("a")]));
    const id = await world.submit();
    let look = true;
    world.start({
      models: scriptedModels(endless(world.clock)),
      probe: (_, call) => {
        // As if the signal were lost: looking for cancelled runs fails.
        if (!look && call === "runs.get") throw new AppError("database_locked", "Locked.");
      },
    });
    await world.until(async () => (await world.run(id)).state === "running");
    await world.until(async () => (await world.events(id)).length > 3);
    look = false;
    const asked = world.clock.now();
    await world.store.runs.requestCancel(id);
    await world.until(async () => (await world.run(id)).state === "cancelled");
    expect(world.clock.now() - asked).toBeLessThanOrEqual(LEASE_MS / 3);
  });

  test("in the middle of parallel tools wins over one that has failed, and records no failure", async () => {
    const tools = ["fails", "hangs"].map((name) => ({
      name,
      onError: "fail" as const,
      config: {},
    }));
    await using world = await createWorld(line([llmNode("a", { tools })]));
    const id = await world.submit();
    const signals: AbortSignal[] = [];
    world.start({
      models: scriptedModels(() =>
        askFor(
          { id: "1", name: "fails", arguments: {} },
          { id: "2", name: "hangs", arguments: {} },
        ),
      ),
      tools: scriptedTools({
        fails: () => {
          throw new AppError("tool_failed", "No.");
        },
        hangs: async (_, { signal }) => {
          signals.push(signal);
          await world.clock.sleep(20_000, signal);
          throw new AppError("cancelled", "Stopped.");
        },
      }),
    });
    await world.until(async () => (await world.store.runs.journal(id)).calls.length === 2);
    await world.store.runs.requestCancel(id);
    await world.until(async () => (await world.run(id)).state === "cancelled", LEASE_MS);
    expect(signals.map((signal) => signal.aborted)).toEqual([true]);
    const { calls } = await world.store.runs.journal(id);
    expect(calls.map((call) => call.name)).toEqual(["scripted-1", "fails"]);
  });

  test("does not wait for a model that ignores its signal", async () => {
    await using world = await createWorld(line([llmNode("a")]));
    const id = await world.submit();
    world.start({
      models: scriptedModels(async function* () {
        yield { type: "text", text: "…" };
        await new Promise(() => {});
      }),
    });
    await world.until(async () => (await world.events(id)).length > 3);
    await world.store.runs.requestCancel(id);
    await world.until(async () => (await world.run(id)).state === "cancelled", LEASE_MS);
  });
});

describe("a lost lease", () => {
  test("aborts the body silently; the other worker's result stands alone", async () => {
    await using world = await createWorld(line([llmNode("a")]));
    const id = await world.submit();
    const zombie = scriptedModels(slow(world.clock, 60_000));
    world.start({ models: zombie, worker: "zombie" });
    await world.until(() => zombie.requests.length === 1);
    // The zombie stands still for longer than its lease, and another worker is quicker afterwards.
    world.clock.jump(LEASE_MS + 1);
    const heir = scriptedModels(() => sayFor("a", "heir"));
    world.start({ models: heir, worker: "heir" });
    await world.until(async () => (await world.run(id)).state === "succeeded");
    await world.until(() => zombie.requests[0]?.signal.aborted ?? false, LEASE_MS);
    const events = await world.events(id);
    expect(events.filter(({ type }) => type === "run.recovered")).toEqual([
      { type: "run.recovered", worker: "heir" },
    ]);
    expect(events.filter(({ type }) => type.endsWith("succeeded")).length).toBe(2);
    expect((await world.run(id)).values["a"]).toBe("heir");
    expect(world.errors).toEqual([]);
  });

  test("is not taken from a worker by itself: after standing still it renews before it takes runs", async () => {
    await using world = await createWorld(line([llmNode("a")]));
    const id = await world.submit();
    const models = scriptedModels(slow(world.clock, 8_000));
    world.start({ models });
    await world.until(() => models.requests.length === 1);
    world.clock.jump(LEASE_MS + 1);
    // Something has changed, so it looks for work at once.
    await world.submit();
    await world.until(async () => (await world.store.runs.counts()).succeeded === 2);
    expect(models.requests.length).toBe(2);
    expect((await world.events(id)).filter(({ type }) => type === "run.recovered")).toEqual([]);
  });

  test("ends the older execution when the run was given to the same worker again", async () => {
    await using world = await createWorld(line([llmNode("a")]));
    const id = await world.submit();
    const models = scriptedModels(slow(world.clock, 8_000));
    let stall = false;
    world.start({
      models,
      probe: (moment, call) => {
        // The process stands still between renewing and taking.
        if (!stall || moment !== "before" || call !== "queue.fetch") return;
        stall = false;
        world.clock.jump(LEASE_MS + 1);
      },
    });
    // Past the first writes, so that no refused one tells it.
    await world.until(async () => (await world.events(id)).length > 3);
    stall = true;
    await world.submit();
    await world.until(async () => (await world.store.runs.counts()).succeeded === 2);
    expect((await world.run(id)).state).toBe("succeeded");
    expect(models.requests.map((request) => request.signal.aborted)).toEqual([true, false, false]);
  });

  test("is not risked by one renewal that fails: the next comes soon", async () => {
    await using world = await createWorld(line([llmNode("a")]));
    await world.submit();
    const touches: number[] = [];
    const start = world.clock.now();
    world.start({
      models: scriptedModels(slow(world.clock, 12_000)),
      probe: (moment, call) => {
        if (moment !== "before" || call !== "queue.touch") return;
        touches.push(world.clock.now() - start);
        if (touches.length === 1) throw new AppError("database_locked", "Locked.");
      },
    });
    await world.until(() => touches.length === 3);
    expect(touches).toEqual([5_000, 6_000, 11_000]);
  });

  test("is refused by the journal when the late worker was not told yet", async () => {
    await using world = await createWorld(line([llmNode("a")]));
    const id = await world.submit();
    const late = scriptedModels(slow(world.clock, LEASE_MS + 100));
    const writes: string[] = [];
    world.start({
      models: late,
      worker: "late",
      probe: (_, call) => {
        if (call === "queue.touch") throw new AppError("database_locked", "Locked.");
        if (call.startsWith("runs.")) writes.push(call);
      },
    });
    await world.until(() => late.requests.length === 1);
    const heir = scriptedModels(slow(world.clock, 60_000));
    world.start({ models: heir, worker: "heir" });
    await world.until(async () => (await world.run(id)).state === "succeeded");
    const journal = await world.store.runs.journal(id);
    expect(journal.steps.map(({ recoveryCount, state }) => [recoveryCount, state])).toEqual([
      [1, "succeeded"],
    ]);
    expect(journal.calls.length).toBe(1);
    expect([late.requests.length, heir.requests.length]).toEqual([1, 1]);
    // Refused once, it writes no more, not even a failure.
    expect(writes.at(-1)).toBe("runs.recordCall");
  });
});

test(`a step whose worker died ${STEP_RECOVERY_COUNT_MAX} times fails with worker_crashed`, async () => {
  await using world = await createWorld(line([llmNode("a")]));
  const id = await world.submit();
  let calls = 0;
  for (let life = 0; ; life += 1) {
    let dead = false;
    const runner = world.start({
      models: scriptedModels(async function* () {
        calls += 1;
        dead = true;
        yield { type: "end", reason: "aborted" };
      }),
      worker: `worker-${life}`,
      probe: () => {
        if (dead) throw new Error("dead");
      },
    });
    let drained = false;
    void runner.drained.then(() => (drained = true));
    await world.until(() => dead || drained);
    const isOver = drained;
    dead = true;
    await world.settled(runner.stop({ graceMs: 0 }));
    if (isOver) break;
  }
  const { state, error } = await world.run(id);
  expect([state, error?.code, calls]).toEqual([
    "failed",
    "worker_crashed",
    STEP_RECOVERY_COUNT_MAX,
  ]);
  expect(error?.message).toContain(
    `Step \`a\` failed: The worker died ${STEP_RECOVERY_COUNT_MAX} times`,
  );
});

describe("a database in trouble", () => {
  const codes = [
    ...(["database_locked", "disk_full", "read_only", "unavailable"] as const),
    ...(["permission_denied", "config_invalid", "database_corrupt"] as const),
  ];
  for (const code of codes) {
    for (const call of ["write", "recordCall"]) {
      test(`${code} at ${call}: written again until it is taken, and no call is repeated`, async () => {
        await using world = await createWorld(line([llmNode("a"), llmNode("b")]));
        const models = scriptedModels(ECHO);
        const probe = refusing(`runs.${call}`, 20, new AppError(code, "Not now."));
        const run = await world.execute({ models, probe });
        expect([run.state, models.requests.length]).toEqual(["succeeded", 2]);
        expect((await world.store.runs.journal(run.id)).steps.map((step) => step.attempt)).toEqual([
          1, 1,
        ]);
        // Told once, not twenty times.
        expect(world.errors.map((error) => AppError.from(error).code)).toEqual([code]);
      });
    }
  }

  test("keeps streamed text that it could not write, in order", async () => {
    await using world = await createWorld(line([llmNode("a")]));
    const models = scriptedModels(async function* (request) {
      for (let index = 0; index < 9; index += 1) {
        yield { type: "text", text: String(index) };
        await world.clock.sleep(60, request.signal);
      }
      yield { type: "end", reason: "finished", answer: answer('{"a":"x","a_count":1}') };
    });
    const probe = refusing("runs.appendEvents", 2, new AppError("database_locked", "Not now."));
    const run = await world.execute({ models, probe });
    const texts = (await world.events(run.id)).map((event) =>
      event.type === "model.delta" ? event.text : "",
    );
    expect(texts.join("")).toBe("012345678");
  });

  test("lets no further call be made in an attempt whose time is over", async () => {
    const tools = [{ name: "search", onError: "fail" as const, config: {} }];
    await using world = await createWorld(line([llmNode("a", { timeoutMs: 5_000, tools })]));
    const search = scriptedTools({ search: () => "found" });
    const run = await world.execute({
      models: scriptedModels(() => askFor({ id: "1", name: "search", arguments: {} })),
      tools: search,
      probe: refusing("runs.recordCall", 20, new AppError("database_locked", "Not now.")),
    });
    expect([run.error?.code, search.uses.length]).toEqual(["timeout", 0]);
    // The answer that was there is kept.
    expect((await world.store.runs.journal(run.id)).calls.length).toBe(1);
  });

  test("a queue that cannot be read is asked again, less and less often", async () => {
    await using world = await createWorld(line([llmNode("a")]));
    const error = new AppError("database_locked", "Not now.");
    const probe = refusing("queue.nextDueAt", 10, error);
    const run = await world.execute({ models: scriptedModels(ECHO), probe });
    expect([run.state, world.errors.length]).toEqual(["succeeded", 1]);
  });

  test("what is no trouble of the database fails the run instead of being repeated", async () => {
    await using world = await createWorld(line([llmNode("a")]));
    const probe = refusing("runs.write", 1, new AppError("conflict", "Never."));
    const run = await world.execute({ models: scriptedModels(ECHO), probe });
    expect([run.state, run.error?.code]).toEqual(["failed", "conflict"]);
  });
});

describe("stop()", () => {
  test("lets the step under way finish, begins no other, and gives the run back", async () => {
    await using world = await createWorld(line([llmNode("a"), llmNode("b")]));
    const id = await world.submit();
    const models = scriptedModels(slow(world.clock, 3_000));
    const runner = world.start({ models });
    await world.until(() => models.requests.length === 1);
    await world.settled(runner.stop({ graceMs: 10_000 }));
    const { state, doneNodeIds } = await world.run(id);
    expect([state, doneNodeIds, models.requests.length]).toEqual(["queued", ["a"], 1]);
    expect(world.errors).toEqual([]);
  });

  test("aborts what is still under way after the grace; the run goes on elsewhere at once", async () => {
    await using world = await createWorld(line([llmNode("a")]));
    const id = await world.submit();
    const models = scriptedModels(endless(world.clock));
    const runner = world.start({ models });
    await world.until(() => models.requests.length === 1);
    const before = world.clock.now();
    await world.settled(runner.stop({ graceMs: 2_500 }));
    expect(world.clock.now() - before).toBe(2_500);
    expect(models.requests[0]?.signal.aborted).toBe(true);
    // What was streamed until then is in the log.
    const texts = (await world.events(id)).map((event) =>
      event.type === "model.delta" ? event.text : "",
    );
    expect(texts.join("")).toBe("word word word ");
    const next = world.start({ models: scriptedModels(ECHO), worker: "worker-2" });
    await world.settled(next.drained);
    expect((await world.run(id)).state).toBe("succeeded");
    expect(world.clock.now() - before).toBeLessThan(3_000);
    expect((await world.events(id)).filter(({ type }) => type === "run.recovered")).toEqual([]);
  });

  test("gives back at once a run that waits for its next try with the run in hand", async () => {
    const retry = { ...RETRY_ALL, delayMs: 1_900 };
    await using world = await createWorld(line([llmNode("a", { retry })]));
    const id = await world.submit();
    const models = scriptedModels(() => failWith({ code: "unavailable", message: "Away." }));
    const runner = world.start({ models });
    await world.until(async () => (await world.steps(id))[0]?.state === "failed");
    const before = world.clock.now();
    await world.settled(runner.stop({ graceMs: 60_000 }));
    expect(world.clock.now() - before).toBeLessThan(100);
    expect(await world.run(id)).toMatchObject({ state: "waiting", worker: null });
  });

  test("gives up a result that the database refuses, and ends", async () => {
    await using world = await createWorld(line([llmNode("a")]));
    await world.submit();
    let away = false;
    const runner = world.start({
      models: scriptedModels(async function* () {
        away = true;
        yield* sayFor("a");
      }),
      probe: () => {
        if (away) throw new AppError("database_locked", "Away.");
      },
    });
    await world.until(() => away);
    await world.settled(runner.stop({ graceMs: 1_000 }));
    expect((await world.store.runs.counts()).running).toBe(1);
  });
});

describe("the time limit of a run", () => {
  const workflow = { ...line([llmNode("a"), llmNode("b")]), timeoutMs: 20_000 };

  test("ends it in the middle of a call", async () => {
    await using world = await createWorld(workflow);
    const models = scriptedModels(slow(world.clock, 15_000));
    const run = await world.execute({ models });
    expect([run.state, run.error?.code, run.doneNodeIds]).toEqual(["failed", "timeout", ["a"]]);
    expect(run.error?.fix).toContain("config.execution.timeout");
    expect((run.finishedAt ?? 0) - run.createdAt).toBe(20_000);
  });

  test("counts what earlier workers used, and not the time between them", async () => {
    await using world = await createWorld(workflow);
    const id = await world.submit();
    const models = scriptedModels(slow(world.clock, 12_000));
    const runner = world.start({ models });
    await world.until(() => models.requests.length === 1);
    const start = world.clock.now();
    await world.settled(runner.stop({ graceMs: 5_000 }));
    expect(world.clock.now() - start).toBe(5_000);
    world.clock.jump(60_000);
    const next = world.start({ models, worker: "worker-2" });
    await world.settled(next.drained);
    const run = await world.run(id);
    expect([run.state, run.error?.code, run.doneNodeIds]).toEqual(["failed", "timeout", ["a"]]);
    expect((run.finishedAt ?? 0) - start).toBeLessThanOrEqual(60_000 + 20_000 + 20);
  });
});
