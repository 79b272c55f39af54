/** What comes to a run from outside: signals, decisions, and people who let it go on. */
import { describe, expect, test } from "bun:test";
import { type RunTurn, type Wait, approvalSignal } from "../../src/domain/run.ts";
import { SIGNAL_BYTES_MAX } from "../../src/domain/signal-limit.ts";
import { codeOf } from "../store/support/error-code.ts";
import { claim, newRun, saveWorkflow, startRun } from "../store/support/seed.ts";
import {
  APPROVAL,
  FAILED,
  type Implementation,
  SUCCEEDED,
  type StoreUnderTest,
  call,
  eventsAfter,
  fail,
  get,
  messageOf,
  pictureOf,
  start,
  stepsOf,
  succeed,
  types,
  wait,
  waiting,
  write,
} from "./support.ts";

export function testSignals(name: string, implementation: Implementation): void {
  testSignal(name, implementation);
  testDecide(name, implementation);
  testResume(name, implementation);
}

const GO = { name: "go", payload: { n: 1 }, by: "ann" } as const;
const YES = { approved: true, comment: null, by: "ann" } as const;
const NO = { approved: false, comment: "too long", by: null } as const;

/** A run whose step `read` waits for an approval. */
async function ask(it: StoreUnderTest, id: string, key = "read"): Promise<void> {
  const mine = await startRun(it, newRun(await saveWorkflow(it.workflows), id));
  const steps = [start(key), wait(APPROVAL, key)];
  await write(it, mine, { steps, turn: waiting({ for: "approval" }) });
}

function testSignal(name: string, { setup }: Implementation): void {
  describe(`${name}: signal()`, () => {
    test("keeps what came, in order, and wakes the run", async () => {
      await using it = await setup();
      await it.runs.create(newRun(await saveWorkflow(it.workflows), "r1"), {});
      const first = await it.runs.signal("r1", GO);
      it.clock.advance(5);
      const second = await it.runs.signal("r1", { name: "go", payload: [null], by: null });
      const at = it.clock.now();
      expect([first, second]).toEqual([
        { seq: 1, ...GO, at: at - 5, consumedBy: null },
        { seq: 2, name: "go", payload: [null], by: null, at, consumedBy: null },
      ]);
      expect((await it.runs.journal("r1")).signals).toEqual([first, second]);
      expect(await get(it.runs, "r1")).toMatchObject({ state: "queued", wakeCount: 2 });
      expect(await eventsAfter(it.runs, "r1", 1)).toEqual([
        { type: "signal.received", name: "go", by: "ann" },
        { type: "signal.received", name: "go", by: null },
      ]);
    });

    test("makes a waiting run due at once, and a running one no sooner lost", async () => {
      await using it = await setup();
      const mine = await startRun(it, newRun(await saveWorkflow(it.workflows), "r1"));
      await it.runs.signal("r1", GO);
      expect(await it.queue.touch([mine])).toEqual(["held"]);
      const dueAt = it.clock.now() + 60_000;
      await write(it, mine, { turn: waiting({ for: "signal", dueAt, seenWakeCount: 1 }) });
      expect(await get(it.runs, "r1")).toMatchObject({ dueAt });
      await it.runs.signal("r1", GO);
      expect(await get(it.runs, "r1")).toMatchObject({ dueAt: it.clock.now(), wakeCount: 2 });
    });

    test("of a run that has ended, or is none, is refused", async () => {
      await using it = await setup();
      const mine = await startRun(it, newRun(await saveWorkflow(it.workflows), "r1"));
      await write(it, mine, { turn: SUCCEEDED });
      expect(await codeOf(it.runs.signal("r1", GO))).toBe("conflict");
      expect(await codeOf(it.runs.signal("none", GO))).toBe("not_found");
      expect((await it.runs.journal("r1")).signals).toEqual([]);
    });

    test("that is too large, or has no name, is refused and wakes nobody; so is a comment", async () => {
      await using it = await setup();
      await ask(it, "r1");
      const before = await pictureOf(it.runs, "r1");
      const long = "x".repeat(SIGNAL_BYTES_MAX);
      expect([
        await codeOf(it.runs.signal("r1", { ...GO, payload: long })),
        await codeOf(it.runs.signal("r1", { ...GO, name: "" })),
        await codeOf(it.runs.decide("r1", "read", { ...YES, comment: long })),
      ]).toEqual(["too_large", "invalid", "too_large"]);
      expect(await pictureOf(it.runs, "r1")).toEqual(before);
    });

    test("is consumed once, with the step that answers to it", async () => {
      await using it = await setup();
      const mine = await startRun(it, newRun(await saveWorkflow(it.workflows), "r1"));
      for (let count = 0; count < 3; count += 1) await it.runs.signal("r1", GO);
      await write(it, mine, { steps: [start("a"), start("b"), start("c")] });
      const steps = [succeed("a", { consumes: 2 }), fail("b", { consumes: 1, next: [] })];
      await write(it, mine, { steps });
      const consumers = async () =>
        (await it.runs.journal("r1")).signals.map((signal) => signal.consumedBy);
      expect(await consumers()).toEqual(["b", "a", null]);
      const before = await pictureOf(it.runs, "r1");
      const again = (seq: number) => write(it, mine, { steps: [succeed("c", { consumes: seq })] });
      expect(await codeOf(again(2))).toBe("conflict");
      expect(await codeOf(again(4))).toBe("conflict");
      expect(await pictureOf(it.runs, "r1")).toEqual(before);
      expect(await codeOf(again(3))).toBe("fulfilled");
    });

    test("sent by many at once are all there, each with a number of its own", async () => {
      await using it = await setup();
      await it.runs.create(newRun(await saveWorkflow(it.workflows), "r1"), {});
      const payloads = Array.from({ length: 30 }, (_, index) => index);
      const sent = await Promise.all(
        payloads.map((payload) => it.runs.signal("r1", { ...GO, payload })),
      );
      const { signals } = await it.runs.journal("r1");
      expect(signals.map((signal) => signal.seq)).toEqual(payloads.map((index) => index + 1));
      expect(signals).toEqual(sent.toSorted((a, b) => a.seq - b.seq));
      expect(await get(it.runs, "r1")).toMatchObject({ wakeCount: 30 });
    });
  });
}

function testDecide(name: string, { setup }: Implementation): void {
  describe(`${name}: decide(), pendingApprovals()`, () => {
    test("pendingApprovals() lists who waits for a person, oldest first", async () => {
      await using it = await setup();
      await ask(it, "r2");
      it.clock.advance(5);
      const untilMs = it.clock.now() + 100;
      const mine = await startRun(it, newRun(await saveWorkflow(it.workflows), "r1"));
      const limited: Wait = { ...APPROVAL, message: "And this?", untilMs };
      await write(it, mine, {
        steps: [start("a"), wait(limited, "a"), start("b"), wait({ for: "budget" }, "b")],
      });
      const now = it.clock.now();
      const rest = { workflowName: "echo" };
      const first = { ...rest, runId: "r2", key: "read", nodeId: "read", askedAt: now - 5 };
      const second = { ...rest, runId: "r1", key: "a", nodeId: "a", askedAt: now };
      const expected = [
        { ...first, message: "Send it?", untilMs: null },
        { ...second, message: "And this?", untilMs },
      ];
      expect(await it.runs.pendingApprovals({ limit: 5 })).toEqual(expected);
      expect(await it.runs.pendingApprovals({ limit: 1 })).toEqual(expected.slice(0, 1));
      expect(await it.runs.pendingApprovals({ runId: "r1", limit: 5 })).toEqual(expected.slice(1));
      expect(await it.runs.pendingApprovals({ runId: "none", limit: 5 })).toEqual([]);
    });

    test("an approval is pending no more once decided, ended, superseded or signalled", async () => {
      await using it = await setup();
      for (const id of ["decided", "ended", "signalled"]) await ask(it, id);
      await it.runs.decide("decided", "read", YES);
      await it.runs.requestCancel("ended");
      const payload = { approved: true, comment: null };
      await it.runs.signal("signalled", { name: approvalSignal("read"), payload, by: null });
      expect(await it.runs.pendingApprovals({ limit: 5 })).toEqual([]);
    });

    test("an approval whose decision came before it was asked for is not pending", async () => {
      await using it = await setup();
      const mine = await startRun(it, newRun(await saveWorkflow(it.workflows), "r1"));
      const payload = { approved: true, comment: null };
      await it.runs.signal("r1", { name: approvalSignal("read"), payload, by: null });
      await write(it, mine, { steps: [start(), wait(APPROVAL)] });
      expect(await it.runs.pendingApprovals({ limit: 5 })).toEqual([]);
      expect(await codeOf(it.runs.decide("r1", "read", NO))).toBe("conflict");
    });

    test("decide() keeps the decision as a signal and wakes the run", async () => {
      await using it = await setup();
      await ask(it, "r1");
      it.clock.advance(7);
      const signal = await it.runs.decide("r1", "read", NO);
      expect(signal).toEqual({
        seq: 1,
        name: "approval:read",
        payload: { approved: false, comment: "too long" },
        at: it.clock.now(),
        by: null,
        consumedBy: null,
      });
      expect((await it.runs.journal("r1")).signals).toEqual([signal]);
      expect(await get(it.runs, "r1")).toMatchObject({
        state: "waiting",
        dueAt: it.clock.now(),
        wakeCount: 1,
      });
      expect((await eventsAfter(it.runs, "r1", 0)).at(-1)).toEqual({
        type: "approval.decided",
        step: "read",
        approved: false,
        comment: "too long",
        by: null,
      });
    });

    test("decide() is won by the first, also after the step has gone on", async () => {
      await using it = await setup();
      await ask(it, "r1");
      const { seq } = await it.runs.decide("r1", "read", YES);
      const late = () => it.runs.decide("r1", "read", NO);
      expect(await codeOf(late())).toBe("conflict");
      expect(await messageOf(late())).toContain("approved by ann");
      const mine = await claim(it.queue, "w", "r1");
      await write(it, mine, { steps: [succeed("read", { consumes: seq })] });
      expect(await messageOf(late())).toContain("approved by ann");
      await write(it, mine, { turn: SUCCEEDED });
      expect(await codeOf(late())).toBe("conflict");
      expect((await it.runs.journal("r1")).signals).toHaveLength(1);
    });

    test("decide() by many at once lets one win", async () => {
      await using it = await setup();
      await ask(it, "r1");
      const codes = await Promise.all(
        Array.from({ length: 12 }, (_, index) =>
          codeOf(it.runs.decide("r1", "read", index % 2 === 0 ? YES : NO)),
        ),
      );
      expect(codes.toSorted()).toEqual([...Array<string>(11).fill("conflict"), "fulfilled"]);
      expect(await it.runs.journal("r1")).toMatchObject({ signals: [{ seq: 1 }] });
      expect(
        (await types(it.runs, "r1")).filter((type) => type === "approval.decided"),
      ).toHaveLength(1);
    });

    test("decide() refuses a step that waits for no approval", async () => {
      await using it = await setup();
      await ask(it, "r1");
      const mine = await claim(it.queue, "w", "r1").catch(() => undefined);
      expect(mine).toBeUndefined();
      expect(await codeOf(it.runs.decide("r1", "other", YES))).toBe("not_found");
      expect(await codeOf(it.runs.decide("none", "read", YES))).toBe("not_found");
      await it.runs.requestCancel("r1");
      expect(await codeOf(it.runs.decide("r1", "read", YES))).toBe("not_found");
      const other = await startRun(it, newRun(await saveWorkflow(it.workflows), "r2"));
      await write(it, other, { steps: [start(), wait({ for: "budget" })] });
      expect(await codeOf(it.runs.decide("r2", "read", YES))).toBe("not_found");
    });

    test("decide() answers each attempt that asks anew", async () => {
      await using it = await setup();
      await ask(it, "r1");
      const { seq } = await it.runs.decide("r1", "read", NO);
      const mine = await claim(it.queue, "w", "r1");
      await write(it, mine, { steps: [fail("read", { consumes: seq })], turn: FAILED });
      await it.runs.resume("r1", { by: null });
      const again = await claim(it.queue, "w", "r1");
      await write(it, again, {
        steps: [start("read", { attempt: 2 }), wait(APPROVAL, "read", 2)],
      });
      expect(await it.runs.pendingApprovals({ limit: 5 })).toMatchObject([{ key: "read" }]);
      expect(await it.runs.decide("r1", "read", YES)).toMatchObject({ seq: 2 });
    });
  });
}

/** A run that has come to this turn with `a` done, `b` failed for good, `c` to be tried again. */
async function stopped(it: StoreUnderTest, id: string, turn: RunTurn): Promise<void> {
  const mine = await startRun(it, newRun(await saveWorkflow(it.workflows), id));
  const retryAt = it.clock.now() + 60_000;
  const steps = [
    start("a"),
    start("b"),
    start("c"),
    start("d"),
    succeed("a", { patch: { x: 1 }, next: ["b"] }),
    fail("b"),
    fail("c", { retryAt }),
  ];
  await write(it, mine, { steps });
  await it.runs.recordCall(mine, call(0, { key: "d" }), []);
  await write(it, mine, { turn });
}

function testResume(name: string, { setup }: Implementation): void {
  describe(`${name}: resume()`, () => {
    test("puts a failed run back into the queue; what ended it is to be tried again", async () => {
      await using it = await setup();
      await stopped(it, "r1", FAILED);
      it.clock.advance(9);
      const now = it.clock.now();
      const run = await it.runs.resume("r1", { by: "ann" });
      expect(run).toMatchObject({
        state: "queued",
        error: null,
        finishedAt: null,
        cancelRequestedAt: null,
        waitingFor: null,
        costNanoUsd: 700,
        values: { topic: "tea", x: 1 },
        doneNodeIds: ["a"],
        wakeCount: 1,
      });
      expect(run).toEqual(await get(it.runs, "r1"));
      expect(await stepsOf(it.runs, "r1")).toMatchObject({
        "a/1": { state: "succeeded", retryAt: null },
        "b/1": { state: "failed", retryAt: now },
        "c/1": { state: "failed", retryAt: now },
        "d/1": { state: "cancelled", costNanoUsd: 700 },
      });
      expect((await eventsAfter(it.runs, "r1", 0)).at(-1)).toEqual({
        type: "run.resumed",
        by: "ann",
      });
      expect(await it.queue.fetch("w", 5)).toEqual([
        { runId: "r1", worker: "w", epoch: 2, recovered: false },
      ]);
    });

    test("lets a cancelled run go on, which may then be cancelled anew", async () => {
      await using it = await setup();
      await it.runs.create(newRun(await saveWorkflow(it.workflows), "r1"), {});
      await it.runs.requestCancel("r1");
      expect(await it.runs.resume("r1", { by: null })).toMatchObject({
        state: "queued",
        cancelRequestedAt: null,
      });
      expect(await it.queue.fetch("w", 5)).toHaveLength(1);
      expect(await it.runs.requestCancel("r1")).toMatchObject({ state: "running" });
    });

    test("leaves alone what the run has survived", async () => {
      await using it = await setup();
      const mine = await startRun(it, newRun(await saveWorkflow(it.workflows), "r1"));
      const steps = [start("a"), fail("a", { next: ["b"] }), start("b"), fail("b")];
      await write(it, mine, { steps, turn: FAILED });
      await it.runs.resume("r1", { by: null });
      expect(await stepsOf(it.runs, "r1")).toMatchObject({
        "a/1": { retryAt: null },
        "b/1": { retryAt: it.clock.now() },
      });
    });

    test("with `supersede` goes back before steps: they and their decisions no longer count", async () => {
      await using it = await setup();
      await stopped(it, "r1", SUCCEEDED);
      const change = { supersede: ["a", "b"], from: "a", values: { topic: "ale" }, by: null };
      const overrides = { model: "other" };
      expect(await it.runs.resume("r1", { ...change, overrides })).toMatchObject({
        state: "queued",
        values: { topic: "ale" },
        overrides,
        doneNodeIds: [],
      });
      expect(await stepsOf(it.runs, "r1")).toMatchObject({
        "a/1": { state: "superseded", retryAt: null, patch: { x: 1 } },
        "b/1": { state: "superseded", retryAt: null },
        "c/1": { state: "failed", retryAt: it.clock.now() },
      });
      expect((await eventsAfter(it.runs, "r1", 0)).at(-1)).toEqual({
        type: "run.resumed",
        by: null,
        from: "a",
      });
    });

    test("drops decisions that a superseded step had not consumed", async () => {
      await using it = await setup();
      await ask(it, "r1");
      await it.runs.decide("r1", "read", YES);
      await it.runs.requestCancel("r1");
      await it.runs.resume("r1", { supersede: ["read"], by: null });
      expect((await it.runs.journal("r1")).signals).toMatchObject([{ consumedBy: "read" }]);
      const mine = await claim(it.queue, "w", "r1");
      await write(it, mine, {
        steps: [start("read", { attempt: 2 }), wait(APPROVAL, "read", 2)],
      });
      expect(await it.runs.pendingApprovals({ limit: 5 })).toHaveLength(1);
    });

    test("keeps a decision that a cancelled step had not consumed", async () => {
      await using it = await setup();
      await ask(it, "r1");
      await it.runs.decide("r1", "read", YES);
      await it.runs.requestCancel("r1");
      await it.runs.resume("r1", { by: null });
      expect((await it.runs.journal("r1")).signals).toMatchObject([{ consumedBy: null }]);
    });

    test("gives a run that had ended its whole time again, and one that waits what is left", async () => {
      await using it = await setup();
      const workflow = await saveWorkflow(it.workflows);
      for (const [id, turn, activeMs] of [
        ["ended", FAILED, 0],
        ["parked", waiting({ dueAt: it.clock.now() + 60_000 }), 700],
      ] as const) {
        const mine = await startRun(it, newRun(workflow, id));
        it.clock.advance(700);
        await write(it, mine, { turn });
        expect(await get(it.runs, id)).toMatchObject({ activeMs: 700 });
        expect(await it.runs.resume(id, { by: null })).toMatchObject({ activeMs });
      }
    });

    test("refuses who has not seen that somebody let the run go on meanwhile", async () => {
      await using it = await setup();
      await stopped(it, "r1", FAILED);
      const { wakeCount: seenWakeCount } = await get(it.runs, "r1");
      await it.runs.resume("r1", { by: "ann", seenWakeCount });
      await it.runs.requestCancel("r1");
      const before = await pictureOf(it.runs, "r1");
      const late = it.runs.resume("r1", { by: "bob", seenWakeCount });
      expect(await codeOf(late)).toBe("conflict");
      expect(await pictureOf(it.runs, "r1")).toEqual(before);
    });

    test("shortens the waits of a run that waits for a time, and leaves others", async () => {
      await using it = await setup();
      const mine = await startRun(it, newRun(await saveWorkflow(it.workflows), "r1"));
      const untilMs = it.clock.now() + 60_000;
      const steps = [
        start("a"),
        wait({ for: "timer", untilMs }, "a"),
        start("b"),
        wait({ for: "rate_limit", untilMs }, "b"),
        start("c"),
        wait({ ...APPROVAL, untilMs }, "c"),
        start("d"),
        wait({ for: "timer", untilMs: 5 }, "d"),
      ];
      await write(it, mine, { steps, turn: waiting({ dueAt: untilMs }) });
      it.clock.advance(9);
      const now = it.clock.now();
      expect(await it.runs.resume("r1", { by: null })).toMatchObject({
        state: "queued",
        waitingFor: null,
      });
      expect(await stepsOf(it.runs, "r1")).toMatchObject({
        "a/1": { state: "waiting", wait: { for: "timer", untilMs: now } },
        "b/1": { state: "waiting", wait: { for: "rate_limit", untilMs: now } },
        "c/1": { state: "waiting", wait: { ...APPROVAL, untilMs } },
        "d/1": { state: "waiting", wait: { for: "timer", untilMs: 5 } },
      });
      expect(await it.queue.fetch("w", 1)).toHaveLength(1);
    });

    test("lets a run go on whose budget was raised", async () => {
      await using it = await setup();
      const mine = await startRun(it, newRun(await saveWorkflow(it.workflows), "r1"));
      const steps = [start(), wait({ for: "budget" })];
      await write(it, mine, { steps, turn: waiting({ for: "budget" }) });
      const overrides = { budget: { maxCostNanoUsd: 7 } };
      const run = await it.runs.resume("r1", { overrides, by: null });
      expect(run).toMatchObject({ state: "queued", overrides });
      expect(await stepsOf(it.runs, "r1")).toMatchObject({ "read/1": { wait: { for: "budget" } } });
    });

    test("refuses what is under way, is over well, or waits for something else", async () => {
      await using it = await setup();
      const workflow = await saveWorkflow(it.workflows);
      const change = { by: null };
      expect(await codeOf(it.runs.resume("none", change))).toBe("not_found");
      await it.runs.create(newRun(workflow, "queued"), {});
      await startRun(it, newRun(workflow, "running"));
      await stopped(it, "done", SUCCEEDED);
      for (const kind of ["approval", "signal", "run"] as const) {
        await stopped(it, kind, waiting({ for: kind }));
      }
      for (const id of ["queued", "running", "done", "approval", "signal", "run"]) {
        const before = await pictureOf(it.runs, id);
        expect([id, await codeOf(it.runs.resume(id, change))]).toEqual([id, "conflict"]);
        expect(await pictureOf(it.runs, id)).toEqual(before);
      }
    });
  });
}
