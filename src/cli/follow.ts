import type { StoredEvent } from "../domain/event.ts";
import { type Run, RUN_STATES_FINAL } from "../domain/run.ts";
import { AppError } from "../domain/error.ts";
import type { Clock } from "../lib/clock.ts";
import type { Product } from "./product.ts";

const PAGE_SIZE = 500;
/** Change signals may be lost: look again at least this often. */
const POLL_MS = 500;

/**
 * Reads a run's events in order as they come, until the run has ended or the signal aborts.
 * @returns the run as it is then. @throws AppError `not_found`.
 */
export async function followRun(
  source: { readonly store: Pick<Product["store"], "runs" | "changes">; readonly clock: Clock },
  runId: string,
  options: { signal: AbortSignal; onEvent(event: StoredEvent): void },
): Promise<Run> {
  const { runs, changes } = source.store;
  let wake = new AbortController();
  const wakeUp = () => wake.abort();
  const stopListening = changes.onChange(wakeUp);
  options.signal.addEventListener("abort", wakeUp);
  try {
    let after = 0;
    for (;;) {
      wake = new AbortController();
      // The state is read before the events: when it is final, the events that follow are complete.
      // oxlint-disable-next-line no-await-in-loop -- Each look follows the one before.
      const run = await runs.get(runId);
      if (run === undefined) throw new AppError("not_found", `There is no run ${runId}.`);
      // oxlint-disable-next-line no-await-in-loop
      const events = await runs.events(runId, after, PAGE_SIZE);
      for (const event of events) options.onEvent(event);
      after = events.at(-1)?.seq ?? after;
      if (events.length === PAGE_SIZE) continue;
      if (RUN_STATES_FINAL.includes(run.state) || options.signal.aborted) return run;
      // oxlint-disable-next-line no-await-in-loop
      await source.clock.sleep(POLL_MS, wake.signal);
    }
  } finally {
    stopListening();
    options.signal.removeEventListener("abort", wakeUp);
  }
}
