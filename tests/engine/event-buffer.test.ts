import { expect, test } from "bun:test";
import type { RunEvent } from "../../src/domain/event.ts";
import { createEventBuffer } from "../../src/engine/event-buffer.ts";
import { createFakeClock } from "./fake-clock.ts";

function delta(text: string, call = 0): RunEvent {
  return { type: "model.delta", step: "a", attempt: 1, call, text };
}

function setUp() {
  const written: RunEvent[] = [];
  const gates: PromiseWithResolvers<void>[] = [];
  const errors: unknown[] = [];
  const clock = createFakeClock();
  const buffer = createEventBuffer({
    append: async (events) => {
      const gate = Promise.withResolvers<void>();
      gates.push(gate);
      await gate.promise;
      written.push(...events);
    },
    clock,
    onError: (error) => errors.push(error),
  });
  return { buffer, clock, written, gates, errors };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test("take() gives what waits, joined by call, and leaves no timer", async () => {
  const { buffer, clock } = setUp();
  for (const event of [delta("a"), delta("b"), delta("c", 1), delta("d", 1)]) buffer.add(event);
  expect(await buffer.take()).toEqual([delta("ab"), delta("cd", 1)]);
  expect(await buffer.take()).toEqual([]);
  expect(clock.sleeperCount).toBe(0);
});

test("take() does not let later events overtake a write that is under way", async () => {
  const { buffer, clock, written, gates } = setUp();
  buffer.add(delta("first"));
  clock.step();
  await turn();
  buffer.add(delta("second"));
  const taking = buffer.take().then((events) => written.push(...events));
  await turn();
  expect(written).toEqual([]);
  gates[0]?.resolve();
  await taking;
  expect(written).toEqual([delta("first"), delta("second")]);
});

test("a write in the background that fails is told, and its events wait on in order", async () => {
  const { buffer, clock, gates, errors } = setUp();
  buffer.add(delta("first"));
  clock.step();
  await turn();
  buffer.add(delta("second"));
  gates[0]?.reject(new Error("away"));
  await turn();
  expect(errors).toEqual([new Error("away")]);
  expect(await buffer.take()).toEqual([delta("first"), delta("second")]);
});

test("flush() rejects as the store does", async () => {
  const { buffer, gates, errors } = setUp();
  buffer.add(delta("first"));
  const flushing = buffer.flush().catch(String);
  await turn();
  gates[0]?.reject(new Error("away"));
  expect(await flushing).toBe("Error: away");
  expect(errors).toEqual([]);
});

function output(text: string, stream: "stdout" | "stderr", call = 0): RunEvent {
  return { type: "output.delta", step: "a", attempt: 1, call, stream, text };
}

test("add() joins what a program writes to one stream, and nothing else", async () => {
  const { buffer } = setUp();
  const events = [
    output("a", "stdout"),
    output("b", "stdout"),
    output("c", "stderr"),
    output("d", "stderr", 1),
    delta("e", 1),
    output("f", "stderr", 1),
  ];
  events.forEach((event) => buffer.add(event));
  expect(await buffer.take()).toEqual([
    output("ab", "stdout"),
    output("c", "stderr"),
    output("d", "stderr", 1),
    delta("e", 1),
    output("f", "stderr", 1),
  ]);
});

test("a write whose outcome is unknown is repeated as it was, so that the store knows it again", async () => {
  const tried: (readonly RunEvent[])[] = [];
  const buffer = createEventBuffer({
    append: async (events) => {
      tried.push(events);
      if (tried.length === 1) throw new Error("away");
    },
    clock: createFakeClock(),
    onError: () => undefined,
  });
  buffer.add(delta("first"));
  await buffer.flush().catch(() => undefined);
  buffer.add(delta("second"));
  await buffer.flush();
  expect(tried).toEqual([[delta("first")], [delta("first")], [delta("second")]]);
  expect(tried[1]).toBe(tried[0]);
});
