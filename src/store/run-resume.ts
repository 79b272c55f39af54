/** How a run goes on that has ended badly or waits for a time: see `RunStore.resume`. */
import type { Database } from "bun:sqlite";
import { AppError } from "../domain/error.ts";
import { isItemKey } from "../domain/event.ts";
import type { RunState, RunStore, WaitingFor } from "../domain/run.ts";
import { insertEvents } from "./run-event.ts";
import { dropDecisions } from "./run-signal.ts";
import { type LiveRun, countMove, requireRun } from "./run-state.ts";
import { defineStatement } from "./statement.ts";

type Change = Parameters<RunStore["resume"]>[1];

/** What a person need not wait for. */
const SHORTENED = new Set<WaitingFor | null>(["timer", "rate_limit", "budget"]);

const WAITING_FOR = defineStatement<{ waitingFor: WaitingFor | null }, [string]>(
  "SELECT waiting_for AS waitingFor FROM runs WHERE id = ?",
);
const SUPERSEDE = defineStatement<unknown, [string, string]>(
  `UPDATE steps SET state = 'superseded', retry_at = NULL, wait = NULL, asked_at = NULL
   WHERE run_id = ? AND key = ?`,
);
const RETRY = defineStatement<unknown, [number, string, number]>(
  `UPDATE steps SET retry_at = ? WHERE run_id = ? AND state = 'failed' AND next IS NULL
     AND (retry_at IS NULL OR retry_at > ?)`,
);
const SHORTEN = defineStatement<unknown, [number, string, number]>(
  `UPDATE steps SET wait = json_set(wait, '$.untilMs', ?) WHERE run_id = ? AND state = 'waiting'
     AND wait ->> 'for' IN ('timer', 'rate_limit') AND wait ->> 'untilMs' > ?`,
);
const DONE = defineStatement<{ key: string; nodeId: string }, [string]>(
  `SELECT key, node_id AS nodeId FROM steps WHERE run_id = ? AND state = 'succeeded'
   ORDER BY ended_seq`,
);
const SET_DONE = defineStatement<unknown, [string, string]>(
  "UPDATE runs SET done_node_ids = ? WHERE id = ?",
);
const SET_VALUES = defineStatement<unknown, [string, string]>(
  'UPDATE runs SET "values" = ? WHERE id = ?',
);
const SET_OVERRIDES = defineStatement<unknown, [string, string]>(
  "UPDATE runs SET overrides = ? WHERE id = ?",
);
const REQUEUE = defineStatement<unknown, [number, string]>(
  `UPDATE runs SET state = 'queued', due_at = ?, wake_count = wake_count + 1, waiting_for = NULL,
     active_ms = CASE state WHEN 'waiting' THEN active_ms ELSE 0 END, finished_at = NULL, cancel_requested_at = NULL, error = NULL WHERE id = ?`,
);

/** Where a pause still holds, the next refusal says so anew. */
const UNBLOCK = defineStatement<unknown, []>("DELETE FROM provider_blocks");

/** @throws AppError as `RunStore.resume`. */
export function resumeRun(
  client: Database,
  options: { id: string; change: Change; now: number },
): void {
  const { id, change, now } = options;
  const run = requireRun(client, id);
  const supersede = change.supersede ?? [];
  requireSeen(run, change.seenWakeCount);
  requireResumable(client, run, supersede.length > 0);
  for (const key of supersede) {
    SUPERSEDE(client).run(id, key);
    dropDecisions(client, id, key);
  }
  RETRY(client).run(now, id, now);
  SHORTEN(client).run(now, id, now);
  if (WAITING_FOR(client).get(id)?.waitingFor === "rate_limit") UNBLOCK(client).run();
  if (supersede.length > 0) {
    SET_DONE(client).run(JSON.stringify(doneNodeIds(client, id)), id);
  }
  if (change.values !== undefined) SET_VALUES(client).run(JSON.stringify(change.values), id);
  if (change.overrides !== undefined) {
    SET_OVERRIDES(client).run(JSON.stringify(change.overrides), id);
  }
  REQUEUE(client).run(now, id);
  countMove(client, run.state, "queued");
  const { by, from } = change;
  insertEvents(client, { runId: id, seq: run.seq, at: now }, [
    { type: "run.resumed", by, ...(from === undefined ? {} : { from }) },
  ]);
}

function requireSeen({ id, wakeCount }: LiveRun, seen: number | undefined): void {
  if (seen === undefined || seen === wakeCount) return;
  throw new AppError("conflict", `Run ${id} has gone on meanwhile.`, {
    fix: "Look at the run, and go back to a step of what it is now.",
  });
}

function requireResumable(client: Database, run: LiveRun, supersedes: boolean): void {
  const { id, state } = run;
  const waitingFor = WAITING_FOR(client).get(id)?.waitingFor ?? null;
  if (state === "failed" || state === "cancelled" || (state === "succeeded" && supersedes)) return;
  if (state === "waiting" && SHORTENED.has(waitingFor)) return;
  throw new AppError("conflict", `Run ${id} cannot be resumed: it ${stateInWords(state)}.`, {
    fix:
      state === "waiting"
        ? `Give it what it waits for (${waitingFor ?? "nothing"}), or cancel it.`
        : "Resume a run that has failed, was cancelled or waits for a time.",
  });
}

function stateInWords(state: RunState): string {
  if (state === "succeeded") return "has succeeded, and no step is named to go back to";
  if (state === "waiting") return "waits for something that has to come";
  return `is ${state}`;
}

function doneNodeIds(client: Database, id: string): string[] {
  const done = DONE(client)
    .all(id)
    .filter(({ key }) => !isItemKey(key));
  return [...new Set(done.map((step) => step.nodeId))];
}
