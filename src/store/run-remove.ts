/** Runs that are no longer wanted: a run goes with its log, its steps, its memories and the runs inside of it. */
import type { Database } from "bun:sqlite";
import { AppError } from "../domain/error.ts";
import { type EndedRange, RUN_STATES_FINAL, type RunState } from "../domain/run.ts";
import { firstIdAt } from "../lib/id.ts";
import { countRemoval, requireRun } from "./run-state.ts";
import { defineStatement } from "./statement.ts";

const CHILDREN = defineStatement<{ id: string; state: RunState }, [string]>(
  "SELECT id, state FROM runs WHERE origin_run_id = ? AND origin_kind = 'child'",
);
const ROOT = defineStatement<{ id: string; state: RunState }, [string]>(
  "SELECT root.id, root.state FROM runs JOIN runs AS root ON root.id = runs.root_id WHERE runs.id = ?",
);
const FORGET = defineStatement<unknown, [string]>("DELETE FROM memories WHERE run_id = ?");
const REMOVE = defineStatement<unknown, [string]>("DELETE FROM runs WHERE id = ?");
/** Oldest first; few that began before that time have ended after it. */
const ENDED = defineStatement<{ id: string }, [RunState, string, number, number]>(
  `SELECT id FROM runs WHERE state = ? AND id < ? AND depth = 0 AND finished_at < ?
   ORDER BY id LIMIT ?`,
);
const ENDED_BACK = defineStatement<{ id: string }, [RunState, string, number]>(
  "SELECT id FROM runs WHERE state = ? AND id < ? AND depth = 0 ORDER BY id DESC LIMIT ?",
);

/** @throws AppError as `RunStore.remove`. */
export function removeRun(client: Database, id: string): void {
  const run = requireRun(client, id);
  requireEnded({ id, state: run.state });
  const root = ROOT(client).get(id);
  if (root !== null) requireEnded(root);
  const tree = [{ id, state: run.state }];
  // Grows while it is walked: children, then theirs.
  for (const one of tree) tree.push(...CHILDREN(client).all(one.id));
  for (const one of tree) requireEnded(one);
  for (const one of tree.toReversed()) {
    FORGET(client).run(one.id);
    REMOVE(client).run(one.id);
    countRemoval(client, one.state);
  }
}

/** @returns false for a run that goes on, or that somebody else has removed meanwhile. */
export function removeIfEnded(client: Database, id: string): boolean {
  try {
    removeRun(client, id);
    return true;
  } catch (error) {
    if (error instanceof AppError && (error.code === "conflict" || error.code === "not_found"))
      return false;
    throw error;
  }
}

/** @returns ids of the outermost runs that have ended there, the oldest first. */
export function endedRunIds(client: Database, range: EndedRange, limit: number): string[] {
  const untilMs = "untilMs" in range ? range.untilMs : Number.MAX_SAFE_INTEGER;
  // A sign behind an id: the first that sorts behind it.
  const idBefore = "untilMs" in range ? firstIdAt(range.untilMs) : `${range.upToId}!`;
  return RUN_STATES_FINAL.flatMap((state) => ENDED(client).all(state, idBefore, untilMs, limit))
    .map((row) => row.id)
    .toSorted()
    .slice(0, limit);
}

/** At most `limit` outermost runs that have ended, the newest first. */
export function endedRunIdsBack(client: Database, idBefore: string, limit: number): string[] {
  return RUN_STATES_FINAL.flatMap((state) => ENDED_BACK(client).all(state, idBefore, limit))
    .map((row) => row.id)
    .toSorted()
    .toReversed()
    .slice(0, limit);
}

function requireEnded({ id, state }: { id: string; state: RunState }): void {
  if (RUN_STATES_FINAL.includes(state)) return;
  throw new AppError("conflict", `Run ${id} has not ended.`, {
    fix: "Cancel it first, or wait for its end.",
  });
}
