/** The journal: what the worker that holds a claim writes, and what a later one reads. */
import { describe, expect, test } from "bun:test";
import { type Claim, LEASE_MS, type StepAttempt } from "../../src/domain/run.ts";
import { codeOf } from "../store/support/error-code.ts";
import { claim, newRun, saveWorkflow, startRun } from "../store/support/seed.ts";
import {
  APPROVAL,
  FAILED,
  FAILURE,
  INPUT,
  type Implementation,
  NO_TOTALS,
  NO_USAGE,
  SUCCEEDED,
  call,
  delta,
  eventsAfter,
  fail,
  get,
  pictureOf,
  skip,
  start,
  stepsOf,
  succeed,
  types,
  wait,
  waiting,
  write,
} from "./support.ts";

export function testJournal(name: string, implementation: Implementation): void {
  testStart(name, implementation);
  testEnds(name, implementation);
  testWaits(name, implementation);
  testTurns(name, implementation);
  testCalls(name, implementation);
  testWhole(name, implementation);
}

function attemptOf(more: Partial<StepAttempt>): StepAttempt {
  return {
    key: "read",
    nodeId: "read",
    attempt: 1,
    state: "running",
    input: INPUT,
    patch: null,
    error: null,
    retryAt: null,
    wait: null,
    next: null,
    startedSeq: 3,
    endedSeq: null,
    recoveryCount: 0,
    startedAt: 0,
    finishedAt: null,
    ...NO_TOTALS,
    ...more,
  };
}

function testStart(name: string, { setup }: Implementation): void {
  describe(`${name}: write() start`, () => {
    test("begins an attempt", async () => {
      await using it = await setup();
      const mine = await startRun(it, newRun(await saveWorkflow(it.workflows), "r1"));
      it.clock.advance(7);
      const begun = await write(it, mine, { steps: [start("read", { itemCount: 3 })] });
      expect(begun).toEqual([attemptOf({ startedAt: it.clock.now() })]);
      expect(await it.runs.journal("r1")).toEqual({ steps: begun, calls: [], signals: [] });
      expect(await eventsAfter(it.runs, "r1", 2)).toEqual([
        { type: "step.started", node: "read", step: "read", attempt: 1, itemCount: 3 },
      ]);
    });

    test("gives the attempts in the order of the changes that begin one", async () => {
      await using it = await setup();
      const mine = await startRun(it, newRun(await saveWorkflow(it.workflows), "r1"));
      const steps = [start("z"), skip("s"), start("a#2"), succeed("z"), start("m")];
      const begun = await write(it, mine, { steps });
      expect(begun.map(({ key, startedSeq }) => [key, startedSeq])).toEqual([
        ["z", 3],
        ["a#2", 5],
        ["m", 7],
      ]);
    });

    test("asked twice under one claim begins once", async () => {
      await using it = await setup();
      const mine = await startRun(it, newRun(await saveWorkflow(it.workflows), "r1"));
      const begun = await write(it, mine, { steps: [start()] });
      expect(await write(it, mine, { steps: [start()] })).toEqual(begun);
      expect(await types(it.runs, "r1")).toEqual(["run.queued", "run.started", "step.started"]);
    });

    test("takes up an interrupted attempt with its input, place, totals and calls", async () => {
      await using it = await setup();
      const old = await startRun(it, newRun(await saveWorkflow(it.workflows), "r1"), "w1");
      const [begun] = await write(it, old, { steps: [start()] });
      await it.runs.recordCall(old, call(0), []);
      it.clock.advance(LEASE_MS);
      const mine = await claim(it.queue, "w2", "r1");
      const steps = await write(it, mine, { steps: [start("read", { input: "another" })] });
      expect(steps).toEqual([
        attemptOf({ ...begun, recoveryCount: 1, usage: call(0).usage, costNanoUsd: 700 }),
      ]);
      expect(await it.runs.journal("r1")).toEqual({ steps, calls: [call(0)], signals: [] });
      expect((await types(it.runs, "r1")).slice(-2)).toEqual(["run.recovered", "step.started"]);
    });

    test("counts no recovery when the claim was given back, or the attempt waited", async () => {
      await using it = await setup();
      const first = await startRun(it, newRun(await saveWorkflow(it.workflows), "r1"), "w1");
      await write(it, first, { steps: [start("a"), start("b"), wait(APPROVAL, "b")] });
      await it.queue.release(first);
      const second = await claim(it.queue, "w2", "r1");
      const [taken] = await write(it, second, { steps: [start("a")] });
      expect(taken?.recoveryCount).toBe(0);
      await it.queue.releaseWorker("w2");
      const third = await claim(it.queue, "w3", "r1");
      const both = await write(it, third, { steps: [start("a"), start("b")] });
      expect(both.map(({ key, recoveryCount }) => [key, recoveryCount])).toEqual([
        ["a", 1],
        ["b", 0],
      ]);
    });

    test("refuses an attempt that has ended", async () => {
      await using it = await setup();
      const mine = await startRun(it, newRun(await saveWorkflow(it.workflows), "r1"));
      await write(it, mine, { steps: [start(), succeed(), start("b"), fail("b")] });
      expect(await codeOf(write(it, mine, { steps: [start()] }))).toBe("conflict");
      expect(await codeOf(write(it, mine, { steps: [start("b")] }))).toBe("conflict");
    });
  });
}

function testEnds(name: string, { setup }: Implementation): void {
  describe(`${name}: write() succeed, fail, skip`, () => {
    test("succeed lays the patch over the values and keeps where it leads", async () => {
      await using it = await setup();
      const mine = await startRun(it, newRun(await saveWorkflow(it.workflows), "r1"));
      await write(it, mine, { steps: [start()] });
      it.clock.advance(20);
      const patch = { text: { a: 1 }, topic: null };
      await write(it, mine, { steps: [succeed("read", { patch, next: ["write", "END"] })] });
      expect(await get(it.runs, "r1")).toMatchObject({
        state: "running",
        values: { topic: null, text: { a: 1 } },
        doneNodeIds: ["read"],
      });
      expect((await it.runs.journal("r1")).steps).toEqual([
        attemptOf({
          state: "succeeded",
          patch,
          next: ["write", "END"],
          endedSeq: 4,
          startedAt: it.clock.now() - 20,
          finishedAt: it.clock.now(),
        }),
      ]);
      expect(await eventsAfter(it.runs, "r1", 3)).toEqual([
        { type: "step.succeeded", step: "read", attempt: 1, patch, next: ["write", "END"] },
      ]);
    });

    test("patches join the values by the modes given, in the order of the changes", async () => {
      await using it = await setup();
      const mine = await startRun(it, newRun(await saveWorkflow(it.workflows), "r1"));
      const steps = [start("a"), start("b"), start("c")];
      await write(it, mine, { steps });
      const ends = [
        succeed("b", { patch: { list: ["b"], n: 2, last: "b" } }),
        fail("c", { patch: { list: "c", n: 5 }, next: ["END"] }),
        succeed("a", { patch: { list: ["a"], n: 1, last: "a" } }),
      ];
      await write(it, mine, { steps: ends, merges: { list: "append", n: "sum" } });
      expect(await get(it.runs, "r1")).toMatchObject({
        values: { topic: "tea", list: ["b", "c", "a"], n: 8, last: "a" },
        doneNodeIds: ["b", "a"],
      });
    });

    test("keeps what an item of a map leaves with the item alone", async () => {
      await using it = await setup();
      const mine = await startRun(it, newRun(await saveWorkflow(it.workflows), "r1"));
      const item = { nodeId: "m" };
      const steps = [
        start("m"),
        start("m[0]", item),
        start("m[1]", item),
        succeed("m[0]", { patch: { x: 1 } }),
        fail("m[1]", { patch: { why: "no" }, next: [] }),
      ];
      await write(it, mine, { steps });
      expect(await get(it.runs, "r1")).toMatchObject({ values: { topic: "tea" }, doneNodeIds: [] });
      expect(await stepsOf(it.runs, "r1")).toMatchObject({
        "m[0]/1": { nodeId: "m", patch: { x: 1 } },
        "m[1]/1": { nodeId: "m", patch: { why: "no" } },
      });
      await write(it, mine, { steps: [succeed("m", { patch: { all: [1] } })] });
      expect(await get(it.runs, "r1")).toMatchObject({
        values: { topic: "tea", all: [1] },
        doneNodeIds: ["m"],
      });
    });

    test("a node that is executed again is done once", async () => {
      await using it = await setup();
      const mine = await startRun(it, newRun(await saveWorkflow(it.workflows), "r1"));
      const again = { nodeId: "read" };
      await write(it, mine, {
        steps: [start(), succeed(), start("read#2", again), succeed("read#2")],
      });
      expect((await get(it.runs, "r1")).doneNodeIds).toEqual(["read"]);
    });

    test("fail keeps error, retry or way out, and leaves the run to its turn", async () => {
      await using it = await setup();
      const mine = await startRun(it, newRun(await saveWorkflow(it.workflows), "r1"));
      const retryAt = it.clock.now() + 5;
      const steps = [
        start("a"),
        start("b"),
        start("c"),
        fail("a", { retryAt }),
        fail("b", { next: ["END"], patch: { why: "late" } }),
        fail("c"),
      ];
      await write(it, mine, { steps });
      expect(await get(it.runs, "r1")).toMatchObject({
        state: "running",
        error: null,
        values: { topic: "tea", why: "late" },
      });
      const failed = { state: "failed", error: FAILURE, finishedAt: it.clock.now() };
      expect(await stepsOf(it.runs, "r1")).toMatchObject({
        "a/1": { ...failed, retryAt, next: null, patch: null, endedSeq: 6 },
        "b/1": { ...failed, retryAt: null, next: ["END"], patch: { why: "late" }, endedSeq: 7 },
        "c/1": { ...failed, retryAt: null, next: null, patch: null, endedSeq: 8 },
      });
      const event = { type: "step.failed", attempt: 1, error: FAILURE };
      expect(await eventsAfter(it.runs, "r1", 5)).toEqual([
        { ...event, step: "a", retryAtMs: retryAt },
        { ...event, step: "b", next: ["END"] },
        { ...event, step: "c" },
      ] as never);
    });

    test("skip writes a step that was never begun", async () => {
      await using it = await setup();
      const mine = await startRun(it, newRun(await saveWorkflow(it.workflows), "r1"));
      await write(it, mine, { steps: [skip("read", ["write"])] });
      const now = it.clock.now();
      expect((await it.runs.journal("r1")).steps).toEqual([
        attemptOf({
          state: "skipped",
          input: null,
          next: ["write"],
          startedSeq: 3,
          endedSeq: 3,
          startedAt: now,
          finishedAt: now,
        }),
      ]);
      expect(await eventsAfter(it.runs, "r1", 2)).toEqual([
        { type: "step.skipped", step: "read", node: "read" },
      ]);
      expect(await get(it.runs, "r1")).toMatchObject({ values: { topic: "tea" }, doneNodeIds: [] });
    });

    test("skip follows an attempt that no longer counts, and refuses one that does", async () => {
      await using it = await setup();
      const first = await startRun(it, newRun(await saveWorkflow(it.workflows), "r1"));
      await write(it, first, { steps: [start(), fail()], turn: FAILED });
      await it.runs.resume("r1", { supersede: ["read"], by: null });
      const mine = await claim(it.queue, "w", "r1");
      await write(it, mine, { steps: [skip(), start("b")] });
      expect(await stepsOf(it.runs, "r1")).toMatchObject({
        "read/1": { state: "superseded" },
        "read/2": { state: "skipped" },
      });
      expect(await codeOf(write(it, mine, { steps: [skip("b")] }))).toBe("conflict");
    });

    test("count what a child run has cost, and calls that broke off, as theirs and the run's", async () => {
      await using it = await setup();
      const mine = await startRun(it, newRun(await saveWorkflow(it.workflows), "r1"));
      const { usage } = call(0);
      const childTotals = { usage, costNanoUsd: 9, unpricedCount: 2 };
      const steps = [start("a"), start("b"), start("c")];
      await write(it, mine, { steps });
      const ends = [
        succeed("a", { childTotals, brokenCallCount: 2 }),
        fail("b", { childTotals, brokenCallCount: 3 }),
        { ...wait({ for: "rate_limit", untilMs: 5 }, "c"), brokenCallCount: 1 },
      ];
      await write(it, mine, { steps: ends });
      const twice = { input: 20, output: 10, cacheRead: 4, cacheWrite: 2, reasoning: 6 };
      expect(await get(it.runs, "r1")).toMatchObject({
        usage: twice,
        costNanoUsd: 18,
        unpricedCount: 10,
      });
      expect(await stepsOf(it.runs, "r1")).toMatchObject({
        "a/1": { ...childTotals, unpricedCount: 4 },
        "b/1": { ...childTotals, unpricedCount: 5 },
        "c/1": { usage: NO_USAGE, unpricedCount: 1 },
      });
    });

    test("refuse an attempt that was never begun, or has ended otherwise", async () => {
      await using it = await setup();
      const mine = await startRun(it, newRun(await saveWorkflow(it.workflows), "r1"));
      for (const step of [succeed(), fail(), wait(APPROVAL)]) {
        expect(await codeOf(write(it, mine, { steps: [step] }))).toBe("not_found");
      }
      await write(it, mine, { steps: [start(), succeed(), start("b"), fail("b")] });
      for (const step of [fail(), wait(APPROVAL), succeed("b"), wait(APPROVAL, "b")]) {
        expect(await codeOf(write(it, mine, { steps: [step] }))).toBe("conflict");
      }
    });
  });
}

function testWaits(name: string, { setup }: Implementation): void {
  describe(`${name}: write() wait`, () => {
    test("keeps what is waited for, until the attempt is taken up or ends", async () => {
      await using it = await setup();
      const mine = await startRun(it, newRun(await saveWorkflow(it.workflows), "r1"));
      const timer = { for: "timer", untilMs: it.clock.now() + 9 } as const;
      await write(it, mine, {
        steps: [start("a"), wait(timer, "a"), start("b"), wait(APPROVAL, "b")],
      });
      expect(await stepsOf(it.runs, "r1")).toMatchObject({
        "a/1": { state: "waiting", wait: timer, finishedAt: null, endedSeq: null, next: null },
        "b/1": { state: "waiting", wait: APPROVAL },
      });
      expect((await eventsAfter(it.runs, "r1", 2)).slice(1, 2)).toEqual([
        { type: "step.waiting", step: "a", attempt: 1, wait: timer },
      ]);
      const again = await write(it, mine, {
        steps: [succeed("b"), start("a", { input: "another" })],
      });
      expect(again).toEqual([attemptOf({ key: "a", nodeId: "a", startedAt: it.clock.now() })]);
      expect(await stepsOf(it.runs, "r1")).toMatchObject({
        "a/1": { state: "running", wait: null, input: INPUT, startedSeq: 3 },
        "b/1": { state: "succeeded", wait: null },
      });
      expect((await types(it.runs, "r1")).slice(-2)).toEqual(["step.succeeded", "step.started"]);
    });

    test("of an attempt that waits already waits for something else", async () => {
      await using it = await setup();
      const mine = await startRun(it, newRun(await saveWorkflow(it.workflows), "r1"));
      const first = { for: "run", runId: "c1" } as const;
      const second = { for: "run", runId: "c2" } as const;
      await write(it, mine, { steps: [start(), wait(first)] });
      await write(it, mine, { steps: [wait(second)] });
      await write(it, mine, { steps: [wait(second)] });
      expect(await stepsOf(it.runs, "r1")).toMatchObject({ "read/1": { wait: second } });
      expect((await types(it.runs, "r1")).slice(3)).toEqual(["step.waiting", "step.waiting"]);
    });

    test("a call cannot be recorded meanwhile", async () => {
      await using it = await setup();
      const mine = await startRun(it, newRun(await saveWorkflow(it.workflows), "r1"));
      await write(it, mine, { steps: [start(), wait(APPROVAL)] });
      expect(await codeOf(it.runs.recordCall(mine, call(0), []))).toBe("conflict");
    });
  });
}

function testTurns(name: string, { setup }: Implementation): void {
  describe(`${name}: write() turn`, () => {
    test("succeeded ends the run with its outputs", async () => {
      await using it = await setup();
      const mine = await startRun(it, newRun(await saveWorkflow(it.workflows), "r1"));
      it.clock.advance(20);
      await write(it, mine, {
        steps: [start(), succeed("read", { patch: { text: 2 } })],
        turn: SUCCEEDED,
      });
      expect(await get(it.runs, "r1")).toMatchObject({
        state: "succeeded",
        values: { topic: "tea", text: 2 },
        finishedAt: it.clock.now(),
        activeMs: 20,
        worker: null,
      });
      expect((await eventsAfter(it.runs, "r1", 4)).at(-1)).toEqual({
        type: "run.succeeded",
        outputs: { answer: 2 },
      });
      expect(await it.queue.nextDueAt()).toBeUndefined();
    });

    test("failed ends the run: what runs or waits is cancelled", async () => {
      await using it = await setup();
      const mine = await startRun(it, newRun(await saveWorkflow(it.workflows), "r1"));
      const steps = [start("a"), start("b"), wait(APPROVAL, "b"), start("c"), fail("c")];
      await write(it, mine, { steps, turn: FAILED });
      expect(await get(it.runs, "r1")).toMatchObject({ state: "failed", error: FAILURE });
      const stopped = { state: "cancelled", wait: null, endedSeq: 8, finishedAt: it.clock.now() };
      expect(await stepsOf(it.runs, "r1")).toMatchObject({
        "a/1": stopped,
        "b/1": stopped,
        "c/1": { state: "failed" },
      });
      expect((await eventsAfter(it.runs, "r1", 7)).at(-1)).toEqual({
        type: "run.failed",
        error: FAILURE,
      });
    });

    test("waiting gives the claim back until its time", async () => {
      await using it = await setup();
      const mine = await startRun(it, newRun(await saveWorkflow(it.workflows), "r1"));
      it.clock.advance(30);
      const dueAt = it.clock.now() + 50_000;
      await write(it, mine, { turn: waiting({ for: "rate_limit", dueAt }) });
      expect(await get(it.runs, "r1")).toMatchObject({
        state: "waiting",
        waitingFor: "rate_limit",
        dueAt,
        worker: null,
        activeMs: 30,
        error: null,
      });
      expect(await eventsAfter(it.runs, "r1", 2)).toEqual([
        { type: "run.waiting", for: "rate_limit", untilMs: dueAt },
      ]);
      expect(await codeOf(write(it, mine, {}))).toBe("lease_lost");
    });

    test("waiting is due at once when something came that the worker had not seen", async () => {
      await using it = await setup();
      const mine = await startRun(it, newRun(await saveWorkflow(it.workflows), "r1"));
      await it.runs.signal("r1", { name: "go", payload: null, by: null });
      await write(it, mine, { turn: waiting({ for: "signal", seenWakeCount: 0 }) });
      const now = it.clock.now();
      expect(await get(it.runs, "r1")).toMatchObject({ state: "waiting", dueAt: now });
      const again = await claim(it.queue, "w", "r1");
      await write(it, again, { turn: waiting({ for: "signal", seenWakeCount: 1 }) });
      expect(await get(it.runs, "r1")).toMatchObject({ state: "waiting", dueAt: null });
    });

    test("waiting ends a run that is to be cancelled", async () => {
      await using it = await setup();
      const mine = await startRun(it, newRun(await saveWorkflow(it.workflows), "r1"));
      await write(it, mine, { steps: [start(), wait(APPROVAL)] });
      await it.runs.requestCancel("r1");
      await write(it, mine, { turn: waiting({ for: "approval" }) });
      expect(await get(it.runs, "r1")).toMatchObject({ state: "cancelled" });
      expect((await it.runs.journal("r1")).steps).toMatchObject([{ state: "cancelled" }]);
    });

    test("the end of a run counts the calls that it breaks off, for their attempts and the run", async () => {
      await using it = await setup();
      const workflow = await saveWorkflow(it.workflows);
      const brokenCalls = [
        { key: "a", attempt: 1, count: 1 },
        { key: "b", attempt: 1, count: 2 },
      ];
      const ends = {
        written: (mine: Claim) => write(it, mine, { turn: FAILED, brokenCalls }),
        failed: (mine: Claim) => it.runs.failRun(mine, FAILURE, brokenCalls),
        cancelled: (mine: Claim) => it.runs.cancelRun(mine, brokenCalls),
      };
      for (const [id, end] of Object.entries(ends)) {
        const mine = await startRun(it, newRun(workflow, id));
        await write(it, mine, { steps: [start("a"), start("b")] });
        await end(mine);
        expect(await get(it.runs, id)).toMatchObject({ unpricedCount: 3, costNanoUsd: 0 });
        const { steps } = await it.runs.journal(id);
        expect(steps).toMatchObject([{ unpricedCount: 1 }, { unpricedCount: 2 }]);
      }
    });

    test("failRun() fails the run and stops its attempts", async () => {
      await using it = await setup();
      const mine = await startRun(it, newRun(await saveWorkflow(it.workflows), "r1"));
      await write(it, mine, { steps: [start(), start("b"), wait(APPROVAL, "b")] });
      await it.runs.failRun(mine, FAILURE);
      expect(await get(it.runs, "r1")).toMatchObject({ state: "failed", error: FAILURE });
      const { steps } = await it.runs.journal("r1");
      expect(steps).toMatchObject([{ state: "cancelled" }, { state: "cancelled", wait: null }]);
    });
  });
}

function testCalls(name: string, { setup }: Implementation): void {
  describe(`${name}: recordCall()`, () => {
    test("adds to attempt and run, once for each ordinal", async () => {
      await using it = await setup();
      const mine = await startRun(it, newRun(await saveWorkflow(it.workflows), "r1"));
      await write(it, mine, { steps: [start()] });
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

    test("refuses a call of an attempt that does not run", async () => {
      await using it = await setup();
      const mine = await startRun(it, newRun(await saveWorkflow(it.workflows), "r1"));
      expect(await codeOf(it.runs.recordCall(mine, call(0), []))).toBe("not_found");
      await write(it, mine, { steps: [start(), fail("read", { retryAt: 1 })] });
      expect(await codeOf(it.runs.recordCall(mine, call(0), []))).toBe("conflict");
      expect((await it.runs.journal("r1")).calls).toEqual([]);
    });
  });
}

function testWhole(name: string, { setup }: Implementation): void {
  describe(`${name}: write() as a whole`, () => {
    test("writes the given events before those of its changes and its turn", async () => {
      await using it = await setup();
      const mine = await startRun(it, newRun(await saveWorkflow(it.workflows), "r1"));
      await write(it, mine, { steps: [start()] });
      const exhausted = {
        type: "loop.exhausted",
        step: "read",
        attempt: 1,
        iterationCount: 3,
      } as const;
      const change = { events: [exhausted], steps: [succeed(), skip("b")], turn: SUCCEEDED };
      await write(it, mine, change);
      expect((await types(it.runs, "r1")).slice(3)).toEqual([
        "loop.exhausted",
        "step.succeeded",
        "step.skipped",
        "run.succeeded",
      ]);
    });

    test("keeps nothing of a change when a part of it is refused", async () => {
      await using it = await setup();
      const mine = await startRun(it, newRun(await saveWorkflow(it.workflows), "r1"));
      await write(it, mine, { steps: [start()] });
      const before = await pictureOf(it.runs, "r1");
      const steps = [succeed("read", { patch: { a: 1 } }), start("b"), succeed("none")];
      expect(await codeOf(write(it, mine, { steps, events: [delta("x")] }))).toBe("not_found");
      expect(await pictureOf(it.runs, "r1")).toEqual(before);
    });

    test("repeated after an unknown outcome changes nothing", async () => {
      await using it = await setup();
      const mine = await startRun(it, newRun(await saveWorkflow(it.workflows), "r1"));
      const { seq } = await it.runs.signal("r1", { name: "go", payload: 1, by: null });
      await write(it, mine, { steps: [start("a"), start("b"), start("c")] });
      const change = {
        events: [delta("x")],
        steps: [
          succeed("a", {
            patch: { n: 1 },
            consumes: seq,
            childTotals: { ...NO_TOTALS, costNanoUsd: 5 },
          }),
          fail("b", { next: ["d"], patch: { n: 2 }, brokenCallCount: 1 }),
          wait(APPROVAL, "c"),
          skip("e", ["END"]),
          start("d"),
        ],
        merges: { n: "sum" as const },
      };
      const begun = await write(it, mine, change);
      const before = await pictureOf(it.runs, "r1");
      expect(await write(it, mine, change)).toEqual(begun);
      expect(await pictureOf(it.runs, "r1")).toEqual(before);
      expect(await get(it.runs, "r1")).toMatchObject({
        values: { n: 3 },
        costNanoUsd: 5,
        unpricedCount: 1,
      });
    });

    test("with a turn, repeated, has given the claim back", async () => {
      await using it = await setup();
      const workflow = await saveWorkflow(it.workflows);
      for (const [index, turn] of [SUCCEEDED, FAILED, waiting()].entries()) {
        const id = `r${index}`;
        const mine = await startRun(it, newRun(workflow, id));
        await write(it, mine, { steps: [start(), succeed()], turn });
        const before = await pictureOf(it.runs, id);
        expect(await codeOf(write(it, mine, { steps: [succeed()], turn }))).toBe("lease_lost");
        expect(await pictureOf(it.runs, id)).toEqual(before);
      }
    });

    test("journal() is ordered by when attempts began", async () => {
      await using it = await setup();
      const mine = await startRun(it, newRun(await saveWorkflow(it.workflows), "r1"));
      for (const key of ["z", "a#2", "m"]) await write(it, mine, { steps: [start(key)] });
      const { steps } = await it.runs.journal("r1");
      expect(steps.map((step) => step.key)).toEqual(["z", "a#2", "m"]);
      expect(await it.runs.journal("none")).toEqual({ steps: [], calls: [], signals: [] });
    });
  });

  describe(`${name}: the fence`, () => {
    test("refuses every write under an old epoch, another worker or after the end", async () => {
      await using it = await setup();
      const old = await startRun(it, newRun(await saveWorkflow(it.workflows), "r1"), "w1");
      await write(it, old, { steps: [start()] });
      it.clock.advance(LEASE_MS);
      const mine = await claim(it.queue, "w1", "r1");
      const before = await pictureOf(it.runs, "r1");
      for (const late of [old, { ...mine, worker: "w2" }, { ...mine, runId: "none" }]) {
        const writes = [
          write(it, late, {}),
          write(it, late, { steps: [start("b")] }),
          write(it, late, { steps: [succeed()], turn: SUCCEEDED }),
          write(it, late, { steps: [fail()], turn: FAILED }),
          write(it, late, { steps: [wait(APPROVAL)], turn: waiting() }),
          write(it, late, { steps: [skip("s")], events: [delta("x")] }),
          it.runs.recordCall(late, call(0), [delta("x")]),
          it.runs.appendEvents(late, [delta("x")]),
          it.runs.appendEvents(late, []),
          it.runs.failRun(late, FAILURE),
          it.runs.cancelRun(late),
        ];
        expect(new Set(await Promise.all(writes.map(codeOf)))).toEqual(new Set(["lease_lost"]));
      }
      expect(await pictureOf(it.runs, "r1")).toEqual(before);
      await it.runs.cancelRun(mine);
      expect(await codeOf(it.runs.appendEvents(mine, []))).toBe("lease_lost");
    });
  });
}
