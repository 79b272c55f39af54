/** How a run comes to be: fresh, inside of another, or from the middle of an old one. */
import { type Database, SQLiteError } from "bun:sqlite";
import { AppError } from "../domain/error.ts";
import { type RunEvent, isItemKey } from "../domain/event.ts";
import {
  type ForkedStep,
  LEASE_MS,
  type NewRun,
  RUN_DEPTH_MAX,
  RUN_STATES_FINAL,
  type RunOrigin,
} from "../domain/run.ts";
import type { Json, JsonObject } from "../lib/json.ts";
import { insertEvents } from "./run-event.ts";
import { reversed } from "./run-search.ts";
import { insertRunWords } from "./run-words.ts";
import { addToMinute, countMove, requireRun } from "./run-state.ts";
import { countRunCreated } from "./span-write.ts";
import { defineStatement } from "./statement.ts";

const EXISTS = defineStatement<{ id: string }, [string]>("SELECT id FROM runs WHERE id = ?");
const INSERT = defineStatement<
  unknown,
  [
    ...[string, number, string | null, number],
    ...[number, string, string | null, string | null, string | null],
    ...[string, string, string, string, string, string, string, string, string, string],
  ]
>(
  `INSERT INTO runs (id, state, due_at, reserved_for, created_at, depth, root_id, origin_kind,
     origin_run_id, origin_step, workflow_id, version_hash, workflow_name, source, reversed_id,
     overrides, done_node_ids, "values", node_ids, inputs)
   VALUES (?, 'queued', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
);
const INSERT_STEP = defineStatement<
  unknown,
  [
    ...[string, string, string, ForkedStep["state"], number, number, number, number],
    ...[string | null, string | null, string | null, string],
  ]
>(
  `INSERT INTO steps (run_id, key, attempt, node_id, state, epoch, seq, ended_seq, started_at,
     finished_at, next, error, patch, input)
   VALUES (?, ?, 1, ?, ?, 0, ?, ?, ?, ?, ?, ?, ?, ?)`,
);

/** @returns false when there is such a run already. @throws AppError as `RunStore.create`. */
export function insertRun(
  client: Database,
  options: { run: NewRun; values: JsonObject; now: number },
): boolean {
  const { run, values, now } = options;
  if (EXISTS(client).get(run.id) !== null) return false;
  const { depth, rootId } = placeOf(client, run);
  // A reserved run is due for the others when its creator could have lost a claim.
  const dueAt = run.reservedFor === undefined ? now : now + LEASE_MS;
  const { lastInsertRowid } = withKnownVersion(run, () =>
    INSERT(client).run(
      run.id,
      dueAt,
      run.reservedFor ?? null,
      now,
      depth,
      rootId,
      run.origin?.kind ?? null,
      run.origin?.runId ?? null,
      run.origin?.step ?? null,
      run.workflowId,
      run.versionHash,
      run.workflowName,
      run.source,
      reversed(run.id),
      JSON.stringify(run.overrides),
      JSON.stringify(doneNodeIds(run.steps ?? [])),
      JSON.stringify(values),
      JSON.stringify(run.nodeIds),
      JSON.stringify(run.inputs),
    ),
  );
  insertRunWords(client, lastInsertRowid, run);
  countMove(client, undefined, "queued");
  addToMinute(client, now, { created: 1 });
  countRunCreated(client, run.workflowId, now);
  logFirst(client, run, now);
  return true;
}

/** How deep it is inside of other runs, and the outermost of these. */
function placeOf(client: Database, { id, origin }: NewRun): { depth: number; rootId: string } {
  if (origin?.kind !== "child") return { depth: 0, rootId: id };
  const parent = requireRun(client, origin.runId);
  const isOver = RUN_STATES_FINAL.includes(parent.state) || parent.cancelRequestedAt !== null;
  if (isOver) {
    throw new AppError("conflict", `Run ${parent.id} is over and starts no more runs.`, {
      fix: "Start the workflow by itself.",
    });
  }
  if (parent.depth >= RUN_DEPTH_MAX) {
    throw new AppError("limit_reached", `Workflows call workflows ${RUN_DEPTH_MAX} levels deep.`, {
      fix: "Look for a workflow that calls itself without an end.",
    });
  }
  return { depth: parent.depth + 1, rootId: parent.rootId };
}

function withKnownVersion<T>(run: NewRun, insert: () => T): T {
  try {
    return insert();
  } catch (error) {
    if (!(error instanceof SQLiteError) || error.code !== "SQLITE_CONSTRAINT_FOREIGNKEY") {
      throw error;
    }
    throw new AppError(
      "not_found",
      `There is no version ${run.versionHash} of workflow ${run.workflowId}.`,
      { fix: "Save the workflow first.", cause: error },
    );
  }
}

function logFirst(client: Database, run: NewRun, now: number): void {
  const { id, origin, steps = [] } = run;
  const moments = momentsOf(steps);
  const events: RunEvent[] = [{ type: "run.queued" }];
  if (origin?.kind === "fork") events.push(forked(run, origin, events.length + 1 + moments.length));
  const seq = insertEvents(client, { runId: id, seq: 0, at: now }, events);
  insertEvents(
    client,
    { runId: id, seq, at: now },
    moments.map((moment) => moment.event),
  );
  const places = new Map<ForkedStep, { started: number; ended: number }>();
  for (const [index, { step }] of moments.entries()) {
    const place = seq + index + 1;
    places.set(step, { started: places.get(step)?.started ?? place, ended: place });
  }
  for (const [step, place] of places) insertStep(client, { runId: id, step, place, now });
}

function forked({ set = {} }: NewRun, origin: RunOrigin, afterSeq: number): RunEvent {
  const { runId: from, step: fromStep = "" } = origin;
  const changed = Object.keys(set).length > 0 ? { set: { values: set, afterSeq } } : {};
  return { type: "run.forked", from, fromStep, ...changed };
}

interface Moment {
  readonly step: ForkedStep;
  readonly seq: number;
  readonly event: RunEvent;
}

/** Beginnings and ends of the steps, in the order in which they were. */
function momentsOf(steps: readonly ForkedStep[]): Moment[] {
  return steps
    .flatMap((step): Moment[] => {
      const { key, nodeId, state, startedSeq } = step;
      const seq = step.endedSeq ?? startedSeq;
      if (state === "skipped") {
        return [{ step, seq, event: { type: "step.skipped", step: key, node: nodeId } }];
      }
      const ref = { step: key, attempt: 1 };
      const started = { type: "step.started", node: nodeId, ...ref } as const;
      return [
        { step, seq: startedSeq, event: started },
        { step, seq, event: endOf(step) },
      ];
    })
    .toSorted((a, b) => a.seq - b.seq);
}

function endOf(step: ForkedStep): RunEvent {
  const ref = { step: step.key, attempt: 1 };
  const next = step.next ?? [];
  if (step.error === null) return { type: "step.succeeded", ...ref, patch: step.patch ?? {}, next };
  return { type: "step.failed", ...ref, error: step.error, next };
}

function insertStep(
  client: Database,
  options: {
    runId: string;
    step: ForkedStep;
    place: { started: number; ended: number };
    now: number;
  },
): void {
  const { runId, step, place, now } = options;
  INSERT_STEP(client).run(
    runId,
    step.key,
    step.nodeId,
    step.state,
    place.started,
    place.ended,
    now,
    now,
    textOf(step.next),
    step.error === null ? null : JSON.stringify(step.error),
    textOf(step.patch),
    JSON.stringify(step.input),
  );
}

function textOf(value: Json): string | null {
  return value === null ? null : JSON.stringify(value);
}

function doneNodeIds(steps: readonly ForkedStep[]): string[] {
  const done = steps
    .filter(({ key, state }) => state === "succeeded" && !isItemKey(key))
    .toSorted((a, b) => (a.endedSeq ?? 0) - (b.endedSeq ?? 0));
  return [...new Set(done.map((step) => step.nodeId))];
}
