/**
 * Which rows of the sums of time spans tell of a range: those of days where a whole day lies in it, those of hours
 * at its ends. So a month reads 30 rows for each node, however busy its hours were.
 */
import { DAY_MS, HOUR_MS } from "./span-write.ts";

/** `?1` to `?4`: where the hours begin, where the days, where hours again, and where it ends. */
export type RangeParams = [
  sinceMs: number,
  daysFromMs: number,
  daysUntilMs: number,
  untilMs: number,
];

/** Begins a statement: `WITH ${PARTS} SELECT … FROM ${inParts("node_spans")}`. */
export const PARTS = `part (part_ms, from_at, until_at) AS
  (VALUES (${HOUR_MS}, ?1, ?2), (${DAY_MS}, ?2, ?3), (${HOUR_MS}, ?3, ?4))`;

/** The rows of the range. The join is a CROSS one so that SQLite looks three times, not at every row. */
export function inParts(table: string): string {
  return `part CROSS JOIN ${table}
    ON span_ms = part_ms AND starts_at >= from_at AND starts_at < until_at`;
}

interface Range {
  readonly sinceMs: number;
  readonly untilMs: number;
}

/** A range without a whole day in it is one of hours alone. */
export function partsOf({ sinceMs, untilMs }: Range): RangeParams {
  const daysFromMs = Math.ceil(sinceMs / DAY_MS) * DAY_MS;
  const daysUntilMs = Math.floor(untilMs / DAY_MS) * DAY_MS;
  return daysFromMs < daysUntilMs
    ? [sinceMs, daysFromMs, daysUntilMs, untilMs]
    : hoursOf({ sinceMs, untilMs });
}

/** The same without days. */
export function hoursOf({ sinceMs, untilMs }: Range): RangeParams {
  return [sinceMs, untilMs, untilMs, untilMs];
}
