import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { createShell } from "../../src/tool/shell.ts";
import { failureOf, makePlace, openPorts, SANDBOX_MISSING } from "../sandbox/support.ts";

const context = (config: Parameters<ReturnType<typeof createShell>["check"]>[0] = null) => ({
  signal: new AbortController().signal,
  idempotencyKey: "run/step/1.0",
  config,
  onOutput: () => {},
});

describe.skipIf(SANDBOX_MISSING !== undefined)("shell", () => {
  test("answers with exit code and output, from the workspace, with the call's key", async () => {
    await using place = await makePlace();
    const shell = createShell(openPorts(place));
    await shell.check(null);
    expect(
      await shell.run(
        { command: "pwd; echo $AGENTS_IDEMPOTENCY_KEY; echo e >&2; exit 3" },
        context(),
      ),
    ).toEqual({
      exit_code: 3,
      stdout: `${place.workspace}\nrun/step/1.0\n`,
      stderr: "e\n",
    });
  });

  test("says when output was cut", async () => {
    await using place = await makePlace();
    const shell = createShell(openPorts(place));
    expect(await shell.run({ command: "head -c 2000000 /dev/zero" }, context())).toMatchObject({
      cut: true,
    });
  });

  test("sees neither the data folder nor the network", async () => {
    await using place = await makePlace();
    const shell = createShell(openPorts(place));
    expect(
      await shell.run(
        {
          command: `cat ${place.dataDir}/agents.db 2>/dev/null; ls /sys 2>/dev/null; cat /proc/net/dev | grep -c :`,
        },
        context(),
      ),
    ).toEqual({ exit_code: 0, stdout: "1\n", stderr: "" });
  });

  test("takes the shorter of the model's and the workflow's time, and the workflow's memory", async () => {
    await using place = await makePlace();
    const shell = createShell(openPorts(place));
    for (const [timeout, limit] of [
      [0.2, 30],
      [30, 0.2],
    ] as const)
      expect(
        await failureOf(shell.run({ command: "sleep 20", timeout }, context({ timeout: limit }))),
      ).toMatchObject({ code: "timeout", message: "It did not end within 0.2 s." });
    expect(
      await failureOf(
        shell.run(
          {
            command:
              "head -c 90000000 /dev/zero > /dev/shm/a; head -c 90000000 /dev/zero > /tmp/a; sleep 20",
          },
          context({ memory: "64m" }),
        ),
      ),
    ).toMatchObject({ code: "tool_failed", message: "It needed more than 64 MiB of memory." });
  });
});

test("shell refuses a config that it does not know", async () => {
  await using place = await makePlace();
  const shell = createShell(openPorts(place));
  for (const config of [
    { memory: "1k" },
    { memory: "much" },
    { network: "yes" },
    { timeout: 0 },
    { unknown: 1 },
  ])
    expect(await failureOf(shell.check(config))).toMatchObject({ code: "invalid" });
});

test("shell is refused without a sandbox, and nothing ran", async () => {
  await using place = await makePlace();
  const shell = createShell(openPorts(place, { machine: { which: () => undefined } }));
  expect(await failureOf(shell.check(null))).toMatchObject({ code: "sandbox_unavailable" });
  expect(await failureOf(shell.run({ command: "echo x > ran" }, context()))).toMatchObject({
    code: "sandbox_unavailable",
  });
  expect(await Bun.file(join(place.workspace, "ran")).exists()).toBe(false);
});
