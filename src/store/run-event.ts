/**
 * The log of a run. `seq` has no gaps: the highest is the count, so no counter is kept.
 *
 * A log that is full (EVENT_COUNT_MAX) takes no more streamed text: one last piece of it says so.
 * Events that tell a change of state are always written.
 */
import type { Database } from "bun:sqlite";
import type { RunEvent, StoredEvent } from "../domain/event.ts";
import { EVENT_COUNT_MAX } from "../domain/run.ts";
import { defineStatement } from "./statement.ts";

const FULL_NOTICE = `\n[The log of this run is full (${EVENT_COUNT_MAX} entries): the rest of the text is not kept.]\n`;

/** Where the next events go: after `seq`, at this time. */
export interface LogPosition {
  readonly runId: string;
  /** The highest that is used; 0 for an empty log. */
  readonly seq: number;
  readonly at: number;
}

export interface EventRow {
  run_id: string;
  seq: number;
  at: number;
  type: string;
  data: string;
}

const INSERT = defineStatement<unknown, [string, number, number, string, string]>(
  "INSERT INTO events (run_id, seq, at, type, data) VALUES (?, ?, ?, ?, ?)",
);
const NOTICE = defineStatement<{ seq: number }, [string, number]>(
  `SELECT seq FROM events WHERE run_id = ? AND seq >= ? AND type IN ('model.delta', 'output.delta')
   LIMIT 1`,
);
const SAME = defineStatement<{ seq: number }, [string, number, number, string, string]>(
  "SELECT seq FROM events WHERE run_id = ? AND seq = ? AND at = ? AND type = ? AND data = ?",
);
const PAGE = defineStatement<EventRow, [string, number, number]>(
  "SELECT run_id, seq, at, type, data FROM events WHERE run_id = ? AND seq > ? ORDER BY seq LIMIT ?",
);
const RECENT = defineStatement<EventRow, [number]>(
  `SELECT run_id, seq, at, type, data FROM events
   WHERE type NOT IN ('model.delta', 'output.delta') ORDER BY at DESC, run_id DESC, seq DESC LIMIT ?`,
);

/** @returns the highest `seq` in use. */
export function insertEvents(
  client: Database,
  position: LogPosition,
  events: readonly RunEvent[],
): number {
  let { seq } = position;
  for (const event of events) {
    const kept = isStreamed(event) ? fit(client, { ...position, seq }, event) : event;
    if (kept === undefined) continue;
    const { type, ...data } = kept;
    seq += 1;
    INSERT(client).run(position.runId, seq, position.at, type, JSON.stringify(data));
  }
  return seq;
}

/** True when these events were written after that position before. */
export function areLogged(
  client: Database,
  position: LogPosition,
  [first]: readonly RunEvent[],
): boolean {
  if (first === undefined) return false;
  const { type, ...data } = first;
  const { runId, seq, at } = position;
  // They were written together or not at all, so the first speaks for all.
  return SAME(client).get(runId, seq + 1, at, type, JSON.stringify(data)) !== null;
}

type StreamedEvent = Extract<RunEvent, { type: "model.delta" | "output.delta" }>;

function isStreamed(event: RunEvent): event is StreamedEvent {
  return event.type === "model.delta" || event.type === "output.delta";
}

/** The piece of text itself, the notice in place of the first that no longer fits, then nothing. */
function fit(client: Database, position: LogPosition, event: StreamedEvent): RunEvent | undefined {
  if (position.seq + 1 < EVENT_COUNT_MAX) return event;
  if (NOTICE(client).get(position.runId, EVENT_COUNT_MAX) !== null) return undefined;
  return { ...event, text: FULL_NOTICE };
}

/** Events with `seq > after`, in order. */
export function selectEvents(
  client: Database,
  page: { runId: string; after: number; limit: number },
): StoredEvent[] {
  return PAGE(client).all(page.runId, page.after, page.limit).map(toStoredEvent);
}

/** The newest of all runs, oldest first, without streamed text. */
export function selectRecentEvents(client: Database, limit: number): StoredEvent[] {
  return RECENT(client).all(limit).toReversed().map(toStoredEvent);
}

export function toStoredEvent(row: EventRow): StoredEvent {
  const rest = row.data === "{}" ? "}" : `,${row.data.slice(1)}`;
  const event: RunEvent = JSON.parse(`{"type":"${row.type}"${rest}`);
  return { runId: row.run_id, seq: row.seq, at: row.at, event };
}
