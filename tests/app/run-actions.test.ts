/** What people do with runs, over a real database; the steps are written as a worker writes them. */
import { afterEach, describe, expect, test } from "bun:test";
import { createRunActions } from "../../src/app/run-actions.ts";
import { createRun } from "../../src/app/workflow-runs.ts";
import { AppError, type ErrorCode } from "../../src/domain/error.ts";
import type { Run } from "../../src/domain/run.ts";
import { parseWorkflow } from "../../src/language/parse.ts";
import { systemClock as clock } from "../../src/lib/clock.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { openStore } from "../../src/store/store.ts";
import { beginStep, endStep } from "../support/journal.ts";

const SOURCE = `schema_version: "1.0"
flow: {name: article}
state:
  fields:
    topic: {type: str, required: true}
    words: {type: int, default: 100}
    tags: {type: "list[str]", default: []}
    draft: {type: str, default: ""}
    final: {type: str, default: ""}
nodes:
  - {id: write, prompt: "{topic}", outputs: [draft], output_schema: {type: str}}
  - {id: review, prompt: "{draft}", outputs: [final], output_schema: {type: str}}
edges:
  - {from: START, to: write}
  - {from: write, to: review}
  - {from: review, to: END}
`;

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function setUp() {
  const store = await openStore({ path: ":memory:", clock });
  closing.push(() => store.close());
  const { workflow } = parseWorkflow(SOURCE, { format: "yaml", knownTools: [] });
  if (workflow === undefined) throw new Error("the file is not valid");
  const record = await store.workflows.save({
    name: workflow.name,
    description: null,
    source: SOURCE,
    format: "yaml",
  });
  const inputs = { topic: "Tides" };
  const values = { topic: "Tides", words: 100, tags: [], draft: "", final: "" };
  const version = { workflowId: record.id, versionHash: record.version.hash, workflow };
  const run = await createRun(
    store,
    { ...version, inputs, values, overrides: { model: "tiny" } },
    { clock, source: "cli" },
  );
  return { store, run, actions: createRunActions({ ...store, toolNames: [], clock }) };
}

type World = Awaited<ReturnType<typeof setUp>>;

/** Executes both steps. */
async function finish({ store, run }: World): Promise<void> {
  const [claim] = await store.queue.fetch("worker-1", 1);
  if (claim === undefined) throw new Error("nothing to claim");
  const { runs } = store;
  await beginStep(runs, claim, { key: "write" });
  await runs.write(claim, {
    steps: [
      { type: "succeed", key: "write", attempt: 1, patch: { draft: "A draft" }, next: ["review"] },
    ],
    merges: {},
  });
  await beginStep(runs, claim, { key: "review" });
  await endStep(runs, claim, { key: "review", patch: { final: "Done" }, last: true });
  expect((await runs.get(run.id))?.state).toBe("succeeded");
}

async function refusal(work: Promise<unknown>): Promise<{ code: ErrorCode; text: string }> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => AppError.from(reason),
  );
  if (error === undefined) throw new Error("nothing was refused");
  return { code: error.code, text: `${error.message} ${error.fix ?? ""}` };
}

const by = "test";
const made = { source: "cli" } as const;

describe("resume()", () => {
  test("lays a new limit over those that the run had", async () => {
    const world = await setUp();
    const { store, run, actions } = world;
    const fail = async () => {
      const [claim] = await store.queue.fetch("worker-1", 1);
      if (claim === undefined) throw new Error("nothing to claim");
      await store.runs.failRun(claim, { code: "budget_exceeded", message: "Too much." });
    };
    await fail();
    await actions.resume(run.id, { by, budget: { maxTokens: 10, maxCostNanoUsd: 5 } });
    await fail();
    const resumed = await actions.resume(run.id, { by, budget: { maxCostNanoUsd: 7 } });
    expect(resumed.overrides).toEqual({
      model: "tiny",
      budget: { maxTokens: 10, maxCostNanoUsd: 7 },
    });
    await fail();
    expect((await actions.resume(run.id, { by })).overrides).toEqual(resumed.overrides);
  });

  test("names a run that is not there", async () => {
    const { actions } = await setUp();
    expect(await refusal(actions.resume("nowhere", { by }))).toMatchObject({ code: "not_found" });
  });
});

describe("retry()", () => {
  test("takes a step by its key or its node, and drops what followed from it", async () => {
    const world = await setUp();
    await finish(world);
    const { store, run, actions } = world;
    const resumed = await actions.retry(run.id, { from: "write", by });
    expect(resumed).toMatchObject({ state: "queued", values: { draft: "", final: "" } });
    const { steps } = await store.runs.journal(run.id);
    expect(steps.map(({ key, state }) => `${key} ${state}`)).toEqual([
      "write superseded",
      "review superseded",
    ]);
  });

  test("keeps what was before the step", async () => {
    const world = await setUp();
    await finish(world);
    const resumed = await world.actions.retry(world.run.id, { from: "review", by });
    expect(resumed.values).toMatchObject({ draft: "A draft", final: "" });
  });

  test("says what it does not know, and what was meant", async () => {
    const world = await setUp();
    const { run, actions } = world;
    expect(await refusal(actions.retry(run.id, { from: "write", by }))).toMatchObject({
      code: "conflict",
    });
    await finish(world);
    expect(await refusal(actions.retry(run.id, { from: "wrte", by }))).toEqual({
      code: "not_found",
      text: "The run has no step wrte. Write `write` instead.",
    });
    expect(await refusal(actions.retry(run.id, { from: "?", by }))).toEqual({
      code: "not_found",
      text: "The run has no step ?. Use one of: write, review.",
    });
  });

  test("of a run that was cancelled before its first step says that there is none", async () => {
    const { store, run, actions } = await setUp();
    await store.runs.requestCancel(run.id);
    const { text } = await refusal(actions.retry(run.id, { from: "write", by }));
    expect(text).toStartWith("The run has not begun any step.");
  });
});

test("rerun() takes version, inputs and overrides, and begins at the beginning", async () => {
  const world = await setUp();
  await finish(world);
  const again = await world.actions.rerun(world.run.id, { ...made, reservedFor: "cli-1" });
  expect(again).toMatchObject({
    state: "queued",
    versionHash: world.run.versionHash,
    inputs: { topic: "Tides" },
    overrides: { model: "tiny" },
    values: { topic: "Tides", draft: "" },
    origin: { kind: "rerun", runId: world.run.id },
    doneNodeIds: [],
  });
});

function fork(world: World, set: JsonObject): Promise<Run> {
  return world.actions.fork(world.run.id, { ...made, from: "review", set });
}

describe("fork()", () => {
  test("begins in the middle with what was done before, for nothing", async () => {
    const world = await setUp();
    await finish(world);
    const forked = await fork(world, { words: "250", tags: '["sea"]', draft: "Mine" });
    expect(forked).toMatchObject({
      state: "queued",
      values: { topic: "Tides", words: 250, tags: ["sea"], draft: "Mine", final: "" },
      origin: { kind: "fork", runId: world.run.id, step: "review" },
      doneNodeIds: ["write"],
      costNanoUsd: 0,
    });
    const { steps } = await world.store.runs.journal(forked.id);
    expect(steps.map(({ key, state }) => `${key} ${state}`)).toEqual(["write succeeded"]);
  });

  test.each([
    [{ words: "many" }, "words"],
    [{ nothing: "x" }, "nothing"],
    [{ words: [1] }, "words"],
  ])("refuses %p and makes no run", async (set, name) => {
    const world = await setUp();
    await finish(world);
    const { code, text } = await refusal(fork(world, set));
    expect([code, text.includes(name)]).toEqual(["invalid", true]);
    expect(await world.store.runs.list({ limit: 5 })).toHaveLength(1);
  });
});
