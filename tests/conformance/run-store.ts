/**
 * What every implementation of RunStore keeps, whatever lies beneath: runs here, the journal in
 * journal.ts, what comes from outside in signal.ts. An implementation's test calls `testRunStore` with a
 * way to make an empty one on a manual clock.
 */
import { describe, expect, test } from "bun:test";
import {
  type ForkedStep,
  LEASE_MS,
  RUN_DEPTH_MAX,
  type RunFilter,
  type RunStore,
} from "../../src/domain/run.ts";
import { firstIdAt } from "../../src/lib/id.ts";
import { codeOf } from "../store/support/error-code.ts";
import { claim, newRun, saveWorkflow, startRun } from "../store/support/seed.ts";
import { testJournal } from "./journal.ts";
import { testSignals } from "./signal.ts";
import {
  APPROVAL,
  FAILED,
  FAILURE,
  type Implementation,
  NO_TOTALS,
  NO_USAGE,
  SUCCEEDED,
  type StoreUnderTest,
  call,
  delta,
  eventsAfter,
  fail,
  get,
  start,
  stepsOf,
  succeed,
  types,
  wait,
  waiting,
  write,
} from "./support.ts";

export function testRunStore(name: string, implementation: Implementation): void {
  testRuns(name, implementation);
  testInside(name, implementation);
  testForks(name, implementation);
  testJournal(name, implementation);
  testSignals(name, implementation);
}

function testRuns(name: string, { setup }: Implementation): void {
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
        origin: null,
        depth: 0,
        rootId: "r1",
        wakeCount: 0,
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

    test("page() finds words of inputs, times and costs, and goes both ways", async () => {
      await using it = await setup();
      const tea = await saveWorkflow(it.workflows, "Tea article");
      const at = 1_790_000_000_000;
      const ids = [0, 1, 2, 3].map((hour) => firstIdAt(at + hour * 3_600_000));
      const topics = ["Café crème", "green tea", "GREEN beans", { deep: ["greenhouse", 7] }];
      for (const [index, id] of ids.entries()) {
        await it.runs.create(newRun(tea, id, { inputs: { topic: topics[index] ?? null } }), {});
      }
      const found = async (filter: Partial<RunFilter>) => {
        const page = await it.runs.page({ limit: 10, ...filter });
        expect(page.isPartial).toBe(false);
        return page.runs.map((run) => ids.indexOf(run.id));
      };
      expect(await found({ search: "green" })).toEqual([3, 2, 1]);
      expect(await found({ search: "green be" })).toEqual([2]);
      expect(await found({ search: "greenh 7" })).toEqual([3]);
      expect(await found({ search: "beans article" })).toEqual([2]);
      expect(await found({ search: "green", after: ids[1] ?? "" })).toEqual([3, 2]);
      expect(await found({ search: "green", before: ids[2] ?? "" })).toEqual([1]);
      expect(await found({ sinceMs: at + 3_600_000, untilMs: at + 3 * 3_600_000 })).toEqual([2, 1]);
      expect(await found({ after: ids[0] ?? "", limit: 2 })).toEqual([2, 1]);
      expect(await found({ order: "dearest" })).toEqual([]);
      for (const [index, id] of ids.entries()) {
        const mine = await claim(it.queue, "w", id);
        await write(it, mine, { steps: [start()] });
        for (let ordinal = 0; ordinal < index; ordinal += 1)
          await it.runs.recordCall(mine, call(ordinal), []);
        await write(it, mine, { steps: [succeed()], turn: SUCCEEDED });
      }
      expect(await found({ order: "dearest" })).toEqual([3, 2, 1, 0]);
      const { costNanoUsd } = await get(it.runs, ids[2] ?? "");
      expect(await found({ minCostNanoUsd: costNanoUsd })).toEqual([3, 2]);
      const first = await it.runs.page({ order: "dearest", limit: 2 });
      expect(await found({ order: "dearest", before: first.next ?? "" })).toEqual([1, 0]);
      expect(await found({ order: "dearest", search: "green", limit: 1 })).toEqual([3]);
    });

    test("remove() takes a run that has ended, with those inside of it", async () => {
      await using it = await setup();
      const workflow = await saveWorkflow(it.workflows);
      const mine = await startRun(it, newRun(workflow, "r1"));
      await write(it, mine, { steps: [start()] });
      const origin = { kind: "child", runId: "r1", step: "a" } as const;
      await it.runs.create(newRun(workflow, "c1", { origin }), {});
      expect(await codeOf(it.runs.remove("r1"))).toBe("conflict");
      await it.runs.requestCancel("c1");
      expect(await codeOf(it.runs.remove("c1"))).toBe("conflict");
      await write(it, mine, { steps: [succeed()], turn: SUCCEEDED });
      await it.runs.remove("r1");
      expect(await it.runs.get("r1")).toBeUndefined();
      expect(await it.runs.get("c1")).toBeUndefined();
      expect(await it.runs.events("r1", 0, 10)).toEqual([]);
      expect(await it.runs.journal("r1")).toEqual({ steps: [], calls: [], signals: [] });
      expect(await it.runs.list({ limit: 5, search: "tea" })).toEqual([]);
      expect(await it.runs.counts()).toMatchObject({ succeeded: 0, cancelled: 0 });
      expect(await codeOf(it.runs.remove("r1"))).toBe("not_found");
    });

    test("removeEnded() takes the oldest that have ended, and says how many", async () => {
      await using it = await setup();
      const workflow = await saveWorkflow(it.workflows);
      const ids: string[] = [];
      for (let index = 0; index < 4; index += 1) {
        it.clock.advance(1_000);
        ids.push(firstIdAt(it.clock.now()));
        await it.runs.create(newRun(workflow, ids[index] ?? ""), {});
      }
      for (const id of ids.slice(1)) await it.runs.requestCancel(id);
      it.clock.advance(1);
      const untilMs = it.clock.now();
      expect(await it.runs.removeEnded({ untilMs: untilMs - 10_000 }, 10)).toBe(0);
      expect(await it.runs.removeEnded({ untilMs }, 2)).toBe(2);
      expect(await it.runs.removeEnded({ untilMs }, 2)).toBe(1);
      expect((await it.runs.list({ limit: 5 })).map((run) => run.id)).toEqual(ids.slice(0, 1));
    });

    test("findEndedBeyond() counts the newest outermost ones that have ended; removeEnded() goes up to there", async () => {
      await using it = await setup();
      const workflow = await saveWorkflow(it.workflows);
      await it.runs.create(newRun(workflow, "r1"), {});
      const origin = { kind: "child", runId: "r1", step: "call" } as const;
      await it.runs.create({ ...newRun(workflow, "c1"), origin }, {});
      await it.runs.requestCancel("c1");
      for (const id of ["s1", "s2", "s3", "s4"]) await it.runs.create(newRun(workflow, id), {});
      for (const id of ["s1", "s2", "s4"]) await it.runs.requestCancel(id);
      expect(await it.runs.findEndedBeyond(3)).toBeUndefined();
      expect(await it.runs.findEndedBeyond(0)).toBe("s4");
      const beyond = await it.runs.findEndedBeyond(1);
      expect(beyond).toBe("s2");
      expect(await it.runs.removeEnded({ upToId: beyond ?? "" }, 10)).toBe(2);
      const left = (await it.runs.list({ limit: 9 })).map((run) => run.id);
      expect(left).toEqual(["s4", "s3", "r1", "c1"]);
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
        if (index === 0) await write(it, mine, { turn: SUCCEEDED });
        else if (index === 1) await write(it, mine, { turn: waiting() });
        else await write(it, mine, { steps: [start(), fail()], turn: FAILED });
      }
      expect(await it.runs.counts()).toEqual({
        queued: 1,
        running: 0,
        waiting: 1,
        succeeded: 1,
        failed: 1,
        cancelled: 1,
      });
      await it.runs.resume(held[2]?.runId ?? "", { by: null });
      expect(await it.runs.counts()).toMatchObject({ queued: 2, failed: 0 });
    });

    test("stats() sums what happened, minute by minute, in whole-minute buckets", async () => {
      await using it = await setup();
      const workflow = await saveWorkflow(it.workflows);
      const minute = 60_000;
      const from = Math.ceil(it.clock.now() / minute) * minute;
      it.clock.set(from);
      const good = await startRun(it, newRun(workflow, "r1"));
      await write(it, good, { steps: [start()] });
      await it.runs.recordCall(good, call(0), []);
      it.clock.set(from + 2 * minute - 1);
      await write(it, good, { steps: [succeed()], turn: SUCCEEDED });
      it.clock.set(from + 2 * minute);
      await it.runs.failRun(await startRun(it, newRun(workflow, "r2")), FAILURE);
      const stats = await it.runs.stats({
        sinceMs: from,
        untilMs: from + 4 * minute,
        bucketCount: 4,
      });
      const none = { created: 0, succeeded: 0, failed: 0, costNanoUsd: 0, tokens: 0 };
      expect(stats).toEqual({
        sinceMs: from,
        bucketMs: minute,
        buckets: [
          { ...none, created: 1, costNanoUsd: 700, tokens: 15 },
          { ...none, succeeded: 1 },
          { ...none, created: 1, failed: 1 },
          none,
        ],
      });
      // A range of odd width is widened backwards to whole minutes.
      const odd = { sinceMs: from + 1, untilMs: from + 3 * minute, bucketCount: 2 };
      expect(await it.runs.stats(odd)).toEqual({
        sinceMs: from - minute,
        bucketMs: 2 * minute,
        buckets: [
          { ...none, created: 1, costNanoUsd: 700, tokens: 15 },
          { ...none, created: 1, succeeded: 1, failed: 1 },
        ],
      });
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
      const steps = [start(), wait(APPROVAL), start("b"), fail("b", { retryAt: 5 })];
      await write(it, mine, { steps, turn: waiting({ for: "approval", dueAt: 9 }) });
      const run = await it.runs.requestCancel("r1");
      expect(run).toMatchObject({ state: "cancelled", waitingFor: null, dueAt: null });
      expect(await stepsOf(it.runs, "r1")).toMatchObject({
        "read/1": { state: "cancelled", wait: null, finishedAt: it.clock.now() },
        "b/1": { state: "failed", retryAt: 5 },
      });
      expect(await it.queue.nextDueAt()).toBeUndefined();
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
      await write(it, mine, { steps: [start()] });
      await it.runs.cancelRun(mine);
      expect(await get(it.runs, "r1")).toMatchObject({ state: "cancelled", worker: null });
      expect((await it.runs.journal("r1")).steps).toMatchObject([
        // It ended with the run: at the last event.
        { state: "cancelled", finishedAt: it.clock.now(), startedSeq: 4, endedSeq: 5 },
      ]);
    });

    test("ends a running run at once when its lease has passed", async () => {
      await using it = await setup();
      const mine = await startRun(it, newRun(await saveWorkflow(it.workflows), "r1"));
      await write(it, mine, { steps: [start()] });
      it.clock.advance(LEASE_MS);
      expect(await it.runs.requestCancel("r1")).toMatchObject({ state: "cancelled" });
      expect((await it.runs.journal("r1")).steps).toMatchObject([{ state: "cancelled" }]);
      expect(await codeOf(write(it, mine, { steps: [succeed()] }))).toBe("lease_lost");
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
      const output = { step: "read", attempt: 1, call: 0, stream: "stdout", text: "b" } as const;
      await it.runs.appendEvents(mine, [delta("a"), { type: "output.delta", ...output }]);
      it.clock.advance(1);
      await it.runs.create(newRun(workflow, "r2"), {});
      it.clock.advance(1);
      await it.runs.failRun(mine, FAILURE);
      const recent = await it.runs.recentEvents(3);
      expect(recent.map(({ runId, seq, event }) => [runId, seq, event.type])).toEqual([
        ["r1", 2, "run.started"],
        ["r2", 1, "run.queued"],
        ["r1", 5, "run.failed"],
      ]);
    });
  });
}

/** Creates a run as a step of another does. */
async function child(it: StoreUnderTest, id: string, runId: string): Promise<void> {
  const workflow = await saveWorkflow(it.workflows);
  const origin = { kind: "child", runId, step: "read" } as const;
  await it.runs.create(newRun(workflow, id, { origin, source: "workflow" }), {});
}

function testInside(name: string, { setup }: Implementation): void {
  describe(`${name}: runs inside of runs`, () => {
    test("create() puts a child one level below its parent", async () => {
      await using it = await setup();
      await startRun(it, newRun(await saveWorkflow(it.workflows), "root"));
      await child(it, "c", "root");
      await child(it, "g", "c");
      expect(await get(it.runs, "c")).toMatchObject({
        origin: { kind: "child", runId: "root", step: "read" },
        source: "workflow",
        depth: 1,
        rootId: "root",
      });
      expect(await get(it.runs, "g")).toMatchObject({ depth: 2, rootId: "root" });
      expect(await types(it.runs, "c")).toEqual(["run.queued"]);
    });

    test("create() refuses a child of no run, of one that is over, and too deep a one", async () => {
      await using it = await setup();
      const workflow = await saveWorkflow(it.workflows);
      expect(await codeOf(child(it, "c", "none"))).toBe("not_found");
      const marked = await startRun(it, newRun(workflow, "marked"));
      await child(it, "known", "marked");
      await it.runs.requestCancel("marked");
      expect(await codeOf(child(it, "c", "marked"))).toBe("conflict");
      await it.runs.cancelRun(marked);
      expect(await codeOf(child(it, "c", "marked"))).toBe("conflict");
      // What is there is there.
      expect(await codeOf(child(it, "known", "marked"))).toBe("fulfilled");
      await it.runs.create(newRun(workflow, "d0"), {});
      for (let depth = 1; depth <= RUN_DEPTH_MAX; depth += 1) {
        await child(it, `d${depth}`, `d${depth - 1}`);
      }
      expect(await codeOf(child(it, "deep", `d${RUN_DEPTH_MAX}`))).toBe("limit_reached");
      expect(await it.runs.get("deep")).toBeUndefined();
    });

    test("the end of a child wakes its parent: a waiting one is due at once", async () => {
      await using it = await setup();
      const workflow = await saveWorkflow(it.workflows);
      const mine = await startRun(it, newRun(workflow, "root"));
      for (const id of ["c1", "c2", "c3"]) await child(it, id, "root");
      const first = await claim(it.queue, "w", "c1");
      await write(it, first, { turn: SUCCEEDED });
      expect(await get(it.runs, "root")).toMatchObject({ state: "running", wakeCount: 1 });
      const turn = waiting({ for: "run", seenWakeCount: 1, dueAt: it.clock.now() + 60_000 });
      await write(it, mine, { turn });
      it.clock.advance(10);
      await it.runs.requestCancel("c2");
      const now = it.clock.now();
      expect(await get(it.runs, "root")).toMatchObject({
        state: "waiting",
        wakeCount: 2,
        dueAt: now,
      });
      it.clock.advance(10);
      await it.runs.failRun(await claim(it.queue, "w", "c3"), FAILURE);
      // It has been due since then.
      expect(await get(it.runs, "root")).toMatchObject({ wakeCount: 3, dueAt: now });
    });

    test("the end of a rerun or fork wakes nobody", async () => {
      await using it = await setup();
      const workflow = await saveWorkflow(it.workflows);
      await it.runs.create(newRun(workflow, "r1"), {});
      const origin = { kind: "rerun", runId: "r1" } as const;
      await it.runs.create(newRun(workflow, "r2", { origin }), {});
      expect(await get(it.runs, "r2")).toMatchObject({ origin, depth: 0, rootId: "r2" });
      await it.runs.requestCancel("r2");
      expect(await get(it.runs, "r1")).toMatchObject({ wakeCount: 0 });
      await it.runs.requestCancel("r1");
      expect(await types(it.runs, "r1")).toEqual(["run.queued", "run.cancelled"]);
    });

    test("requestCancel() reaches all runs inside: held ones are marked, others end at once", async () => {
      await using it = await setup();
      await startRun(it, newRun(await saveWorkflow(it.workflows), "root"));
      await child(it, "held", "root");
      const held = await claim(it.queue, "w", "held");
      await child(it, "queued", "root");
      await child(it, "waits", "held");
      await write(it, await claim(it.queue, "w", "waits"), { turn: waiting({ for: "signal" }) });
      await child(it, "below", "waits");
      await it.runs.requestCancel("root");
      const states = async () =>
        await Promise.all(
          ["root", "held", "queued", "waits", "below"].map(async (id) => {
            const run = await get(it.runs, id);
            return `${id} ${run.state} ${run.cancelRequestedAt !== null}`;
          }),
        );
      expect(await states()).toEqual([
        "root running true",
        "held running true",
        "queued cancelled true",
        "waits cancelled true",
        "below cancelled true",
      ]);
      expect(await it.queue.touch([held])).toEqual(["cancelled"]);
      expect((await types(it.runs, "held")).at(-1)).toBe("run.cancelling");
    });

    test("a run that fails or is cancelled takes its children with it, not what was made from it", async () => {
      await using it = await setup();
      const workflow = await saveWorkflow(it.workflows);
      const failed = await startRun(it, newRun(workflow, "failed"));
      const ended = await startRun(it, newRun(workflow, "ended"));
      await child(it, "c1", "failed");
      await child(it, "c2", "ended");
      const origin = { kind: "rerun", runId: "failed" } as const;
      await it.runs.create(newRun(workflow, "again", { origin }), {});
      await write(it, failed, { turn: FAILED });
      await it.runs.cancelRun(ended);
      expect([
        (await get(it.runs, "c1")).state,
        (await get(it.runs, "c2")).state,
        (await get(it.runs, "again")).state,
      ]).toEqual(["cancelled", "cancelled", "queued"]);
      expect(await it.runs.counts()).toMatchObject({ queued: 1, failed: 1, cancelled: 3 });
    });

    test("treeSpending() counts the calls of all runs of a tree at once, and each of them once", async () => {
      await using it = await setup();
      const workflow = await saveWorkflow(it.workflows);
      const root = await startRun(it, newRun(workflow, "root"));
      await child(it, "inner", "root");
      const inner = await claim(it.queue, "w", "inner");
      for (const mine of [root, inner]) {
        await write(it, mine, { steps: [start("read")] });
        await it.runs.recordCall(mine, call(0), []);
      }
      const calls = { costNanoUsd: 1_400, tokenCount: 30 };
      expect(await it.runs.treeSpending("root")).toEqual(calls);
      // What the child has cost is added to the step that waited for it, not spent again.
      await write(it, inner, { turn: FAILED });
      const { usage, costNanoUsd, unpricedCount } = await get(it.runs, "inner");
      const childTotals = { usage, costNanoUsd, unpricedCount };
      await write(it, root, { steps: [succeed("read", { childTotals })] });
      expect((await get(it.runs, "root")).costNanoUsd).toBe(1_400);
      expect(await it.runs.treeSpending("root")).toEqual(calls);
      expect(await codeOf(it.runs.treeSpending("nobody"))).toBe("not_found");
    });

    test("descendants() gives what came directly from a run, oldest first", async () => {
      await using it = await setup();
      const workflow = await saveWorkflow(it.workflows);
      await it.runs.create(newRun(workflow, "a"), {});
      await child(it, "c", "a");
      await child(it, "g", "c");
      const origin = { kind: "rerun", runId: "a" } as const;
      await it.runs.create(newRun(workflow, "b", { origin }), {});
      const ids = async (id: string, limit: number) =>
        (await it.runs.descendants(id, limit)).map((run) => run.id);
      expect(await ids("a", 10)).toEqual(["b", "c"]);
      expect(await ids("a", 1)).toEqual(["b"]);
      expect(await ids("c", 10)).toEqual(["g"]);
      expect(await ids("g", 10)).toEqual([]);
      expect((await it.runs.descendants("c", 1))[0]).toEqual(await get(it.runs, "g"));
    });
  });
}

const FORKED: Omit<ForkedStep, "key" | "nodeId" | "startedSeq" | "endedSeq"> = {
  state: "succeeded",
  input: { n: 1 },
  patch: {},
  error: null,
  next: [],
};

function testForks(name: string, { setup }: Implementation): void {
  describe(`${name}: create() of a fork`, () => {
    const steps: readonly ForkedStep[] = [
      {
        ...FORKED,
        key: "a",
        nodeId: "a",
        patch: { x: 1 },
        next: ["b"],
        startedSeq: 3,
        endedSeq: 9,
      },
      // Began before `a` had ended, so it has not consumed its token.
      { ...FORKED, key: "c", nodeId: "c", next: ["d"], startedSeq: 5, endedSeq: 12 },
      {
        ...FORKED,
        key: "b",
        nodeId: "b",
        state: "failed",
        error: FAILURE,
        patch: { why: "late" },
        next: ["END"],
        startedSeq: 10,
        endedSeq: 11,
      },
      {
        ...FORKED,
        key: "d",
        nodeId: "d",
        state: "skipped",
        patch: null,
        next: ["END"],
        startedSeq: 13,
        endedSeq: 13,
      },
      { ...FORKED, key: "m[0]", nodeId: "m", startedSeq: 14, endedSeq: 15 },
    ];
    const origin = { kind: "fork", runId: "old", step: "e" } as const;

    test("begins with finished steps that cost nothing, in their order", async () => {
      await using it = await setup();
      const workflow = await saveWorkflow(it.workflows);
      await it.runs.create(newRun(workflow, "r1", { origin, steps }), { x: 1 });
      expect(await get(it.runs, "r1")).toMatchObject({
        state: "queued",
        origin,
        depth: 0,
        rootId: "r1",
        values: { x: 1 },
        doneNodeIds: ["a", "c"],
        costNanoUsd: 0,
      });
      expect(await eventsAfter(it.runs, "r1", 0)).toEqual([
        { type: "run.queued" },
        { type: "run.forked", from: "old", fromStep: "e" },
        { type: "step.started", node: "a", step: "a", attempt: 1 },
        { type: "step.started", node: "c", step: "c", attempt: 1 },
        { type: "step.succeeded", step: "a", attempt: 1, patch: { x: 1 }, next: ["b"] },
        { type: "step.started", node: "b", step: "b", attempt: 1 },
        { type: "step.failed", step: "b", attempt: 1, error: FAILURE, next: ["END"] },
        { type: "step.succeeded", step: "c", attempt: 1, patch: {}, next: ["d"] },
        { type: "step.skipped", step: "d", node: "d" },
        { type: "step.started", node: "m", step: "m[0]", attempt: 1 },
        { type: "step.succeeded", step: "m[0]", attempt: 1, patch: {}, next: [] },
      ]);
      const set = { x: 7 };
      await it.runs.create(newRun(workflow, "r2", { origin, steps, set }), { x: 7 });
      // The last event of what it took over has the position that the values are set at.
      expect(await eventsAfter(it.runs, "r2", 0)).toMatchObject([
        { type: "run.queued" },
        { type: "run.forked", set: { values: set, afterSeq: 11 } },
        ...Array.from({ length: 9 }, () => ({})),
      ]);
      const now = it.clock.now();
      const stored = await it.runs.journal("r1");
      expect(stored.steps.map((step) => [step.key, step.startedSeq, step.endedSeq])).toEqual([
        ["a", 3, 5],
        ["c", 4, 8],
        ["b", 6, 7],
        ["d", 9, 9],
        ["m[0]", 10, 11],
      ]);
      for (const step of stored.steps) {
        const given = steps.find((entry) => entry.key === step.key);
        expect(step).toEqual({
          ...step,
          ...given,
          attempt: 1,
          retryAt: null,
          wait: null,
          recoveryCount: 0,
          startedAt: now,
          finishedAt: now,
          startedSeq: step.startedSeq,
          endedSeq: step.endedSeq,
          ...NO_TOTALS,
        });
      }
    });

    test("goes on like any run", async () => {
      await using it = await setup();
      const workflow = await saveWorkflow(it.workflows);
      await it.runs.create(newRun(workflow, "r1", { origin, steps }), { x: 1 });
      const mine = await claim(it.queue, "w", "r1");
      await write(it, mine, { steps: [start("e"), succeed("e", { patch: { y: 2 } })] });
      expect(await get(it.runs, "r1")).toMatchObject({
        values: { x: 1, y: 2 },
        doneNodeIds: ["a", "c", "e"],
      });
      expect((await it.runs.events("r1", 0, 100)).map((stored) => stored.seq)).toEqual(
        Array.from({ length: 14 }, (_, index) => index + 1),
      );
    });
  });
}
