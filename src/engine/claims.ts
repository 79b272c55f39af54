/**
 * The claims that a runner holds: renewed every LEASE_MS / 3, and ended when the queue says that they
 * were lost or that their run is to be cancelled. Renewing tells of a cancellation in any case; `look`
 * asks sooner, when something has changed in the database, and shows each run to its execution, which
 * may wait for what has come.
 */
import { type Claim, LEASE_MS, type Queue, type RunStore } from "../domain/run.ts";
import type { Clock } from "../lib/clock.ts";
import { createBell } from "./bell.ts";
import type { RunExecution } from "./run.ts";

/** Between two looks at the runs that are held, however often a change is signalled. */
export const RUN_LOOK_PAUSE_MS = 250;
const RENEW_MS = LEASE_MS / 3;
/** After a renewal that the database refused. */
const RENEW_AGAIN_MS = LEASE_MS / 15;

interface ClaimKeeper {
  readonly executions: readonly RunExecution[];
  hold(claim: Claim, execution: RunExecution): void;
  /**
   * Renews leases that may have run out while this process or the database stood still. To be called
   * before taking runs, or a worker could take its own run away from itself, with a result in hand.
   * @throws what the queue throws: then nothing may be taken.
   */
  renewOverdue(): Promise<void>;
  /** Looks soon at the runs: some may be to be cancelled, or have been woken. */
  look(): void;
  /** Ends the renewing. */
  stop(): Promise<void>;
}

interface ClaimKeeperOptions {
  readonly runs: RunStore;
  readonly queue: Queue;
  readonly clock: Clock;
  readonly reportError: (error: unknown) => void;
  /** Told after an execution has ended and its claim is no longer held here. */
  readonly onEnd: () => void;
}

interface Held {
  readonly claim: Claim;
  readonly execution: RunExecution;
  readonly since: number;
}

export function createClaimKeeper(options: ClaimKeeperOptions): ClaimKeeper {
  const { queue, runs, clock, reportError, onEnd } = options;
  const held = new Map<string, Held>();
  const ended = new AbortController();
  const bell = createBell(clock);
  let renewedAt = clock.now();

  /* These loops are sequences by nature: sleep, look, sleep again. */
  /* oxlint-disable no-await-in-loop */
  async function renew(): Promise<void> {
    if (held.size > 0) await renewAll(queue, [...held.values()]);
    renewedAt = clock.now();
  }

  async function keepRenewing(): Promise<void> {
    let sleepMs = RENEW_MS;
    for (;;) {
      await clock.sleep(sleepMs, ended.signal);
      if (ended.signal.aborted) return;
      sleepMs = RENEW_MS;
      try {
        await renew();
      } catch (error) {
        // The claims may still be ours: ask again before the leases run out.
        reportError(error);
        sleepMs = RENEW_AGAIN_MS;
      }
    }
  }

  async function watchRuns(): Promise<void> {
    for (;;) {
      await bell.sleep(LEASE_MS);
      if (ended.signal.aborted) return;
      const before = clock.now() - RUN_LOOK_PAUSE_MS;
      // Short runs end before anyone could change them; only what has been here for a while is read.
      const old = [...held.values()].filter(({ since }) => since <= before);
      await Promise.all(old.map((entry) => lookAt(runs, entry))).catch(reportError);
      await clock.sleep(RUN_LOOK_PAUSE_MS, ended.signal);
      if (old.length < held.size) bell.ring();
    }
  }
  /* oxlint-enable no-await-in-loop */

  async function drop(entry: Held): Promise<void> {
    await entry.execution.done;
    if (held.get(entry.claim.runId) === entry) held.delete(entry.claim.runId);
    onEnd();
  }

  const loops = [keepRenewing(), watchRuns()];
  return {
    get executions() {
      return Array.from(held.values(), ({ execution }) => execution);
    },
    hold: (claim, execution) => {
      // Our own lease ran out unnoticed (this process stood still) and we were given the run anew.
      held.get(claim.runId)?.execution.abort("lost");
      const entry = { claim, execution, since: clock.now() };
      held.set(claim.runId, entry);
      void drop(entry);
    },
    renewOverdue: async () => {
      if (clock.now() - renewedAt > RENEW_MS * 2) await renew();
    },
    look: () => {
      if (held.size > 0) bell.ring();
    },
    stop: async () => {
      ended.abort();
      bell.ring();
      await Promise.all(loops);
    },
  };
}

async function renewAll(queue: Queue, entries: readonly Held[]): Promise<void> {
  const statuses = await queue.touch(entries.map(({ claim }) => claim));
  for (const [index, status] of statuses.entries())
    if (status !== "held") entries[index]?.execution.abort(status);
}

async function lookAt(runs: RunStore, { claim, execution }: Held): Promise<void> {
  const run = await runs.get(claim.runId);
  if (run === undefined) return;
  if (run.cancelRequestedAt !== null) execution.abort("cancelled");
  else execution.look(run);
}
