import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../src/lib/clock.ts";
import {
  acquireInstance,
  readInstance,
  stopInstance,
  watchStopFile,
} from "../../src/process/instance-lock.ts";
import { bun, FIXTURES } from "./support.ts";

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "agents-lock-"));
});
afterEach(async () => {
  await rm(dataDir, { recursive: true, force: true });
});

const info = { pid: process.pid, url: null, startedAt: 17, version: "0.1.0" };

async function startHolder() {
  const holder = Bun.spawn([bun, `${FIXTURES}/hold.ts`, dataDir], { stdout: "pipe" });
  await holder.stdout.getReader().read();
  return holder;
}

function failureOf(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return undefined;
}

test("acquireInstance() refuses a second process with the address of the first", async () => {
  const holder = await startHolder();
  expect(failureOf(() => acquireInstance(dataDir, info))).toMatchObject({
    code: "already_running",
    message: `agents is already running at http://127.0.0.1:7861 (process ${holder.pid}).`,
    fix: "Open http://127.0.0.1:7861, or end it with `agents stop`.",
  });
  expect(readInstance(dataDir)).toEqual({
    info: {
      pid: holder.pid,
      url: "http://127.0.0.1:7861",
      startedAt: expect.any(Number),
      version: "1.2.3",
    },
  });
  holder.kill("SIGKILL");
  await holder.exited;
});

test("acquireInstance() is not stopped by what a killed holder left, whoever has its number now", async () => {
  const holder = await startHolder();
  holder.kill("SIGKILL");
  await holder.exited;
  // The number of the dead holder now belongs to a living process: ours.
  const stale = { pid: process.pid, url: "http://stale", startedAt: 1, version: "0" };
  await writeFile(join(dataDir, "instance.json"), JSON.stringify(stale));
  expect(readInstance(dataDir)).toBeUndefined();
  const lock = acquireInstance(dataDir, info);
  expect(readInstance(dataDir)).toEqual({ info });
  lock.release();
  expect(readInstance(dataDir)).toBeUndefined();
  expect(existsSync(join(dataDir, "instance.json"))).toBe(false);
});

test("acquireInstance() lets nobody be taken for the holder when it cannot write who holds", async () => {
  const stale = { pid: process.pid, url: "http://stale", startedAt: 1, version: "0" };
  await writeFile(join(dataDir, "instance.json"), JSON.stringify(stale));
  // As on a full disk, the new file cannot be written.
  await mkdir(join(dataDir, "instance.json.tmp"));
  const lock = acquireInstance(dataDir, info);
  expect(readInstance(dataDir)).toEqual({ info: undefined });
  lock.release();
});

test("acquireInstance() succeeds while others look whether it is held", async () => {
  acquireInstance(dataDir, info).release();
  const lookers = Array.from({ length: 3 }, () =>
    Bun.spawn(
      [
        bun,
        "-e",
        `import { readInstance } from "${import.meta.dir}/../../src/process/instance-lock.ts";
       process.stdout.write("looking\\n");
       for (;;) readInstance(${JSON.stringify(dataDir)});`,
      ],
      { stdout: "pipe" },
    ),
  );
  await Promise.all(lookers.map((looker) => looker.stdout.getReader().read()));
  for (let round = 0; round < 20; round += 1) acquireInstance(dataDir, info).release();
  for (const looker of lookers) looker.kill("SIGKILL");
});

test("stopInstance() ends the holder and waits until it has ended", async () => {
  const holder = await startHolder();
  const stopped = await stopInstance(dataDir, systemClock);
  expect(stopped.pid).toBe(holder.pid);
  expect(readInstance(dataDir)).toBeUndefined();
  expect(await holder.exited).toBe(0);
});

test("stopInstance() says when nothing runs", async () => {
  const refusal: unknown = await stopInstance(dataDir, systemClock).catch((error) => error);
  expect(refusal).toMatchObject({
    code: "not_running",
    message: `agents is not running on ${dataDir}.`,
  });
});

test("watchStopFile() answers to its own stop file only", async () => {
  const over = new AbortController();
  let stopped = false;
  const watch = async () => {
    await watchStopFile(dataDir, { clock: systemClock, signal: over.signal, startedAt: 17 });
    stopped = !over.signal.aborted;
  };
  await writeFile(join(dataDir, "instance.stop"), "16");
  const watching = watch();
  await writeFile(join(dataDir, "instance.stop"), "17");
  await watching;
  expect(stopped).toBe(true);
});

test("acquireInstance() says when the data folder is a file", async () => {
  const file = join(dataDir, "file");
  await writeFile(file, "");
  expect(failureOf(() => acquireInstance(file, info))).toMatchObject({
    code: "config_invalid",
    message: `The data folder ${file} is no folder.`,
    fix: "Name a folder, not a file, with --data-dir.",
  });
});
