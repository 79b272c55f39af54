import type { Hono } from "hono";
import { LogsPage, LogsUpdate } from "../../../views/logs.tsx";
import { withoutAnsi } from "../../../views/part/ansi-text.tsx";
import {
  type AnyLogLine,
  LOG_LEVELS,
  logsAddress,
  type LogsFilter,
} from "../../../views/part/log-line.ts";
import type { WebDeps } from "../deps.ts";
import { wantsFragment } from "../error.ts";
import { bannersOf, type Kit, readOr, type WebContext, type WebEnv } from "../kit.ts";
import { type FoundLines, parsePlace, searchLogs } from "../log-search.ts";
import { html, renderText } from "../render.ts";
import { PATTERNS } from "../routes.ts";
import { encodeMessage, type SnapshotSource } from "../sse.ts";
import { openStream } from "../stream.ts";

/** Lines of a page; a browser keeps twice as many. */
const LINE_COUNT = 200;
/** What a page that comes to the stream may have missed since it was made. */
const SNAPSHOT_COUNT = 60;
/** Lines of a download. */
const DOWNLOAD_COUNT_MAX = 20_000;
/** Workers have clocks of their own: a line may come so much after one that is younger. */
const OVERLAP_MS = 2_000;

export function registerLogs(app: Hono<WebEnv>, kit: Kit): void {
  const { deps } = kit;
  const epoch = deps.clock.now().toString(36);

  app.get(PATTERNS.logs, async (c) => {
    const filter = filterOf(c);
    const range = rangeOf(filter, deps.clock.now());
    const found = await readOr(c, find(deps, filter, { ...range, limit: LINE_COUNT }), NO_LINES);
    if (wantsFragment(c)) {
      return html(c, LogsUpdate({ lines: found.lines, banners: bannersOf(deps) }));
    }
    const services = await deps.serviceLogs.services();
    const shell = kit.shell(c, "Logs");
    const page = LogsPage({ shell, filter, services, fault: range.fault, ...found });
    return html(c, page, range.fault === undefined ? 200 : 422);
  });

  app.get(PATTERNS.logsFile, async (c) => {
    const filter = filterOf(c);
    const range = rangeOf(filter, deps.clock.now());
    const { lines } = await find(deps, filter, { ...range, limit: DOWNLOAD_COUNT_MAX });
    c.header("Content-Disposition", 'attachment; filename="agents-logs.txt"');
    c.header("Content-Type", "text/plain; charset=utf-8");
    return c.body(lines.toReversed().map(lineText).join(""));
  });

  app.get(PATTERNS.logsStream, (c) => {
    const filter = { ...filterOf(c), from: undefined, to: undefined, before: undefined };
    const [given, position] = c.req.header("Last-Event-ID")?.split("-") ?? [];
    return openStream(c, kit, {
      key: logsAddress(filter, "logs:"),
      createSource: () => createLogsSource(deps, filter, epoch),
      after: given === epoch ? Number(position) : undefined,
    });
  });
}

const NO_LINES: FoundLines = { lines: [], next: undefined, lookedToMs: undefined };

function filterOf(c: WebContext): LogsFilter {
  const given = (name: string) => c.req.query(name)?.trim() || undefined;
  const level = LOG_LEVELS.find((one) => one === given("level"));
  return {
    source: given("source"),
    runId: given("run"),
    level: level === "debug" ? undefined : level,
    text: given("search"),
    from: given("from"),
    to: given("to"),
    before: given("before"),
    follows: given("follow") !== "off",
  };
}

interface LogRange {
  readonly untilMs: number;
  readonly sinceMs: number | undefined;
  readonly skipCount: number;
  readonly fault: string | undefined;
}

function rangeOf({ from, to, before }: LogsFilter, nowMs: number): LogRange {
  const [sinceMs, toMs] = [timeOf(from), timeOf(to)];
  const isFaulty =
    (from !== undefined && sinceMs === undefined) || (to !== undefined && toMs === undefined);
  const fault = isFaulty
    ? "Write times as 2026-11-20T14:30. Shown are the newest lines."
    : undefined;
  const place = before === undefined ? undefined : parsePlace(before);
  const end = { untilMs: toMs ?? nowMs + OVERLAP_MS, skipCount: 0 };
  return { ...(place ?? end), sinceMs: isFaulty ? undefined : sinceMs, fault };
}

/** A date and a time of the machine, as the pages show them. */
function timeOf(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?$/.test(text)) return undefined;
  const at = new Date(text).getTime();
  return Number.isNaN(at) ? undefined : at;
}

function find(
  deps: WebDeps,
  filter: LogsFilter,
  range: Omit<LogRange, "fault"> & { limit: number },
): Promise<FoundLines> {
  return searchLogs(deps, { filter, ...range });
}

function lineText({ at, level, service, runId, step, text }: AnyLogLine): string {
  const source = service ?? [runId, step].filter((part) => part !== undefined).join(" ");
  return `${new Date(at).toISOString()} ${level} ${source}: ${withoutAnsi(text)}\n`;
}

/** The lines that have come since the last message; made once for all readers of the same filter. */
function createLogsSource(deps: WebDeps, filter: LogsFilter, epoch: string): SnapshotSource {
  let position = 0;
  let newestMs = deps.clock.now() - OVERLAP_MS;
  /** Of the overlap, so that none comes twice. */
  let known = new Set<string>();

  async function linesSince(sinceMs: number | undefined, limit: number) {
    const untilMs = deps.clock.now() + OVERLAP_MS;
    const { lines } = await find(deps, filter, { untilMs, sinceMs, skipCount: 0, limit });
    return lines;
  }

  async function encode(lines: readonly AnyLogLine[]): Promise<Uint8Array> {
    const data = await renderText(LogsUpdate({ lines, banners: bannersOf(deps) }));
    return encodeMessage({ id: `${epoch}-${position}`, data });
  }

  return {
    kind: "snapshot",
    intervalMs: deps.refresh.queueMs,
    // Log files do not tell when they grow.
    refreshMs: deps.refresh.queueMs,
    ended: false,
    async produce() {
      const recent = await linesSince(newestMs - OVERLAP_MS, LINE_COUNT);
      const lines = recent.filter(({ id }) => !known.has(id));
      known = new Set(recent.map(({ id }) => id));
      newestMs = Math.max(newestMs, recent[0]?.at ?? 0);
      if (lines.length === 0 && position > 0) return [];
      position += 1;
      return [{ position, bytes: await encode(lines) }];
    },
    snapshot: async () => encode(await linesSince(undefined, SNAPSHOT_COUNT)),
  };
}
