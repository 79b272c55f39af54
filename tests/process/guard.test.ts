import { expect, test } from "bun:test";
import { bun, FIXTURES, newTag, tagged, until } from "./support.ts";

const GUARD = `${FIXTURES}/guard.ts`;

function startGuard(command: readonly string[], { detached }: { detached: boolean }) {
  return Bun.spawn([bun, GUARD, "--", ...command], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "pipe",
    detached,
  });
}

async function startTree(tag: string, options: { detached: boolean; extra?: string[] }) {
  const guard = startGuard([bun, `${FIXTURES}/tree.ts`, tag, ...(options.extra ?? [])], options);
  await until("guard, target and grandchild", () => tagged(tag).length === 3);
  return guard;
}

test("runGuard() passes output and exit code through", async () => {
  const text = `console.log("out"); console.error("err"); process.exit(7);`;
  const guard = startGuard([bun, "-e", text], { detached: true });
  expect([await guard.stdout.text(), await guard.stderr.text()]).toEqual(["out\n", "err\n"]);
  expect(await guard.exited).toBe(7);
});

test("runGuard() answers 128 + n for a target that signal n ended", async () => {
  const guard = startGuard([bun, "-e", `process.kill(process.pid, "SIGKILL")`], {
    detached: false,
  });
  expect(await guard.exited).toBe(137);
});

test.each([true, false])(
  "runGuard() ends the tree when its stdin closes (leader: %p)",
  async (detached) => {
    const tag = newTag();
    const guard = await startTree(tag, { detached });
    await guard.stdin.end();
    await until("nothing to be left", () => tagged(tag).length === 0);
  },
);

test.each(["SIGTERM", "SIGINT"] as const)("runGuard() ends its target at %s", async (signal) => {
  const tag = newTag();
  const guard = await startTree(tag, { detached: true });
  guard.kill(signal);
  expect(await guard.exited).toBe(143);
  await until("nothing to be left", () => tagged(tag).length === 0);
});

test("runGuard() kills a tree that ignores SIGTERM, before its supervisor's patience ends", async () => {
  const tag = newTag();
  const stubborn = [bun, `${FIXTURES}/idle.ts`, tag, "--ignore-term"];
  const guard = startGuard(stubborn, { detached: true });
  const reader = guard.stdout.getReader();
  expect(new TextDecoder().decode((await reader.read()).value)).toBe("idle\n");
  const askedAt = performance.now();
  guard.kill("SIGTERM");
  expect(await guard.exited).toBe(137);
  expect(performance.now() - askedAt).toBeWithin(3_000, 4_900);
  expect(tagged(tag)).toEqual([]);
}, 10_000);

test("runGuard() refuses an absent command", async () => {
  const guard = startGuard(["/nowhere/mlflow"], { detached: true });
  expect(await guard.stderr.text()).toContain("The command /nowhere/mlflow cannot be started.");
  expect(await guard.exited).toBe(1);
});

test.each([true, false])(
  "runGuard() kills what its target left behind, and keeps the exit code (leader: %p)",
  async (detached) => {
    const tag = newTag();
    const text = `const idle = Bun.spawn([process.execPath, "${FIXTURES}/idle.ts", "${tag}"], { stdout: "pipe" });
      await idle.stdout.getReader().read();
      process.exit(5);`;
    const guard = startGuard([bun, "-e", text], { detached });
    expect(await guard.exited).toBe(5);
    await until("nothing to be left", () => tagged(tag).length === 0);
  },
);
