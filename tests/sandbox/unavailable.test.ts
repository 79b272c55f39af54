import { describe, expect, test } from "bun:test";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { explainBubblewrap, missingBubblewrap } from "../../src/sandbox/bubblewrap-failure.ts";
import { bubblewrapArguments } from "../../src/sandbox/bubblewrap-arguments.ts";
import { dockerArguments } from "../../src/sandbox/docker.ts";
import type { ConfinedJob } from "../../src/sandbox/confinement.ts";
import type { ProgramRequest } from "../../src/domain/program.ts";
import { seccompFilter } from "../../src/sandbox/seccomp.ts";
import { until } from "../process/support.ts";
import {
  failureOf,
  makePlace,
  newMachine,
  openPorts,
  request,
  SANDBOX_MISSING,
  shell,
  spec,
} from "./support.ts";

const job: ConfinedJob = {
  command: (place) => ["python3", "-c", "…", place],
  env: { TOKEN: "a=b" },
  workspace: { path: "/w,x", hidden: [] },
  folder: "/w,x/sub",
  readable: [{ source: "/home/a/agents", target: "/agents-runtime/bun" }],
  network: false,
  limits: { timeMs: 1_500, memoryBytes: 512, cpuCount: 0.5 },
  dataBytesMax: 512,
  onOutput: () => {},
};

const missingOn = (manager: string) =>
  missingBubblewrap((name) => (name === manager ? name : undefined));

const explain = (path: string, value: string) =>
  explainBubblewrap("bwrap: setting up uid map: Permission denied\n", (asked) =>
    asked === path ? value : undefined,
  );

/** A program in place of docker: what it is asked stands in the file `asked`. */
const fakeDocker = async (folder: string, script: string) => {
  await mkdir(folder, { recursive: true });
  const path = join(folder, "docker");
  await writeFile(path, `#!/bin/sh\necho "$@" >> ${folder}/asked\n${script}\n`);
  await chmod(path, 0o755);
  return path;
};

describe("check()", () => {
  test("says which package to install where bubblewrap is missing", () => {
    expect(missingOn("apt-get")).toMatchObject({
      code: "sandbox_unavailable",
      message: "There is no sandbox on this machine: bubblewrap (bwrap) is not installed.",
      fix: "Install it with `sudo apt-get install bubblewrap`.",
    });
    expect(missingOn("dnf").fix).toBe("Install it with `sudo dnf install bubblewrap`.");
    expect(missingOn("none").fix).toBe("Install the package bubblewrap.");
  });

  test("says how to allow user namespaces where they are forbidden", () => {
    expect(explain("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1")).toMatchObject({
      code: "sandbox_unavailable",
      message:
        "There is no sandbox on this machine: user namespaces are forbidden here (setting up uid map: Permission denied).",
      fix: expect.stringContaining("AppArmor"),
    });
    expect(explain("/proc/sys/kernel/unprivileged_userns_clone", "0").fix).toContain(
      "kernel.unprivileged_userns_clone=1",
    );
    expect(explain("/proc/sys/user/max_user_namespaces", "0").fix).toContain(
      "user.max_user_namespaces=10000",
    );
    expect(explain("", "").fix).toContain("In a container");
  });

  test.skipIf(SANDBOX_MISSING !== undefined)(
    "tells a machine that really forbids user namespaces, once a minute, and nothing runs",
    async () => {
      await using place = await makePlace();
      let now = 1_000;
      const started: string[] = [];
      const real = newMachine();
      const { sandbox } = openPorts(place, {
        machine: {
          clock: { ...real.clock, now: () => now },
          startProgram: (asked: ProgramRequest) => {
            started.push(asked.command.join(" "));
            // Everything runs where no further user namespace may be made.
            const forbidding = [
              "bwrap",
              "--unshare-user",
              "--disable-userns",
              "--dev-bind",
              "/",
              "/",
              "--",
            ];
            const bwrap = Bun.which("bwrap") ?? "";
            return real.startProgram({
              ...asked,
              command: [bwrap, ...forbidding.slice(1), ...asked.command],
            });
          },
        },
      });
      const run = () => failureOf(sandbox.run(shell("echo x > ran"), spec()));
      const first = await run();
      expect(first).toMatchObject({
        code: "sandbox_unavailable",
        message: expect.stringContaining("user namespaces are forbidden here"),
      });
      const count = started.length;
      expect(await run()).toBe(first);
      expect(started).toHaveLength(count);
      now += 60_000;
      expect(await run()).toMatchObject({ code: "sandbox_unavailable" });
      expect(started.length).toBeGreaterThan(count);
      expect(await Bun.file(join(place.workspace, "ran")).exists()).toBe(false);
    },
  );

  test("refuses other systems than Linux", async () => {
    await using place = await makePlace();
    for (const platform of ["darwin", "win32"] as const) {
      const { sandbox } = openPorts(place, { machine: { platform } });
      for (const work of [sandbox.check(spec()), sandbox.run(shell("echo x > ran"), spec())])
        expect(await failureOf(work)).toMatchObject({
          code: "sandbox_unavailable",
          message:
            "There is no sandbox on this machine: it is made by bubblewrap, which is for Linux.",
        });
    }
    expect(await Bun.file(join(place.workspace, "ran")).exists()).toBe(false);
  });
});

test("bubblewrapArguments() shows nothing that is hidden, and leaves out what an old version does not know", () => {
  const hidden = [
    { path: "/w/data", kind: "folder" },
    { path: "/w/.env", kind: "file" },
    { path: "/usr/local/agents", kind: "folder" },
    { path: "/home/a", kind: "folder" },
  ] as const;
  const all = bubblewrapArguments(
    { ...job, workspace: { path: "/w", hidden } },
    { features: new Set(["--size", "--disable-userns"] as const), seccomp: true },
  ).join(" ");
  expect(all).toContain(
    "--tmpfs /usr/local/agents --bind /w /w --tmpfs /w/data --ro-bind /dev/null /w/.env --remount-ro /w/data --remount-ro /usr/local/agents --remount-ro / --chdir",
  );
  expect(all).toContain("--proc /proc --remount-ro /proc");
  expect(all).toContain("--unshare-net");
  expect(all).not.toContain("/home/a ");
  const old = bubblewrapArguments(
    { ...job, network: true },
    { features: new Set(), seccomp: false },
  ).join(" ");
  expect(old).not.toMatch(/--size|--disable-userns|--seccomp|--unshare-net/);
  expect(old).toContain("/etc/resolv.conf");
  expect(old).not.toContain("/etc/ssl/private");
});

test("seccompFilter() is there for the processors that Bun runs on, and ends in an answer", () => {
  for (const architecture of ["x64", "arm64"]) {
    const filter = seccompFilter(architecture);
    const view = new DataView(filter?.buffer ?? new ArrayBuffer(8));
    const count = view.byteLength / 8;
    expect(count).toBeGreaterThan(50);
    for (let index = 0; index < count; index += 1) {
      const reach = Math.max(view.getUint8(index * 8 + 2), view.getUint8(index * 8 + 3));
      // Every jump lands inside, and the last instruction returns.
      expect(index + 1 + reach).toBeLessThan(count + (index === count - 1 ? 1 : 0));
    }
    expect(view.getUint16((count - 1) * 8, true)).toBe(0x06);
  }
  expect(seccompFilter("mips")).toBeUndefined();
});

describe("docker", () => {
  test("is started with everything confined", () => {
    const ids = `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`;
    const text = dockerArguments(job, { name: "agents-1", resultFolder: "/tmp/r" });
    expect(text).toEqual(
      [
        ["run", "--rm", "--interactive", "--init", "--pull", "never", "--name", "agents-1"],
        ["--network", "none", "--hostname", "sandbox"],
        ["--memory", "512b", "--memory-swap", "512b", "--cpus", "0.5", "--pids-limit", "256"],
        ["--ulimit", "core=0", "--ulimit", "fsize=1073741824", "--ulimit", "nofile=1024"],
        ["--read-only", "--tmpfs", "/tmp:rw,nosuid,nodev,exec,size=512", "--user", ids],
        ["--cap-drop", "ALL", "--security-opt", "no-new-privileges"],
        ["--env", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
        ["--env", "HOME=/tmp", "--env", "TMPDIR=/tmp", "--env", "LANG=C.UTF-8"],
        ["--env", "TERM=dumb", "--env", "USER=agents", "--env", "LOGNAME=agents"],
        ["--env", "TOKEN=a=b"],
        ["--mount", 'type=bind,"source=/w,x","target=/w,x"'],
        ["--mount", "type=bind,source=/tmp/r,target=/agents"],
        ["--mount", "type=bind,source=/home/a/agents,target=/agents-runtime/bun,readonly"],
        ["--workdir", "/w,x/sub", "python:3.11-slim", "timeout", "--signal", "KILL", "3s"],
        ["python3", "-c", "…", "/agents/result.json"],
      ].flat(),
    );
    expect(
      dockerArguments({ ...job, network: true }, { name: "n", resultFolder: "/r" }).join(" "),
    ).toContain("--network bridge");
  });

  const docker = spec({}, { mode: "docker" });
  const unavailable = async (which: (name: string) => string | undefined) => {
    await using place = await makePlace();
    return await failureOf(
      openPorts(place, { machine: { which } }).sandbox.run(shell("echo x > ran"), docker),
    );
  };

  test("is refused where it is not installed, does not answer, or has no image", async () => {
    expect(await unavailable(() => undefined)).toMatchObject({
      code: "sandbox_unavailable",
      message: "There is no Docker sandbox here: Docker is not installed.",
    });
    await using place = await makePlace();
    const silent = await fakeDocker(join(place.root, "a"), "echo no daemon >&2; exit 1");
    expect(await unavailable(() => silent)).toMatchObject({
      code: "sandbox_unavailable",
      message: "There is no Docker sandbox here: Docker does not answer.",
    });
    const empty = await fakeDocker(join(place.root, "b"), '[ "$1" = version ]');
    expect(await unavailable(() => empty)).toMatchObject({
      code: "sandbox_unavailable",
      message: "There is no Docker sandbox here: Docker does not have the image python:3.11-slim.",
      fix: "Get it with `docker pull python:3.11-slim`.",
    });
  });

  test("has its container killed at an abort", async () => {
    await using place = await makePlace();
    const folder = join(place.root, "bin");
    const path = await fakeDocker(folder, "case $1 in run) exec sleep 100;; esac");
    const cancel = new AbortController();
    const work = openPorts(place, { machine: { which: () => path } }).sandbox.run(
      request(["true"], { signal: cancel.signal }),
      docker,
    );
    const asked = () => Bun.file(join(folder, "asked")).text();
    await until("it to run", async () => (await asked().catch(() => "")).includes("\nrun "));
    cancel.abort("stop");
    expect(await failureOf(work)).toBe("stop");
    const text = await asked();
    const name = /--name (\S+)/.exec(text)?.[1];
    expect(text.trim().split("\n").at(-1)).toBe(`kill ${name}`);
  });

  test("is refused when the data folder would be seen", async () => {
    await using place = await makePlace();
    const path = await fakeDocker(join(place.root, "bin"), "exit 0");
    const { sandbox } = openPorts(
      { dataDir: place.dataDir, workspace: place.root },
      { machine: { which: () => path } },
    );
    expect(await failureOf(sandbox.run(shell("true"), docker))).toMatchObject({
      code: "sandbox_unavailable",
      message: "There is no Docker sandbox here: the data folder lies inside of the workspace.",
    });
  });
});
