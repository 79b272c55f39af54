/**
 * Tells listeners that the database has changed.
 *
 * Own commits are told at once, those of other processes by polling `PRAGMA data_version` (it changes
 * when another connection commits) while somebody listens. Lossy by contract: several changes may be
 * told as one, and none is told while the database cannot be read. Calls happen in a later turn.
 */
import type { Database } from "bun:sqlite";
import type { ChangeSignal } from "../domain/run.ts";
import { systemClock } from "../lib/clock.ts";
import { defineStatement } from "./statement.ts";

const POLL_MS = 50;
/** Polled more slowly when nothing has changed for QUIET_AFTER_MS. */
const POLL_MS_QUIET = 250;
const QUIET_AFTER_MS = 10_000;

const VERSION = defineStatement<{ data_version: number }, []>("PRAGMA data_version");

export interface ChangeWatch extends ChangeSignal {
  /** This process has committed, or has opened another database. */
  readonly notify: () => void;
  stop(): void;
}

/** @param client The connection that writes; undefined while there is none. */
export function createChangeWatch(client: () => Database | undefined): ChangeWatch {
  const listeners = new Set<() => void>();
  let changedAt = 0;
  let told = true;
  let polling: AbortController | undefined;

  function tell(): void {
    told = true;
    for (const listener of listeners) listener();
  }

  function notify(): void {
    changedAt = systemClock.now();
    if (!told || listeners.size === 0) return;
    told = false;
    queueMicrotask(tell);
  }

  async function poll(signal: AbortSignal): Promise<void> {
    changedAt = systemClock.now();
    let last = readVersion(client());
    while (!signal.aborted) {
      const quiet = systemClock.now() - changedAt > QUIET_AFTER_MS;
      // oxlint-disable-next-line no-await-in-loop -- Each look follows a wait.
      await systemClock.sleep(quiet ? POLL_MS_QUIET : POLL_MS, signal);
      const version = readVersion(client());
      if (version !== last) notify();
      last = version;
    }
  }

  function stopPolling(): void {
    polling?.abort();
    polling = undefined;
  }

  return {
    notify,
    stop() {
      listeners.clear();
      stopPolling();
    },
    onChange(listener) {
      // A wrapper, so that the same function may listen twice.
      const entry = () => listener();
      listeners.add(entry);
      if (polling === undefined) {
        polling = new AbortController();
        void poll(polling.signal);
      }
      return () => {
        listeners.delete(entry);
        if (listeners.size === 0) stopPolling();
      };
    },
  };
}

/** undefined when the database cannot be read just now: the next poll looks again. */
function readVersion(client: Database | undefined): number | undefined {
  if (client === undefined) return undefined;
  try {
    return VERSION(client).get()?.data_version;
  } catch {
    return undefined;
  }
}
