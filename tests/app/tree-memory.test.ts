import { expect, test } from "bun:test";
import { createTreeMemory } from "../../src/app/tree-memory.ts";
import { systemClock } from "../../src/lib/clock.ts";

test("createTreeMemory() gives nothing at first, then the bytes of the whole tree, looked at rarely", async () => {
  let now = 1_000;
  const memory = createTreeMemory({ ...systemClock, now: () => now });
  expect(memory()).toBeNull();
  const limit = performance.now() + 10_000;
  while (memory() === null && performance.now() < limit) await Bun.sleep(5);
  const first = memory();
  expect(first).toBeGreaterThan(10 * 1024 * 1024);

  const child = Bun.spawn(
    [process.execPath, "-e", "setInterval(() => {}, 1000); console.log('up')"],
    {
      stdout: "pipe",
    },
  );
  await child.stdout.getReader().read();
  expect(memory()).toBe(first);
  now += 5_000;
  memory();
  while (memory() === first && performance.now() < limit) await Bun.sleep(5);
  expect(memory()).toBeGreaterThan(Number(first));
  child.kill();
  await child.exited;
});
