/**
 * Goal: going back to a step does again what followed from it and nothing else. Method: small graphs by hand;
 * then random workflows, which after going back to any of their steps, or forking there, must come to the
 * very values that they had come to before.
 */
import { describe, expect, test } from "bun:test";
import { type ForkedValues, isItemKey } from "../../src/domain/event.ts";
import { type Journal, RUN_STATES_FINAL } from "../../src/domain/run.ts";
import { END, START } from "../../src/domain/workflow.ts";
import { type Fork, planFork, planReopen } from "../../src/engine/reopen.ts";
import { createSeededRandom } from "../../src/lib/seeded-random.ts";
import { nodesDo } from "./doing.ts";
import { graph, llmNode, to } from "./fixture.ts";
import { expectedOf, settled } from "./model.ts";
import { initialOf, randomProgram } from "./random-workflow.ts";
import { type Outside, scriptedExecutor } from "./scripted-node.ts";
import { createWorld, type StartOptions, type World } from "./world.ts";

const SEED_COUNT = 200;
const ANY = { kind: "any" } as const;
const node = (id: string, changes: Parameters<typeof llmNode>[1] = {}) =>
  llmNode(id, { outputs: [{ name: id, type: ANY }], ...changes });

/** a → b → d → e, and beside it a → c → d; `sum` grows by one with each step. */
const WORKFLOW = graph(
  ["a", "b", "c", "d", "e"].map((id) => node(id)),
  to({ [START]: ["a"], a: ["b", "c"], b: ["d"], c: ["d"], d: ["e"], e: [END] }),
  { fields: ["sum"], merges: { sum: "sum" } },
);
const INITIAL = { topic: "tea", a: null, b: null, c: null, d: null, e: null, sum: null };

function counting(done: string[]) {
  const ids = WORKFLOW.nodes.map(({ id }) => id);
  const doings = ids.map(
    (id) => [id, () => (done.push(id), { [id]: done.length, sum: 1 })] as const,
  );
  return nodesDo(Object.fromEntries(doings));
}

describe("planReopen()", () => {
  test("supersedes the step and what followed from it, and folds what is left", async () => {
    await using world = await createWorld(WORKFLOW);
    const { id } = await world.execute({ executors: counting([]) });
    const journal = await world.store.runs.journal(id);
    const reopen = (from: string) =>
      planReopen(WORKFLOW, journal, { initialValues: INITIAL, from });
    expect(reopen("d")).toEqual({
      supersede: ["d", "e"],
      values: { ...INITIAL, a: 1, b: 2, c: 3, sum: 3 },
    });
    expect(reopen("b").supersede.toSorted()).toEqual(["b", "d", "e"]);
    expect(reopen("a")).toMatchObject({ values: INITIAL });
    expect(() => reopen("z")).toThrow("has not reached");
  });

  test("does again exactly these; the others keep their attempts", async () => {
    await using world = await createWorld(WORKFLOW);
    const done: string[] = [];
    const { id } = await world.execute({ executors: counting(done) });
    const journal = await world.store.runs.journal(id);
    const { supersede, values } = planReopen(WORKFLOW, journal, {
      initialValues: INITIAL,
      from: "c",
    });
    await world.store.runs.resume(id, { supersede, values, from: "c", by: "ann" });
    await world.drain({ executors: counting(done) });
    expect(done).toEqual(["a", "b", "c", "d", "e", "c", "d", "e"]);
    const run = await world.run(id);
    expect([run.state, run.values["sum"], run.values["b"], run.values["c"]]).toEqual([
      "succeeded",
      5,
      2,
      6,
    ]);
    const states = (await world.steps(id)).map(
      ({ key, attempt, state }) => `${key}/${attempt} ${state}`,
    );
    expect(states.toSorted()).toEqual([
      "a/1 succeeded",
      "b/1 succeeded",
      "c/1 superseded",
      "c/2 succeeded",
      "d/1 superseded",
      "d/2 succeeded",
      "e/1 superseded",
      "e/2 succeeded",
    ]);
  });

  test("goes back into a loop at one of its rounds", async () => {
    const loop = { kind: "loop", from: "a", conditionField: "done", maxIterations: 3 } as const;
    const workflow = graph([node("a")], [...to({ [START]: ["a"] }), { ...loop, exitTo: END }], {
      fields: ["done"],
    });
    await using world = await createWorld(workflow);
    let count = 0;
    const executors = nodesDo({ a: () => ({ a: (count += 1) }) });
    const { id } = await world.execute({ executors });
    const journal = await world.store.runs.journal(id);
    const place = { initialValues: { a: null }, from: "a#2" };
    const { supersede, values } = planReopen(workflow, journal, place);
    expect([supersede, values]).toEqual([["a#2", "a#3"], { a: 1 }]);
    await world.store.runs.resume(id, { supersede, values, from: "a#2", by: null });
    await world.drain({ executors });
    const keys = (await world.steps(id)).map(({ key, attempt }) => `${key}/${attempt}`);
    expect(keys).toEqual(["a/1", "a#2/1", "a#3/1", "a#2/2", "a#3/2"]);
  });

  test("takes an item for its map, with all of its items", async () => {
    const map = { itemsField: "items", collectField: "all", maxConcurrency: 2 };
    const workflow = graph(
      [node("m", { map }), node("z")],
      to({ [START]: ["m"], m: ["z"], z: [END] }),
      {
        fields: ["items"],
      },
    );
    await using world = await createWorld(workflow);
    const { id } = await world.execute({ executors: nodesDo({}) }, { topic: "tea", items: [1, 2] });
    const journal = await world.store.runs.journal(id);
    const { supersede } = planReopen(workflow, journal, { initialValues: {}, from: "m[1]" });
    expect(supersede.toSorted()).toEqual(["m", "m[0]", "m[1]", "z"]);
  });
});

describe("planFork()", () => {
  test("begins with what did not follow from the step, under the values that were set", async () => {
    await using world = await createWorld(WORKFLOW);
    const done: string[] = [];
    const { id } = await world.execute({ executors: counting(done) });
    const journal = await world.store.runs.journal(id);
    const planned = planFork(WORKFLOW, journal, {
      initialValues: INITIAL,
      from: "d",
      set: { b: "mine" },
    });
    const { steps, values } = planned;
    expect(steps.map(({ key }) => key)).toEqual(["a", "b", "c"]);
    expect(values).toEqual({ ...INITIAL, a: 1, b: "mine", c: 3, sum: 3 });
    const fork = await forkRun(world, id, { ...planned, from: "d" });
    await world.drain({ executors: counting(done) });
    expect(done.slice(5)).toEqual(["d", "e"]);
    expect(await world.run(fork)).toMatchObject({
      state: "succeeded",
      values: { b: "mine", sum: 5 },
    });
  });

  test("keeps what was set when the fork is gone back in, and forked again", async () => {
    await using world = await createWorld(WORKFLOW);
    const executors = counting([]);
    const { id } = await world.execute({ executors });
    const first = { initialValues: INITIAL, from: "c", set: { b: "mine", e: "old" } };
    const planned = planFork(WORKFLOW, await world.store.runs.journal(id), first);
    const fork = await forkRun(world, id, { ...planned, from: "c" });
    await world.drain({ executors });
    const forkJournal = await world.store.runs.journal(fork);
    const place = { initialValues: INITIAL, from: "e", forked: await forkedOf(world, fork) };
    const begun = { ...INITIAL, a: 1, b: "mine", c: 6, d: 7, e: "old", sum: 4 };
    expect(planReopen(WORKFLOW, forkJournal, place).values).toEqual(begun);
    // Also a step that it took over is gone back to under them.
    expect(planReopen(WORKFLOW, forkJournal, { ...place, from: "b" }).values).toEqual({
      ...begun,
      d: null,
      sum: 2,
    });

    const again = planFork(WORKFLOW, forkJournal, { ...place, set: { c: "ours" } });
    const second = await forkRun(world, fork, { ...again, from: "e" });
    await world.drain({ executors });
    const journal = await world.store.runs.journal(second);
    const forked = await forkedOf(world, second);
    expect(planReopen(WORKFLOW, journal, { initialValues: INITIAL, from: "e", forked })).toEqual({
      supersede: ["e"],
      values: { ...begun, c: "ours" },
    });
  });
});

async function forkedOf({ store }: World, id: string): Promise<ForkedValues> {
  const events = await store.runs.events(id, 0, 10);
  const [set] = events.flatMap(({ event }) => (event.type === "run.forked" ? [event.set] : []));
  if (set === undefined) throw new Error(`the log of ${id} does not say what was set`);
  return set;
}

async function forkRun(
  { store }: World,
  id: string,
  fork: Fork & { from: string },
): Promise<string> {
  const run = await store.runs.get(id);
  if (run === undefined) throw new Error(`no run ${id}`);
  const { workflowId, versionHash, workflowName, nodeIds, inputs, overrides, source } = run;
  const { steps, values, set, from } = fork;
  const origin = { kind: "fork", runId: id, step: from } as const;
  const same = { workflowId, versionHash, workflowName, nodeIds, inputs, overrides, source };
  await store.runs.create({ ...same, id: `${id}-fork`, steps, set, origin }, values);
  return `${id}-fork`;
}

const CALM: Outside = { begin: () => undefined, end: () => undefined, durationMs: () => 3 };

/** Executes a run to its end, giving it all that it waits for. */
async function finish(world: World, id: string, options: StartOptions): Promise<void> {
  const { runs } = world.store;
  const runner = world.start(options);
  await world.until(async () => {
    if (RUN_STATES_FINAL.includes((await world.run(id)).state)) return true;
    for (const { key, wait } of await world.steps(id)) {
      const decision = { approved: true, comment: null, by: null };
      // Somebody may have decided a moment ago.
      if (wait?.for === "approval") await runs.decide(id, key, decision).catch(() => undefined);
      if (wait?.for === "signal")
        await runs.signal(id, { name: wait.name, payload: null, by: null });
    }
    return false;
  });
  await world.settled(runner.stop({ graceMs: 0 }));
}

function anyStep({ steps }: Journal, pick: (count: number) => number): string {
  const keys = [...new Set(steps.map(({ key }) => key))].filter((key) => !isItemKey(key));
  return keys[pick(keys.length)] ?? "";
}

test(`${SEED_COUNT} random workflows come to the same after going back to any step, and in a fork`, async () => {
  let supersededCount = 0;
  for (let seed = 1; seed <= SEED_COUNT; seed += 1) {
    const where = `seed ${seed}`;
    const program = randomProgram(`reopen ${seed}`);
    const initialValues = initialOf(program);
    const expected = expectedOf(program, initialValues);
    if (expected.failedKey !== undefined) continue;
    await using world = await createWorld(program.workflow, {
      store: "memory",
      others: [program.childWorkflow],
    });
    const options = { executors: { llm: scriptedExecutor(program, CALM) } as never };
    const id = await world.submit(initialValues);
    await finish(world, id, options);
    const random = createSeededRandom(where);
    const journal = await world.store.runs.journal(id);
    const from = anyStep(journal, (count) => random.integer(0, count - 1));
    const place = { initialValues, from };

    const planned = planFork(program.workflow, journal, { ...place, set: {} });
    const fork = await forkRun(world, id, { ...planned, from });
    await finish(world, fork, options);
    expect(settled((await world.run(fork)).values), `${where} fork`).toEqual(
      settled(expected.values),
    );

    const reopening = planReopen(program.workflow, journal, place);
    supersededCount += reopening.supersede.length;
    await world.store.runs.resume(id, { ...reopening, from, by: null });
    await finish(world, id, options);
    const run = await world.run(id);
    expect([run.state, settled(run.values)], where).toEqual([
      "succeeded",
      settled(expected.values),
    ]);
    const counted = new Set(reopening.supersede);
    const untouched = (attempt: Journal["steps"][number]) => !counted.has(attempt.key);
    const { steps: after } = await world.store.runs.journal(id);
    expect(after.filter(untouched), where).toEqual(journal.steps.filter(untouched));
    expect(world.errors, where).toEqual([]);
  }
  expect(supersededCount).toBeGreaterThan(SEED_COUNT);
});
