import type { StoredEvent } from "../domain/event.ts";
import type { RunStore } from "../domain/run.ts";

/* oxlint-disable no-await-in-loop -- each read depends on the one before it */

/** Events that one read of the database gives. */
export const EVENT_PAGE_COUNT = 500;

/** All events of a run, read page by page. */
export async function allEvents(runs: RunStore, runId: string): Promise<StoredEvent[]> {
  return eventsAfter(runs, runId, 0);
}

/** The newest events of a run, at most `countMax`, oldest first. */
export async function newestEvents(
  runs: RunStore,
  runId: string,
  countMax: number,
): Promise<StoredEvent[]> {
  const last = await lastSeq(runs, runId);
  return eventsAfter(runs, runId, Math.max(0, last - countMax));
}

/**
 * The number of a run's newest event; 0 when there is none. The numbers have no gaps, so that a few
 * reads of one row find it: doubling steps up to a number that does not exist, then halving ones.
 */
export async function lastSeq(runs: RunStore, runId: string): Promise<number> {
  const exists = async (seq: number) => (await runs.events(runId, seq - 1, 1)).length > 0;
  let known = 0;
  let step = EVENT_PAGE_COUNT;
  while (await exists(known + step)) {
    known += step;
    step *= 2;
  }
  for (let missing = known + step; missing - known > 1;) {
    const middle = Math.floor((known + missing) / 2);
    if (await exists(middle)) known = middle;
    else missing = middle;
  }
  return known;
}

async function eventsAfter(runs: RunStore, runId: string, after: number): Promise<StoredEvent[]> {
  const found: StoredEvent[] = [];
  for (let seq = after; ;) {
    const page = await runs.events(runId, seq, EVENT_PAGE_COUNT);
    found.push(...page);
    const last = page.at(-1);
    if (last === undefined || page.length < EVENT_PAGE_COUNT) return found;
    seq = last.seq;
  }
}
