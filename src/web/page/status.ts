import type { Hono } from "hono";
import {
  RANGES,
  StatusPage,
  type StatusPart,
  statusParts,
  StatusUpdate,
  type Range,
  type Status,
} from "../../../views/status.tsx";
import { canAsk } from "../../../views/shell.ts";
import type { StoredEvent } from "../../domain/event.ts";
import type { PendingApproval, Run, RunFilter, RunState, RunStats } from "../../domain/run.ts";
import type { WebDeps } from "../deps.ts";
import { acknowledge, readAcknowledged } from "../acknowledgement.ts";
import { wantsFragment } from "../error.ts";
import { readForm } from "../form.ts";
import { bannersOf, readOr, type Kit, type WebContext, type WebEnv } from "../kit.ts";
import { html, renderText } from "../render.ts";
import { pathTo, PATTERNS } from "../routes.ts";
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
const FAILED_COUNT_MAX = 6;
/** Of the runs that wait, the newest are looked through for a reason that a person can mend. */
const WAITING_COUNT_MAX = 50;

/** How a part is read; the fallback stands in for what cannot be read. */
type Read = <T>(read: Promise<T>, fallback: T) => Promise<T>;
const readStrictly: Read = (read) => read;

export function registerStatus(app: Hono<WebEnv>, kit: Kit): void {
  const { deps } = kit;
  const epoch = deps.clock.now().toString(36);

  app.get(PATTERNS.status, async (c) => {
    const read: Read = (promise, fallback) => readOr(c, promise, fallback);
    const status = await readStatus(deps, rangeOf(c), read);
    if (wantsFragment(c)) {
      const parts = statusParts(status, bannersOf(deps));
      return html(c, StatusUpdate({ parts, events: status.events }));
    }
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

  registerAcknowledgements(app, kit);
}

function registerAcknowledgements(app: Hono<WebEnv>, { deps }: Kit): void {
  app.post(PATTERNS.statusAcknowledgements, async (c) => {
    const form = await readForm(c);
    await acknowledge(deps.system, form.text("alert"));
    const range = RANGES.find((one) => one === form.text("range"));
    return c.redirect(`${pathTo.status()}${range === undefined ? "" : `?range=${range}`}`, 303);
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
  const list = (filter: RunFilter) => read<Run[]>(deps.runs.list(filter), []);
  const [counts, current, previous, events, approvals, workflows, interruptedRuns] =
    await Promise.all([
      read(deps.runs.counts(), NO_COUNTS),
      stats(sinceMs, untilMs),
      stats(previousMs, sinceMs),
      read<StoredEvent[]>(deps.runs.recentEvents(EVENT_COUNT_MAX), []),
      read<PendingApproval[]>(deps.runs.pendingApprovals({ limit: APPROVAL_COUNT_MAX }), []),
      read(
        deps.workflows.list({ limit: 1 }).then((found) => found.length),
        1,
      ),
      read(Promise.all(interrupted.map((id) => deps.runs.get(id))), []),
    ]);
  const [newest, active, failed, waiting, pauses, acknowledged] = await Promise.all([
    list({ limit: RUN_COUNT_MAX }),
    list({ limit: RUN_COUNT_MAX, states: ["running", "waiting"] }),
    list({ limit: FAILED_COUNT_MAX, states: ["failed"] }),
    list({ limit: WAITING_COUNT_MAX, states: ["waiting"] }),
    read(deps.system.providerPauses(now), []),
    read(readAcknowledged(deps.system), {}),
  ]);
  return {
    counts,
    stats: current,
    previous,
    runs: activeFirst(active, newest),
    failed: failed.filter((run) => (run.finishedAt ?? 0) >= sinceMs),
    held: waiting.filter((run) => run.waitingFor === "budget"),
    pauses,
    acknowledged,
    resources: deps.resources(),
    events,
    services: deps.services(),
    interrupted: interruptedRuns.filter((run) => run !== undefined),
    approvals,
    queueDepth: counts.queued,
    memoryBytes: deps.memoryBytes(),
    workflowCount: workflows,
    range,
    canAsk: canAsk({ health: deps.health(), demo: deps.demo() }),
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

/** What is under way stands above what has ended, each newest first. */
function activeFirst(active: readonly Run[], newest: readonly Run[]): Run[] {
  const ids = new Set(active.map((run) => run.id));
  return [...active, ...newest.filter((run) => !ids.has(run.id))].slice(0, RUN_COUNT_MAX);
}

/** What a part looked like when it was last sent, and when that was. */
interface Shown {
  readonly face: string;
  readonly at: number;
}

/**
 * Rendered once for all readers of a range. A message has the parts that have changed, each no sooner than its pace
 * allows, and the new lines of the log.
 */
function createStatusSource(
  deps: WebDeps,
  options: { range: Range; epoch: string },
): SnapshotSource {
  const { queueMs, workflowsMs, agentsMs, systemMs } = deps.refresh;
  const paces = { queue: queueMs, workflows: workflowsMs, agents: agentsMs, system: systemMs };
  const shown = new Map<string, Shown>();
  let position = 0;
  let newest: Status | undefined;
  let known = new Set<string>();
  let snapshot: { position: number; bytes: Promise<Uint8Array> } | undefined;

  async function encode(
    parts: readonly StatusPart[],
    events: readonly StoredEvent[],
  ): Promise<Uint8Array> {
    const data = await renderText(StatusUpdate({ parts, events }));
    return encodeMessage({ id: `${options.epoch}-${position}`, data });
  }

  /** Changed, and last sent long enough ago; what must wait is looked at again with the next production. */
  function isDue({ name, face, pace }: StatusPart, now: number): boolean {
    const last = shown.get(name);
    if (last === undefined) return true;
    return last.face !== face && (now - last.at >= paces[pace] || now < last.at);
  }

  return {
    kind: "snapshot",
    intervalMs: queueMs,
    // What had to wait for its pace, and what changes without the database telling.
    refreshMs: queueMs,
    ended: false,
    async produce() {
      const status = await readStatus(deps, options.range, readStrictly);
      const now = deps.clock.now();
      const parts = statusParts(status, bannersOf(deps)).filter((part) => isDue(part, now));
      const events = status.events.filter((event) => !known.has(eventKey(event)));
      newest = status;
      if (parts.length === 0 && events.length === 0) return [];
      for (const { name, face } of parts) shown.set(name, { face, at: now });
      known = new Set(status.events.map(eventKey));
      position += 1;
      return [{ position, bytes: await encode(parts, events) }];
    },
    snapshot() {
      if (newest === undefined) return Promise.resolve(new Uint8Array());
      if (snapshot?.position !== position) {
        const parts = statusParts(newest, bannersOf(deps));
        snapshot = { position, bytes: encode(parts, newest.events) };
      }
      return snapshot.bytes;
    },
  };
}

function eventKey(event: StoredEvent): string {
  return `${event.runId}:${event.seq}`;
}
