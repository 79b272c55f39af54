/** Which answers are taken for abandoned, on the real store, with clocks that the test moves. */
import { expect, test } from "bun:test";
import type { ConversationStore } from "../../src/domain/conversation.ts";
import type { DatabaseHealth } from "../../src/domain/service.ts";
import { openStore } from "../../src/store/store.ts";
import { createAbandonedWatch, SILENT_MS_MAX } from "../../src/web/chat/abandoned.ts";
import { createManualClock } from "../store/support/manual-clock.ts";

const PROGRESS = { text: "Here", provider: "openai", model: "gpt", omittedCount: 0 } as const;
const DEGRADED = { state: "degraded", code: "disk_full", message: "Full.", fix: "Free." } as const;

async function setup(answeredBy = "there/7/x") {
  const clock = createManualClock();
  // The process that makes the answer has a clock of its own, which is wrong.
  const theirs = createManualClock();
  theirs.advance(3_600_000);
  const store = await openStore({ path: ":memory:", clock: theirs });
  const { conversations } = store;
  await conversations.create({ id: "c1", title: "Tea", text: "About tea" });
  const begun = await conversations.startAnswer("c1", 0, { answeredBy });
  await conversations.saveProgress(begun, PROGRESS);
  const errors: unknown[] = [];
  const active = new Set<string>();
  let health: DatabaseHealth = { state: "ok" };
  const watchWith = (breakOff?: ConversationStore["breakOff"]) =>
    createAbandonedWatch({
      conversations: breakOff === undefined ? conversations : { ...conversations, breakOff },
      clock,
      health: () => health,
      self: { name: "here/1/me", hasEnded: (name) => name === "here/2/gone" },
      isActive: (id) => active.has(id),
      reportError: (error) => errors.push(error),
    });
  const watch = watchWith();
  return {
    clock,
    theirs,
    conversations,
    begun,
    errors,
    active,
    watch,
    watchWith,
    setHealth: (next: DatabaseHealth) => {
      health = next;
    },
    state: async () => {
      const message = await conversations.message(begun);
      return message?.role === "model" ? message.state : undefined;
    },
    /** Looks as an open page does. */
    lookFor: async (ms: number, look = watch) => {
      await look.look();
      for (let passed = 0; passed < ms; passed += 5_000) {
        clock.advance(5_000);
        await look.look();
      }
    },
  };
}

test("the answer of a process that has ended is interrupted at the first look, with its text", async () => {
  const { conversations, watch, begun } = await setup("here/2/gone");
  await watch.look();
  expect(await conversations.message(begun)).toMatchObject({ state: "interrupted", text: "Here" });
});

test("one of a process that is not known has to be silent for as long as somebody looks", async () => {
  const { lookFor, state } = await setup();
  await lookFor(SILENT_MS_MAX - 5_000);
  expect(await state()).toBe("streaming");
  await lookFor(5_000);
  expect(await state()).toBe("interrupted");
});

test("who gives a sign of life is left alone, whatever its clock says", async () => {
  const { lookFor, state, conversations, begun, theirs } = await setup();
  for (let round = 0; round < 5; round += 1) {
    await lookFor(SILENT_MS_MAX - 5_000);
    theirs.advance(round % 2 === 0 ? 1 : -7_200_000);
    await conversations.keepAlive(begun);
  }
  expect(await state()).toBe("streaming");
});

test("a machine that slept, and a clock that was set, count as one pause between two looks", async () => {
  const { clock, watch, state, conversations, begun, theirs } = await setup();
  await watch.look();
  clock.advance(8 * 3_600_000);
  await watch.look();
  expect(await state()).toBe("streaming");
  theirs.advance(1);
  await conversations.keepAlive(begun);
  clock.advance(5_000);
  await watch.look();
  clock.advance(-3_600_000);
  await watch.look();
  clock.advance(5_000);
  await watch.look();
  expect(await state()).toBe("streaming");
});

test("while the database cannot be written nothing counts", async () => {
  const { watch, lookFor, state, setHealth, clock } = await setup();
  await lookFor(SILENT_MS_MAX - 5_000);
  setHealth(DEGRADED);
  await lookFor(60_000);
  setHealth({ state: "ok" });
  clock.advance(5_000);
  await watch.look();
  expect(await state()).toBe("streaming");
  await lookFor(SILENT_MS_MAX);
  expect(await state()).toBe("interrupted");
});

test("a sign of life that comes while it is marked counts, and so does having to wait for the lock", async () => {
  const { watchWith, lookFor, state, conversations, begun, theirs, clock } = await setup();
  let isHindered = true;
  const signs = watchWith(async (...args) => {
    if (isHindered) {
      theirs.advance(1);
      await conversations.keepAlive(begun);
    }
    return conversations.breakOff(...args);
  });
  await lookFor(SILENT_MS_MAX, signs);
  expect(await state()).toBe("streaming");
  const waits = watchWith((...args) => {
    if (isHindered) clock.advance(2_000);
    return conversations.breakOff(...args);
  });
  await lookFor(SILENT_MS_MAX, waits);
  expect(await state()).toBe("streaming");
  isHindered = false;
  await lookFor(SILENT_MS_MAX, waits);
  expect(await state()).toBe("interrupted");
});

test("what this process answers is its own affair, until it has dropped it", async () => {
  const { active, lookFor, state } = await setup("here/1/me");
  active.add("c1");
  await lookFor(60_000);
  expect(await state()).toBe("streaming");
  active.delete("c1");
  await lookFor(0);
  expect(await state()).toBe("interrupted");
});

test("a look that fails is reported once per look, and never thrown", async () => {
  const { watchWith, errors, state, setHealth } = await setup("here/2/gone");
  const broken = watchWith(() => Promise.reject(new Error("away")));
  await broken.look();
  expect(errors).toEqual([new Error("away")]);
  const degrading = watchWith(() => {
    setHealth(DEGRADED);
    return Promise.reject(new Error("full"));
  });
  await degrading.look();
  expect(errors).toHaveLength(1);
  expect(await state()).toBe("streaming");
});
