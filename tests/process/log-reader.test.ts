import { afterAll, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ServiceLogLine } from "../../src/domain/log.ts";
import { createLogFile, type LogFile } from "../../src/process/log-file.ts";
import { createServiceLogs } from "../../src/process/log-reader.ts";
import { createManualClock } from "../store/support/manual-clock.ts";

const START_MS = 1_790_000_000_000;
const folders: string[] = [];
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

async function createLogs(fileBytesMax?: number) {
  const folder = await mkdtemp(join(tmpdir(), "agents-logs-"));
  folders.push(folder);
  const clock = createManualClock(START_MS);
  const file: LogFile = createLogFile(folder, {
    clock,
    reportError(error) {
      throw error;
    },
    ...(fileBytesMax === undefined ? {} : { fileBytesMax }),
  });
  const write = (line: string) => file.append({ service: "worker-1", stream: "stdout", line });
  const read = async (untilMs = Number.MAX_SAFE_INTEGER, limit = Infinity) => {
    const lines: ServiceLogLine[] = [];
    for await (const line of createServiceLogs(folder).backwards("worker-1", untilMs)) {
      lines.push(line);
      if (lines.length === limit) break;
    }
    return lines;
  };
  return { folder, clock, file, write, read };
}

test("backwards() gives each line once, newest first, over pieces and rotated files", async () => {
  const { clock, file, write, read } = await createLogs(400_000);
  const count = 12_000;
  for (let index = 0; index < count; index += 1) {
    write(`${index} ${"x".repeat(index % 150)}`);
    clock.advance(10);
  }
  file.close();
  const lines = await read();
  const numbers = lines.map(({ line }) => Number(line.split(" ")[0]));
  const oldest = numbers.at(-1) ?? 0;
  // Three files of at most that size are kept.
  expect(numbers.length).toBeGreaterThan(5_000);
  expect(numbers).toEqual(Array.from({ length: count - oldest }, (_, index) => count - 1 - index));
  expect(new Set(lines.map(({ id }) => id)).size).toBe(lines.length);
});

test("backwards() begins at any moment, the lines of that moment included", async () => {
  const { clock, file, write, read } = await createLogs();
  const moments: number[] = [];
  for (let index = 0; index < 20_000; index += 1) {
    write(String(index));
    if (index % 3 === 2) clock.advance(7);
    moments.push(clock.now());
  }
  file.close();
  for (const index of [0, 2, 1_000, 9_999, 15_001, 19_999]) {
    const at = moments[index - 1] ?? START_MS;
    const [first, second] = await read(at, 2);
    const last = moments.filter((moment) => moment <= at).length;
    // Those that were written before the clock went on have the time that was read before them.
    expect(first?.at).toBeLessThanOrEqual(at);
    expect(Number(first?.line)).toBeGreaterThanOrEqual(last - 1);
    expect(Number(second?.line)).toBe(Number(first?.line) - 1);
  }
  expect(await read(START_MS - 1)).toEqual([]);
});

test("backwards() takes lines longer than what is read at once, and leaves out what is no line", async () => {
  const { folder, clock, file, write, read } = await createLogs();
  write("first");
  clock.advance(5);
  write("é".repeat(100_000));
  clock.advance(5);
  write("last");
  file.close();
  const path = join(folder, "logs", "worker-1.log");
  await Bun.write(
    path,
    `no line\n\n${await Bun.file(path).text()}2026-11-20T10:00:00.000Z stdout cut`,
  );
  const lines = await read();
  expect(lines.map(({ line }) => (line.length > 10 ? line.length : line))).toEqual([
    "last",
    100_000,
    "first",
  ]);
});

test("an unknown service has no lines, and no name leaves the folder", async () => {
  const { folder, file, write } = await createLogs();
  write("x");
  file.close();
  const logs = createServiceLogs(folder);
  expect(await logs.services()).toEqual(["worker-1"]);
  for (const name of ["worker-2", "../../etc/passwd", "", "worker-1.log"]) {
    const { done } = await logs.backwards(name, Number.MAX_SAFE_INTEGER).next();
    expect(done).toBe(true);
  }
});
