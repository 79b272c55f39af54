import { and, asc, count, eq, isNotNull, isNull, lte, sql, type SQL } from "drizzle-orm";
import { AppError } from "../domain/error.ts";
import { type Schedule, SCHEDULE_COUNT_MAX, type ScheduleStore } from "../domain/schedule.ts";
import type { Clock } from "../lib/clock.ts";
import { defined } from "../lib/defined.ts";
import { newId } from "../lib/id.ts";
import type { Connection } from "./connection.ts";
import type { Db } from "./database.ts";
import { schedules, workflows } from "./schema.ts";

export function createScheduleStore(connection: Connection, clock: Clock): ScheduleStore {
  return {
    create: (schedule) => connection.write(({ db }) => create(db, schedule, clock.now())),
    update: (id, change) =>
      connection.write(({ db }) => {
        const fields = { ...defined(change), updatedAt: clock.now(), startingRunId: null };
        db.update(schedules).set(fields).where(eq(schedules.id, id)).run();
        return required(db, id);
      }),
    get: (id) => connection.read(({ db }) => find(db, id)),
    list: ({ workflowId, limit }) =>
      connection.read(({ db }) => {
        const wanted = workflowId === undefined ? undefined : eq(schedules.workflowId, workflowId);
        return select(db, wanted, limit);
      }),
    due: (now, limit) => connection.read(({ db }) => select(db, lte(schedules.nextAt, now), limit)),
    nextDueAt: () =>
      connection.read(({ db }) => {
        const next = db
          .select({ at: schedules.nextAt })
          .from(schedules)
          .where(isNotNull(schedules.nextAt))
          .orderBy(asc(schedules.nextAt))
          .limit(1)
          .get();
        return next?.at ?? undefined;
      }),
    takeUp: (id, at, runId) =>
      connection.write(({ db }) => {
        db.update(schedules)
          .set({ startingRunId: runId })
          .where(and(isAt(id, at), isNull(schedules.startingRunId)))
          .run();
        return (
          db.select({ runId: schedules.startingRunId }).from(schedules).where(isAt(id, at)).get()
            ?.runId ?? undefined
        );
      }),
    async settle(id, at, { outcome, runId, error, nextAt }) {
      await connection.write(({ db }) => {
        db.update(schedules)
          .set({
            nextAt,
            startingRunId: null,
            lastAt: at,
            lastOutcome: outcome,
            lastError: error ?? null,
            // The run of before stays named: what overlapped did so with it.
            ...defined({ lastRunId: runId }),
          })
          .where(isAt(id, at))
          .run();
      });
    },
    remove: (id) =>
      connection.write(({ db }) => {
        const schedule = required(db, id);
        db.delete(schedules).where(eq(schedules.id, id)).run();
        return schedule;
      }),
  };
}

function create(
  db: Db,
  { workflowId, id, ...plan }: Parameters<ScheduleStore["create"]>[0],
  now: number,
): Schedule {
  const workflow = db
    .select({ id: workflows.id })
    .from(workflows)
    .where(eq(workflows.id, workflowId))
    .get();
  if (workflow === undefined) {
    throw new AppError("not_found", `There is no workflow ${workflowId}.`, {
      fix: "Choose one from the list of workflows.",
    });
  }
  const known = db
    .select({ count: count() })
    .from(schedules)
    .where(eq(schedules.workflowId, workflowId))
    .get();
  if ((known?.count ?? 0) >= SCHEDULE_COUNT_MAX) {
    throw new AppError("limit_reached", `The workflow has ${SCHEDULE_COUNT_MAX} schedules.`, {
      fix: "Delete one that is no longer needed.",
    });
  }
  const row = { id: id ?? newId(now), workflowId, ...plan, createdAt: now, updatedAt: now };
  db.insert(schedules).values(row).onConflictDoNothing().run();
  return required(db, row.id);
}

/** A schedule that waits for this time, and for no other. */
function isAt(id: string, at: number): SQL | undefined {
  return and(eq(schedules.id, id), eq(schedules.nextAt, at));
}

function find(db: Db, id: string): Schedule | undefined {
  return select(db, eq(schedules.id, id), 1)[0];
}

function required(db: Db, id: string): Schedule {
  const schedule = find(db, id);
  if (schedule !== undefined) return schedule;
  throw new AppError("not_found", `There is no schedule ${id}.`, {
    fix: "Go to the list of schedules and choose one.",
  });
}

function select(db: Db, wanted: SQL | undefined, limit: number): Schedule[] {
  return db
    .select({ schedule: schedules, workflowName: workflows.name })
    .from(schedules)
    .innerJoin(workflows, eq(workflows.id, schedules.workflowId))
    .where(wanted)
    .orderBy(sql`${schedules.nextAt} IS NULL`, asc(schedules.nextAt), asc(schedules.id))
    .limit(Math.max(0, limit))
    .all()
    .map(toSchedule);
}

function toSchedule(row: {
  schedule: typeof schedules.$inferSelect;
  workflowName: string;
}): Schedule {
  const { startingRunId: _, ...schedule } = row.schedule;
  return { ...schedule, workflowName: row.workflowName };
}
