import type { StoredEvent } from "../domain/event.ts";
import type { RunStore } from "../domain/run.ts";
import type { RunReader } from "../domain/run-reader.ts";

/* oxlint-disable no-await-in-loop -- each read depends on the one before it */

/** Events that one read of the database gives. */
export const EVENT_PAGE_COUNT = 500;

/** All events of a run, read page by page. */
export async function allEvents(runs: RunStore, runId: string): Promise<StoredEvent[]> {
  return eventsAfter(runs, runId, 0);
}

/** The newest events of a run, at most `countMax`, oldest first. */
export async function newestEvents(
  { runs, runReader }: { runs: RunStore; runReader: RunReader },
  runId: string,
  countMax: number,
): Promise<StoredEvent[]> {
  const last = await runReader.lastSeq(runId);
  return eventsAfter(runs, runId, Math.max(0, last - countMax));
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
