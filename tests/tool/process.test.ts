import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { createProcess } from "../../src/tool/process.ts";
import { failureOf, makePlace, openPorts, SANDBOX_MISSING } from "../sandbox/support.ts";

const context = {
  signal: new AbortController().signal,
  idempotencyKey: "run/step/1.0",
  config: null,
  onOutput: () => {},
};

describe.skipIf(SANDBOX_MISSING !== undefined)("process", () => {
  test("gives each argument to the program as it is", async () => {
    await using place = await makePlace();
    const program = createProcess(openPorts(place));
    const args = ["%s\\n", "$HOME; ls", "*", "a b"];
    expect(await program.run({ command: "printf", args }, context)).toEqual({
      exit_code: 0,
      stdout: "$HOME; ls\n*\na b\n",
      stderr: "",
    });
  });

  test("fails when the program is not there", async () => {
    await using place = await makePlace();
    const program = createProcess(openPorts(place));
    expect(await failureOf(program.run({ command: "no-such-program" }, context))).toMatchObject({
      code: "tool_failed",
      message: "The program no-such-program is not installed.",
    });
    expect(await failureOf(program.run({ command: "" }, context))).toMatchObject({
      code: "invalid",
    });
  });

  test("ends with the signal's reason", async () => {
    await using place = await makePlace();
    const program = createProcess(openPorts(place));
    const signal = AbortSignal.abort("stop");
    expect(
      await failureOf(program.run({ command: "sleep", args: ["20"] }, { ...context, signal })),
    ).toBe("stop");
  });
});

test("process is refused without a sandbox, and nothing ran", async () => {
  await using place = await makePlace();
  const program = createProcess(openPorts(place, { machine: { which: () => undefined } }));
  expect(await failureOf(program.check(null))).toMatchObject({ code: "sandbox_unavailable" });
  expect(await failureOf(program.run({ command: "touch", args: ["ran"] }, context))).toMatchObject({
    code: "sandbox_unavailable",
  });
  expect(await Bun.file(join(place.workspace, "ran")).exists()).toBe(false);
});
