/**
 * The output of the services, one file each: `<data>/logs/<service>.log`, lines of
 * `TIME STREAM TEXT`. Each line is written at once, so a crash loses none; when a file is full it is
 * renamed to `.1`, `.1` to `.2`, and the oldest is dropped; `tidy` drops more. Only the supervisor's process writes; any
 * process may read.
 */
import {
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { assert } from "../lib/assert.ts";
import type { Clock } from "../lib/clock.ts";

export const LOG_FILE_BYTES_MAX = 5 * 1024 * 1024;
/** The current file and its older ones. */
export const LOG_FILE_COUNT_MAX = 3;
/** However little all of them may have, a file is not rotated before it has so much. */
const LOG_FILE_BYTES_MIN = 64 * 1024;
/** Time of a line. */
const HEAD_BYTES = 64;
/** Lines that can be asked for at once. */
export const LOG_TAIL_LINES_MAX = 10_000;
/** From the end of a file, so much is read to find its last lines. */
const TAIL_BYTES_MAX = 2 * 1024 * 1024;
const FOLLOW_INTERVAL_MS = 200;
const SERVICE_NAME = /^[a-z0-9][a-z0-9-]*$/;

export interface LogEntry {
  readonly service: string;
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
  readonly stream: "stdout" | "stderr";
  readonly line: string;
}

export interface LogFile {
  /** Never throws: a line that cannot be written is dropped, and the first such failure reported. */
  append(entry: Omit<LogEntry, "at">): void;
  /** Drops old files; those that are written now are rotated at most. Never throws. @returns how many went. */
  tidy(keep: LogKeep): number;
  close(): void;
}

/** How much is kept; undefined: as much as rotation leaves. */
export interface LogKeep {
  /** A file goes when its last line is older. One that is written now and began before is rotated. */
  readonly ageMs: number | undefined;
  /** Of all files together. From then on files are rotated at their share of it. */
  readonly bytes: number | undefined;
}

interface OpenFile {
  readonly descriptor: number;
  size: number;
}

export interface LogFileDeps {
  readonly clock: Clock;
  readonly reportError: (error: unknown) => void;
  readonly fileBytesMax?: number;
}

/** Makes the folder (0700) at the first line. */
export function createLogFile(dataDir: string, deps: LogFileDeps): LogFile {
  const { clock, reportError } = deps;
  let { fileBytesMax = LOG_FILE_BYTES_MAX } = deps;
  const files = new Map<string, OpenFile>();
  let failed = false;

  const open = (service: string): OpenFile => {
    mkdirSync(logsDir(dataDir), { recursive: true, mode: 0o700 });
    const descriptor = openSync(logPath(dataDir, service), "a", 0o600);
    const file = { descriptor, size: fstatSync(descriptor).size };
    files.set(service, file);
    return file;
  };
  const shut = (service: string) => {
    const file = files.get(service);
    files.delete(service);
    if (file !== undefined) closeSync(file.descriptor);
  };
  const rotate = (service: string): OpenFile => {
    shut(service);
    for (let age = LOG_FILE_COUNT_MAX - 2; age >= 0; age -= 1) {
      try {
        renameSync(logPath(dataDir, service, age), logPath(dataDir, service, age + 1));
      } catch {
        // There are not so many old files yet.
      }
    }
    return open(service);
  };
  const write = (entry: Omit<LogEntry, "at">) => {
    const text = formatEntry({ ...entry, at: clock.now() });
    const bytes = Buffer.byteLength(text);
    let file = files.get(entry.service) ?? open(entry.service);
    if (file.size > 0 && file.size + bytes > fileBytesMax) file = rotate(entry.service);
    writeSync(file.descriptor, text);
    file.size += bytes;
  };

  return {
    tidy(keep) {
      try {
        const services = servicesIn(namesIn(logsDir(dataDir)), undefined);
        const most = deps.fileBytesMax ?? LOG_FILE_BYTES_MAX;
        fileBytesMax = shareOf(keep, { fileCount: services.length, most });
        const sinceMs = keep.ageMs === undefined ? 0 : clock.now() - keep.ageMs;
        for (const service of services) {
          const path = logPath(dataDir, service);
          const { size } = statSync(path);
          if (size > fileBytesMax || (size > 0 && firstTime(path) < sinceMs)) rotate(service);
        }
        return dropOld(dataDir, { services, sinceMs, bytes: keep.bytes ?? Infinity });
      } catch (error) {
        reportError(error);
        return 0;
      }
    },
    append(entry) {
      try {
        write(entry);
        failed = false;
      } catch (error) {
        // A full disk must not stop the product; it is told once.
        if (!failed) reportError(error);
        failed = true;
      }
    },
    close() {
      for (const service of files.keys()) shut(service);
    },
  };
}

/** Half of it all is for what is written now, half for what was rotated. */
function shareOf({ bytes }: LogKeep, { fileCount, most }: { fileCount: number; most: number }) {
  const share = Math.floor((bytes ?? Infinity) / (2 * Math.max(1, fileCount)));
  return Math.min(most, Math.max(LOG_FILE_BYTES_MIN, share));
}

/** When the first line of a file was written; endlessly late for what is no line. */
function firstTime(path: string): number {
  const descriptor = openSync(path, "r");
  try {
    const head = Buffer.alloc(HEAD_BYTES);
    const text = head.toString("utf8", 0, readSync(descriptor, head, 0, HEAD_BYTES, 0));
    const at = Date.parse(text.split(" ")[0] ?? "");
    return Number.isNaN(at) ? Infinity : at;
  } finally {
    closeSync(descriptor);
  }
}

/** Of the rotated files those that are too old, then the oldest until the rest is small enough. */
function dropOld(
  dataDir: string,
  keep: { services: readonly string[]; sinceMs: number; bytes: number },
): number {
  const ages = Array.from({ length: LOG_FILE_COUNT_MAX }, (_, age) => age);
  const files = keep.services
    .flatMap((service) => ages.map((age) => ({ path: logPath(dataDir, service, age), age })))
    .filter(({ path }) => existsSync(path))
    .map(({ path, age }) => {
      const { size, mtimeMs: at } = statSync(path);
      return { path, age, size, at };
    });
  let bytes = files.reduce((sum, file) => sum + file.size, 0);
  let count = 0;
  const rotated = files.filter(({ age }) => age > 0);
  for (const { path, size, at } of rotated.toSorted((a, b) => a.at - b.at || b.age - a.age)) {
    if (at >= keep.sinceMs && bytes <= keep.bytes) continue;
    rmSync(path, { force: true });
    bytes -= size;
    count += 1;
  }
  return count;
}

/** One line of a log file, with its line break. */
function formatEntry({ at, stream, line }: Omit<LogEntry, "service">): string {
  return `${new Date(at).toISOString()} ${stream} ${line.replaceAll("\n", "\\n")}\n`;
}

/** Undefined for what is no line of a log file. */
export function parseEntry(service: string, text: string): LogEntry | undefined {
  const match = /^(\S+) (stdout|stderr) (.*)$/s.exec(text);
  const at = Date.parse(match?.[1] ?? "");
  if (match === null || Number.isNaN(at)) return undefined;
  return {
    service,
    at,
    stream: match[2] === "stderr" ? "stderr" : "stdout",
    line: match[3] ?? "",
  };
}

/** The last lines of one service or of all, oldest first. An unknown service has none. */
export async function tailLogs(
  dataDir: string,
  { service, lines }: { service?: string; lines: number },
): Promise<LogEntry[]> {
  const count = Math.min(lines, LOG_TAIL_LINES_MAX);
  if (count <= 0) return [];
  const services = await logServices(dataDir, service);
  const all = await Promise.all(services.map((name) => tailOne(dataDir, name, count)));
  const sorted = all.flat().toSorted((left, right) => left.at - right.at);
  return sorted.slice(-count);
}

/** The services that have a log, or the one of them that is asked for. */
export async function logServices(dataDir: string, service?: string): Promise<string[]> {
  const names = await readdir(logsDir(dataDir)).catch(() => []);
  return servicesIn(names, service);
}

function servicesIn(names: readonly string[], service: string | undefined): string[] {
  const found = names.flatMap((name) => /^([a-z0-9-]+)\.log$/.exec(name)?.[1] ?? []);
  return found.filter((name) => service === undefined || name === service);
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    // Nothing has been logged yet.
    return [];
  }
}

async function tailOne(dataDir: string, service: string, count: number): Promise<LogEntry[]> {
  const entries: LogEntry[] = [];
  for (let age = 0; age < LOG_FILE_COUNT_MAX && entries.length < count; age += 1) {
    const file = Bun.file(logPath(dataDir, service, age));
    // An older file is needed only where the younger ones hold too little.
    // oxlint-disable-next-line no-await-in-loop
    const text = await file
      .slice(Math.max(0, file.size - TAIL_BYTES_MAX))
      .text()
      .catch(() => "");
    entries.unshift(...parseEntries(service, text));
  }
  return entries.slice(-count);
}

function parseEntries(service: string, text: string): LogEntry[] {
  return text.split("\n").flatMap((line) => parseEntry(service, line) ?? []);
}

export interface FollowOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly service?: string;
}

/**
 * The lines that are written after the call, by any process's product, until `signal` aborts. Files that
 * appear and files that are rotated are followed; nothing is lost at a rotation but what a whole file of
 * output within FOLLOW_INTERVAL_MS pushes out.
 */
export function followLogs(dataDir: string, options: FollowOptions): AsyncGenerator<LogEntry> {
  const places = new Map<string, Place>();
  for (const name of servicesIn(namesIn(logsDir(dataDir)), options.service)) {
    const found = statSync(logPath(dataDir, name), { throwIfNoEntry: false });
    places.set(name, { fileNumber: found?.ino ?? 0, offset: found?.size ?? 0 });
  }
  return followFrom(dataDir, options, places);
}

async function* followFrom(
  dataDir: string,
  { clock, signal, service }: FollowOptions,
  places: Map<string, Place>,
): AsyncGenerator<LogEntry> {
  while (!signal.aborted) {
    // Each look starts where the one before ended.
    // oxlint-disable-next-line no-await-in-loop
    const names = await logServices(dataDir, service);
    const look = names.map((name) => readFrom(dataDir, name, places));
    // oxlint-disable-next-line no-await-in-loop
    const found = (await Promise.all(look)).flat();
    yield* found.toSorted((left, right) => left.at - right.at);
    // oxlint-disable-next-line no-await-in-loop
    await clock.sleep(FOLLOW_INTERVAL_MS, signal);
  }
}

/** Up to where a file was read; a rotated file keeps its number under another name. */
interface Place {
  readonly fileNumber: number;
  readonly offset: number;
}

async function endOf(path: string): Promise<Place> {
  const found = await stat(path).catch(() => undefined);
  return { fileNumber: found?.ino ?? 0, offset: found?.size ?? 0 };
}

async function readFrom(
  dataDir: string,
  service: string,
  places: Map<string, Place>,
): Promise<LogEntry[]> {
  const place = places.get(service);
  const now = await endOf(logPath(dataDir, service));
  const rotated = place !== undefined && place.fileNumber !== now.fileNumber;
  const rest = rotated ? await wholeLines(logPath(dataDir, service, 1), place.offset) : "";
  const from = rotated ? 0 : (place?.offset ?? 0);
  const fresh = await wholeLines(logPath(dataDir, service), from);
  const offset = from + Buffer.byteLength(fresh);
  places.set(service, { fileNumber: now.fileNumber, offset });
  return parseEntries(service, rest + fresh);
}

/** The text of a file from a byte on, to its last line break. */
async function wholeLines(path: string, from: number): Promise<string> {
  const text = await Bun.file(path)
    .slice(from)
    .text()
    .catch(() => "");
  return text.slice(0, text.lastIndexOf("\n") + 1);
}

const logsDir = (dataDir: string) => join(dataDir, "logs");

/** @param age 0 is the file that is written now. */
export function logPath(dataDir: string, service: string, age = 0): string {
  assert(SERVICE_NAME.test(service), `"${service}" is no name of a service`);
  return join(logsDir(dataDir), age === 0 ? `${service}.log` : `${service}.log.${age}`);
}
