import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import type { ProviderTurns } from "../../src/domain/model.ts";
import { openStore } from "../../src/store/store.ts";
import { temporaryFolder } from "./support/folder.ts";
import { createManualClock } from "./support/manual-clock.ts";
import { newRun, saveWorkflow, startRun } from "./support/seed.ts";
import { waitUntil } from "./support/wait.ts";

type Limits = Parameters<ProviderTurns["take"]>[1];

async function open() {
  const folder = await temporaryFolder();
  const clock = createManualClock();
  const store = await openStore({ path: folder.database, clock });
  const other = await openStore({ path: folder.database, clock });
  return {
    path: folder.database,
    store,
    turns: store.turns,
    others: other.turns,
    clock,
    async [Symbol.asyncDispose]() {
      await store.close();
      await other.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** The way to give it back, or after how long to ask again. */
async function take(turns: ProviderTurns, limits: Limits, now: number) {
  const turn = await turns.take("a", limits);
  return turn.taken ? () => turn.release() : turn.retryAtMs - now;
}

const TAKEN = expect.any(Function) as never;

describe("take() with a limit on concurrency", () => {
  test("gives so many turns to all workers together, and one more for each given back", async () => {
    await using it = await open();
    const now = it.clock.now();
    const limits = { concurrency: 2 };
    const first = await take(it.turns, limits, now);
    expect([first, await take(it.others, limits, now)]).toEqual([TAKEN, TAKEN]);
    expect(await take(it.turns, limits, now)).toBe(250);
    expect(await take(it.others, limits, now)).toBe(250);
    expect((await it.turns.take("b", limits)).taken).toBe(true);
    if (typeof first === "function") {
      await first();
      await first();
    }
    expect(await take(it.others, limits, now)).toEqual(TAKEN);
    expect(await take(it.turns, limits, now)).toBe(250);
  });

  test("never gives more at once than there are, however many ask", async () => {
    await using it = await open();
    const asked = Array.from({ length: 40 }, (_, index) =>
      take(index % 2 === 0 ? it.turns : it.others, { concurrency: 5 }, it.clock.now()),
    );
    const given = (await Promise.all(asked)).filter((turn) => typeof turn === "function");
    expect(given).toHaveLength(5);
  });

  test("keeps the turn of a worker that lives, however long its request takes", async () => {
    await using it = await open();
    const limits = { concurrency: 1 };
    const first = await take(it.turns, limits, it.clock.now());
    using client = new Database(it.path, { readonly: true });
    const heldUntil = () => client.query("SELECT held_until FROM provider_turns").get();
    const before = heldUntil();
    it.clock.advance(29_000);
    await waitUntil("the turn to be renewed", () => !Bun.deepEquals(heldUntil(), before));
    it.clock.advance(29_000);
    expect(await take(it.others, limits, it.clock.now())).toBe(250);
    if (typeof first === "function") await first();
    expect(await take(it.others, limits, it.clock.now())).toEqual(TAKEN);
  }, 15_000);

  test("frees the turn of a worker that died, after a while", async () => {
    await using it = await open();
    const limits = { concurrency: 1 };
    // Nobody renews it on this clock.
    await it.others.take("a", limits);
    it.clock.advance(29_999);
    expect(await take(it.turns, limits, it.clock.now())).toBe(250);
    it.clock.advance(1);
    expect(await take(it.turns, limits, it.clock.now())).toEqual(TAKEN);
  });
});

describe("take() with a limit on requests per minute", () => {
  test("gives so many within any minute, by all workers together", async () => {
    await using it = await open();
    const limits = { requestsPerMinute: 2 };
    const first = await take(it.turns, limits, it.clock.now());
    it.clock.advance(10_000);
    expect([first, await take(it.others, limits, it.clock.now())]).toEqual([TAKEN, TAKEN]);
    // It counts although it has been given back.
    if (typeof first === "function") await first();
    expect(await take(it.others, limits, it.clock.now())).toBe(50_000);
    it.clock.advance(50_000);
    expect(await take(it.turns, limits, it.clock.now())).toEqual(TAKEN);
    expect(await take(it.turns, limits, it.clock.now())).toBe(10_000);
  });

  test("counts beside a limit on concurrency", async () => {
    await using it = await open();
    const limits = { requestsPerMinute: 2, concurrency: 1 };
    const first = await take(it.turns, limits, it.clock.now());
    expect(await take(it.turns, limits, it.clock.now())).toBe(250);
    if (typeof first === "function") await first();
    expect(await take(it.turns, limits, it.clock.now())).toEqual(TAKEN);
    expect(await take(it.turns, limits, it.clock.now())).toBe(60_000);
  });
});

describe("block()", () => {
  test("holds for every worker and whatever limits, until the latest time asked for", async () => {
    await using it = await open();
    const now = it.clock.now();
    await it.turns.block("a", now + 500);
    await it.others.block("a", now + 300);
    expect(await take(it.turns, {}, now)).toBe(500);
    expect(await take(it.others, { concurrency: 1 }, now)).toBe(500);
    expect((await it.turns.take("b", {})).taken).toBe(true);
    it.clock.advance(500);
    expect(await take(it.turns, {}, now + 500)).toEqual(TAKEN);
    expect(await take(it.others, { concurrency: 1 }, now + 500)).toEqual(TAKEN);
  });

  test("is forgotten when a person lets a run go on that waits for it", async () => {
    await using it = await open();
    const { runs } = it.store;
    const now = it.clock.now();
    await it.turns.block("a", now + 500);
    for (const what of ["timer", "rate_limit"] as const) {
      const mine = await startRun(it.store, newRun(await saveWorkflow(it.store.workflows), what));
      const turn = { state: "waiting", for: what, dueAt: now + 500, seenWakeCount: 0 } as const;
      await runs.write(mine, { steps: [], merges: {}, turn });
    }
    await runs.resume("timer", { by: null });
    expect(await take(it.turns, {}, now)).toBe(500);
    await runs.resume("rate_limit", { by: null });
    expect(await take(it.others, {}, now)).toEqual(TAKEN);
  });
});

test("take() without limits writes nothing", async () => {
  await using folder = await temporaryFolder();
  const clock = createManualClock();
  await (await openStore({ path: folder.database, clock })).close();
  const store = await openStore({ path: folder.database, clock, readOnly: true });
  expect((await store.turns.take("a", {})).taken).toBe(true);
  await store.close();
});

test("a turn can be given back although the database cannot be written", async () => {
  const store = await openStore({ path: ":memory:", clock: createManualClock() });
  const turn = await store.turns.take("a", { concurrency: 1 });
  await store.close();
  if (turn.taken) await turn.release();
  expect(turn.taken).toBe(true);
});
