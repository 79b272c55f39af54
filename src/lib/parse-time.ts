const ISO_TIME =
  /^(\d{4}-\d{2}-\d{2})(?:[Tt ](\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?)\s?([Zz]|[+-]\d{2}:?\d{2})?)?$/;

/**
 * Reads an ISO 8601 date or time, in milliseconds since the epoch; undefined when it is none. Without an
 * offset it is UTC, so that it means the same on every machine.
 */
export function parseTime(text: string): number | undefined {
  const [, date, time = "00:00", offset = "Z"] = ISO_TIME.exec(text) ?? [];
  if (date === undefined) return undefined;
  const zone = offset.length === 5 ? `${offset.slice(0, 3)}:${offset.slice(3)}` : offset;
  const ms = Date.parse(`${date}T${time.replace(",", ".")}${zone.toUpperCase()}`);
  return Number.isNaN(ms) || !isDay(date) ? undefined : ms;
}

/** `Date.parse` takes 31 February for a day in March. */
function isDay(date: string): boolean {
  const ms = Date.parse(`${date}T00:00Z`);
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(date);
}
