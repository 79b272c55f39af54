import { expect, test } from "bun:test";
import { tmpdir } from "node:os";
import { followResources } from "../../src/app/resources.ts";
import { type Clock, systemClock } from "../../src/lib/clock.ts";
import { waitUntil } from "../store/support/wait.ts";

function follow(over: Partial<Parameters<typeof followResources>[0]> = {}) {
  const stop = new AbortController();
  const samples = followResources({
    clock: systemClock,
    intervalMs: 20,
    dataDir: tmpdir(),
    databaseBytes: () => 4_096,
    queueDepth: () => Promise.resolve(3),
    signal: stop.signal,
    ...over,
  });
  return { samples, stop: () => stop.abort() };
}

test("followResources() tells what the whole tree takes, and what the machine has left", async () => {
  const { samples, stop } = follow({ isCheap: true });
  await waitUntil("a sample", () => samples().length > 0);
  const [first] = samples();
  expect(first).toMatchObject({ cpuShare: null, databaseBytes: 4_096, queueDepth: 3 });
  expect(first?.memoryBytes).toBeGreaterThan(10 * 1024 * 1024);
  expect(first?.diskFreeBytes).toBeGreaterThan(0);

  const busy = "const until = Date.now() + 20_000; while (Date.now() < until) {}";
  const child = Bun.spawn([process.execPath, "-e", busy]);
  await waitUntil("a busy child", () => samples().some(({ cpuShare }) => (cpuShare ?? 0) > 0.1));
  child.kill();
  await child.exited;
  expect(samples().every(({ cpuShare }) => (cpuShare ?? 0) <= 1)).toBe(true);
  stop();
});

test("followResources() keeps going without what cannot be looked at, and keeps only so many samples", async () => {
  let now = 0;
  const clock: Clock = { ...systemClock, now: () => (now += 1_000) };
  const { samples, stop } = follow({
    clock,
    isCheap: true,
    intervalMs: 0,
    sampleCountMax: 5,
    dataDir: "/nowhere",
    queueDepth: () => Promise.reject(new Error("locked")),
  });
  await waitUntil("all samples", () => samples().length === 5);
  const [oldest] = samples();
  await waitUntil("a forgotten sample", () => samples()[0] !== oldest);
  expect(samples()).toHaveLength(5);
  expect(samples().at(-1)).toMatchObject({ diskFreeBytes: null, queueDepth: null });
  stop();
});

test("followResources() looks only when somebody asks, where a look starts a program", async () => {
  let rounds = 0;
  let now = 1;
  const clock: Clock = {
    ...systemClock,
    now: () => now,
    sleep: (ms, signal) => {
      rounds += 1;
      return systemClock.sleep(ms, signal);
    },
  };
  const looks: number[] = [];
  const databaseBytes = () => looks.push(now);
  const { samples, stop } = follow({ clock, isCheap: false, intervalMs: 1, databaseBytes });
  await waitUntil("rounds", () => rounds > 5);
  expect(looks).toEqual([]);
  samples();
  await waitUntil("a look", () => looks.length > 0);
  now += 60_000;
  const [before, count] = [rounds, looks.length];
  await waitUntil("more rounds", () => rounds > before + 5);
  expect(looks.length).toBeLessThanOrEqual(count + 1);
  stop();
});
