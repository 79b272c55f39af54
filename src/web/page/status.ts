import type { Hono } from "hono";
import {
  RANGES,
  StatusPage,
  StatusUpdate,
  type Range,
  type Status,
} from "../../../views/status.tsx";
import type { StoredEvent } from "../../domain/event.ts";
import type { PendingApproval, Run, RunState, RunStats } from "../../domain/run.ts";
import { defined } from "../../lib/defined.ts";
import type { WebDeps } from "../deps.ts";
import { wantsFragment } from "../error.ts";
import { bannersOf, readOr, type Kit, type WebContext, type WebEnv } from "../kit.ts";
import { html, renderText } from "../render.ts";
import { PATTERNS } from "../routes.ts";
import { encodeMessage, type SnapshotSource } from "../sse.ts";
import { openStream } from "../stream.ts";

const RANGE_DEFAULT: Range = "24h";
const RANGE_MS: Readonly<Record<Range, number>> = {
  "1h": 60 * 60 * 1000,
  "6h": 6 * 60 * 60 * 1000,
  "24h": 24 * 60 * 60 * 1000,
  "7d": 7 * 24 * 60 * 60 * 1000,
};
const BUCKET_COUNT = 48;
const RUN_COUNT_MAX = 8;
const EVENT_COUNT_MAX = 60;
const INTERRUPTED_COUNT_MAX = 20;
const APPROVAL_COUNT_MAX = 50;
/** The status page changes at most this often, however much happens. */
export const STATUS_INTERVAL_MS = 1_000;
/** Services and memory change without the database telling. */
export const STATUS_REFRESH_MS = 5_000;

/** How a part is read; the fallback stands in for what cannot be read. */
type Read = <T>(read: Promise<T>, fallback: T) => Promise<T>;
const readStrictly: Read = (read) => read;

export function registerStatus(app: Hono<WebEnv>, kit: Kit): void {
  const { deps } = kit;
  const epoch = deps.clock.now().toString(36);

  app.get(PATTERNS.status, async (c) => {
    const read: Read = (promise, fallback) => readOr(c, promise, fallback);
    const status = await readStatus(deps, rangeOf(c), read);
    if (wantsFragment(c)) return html(c, StatusUpdate({ status, banners: bannersOf(deps) }));
    return html(c, StatusPage({ shell: kit.shell(c, "Status"), status }));
  });

  app.get(PATTERNS.statusStream, (c) => {
    const range = rangeOf(c);
    const [given, position] = c.req.header("Last-Event-ID")?.split("-") ?? [];
    const after = given === epoch ? Number(position) : undefined;
    return openStream(c, kit, {
      key: `status:${range}`,
      createSource: () => createStatusSource(deps, { range, epoch }),
      after,
    });
  });
}

function rangeOf(c: WebContext): Range {
  const given = c.req.query("range");
  return RANGES.find((range) => range === given) ?? RANGE_DEFAULT;
}

async function readStatus(deps: WebDeps, range: Range, read: Read): Promise<Status> {
  const now = deps.clock.now();
  const bucketMs = RANGE_MS[range] / BUCKET_COUNT;
  // Whole buckets, so that the bars of the past stay as they are from one message to the next.
  const untilMs = Math.ceil((now + 1) / bucketMs) * bucketMs;
  const sinceMs = untilMs - RANGE_MS[range];
  const previousMs = sinceMs - RANGE_MS[range];
  const stats = (from: number, until: number) =>
    read(
      deps.runs.stats({ sinceMs: from, untilMs: until, bucketCount: BUCKET_COUNT }),
      emptyStats(from, bucketMs),
    );
  const interrupted = deps.interrupted.slice(0, INTERRUPTED_COUNT_MAX);
  const [counts, current, previous, runs, events, approvals, workflows, interruptedRuns] =
    await Promise.all([
      read(deps.runs.counts(), NO_COUNTS),
      stats(sinceMs, untilMs),
      stats(previousMs, sinceMs),
      read<Run[]>(deps.runs.list({ limit: RUN_COUNT_MAX }), []),
      read<StoredEvent[]>(deps.runs.recentEvents(EVENT_COUNT_MAX), []),
      read<PendingApproval[]>(deps.runs.pendingApprovals({ limit: APPROVAL_COUNT_MAX }), []),
      read(
        deps.workflows.list({ limit: 1 }).then((found) => found.length),
        1,
      ),
      read(Promise.all(interrupted.map((id) => deps.runs.get(id))), []),
    ]);
  return {
    counts,
    stats: current,
    previous,
    runs,
    events,
    services: deps.services(),
    interrupted: interruptedRuns.filter((run) => run !== undefined),
    approvals,
    queueDepth: counts.queued,
    memoryBytes: deps.memoryBytes(),
    workflowCount: workflows,
    range,
    now,
  };
}

const NO_COUNTS: Record<RunState, number> = {
  queued: 0,
  running: 0,
  waiting: 0,
  succeeded: 0,
  failed: 0,
  cancelled: 0,
};

function emptyStats(sinceMs: number, bucketMs: number): RunStats {
  const bucket = { created: 0, succeeded: 0, failed: 0, costNanoUsd: 0, tokens: 0 };
  return { sinceMs, bucketMs, buckets: Array.from({ length: BUCKET_COUNT }, () => bucket) };
}

/** Rendered once for all readers of a range; log lines go out as they come. */
function createStatusSource(
  deps: WebDeps,
  options: { range: Range; epoch: string },
): SnapshotSource {
  let position = 0;
  let shown = "";
  let newest: Status | undefined;
  let known = new Set<string>();
  let snapshot: { position: number; bytes: Promise<Uint8Array> } | undefined;

  async function encode(status: Status): Promise<Uint8Array> {
    const data = await renderText(StatusUpdate({ status, banners: bannersOf(deps) }));
    return encodeMessage({ id: `${options.epoch}-${position}`, data });
  }

  return {
    kind: "snapshot",
    intervalMs: STATUS_INTERVAL_MS,
    refreshMs: STATUS_REFRESH_MS,
    ended: false,
    async produce() {
      const status = await readStatus(deps, options.range, readStrictly);
      const face = JSON.stringify([defined({ ...status, now: undefined }), bannersOf(deps)]);
      if (face === shown) return [];
      shown = face;
      const events = status.events.filter((event) => !known.has(eventKey(event)));
      known = new Set(status.events.map(eventKey));
      newest = status;
      position += 1;
      return [{ position, bytes: await encode({ ...status, events }) }];
    },
    snapshot() {
      if (newest === undefined) return Promise.resolve(new Uint8Array());
      if (snapshot?.position !== position) snapshot = { position, bytes: encode(newest) };
      return snapshot.bytes;
    },
  };
}

function eventKey(event: StoredEvent): string {
  return `${event.runId}:${event.seq}`;
}
