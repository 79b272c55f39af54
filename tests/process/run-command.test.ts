import { expect, test } from "bun:test";
import { systemClock } from "../../src/lib/clock.ts";
import { processTree } from "../../src/process/process-tree.ts";
import { openBrowser, runCommand, which } from "../../src/process/run-command.ts";
import { bun, FIXTURES, newTag, STAY, tagged, until } from "./support.ts";

const options = { env: {}, cwd: FIXTURES, timeoutMs: 10_000 };

test("runCommand() answers exit code and output, and tells each line as it comes", async () => {
  const lines: string[] = [];
  const text = `console.log("one"); console.error("two"); process.exit(3);`;
  const onLine = (stream: string, line: string) => lines.push(`${stream} ${line}`);
  const result = await runCommand([bun, "-e", text], { ...options, onLine }, systemClock);
  expect(result).toEqual({ code: 3, stdout: "one", stderr: "two" });
  expect(lines.toSorted()).toEqual(["stderr two", "stdout one"]);
});

test("runCommand() gives the environment that it is told, and no other", async () => {
  const text = `console.log(Object.keys(process.env).join())`;
  const run = runCommand([bun, "-e", text], { ...options, env: { ONLY: "1" } }, systemClock);
  expect((await run).stdout).toBe("ONLY");
});

test("runCommand() ends the whole group at the limit", async () => {
  const tag = newTag();
  const run = runCommand(
    [bun, `${FIXTURES}/tree.ts`, tag],
    { ...options, timeoutMs: 300 },
    systemClock,
  );
  const error: unknown = await run.catch((failure) => failure);
  expect(error).toMatchObject({ code: "timeout" });
  await until("nothing to be left", () => tagged(tag).length === 0);
});

test("runCommand() is cancelled by its signal", async () => {
  const cancel = new AbortController();
  const run = runCommand(
    [bun, "-e", `console.log("on"); ${STAY}`],
    { ...options, signal: cancel.signal, onLine: () => cancel.abort() },
    systemClock,
  );
  expect(await run.catch((failure: unknown) => failure)).toMatchObject({ code: "cancelled" });
});

test("runCommand() says when there is no such command", async () => {
  const run = runCommand(["/nowhere/uv"], options, systemClock);
  expect(await run.catch((failure: unknown) => failure)).toMatchObject({ code: "not_found" });
});

test("which() finds commands on the PATH only", () => {
  expect(which("ps")).toContain("/ps");
  expect(which("no-such-command-anywhere")).toBeUndefined();
});

test("openBrowser() does not fail on a machine without one", () => {
  expect(() => openBrowser("http://127.0.0.1:1")).not.toThrow();
});

test("processTree() counts a process and all that descend from it", async () => {
  const tag = newTag();
  const tree = Bun.spawn([bun, `${FIXTURES}/tree.ts`, tag], { stdout: "pipe", detached: true });
  await tree.stdout.getReader().read();
  const found = await processTree(tree.pid);
  process.kill(-tree.pid, "SIGKILL");
  expect(found.processes.map((one) => one.command.includes(tag))).toEqual([true, true]);
  expect(found.processes[0]?.pid).toBe(tree.pid);
  expect(found.measure).toBe(process.platform === "linux" ? "pss" : "rss");
  expect(found.bytes).toBe(found.processes.reduce((sum, one) => sum + one.bytes, 0));
  expect(found.bytes).toBeGreaterThan(1024 * 1024);
  await tree.exited;
  expect(await processTree(tree.pid)).toEqual({ processes: [], measure: "rss", bytes: 0 });
});
