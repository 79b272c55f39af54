/**
 * Goal: whatever workers, users and clocks do in whatever order, the store says what a simple model says.
 * Method: random operations on both, a few workers and runs, with claims that are kept and used after
 * they were lost (a dead or late worker); after each, results and everything visible are compared.
 */
import { expect, test } from "bun:test";
import fc from "fast-check";
import type { Claim } from "../../src/domain/run.ts";
import { type Store, openStore } from "../../src/store/store.ts";
import { codeOf } from "./support/error-code.ts";
import { type ManualClock, createManualClock } from "./support/manual-clock.ts";
import { RunModel } from "./support/run-model.ts";
import { newRun, saveWorkflow } from "./support/seed.ts";

const START_MS = 1_790_000_000_000;

const index = fc.nat({ max: 3 });
const step = fc.record({ key: fc.constantFrom("a", "b"), attempt: fc.constantFrom(1, 2) });
const worker = fc.constantFrom("w1", "w2", "w3");

const fetch = fc.record({
  do: fc.constant("fetch" as const),
  worker,
  only: fc.option(index, { freq: 1 }),
});

const operation = fc.oneof(
  fetch,
  fetch,
  fc.record({ do: fc.constant("create" as const), run: index, reserved: fc.option(worker) }),
  fc.record({ do: fc.constant("start" as const), claim: index, step }),
  fc.record({ do: fc.constant("call" as const), claim: index, step, again: fc.boolean() }),
  fc.record({ do: fc.constant("succeed" as const), claim: index, step, last: fc.boolean() }),
  fc.record({
    do: fc.constant("fail" as const),
    claim: index,
    step,
    retry: fc.constantFrom("none", "park", "inPlace"),
  }),
  fc.record({ do: fc.constant("touch" as const) }),
  fc.record({ do: fc.constant("release" as const), claim: index }),
  fc.record({ do: fc.constant("workerDied" as const), worker }),
  fc.record({ do: fc.constant("cancel" as const), run: index }),
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
  const due = model.due(name, only).map((run) => run.id);
  const given = await store.queue.fetch(name, 100, only);
  const expected = due.flatMap((id) => {
    const run = model.find(id);
    return run === undefined ? [] : (model.claim(run, name) ?? []);
  });
  expect(given.toSorted(byRun)).toEqual(expected.toSorted(byRun));
  world.claims.unshift(...given);
}

const ERROR = { code: "timeout", message: "Late." } as const;
const USAGE = { input: 1, output: 2, cacheRead: 3, cacheWrite: 4, reasoning: 5 };

async function journalBoth(world: World, claim: Claim, op: Operation): Promise<void> {
  const { model, store } = world;
  const now = world.clock.now();
  if (op.do === "start") {
    const { key, attempt } = op.step;
    const began = store.runs.startStep(claim, { key, nodeId: key, attempt, input: null });
    expect(await outcomeOf(began)).toBe(model.startStep(claim, key, attempt));
  } else if (op.do === "call") {
    const { key, attempt } = op.step;
    const next = model.nextOrdinal(claim.runId, key, attempt);
    const ordinal = op.again ? Math.max(0, next - 1) : next;
    const times = { startedAt: 1, finishedAt: 2 };
    const call = { key, attempt, ordinal, kind: "model" as const, name: "m", ...times };
    const whole = { ...call, request: null, result: 1, usage: USAGE, costNanoUsd: 10 };
    const event = { type: "model.delta" as const, step: key, attempt, call: ordinal, text: "x" };
    expect(await outcomeOf(store.runs.recordCall(claim, whole, [event]))).toBe(
      model.recordCall(claim, { key, attempt, ordinal }),
    );
  } else if (op.do === "succeed") {
    const value = now;
    const patch = { ...op.step, patch: { [op.step.key]: value } };
    const done = store.runs.succeedStep(claim, patch, op.last ? { outputs: {} } : undefined);
    expect(await outcomeOf(done)).toBe(model.succeedStep(claim, { ...op.step, value }, op.last));
  } else if (op.do === "fail") {
    const inPlace = op.retry === "inPlace";
    const retry = { at: now + 20_000, waitingFor: "timer" as const, inPlace };
    const given = op.retry === "none" ? undefined : retry;
    const failed = store.runs.failStep(claim, { ...op.step, error: ERROR }, given);
    expect(await outcomeOf(failed)).toBe(model.failStep(claim, op.step, given));
  } else if (op.do === "release") {
    await store.queue.release(claim);
    model.release(claim);
  } else if (op.do === "end") {
    const ended =
      op.as === "failed" ? store.runs.failRun(claim, ERROR) : store.runs.cancelRun(claim);
    expect(await outcomeOf(ended)).toBe(model.end(claim, op.as));
  }
}

async function runBoth(world: World, workflow: Parameters<typeof newRun>[0], op: Operation) {
  const { model, store, clock } = world;
  if (op.do === "create") {
    const id = `r${op.run}`;
    const reserved = op.reserved === null ? {} : { reservedFor: op.reserved };
    await store.runs.create(newRun(workflow, id, reserved), {});
    model.create(id, op.reserved);
  } else if (op.do === "fetch") {
    await fetchBoth(world, op.worker, op.only === null ? undefined : `r${op.only}`);
  } else if (op.do === "touch") {
    const expected = world.claims.map((claim) => model.touch(claim));
    expect(await store.queue.touch(world.claims)).toEqual(expected);
  } else if (op.do === "workerDied") {
    expect(await store.queue.releaseWorker(op.worker)).toBe(model.releaseWorker(op.worker));
  } else if (op.do === "cancel") {
    const id = `r${op.run}`;
    expect(await outcomeOf(store.runs.requestCancel(id))).toBe(model.requestCancel(id));
  } else if (op.do === "clock") {
    clock.advance(op.ms);
    model.nowMs = clock.now();
  } else {
    // One of the newest: the older a claim, the less it can do.
    const claim = world.claims[op.claim % Math.min(4, world.claims.length)];
    if (claim !== undefined) await journalBoth(world, claim, op);
  }
}

/** Everything that can be seen from outside. */
async function compare({ store, model }: World): Promise<void> {
  const counts = { queued: 0, running: 0, waiting: 0, succeeded: 0, failed: 0, cancelled: 0 };
  for (const run of model.runs) {
    counts[run.state] += 1;
    const callCount = run.steps.reduce((sum, entry) => sum + entry.callCount, 0);
    expect(await store.runs.get(run.id)).toMatchObject({
      state: run.state,
      worker: run.worker,
      dueAt: run.state === "waiting" ? run.dueAt : null,
      activeMs: run.activeMs,
      values: run.values,
      costNanoUsd: 10 * callCount,
    });
    const { steps, calls } = await store.runs.journal(run.id);
    expect(
      steps.map(({ key, attempt, state, recoveryCount }) => [key, attempt, state, recoveryCount]),
    ).toEqual(
      run.steps.map((entry) => [entry.key, entry.attempt, entry.state, entry.recoveryCount]),
    );
    expect(calls.length).toBe(callCount);
    const events = await store.runs.events(run.id, 0, 1000);
    expect(events.map(({ seq, event }) => `${seq} ${event.type}`)).toEqual(
      run.events.map((type, position) => `${position + 1} ${type}`),
    );
  }
  expect(await store.runs.counts()).toEqual(counts);
  expect(await store.queue.nextDueAt()).toBe(model.nextDueAt());
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
}, 30_000);
