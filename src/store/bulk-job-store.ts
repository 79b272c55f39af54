import { and, asc, desc, eq, inArray, isNotNull, ne, notInArray, sql } from "drizzle-orm";
import {
  BULK_JOB_COUNT_MAX,
  BULK_REFUSAL_COUNT_MAX,
  type BulkJob,
  type BulkJobStore,
  type BulkOutcome,
  type NewBulkJob,
} from "../domain/bulk-job.ts";
import { AppError } from "../domain/error.ts";
import type { Clock } from "../lib/clock.ts";
import type { Connection } from "./connection.ts";
import type { Db } from "./database.ts";
import { bulkItems as items, bulkJobs as jobs } from "./bulk-job-schema.ts";

/** Rows of one statement: SQLite takes so many values. */
const ROW_COUNT_STEP = 200;

export function createBulkJobStore(connection: Connection, clock: Clock): BulkJobStore {
  return {
    create: (job) =>
      connection.write(({ db }) => {
        insertJob(db, job, clock.now());
        dropOld(db);
        return requireJob(db, job.id);
      }),
    get: (id) => connection.read(({ db }) => requireJob(db, id)),
    list: (limit) =>
      connection.read(({ db }) =>
        db
          .select()
          .from(jobs)
          .orderBy(desc(jobs.id))
          .limit(limit)
          .all()
          .map((row) => toJob(db, row)),
      ),
    running: () =>
      connection.read(({ db }) =>
        db
          .select({ id: jobs.id })
          .from(jobs)
          .where(eq(jobs.state, "running"))
          .orderBy(asc(jobs.id))
          .all()
          .map(({ id }) => id),
      ),
    confirm: (id) =>
      connection.write(({ db }) => {
        if (requireJob(db, id).state !== "asked") return false;
        db.update(jobs).set({ state: "running" }).where(eq(jobs.id, id)).run();
        return true;
      }),
    begin: (id, limit) => connection.write(({ db }) => begin(db, id, limit)),
    finish: (id, outcomes) =>
      connection.write(({ db }) => {
        for (const outcome of outcomes) finish(db, id, outcome);
      }),
    undo: (id, undoing) =>
      connection.write(({ db }) => {
        const { undoneBy, canUndo, state } = requireJob(db, id);
        if (undoneBy !== null) return undoneBy;
        if (!canUndo || state !== "done") throw cannotUndo();
        const runIds = changedRunIds(db, id);
        insertJob(db, { ...undoing, state: "running", isMore: false, runIds }, clock.now());
        db.update(jobs).set({ undoneBy: undoing.id }).where(eq(jobs.id, id)).run();
        return undoing.id;
      }),
  };
}

function insertJob(db: Db, { runIds, ...job }: NewBulkJob, now: number): void {
  const row = { ...job, createdAt: now, count: runIds.length };
  const isNew = db.insert(jobs).values(row).onConflictDoNothing().returning({ id: jobs.id }).all();
  if (isNew.length === 0) return;
  for (let first = 0; first < runIds.length; first += ROW_COUNT_STEP) {
    const rows = runIds.slice(first, first + ROW_COUNT_STEP).map((runId, index) => ({
      jobId: job.id,
      position: first + index,
      state: "left" as const,
      runId,
    }));
    db.insert(items).values(rows).run();
  }
}

/** The newest stay, and all that are under way. */
function dropOld(db: Db): void {
  const kept = db
    .select({ id: jobs.id })
    .from(jobs)
    .orderBy(desc(jobs.id))
    .limit(BULK_JOB_COUNT_MAX);
  db.delete(jobs)
    .where(and(ne(jobs.state, "running"), notInArray(jobs.id, kept)))
    .run();
}

function begin(db: Db, id: string, limit: number) {
  if (requireJob(db, id).state !== "running") return [];
  const found = db
    .select({ position: items.position, runId: items.runId, state: items.state })
    .from(items)
    .where(and(eq(items.jobId, id), inArray(items.state, ["begun", "left"])))
    // "begun" before "left".
    .orderBy(asc(items.state), asc(items.position))
    .limit(limit)
    .all();
  if (found.length === 0) db.update(jobs).set({ state: "done" }).where(eq(jobs.id, id)).run();
  const positions = found.map(({ position }) => position);
  db.update(items)
    .set({ state: "begun" })
    .where(and(eq(items.jobId, id), inArray(items.position, positions)))
    .run();
  return found.map(({ runId, state }) => ({ runId, isRepeated: state === "begun" }));
}

function finish(db: Db, id: string, { runId, changedRunId, refusal }: BulkOutcome): void {
  const isDone = refusal === null;
  const noted = db
    .update(items)
    .set({
      state: isDone ? "done" : "refused",
      changedRunId,
      message: refusal?.message ?? null,
      fix: refusal?.fix ?? null,
    })
    .where(and(eq(items.jobId, id), eq(items.runId, runId), eq(items.state, "begun")))
    .returning({ position: items.position })
    .all();
  if (noted.length === 0) return;
  const more = isDone
    ? { doneCount: sql`${jobs.doneCount} + 1` }
    : { refusedCount: sql`${jobs.refusedCount} + 1` };
  db.update(jobs).set(more).where(eq(jobs.id, id)).run();
}

function changedRunIds(db: Db, id: string): string[] {
  return db
    .selectDistinct({ runId: items.changedRunId })
    .from(items)
    .where(and(eq(items.jobId, id), isNotNull(items.changedRunId)))
    .orderBy(asc(items.position))
    .all()
    .flatMap(({ runId }) => runId ?? []);
}

function requireJob(db: Db, id: string): BulkJob {
  const row = db.select().from(jobs).where(eq(jobs.id, id)).get();
  if (row !== undefined) return toJob(db, row);
  throw new AppError("not_found", "This job is not known any more.", {
    fix: "Look at the list of runs: it shows what has been done.",
  });
}

function toJob(db: Db, row: typeof jobs.$inferSelect): BulkJob {
  const refusals =
    row.refusedCount === 0
      ? []
      : db
          .select({ id: items.runId, message: items.message, fix: items.fix })
          .from(items)
          .where(and(eq(items.jobId, row.id), eq(items.state, "refused")))
          .orderBy(asc(items.position))
          .limit(BULK_REFUSAL_COUNT_MAX)
          .all();
  return {
    ...row,
    refusals: refusals.map(({ id, message, fix }) => ({
      id,
      message: message ?? "",
      fix: fix ?? undefined,
    })),
    canUndo: row.action !== "delete" && row.doneCount > 0 && row.undoneBy === null,
  };
}

function cannotUndo(): AppError {
  return new AppError("conflict", "This cannot be undone.", { fix: "Go to the list of runs." });
}
