import { describe, expect, test } from "bun:test";
import { chmod, mkdir, symlink, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { newTag, tagged, until } from "../process/support.ts";
import {
  failureOf,
  makePlace,
  MIBIBYTE,
  openPorts,
  request,
  SANDBOX_MISSING,
  spec,
} from "./support.ts";

const confined = SANDBOX_MISSING === undefined;
const posix = process.platform !== "win32";
const allowedCommands = ["sh"];

const readSecret = (place: { dataDir: string }) => [
  "-c",
  `cat ${place.dataDir}/agents.db; echo end`,
];

describe.skipIf(!posix)("an allowed command", () => {
  test("runs bare, with a scrubbed environment, its input and its folder", async () => {
    await using place = await makePlace();
    await mkdir(join(place.workspace, "sub"));
    const { commands } = openPorts(place, {
      allowedCommands,
      machine: {
        environment: {
          PATH: process.env["PATH"],
          HOME: "/home/someone",
          LANG: "C",
          LC_ALL: "C",
          USER: "someone",
          OPENAI_API_KEY: "sk-secret-key",
          AGENTS_ADMIN_PASSWORD: "secret",
          TERM: "xterm",
        },
      },
    });
    const script =
      "cat; pwd; env | grep -v -E '^(PWD|OLDPWD|SHLVL|_|PATH)=' | sort; cat ../../agents.db; exit 4";
    const done = await commands.run(
      request(["sh", "-c", script], { stdin: "hello\n", env: { TOKEN: "t" }, folder: "sub" }),
      spec(),
    );
    expect(done).toEqual({
      exitCode: 4,
      stdout: `hello\n${place.workspace}/sub\nHOME=/home/someone\nLANG=C\nLC_ALL=C\nTERM=dumb\nTOKEN=t\nUSER=someone\nSECRET-DATA`,
      stderr: "",
      cut: false,
    });
  });

  test("has nothing to read without a prompt, and keeps one mebibyte of output", async () => {
    await using place = await makePlace();
    const { commands } = openPorts(place, { allowedCommands });
    const done = await commands.run(
      request(["sh", "-c", "cat; head -c 3000000 /dev/zero"]),
      spec(),
    );
    expect({ ...done, stdout: done.stdout.length }).toEqual({
      exitCode: 0,
      stdout: MIBIBYTE,
      stderr: "",
      cut: true,
    });
  });

  test("is asked to end at its time limit, then killed with all of its group", async () => {
    await using place = await makePlace();
    const { commands } = openPorts(place, { allowedCommands });
    const tag = newTag();
    const output: string[] = [];
    const work = commands.run(
      request(
        [
          "sh",
          "-c",
          `trap 'echo asked' TERM; sh -c 'trap "" TERM; sleep 100; : ${tag}' & while :; do sleep 1; done`,
        ],
        { onOutput: (stream, text) => stream === "stdout" && output.push(text) },
      ),
      spec({ timeMs: 300 }),
    );
    expect(await failureOf(work)).toMatchObject({ code: "timeout" });
    expect(output).toEqual(["asked\n"]);
    expect(tagged(tag)).toEqual([]);
  });

  test("is ended by an abort, with what it left in the background", async () => {
    await using place = await makePlace();
    const { commands } = openPorts(place, { allowedCommands });
    const tag = newTag();
    const cancel = new AbortController();
    const work = commands.run(
      request(["sh", "-c", `sh -c 'sleep 100; : ${tag}' & sleep 100`], { signal: cancel.signal }),
      spec(),
    );
    await until("it to run", () =>
      tagged(tag).some(({ command }) => command.startsWith("sh -c sleep")),
    );
    const began = performance.now();
    cancel.abort("stop");
    expect(await failureOf(work)).toBe("stop");
    expect(performance.now() - began).toBeLessThan(1_000);
    expect(tagged(tag)).toEqual([]);
  });

  test("leaves nothing behind when it ends by itself", async () => {
    await using place = await makePlace();
    const { commands } = openPorts(place, { allowedCommands });
    const tag = newTag();
    await commands.run(request(["sh", "-c", `sh -c 'sleep 100; : ${tag}' & exit 0`]), spec());
    await until("nothing to be left", () => tagged(tag).length === 0, 1_000);
  });

  test("may not leave the workspace by its folder", async () => {
    await using place = await makePlace();
    await symlink(place.dataDir, join(place.workspace, "link"));
    const { commands } = openPorts(place, { allowedCommands });
    for (const folder of ["..", "/etc", "link"])
      expect(
        await failureOf(commands.run(request(["sh", "-c", "pwd"], { folder }), spec())),
      ).toMatchObject({ code: "forbidden" });
  });

  test("may not set variables that make it run other code", async () => {
    await using place = await makePlace();
    const { commands } = openPorts(place, { allowedCommands });
    const run = commands.run(
      request(["sh", "-c", "true"], { env: { LD_PRELOAD: "/x.so" } }),
      spec(),
    );
    expect(await failureOf(run)).toMatchObject({
      code: "forbidden",
      message: "A command may not set LD_PRELOAD: it makes programs run other code.",
    });
  });

  test("is not found where it is not installed", async () => {
    await using place = await makePlace();
    const { commands } = openPorts(place, { allowedCommands: ["no-such-program"] });
    expect(await failureOf(commands.run(request(["no-such-program"]), spec()))).toMatchObject({
      code: "not_found",
      message: "The program no-such-program is not installed.",
      fix: "Install no-such-program on this machine and put it on the PATH.",
    });
  });
});

describe.skipIf(!confined)("a command that is not allowed", () => {
  test("runs in the sandbox, also by a path or a name that only looks allowed", async () => {
    await using place = await makePlace();
    await writeFile(join(place.workspace, "sh"), '#!/bin/sh\nexec /bin/sh "$@"\n');
    await chmod(join(place.workspace, "sh"), 0o755);
    const { commands } = openPorts(place, { allowedCommands });
    for (const name of ["/bin/sh", "./sh", join(place.workspace, "sh"), "dash"]) {
      const done = await commands.run(request([name, ...readSecret(place)]), spec());
      expect(`${name}: ${done.stdout}`).toBe(`${name}: end\n`);
    }
  });

  test("runs bare by a path that is allowed as it is", async () => {
    await using place = await makePlace();
    const { commands } = openPorts(place, { allowedCommands: ["/bin/sh"] });
    const done = await commands.run(request(["/bin/sh", ...readSecret(place)]), spec());
    expect(done.stdout).toBe("SECRET-DATAend\n");
  });

  test("runs in the sandbox when it was put into the workspace under an allowed name", async () => {
    await using place = await makePlace();
    await writeFile(join(place.workspace, "tool"), "#!/bin/sh\ncat ../agents.db; echo end\n");
    await chmod(join(place.workspace, "tool"), 0o755);
    const path = `${place.workspace}${delimiter}${process.env["PATH"]}`;
    const { commands } = openPorts(place, {
      allowedCommands: ["tool"],
      machine: { which: (name) => Bun.which(name, { PATH: path }) ?? undefined },
    });
    const done = await commands.run(request(["tool"], { env: { PATH: path } }), spec());
    expect(done.stdout).toBe("end\n");
  });
});

test.skipIf(!posix)(
  "a command that is not allowed is refused where there is no sandbox, and did not run",
  async () => {
    await using place = await makePlace();
    const { commands } = openPorts(place, {
      machine: { which: (name) => (name === "bwrap" ? undefined : (Bun.which(name) ?? undefined)) },
    });
    const error = await failureOf(commands.run(request(["sh", "-c", "echo x > ran"]), spec()));
    expect(error).toMatchObject({
      code: "sandbox_unavailable",
      fix: expect.stringContaining("Or allow sh outside of it with ALLOWED_COMMANDS."),
    });
    expect(await Bun.file(join(place.workspace, "ran")).exists()).toBe(false);
  },
);
