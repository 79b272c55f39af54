/**
 * Goal: no process outlives the product, however it ends. Method: a real product (supervisor, worker
 * with a guarded program, guard with a foreign tree that ignores its stdin) is hurt at random, seeded
 * places and moments, and every process that carries its tag is looked for afterwards. A guard is
 * spared only in the very moment in which its parent is killed: one of the two has to live for an
 * instant.
 */
import { describe, expect, test } from "bun:test";
import { readLines } from "../../src/process/lines.ts";
import { bun, FIXTURES, newTag, tagged, until } from "./support.ts";
import type { Process } from "./support.ts";

const TREE_SIZE = 7;
const ROUNDS = 10;
const seed = Number(process.env["AGENTS_TEST_SEED"] ?? Math.floor(Math.random() * 1e9));

function startProduct(tag: string, extra: readonly string[] = []) {
  return Bun.spawn([bun, `${FIXTURES}/product.ts`, tag, ...extra], {
    stdout: "pipe",
    stderr: "inherit",
  });
}

async function startWhole(tag: string, extra: readonly string[] = []) {
  const product = startProduct(tag, extra);
  const running = new Set<string>();
  void readLines(product.stdout, (line) => {
    const name = /"name":"(\w+)","state":"running"/.exec(line)?.[1];
    if (name !== undefined) running.add(name);
  });
  await until("both services to run", () => running.size === 2);
  await whole(tag);
  return product;
}

const whole = (tag: string) =>
  until("the whole product", () => {
    const found = tagged(tag);
    return found.length === TREE_SIZE ? found : undefined;
  });

const isGuard = (one: Process) => one.command.includes("guard.ts");

function killIfAlive({ pid }: Pick<Process, "pid">) {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // The same victim twice, or it ended with its group.
  }
}

const nothingLeft = (tag: string) => until("nothing to be left", () => tagged(tag).length === 0);

/** A linear congruential generator: enough to choose victims, and the same for the same seed. */
function createRandom(start: number) {
  let state = start % 2 ** 32;
  return (below: number) => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return Math.floor((state / 2 ** 32) * below);
  };
}

describe("the process tree", () => {
  test(`no orphan in ${ROUNDS} rounds of SIGKILL (seed ${seed})`, async () => {
    const random = createRandom(seed);
    for (let round = 0; round < ROUNDS; round += 1) {
      const tag = newTag();
      let story: string;
      if (random(3) === 0) {
        // In the middle of its start.
        const product = startProduct(tag);
        const count = 1 + random(TREE_SIZE - 1);
        await until(`${count} processes`, () => tagged(tag).length >= count);
        product.kill("SIGKILL");
        story = `the start at ${count} processes`;
      } else {
        const product = await startWhole(tag);
        const others = tagged(tag).filter((one) => one.pid !== product.pid && !isGuard(one));
        const victims = Array.from({ length: random(3) }, () => others[random(others.length)]);
        for (const victim of victims) if (victim !== undefined) killIfAlive(victim);
        product.kill("SIGKILL");
        story = victims.map((victim) => victim?.command).join(" and ");
      }
      await nothingLeft(tag).catch((cause: unknown) => {
        const left = tagged(tag).map((one) => one.command);
        const message = `seed ${seed}, round ${round}, killed ${story}: left ${left.join("; ")}`;
        throw new Error(message, { cause });
      });
    }
  }, 60_000);

  test("is whole again within 5 s after SIGKILL of any child", async () => {
    const tag = newTag();
    const product = await startWhole(tag);
    const parts: readonly ((one: Process) => boolean)[] = [
      (one) => one.command.includes("worker.ts"),
      (one) => one.command.includes("tree.ts") && isGuard(one),
      (one) => one.command.includes("tree.ts") && !isGuard(one),
    ];
    for (const isPart of parts) {
      const victim = (await whole(tag)).find(isPart);
      expect(victim).toBeDefined();
      if (victim !== undefined) killIfAlive(victim);
      await until(
        `the tree without ${victim?.command}`,
        () => {
          const now = tagged(tag);
          return now.length === TREE_SIZE && !now.some((one) => one.pid === victim?.pid);
        },
        5_000,
      );
    }
    product.kill("SIGKILL");
    await nothingLeft(tag);
  }, 20_000);

  test("SIGTERM ends the product with exit code 0 and nothing left", async () => {
    const tag = newTag();
    const product = await startWhole(tag);
    product.kill("SIGTERM");
    expect(await product.exited).toBe(0);
    await nothingLeft(tag);
  });

  test("a second SIGINT ends a stubborn tree at once", async () => {
    const tag = newTag();
    const product = await startWhole(tag, ["--ignore-term"]);
    product.kill("SIGINT");
    const askedAt = performance.now();
    product.kill("SIGINT");
    await until("the second signal to be seen", () => {
      product.kill("SIGINT");
      return product.exitCode !== null;
    });
    expect(product.exitCode).toBe(130);
    await nothingLeft(tag);
    expect(performance.now() - askedAt).toBeLessThan(2_000);
  });
});
