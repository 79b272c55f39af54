/**
 * Reads the log files of services back in time, a piece at a time, however large they are. Lines are in the order of
 * their time, so the place of a moment is found by halving the file.
 */
import { open, type FileHandle } from "node:fs/promises";
import type { ServiceLogLine, ServiceLogs } from "../domain/log.ts";
import { LOG_FILE_COUNT_MAX, logPath, logServices, parseEntry } from "./log-file.ts";

/** Read at once. A line that is longer is read in more pieces. */
const PIECE_BYTES = 64 * 1024;
/** Read at once to find the next line in the middle of a file. */
const PROBE_BYTES = 4 * 1024;
/** Time and stream of a line. */
const HEAD_BYTES = 64;
const NEWLINE = 10;

export function createServiceLogs(dataDir: string): ServiceLogs {
  return {
    services: async () => (await logServices(dataDir)).toSorted(),
    backwards: (service, untilMs) => backwards(dataDir, service, untilMs),
  };
}

async function* backwards(
  dataDir: string,
  service: string,
  untilMs: number,
): AsyncGenerator<ServiceLogLine> {
  const known = await logServices(dataDir, service);
  if (known.length === 0) return;
  let seen = 0;
  for (let age = 0; age < LOG_FILE_COUNT_MAX; age += 1) {
    // One file after the other: an older one is opened only when it is asked for.
    // oxlint-disable-next-line no-await-in-loop
    const file = await open(logPath(dataDir, service, age)).catch(() => undefined);
    if (file === undefined) continue;
    try {
      // oxlint-disable-next-line no-await-in-loop
      const { ino, size } = await file.stat();
      // Rotated meanwhile: this file has been read under its younger name.
      if (ino === seen) continue;
      seen = ino;
      // oxlint-disable-next-line no-await-in-loop
      const end = await endOf(file, size, untilMs);
      yield* linesBefore(file, end, { service, ino, untilMs });
    } finally {
      // oxlint-disable-next-line no-await-in-loop
      await file.close();
    }
  }
}

/** The end of a line, behind the last that is no later than `untilMs`; perhaps some lines further. */
async function endOf(file: FileHandle, size: number, untilMs: number): Promise<number> {
  let low = 0;
  let high = size;
  while (high - low > PIECE_BYTES) {
    const middle = Math.floor((low + high) / 2);
    // oxlint-disable-next-line no-await-in-loop -- Each half depends on the one before.
    const begin = await behindLine(file, middle, high);
    // oxlint-disable-next-line no-await-in-loop
    const at = begin === undefined ? undefined : await timeAt(file, begin);
    // A line as long as this half, or what is no line: what follows is read, and looked at one by one.
    if (at === undefined) break;
    if (at > untilMs) high = middle;
    else low = middle;
  }
  return (await behindLine(file, high, size)) ?? size;
}

/** The place behind the next line break. */
async function behindLine(
  file: FileHandle,
  from: number,
  limit: number,
): Promise<number | undefined> {
  for (let place = from; place < limit; place += PROBE_BYTES) {
    // oxlint-disable-next-line no-await-in-loop -- As far as the line goes.
    const found = (await read(file, place, PROBE_BYTES)).indexOf(NEWLINE);
    if (found !== -1 && place + found + 1 < limit) return place + found + 1;
    if (found !== -1) return undefined;
  }
  return undefined;
}

async function timeAt(file: FileHandle, place: number): Promise<number | undefined> {
  const head = await read(file, place, HEAD_BYTES);
  return parseEntry("", head.toString().split("\n")[0] ?? "")?.at;
}

async function* linesBefore(
  file: FileHandle,
  end: number,
  { service, ino, untilMs }: { service: string; ino: number; untilMs: number },
): AsyncGenerator<ServiceLogLine> {
  let place = end;
  // What stands before the first line break belongs to a line that began further up.
  let rest = Buffer.alloc(0);
  while (place > 0) {
    const begin = Math.max(0, place - PIECE_BYTES);
    // oxlint-disable-next-line no-await-in-loop -- Back in time, piece by piece.
    const piece = Buffer.concat([await read(file, begin, place - begin), rest]);
    let stop = piece.lastIndexOf(NEWLINE);
    // Behind the last line break is a line that is still being written, or was cut.
    if (stop === -1) {
      rest = piece;
      place = begin;
      continue;
    }
    while (stop > 0) {
      const start = piece.lastIndexOf(NEWLINE, stop - 1) + 1;
      if (start === 0 && begin > 0) break;
      const entry = parseEntry(service, piece.toString("utf8", start, stop));
      const id = `${service}-${ino}-${begin + start}`;
      if (entry !== undefined && entry.at <= untilMs) yield { id, ...entry };
      if (start === 0) break;
      stop = start - 1;
    }
    rest = piece.subarray(0, stop + 1);
    place = begin;
  }
}

async function read(file: FileHandle, place: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(length), 0, length, place);
  return buffer.subarray(0, bytesRead);
}
