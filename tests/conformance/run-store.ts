/**
 * What every implementation of RunStore and Queue keeps, whatever lies beneath. An implementation's
 * test calls `testRunStore` with a way to make an empty one on a manual clock.
 */
import { describe, expect, test } from "bun:test";
import type { ErrorRecord } from "../../src/domain/error.ts";
import type { RunEvent } from "../../src/domain/event.ts";
import { LEASE_MS, type Queue, type Run, type RunStore } from "../../src/domain/run.ts";
import type { WorkflowStore } from "../../src/domain/workflow.ts";
import { codeOf } from "../store/support/error-code.ts";
import type { ManualClock } from "../store/support/manual-clock.ts";
import { claim, newRun, saveWorkflow, startRun } from "../store/support/seed.ts";

export interface RunStoreUnderTest extends AsyncDisposable {
  readonly runs: RunStore;
  readonly queue: Queue;
  readonly workflows: WorkflowStore;
  readonly clock: ManualClock;
}

export interface Implementation {
  readonly setup: () => Promise<RunStoreUnderTest>;
}

const FAILURE: ErrorRecord = { code: "timeout", message: "Too slow.", fix: "Wait.", details: "x" };
const NO_USAGE = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, reasoning: 0 };
const STEP = { key: "read", nodeId: "read", attempt: 1, input: { prompt: "hello" } };

function call(ordinal: number, more: object = {}) {
  return {
    key: "read",
    attempt: 1,
    ordinal,
    kind: "model" as const,
    name: "m",
    request: { n: ordinal },
    result: ["ok", null],
    usage: { input: 10, output: 5, cacheRead: 2, cacheWrite: 1, reasoning: 3 },
    costNanoUsd: 700,
    startedAt: 1,
    finishedAt: 2,
    ...more,
  };
}

function delta(text: string): RunEvent {
  return { type: "model.delta", step: "read", attempt: 1, call: 0, text };
}

async function types(runs: RunStore, id: string): Promise<string[]> {
  return (await runs.events(id, 0, 1000)).map((stored) => stored.event.type);
}

async function get(runs: RunStore, id: string): Promise<Run> {
  const run = await runs.get(id);
  if (run === undefined) throw new Error(`There is no run ${id}.`);
  return run;
}

export function testRunStore(name: string, { setup }: Implementation): void {
  describe(`${name}: create()`, () => {
    test("stores the run, its first event and its place in the queue", async () => {
      await using it = await setup();
      const workflow = await saveWorkflow(it.workflows);
      const run = newRun(workflow, "r1", { overrides: { model: "m" }, source: "api" });
      expect(await it.runs.create(run, { topic: "tea", n: 1 })).toEqual({ created: true });
      const now = it.clock.now();
      expect(await it.runs.get("r1")).toEqual({
        id: "r1",
        workflowId: workflow.id,
        workflowName: "echo",
        versionHash: workflow.version.hash,
        nodeIds: ["read", "write"],
        state: "queued",
        waitingFor: null,
        dueAt: null,
        inputs: { topic: "tea" },
        overrides: { model: "m" },
        source: "api",
        values: { topic: "tea", n: 1 },
        error: null,
        cancelRequestedAt: null,
        createdAt: now,
        startedAt: null,
        finishedAt: null,
        activeMs: 0,
        doneNodeIds: [],
        worker: null,
        usage: NO_USAGE,
        costNanoUsd: 0,
        unpricedCount: 0,
      });
      expect(await it.runs.events("r1", 0, 10)).toEqual([
        { runId: "r1", seq: 1, at: now, event: { type: "run.queued" } },
      ]);
      expect(await it.queue.nextDueAt()).toBe(now);
    });

    test("changes nothing for an id that exists", async () => {
      await using it = await setup();
      const workflow = await saveWorkflow(it.workflows);
      await it.runs.create(newRun(workflow, "r1"), { a: 1 });
      const before = await it.runs.get("r1");
      it.clock.advance(5);
      const again = newRun(workflow, "r1", { inputs: { other: true } });
      expect(await it.runs.create(again, { b: 2 })).toEqual({ created: false });
      expect(await it.runs.get("r1")).toEqual(before);
      expect(await types(it.runs, "r1")).toEqual(["run.queued"]);
      expect(await it.runs.counts()).toMatchObject({ queued: 1 });
    });

    test("refuses a workflow version that was never saved, and keeps nothing", async () => {
      await using it = await setup();
      const workflow = await saveWorkflow(it.workflows);
      const run = newRun(workflow, "r1", { versionHash: "none" });
      expect(await codeOf(it.runs.create(run, {}))).toBe("not_found");
      expect(await it.runs.get("r1")).toBeUndefined();
      expect(await it.runs.counts()).toMatchObject({ queued: 0 });
    });

    test("keeps values that JSON can hold as they are", async () => {
      await using it = await setup();
      const workflow = await saveWorkflow(it.workflows);
      const values = { "a.b": null, "": [1.5, "ü\u0000\ud800"], __proto__x: { deep: [[]] } };
      await it.runs.create(newRun(workflow, "r1", { inputs: values }), values);
      const run = await get(it.runs, "r1");
      expect([run.inputs, run.values]).toEqual([values, values]);
    });
  });

  describe(`${name}: find(), list(), counts(), stats()`, () => {
    test("find() takes an id, its beginning or its end, when only one run has it", async () => {
      await using it = await setup();
      const workflow = await saveWorkflow(it.workflows);
      for (const id of ["aa11xx", "aa22yy", "bb33xx"]) {
        await it.runs.create(newRun(workflow, id), {});
      }
      const found = async (part: string) => (await it.runs.find(part))?.id;
      expect(await found("aa11xx")).toBe("aa11xx");
      expect(await found("bb")).toBe("bb33xx");
      expect(await found("2yy")).toBe("aa22yy");
      expect(await found("aa")).toBeUndefined();
      expect(await found("xx")).toBeUndefined();
      expect(await found("zz")).toBeUndefined();
      expect(await found("")).toBeUndefined();
      expect(await found("%")).toBeUndefined();
    });

    test("list() filters by state, workflow and search, newest first, page by page", async () => {
      await using it = await setup();
      const tea = await saveWorkflow(it.workflows, "Tea article");
      const ale = await saveWorkflow(it.workflows, "Ale article");
      for (const id of ["a1", "a2", "a3"]) await it.runs.create(newRun(tea, id), {});
      for (const id of ["b1", "b2"]) await it.runs.create(newRun(ale, id), {});
      await it.runs.requestCancel("a2");
      await it.runs.requestCancel("b1");
      const ids = async (filter: Partial<Parameters<RunStore["list"]>[0]>) =>
        (await it.runs.list({ limit: 10, ...filter })).map((run) => run.id);
      expect(await ids({})).toEqual(["b2", "b1", "a3", "a2", "a1"]);
      expect(await ids({ limit: 2 })).toEqual(["b2", "b1"]);
      expect(await ids({ limit: 2, before: "b1" })).toEqual(["a3", "a2"]);
      expect(await ids({ states: ["cancelled"] })).toEqual(["b1", "a2"]);
      expect(await ids({ states: ["queued", "cancelled"], limit: 3 })).toEqual(["b2", "b1", "a3"]);
      expect(await ids({ states: [] })).toEqual([]);
      expect(await ids({ workflowId: tea.id })).toEqual(["a3", "a2", "a1"]);
      expect(await ids({ workflowId: tea.id, states: ["queued"], before: "a3" })).toEqual(["a1"]);
      expect(await ids({ search: "a" })).toEqual(["b2", "b1", "a3", "a2", "a1"]);
      expect(await ids({ search: "a2" })).toEqual(["a2"]);
      expect(await ids({ search: "article ALE" })).toEqual(["b2", "b1"]);
      expect(await ids({ search: "ale", states: ["queued"] })).toEqual(["b2"]);
      expect(await ids({ search: "ale", workflowId: tea.id })).toEqual([]);
      expect(await ids({ search: "%" })).toEqual([]);
    });

    test("counts() follows every change of state", async () => {
      await using it = await setup();
      const workflow = await saveWorkflow(it.workflows);
      const none = { queued: 0, running: 0, waiting: 0, succeeded: 0, failed: 0, cancelled: 0 };
      expect(await it.runs.counts()).toEqual(none);
      for (const id of ["r1", "r2", "r3", "r4", "r5"]) {
        await it.runs.create(newRun(workflow, id), {});
      }
      await it.runs.requestCancel("r5");
      const held = await it.queue.fetch("w", 3);
      expect(await it.runs.counts()).toEqual({ ...none, queued: 1, running: 3, cancelled: 1 });
      for (const [index, mine] of held.entries()) {
        await it.runs.startStep(mine, STEP);
        const retry = { at: it.clock.now() + 5, waitingFor: "timer" as const, inPlace: false };
        if (index === 0) {
          await it.runs.succeedStep(mine, { ...STEP, patch: {} }, { outputs: {} });
        } else {
          const step = { ...STEP, error: FAILURE };
          await it.runs.failStep(mine, step, index === 1 ? retry : undefined);
        }
      }
      expect(await it.runs.counts()).toEqual({
        queued: 1,
        running: 0,
        waiting: 1,
        succeeded: 1,
        failed: 1,
        cancelled: 1,
      });
    });

    test("stats() sums what happened, minute by minute, in whole-minute buckets", async () => {
      await using it = await setup();
      const workflow = await saveWorkflow(it.workflows);
      const minute = 60_000;
      const start = Math.ceil(it.clock.now() / minute) * minute;
      it.clock.set(start);
      const good = await startRun(it, newRun(workflow, "r1"));
      await it.runs.startStep(good, STEP);
      await it.runs.recordCall(good, call(0), []);
      it.clock.set(start + 2 * minute - 1);
      await it.runs.succeedStep(good, { ...STEP, patch: {} }, { outputs: {} });
      it.clock.set(start + 2 * minute);
      await it.runs.failRun(await startRun(it, newRun(workflow, "r2")), FAILURE);
      const stats = await it.runs.stats({
        sinceMs: start,
        untilMs: start + 4 * minute,
        bucketCount: 4,
      });
      const none = { created: 0, succeeded: 0, failed: 0, costNanoUsd: 0, tokens: 0 };
      expect(stats).toEqual({
        sinceMs: start,
        bucketMs: minute,
        buckets: [
          { ...none, created: 1, costNanoUsd: 700, tokens: 15 },
          { ...none, succeeded: 1 },
          { ...none, created: 1, failed: 1 },
          none,
        ],
      });
      // A range of odd width is widened backwards to whole minutes.
      const odd = { sinceMs: start + 1, untilMs: start + 3 * minute, bucketCount: 2 };
      expect(await it.runs.stats(odd)).toEqual({
        sinceMs: start - minute,
        bucketMs: 2 * minute,
        buckets: [
          { ...none, created: 1, costNanoUsd: 700, tokens: 15 },
          { ...none, created: 1, succeeded: 1, failed: 1 },
        ],
      });
    });
  });

  describe(`${name}: fetch()`, () => {
    test("claims due runs, oldest first, up to the limit, each once", async () => {
      await using it = await setup();
      const workflow = await saveWorkflow(it.workflows);
      for (const id of ["r1", "r2", "r3"]) {
        await it.runs.create(newRun(workflow, id), {});
        it.clock.advance(1);
      }
      expect(await it.queue.fetch("w1", 0)).toEqual([]);
      expect(await it.queue.fetch("w1", -1)).toEqual([]);
      expect(await it.queue.fetch("w1", 2)).toEqual([
        { runId: "r1", worker: "w1", epoch: 1, recovered: false },
        { runId: "r2", worker: "w1", epoch: 1, recovered: false },
      ]);
      expect((await it.queue.fetch("w2", 2)).map((mine) => mine.runId)).toEqual(["r3"]);
      expect(await it.queue.fetch("w2", 2)).toEqual([]);
      expect(await get(it.runs, "r1")).toMatchObject({
        state: "running",
        worker: "w1",
        startedAt: it.clock.now(),
        dueAt: null,
      });
      expect((await it.runs.events("r1", 1, 10)).map((stored) => stored.event)).toEqual([
        { type: "run.started", worker: "w1" },
      ]);
      expect(await it.queue.nextDueAt()).toBe(it.clock.now() + LEASE_MS);
    });

    test("with `only` claims just that run, when it is due", async () => {
      await using it = await setup();
      const workflow = await saveWorkflow(it.workflows);
      for (const id of ["r1", "r2"]) await it.runs.create(newRun(workflow, id), {});
      expect((await it.queue.fetch("w", 5, "r2")).map((mine) => mine.runId)).toEqual(["r2"]);
      expect(await it.queue.fetch("w", 5, "r2")).toEqual([]);
      expect(await it.queue.fetch("w", 5, "none")).toEqual([]);
    });

    test("gives a reserved run to its creator only, until a lease has passed", async () => {
      await using it = await setup();
      const workflow = await saveWorkflow(it.workflows);
      await it.runs.create(newRun(workflow, "mine", { reservedFor: "cli" }), {});
      await it.runs.create(newRun(workflow, "left", { reservedFor: "cli" }), {});
      expect(await it.queue.fetch("w", 5)).toEqual([]);
      expect(await it.queue.fetch("w", 1, "mine")).toEqual([]);
      expect((await it.queue.fetch("cli", 1, "mine")).map((mine) => mine.runId)).toEqual(["mine"]);
      it.clock.advance(LEASE_MS - 1);
      expect(await it.queue.fetch("w", 5)).toEqual([]);
      it.clock.advance(1);
      expect(await it.queue.fetch("w", 1, "left")).toEqual([
        { runId: "left", worker: "w", epoch: 1, recovered: false },
      ]);
    });

    test("takes over a run whose lease has passed, as recovered, under the next epoch", async () => {
      await using it = await setup();
      const old = await startRun(it, newRun(await saveWorkflow(it.workflows), "r1"), "w1");
      it.clock.advance(LEASE_MS - 1);
      expect(await it.queue.fetch("w2", 5)).toEqual([]);
      it.clock.advance(1);
      expect(await it.queue.fetch("w2", 5)).toEqual([
        { runId: "r1", worker: "w2", epoch: 2, recovered: true },
      ]);
      expect(await it.queue.touch([old])).toEqual(["lost"]);
      expect(await types(it.runs, "r1")).toEqual(["run.queued", "run.started", "run.recovered"]);
    });

    test("cancels a run whose worker died before it saw the request", async () => {
      await using it = await setup();
      await startRun(it, newRun(await saveWorkflow(it.workflows), "r1"), "w1");
      await it.runs.requestCancel("r1");
      it.clock.advance(LEASE_MS);
      expect(await it.queue.fetch("w2", 5)).toEqual([]);
      expect(await get(it.runs, "r1")).toMatchObject({ state: "cancelled", worker: null });
      expect(await it.queue.nextDueAt()).toBeUndefined();
    });

    test("never gives one run to two workers that ask at once", async () => {
      await using it = await setup();
      const workflow = await saveWorkflow(it.workflows);
      const ids = Array.from({ length: 30 }, (_, index) => `r${index + 10}`);
      await Promise.all(ids.map((id) => it.runs.create(newRun(workflow, id), {})));
      const asked = Array.from({ length: 40 }, (_, index) => it.queue.fetch(`w${index}`, 1));
      const given = (await Promise.all(asked)).flat().map((mine) => mine.runId);
      expect(given.toSorted()).toEqual(ids);
    });
  });

  describe(`${name}: touch(), release(), releaseWorker()`, () => {
    test("touch() renews the lease and counts active time, at most a lease at once", async () => {
      await using it = await setup();
      const mine = await startRun(it, newRun(await saveWorkflow(it.workflows), "r1"));
      it.clock.advance(4_000);
      expect(await it.queue.touch([mine])).toEqual(["held"]);
      expect(await it.queue.nextDueAt()).toBe(it.clock.now() + LEASE_MS);
      expect((await get(it.runs, "r1")).activeMs).toBe(4_000);
      // The machine slept: nobody took the run, so it is still held.
      it.clock.advance(3_600_000);
      expect(await it.queue.touch([mine])).toEqual(["held"]);
      expect((await get(it.runs, "r1")).activeMs).toBe(4_000 + LEASE_MS);
      it.clock.advance(-10_000);
      expect(await it.queue.touch([mine])).toEqual(["held"]);
      expect((await get(it.runs, "r1")).activeMs).toBe(4_000 + LEASE_MS);
    });

    test("touch() answers for each claim in order", async () => {
      await using it = await setup();
      const workflow = await saveWorkflow(it.workflows);
      const held = await startRun(it, newRun(workflow, "r1"));
      const marked = await startRun(it, newRun(workflow, "r2"));
      const ended = await startRun(it, newRun(workflow, "r3"));
      await it.runs.requestCancel("r2");
      await it.runs.failRun(ended, FAILURE);
      const stranger = { ...held, worker: "w9" };
      const none = { ...held, runId: "none" };
      expect(await it.queue.touch([])).toEqual([]);
      expect(await it.queue.touch([ended, held, marked, stranger, none])).toEqual([
        "lost",
        "held",
        "cancelled",
        "lost",
        "lost",
      ]);
    });

    test("release() makes the run due at once, not recovered", async () => {
      await using it = await setup();
      const mine = await startRun(it, newRun(await saveWorkflow(it.workflows), "r1"), "w1");
      it.clock.advance(100);
      await it.queue.release(mine);
      expect(await get(it.runs, "r1")).toMatchObject({
        state: "queued",
        worker: null,
        activeMs: 100,
      });
      expect(await it.queue.touch([mine])).toEqual(["lost"]);
      expect(await claim(it.queue, "w2", "r1")).toEqual({
        runId: "r1",
        worker: "w2",
        epoch: 2,
        recovered: false,
      });
      // The old worker gives back what it no longer holds.
      await it.queue.release(mine);
      expect(await get(it.runs, "r1")).toMatchObject({ state: "running", worker: "w2" });
      expect(await types(it.runs, "r1")).toEqual([
        "run.queued",
        "run.started",
        "run.queued",
        "run.started",
      ]);
    });

    test("release() ends a run that was to be cancelled", async () => {
      await using it = await setup();
      const mine = await startRun(it, newRun(await saveWorkflow(it.workflows), "r1"));
      await it.runs.requestCancel("r1");
      await it.queue.release(mine);
      expect(await get(it.runs, "r1")).toMatchObject({ state: "cancelled" });
    });

    test("releaseWorker() makes the runs of a dead worker due at once, as recovered", async () => {
      await using it = await setup();
      const workflow = await saveWorkflow(it.workflows);
      await startRun(it, newRun(workflow, "r1"), "dead");
      await startRun(it, newRun(workflow, "r2"), "dead");
      await startRun(it, newRun(workflow, "r3"), "alive");
      expect(await it.queue.releaseWorker("dead")).toBe(2);
      expect(await it.queue.releaseWorker("dead")).toBe(0);
      const given = await it.queue.fetch("w", 5);
      expect(given.map(({ runId, recovered }) => `${runId} ${recovered}`).toSorted()).toEqual([
        "r1 true",
        "r2 true",
      ]);
    });
  });

  describe(`${name}: requestCancel()`, () => {
    test("ends a queued run at once", async () => {
      await using it = await setup();
      await it.runs.create(newRun(await saveWorkflow(it.workflows), "r1"), {});
      const now = it.clock.now();
      const run = await it.runs.requestCancel("r1");
      expect(run).toMatchObject({ state: "cancelled", finishedAt: now, cancelRequestedAt: now });
      expect(run).toEqual(await get(it.runs, "r1"));
      expect(await types(it.runs, "r1")).toEqual(["run.queued", "run.cancelled"]);
      expect(await it.queue.fetch("w", 1)).toEqual([]);
    });

    test("ends a waiting run at once", async () => {
      await using it = await setup();
      const mine = await startRun(it, newRun(await saveWorkflow(it.workflows), "r1"));
      await it.runs.startStep(mine, STEP);
      const retry = { at: it.clock.now() + 9, waitingFor: "rate_limit" as const, inPlace: false };
      await it.runs.failStep(mine, { ...STEP, error: FAILURE }, retry);
      const run = await it.runs.requestCancel("r1");
      expect(run).toMatchObject({ state: "cancelled", waitingFor: null, dueAt: null });
    });

    test("marks a running run once, and tells its worker", async () => {
      await using it = await setup();
      const mine = await startRun(it, newRun(await saveWorkflow(it.workflows), "r1"));
      const now = it.clock.now();
      const run = await it.runs.requestCancel("r1");
      expect(run).toMatchObject({ state: "running", cancelRequestedAt: now });
      it.clock.advance(1);
      expect(await it.runs.requestCancel("r1")).toEqual(run);
      expect(await types(it.runs, "r1")).toEqual(["run.queued", "run.started", "run.cancelling"]);
      expect(await it.queue.touch([mine])).toEqual(["cancelled"]);
      await it.runs.startStep(mine, STEP);
      await it.runs.cancelRun(mine);
      expect(await get(it.runs, "r1")).toMatchObject({ state: "cancelled", worker: null });
      expect((await it.runs.journal("r1")).steps).toMatchObject([
        { state: "cancelled", finishedAt: it.clock.now() },
      ]);
    });

    test("ends a running run at once when its lease has passed", async () => {
      await using it = await setup();
      const mine = await startRun(it, newRun(await saveWorkflow(it.workflows), "r1"));
      await it.runs.startStep(mine, STEP);
      it.clock.advance(LEASE_MS);
      expect(await it.runs.requestCancel("r1")).toMatchObject({ state: "cancelled" });
      expect((await it.runs.journal("r1")).steps).toMatchObject([{ state: "cancelled" }]);
      expect(await codeOf(it.runs.succeedStep(mine, { ...STEP, patch: {} }, undefined))).toBe(
        "lease_lost",
      );
    });

    test("leaves a finished run alone, and does not know others", async () => {
      await using it = await setup();
      const mine = await startRun(it, newRun(await saveWorkflow(it.workflows), "r1"));
      await it.runs.failRun(mine, FAILURE);
      const before = await get(it.runs, "r1");
      expect(await it.runs.requestCancel("r1")).toEqual(before);
      expect(await types(it.runs, "r1")).toEqual(["run.queued", "run.started", "run.failed"]);
      expect(await codeOf(it.runs.requestCancel("none"))).toBe("not_found");
    });
  });

  describe(`${name}: the journal`, () => {
    test("startStep() begins an attempt", async () => {
      await using it = await setup();
      const mine = await startRun(it, newRun(await saveWorkflow(it.workflows), "r1"));
      it.clock.advance(7);
      const attempt = await it.runs.startStep(mine, STEP);
      expect(attempt).toEqual({
        key: "read",
        nodeId: "read",
        attempt: 1,
        state: "running",
        input: { prompt: "hello" },
        patch: null,
        error: null,
        retryAt: null,
        recoveryCount: 0,
        startedAt: it.clock.now(),
        finishedAt: null,
        usage: NO_USAGE,
        costNanoUsd: 0,
        unpricedCount: 0,
      });
      expect(await it.runs.journal("r1")).toEqual({ steps: [attempt], calls: [] });
      expect((await it.runs.events("r1", 2, 10)).map((stored) => stored.event)).toEqual([
        { type: "step.started", node: "read", step: "read", attempt: 1 },
      ]);
    });

    test("startStep() asked twice under one claim begins once", async () => {
      await using it = await setup();
      const mine = await startRun(it, newRun(await saveWorkflow(it.workflows), "r1"));
      const attempt = await it.runs.startStep(mine, STEP);
      expect(await it.runs.startStep(mine, STEP)).toEqual(attempt);
      expect(await types(it.runs, "r1")).toEqual(["run.queued", "run.started", "step.started"]);
    });

    test("startStep() takes up an interrupted attempt with its input, totals and calls", async () => {
      await using it = await setup();
      const old = await startRun(it, newRun(await saveWorkflow(it.workflows), "r1"), "w1");
      const begun = await it.runs.startStep(old, STEP);
      await it.runs.recordCall(old, call(0), []);
      it.clock.advance(LEASE_MS);
      const mine = await claim(it.queue, "w2", "r1");
      const attempt = await it.runs.startStep(mine, { ...STEP, input: "another" });
      expect(attempt).toEqual({
        ...begun,
        recoveryCount: 1,
        usage: call(0).usage,
        costNanoUsd: 700,
      });
      expect(await it.runs.journal("r1")).toEqual({ steps: [attempt], calls: [call(0)] });
      expect((await types(it.runs, "r1")).slice(-2)).toEqual(["run.recovered", "step.started"]);
    });

    test("startStep() refuses an attempt that has ended", async () => {
      await using it = await setup();
      const mine = await startRun(it, newRun(await saveWorkflow(it.workflows), "r1"));
      await it.runs.startStep(mine, STEP);
      await it.runs.succeedStep(mine, { ...STEP, patch: {} }, undefined);
      expect(await codeOf(it.runs.startStep(mine, STEP))).toBe("conflict");
    });

    test("recordCall() adds to attempt and run, once for each ordinal", async () => {
      await using it = await setup();
      const mine = await startRun(it, newRun(await saveWorkflow(it.workflows), "r1"));
      await it.runs.startStep(mine, STEP);
      const tool = call(1, { kind: "tool", name: "search", usage: NO_USAGE, costNanoUsd: null });
      const unpriced = call(2, { costNanoUsd: null });
      const event = delta("x");
      await it.runs.recordCall(mine, call(0), [event]);
      await it.runs.recordCall(mine, call(0), [event]);
      await it.runs.recordCall(mine, tool, []);
      await it.runs.recordCall(mine, unpriced, []);
      const totals = {
        usage: { input: 20, output: 10, cacheRead: 4, cacheWrite: 2, reasoning: 6 },
        costNanoUsd: 700,
        unpricedCount: 1,
      };
      expect(await get(it.runs, "r1")).toMatchObject(totals);
      const journal = await it.runs.journal("r1");
      expect(journal.steps).toMatchObject([totals]);
      expect(journal.calls).toEqual([call(0), tool, unpriced]);
      expect((await types(it.runs, "r1")).slice(2)).toEqual(["step.started", "model.delta"]);
    });

    test("recordCall() refuses a call of an attempt that does not run", async () => {
      await using it = await setup();
      const mine = await startRun(it, newRun(await saveWorkflow(it.workflows), "r1"));
      expect(await codeOf(it.runs.recordCall(mine, call(0), []))).toBe("not_found");
      await it.runs.startStep(mine, STEP);
      const retry = { at: 1, waitingFor: "timer" as const, inPlace: true };
      await it.runs.failStep(mine, { ...STEP, error: FAILURE }, retry);
      expect(await codeOf(it.runs.recordCall(mine, call(0), []))).toBe("conflict");
      expect((await it.runs.journal("r1")).calls).toEqual([]);
    });

    test("succeedStep() lays the patch over the values and ends the run with its outcome", async () => {
      await using it = await setup();
      const mine = await startRun(it, newRun(await saveWorkflow(it.workflows), "r1"));
      await it.runs.startStep(mine, STEP);
      it.clock.advance(20);
      await it.runs.succeedStep(
        mine,
        { ...STEP, patch: { text: { a: 1 }, topic: null } },
        undefined,
      );
      expect(await get(it.runs, "r1")).toMatchObject({
        state: "running",
        values: { topic: null, text: { a: 1 } },
        doneNodeIds: ["read"],
      });
      const last = { key: "write", nodeId: "write", attempt: 1, input: null };
      await it.runs.startStep(mine, last);
      await it.runs.succeedStep(mine, { ...last, patch: { text: 2 } }, { outputs: { answer: 2 } });
      expect(await get(it.runs, "r1")).toMatchObject({
        state: "succeeded",
        values: { topic: null, text: 2 },
        doneNodeIds: ["read", "write"],
        finishedAt: it.clock.now(),
        activeMs: 20,
        worker: null,
      });
      expect((await it.runs.journal("r1")).steps).toMatchObject([
        { key: "read", state: "succeeded", patch: { text: { a: 1 }, topic: null } },
        { key: "write", state: "succeeded", patch: { text: 2 }, finishedAt: it.clock.now() },
      ]);
      const events = await it.runs.events("r1", 3, 10);
      expect(events.map((stored) => stored.event)).toEqual([
        {
          type: "step.succeeded",
          step: "read",
          attempt: 1,
          patch: { text: { a: 1 }, topic: null },
        },
        { type: "step.started", node: "write", step: "write", attempt: 1 },
        { type: "step.succeeded", step: "write", attempt: 1, patch: { text: 2 } },
        { type: "run.succeeded", outputs: { answer: 2 } },
      ]);
      expect(await it.queue.nextDueAt()).toBeUndefined();
    });

    test("succeedStep() and failStep() repeated after an unknown outcome change nothing", async () => {
      await using it = await setup();
      const mine = await startRun(it, newRun(await saveWorkflow(it.workflows), "r1"));
      await it.runs.startStep(mine, STEP);
      const retry = { at: 5, waitingFor: "timer" as const, inPlace: true };
      await it.runs.failStep(mine, { ...STEP, error: FAILURE }, retry);
      await it.runs.failStep(mine, { ...STEP, error: FAILURE }, retry);
      const second = { ...STEP, attempt: 2 };
      await it.runs.startStep(mine, second);
      await it.runs.succeedStep(mine, { ...second, patch: { a: 1 } }, undefined);
      const before = [await it.runs.get("r1"), await it.runs.journal("r1")];
      await it.runs.succeedStep(mine, { ...second, patch: { a: 2 } }, undefined);
      expect([await it.runs.get("r1"), await it.runs.journal("r1")]).toEqual(before);
      expect((await types(it.runs, "r1")).slice(2)).toEqual([
        "step.started",
        "step.failed",
        "step.started",
        "step.succeeded",
      ]);
      expect(await codeOf(it.runs.failStep(mine, { ...second, error: FAILURE }, retry))).toBe(
        "conflict",
      );
    });

    test("failStep() with a retry parks the run until then", async () => {
      await using it = await setup();
      const mine = await startRun(it, newRun(await saveWorkflow(it.workflows), "r1"), "w1");
      await it.runs.startStep(mine, STEP);
      it.clock.advance(30);
      const at = it.clock.now() + 50_000;
      const retry = { at, waitingFor: "rate_limit" as const, inPlace: false };
      await it.runs.failStep(mine, { ...STEP, error: FAILURE }, retry);
      expect(await get(it.runs, "r1")).toMatchObject({
        state: "waiting",
        waitingFor: "rate_limit",
        dueAt: at,
        worker: null,
        activeMs: 30,
        error: null,
      });
      expect((await it.runs.journal("r1")).steps).toMatchObject([
        { state: "failed", error: FAILURE, retryAt: at, finishedAt: it.clock.now() },
      ]);
      expect((await it.runs.events("r1", 3, 10)).map((stored) => stored.event)).toEqual([
        { type: "step.failed", step: "read", attempt: 1, error: FAILURE, retryAtMs: at },
        { type: "run.waiting", for: "rate_limit", untilMs: at },
      ]);
      expect(await it.queue.touch([mine])).toEqual(["lost"]);
      expect(await it.queue.nextDueAt()).toBe(at);
      it.clock.set(at - 1);
      expect(await it.queue.fetch("w2", 1)).toEqual([]);
      it.clock.set(at);
      expect(await it.queue.fetch("w2", 1)).toEqual([
        { runId: "r1", worker: "w2", epoch: 2, recovered: false },
      ]);
      expect(await get(it.runs, "r1")).toMatchObject({ state: "running", waitingFor: null });
    });

    test("failStep() with a retry in place keeps the claim", async () => {
      await using it = await setup();
      const mine = await startRun(it, newRun(await saveWorkflow(it.workflows), "r1"));
      await it.runs.startStep(mine, STEP);
      const retry = { at: it.clock.now() + 5, waitingFor: "timer" as const, inPlace: true };
      await it.runs.failStep(mine, { ...STEP, error: FAILURE }, retry);
      expect(await get(it.runs, "r1")).toMatchObject({ state: "running", waitingFor: null });
      expect(await it.queue.touch([mine])).toEqual(["held"]);
      expect((await types(it.runs, "r1")).at(-1)).toBe("step.failed");
    });

    test("failStep() without a retry fails the run", async () => {
      await using it = await setup();
      const mine = await startRun(it, newRun(await saveWorkflow(it.workflows), "r1"));
      await it.runs.startStep(mine, STEP);
      await it.runs.failStep(mine, { ...STEP, error: FAILURE }, undefined);
      expect(await get(it.runs, "r1")).toMatchObject({ state: "failed", error: FAILURE });
      expect((await it.runs.events("r1", 3, 10)).map((stored) => stored.event)).toEqual([
        { type: "step.failed", step: "read", attempt: 1, error: FAILURE },
        { type: "run.failed", error: FAILURE },
      ]);
    });

    test("failStep() ends a run that is to be cancelled instead of parking it", async () => {
      await using it = await setup();
      const mine = await startRun(it, newRun(await saveWorkflow(it.workflows), "r1"));
      await it.runs.startStep(mine, STEP);
      await it.runs.requestCancel("r1");
      const retry = { at: it.clock.now() + 5, waitingFor: "timer" as const, inPlace: false };
      await it.runs.failStep(mine, { ...STEP, error: FAILURE }, retry);
      expect(await get(it.runs, "r1")).toMatchObject({ state: "cancelled" });
    });

    test("failRun() fails the run and stops its running attempt", async () => {
      await using it = await setup();
      const mine = await startRun(it, newRun(await saveWorkflow(it.workflows), "r1"));
      await it.runs.startStep(mine, STEP);
      await it.runs.failRun(mine, FAILURE);
      expect(await get(it.runs, "r1")).toMatchObject({ state: "failed", error: FAILURE });
      expect((await it.runs.journal("r1")).steps).toMatchObject([{ state: "cancelled" }]);
    });

    test("journal() is ordered by when attempts began", async () => {
      await using it = await setup();
      const mine = await startRun(it, newRun(await saveWorkflow(it.workflows), "r1"));
      for (const key of ["z", "a#2", "m"]) {
        await it.runs.startStep(mine, { key, nodeId: key, attempt: 1, input: null });
      }
      const { steps } = await it.runs.journal("r1");
      expect(steps.map((step) => step.key)).toEqual(["z", "a#2", "m"]);
      expect(await it.runs.journal("none")).toEqual({ steps: [], calls: [] });
    });
  });

  describe(`${name}: events`, () => {
    test("are numbered without gaps, whoever writes at once", async () => {
      await using it = await setup();
      const mine = await startRun(it, newRun(await saveWorkflow(it.workflows), "r1"));
      await Promise.all([
        ...Array.from({ length: 20 }, (_, index) =>
          it.runs.appendEvents(mine, [delta(`${index}a`), delta(`${index}b`)]),
        ),
        it.runs.requestCancel("r1"),
      ]);
      const events = await it.runs.events("r1", 0, 1000);
      expect(events.map((stored) => stored.seq)).toEqual(
        Array.from({ length: 43 }, (_, index) => index + 1),
      );
    });

    test("are given page by page after a number", async () => {
      await using it = await setup();
      const mine = await startRun(it, newRun(await saveWorkflow(it.workflows), "r1"));
      await it.runs.appendEvents(mine, [delta("a"), delta("b"), delta("c")]);
      const page = await it.runs.events("r1", 3, 2);
      expect(page.map((stored) => [stored.seq, stored.event])).toEqual([
        [4, delta("b")],
        [5, delta("c")],
      ]);
      expect(await it.runs.events("r1", 5, 2)).toEqual([]);
      expect(await it.runs.events("none", 0, 2)).toEqual([]);
    });

    test("recentEvents() gives the newest of all runs, newest last, without streamed text", async () => {
      await using it = await setup();
      const workflow = await saveWorkflow(it.workflows);
      const mine = await startRun(it, newRun(workflow, "r1"));
      it.clock.advance(1);
      await it.runs.appendEvents(mine, [delta("a")]);
      it.clock.advance(1);
      await it.runs.create(newRun(workflow, "r2"), {});
      it.clock.advance(1);
      await it.runs.failRun(mine, FAILURE);
      const recent = await it.runs.recentEvents(3);
      expect(recent.map(({ runId, seq, event }) => [runId, seq, event.type])).toEqual([
        ["r1", 2, "run.started"],
        ["r2", 1, "run.queued"],
        ["r1", 4, "run.failed"],
      ]);
    });
  });

  describe(`${name}: the fence`, () => {
    test("refuses every write under an old epoch, another worker or after the end", async () => {
      await using it = await setup();
      const old = await startRun(it, newRun(await saveWorkflow(it.workflows), "r1"), "w1");
      await it.runs.startStep(old, STEP);
      it.clock.advance(LEASE_MS);
      const mine = await claim(it.queue, "w1", "r1");
      const before = [
        await it.runs.get("r1"),
        await it.runs.journal("r1"),
        await it.runs.events("r1", 0, 100),
      ];
      const retry = { at: 1, waitingFor: "timer" as const, inPlace: true };
      for (const late of [old, { ...mine, worker: "w2" }, { ...mine, runId: "none" }]) {
        const writes = [
          it.runs.startStep(late, { ...STEP, key: "b" }),
          it.runs.recordCall(late, call(0), [delta("x")]),
          it.runs.appendEvents(late, [delta("x")]),
          it.runs.appendEvents(late, []),
          it.runs.succeedStep(late, { ...STEP, patch: {} }, { outputs: {} }),
          it.runs.failStep(late, { ...STEP, error: FAILURE }, retry),
          it.runs.failRun(late, FAILURE),
          it.runs.cancelRun(late),
        ];
        expect(new Set(await Promise.all(writes.map(codeOf)))).toEqual(new Set(["lease_lost"]));
      }
      expect([
        await it.runs.get("r1"),
        await it.runs.journal("r1"),
        await it.runs.events("r1", 0, 100),
      ]).toEqual(before);
      await it.runs.cancelRun(mine);
      expect(await codeOf(it.runs.appendEvents(mine, []))).toBe("lease_lost");
    });
  });
}
