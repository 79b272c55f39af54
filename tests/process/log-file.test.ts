import { afterEach, beforeEach, expect, test } from "bun:test";
import { chmod, mkdtemp, readdir, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock, type Clock } from "../../src/lib/clock.ts";
import { createLogFile, followLogs, tailLogs } from "../../src/process/log-file.ts";
import type { LogEntry } from "../../src/process/log-file.ts";
import { until } from "./support.ts";

let dataDir: string;
let now = 0;
const clock: Clock = { now: () => now, sleep: (ms, signal) => systemClock.sleep(ms, signal) };
const failures: unknown[] = [];
const deps = { clock, reportError: (error: unknown) => void failures.push(error) };

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "agents-logs-"));
  now = 1_000;
  failures.length = 0;
});
afterEach(async () => {
  await rm(dataDir, { recursive: true, force: true });
});

test("createLogFile() writes one readable line each, for the owner's eyes only", async () => {
  const log = createLogFile(dataDir, deps);
  log.append({ service: "worker-1", stream: "stdout", line: "ready" });
  now = 2_000;
  log.append({ service: "worker-1", stream: "stderr", line: "a  b\nc" });
  log.close();
  const path = join(dataDir, "logs", "worker-1.log");
  expect(await Bun.file(path).text()).toBe(
    "1970-01-01T00:00:01.000Z stdout ready\n1970-01-01T00:00:02.000Z stderr a  b\\nc\n",
  );
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect((await stat(join(dataDir, "logs"))).mode & 0o777).toBe(0o700);
});

test("tailLogs() merges the services by time and gives the last lines", async () => {
  const log = createLogFile(dataDir, deps);
  for (const [index, service] of ["chat", "worker-1", "chat", "worker-1"].entries()) {
    now = 1_000 * index;
    log.append({ service, stream: "stdout", line: `line ${index}` });
  }
  log.close();
  expect(await tailLogs(dataDir, { lines: 3 })).toEqual([
    { service: "worker-1", at: 1_000, stream: "stdout", line: "line 1" },
    { service: "chat", at: 2_000, stream: "stdout", line: "line 2" },
    { service: "worker-1", at: 3_000, stream: "stdout", line: "line 3" },
  ]);
  const chat = await tailLogs(dataDir, { service: "chat", lines: 10 });
  expect(chat.map((entry) => entry.line)).toEqual(["line 0", "line 2"]);
  expect(await tailLogs(dataDir, { service: "../../etc/passwd", lines: 10 })).toEqual([]);
  expect(await tailLogs(join(dataDir, "absent"), { lines: 10 })).toEqual([]);
});

test("a full file is rotated, the oldest dropped, and tailLogs() reads across", async () => {
  const log = createLogFile(dataDir, { ...deps, fileBytesMax: 200 });
  for (let index = 0; index < 40; index += 1) {
    now = index;
    log.append({ service: "chat", stream: "stdout", line: `number ${index}` });
  }
  log.close();
  expect((await readdir(join(dataDir, "logs"))).toSorted()).toEqual([
    "chat.log",
    "chat.log.1",
    "chat.log.2",
  ]);
  for (const name of await readdir(join(dataDir, "logs"))) {
    expect((await stat(join(dataDir, "logs", name))).size).toBeLessThanOrEqual(200);
  }
  const last = await tailLogs(dataDir, { lines: 8 });
  expect(last.map((entry) => entry.line)).toEqual(
    Array.from({ length: 8 }, (_, index) => `number ${32 + index}`),
  );
});

test("tidy() drops what is too old or too much, and rotates what is written now", async () => {
  const log = createLogFile(dataDir, deps);
  const path = (name: string) => join(dataDir, "logs", name);
  const names = async () => (await readdir(join(dataDir, "logs"))).toSorted();
  const line = "x".repeat(1_000);
  const fill = (service: string, count: number) => {
    for (let index = 0; index < count; index += 1) log.append({ service, stream: "stdout", line });
  };
  fill("chat", 10);
  fill("worker-1", 1);
  const none = { ageMs: undefined, bytes: undefined };
  expect(log.tidy(none)).toBe(0);
  expect(await names()).toEqual(["chat.log", "worker-1.log"]);
  now = 1_000_000;
  expect(log.tidy({ ageMs: 1_000, bytes: undefined })).toBe(0);
  expect(await names()).toEqual(["chat.log", "chat.log.1", "worker-1.log", "worker-1.log.1"]);
  await utimes(path("chat.log.1"), 1, 1);
  await utimes(path("worker-1.log.1"), 1_000, 1_000);
  expect(log.tidy({ ageMs: 1_000, bytes: undefined })).toBe(1);
  expect(await names()).toEqual(["chat.log", "worker-1.log", "worker-1.log.1"]);
  log.append({ service: "worker-1", stream: "stdout", line: "still written" });
  // Files are rotated at a quarter of 280 KiB now: three have 210.
  expect(log.tidy({ ageMs: undefined, bytes: 280 * 1024 })).toBe(0);
  fill("chat", 400);
  expect((await stat(path("chat.log.2"))).size).toBeLessThan(71 * 1024);
  expect(log.tidy({ ageMs: undefined, bytes: 150 * 1024 })).toBe(2);
  expect(await names()).toEqual(["chat.log", "chat.log.1", "worker-1.log"]);
  const last = await tailLogs(dataDir, { service: "worker-1", lines: 5 });
  expect(last.map((entry) => entry.line)).toEqual(["still written"]);
  log.close();
});

test("followLogs() gives what is written from now on, across rotations, in any service", async () => {
  const log = createLogFile(dataDir, { ...deps, fileBytesMax: 2_000 });
  log.append({ service: "chat", stream: "stdout", line: "before" });
  const over = new AbortController();
  const seen: LogEntry[] = [];
  const following = followLogs(dataDir, { clock: systemClock, signal: over.signal });
  const follow = async () => {
    for await (const entry of following) seen.push(entry);
  };
  const done = follow();
  log.append({ service: "worker-1", stream: "stdout", line: "first" });
  await until("the first line", () => seen.length > 0);
  const expected = ["first"];
  for (let batch = 0; batch < 3; batch += 1) {
    for (let index = 0; index < 30; index += 1) {
      const line = `line ${batch}/${index} of a long enough text`;
      log.append({ service: "worker-1", stream: "stdout", line });
      expected.push(line);
    }
    await until("the batch", () => seen.length === expected.length);
  }
  over.abort();
  await done;
  log.close();
  expect(seen.map((entry) => entry.line)).toEqual(expected);
  expect(await readdir(join(dataDir, "logs"))).toContain("worker-1.log.1");
});

test("createLogFile() drops what it cannot write and reports it once", async () => {
  // A file where the folder should be: the same for every user, root included.
  await writeFile(join(dataDir, "logs"), "");
  await chmod(dataDir, 0o700);
  const log = createLogFile(dataDir, deps);
  log.append({ service: "chat", stream: "stdout", line: "one" });
  log.append({ service: "chat", stream: "stdout", line: "two" });
  expect(failures).toHaveLength(1);
  await rm(join(dataDir, "logs"));
  log.append({ service: "chat", stream: "stdout", line: "three" });
  log.close();
  expect((await tailLogs(dataDir, { lines: 9 })).map((entry) => entry.line)).toEqual(["three"]);
});
