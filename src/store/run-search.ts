/**
 * Finding runs among a million. Every question is a union of short ranges of an index in the order of
 * the id; nothing is counted, sorted or filtered over the whole table.
 */
import type { Database } from "bun:sqlite";
import { RUN_STATES, type RunFilter, type RunState } from "../domain/run.ts";
import { defineStatement } from "./statement.ts";

/** Workflows whose name a search may match; more are left out. */
const SEARCH_WORKFLOW_COUNT_MAX = 50;
/** Sorts after every character that an id can hold. */
const LAST_CHARACTER = "\u{10FFFF}";

interface IdRow {
  id: string;
}

/** Ids from `low` (included) to `high` (not included). */
interface IdRange {
  readonly low: string;
  readonly high: string;
}

const ALL = defineStatement<IdRow, [string, string, number]>(
  "SELECT id FROM runs WHERE id >= ? AND id < ? ORDER BY id DESC LIMIT ?",
);
const BY_STATE = defineStatement<IdRow, [RunState, string, string, number]>(
  "SELECT id FROM runs WHERE state = ? AND id >= ? AND id < ? ORDER BY id DESC LIMIT ?",
);
const BY_WORKFLOW = defineStatement<IdRow, [string, RunState, string, string, number]>(
  `SELECT id FROM runs WHERE workflow_id = ? AND state = ? AND id >= ? AND id < ?
   ORDER BY id DESC LIMIT ?`,
);
const EXACT = defineStatement<IdRow, [string]>("SELECT id FROM runs WHERE id = ?");
const BY_END = defineStatement<IdRow, [string, string]>(
  "SELECT id FROM runs WHERE reversed_id >= ? AND reversed_id < ? LIMIT 2",
);
const WORKFLOW_NAMES = defineStatement<IdRow & { name: string }, []>(
  "SELECT id, name FROM workflows ORDER BY updated_at DESC",
);

/** Newest first. */
export function listRunIds(client: Database, filter: RunFilter): string[] {
  const high = filter.before ?? LAST_CHARACTER;
  const search = filter.search?.trim() ?? "";
  const ids =
    search === ""
      ? idsIn(client, filter, { low: "", high })
      : searchIds(client, { filter, search, high });
  return [...new Set(ids)].toSorted(descending).slice(0, Math.max(0, filter.limit));
}

function searchIds(
  client: Database,
  options: { filter: RunFilter; search: string; high: string },
): string[] {
  const { filter, search, high } = options;
  const prefix = { low: search, high: least(high, search + LAST_CHARACTER) };
  const workflowIds = workflowsNamed(client, search).filter(
    (id) => filter.workflowId === undefined || id === filter.workflowId,
  );
  return [
    ...idsIn(client, filter, prefix),
    ...workflowIds.flatMap((workflowId) =>
      idsIn(client, { ...filter, workflowId }, { low: "", high }),
    ),
  ];
}

/** The newest ids of the range for each state asked for; at most `limit` each. */
function idsIn(client: Database, filter: RunFilter, range: IdRange): string[] {
  const { workflowId, limit } = filter;
  const { low, high } = range;
  if (limit < 1) return [];
  if (workflowId !== undefined) {
    return (filter.states ?? RUN_STATES).flatMap((state) =>
      BY_WORKFLOW(client).all(workflowId, state, low, high, limit).map(toId),
    );
  }
  if (filter.states === undefined) return ALL(client).all(low, high, limit).map(toId);
  return filter.states.flatMap((state) => BY_STATE(client).all(state, low, high, limit).map(toId));
}

/** Workflows whose name has every word of the search, in any case and order. */
function workflowsNamed(client: Database, search: string): string[] {
  const words = search.toLowerCase().split(/\s+/);
  return WORKFLOW_NAMES(client)
    .all()
    .filter(({ name }) => words.every((word) => name.toLowerCase().includes(word)))
    .slice(0, SEARCH_WORKFLOW_COUNT_MAX)
    .map(toId);
}

/** The run with this id, else the only one whose id begins or ends so. */
export function findRunId(client: Database, idPart: string): string | undefined {
  if (idPart === "") return undefined;
  const exact = EXACT(client).get(idPart);
  if (exact !== null) return exact.id;
  const tail = reversed(idPart);
  const found = new Set([
    ...ALL(client)
      .all(idPart, idPart + LAST_CHARACTER, 2)
      .map(toId),
    ...BY_END(client)
      .all(tail, tail + LAST_CHARACTER)
      .map(toId),
  ]);
  const [only] = found;
  return found.size === 1 ? only : undefined;
}

/** The text backwards, as kept in `runs.reversed_id`. */
export function reversed(id: string): string {
  return Array.from(id).toReversed().join("");
}

function toId(row: IdRow): string {
  return row.id;
}

function least(a: string, b: string): string {
  return a < b ? a : b;
}

function descending(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? 1 : -1;
}
