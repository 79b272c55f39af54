/** Claims on the runs table: `due_at` says when, `epoch` and `worker` say whose. */
import type { Database } from "bun:sqlite";
import { type Claim, type ClaimStatus, LEASE_MS, type Queue } from "../domain/run.ts";
import type { Clock } from "../lib/clock.ts";
import type { Connection } from "./connection.ts";
import { insertEvents } from "./run-event.ts";
import { activeMsAt, countMove, endRun, findClaimed, requireRun } from "./run-state.ts";
import { defineStatement } from "./statement.ts";

const DUE = defineStatement<{ id: string }, [number, number]>(
  "SELECT id FROM runs WHERE due_at IS NOT NULL AND due_at <= ? ORDER BY due_at LIMIT ?",
);
const DUE_NOW = "due_at IS NOT NULL AND (due_at <= ? OR (state = 'queued' AND reserved_for = ?))";
const DUE_WITHIN = defineStatement<
  { id: string },
  [string, number, string, string, number, string, number]
>(
  `SELECT id, due_at FROM runs WHERE id = ? AND ${DUE_NOW}
   UNION ALL SELECT id, due_at FROM runs WHERE root_id = ? AND depth > 0 AND ${DUE_NOW}
   ORDER BY due_at LIMIT ?`,
);
const CLAIM = defineStatement<{ epoch: number }, [string, number, number, number, string]>(
  `UPDATE runs SET state = 'running', worker = ?, due_at = ?, active_at = ?, epoch = epoch + 1,
     started_at = coalesce(started_at, ?), waiting_for = NULL, reserved_for = NULL
   WHERE id = ? RETURNING epoch`,
);
const TOUCH = defineStatement<unknown, [number, number, number, string]>(
  "UPDATE runs SET due_at = ?, active_ms = ?, active_at = ? WHERE id = ?",
);
const RELEASE = defineStatement<unknown, [number, number, string]>(
  `UPDATE runs SET state = 'queued', worker = NULL, due_at = ?, active_ms = ?, active_at = NULL
   WHERE id = ?`,
);
const RELEASE_WORKER = defineStatement<unknown, [number, string, number]>(
  "UPDATE runs SET due_at = ? WHERE state = 'running' AND worker = ? AND due_at > ?",
);
const NEXT_WITHIN = defineStatement<{ dueAt: number | null }, [string, string]>(
  `SELECT min(due_at) AS dueAt FROM (
     SELECT due_at FROM runs WHERE id = ? AND due_at IS NOT NULL
     UNION ALL SELECT min(due_at) FROM runs WHERE root_id = ? AND depth > 0 AND due_at IS NOT NULL
   )`,
);
const NEXT = defineStatement<{ dueAt: number | null }, []>(
  "SELECT min(due_at) AS dueAt FROM runs WHERE due_at IS NOT NULL",
);

export function createQueue(connection: Connection, clock: Clock): Queue {
  return {
    async fetch(worker, limit, only) {
      if (limit < 1) return [];
      // Looked at first without the write lock: an idle worker asks often.
      const due = await connection.read(({ client }) =>
        dueIds(client, clock, { worker, limit, only }),
      );
      if (due.length === 0) return [];
      return await connection.write(({ client }) =>
        dueIds(client, clock, { worker, limit, only }).flatMap((id) =>
          claimRun(client, { id, worker, now: clock.now() }),
        ),
      );
    },
    async touch(claims) {
      if (claims.length === 0) return [];
      return await connection.write(({ client }) => {
        const now = clock.now();
        return claims.map((claim) => touchClaim(client, claim, now));
      });
    },
    release: (claim) => connection.write(({ client }) => releaseClaim(client, claim, clock.now())),
    releaseWorker: (worker) =>
      connection.write(({ client }) => {
        const now = clock.now();
        return RELEASE_WORKER(client).run(now, worker, now).changes;
      }),
    nextDueAt: (only) =>
      connection.read(({ client }) => {
        const row = only === undefined ? NEXT(client).get() : NEXT_WITHIN(client).get(only, only);
        return row?.dueAt ?? undefined;
      }),
  };
}

function dueIds(
  client: Database,
  clock: Clock,
  query: { worker: string; limit: number; only: string | undefined },
): string[] {
  const { worker, limit, only } = query;
  const now = clock.now();
  const rows =
    only === undefined
      ? DUE(client).all(now, limit)
      : DUE_WITHIN(client).all(...([only, now, worker, only, now, worker, limit] as const));
  return rows.map((row) => row.id);
}

/** Empty when the run, left by a dead worker, was to be cancelled: it is then, and needs no worker. */
function claimRun(client: Database, options: { id: string; worker: string; now: number }): Claim[] {
  const { id, worker, now } = options;
  const run = requireRun(client, id);
  // The end of one before it in this fetch has taken it along.
  if (run.dueAt === null) return [];
  if (run.cancelRequestedAt !== null) {
    endRun(client, { ...run, activeAt: null }, { ending: { state: "cancelled" }, at: now });
    return [];
  }
  const recovered = run.state === "running";
  const row = CLAIM(client).get(worker, now + LEASE_MS, now, now, id);
  if (row === null) return [];
  countMove(client, run.state, "running");
  insertEvents(client, { runId: id, seq: run.seq, at: now }, [
    { type: recovered ? "run.recovered" : "run.started", worker },
  ]);
  return [{ runId: id, worker, epoch: row.epoch, recovered }];
}

function touchClaim(client: Database, claim: Claim, now: number): ClaimStatus {
  const run = findClaimed(client, claim);
  if (run === null) return "lost";
  TOUCH(client).run(now + LEASE_MS, activeMsAt(run, now), now, run.id);
  return run.cancelRequestedAt === null ? "held" : "cancelled";
}

/**
 * A run that was to be cancelled is, instead of going back into the queue. A claim that is no longer
 * held needs no giving back.
 */
function releaseClaim(client: Database, claim: Claim, now: number): void {
  const run = findClaimed(client, claim);
  if (run === null) return;
  if (run.cancelRequestedAt !== null) {
    endRun(client, run, { ending: { state: "cancelled" }, at: now });
    return;
  }
  RELEASE(client).run(now, activeMsAt(run, now), run.id);
  countMove(client, run.state, "queued");
  insertEvents(client, { runId: run.id, seq: run.seq, at: now }, [{ type: "run.queued" }]);
}
