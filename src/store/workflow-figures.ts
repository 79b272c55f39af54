/**
 * Lists of workflows with how their runs went. What grows with history is only looked up in an index: the
 * newest runs of each state, and the sums of time spans.
 */
import type { Database } from "bun:sqlite";
import { RUN_STATES, type RunState } from "../domain/run.ts";
import {
  RECENT_RUN_COUNT,
  type RunMark,
  WORKFLOW_COUNT_MAX,
  type WorkflowFigures,
  type WorkflowFilter,
  type WorkflowListing,
} from "../domain/workflow.ts";
import { inParts, PARTS, partsOf, type RangeParams } from "./span-read.ts";
import { DAY_MS } from "./span-write.ts";
import { defineStatement } from "./statement.ts";

const ALL = defineStatement<WorkflowListing, [number]>(
  `SELECT w.id, w.name, w.description, w.updated_at AS updatedAt, w.version_hash AS versionHash,
     v.number AS versionNumber
   FROM workflows w
   JOIN workflow_versions v ON v.workflow_id = w.id AND v.hash = w.version_hash
   ORDER BY w.updated_at DESC, w.id DESC LIMIT ?`,
);
const NEWEST = defineStatement<{ id: string }, [string, RunState, number]>(
  "SELECT id FROM runs WHERE workflow_id = ? AND state = ? ORDER BY id DESC LIMIT ?",
);
const CREATED_AT = defineStatement<{ createdAt: number }, [string]>(
  "SELECT created_at AS createdAt FROM runs WHERE id = ?",
);

type Sums = Omit<WorkflowFigures, "recent">;

const SUMS = defineStatement<Sums, [...RangeParams, string]>(
  `WITH ${PARTS} SELECT COALESCE(SUM(created), 0) AS created, COALESCE(SUM(succeeded), 0) AS succeeded,
     COALESCE(SUM(failed), 0) AS failed, COALESCE(SUM(cancelled), 0) AS cancelled,
     COALESCE(SUM(duration_ms), 0) AS durationMs, COALESCE(SUM(cost_nano_usd), 0) AS costNanoUsd
   FROM ${inParts("workflow_spans")} WHERE workflow_id = ?5`,
);
/** After all that is ever written. */
const ENDLESS_MS = Number.MAX_SAFE_INTEGER - (Number.MAX_SAFE_INTEGER % DAY_MS);
const NO_SUMS: Sums = {
  created: 0,
  succeeded: 0,
  failed: 0,
  cancelled: 0,
  durationMs: 0,
  costNanoUsd: 0,
};

export function listWorkflows(client: Database, filter: WorkflowFilter): WorkflowListing[] {
  const words = (filter.search ?? "").toLowerCase().split(/\s+/);
  const named = ALL(client)
    .all(WORKFLOW_COUNT_MAX)
    .filter(({ name }) => words.every((word) => name.toLowerCase().includes(word)));
  const { lastResult } = filter;
  const wanted =
    lastResult === undefined
      ? named
      : named.filter(({ id }) => (newestRun(client, id)?.state ?? "never") === lastResult);
  return inOrder(client, wanted, filter);
}

function inOrder(
  client: Database,
  listings: readonly WorkflowListing[],
  { order, sinceMs }: WorkflowFilter,
): WorkflowListing[] {
  switch (order) {
    case "changed":
      return [...listings];
    case "name":
      return listings.toSorted((a, b) => a.name.localeCompare(b.name, "en"));
    case "run":
      return descending(listings, ({ id }) => newestRun(client, id)?.id ?? "");
    case "cost":
      return descending(listings, ({ id }) => sumsOf(client, id, sinceMs).costNanoUsd);
    case "success":
      // The worst first: that is where one looks. Those without a run that ended come last.
      return descending(listings, ({ id }) => failureShare(sumsOf(client, id, sinceMs)));
  }
}

/** Stable: equals stay in the order of the last change. */
function descending(
  listings: readonly WorkflowListing[],
  keyOf: (listing: WorkflowListing) => string | number,
): WorkflowListing[] {
  return listings
    .map((listing) => ({ listing, key: keyOf(listing) }))
    .toSorted((a, b) => (a.key === b.key ? 0 : a.key < b.key ? 1 : -1))
    .map(({ listing }) => listing);
}

function failureShare({ succeeded, failed }: Sums): number {
  const ended = succeeded + failed;
  return ended === 0 ? -1 : failed / ended;
}

/** How the runs of a workflow went since then; the newest ones whenever they were. */
export function readFigures(
  client: Database,
  workflowId: string,
  sinceMs: number,
): WorkflowFigures {
  const recent = newestRuns(client, workflowId, RECENT_RUN_COUNT).map(({ id, state }): RunMark => {
    return { id, state, createdAt: CREATED_AT(client).get(id)?.createdAt ?? 0 };
  });
  return { ...sumsOf(client, workflowId, sinceMs), recent };
}

function sumsOf(client: Database, workflowId: string, sinceMs: number): Sums {
  const parts = partsOf({ sinceMs, untilMs: ENDLESS_MS });
  return SUMS(client).get(...parts, workflowId) ?? NO_SUMS;
}

interface Newest {
  readonly id: string;
  readonly state: RunState;
}

function newestRun(client: Database, workflowId: string): Newest | undefined {
  return newestRuns(client, workflowId, 1)[0];
}

/** Ids begin with the time: the greatest is the newest. */
function newestRuns(client: Database, workflowId: string, limit: number): Newest[] {
  const found = RUN_STATES.flatMap((state) =>
    NEWEST(client)
      .all(workflowId, state, limit)
      .map(({ id }): Newest => ({ id, state })),
  );
  return found.toSorted((a, b) => (a.id < b.id ? 1 : -1)).slice(0, limit);
}
