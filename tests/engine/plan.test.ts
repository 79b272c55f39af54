import { describe, expect, test } from "bun:test";
import { STEP_COUNT_MAX, type StepAttempt } from "../../src/domain/run.ts";
import { END, START, type Workflow } from "../../src/domain/workflow.ts";
import { History } from "../../src/engine/history.ts";
import { stepKey } from "../../src/engine/key.ts";
import { newAttempt } from "../../src/engine/new-attempt.ts";
import { plan } from "../../src/engine/plan.ts";
import { graph, line, llmNode, RETRY_ALL, to } from "./fixture.ts";
import { createPlay } from "./play.ts";

const nodes = (...ids: readonly string[]) => ids.map((id) => llmNode(id, { outputs: [] }));

/** Ends these steps one after the other. @returns what each of them begins. */
async function play(workflow: Workflow, ...keys: readonly string[]): Promise<string[][]> {
  const run = await createPlay(workflow);
  const begun = [await run.begin()];
  for (const key of keys) begun.push(await run.end(key));
  return [...begun, [run.last.kind]];
}

describe("plan() of forks and joins", () => {
  const diamond = graph(
    nodes("a", "b", "c", "d"),
    to({ [START]: ["a"], a: ["b", "c"], b: ["d"], c: ["d"], d: [END] }),
  );

  test("begins all ways out at once; a join waits for every way that leads to it", async () => {
    expect(await play(diamond, "a", "c", "b", "d")).toEqual([
      ["a"],
      ["b", "c"],
      [],
      ["d"],
      [],
      ["finished"],
    ]);
  });

  test("takes ends that came together as one", async () => {
    const run = await createPlay(diamond);
    await run.begin();
    await run.end("a");
    expect(await run.endAll("c", "b")).toEqual(["d"]);
  });

  test("a branch that ends just ends", async () => {
    const open = graph(
      nodes("a", "b", "c"),
      to({ [START]: ["a"], a: ["b", "c"], b: [END], c: [END] }),
    );
    expect(await play(open, "a", "b", "c")).toEqual([["a"], ["b", "c"], [], [], ["finished"]]);
  });

  test("a join waits for a node far away that can still come to it, not for one that cannot", async () => {
    const far = graph(
      nodes("a", "b", "far", "near", "join"),
      to({
        [START]: ["a", "b"],
        a: ["join"],
        b: ["far", "near"],
        far: ["join"],
        near: [END],
        join: [END],
      }),
    );
    expect(await play(far, "a", "b", "far", "near", "join")).toEqual([
      ["a", "b"],
      [],
      ["far", "near"],
      ["join"],
      [],
      [],
      ["finished"],
    ]);
  });

  test("begins no more than the workflow's concurrency at once, in the order in which they were reached", async () => {
    const wide = graph(
      nodes("a", "b", "c", "d"),
      to({ [START]: ["a", "b", "c", "d"], a: [END], b: [END], c: [END], d: [END] }),
      { concurrency: 2 },
    );
    expect(await play(wide, "b", "a", "c", "d")).toEqual([
      ["a", "b"],
      ["c"],
      ["d"],
      [],
      [],
      ["finished"],
    ]);
  });
});

describe("plan() of routes", () => {
  const routed = graph(
    nodes("a", "b", "c", "d"),
    [
      {
        kind: "routes",
        from: "a",
        routes: [{ condition: "n > 5", to: "b" }, { condition: "n > 2", to: "c" }, { to: "d" }],
      },
      ...to({ [START]: ["a"], b: [END], c: [END], d: [END] }),
    ],
    { fields: ["n"] },
  );
  for (const [n, target] of [
    [9, "b"],
    [4, "c"],
    [1, "d"],
  ] as const) {
    test(`${n} takes the first that is true, on the values after the patch: ${target}`, async () => {
      const run = await createPlay(routed, { n: 99 });
      await run.begin();
      expect(await run.end("a", { n })).toEqual([target]);
    });
  }

  test("START may route, by the inputs, whatever is written later", async () => {
    const start = graph(
      nodes("a", "b"),
      [
        { kind: "routes", from: START, routes: [{ condition: "n == 1", to: "a" }, { to: "b" }] },
        ...to({ a: [END], b: [END] }),
      ],
      { fields: ["n"] },
    );
    const run = await createPlay(start, { n: 1 });
    expect(await run.begin()).toEqual(["a"]);
    await run.end("a", { n: 2 });
    await run.recover();
    expect([await run.begin(), run.last.kind]).toEqual([[], "finished"]);
  });

  test("a way back is another round: the node begins again under a new key", async () => {
    const back = graph(
      nodes("a", "b", "c"),
      [
        { kind: "routes", from: "c", routes: [{ condition: "again", to: "a" }, { to: END }] },
        ...to({ [START]: ["a"], a: ["b"], b: ["c"] }),
      ],
      { fields: ["again"] },
    );
    const run = await createPlay(back, { again: true });
    const begun = [await run.begin()];
    for (const key of ["a", "b", "c", "a#2", "b#2"]) begun.push(await run.end(key));
    begun.push(await run.end("c#2", { again: false }));
    expect(begun).toEqual([["a"], ["b"], ["c"], ["a#2"], ["b#2"], ["c#2"], []]);
    expect(run.last.kind).toBe("finished");
  });

  test("tokens that only block each other: the one that came first is let through", async () => {
    // A circle that is entered in two places has no beginning: `x` and `y` wait for each other.
    const irreducible = graph(
      nodes("a", "b", "x", "y"),
      [
        { kind: "routes", from: "x", routes: [{ condition: "on", to: "y" }, { to: END }] },
        { kind: "routes", from: "y", routes: [{ condition: "on", to: "x" }, { to: END }] },
        ...to({ [START]: ["a", "b"], a: ["x"], b: ["y"] }),
      ],
      { fields: ["on"] },
    );
    const run = await createPlay(irreducible);
    await run.begin();
    const begun = [await run.endAll("b", "a")];
    const [first = ""] = begun[0] ?? [];
    begun.push(await run.end(first));
    expect(begun.flat().toSorted()).toEqual(["x", "y"]);
  });
});

const looping = (maxIterations: number) =>
  graph(
    nodes("a", "b", "c"),
    [
      ...to({ [START]: ["b"], b: ["a"] }),
      { kind: "loop", from: "a", conditionField: "done", maxIterations, exitTo: "c" },
      { kind: "routes", from: "c", routes: [{ condition: "over", to: END }, { to: "b" }] },
    ],
    { fields: ["done", "over"] },
  );

describe("plan() of a loop", () => {
  test("goes round until its condition is true", async () => {
    const run = await createPlay(looping(5));
    await run.begin();
    expect([
      await run.end("b"),
      await run.end("a", { done: false }),
      await run.end("a#2", { done: true }),
    ]).toEqual([["a"], ["a#2"], ["c"]]);
  });

  test("ends after its last round, says so, and counts anew when it is entered again", async () => {
    const run = await createPlay(looping(2));
    await run.begin();
    const begun = [];
    for (const key of ["b", "a", "a#2", "c", "b#2", "a#3", "a#4"]) begun.push(await run.end(key));
    expect(begun).toEqual([["a"], ["a#2"], ["c"], ["b#2"], ["a#3"], ["a#4"], ["c#2"]]);
    const events = await run.store.runs.events("run1", 0, 1_000);
    const exhausted = events.flatMap(({ event }) =>
      event.type === "loop.exhausted" ? [event] : [],
    );
    expect(exhausted).toEqual([
      { type: "loop.exhausted", step: "a#2", attempt: 1, iterationCount: 2 },
      { type: "loop.exhausted", step: "a#4", attempt: 1, iterationCount: 2 },
    ]);
  });

  test("counts its rounds over a crash", async () => {
    const run = await createPlay(looping(3));
    await run.begin();
    for (const key of ["b", "a"]) await run.end(key);
    await run.recover();
    expect([await run.begin(), await run.end("a#2"), await run.end("a#3")]).toEqual([
      ["a#2"],
      ["a#3"],
      ["c"],
    ]);
  });
});

const mapped = (maxConcurrency: number, changes: object = {}) =>
  line(
    [
      llmNode("m", {
        outputs: [{ name: "r", type: { kind: "any" } }],
        map: { itemsField: "items", collectField: "all", maxConcurrency },
        ...changes,
      }),
    ],
    { fields: ["items"] },
  );

describe("plan() of a map", () => {
  test("begins as many items at once as it may, and collects in their order", async () => {
    const run = await createPlay(mapped(2), { items: [7, 8, 9] });
    const begun = [await run.begin()];
    for (const key of ["m[1]", "m[2]", "m[0]"]) begun.push(await run.end(key, { r: key }));
    expect(begun).toEqual([["m[0]", "m[1]"], ["m[2]"], [], []]);
    expect(run.last).toEqual({
      kind: "finished",
      outputs: { all: ["m[0]", "m[1]", "m[2]"] },
    });
    expect(run.history.values["r"]).toBeNull();
  });

  test("of nothing ends at once", async () => {
    const run = await createPlay(mapped(2), { items: [] });
    expect([await run.begin(), run.last]).toEqual([[], { kind: "finished", outputs: { all: [] } }]);
  });

  test("asks its condition for each item, and leaves out what was skipped or failed", async () => {
    const changes = { when: "item != 8 and index < 3", onError: { kind: "continue" } };
    const run = await createPlay(mapped(9, changes), { items: [7, 8, 9, 10] });
    expect(await run.begin()).toEqual(["m[0]", "m[2]"]);
    await run.fail("m[0]");
    await run.end("m[2]", { r: "nine" });
    expect(run.last).toEqual({ kind: "finished", outputs: { all: ["nine"] } });
  });

  test("of what is no list fails", async () => {
    const run = await createPlay(mapped(2), { items: "seven" });
    await run.begin();
    const { steps } = await run.store.runs.journal("run1");
    expect(steps.map(({ key, state, error, input }) => [key, state, error?.code, input])).toEqual([
      ["m", "failed", "invalid", null],
    ]);
  });

  test("goes on after a crash with the items that are left", async () => {
    const run = await createPlay(mapped(2), { items: [7, 8, 9] });
    await run.begin();
    await run.end("m[1]", { r: 1 });
    await run.recover();
    expect((await run.begin()).toSorted()).toEqual(["m[0]", "m[2]"]);
    await run.endAll("m[0]", "m[2]");
    expect(run.last).toEqual({ kind: "finished", outputs: { all: [null, 1, null] } });
  });
});

describe("plan() of what did not go well", () => {
  test("keeps the number of an interrupted attempt, and raises that of a failed one when it is due", async () => {
    const run = await createPlay(line([llmNode("a", { retry: RETRY_ALL })]));
    await run.begin();
    await run.recover();
    expect([await run.begin(), run.history.open.get("a")?.attempt.attempt]).toEqual([["a"], 1]);
    await run.fail("a", "timeout");
    const dueAt = run.clock.now() + RETRY_ALL.delayMs;
    expect(run.last).toEqual({ kind: "waiting", for: "timer", dueAt });
    run.clock.jump(RETRY_ALL.delayMs);
    expect([await run.begin(), run.history.open.get("a")?.attempt.attempt]).toEqual([["a"], 2]);
  });

  test("gives as outputs the values of all fields that nodes write", async () => {
    const run = await createPlay(line([llmNode("a"), llmNode("b")]));
    await run.begin();
    await run.end("a", { a: "A", a_count: 1, stray: true });
    await run.end("b", { b: "B" });
    expect(run.last).toEqual({
      kind: "finished",
      outputs: { a: "A", a_count: 1, b: "B", b_count: null },
    });
  });

  test("begins nothing more than a run may execute", () => {
    const loop = { kind: "loop", from: "a", conditionField: "done", exitTo: END } as const;
    const edges = [...to({ [START]: ["a"] }), { ...loop, maxIterations: 2 * STEP_COUNT_MAX }];
    const workflow = graph(nodes("a"), edges, { fields: ["done"] });
    const planAfter = (count: number) => {
      const steps = Array.from({ length: count }, (_, index): StepAttempt => {
        const key = stepKey("a", index + 1);
        const place = { startedSeq: 2 * index + 1, endedSeq: 2 * index + 2 };
        const begun = newAttempt({ key, nodeId: "a", attempt: 1, input: {}, startedAt: 0 });
        return { ...begun, ...place, state: "succeeded", patch: {}, next: ["a"] };
      });
      const journal = { steps, calls: [], signals: [] };
      const history = new History(workflow, journal, { values: {}, entry: ["a"] });
      return plan(workflow, history, { nowMs: 0, isStopping: false, render: () => ({}) });
    };
    expect(planAfter(STEP_COUNT_MAX - 1)).toMatchObject({
      moves: [{ type: "start", key: `a#${STEP_COUNT_MAX}` }],
    });
    expect(planAfter(STEP_COUNT_MAX)).toEqual({
      kind: "failed",
      error: {
        code: "limit_reached",
        message: `The run has executed ${STEP_COUNT_MAX} steps, which is the most that a run may.`,
        fix: "Look for a circle in the graph that never ends, or split the work over several runs.",
      },
    });
  });

  test("begins nothing while the worker stops", async () => {
    const workflow = line(nodes("a"));
    const run = await createPlay(workflow);
    const options = { nowMs: 0, isStopping: true, render: () => ({}) };
    expect(plan(workflow, run.history, options)).toEqual({ kind: "held" });
  });
});
