import { expect, test } from "bun:test";
import type { AbortKind } from "../../src/engine/abort.ts";
import { CANCEL_LOOK_PAUSE_MS, createClaimKeeper } from "../../src/engine/claims.ts";
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
  expect(clock.now() - start).toBe(CANCEL_LOOK_PAUSE_MS);
  await world.settled(keeper.stop());
  expect([keeper.executions, world.errors]).toEqual([[], []]);
});
