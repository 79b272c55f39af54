import { expect, test } from "bun:test";
import type { Run } from "../../src/domain/run.ts";
import type { AbortKind } from "../../src/engine/abort.ts";
import { RUN_LOOK_PAUSE_MS, createClaimKeeper } from "../../src/engine/claims.ts";
import { line, llmNode } from "./fixture.ts";
import { createWorld } from "./world.ts";

test("look() finds a run that had only begun when it was cancelled, with no further signal", async () => {
  await using world = await createWorld(line([llmNode("a")]));
  const { store, clock } = world;
  const id = await world.submit();
  const [claim] = await store.queue.fetch("worker-1", 1);
  if (claim === undefined) throw new Error("no claim");
  const ended: AbortKind[] = [];
  const done = Promise.withResolvers<void>();
  const keeper = createClaimKeeper({
    runs: store.runs,
    queue: store.queue,
    clock,
    reportError: (error) => world.errors.push(error),
    onEnd: () => undefined,
  });
  const start = clock.now();
  keeper.hold(claim, {
    look: () => undefined,
    nudge: () => undefined,
    abort: (kind) => {
      ended.push(kind);
      done.resolve();
    },
    done: done.promise,
  });
  await store.runs.requestCancel(id);
  keeper.look();
  await world.settled(done.promise);
  expect(ended).toEqual(["cancelled"]);
  expect(clock.now() - start).toBe(RUN_LOOK_PAUSE_MS);
  await world.settled(keeper.stop());
  expect([keeper.executions, world.errors]).toEqual([[], []]);
});

test("look() shows a run that something has come to to its execution", async () => {
  await using world = await createWorld(line([llmNode("a")]));
  const { store, clock } = world;
  const id = await world.submit();
  const [claim] = await store.queue.fetch("worker-1", 1);
  if (claim === undefined) throw new Error("no claim");
  const shown: Run[] = [];
  const done = Promise.withResolvers<void>();
  const keeper = createClaimKeeper({
    runs: store.runs,
    queue: store.queue,
    clock,
    reportError: (error) => world.errors.push(error),
    onEnd: () => undefined,
  });
  keeper.hold(claim, {
    abort: () => undefined,
    nudge: () => undefined,
    look: (run) => shown.push(run),
    done: done.promise,
  });
  await store.runs.signal(id, { name: "go", payload: null, by: null });
  keeper.look();
  await world.until(() => shown.length > 0);
  expect(shown.map(({ wakeCount }) => wakeCount)).toEqual([1]);
  done.resolve();
  await world.settled(keeper.stop());
});
