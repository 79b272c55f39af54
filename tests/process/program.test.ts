import { describe, expect, test } from "bun:test";
import { closeSync, openSync } from "node:fs";
import { systemClock } from "../../src/lib/clock.ts";
import { startProgram } from "../../src/process/program.ts";
import type { ProgramRequest } from "../../src/domain/program.ts";
import { bun, newTag, STAY, tagged, until } from "./support.ts";

const start = (command: readonly string[], more: Partial<ProgramRequest> = {}) =>
  startProgram(
    {
      command,
      env: { PATH: Bun.env["PATH"] ?? "" },
      cwd: "/",
      outputBytesMax: 100,
      onOutput: () => {},
      ...more,
    },
    systemClock,
  );
const shell = (script: string, more: Partial<ProgramRequest> = {}) =>
  start(["/bin/sh", "-c", script], more);

describe.skipIf(process.platform === "win32")("startProgram()", () => {
  test("gives input, tells output as it comes, and returns all of it with the exit code", async () => {
    const told: string[] = [];
    const program = shell("cat; echo é >&2; exit 3", {
      stdin: "hi",
      onOutput: (stream, text) => told.push(`${stream}: ${text}`),
    });
    expect(await program.exited).toEqual({ code: 3, stdout: "hi", stderr: "é\n", cut: [] });
    expect(told.toSorted()).toEqual(["stderr: é\n", "stdout: hi"]);
  });

  test("keeps so many bytes of each stream and says of which it dropped some", async () => {
    const program = shell("head -c 5000000 /dev/zero | tr '\\0' x; printf ok >&2");
    expect(await program.exited).toEqual({
      code: 0,
      stdout: "x".repeat(100),
      stderr: "ok",
      cut: ["stdout"],
    });
  });

  test("has nothing to read without input, and tells an end by a signal", async () => {
    const ended = { code: null, stdout: "", stderr: "", cut: [] };
    expect(await shell("cat; kill -KILL $$").exited).toEqual(ended);
    const program = shell("sleep 100");
    program.kill();
    expect(await program.exited).toEqual(ended);
    program.kill();
  });

  test("leaves nothing of the group behind, with and without a lifeline", async () => {
    for (const lifeline of [true, false]) {
      const tag = newTag();
      await shell(`sh -c 'sleep 100; : ${tag}' >/dev/null 2>&1 & exit 0`, { lifeline }).exited;
      await until("nothing to be left", () => tagged(tag).length === 0, 1_000);
    }
  });

  test("asks all of the group to end", async () => {
    const tag = newTag();
    const program = shell(`trap 'exit 7' TERM; sh -c 'sleep 100; : ${tag}' & wait`);
    await until("it to run", () => tagged(tag).length === 2);
    expect(program.ask()).toBe(true);
    expect((await program.exited).code).toBe(7);
    expect(program.ask()).toBe(false);
  });

  test("passes files on, and its lifeline to nobody", async () => {
    const descriptor = openSync(import.meta.path, "r");
    const program = shell("head -c 6 <&3; ls /proc/self/fd 2>/dev/null", {
      files: [descriptor],
      lifeline: true,
      outputBytesMax: 1_000,
    });
    closeSync(descriptor);
    const { stdout } = await program.exited;
    expect(stdout.startsWith("import")).toBe(true);
    if (process.platform === "linux")
      expect(stdout.slice(6).trim().split(/\s+/)).toEqual(["0", "1", "2", "3", "4"]);
  });

  test("with a lifeline dies with the process that started it", async () => {
    const tag = newTag();
    const program = `import { startProgram } from ${JSON.stringify(`${import.meta.dir}/../../src/process/program.ts`)};
      import { systemClock } from ${JSON.stringify(`${import.meta.dir}/../../src/lib/clock.ts`)};
      startProgram({ command: ["/bin/sh", "-c", "sh -c 'sleep 100; : ${tag}' & sleep 100; : ${tag}"],
        env: {}, cwd: "/", lifeline: true, outputBytesMax: 1, onOutput() {} }, systemClock); ${STAY}`;
    const parent = Bun.spawn([bun, "-e", program], { stdout: "ignore", stderr: "inherit" });
    await until("it to run", () =>
      tagged(tag).some(({ command }) => command.startsWith("sh -c sleep")),
    );
    parent.kill("SIGKILL");
    await parent.exited;
    await until("nothing to be left", () => tagged(tag).length === 0, 2_000);
  });

  test("fails when there is no such program", () => {
    expect(() => start(["/nowhere/program"])).toThrow();
  });
});
