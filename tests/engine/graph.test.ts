/** Whole runs of graphs on a real database: what conditions, failures, limits and concurrency come to. */
import { describe, expect, test } from "bun:test";
import { AppError } from "../../src/domain/error.ts";
import { END, START } from "../../src/domain/workflow.ts";
import { nodesDo } from "./doing.ts";
import { graph, line, llmNode, NO_RETRY, RETRY_ALL, to } from "./fixture.ts";
import { createWorld, type World } from "./world.ts";

const HOUR = 60 * 60_000;
const ANY = { kind: "any" } as const;
const node = (id: string, changes: Parameters<typeof llmNode>[1] = {}) =>
  llmNode(id, { outputs: [{ name: id, type: ANY }], ...changes });

const DIAMOND = to({ [START]: ["a"], a: ["b", "c"], b: ["d"], c: ["d"], d: [END] });

const add = (n: number) => () => ({ list: [n], sum: n });

const fails = () => {
  throw new AppError("tool_failed", "It is broken.");
};

async function statesOf(world: World, id: string): Promise<string[]> {
  return (await world.steps(id)).map(({ key, attempt, state }) => `${key}/${attempt} ${state}`);
}

describe("a fork", () => {
  test("executes its branches side by side, and its join with the results of all", async () => {
    await using world = await createWorld(
      graph(
        [node("a"), node("b"), node("c"), node("d", { inputs: { b: "{b}", c: "{c}" } })],
        DIAMOND,
      ),
    );
    let current = 0;
    let most = 0;
    const slow = async () => {
      current += 1;
      most = Math.max(most, current);
      await world.clock.sleep(1_000);
      current -= 1;
      return { [most === 1 ? "b" : "c"]: most };
    };
    const executors = nodesDo({ b: slow, c: slow, d: (_, input) => ({ d: input }) });
    const run = await world.execute({ executors });
    expect([run.state, most]).toEqual(["succeeded", 2]);
    expect((run.finishedAt ?? 0) - run.createdAt).toBe(1_000);
    expect(run.doneNodeIds.toSorted()).toEqual(["a", "b", "c", "d"]);
    expect(Object.keys(Object(run.values["d"]))).toEqual(["b", "c"]);
  });

  test("keeps to the concurrency of the workflow", async () => {
    const ids = ["a", "b", "c", "d", "e"];
    const ways = Object.fromEntries(ids.map((id) => [id, [END]]));
    const workflow = graph(
      ids.map((id) => node(id)),
      to({ [START]: ids, ...ways }),
      { concurrency: 2 },
    );
    await using world = await createWorld(workflow);
    let current = 0;
    const seen: number[] = [];
    const slow = async () => {
      current += 1;
      seen.push(current);
      await world.clock.sleep(10);
      current -= 1;
      return {};
    };
    await world.execute({ executors: nodesDo(Object.fromEntries(ids.map((id) => [id, slow]))) });
    expect([seen.length, Math.max(...seen)]).toEqual([5, 2]);
  });

  test("merges what its branches write to one field", async () => {
    const fields = { fields: ["list", "sum"], merges: { list: "append", sum: "sum" } } as const;
    await using world = await createWorld(
      graph([node("a"), node("b"), node("c"), node("d")], DIAMOND, fields),
    );
    const run = await world.execute({
      executors: nodesDo({ a: add(1), b: add(2), c: add(3), d: add(4) }),
    });
    const list = run.values["list"];
    expect([run.values["sum"], Array.isArray(list) && list.toSorted((a, b) => a - b)]).toEqual([
      10,
      [1, 2, 3, 4],
    ]);
  });

  test("writes the end of a step and the beginnings that follow from it at once", async () => {
    await using world = await createWorld(line([node("a"), node("b"), node("c")]));
    let writes = 0;
    await world.execute({
      executors: nodesDo({}),
      probe: (moment, call) => void (moment === "before" && call === "runs.write" && (writes += 1)),
    });
    // The first beginning, two changes of step, and the last end with that of the run.
    expect(writes).toBe(4);
  });
});

describe("a condition", () => {
  test("that is false skips the step; what follows goes on", async () => {
    await using world = await createWorld(
      line([node("a", { when: "topic == 'coffee'" }), node("b", { when: "topic == 'tea'" })]),
    );
    const run = await world.execute({
      executors: nodesDo({ a: () => ({ a: 1 }), b: () => ({ b: 1 }) }),
    });
    expect([run.state, run.values["a"], run.values["b"]]).toEqual(["succeeded", null, 1]);
    expect(await statesOf(world, run.id)).toEqual(["a/1 skipped", "b/1 succeeded"]);
    expect((await world.events(run.id)).filter(({ type }) => type === "step.skipped")).toEqual([
      { type: "step.skipped", step: "a", node: "a" },
    ]);
  });

  test("may use the inputs of its node", async () => {
    await using world = await createWorld(
      line([node("a", { inputs: { what: "{topic}" }, when: "what == 'tea'" })]),
    );
    const run = await world.execute({ executors: nodesDo({ a: (_, input) => ({ a: input }) }) });
    expect(run.values["a"]).toEqual({ what: "tea" });
  });

  test("that cannot be evaluated fails the step with its reason, and is not tried again", async () => {
    await using world = await createWorld(
      line([node("a", { when: "nothing > 3", retry: RETRY_ALL })]),
    );
    const run = await world.execute({ executors: nodesDo({}) });
    expect([run.state, run.error?.code]).toEqual(["failed", "condition_failed"]);
    expect(run.error?.message).toContain("nothing > 3");
    expect(await statesOf(world, run.id)).toEqual(["a/1 failed"]);
  });

  test("of a route that cannot be evaluated fails the step that has ended", async () => {
    const routes = [{ condition: "nothing > 3", to: END }, { to: END }];
    await using world = await createWorld(
      graph([node("a")], [...to({ [START]: ["a"] }), { kind: "routes", from: "a", routes }]),
    );
    const run = await world.execute({ executors: nodesDo({}) });
    expect([run.state, run.error?.code]).toEqual(["failed", "condition_failed"]);
  });
});

const failing = (onError: Parameters<typeof llmNode>[1]) =>
  graph(
    [node("a", onError), node("b"), node("c")],
    to({ [START]: ["a"], a: ["b"], b: [END], c: [END] }),
    {
      fields: ["why"],
    },
  );

describe("on_error", () => {
  test("continue goes on as if the step had succeeded, and keeps the message", async () => {
    await using world = await createWorld(
      failing({ onError: { kind: "continue", errorField: "why" } }),
    );
    const run = await world.execute({ executors: nodesDo({ a: fails }) });
    expect([run.state, run.values["why"], run.doneNodeIds]).toEqual([
      "succeeded",
      "It is broken.",
      ["b"],
    ]);
    expect((await world.events(run.id)).filter(({ type }) => type === "step.failed")).toEqual([
      {
        type: "step.failed",
        step: "a",
        attempt: 1,
        error: { code: "tool_failed", message: "It is broken." },
        next: ["b"],
      },
    ]);
  });

  test("route goes on elsewhere", async () => {
    await using world = await createWorld(failing({ onError: { kind: "route", to: "c" } }));
    const run = await world.execute({ executors: nodesDo({ a: fails }) });
    expect([run.state, run.doneNodeIds]).toEqual(["succeeded", ["c"]]);
  });

  test("comes after the last retry", async () => {
    const onError = { kind: "continue" } as const;
    await using world = await createWorld(failing({ retry: RETRY_ALL, onError }));
    let tries = 0;
    const run = await world.execute({
      executors: nodesDo({
        a: () => {
          tries += 1;
          throw new AppError("timeout", "Too slow.");
        },
      }),
    });
    expect([run.state, tries]).toEqual(["succeeded", RETRY_ALL.maxAttempts]);
  });

  test("fail ends the other branches in the middle of their work", async () => {
    await using world = await createWorld(
      graph([node("a"), node("b"), node("c"), node("d")], DIAMOND),
    );
    const aborted: boolean[] = [];
    const run = await world.execute({
      executors: nodesDo({
        b: async ({ signal, clock }) => {
          await clock.sleep(HOUR, signal);
          aborted.push(signal.aborted);
          signal.throwIfAborted();
          return {};
        },
        c: async ({ clock }) => {
          await clock.sleep(10);
          return fails();
        },
      }),
    });
    expect([run.state, run.error?.message, aborted]).toEqual([
      "failed",
      "Step `c` failed: It is broken.",
      [true],
    ]);
    expect((run.finishedAt ?? 0) - run.createdAt).toBe(10);
    expect((await statesOf(world, run.id)).toSorted()).toEqual([
      "a/1 succeeded",
      "b/1 cancelled",
      "c/1 failed",
    ]);
    expect(world.errors).toEqual([]);
  });

  test("fail keeps what another branch had finished at the same moment", async () => {
    await using world = await createWorld(
      graph([node("a"), node("b"), node("c"), node("d")], DIAMOND),
    );
    const run = await world.execute({
      executors: nodesDo({ b: async () => ({ b: "done" }), c: async () => fails() }),
    });
    expect([run.state, run.values["b"]]).toEqual(["failed", "done"]);
  });
});

describe("what a person resumes", () => {
  test("goes on with the steps that had failed or were stopped, and no others", async () => {
    await using world = await createWorld(
      graph([node("a"), node("b"), node("c"), node("d")], DIAMOND),
    );
    const done: string[] = [];
    let isMended = false;
    const executors = nodesDo({
      a: () => (done.push("a"), {}),
      b: async ({ signal, clock }) => {
        if (!isMended) await clock.sleep(HOUR, signal);
        signal.throwIfAborted();
        return (done.push("b"), {});
      },
      c: () => {
        if (!isMended) throw new AppError("missing_key", "No key.");
        return (done.push("c"), {});
      },
      d: () => (done.push("d"), {}),
    });
    const { id, state } = await world.execute({ executors });
    isMended = true;
    await world.store.runs.resume(id, { by: "ann" });
    await world.drain({ executors });
    expect([state, (await world.run(id)).state]).toEqual(["failed", "succeeded"]);
    expect(done.toSorted()).toEqual(["a", "b", "c", "d"]);
    expect((await statesOf(world, id)).toSorted()).toEqual([
      "a/1 succeeded",
      "b/1 cancelled",
      "b/2 succeeded",
      "c/1 failed",
      "c/2 succeeded",
      "d/1 succeeded",
    ]);
  });

  test("renders anew what could not be rendered", async () => {
    await using world = await createWorld(line([node("a", { inputs: { x: "{missing}" } })]));
    const { id, error } = await world.execute({ executors: nodesDo({}) });
    await world.store.runs.resume(id, { by: null, values: { missing: 1, a: null } });
    await world.drain({ executors: nodesDo({ a: (_, input) => ({ a: input }) }) });
    expect([error?.code, (await world.run(id)).values["a"]]).toEqual(["invalid", { x: 1 }]);
  });
});

describe("limits", () => {
  test("a loop that never comes to an end stops at its last round", async () => {
    const loop = { kind: "loop", from: "a", conditionField: "done", maxIterations: 4 } as const;
    await using world = await createWorld(
      graph([node("a")], [...to({ [START]: ["a"] }), { ...loop, exitTo: END }], {
        fields: ["done"],
      }),
    );
    let count = 0;
    const run = await world.execute({
      executors: nodesDo({ a: () => ({ a: (count += 1), done: false }) }),
    });
    expect([run.state, run.values["a"], count]).toEqual(["succeeded", 4, 4]);
  });

  test("the time limit of a node counts for each attempt, and for its step alone", async () => {
    const retry = { ...RETRY_ALL, maxAttempts: 2 };
    await using world = await createWorld(
      graph([node("a"), node("b", { timeoutMs: 500, retry }), node("c"), node("d")], DIAMOND),
    );
    let tries = 0;
    const run = await world.execute({
      executors: nodesDo({
        b: async ({ clock, signal }) => {
          tries += 1;
          await clock.sleep(HOUR, signal);
          signal.throwIfAborted();
          return {};
        },
        c: async ({ clock, signal }) => {
          await clock.sleep(700, signal);
          return { c: signal.aborted };
        },
      }),
    });
    expect([tries, run.values["c"], run.error?.code]).toEqual([2, false, "timeout"]);
    expect((run.finishedAt ?? 0) - run.createdAt).toBe(1_000 + RETRY_ALL.delayMs);
  });

  test("a cancellation reaches every branch", async () => {
    await using world = await createWorld(
      graph([node("a"), node("b"), node("c"), node("d")], DIAMOND),
    );
    const stopped: string[] = [];
    const hang =
      (id: string): NonNullable<Parameters<typeof nodesDo>[0][string]> =>
      async ({ clock, signal }) => {
        await clock.sleep(HOUR, signal);
        stopped.push(id);
        signal.throwIfAborted();
        return {};
      };
    const id = await world.submit();
    world.start({ executors: nodesDo({ b: hang("b"), c: hang("c") }) });
    await world.until(async () => (await world.steps(id)).length === 3);
    await world.store.runs.requestCancel(id);
    await world.until(async () => (await world.run(id)).state === "cancelled");
    expect(stopped).toEqual(["b", "c"]);
    expect(await statesOf(world, id)).toEqual(["a/1 succeeded", "b/1 cancelled", "c/1 cancelled"]);
  });

  test("a retry that is due later does not hold back the other branches", async () => {
    const retry = { ...RETRY_ALL, delayMs: 60_000 };
    await using world = await createWorld(
      graph([node("a"), node("b", { retry }), node("c"), node("d")], DIAMOND),
    );
    let tries = 0;
    const id = await world.submit();
    world.start({
      executors: nodesDo({
        b: () => {
          tries += 1;
          if (tries === 1) throw new AppError("unavailable", "Away.");
          return {};
        },
        c: async ({ clock }) => (await clock.sleep(30_000), { c: 1 }),
      }),
    });
    await world.until(async () => (await world.run(id)).values["c"] === 1);
    // Nothing but the retry is left: the run is parked, and holds no worker.
    await world.until(async () => (await world.run(id)).state === "waiting");
    expect(await world.run(id)).toMatchObject({ waitingFor: "timer", worker: null });
    await world.until(async () => (await world.run(id)).state === "succeeded");
    expect(tries).toBe(2);
  });
});

test("a node without a retry is tried once", async () => {
  await using world = await createWorld(line([node("a", { retry: NO_RETRY })]));
  const run = await world.execute({
    executors: nodesDo({
      a: () => {
        throw new AppError("timeout", "Too slow.");
      },
    }),
  });
  expect(run.error?.message).toBe("Step `a` failed: Too slow.");
});
