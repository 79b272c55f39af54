/** The logs of all runs as one, read back in time along an index. */
import type { EventLog, EventPlace } from "../domain/log.ts";
import type { Connection } from "./connection.ts";
import { type EventRow, toStoredEvent } from "./run-event.ts";
import { defineStatement } from "./statement.ts";

const ROW_COUNT_MAX = 1_000;
/** Sorts after every character that an id can hold. */
const LAST_CHARACTER = "\u{10FFFF}";

const ALL = defineStatement<EventRow, [number, string, number, number]>(
  `SELECT run_id, seq, at, type, data FROM events
   WHERE type NOT IN ('model.delta', 'output.delta') AND (at, run_id, seq) < (?, ?, ?)
   ORDER BY at DESC, run_id DESC, seq DESC LIMIT ?`,
);
const OF_RUN = defineStatement<EventRow, [string, number, number, number]>(
  `SELECT run_id, seq, at, type, data FROM events
   WHERE run_id = ? AND seq < ? AND at <= ? AND type NOT IN ('model.delta', 'output.delta')
   ORDER BY seq DESC LIMIT ?`,
);

export function createEventLog(connection: Connection): EventLog {
  return {
    eventsBefore: ({ untilMs, before, runId, limit }) =>
      connection.read(({ client }) => {
        const count = Math.max(0, Math.min(limit, ROW_COUNT_MAX));
        const end: EventPlace = before ?? {
          at: untilMs,
          runId: LAST_CHARACTER,
          seq: Number.MAX_SAFE_INTEGER,
        };
        const rows =
          runId === undefined
            ? ALL(client).all(end.at, end.runId, end.seq, count)
            : OF_RUN(client).all(runId, end.seq, untilMs, count);
        return rows.map(toStoredEvent);
      }),
  };
}
