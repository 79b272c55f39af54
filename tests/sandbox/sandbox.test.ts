/**
 * What a confined program can do: attacks on a real sandbox. What it must not be able to write outside of the
 * workspace is asked (`test -w`), never tried, so that a hole in the sandbox does no harm to the machine
 * that finds it.
 */
import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { systemClock } from "../../src/lib/clock.ts";
import { newTag, tagged, until } from "../process/support.ts";
import {
  failureOf,
  makePlace,
  MIBIBYTE,
  openPorts,
  request,
  SANDBOX_MISSING,
  shell,
  spec,
} from "./support.ts";

const confined = SANDBOX_MISSING === undefined;
/** The shells that the fixture ends up with, each waiting in a `sleep`. */
const inner = (tag: string) =>
  tagged(tag).filter(({ command }) => command.startsWith("sh -c sleep 100")).length;

async function run(script: string, options: Parameters<typeof openPorts>[1] = {}) {
  await using place = await makePlace();
  return await openPorts(place, options).sandbox.run(shell(script), spec());
}

describe.skipIf(!confined)("a confined program", () => {
  test("gives its output and exit code", async () => {
    expect(await run("cat; echo out; echo err >&2; exit 3")).toEqual({
      exitCode: 3,
      stdout: "out\n",
      stderr: "err\n",
      cut: false,
    });
  });

  test("gets its standard input and its environment, and nothing else of it", async () => {
    await using place = await makePlace();
    const { sandbox } = openPorts(place, {
      machine: { environment: { ...process.env, OPENAI_API_KEY: "sk-secret-key" } },
    });
    const done = await sandbox.run(
      request(
        ["/bin/sh", "-c", "cat; env | grep -v ^PWD= | sort; cat /proc/1/environ /proc/1/cmdline"],
        {
          stdin: "hello\n",
          env: { TOKEN: "t-1" },
        },
      ),
      spec(),
    );
    const [environment] = done.stdout.split("bwrap");
    expect(environment?.replace(/PWD=.*$/s, "")).toBe(
      [
        "hello",
        "HOME=/tmp",
        "LANG=C.UTF-8",
        "LOGNAME=agents",
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "TERM=dumb",
        "TMPDIR=/tmp",
        "TOKEN=t-1",
        "USER=agents",
        "",
      ].join("\n"),
    );
    expect(done.stdout).not.toContain("sk-secret-key");
  });

  test("sees the workspace alone of the data folder", async () => {
    await using place = await makePlace();
    await writeFile(join(place.workspace, "in.txt"), "mine");
    const { sandbox } = openPorts(place);
    const done = await sandbox.run(
      shell(`cat in.txt; ls ..; cat ../agents.db ${place.dataDir}/agents.db; ls ${place.root}`),
      spec(),
    );
    expect(done.stdout).toBe("mineworkspace\ndata\n");
    expect(done.stderr.match(/No such file or directory/g)).toHaveLength(2);
  });

  test("sees no data folder inside of a workspace, and cannot write to it", async () => {
    await using place = await makePlace();
    const { sandbox } = openPorts({ dataDir: place.dataDir, workspace: place.root });
    const done = await sandbox.run(shell("ls -A data; echo x > data/y; ls"), spec());
    expect(done.stdout).toBe("data\n");
    expect(done.stderr).toContain("Read-only file system");
    expect(await readdir(place.dataDir)).toEqual(["agents.db", "workspace"]);
  });

  test("sees no hidden file inside of a workspace", async () => {
    await using place = await makePlace();
    const secret = join(place.workspace, ".env");
    await writeFile(secret, "KEY=1");
    const { sandbox } = openPorts(place, { hidden: [secret] });
    expect((await sandbox.run(shell("cat .env; echo end"), spec())).stdout).toBe("end\n");
    expect(await readFile(secret, "utf8")).toBe("KEY=1");
  });

  test("cannot rename the folders that lead to what is hidden, and so open it", async () => {
    await using place = await makePlace();
    const dataDir = join(place.workspace, "a", "b", "data");
    const file = join(place.workspace, "c", "agents.db");
    await mkdir(dataDir, { recursive: true });
    await mkdir(dirname(file));
    await Promise.all([join(dataDir, "secret.key"), file].map((path) => writeFile(path, "SECRET")));
    const { sandbox } = openPorts({ dataDir, workspace: place.workspace }, { hidden: [file] });
    await sandbox.run(shell("mv a x; mv a/b y; mv c z; mv a/b/data a/w; rm -r a c"), spec());
    const after = await sandbox.run(shell("grep -r SECRET . 2>/dev/null; echo end"), spec());
    expect(after.stdout).toBe("end\n");
    expect(await readFile(file, "utf8")).toBe("SECRET");
    // Beside it, work goes on as everywhere.
    await sandbox.run(shell("echo x > a/b/new && mv a/b/new a/b/other"), spec());
    expect((await readdir(join(place.workspace, "a", "b"))).toSorted()).toEqual(["data", "other"]);
  });

  test("does not follow a link to the data folder to what is there", async () => {
    await using place = await makePlace();
    await symlink(place.dataDir, join(place.workspace, "link"));
    await symlink(join(place.dataDir, "agents.db"), join(place.workspace, "file"));
    const { sandbox } = openPorts(place);
    const done = await sandbox.run(shell("cat link/agents.db file; echo x > link/new"), spec());
    expect(done.stdout).toBe("");
    expect(existsSync(join(place.dataDir, "new"))).toBe(false);
    for (const folder of ["link", "..", "/etc", "link/../.."]) {
      expect(
        await failureOf(sandbox.run(request(["/bin/true"], { folder }), spec())),
      ).toMatchObject({ code: "forbidden" });
    }
  });

  test("works in a folder of the workspace", async () => {
    await using place = await makePlace();
    await mkdir(join(place.workspace, "sub"));
    const { sandbox } = openPorts(place);
    const done = await sandbox.run(request(["pwd"], { folder: "sub" }), spec());
    expect(done.stdout).toBe(`${place.workspace}/sub\n`);
    expect(
      await failureOf(sandbox.run(request(["pwd"], { folder: "none" }), spec())),
    ).toMatchObject({ code: "not_found" });
  });

  test("sees neither the home folder nor the password file", async () => {
    const file = join(homedir(), `.agents-test-${crypto.randomUUID()}`);
    await writeFile(file, "SECRET-HOME");
    try {
      const done = await run(
        `cat ${file}; ls -A ${homedir()} /home; cat /etc/shadow; cat /etc/passwd`,
      );
      expect(done.stdout).toMatch(/^agents:x:\d+:\d+::\/tmp:\/bin\/sh\n$/);
    } finally {
      await Bun.file(file).delete();
    }
  });

  test("writes to the workspace, /tmp and /dev/shm and nowhere else", async () => {
    await using place = await makePlace();
    const { sandbox } = openPorts(place);
    const script = [
      "for f in . /tmp /dev/shm; do [ -w $f ] && echo writes $f; done",
      "echo kept > kept.txt",
      "for f in / /usr /usr/bin /etc /etc/passwd /dev /run /var /proc; do [ -w $f ] && echo HOLE $f; done",
      // Settings of the kernel: writable for root where the process table is not read-only.
      "for f in /proc/sys/kernel/core_pattern /proc/sys/vm/drop_caches /proc/sysrq-trigger /proc/self/oom_score_adj; do [ -w $f ] && echo HOLE $f; done",
      "find /proc/sys -writable 2>/dev/null | head -n 3",
      "find / -xdev -writable -not -type l -not -path /tmp 2>/dev/null | head -n 3",
      "echo end",
    ].join("\n");
    const done = await sandbox.run(shell(script), spec());
    expect(done.stdout).toBe("writes .\nwrites /tmp\nwrites /dev/shm\nend\n");
    expect(await readFile(join(place.workspace, "kept.txt"), "utf8")).toBe("kept\n");
  });

  test("has no capability, no new privileges, and no open file of ours", async () => {
    const done = await run(
      "grep -E '^(CapEff|CapBnd|NoNewPrivs|Seccomp):' /proc/self/status; readlink /proc/self/fd/* /proc/1/fd/* | sed 's/[0-9]\\+//g' | sort -u",
    );
    const [effective, bounding, privileges, filter, ...files] = done.stdout.trim().split("\n");
    expect([effective, bounding, privileges, filter].map((line) => line?.split("\t")[1])).toEqual([
      "0000000000000000",
      "0000000000000000",
      "1",
      "2",
    ]);
    for (const file of files)
      expect(file).toMatch(
        /^(?:\/dev\/null|socket:\[\]|pipe:\[\]|anon_inode:\[eventfd\]|\/proc\/.*|\/\S+\/agents-[-a-f]+ \(deleted\))$/,
      );
  });

  test("makes no namespace, no keyring and no socket to a virtual machine's host", async () => {
    const python = [
      "import ctypes, errno, socket",
      "libc = ctypes.CDLL(None, use_errno=True)",
      "def tried(r): print('done' if r >= 0 else errno.errorcode[ctypes.get_errno()])",
      "tried(libc.unshare(0x10000000))",
      "import platform",
      "n = {'x86_64': (250, 319), 'aarch64': (219, 279)}[platform.machine()]",
      "tried(libc.syscall(n[0], 0, -3, 0))",
      "tried(libc.syscall(n[1], b'm', 0))",
      "for family in (40, 38):",
      "  try: socket.socket(family, socket.SOCK_STREAM); print('done')",
      "  except OSError as e: print(errno.errorcode[e.errno])",
      "socket.socket(); socket.socketpair(); print('own')",
      "import threading; t = threading.Thread(target=lambda: print('thread')); t.start(); t.join()",
      "import subprocess; print(subprocess.run(['echo', 'child'], capture_output=True).stdout)",
    ].join("\n");
    await using place = await makePlace();
    const done = await openPorts(place).sandbox.run(
      request(["/usr/bin/python3", "-c", python]),
      spec(),
    );
    expect(done).toEqual({
      exitCode: 0,
      stdout: "EPERM\nEPERM\nENOSYS\nEAFNOSUPPORT\nEAFNOSUPPORT\nown\nthread\nb'child\\n'\n",
      stderr: "",
      cut: false,
    });
  });

  test("reaches neither a server of this machine nor others without the network, and does with it", async () => {
    const requests: string[] = [];
    using server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: (incoming) => {
        requests.push(incoming.url.replace(/^.*\//, ""));
        return new Response("hello");
      },
    });
    const python = [
      "import socket, sys",
      "for where in (('127.0.0.1', int(sys.argv[1])), ('192.0.2.1', 80), ('2001:db8::1', 80)):",
      "  try:",
      "    s = socket.create_connection(where, 3); print('connected')",
      "    s.sendall(b'GET /' + sys.argv[2].encode() + b' HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n'); s.recv(9)",
      "    if where[0] == '127.0.0.1' and sys.argv[2] == 'on': break",
      "  except OSError as e: print(type(e).__name__, e.errno)",
    ].join("\n");
    await using place = await makePlace();
    const { sandbox } = openPorts(place);
    const connect = (word: string, network: boolean) =>
      sandbox.run(
        request(["/usr/bin/python3", "-c", python, String(server.port), word]),
        spec({}, { network }),
      );
    // ECONNREFUSED of its own loopback, ENETUNREACH of the rest.
    expect((await connect("off", false)).stdout).toBe(
      "ConnectionRefusedError 111\nOSError 101\nOSError 101\n",
    );
    expect((await connect("on", true)).stdout).toBe("connected\n");
    expect(requests).toEqual(["on"]);
  });

  test("is ended at its time limit, with all that it started", async () => {
    await using place = await makePlace();
    const tag = newTag();
    const work = openPorts(place).sandbox.run(
      shell(`trap '' TERM; setsid sh -c 'sleep 100; : ${tag}' & sh -c 'sleep 100; : ${tag}'`),
      spec({ timeMs: 400 }),
    );
    await until("it to run", () => tagged(tag).length >= 3);
    expect(await failureOf(work)).toMatchObject({
      code: "timeout",
      message: "It did not end within 0.4 s.",
    });
    expect(tagged(tag)).toEqual([]);
  });

  test("is ended by an abort within a second, with all that it started", async () => {
    await using place = await makePlace();
    const tag = newTag();
    const cancel = new AbortController();
    const work = openPorts(place).sandbox.run(
      shell(`trap '' TERM; setsid sh -c 'sleep 100; : ${tag}' & sh -c 'sleep 100; : ${tag}'`, {
        signal: cancel.signal,
      }),
      spec(),
    );
    await until("it to run", () => tagged(tag).length >= 3);
    const reason = new Error("stopped by a person");
    const began = performance.now();
    cancel.abort(reason);
    expect(await failureOf(work)).toBe(reason);
    expect(performance.now() - began).toBeLessThan(1_000);
    expect(tagged(tag)).toEqual([]);
    expect(
      await failureOf(openPorts(place).sandbox.run(shell("", { signal: cancel.signal }), spec())),
    ).toBe(reason);
  });

  test("leaves no background process behind when it ends", async () => {
    await using place = await makePlace();
    const tag = newTag();
    const done = await openPorts(place).sandbox.run(
      shell(`setsid sh -c 'sleep 100; : ${tag}' >/dev/null 2>&1 & sleep 100 & echo end`),
      spec(),
    );
    expect(done.stdout).toBe("end\n");
    expect(tagged(tag)).toEqual([]);
  });

  test("is ended when all of its processes take more memory than they may", async () => {
    await using place = await makePlace();
    const script = "import time; x = bytearray(60 << 20); time.sleep(60)";
    const error = await failureOf(
      openPorts(place).sandbox.run(
        shell(`for i in 1 2 3 4 5; do /usr/bin/python3 -c '${script}' & done; wait`),
        spec({ memoryBytes: 128 * MIBIBYTE }),
      ),
    );
    expect(error).toMatchObject({
      code: "command_failed",
      message: "It needed more than 128 MiB of memory.",
    });
  });

  test("gets no more memory for one process than it may", async () => {
    await using place = await makePlace();
    const done = await openPorts(place).sandbox.run(
      request(["/usr/bin/python3", "-c", "bytearray(1 << 30)"]),
      spec({ memoryBytes: 128 * MIBIBYTE }),
    );
    expect({ ...done, stderr: done.stderr.trim().split("\n").at(-1) }).toEqual({
      exitCode: 1,
      stdout: "",
      stderr: "MemoryError",
      cut: false,
    });
  });

  test("cannot use files in memory to get more", async () => {
    await using place = await makePlace();
    const done = await openPorts(place)
      .sandbox.run(
        shell(
          "head -c 100000000 /dev/zero > /tmp/a; head -c 100000000 /dev/zero > /dev/shm/b; sleep 60",
        ),
        spec({ memoryBytes: 64 * MIBIBYTE }),
      )
      .catch((error: unknown) => error);
    expect(done).toMatchObject({ code: "command_failed" });
  });

  // A number of sleeping processes, not a fork bomb: for root only our look ends it, and until then it would
  // take the machine that runs the tests.
  test("starts no more processes than it may", async () => {
    await using place = await makePlace();
    const tag = newTag();
    const script = `i=0; while [ $i -lt 400 ]; do sh -c 'sleep 100; : ${tag}' & i=$((i+1)); done; wait`;
    const outcome: unknown = await openPorts(place)
      .sandbox.run(shell(script), spec({ timeMs: 10_000 }))
      .catch((error: unknown) => error);
    // For a plain user the kernel starts no more.
    expect(outcome).toMatchObject(
      process.getuid?.() === 0
        ? { code: "command_failed", message: "It started more than 256 processes." }
        : { exitCode: 2, stderr: expect.stringContaining("Cannot fork") },
    );
    expect(tagged(tag)).toEqual([]);
  });

  test("has the first mebibyte of its output kept, and is told where it was cut", async () => {
    await using place = await makePlace();
    let seen = 0;
    const notices: string[] = [];
    const done = await openPorts(place).sandbox.run(
      shell("head -c 50000000 /dev/zero | tr '\\0' 'é'; echo end >&2", {
        onOutput: (stream, text) => {
          if (text.includes("dropped")) notices.push(`${stream}: ${text}`);
          else seen += text.length;
        },
      }),
      spec(),
    );
    expect({ ...done, stdout: done.stdout.length }).toEqual({
      exitCode: 0,
      stdout: MIBIBYTE,
      stderr: "end\n",
      cut: true,
    });
    expect(seen).toBe(MIBIBYTE + "end\n".length);
    expect(notices).toEqual(["stdout: \n[The rest of the output was dropped.]\n"]);
  });

  test("writes no file above the limit", async () => {
    const done = await run("ulimit -f; ulimit -n; ulimit -c");
    expect(done.stdout).toBe("2097152\n1024\n0\n");
  });

  test("is kept to the processors that it may use", async () => {
    await using place = await makePlace();
    const done = await openPorts(place).sandbox.run(request(["nproc"]), spec({ cpuCount: 0.5 }));
    expect(done.stdout).toBe("1\n");
  });

  test("is told while it runs", async () => {
    await using place = await makePlace();
    const cancel = new AbortController();
    const work = openPorts(place).sandbox.run(
      shell("echo first; sleep 100", {
        signal: cancel.signal,
        onOutput: (stream, text) => cancel.abort(`${stream} ${text}`),
      }),
      spec(),
    );
    expect(await failureOf(work)).toBe("stdout first\n");
  });

  test("has no variable that would become an argument of the sandbox", async () => {
    await using place = await makePlace();
    const { sandbox } = openPorts(place);
    for (const env of [{ A: `x\0--bind\0/\0/` }, { "A B": "x" }, { "": "x" }]) {
      expect(await failureOf(sandbox.run(request(["/bin/true"], { env }), spec()))).toMatchObject({
        code: "invalid",
      });
    }
  });

  test("is not found where it is not installed", async () => {
    await using place = await makePlace();
    expect(
      await failureOf(openPorts(place).sandbox.run(request(["no-such-program"]), spec())),
    ).toMatchObject({
      code: "not_found",
      message: "The program no-such-program is not installed.",
    });
  });

  test("dies with the process that started it, SIGKILL included", async () => {
    await using place = await makePlace();
    const tag = newTag();
    const worker = Bun.spawn(
      [process.execPath, join(import.meta.dir, "fixture/worker.ts"), place.workspace, tag],
      { stdout: "pipe", stderr: "inherit" },
    );
    await until("both programs to run", () => inner(tag) === 4);
    worker.kill("SIGKILL");
    await worker.exited;
    await until("nothing to be left", () => tagged(tag).length === 0, 2_000);
  });

  test("dies with the process that started it at whatever moment that is killed", async () => {
    await using place = await makePlace();
    for (let round = 0; round < 8; round += 1) {
      const tag = newTag();
      const worker = Bun.spawn(
        [process.execPath, join(import.meta.dir, "fixture/worker.ts"), place.workspace, tag],
        { stdout: "pipe", stderr: "inherit" },
      );
      // One process more each round: also while the sandbox is being set up.
      await until("it to begin", () => tagged(tag).length > 1 + round / 2);
      worker.kill("SIGKILL");
      await worker.exited;
      await until("nothing to be left", () => tagged(tag).length === 0, 2_000);
    }
  });

  test("is ended by an abort at whatever moment that comes", async () => {
    await using place = await makePlace();
    const { sandbox } = openPorts(place);
    await sandbox.check(spec());
    for (let round = 0; round < 15; round += 1) {
      const tag = newTag();
      const cancel = new AbortController();
      const work = sandbox.run(shell(`sleep 100; : ${tag}`, { signal: cancel.signal }), spec());
      const late = failureOf(work);
      await systemClock.sleep(round);
      cancel.abort("stop");
      expect(await late).toBe("stop");
      // What guards the group may take a moment more to go than the program.
      await until("nothing to be left", () => tagged(tag).length === 0, 500);
    }
  });
});

test("createSandbox() refuses folders that would show everything", async () => {
  await using place = await makePlace();
  for (const workspace of ["/", "/tmp", place.dataDir]) {
    const { sandbox } = openPorts({ dataDir: place.dataDir, workspace });
    if (confined)
      expect(await failureOf(sandbox.run(shell("true"), spec()))).toMatchObject({
        code: "forbidden",
      });
  }
});
