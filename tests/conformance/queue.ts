/**
 * What every implementation of Queue keeps, whatever lies beneath. An implementation's test calls
 * `testQueue` with a way to make an empty store on a manual clock.
 */
import { describe, expect, test } from "bun:test";
import { LEASE_MS } from "../../src/domain/run.ts";
import { claim, newRun, saveWorkflow, startRun } from "../store/support/seed.ts";
import {
  FAILURE,
  type Implementation,
  type StoreUnderTest,
  get,
  start,
  types,
  waiting,
  write,
} from "./support.ts";

export function testQueue(name: string, { setup }: Implementation): void {
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

    test("with `only` claims the runs inside of that run too, however deep", async () => {
      await using it = await setup();
      const tree = await startTree(it);
      const inside = await it.queue.fetch("w", 5, "root");
      expect(inside.map((mine) => mine.runId)).toEqual(tree.inside);
      // `root` itself was claimed 2 ms before.
      expect(await it.queue.nextDueAt("root")).toBe(it.clock.now() - 2 + LEASE_MS);
      // What lies around a run is not inside of it.
      expect(await it.queue.fetch("w", 5, "child")).toEqual([]);
      expect((await it.queue.fetch("w", 5)).map((mine) => mine.runId)).toEqual(["other"]);
    });

    test("with `only` claims no more than the limit, the longest due first", async () => {
      await using it = await setup();
      await startTree(it);
      const given = [await it.queue.fetch("w", 1, "root"), await it.queue.fetch("w", 1, "root")];
      expect(given.flat().map((mine) => mine.runId)).toEqual(["child", "grandchild"]);
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

    test("gives a reserved run inside of another to its creator, who asks for the outer one", async () => {
      await using it = await setup();
      const workflow = await saveWorkflow(it.workflows);
      await startRun(it, newRun(workflow, "root"), "cli");
      const origin = { kind: "child", runId: "root", step: "read" } as const;
      await it.runs.create(newRun(workflow, "child", { origin, reservedFor: "cli" }), {});
      expect(await it.queue.fetch("w", 5, "root")).toEqual([]);
      const given = await it.queue.fetch("cli", 5, "root");
      expect(given.map((mine) => mine.runId)).toEqual(["child"]);
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

    test("gives a waiting run when its time has come, not recovered", async () => {
      await using it = await setup();
      const mine = await startRun(it, newRun(await saveWorkflow(it.workflows), "r1"), "w1");
      const dueAt = it.clock.now() + 50_000;
      await write(it, mine, { turn: waiting({ dueAt }) });
      expect(await it.queue.nextDueAt()).toBe(dueAt);
      it.clock.set(dueAt - 1);
      expect(await it.queue.fetch("w2", 1)).toEqual([]);
      it.clock.set(dueAt);
      expect(await it.queue.fetch("w2", 1)).toEqual([
        { runId: "r1", worker: "w2", epoch: 2, recovered: false },
      ]);
      expect(await get(it.runs, "r1")).toMatchObject({ state: "running", waitingFor: null });
    });

    test("gives a run that waits without a time only once it is woken", async () => {
      await using it = await setup();
      const mine = await startRun(it, newRun(await saveWorkflow(it.workflows), "r1"), "w1");
      await write(it, mine, { turn: waiting({ for: "signal" }) });
      it.clock.advance(1_000_000_000);
      expect(await it.queue.nextDueAt()).toBeUndefined();
      expect(await it.queue.nextDueAt("r1")).toBeUndefined();
      expect(await it.queue.fetch("w", 1)).toEqual([]);
      await it.runs.signal("r1", { name: "go", payload: null, by: null });
      expect(await it.queue.nextDueAt("r1")).toBe(it.clock.now());
      expect(await it.queue.fetch("w", 1)).toHaveLength(1);
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

    test("cancels a run and those inside of it once, when their worker died", async () => {
      await using it = await setup();
      const workflow = await saveWorkflow(it.workflows);
      await startRun(it, newRun(workflow, "root"), "w1");
      const origin = { kind: "child", runId: "root", step: "read" } as const;
      await it.runs.create(newRun(workflow, "child", { origin }), {});
      await claim(it.queue, "w1", "child");
      await it.runs.requestCancel("root");
      it.clock.advance(LEASE_MS);
      expect(await it.queue.fetch("w2", 5)).toEqual([]);
      for (const id of ["root", "child"]) {
        expect((await types(it.runs, id)).slice(2)).toEqual(["run.cancelling", "run.cancelled"]);
      }
      expect(await it.runs.counts()).toMatchObject({ running: 0, cancelled: 2 });
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

  describe(`${name}: nextDueAt()`, () => {
    test("is the earliest of all, or of a run and those inside of it", async () => {
      await using it = await setup();
      const beganAt = it.clock.now();
      await startTree(it);
      expect(await it.queue.nextDueAt()).toBe(beganAt);
      expect(await it.queue.nextDueAt("other")).toBe(beganAt);
      expect(await it.queue.nextDueAt("root")).toBe(it.clock.now() - 1);
      expect(await it.queue.nextDueAt("none")).toBeUndefined();
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
      const parked = await startRun(it, newRun(workflow, "r4"));
      await it.runs.requestCancel("r2");
      await it.runs.failRun(ended, FAILURE);
      await write(it, parked, { turn: waiting() });
      const stranger = { ...held, worker: "w9" };
      const none = { ...held, runId: "none" };
      expect(await it.queue.touch([])).toEqual([]);
      expect(await it.queue.touch([ended, held, marked, stranger, none, parked])).toEqual([
        "lost",
        "held",
        "cancelled",
        "lost",
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

    test("release() leaves running and waiting attempts for the next worker", async () => {
      await using it = await setup();
      const mine = await startRun(it, newRun(await saveWorkflow(it.workflows), "r1"));
      await write(it, mine, { steps: [start()] });
      await it.queue.release(mine);
      expect((await it.runs.journal("r1")).steps).toMatchObject([{ state: "running" }]);
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
}

/** `root` is claimed, with `child` and in that `grandchild` inside of it; `other` is due since before them. */
async function startTree(it: StoreUnderTest): Promise<{ inside: string[] }> {
  const workflow = await saveWorkflow(it.workflows);
  const child = (id: string, runId: string) =>
    it.runs.create(newRun(workflow, id, { origin: { kind: "child", runId, step: "read" } }), {});
  await it.runs.create(newRun(workflow, "other"), {});
  await startRun(it, newRun(workflow, "root"));
  it.clock.advance(1);
  await child("child", "root");
  it.clock.advance(1);
  await child("grandchild", "child");
  return { inside: ["child", "grandchild"] };
}
