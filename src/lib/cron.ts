/** Times that a cron expression names. */

/**
 * The first time after `afterMs`; undefined when the expression names none (February 30th).
 * @throws TypeError with the reason when the expression or the time zone cannot be read.
 */
export function nextTime(cron: string, timeZone: string, afterMs: number): number | undefined {
  return Bun.cron.parse(cron, afterMs, { tz: timeZone })?.getTime();
}

/** The first `count` times after `afterMs`. @throws TypeError as `nextTime`. */
export function nextTimes(
  { cron, timeZone }: { readonly cron: string; readonly timeZone: string },
  afterMs: number,
  count: number,
): number[] {
  const times: number[] = [];
  for (let at: number | undefined = afterMs; times.length < count; times.push(at)) {
    at = nextTime(cron, timeZone, at);
    if (at === undefined) break;
  }
  return times;
}
