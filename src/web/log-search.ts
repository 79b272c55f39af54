/**
 * The lines of all services and runs as one list, newest first: the newest of each source stand side by side, and the
 * newest of these comes next. Nothing is read that is not shown, but what a filter passes over, and of that only so
 * much: then the page says how far it has looked.
 */
import type { EventLog, EventPlace, ServiceLogs } from "../domain/log.ts";
import {
  type AnyLogLine,
  LOG_LEVELS,
  type LogsFilter,
  ofEvent,
  ofService,
} from "../../views/part/log-line.ts";
import { defined } from "../lib/defined.ts";

/* oxlint-disable no-await-in-loop -- One line after the other, as far as is needed. */

/** Lines that a search looks at before it says how far it has come. */
const LOOKED_COUNT_MAX = 40_000;
const EVENT_PAGE_COUNT = 200;

interface LogDeps {
  readonly eventLog: EventLog;
  readonly serviceLogs: ServiceLogs;
}

export interface LogSearch {
  readonly filter: Pick<LogsFilter, "source" | "runId" | "level" | "text">;
  readonly untilMs: number;
  readonly sinceMs: number | undefined;
  /** Of the lines at exactly `untilMs`, so many have been seen. */
  readonly skipCount: number;
  readonly limit: number;
}

export interface FoundLines {
  /** Newest first. */
  readonly lines: readonly AnyLogLine[];
  /** Where older lines begin; undefined when there are none. */
  readonly next: string | undefined;
  /** Up to when was looked, where the search gave up before it had enough. */
  readonly lookedToMs: number | undefined;
}

export async function searchLogs(deps: LogDeps, search: LogSearch): Promise<FoundLines> {
  const { limit, sinceMs, untilMs } = search;
  const matches = matcherOf(search.filter);
  const lines: AnyLogLine[] = [];
  let skipped = 0;
  let looked = 0;
  for await (const line of merged(await sourcesOf(deps, search))) {
    if (sinceMs !== undefined && line.at < sinceMs) break;
    looked += 1;
    if (looked > LOOKED_COUNT_MAX) return { lines, next: `${line.at}-0`, lookedToMs: line.at };
    if (!matches(line)) continue;
    if (line.at === untilMs && skipped < search.skipCount) {
      skipped += 1;
      continue;
    }
    if (lines.length === limit)
      return { lines, next: placeBehind(lines, search), lookedToMs: undefined };
    lines.push(line);
  }
  return { lines, next: undefined, lookedToMs: undefined };
}

/** The place behind the last line: its time, and how many of that time come before it. */
function placeBehind(lines: readonly AnyLogLine[], search: LogSearch): string {
  const at = lines.at(-1)?.at ?? search.untilMs;
  const same = lines.filter((line) => line.at === at).length;
  return `${at}-${same + (at === search.untilMs ? search.skipCount : 0)}`;
}

/** @returns undefined for what is no place. */
export function parsePlace(text: string): { untilMs: number; skipCount: number } | undefined {
  const match = /^(?<at>\d{1,15})-(?<skip>\d{1,6})$/.exec(text);
  if (match === null) return undefined;
  return { untilMs: Number(match.groups?.["at"]), skipCount: Number(match.groups?.["skip"]) };
}

type Source = AsyncGenerator<AnyLogLine>;

async function sourcesOf(
  { eventLog, serviceLogs }: LogDeps,
  { filter, untilMs }: LogSearch,
): Promise<Source[]> {
  const { source, runId } = filter;
  const wantsRuns = runId !== undefined || source === undefined || source === "runs";
  const wantsServices = runId === undefined && source !== "runs";
  const names = wantsServices ? await serviceLogs.services() : [];
  const isAll = source === undefined || source === "services";
  const services = names
    .filter((name) => isAll || name === source)
    .map((name) => serviceLines(serviceLogs, name, untilMs));
  return wantsRuns ? [...services, eventLines(eventLog, untilMs, runId)] : services;
}

async function* serviceLines(logs: ServiceLogs, name: string, untilMs: number): Source {
  for await (const line of logs.backwards(name, untilMs)) yield ofService(line);
}

async function* eventLines(log: EventLog, untilMs: number, runId: string | undefined): Source {
  let before: EventPlace | undefined;
  while (true) {
    const page = { untilMs, limit: EVENT_PAGE_COUNT, ...defined({ before, runId }) };
    const events = await log.eventsBefore(page);
    yield* events.map(ofEvent);
    before = events.at(-1);
    if (before === undefined || events.length < EVENT_PAGE_COUNT) return;
  }
}

/** Newest first; where times are the same, in the order of the sources. */
async function* merged(sources: readonly Source[]): Source {
  const heads: { source: Source; line: AnyLogLine }[] = [];
  try {
    for (const source of sources) {
      const { value, done } = await source.next();
      if (done !== true) heads.push({ source, line: value });
    }
    while (heads.length > 0) {
      const newest = heads.reduce((best, head) => (head.line.at > best.line.at ? head : best));
      yield newest.line;
      const { value, done } = await newest.source.next();
      if (done === true) heads.splice(heads.indexOf(newest), 1);
      else newest.line = value;
    }
  } finally {
    // Files that were not read to their end are closed.
    for (const source of sources) await source.return(undefined);
  }
}

function matcherOf({ level, text }: LogSearch["filter"]): (line: AnyLogLine) => boolean {
  const least = level === undefined ? 0 : LOG_LEVELS.indexOf(level);
  const words = (text ?? "")
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "");
  return (line) => {
    if (LOG_LEVELS.indexOf(line.level) < least) return false;
    if (words.length === 0) return true;
    const all =
      `${line.service ?? ""} ${line.runId ?? ""} ${line.step ?? ""} ${line.text}`.toLowerCase();
    return words.every((word) => all.includes(word));
  };
}
