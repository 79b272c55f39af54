/**
 * Turns at providers, shared by all processes on one database: one row a request of the last minute.
 *
 * Who holds a turn renews it; what is not renewed for a while (its process died) is free again.
 */
import type { Database } from "bun:sqlite";
import { AppError } from "../domain/error.ts";
import type { ProviderLimits, ProviderTurns } from "../domain/model.ts";
import { type Clock, systemClock } from "../lib/clock.ts";
import type { Connection } from "./connection.ts";
import { defineStatement } from "./statement.ts";

const MINUTE_MS = 60_000;
/** A turn that was not renewed for this long is free. */
const HOLD_MS = 30_000;
const RENEW_MS = 5_000;
/** Nothing tells when a turn will be given back: it is asked for again after this. */
const RETRY_MS = 250;

const BLOCKED = defineStatement<{ untilAt: number }, [string, number]>(
  "SELECT until_at AS untilAt FROM provider_blocks WHERE account = ? AND until_at > ?",
);
const BLOCK = defineStatement<unknown, [string, number]>(
  `INSERT INTO provider_blocks (account, until_at) VALUES (?, ?)
   ON CONFLICT (account) DO UPDATE SET until_at = max(until_at, excluded.until_at)`,
);
const HELD = defineStatement<{ count: number }, [string, number]>(
  `SELECT count(*) AS count FROM provider_turns
   WHERE account = ? AND held_until IS NOT NULL AND held_until > ?`,
);
/** The request that must be a minute old before the next: so many are later than it. */
const NTH_NEWEST = defineStatement<{ takenAt: number }, [string, number, number]>(
  `SELECT taken_at AS takenAt FROM provider_turns WHERE account = ? AND taken_at > ?
   ORDER BY taken_at DESC LIMIT 1 OFFSET ?`,
);
const TAKE = defineStatement<{ id: number }, [string, number, number | null]>(
  "INSERT INTO provider_turns (account, taken_at, held_until) VALUES (?, ?, ?) RETURNING id",
);
const RENEW = defineStatement<unknown, [number, number]>(
  "UPDATE provider_turns SET held_until = ? WHERE id = ? AND held_until IS NOT NULL",
);
const RELEASE = defineStatement<unknown, [number]>(
  "UPDATE provider_turns SET held_until = NULL WHERE id = ?",
);
/** What counts neither for the minute nor as held. */
const FORGET = defineStatement<unknown, [string, number, number]>(
  `DELETE FROM provider_turns WHERE account = ? AND taken_at <= ?
     AND (held_until IS NULL OR held_until <= ?)`,
);

export interface ProviderTurnsStore extends ProviderTurns {
  /** Renews nothing any more: turns that are still held become free by themselves. */
  readonly stop: () => void;
}

export function createProviderTurns(connection: Connection, clock: Clock): ProviderTurnsStore {
  const keeper = createKeeper(connection, clock);

  async function release(id: number): Promise<void> {
    if (!keeper.drop(id)) return;
    try {
      await connection.write(({ client }) => {
        RELEASE(client).run(id);
      });
    } catch {
      // It becomes free by itself; whoever gives it back has a result to take care of.
    }
  }

  return {
    async take(account, limits) {
      // Looked at first without the write lock: those who wait ask often.
      const busyUntil = await connection.read(({ client }) =>
        nextTurnAt(client, { account, limits, now: clock.now() }),
      );
      if (busyUntil !== undefined) return { taken: false, retryAtMs: busyUntil };
      const { concurrency, requestsPerMinute } = limits;
      if (concurrency === undefined && requestsPerMinute === undefined) return NOTHING_HELD;
      const turn = await connection.write(({ client }) =>
        take(client, { account, limits, now: clock.now() }),
      );
      if (turn.id === undefined) return { taken: false, retryAtMs: turn.retryAtMs };
      if (concurrency === undefined) return NOTHING_HELD;
      const { id } = turn;
      keeper.hold(id);
      return { taken: true, release: () => release(id) };
    },
    async block(account, untilMs) {
      await connection.write(({ client }) => {
        BLOCK(client).run(account, untilMs);
      });
    },
    stop: keeper.stop,
  };
}

const NOTHING_HELD = { taken: true, release: () => Promise.resolve() } as const;

interface Ask {
  readonly account: string;
  readonly limits: ProviderLimits;
  readonly now: number;
}

/** When to ask again; undefined when there is a turn now. */
function nextTurnAt(client: Database, { account, limits, now }: Ask): number | undefined {
  const { concurrency, requestsPerMinute } = limits;
  const block = BLOCKED(client).get(account, now);
  if (block !== null) return block.untilAt;
  if (requestsPerMinute !== undefined) {
    const offset = Math.max(0, requestsPerMinute - 1);
    const nth = NTH_NEWEST(client).get(account, now - MINUTE_MS, offset);
    if (nth !== null) return nth.takenAt + MINUTE_MS;
  }
  if (concurrency === undefined) return undefined;
  const held = HELD(client).get(account, now)?.count ?? 0;
  return held >= Math.max(1, concurrency) ? now + RETRY_MS : undefined;
}

type Turn = { readonly id: number } | { readonly id?: undefined; readonly retryAtMs: number };

function take(client: Database, ask: Ask): Turn {
  const { account, limits, now } = ask;
  const retryAtMs = nextTurnAt(client, ask);
  if (retryAtMs !== undefined) return { retryAtMs };
  FORGET(client).run(account, now - MINUTE_MS, now);
  const heldUntil = limits.concurrency === undefined ? null : now + HOLD_MS;
  const row = TAKE(client).get(account, now, heldUntil);
  // An insert with RETURNING gives a row.
  if (row === null) throw new AppError("internal", "Internal error.");
  return { id: row.id };
}

/** Renews the turns that this process holds, while it holds any. */
function createKeeper(connection: Connection, clock: Clock) {
  const held = new Set<number>();
  let renewing: AbortController | undefined;

  async function renew(signal: AbortSignal): Promise<void> {
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop -- Each renewal follows a wait, in real time.
      await systemClock.sleep(RENEW_MS, signal);
      if (signal.aborted) return;
      // oxlint-disable-next-line no-await-in-loop
      await renewAll();
    }
  }

  async function renewAll(): Promise<void> {
    try {
      await connection.write(({ client }) => {
        for (const id of held) RENEW(client).run(clock.now() + HOLD_MS, id);
      });
    } catch {
      // A database in trouble says so elsewhere; the next round tries again.
    }
  }

  function stop(): void {
    held.clear();
    renewing?.abort();
    renewing = undefined;
  }

  return {
    stop,
    hold(id: number): void {
      held.add(id);
      if (renewing !== undefined) return;
      renewing = new AbortController();
      void renew(renewing.signal);
    },
    /** @returns false when it was not held. */
    drop(id: number): boolean {
      const was = held.delete(id);
      if (held.size === 0) stop();
      return was;
    },
  };
}
