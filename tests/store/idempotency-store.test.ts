import { expect, test } from "bun:test";
import { IDEMPOTENCY_KEPT_MS } from "../../src/domain/idempotent-answer.ts";
import { openStore } from "../../src/store/store.ts";
import { createManualClock } from "./support/manual-clock.ts";

const ANSWER = { status: 201, location: "/there", body: "{}" };

async function setup() {
  const clock = createManualClock();
  const store = await openStore({ path: ":memory:", clock });
  return { clock, keys: store.idempotency };
}

test("begin() takes a new key, then tells that it is open, answered or another's", async () => {
  const { clock, keys } = await setup();
  const startedAt = clock.now();
  expect(await keys.begin("k", "one")).toEqual({ state: "begun", startedAt });
  clock.advance(5_000);
  expect(await keys.begin("k", "one")).toEqual({ state: "open", startedAt });
  expect(await keys.begin("k", "two")).toEqual({ state: "taken" });
  await keys.finish("k", ANSWER);
  expect(await keys.begin("k", "one")).toEqual({ state: "answered", answer: ANSWER });
  expect(await keys.begin("k", "two")).toEqual({ state: "taken" });
});

test("abandon() frees a key without an answer, and no other", async () => {
  const { keys } = await setup();
  await keys.begin("k", "one");
  await keys.abandon("k");
  expect((await keys.begin("k", "two")).state).toBe("begun");
  await keys.finish("k", ANSWER);
  await keys.abandon("k");
  expect((await keys.begin("k", "two")).state).toBe("answered");
});

test("a key is forgotten after its time, also by requests under other keys", async () => {
  const { clock, keys } = await setup();
  await keys.begin("old", "one");
  await keys.begin("other", "one");
  clock.advance(IDEMPOTENCY_KEPT_MS - 1);
  expect((await keys.begin("old", "two")).state).toBe("taken");
  clock.advance(1);
  expect(await keys.begin("old", "two")).toEqual({ state: "begun", startedAt: clock.now() });
  // Finishing what is gone meanwhile changes nothing.
  await keys.finish("other", ANSWER);
  expect((await keys.begin("other", "two")).state).toBe("begun");
});
