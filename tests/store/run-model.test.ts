/**
 * Goal: whatever workers, users and clocks do in whatever order, the store says what a simple model says.
 * Method: random operations on both, a few workers and runs (also inside of one another), with claims
 * that are kept and used after they were lost (a dead or late worker); after each, results and everything
 * visible are compared.
 */
import { expect, test } from "bun:test";
import fc from "fast-check";
import type { Claim, RunTurn, StepWrite } from "../../src/domain/run.ts";
import { type Store, openStore } from "../../src/store/store.ts";
import { codeOf } from "./support/error-code.ts";
import { type ManualClock, createManualClock } from "./support/manual-clock.ts";
import { type ModelRun, type ModelStep, RunModel } from "./support/run-model.ts";
import { newRun, saveWorkflow } from "./support/seed.ts";

const START_MS = 1_790_000_000_000;
const ERROR = { code: "timeout", message: "Late." } as const;
const USAGE = { input: 1, output: 2, cacheRead: 3, cacheWrite: 4, reasoning: 5 };

const index = fc.nat({ max: 3 });
const key = fc.constantFrom("a", "b");
const attempt = fc.constantFrom(1, 2);
const worker = fc.constantFrom("w1", "w2", "w3");
const patch = fc.record({ a: fc.nat({ max: 9 }), sum: fc.constant(1) });

const waitFor = fc.constantFrom(
  { for: "timer", untilMs: START_MS + 30_000 } as const,
  { for: "rate_limit", untilMs: START_MS + 60_000 } as const,
  { for: "approval", message: "?", untilMs: null } as const,
  { for: "budget" } as const,
);

const nodeId = fc.constant("n");
const leadsTo = fc.constant(["END"]);
const start = fc.record({
  type: fc.constant("start" as const),
  key,
  attempt,
  nodeId,
  input: fc.constant(null),
});

const stepWrite: fc.Arbitrary<StepWrite> = fc.oneof(
  start,
  start,
  fc.record({ type: fc.constant("skip" as const), key, nodeId, next: leadsTo }),
  fc.record(
    {
      type: fc.constant("succeed" as const),
      key,
      attempt,
      patch,
      next: leadsTo,
      consumes: fc.constantFrom(1, 2),
    },
    { requiredKeys: ["type", "key", "attempt", "patch", "next"] },
  ),
  fc.record({
    type: fc.constant("fail" as const),
    key,
    attempt,
    patch,
    error: fc.constant(ERROR),
    retryAt: fc.constantFrom(null, START_MS + 9_000),
    next: fc.constantFrom(null, ["b"]),
  }),
  fc.record({ type: fc.constant("wait" as const), key, attempt, wait: waitFor }),
);

const turn: fc.Arbitrary<RunTurn | undefined> = fc.oneof(
  { weight: 6, arbitrary: fc.constant(undefined) },
  { weight: 1, arbitrary: fc.constant({ state: "succeeded", outputs: {} } as const) },
  { weight: 1, arbitrary: fc.constant({ state: "failed", error: ERROR } as const) },
  {
    weight: 3,
    arbitrary: fc.record({
      state: fc.constant("waiting" as const),
      for: fc.constantFrom("timer" as const, "approval" as const, "run" as const),
      dueAt: fc.constantFrom(null, START_MS + 20_000),
      seenWakeCount: fc.nat({ max: 2 }),
    }),
  },
);

const write = fc.record({
  do: fc.constant("write" as const),
  claim: index,
  steps: fc.array(stepWrite, { maxLength: 3 }),
  turn,
});
const fetch = fc.record({
  do: fc.constant("fetch" as const),
  worker,
  only: fc.option(index, { freq: 1 }),
});

const operation = fc.oneof(
  fetch,
  fetch,
  write,
  write,
  write,
  fc.record({
    do: fc.constant("create" as const),
    run: index,
    reserved: fc.option(worker),
    parent: fc.option(index),
  }),
  fc.record({ do: fc.constant("call" as const), claim: index, key, attempt, again: fc.boolean() }),
  fc.record({ do: fc.constant("touch" as const) }),
  fc.record({ do: fc.constant("release" as const), claim: index }),
  fc.record({ do: fc.constant("workerDied" as const), worker }),
  fc.record({ do: fc.constant("cancel" as const), run: index }),
  fc.record({
    do: fc.constant("signal" as const),
    run: index,
    name: fc.constantFrom("go", "approval:a"),
  }),
  fc.record({ do: fc.constant("decide" as const), run: index, key }),
  fc.record({
    do: fc.constant("resume" as const),
    run: index,
    supersede: fc.subarray(["a", "b"]),
  }),
  fc.record({
    do: fc.constant("end" as const),
    claim: index,
    as: fc.constantFrom("failed" as const, "cancelled" as const),
  }),
  fc.record({
    do: fc.constant("clock" as const),
    ms: fc.constantFrom(1, 4_000, 15_000, 100_000, -7_000),
  }),
);
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

interface World {
  readonly store: Store;
  readonly model: RunModel;
  readonly clock: ManualClock;
  /** Every claim ever given, newest first: most are lost. */
  readonly claims: Claim[];
}

async function outcomeOf(promise: Promise<unknown>): Promise<string> {
  const code = await codeOf(promise);
  return code === "fulfilled" ? "ok" : code;
}

function byRun(a: Claim, b: Claim): number {
  return a.runId.localeCompare(b.runId);
}

async function fetchBoth(world: World, name: string, only: string | undefined): Promise<void> {
  const { model, store } = world;
  const due = model.due(name, only).toSorted((a, b) => (a.dueAt ?? 0) - (b.dueAt ?? 0));
  const given = await store.queue.fetch(name, 100, only);
  const expected = due.flatMap((run) => model.claim(run, name) ?? []);
  expect(given.toSorted(byRun)).toEqual(expected.toSorted(byRun));
  world.claims.unshift(...given);
}

async function claimedBoth(world: World, claim: Claim, op: Operation): Promise<void> {
  const { model, store } = world;
  if (op.do === "write") {
    const change = { steps: op.steps, merges: { sum: "sum" as const } };
    const written = store.runs.write(claim, {
      ...change,
      ...(op.turn === undefined ? {} : { turn: op.turn }),
    });
    expect(await outcomeOf(written)).toBe(model.write(claim, op.steps, op.turn));
  } else if (op.do === "call") {
    const next = model.nextOrdinal(claim.runId, op.key, op.attempt);
    const ordinal = op.again ? Math.max(0, next - 1) : next;
    const ref = { key: op.key, attempt: op.attempt, ordinal };
    const call = { ...ref, kind: "model" as const, name: "m", startedAt: 1, finishedAt: 2 };
    const whole = { ...call, request: null, result: 1, usage: USAGE, costNanoUsd: 10 };
    const event = { step: op.key, attempt: op.attempt, call: ordinal, text: "x" };
    const recorded = store.runs.recordCall(claim, whole, [{ type: "model.delta", ...event }]);
    expect(await outcomeOf(recorded)).toBe(model.recordCall(claim, ref));
  } else if (op.do === "release") {
    await store.queue.release(claim);
    model.release(claim);
  } else if (op.do === "end") {
    const ended =
      op.as === "failed" ? store.runs.failRun(claim, ERROR) : store.runs.cancelRun(claim);
    expect(await outcomeOf(ended)).toBe(model.end(claim, op.as));
  }
}

/** What people do to a run. @returns false for what they do not do. */
async function askedBoth({ model, store }: World, op: Operation): Promise<boolean> {
  if (!("run" in op)) return false;
  const id = `r${op.run}`;
  if (op.do === "cancel") {
    expect(await outcomeOf(store.runs.requestCancel(id))).toBe(model.requestCancel(id));
  } else if (op.do === "signal") {
    const signal = { name: op.name, payload: null, by: null };
    expect(await outcomeOf(store.runs.signal(id, signal))).toBe(model.signal(id, op.name));
  } else if (op.do === "decide") {
    const decision = { approved: true, comment: null, by: null };
    const decided = store.runs.decide(id, op.key, decision);
    expect(await outcomeOf(decided)).toBe(model.decide(id, op.key));
  } else if (op.do === "resume") {
    const { supersede } = op;
    const resumed = store.runs.resume(id, { supersede, by: null });
    expect(await outcomeOf(resumed)).toBe(model.resume(id, supersede));
  }
  return op.do !== "create";
}

async function runBoth(world: World, workflow: Parameters<typeof newRun>[0], op: Operation) {
  const { model, store, clock } = world;
  if (await askedBoth(world, op)) return;
  if (op.do === "create") {
    const id = `r${op.run}`;
    const parentId = op.parent === null ? null : `r${op.parent}`;
    const origin = parentId === null ? {} : { origin: { kind: "child", runId: parentId } as const };
    const reserved = op.reserved === null ? {} : { reservedFor: op.reserved };
    const created = store.runs.create(newRun(workflow, id, { ...reserved, ...origin }), {});
    expect(await outcomeOf(created)).toBe(model.create(id, op.reserved, parentId));
  } else if (op.do === "fetch") {
    await fetchBoth(world, op.worker, op.only === null ? undefined : `r${op.only}`);
  } else if (op.do === "touch") {
    const expected = world.claims.map((claim) => model.touch(claim));
    expect(await store.queue.touch(world.claims)).toEqual(expected);
  } else if (op.do === "workerDied") {
    expect(await store.queue.releaseWorker(op.worker)).toBe(model.releaseWorker(op.worker));
  } else if (op.do === "clock") {
    clock.advance(op.ms);
    model.nowMs = clock.now();
  } else if ("claim" in op) {
    // One of the newest: the older a claim, the less it can do.
    const claim = world.claims[op.claim % Math.min(4, world.claims.length)];
    if (claim !== undefined) await claimedBoth(world, claim, op);
  }
}

/** Everything that can be seen from outside. */
async function compare({ store, model }: World): Promise<void> {
  const counts = { queued: 0, running: 0, waiting: 0, succeeded: 0, failed: 0, cancelled: 0 };
  for (const run of model.runs) {
    counts[run.state] += 1;
    await compareRun(store, model, run);
  }
  expect(await store.runs.counts()).toEqual(counts);
  expect(await store.queue.nextDueAt()).toBe(model.nextDueAt());
  expect(await store.queue.nextDueAt("r0")).toBe(model.nextDueAt("r0"));
  const pending = await store.runs.pendingApprovals({ limit: 100 });
  expect(pending.map((approval) => `${approval.runId} ${approval.key}`).toSorted()).toEqual(
    model.pendingApprovals().toSorted(),
  );
}

/** What the journal tells of a step. */
function visible(step: ModelStep): Record<string, unknown> {
  const { epoch: _, callCount, ...rest } = step;
  return { ...rest, nodeId: "n", costNanoUsd: 10 * callCount };
}

async function compareRun(store: Store, model: RunModel, run: ModelRun): Promise<void> {
  const callCount = run.steps.reduce((sum, entry) => sum + entry.callCount, 0);
  expect(await store.runs.get(run.id)).toMatchObject({
    state: run.state,
    worker: run.worker,
    dueAt: run.state === "waiting" ? run.dueAt : null,
    waitingFor: run.waitingFor,
    activeMs: run.activeMs,
    values: run.values,
    doneNodeIds: run.done.length > 0 ? ["n"] : [],
    wakeCount: run.wakeCount,
    depth: model.depth(run),
    rootId: model.rootId(run),
    costNanoUsd: 10 * callCount,
  });
  const { steps, calls, signals } = await store.runs.journal(run.id);
  const inOrder = run.steps.toSorted((a, b) => a.startedSeq - b.startedSeq);
  expect(steps).toMatchObject(inOrder.map(visible));
  expect(calls.length).toBe(callCount);
  expect(signals.map(({ name, consumedBy }) => ({ name, consumedBy }))).toEqual(run.signals);
  const events = await store.runs.events(run.id, 0, 1000);
  expect(events.map(({ seq, event }) => `${seq} ${event.type}`)).toEqual(
    run.events.map((type, position) => `${position + 1} ${type}`),
  );
}

test("RunStore and Queue agree with the model after any sequence of operations", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(operation, { minLength: 20, maxLength: 60, size: "max" }),
      async (operations) => {
        const clock = createManualClock(START_MS);
        const store = await openStore({ path: ":memory:", clock });
        const model = new RunModel();
        model.nowMs = clock.now();
        try {
          const workflow = await saveWorkflow(store.workflows);
          const world = { store, model, clock, claims: [] };
          for (const op of operations) {
            await runBoth(world, workflow, op);
            await compare(world);
          }
        } finally {
          await store.close();
        }
      },
    ),
    { numRuns: 150 },
  );
}, 60_000);
