/** Backups, restarts, logs and what is done with many runs. */
import { z } from "zod";
import type { AnyLogLine } from "../../../../views/part/log-line.ts";
import { LOG_LEVELS } from "../../../../views/part/log-line.ts";
import type { Backup } from "../../../domain/backup.ts";
import { BULK_ACTIONS, BULK_RUN_COUNT_MAX, type BulkJob } from "../../../domain/bulk-job.ts";
import { RUN_STATES } from "../../../domain/run.ts";
import { IdParam, listOf, SearchParam, TimeParam, TimeSchema, toIso } from "./common.ts";

export const BACKUP_TYPE = "application/vnd.sqlite3";

export const BackupSchema = z
  .strictObject({
    name: z.string(),
    kind: z
      .enum(["made", "update", "replaced"])
      .describe("Made by a person; before an update; what a restore has put aside."),
    bytes: z.int(),
    created_at: TimeSchema,
  })
  .meta({ ref: "Backup" });
export const BackupListSchema = z
  .strictObject({ items: z.array(BackupSchema) })
  .meta({ ref: "BackupList" });

export function presentBackup({ name, kind, bytes, at }: Backup) {
  return { name, kind, bytes, created_at: toIso(at) };
}

export const RestartSchema = z
  .strictObject({
    started_at: TimeSchema.describe("Of this start. `GET /status` has a later one afterwards."),
  })
  .meta({ ref: "Restart" });

export function presentRestart(startedAt: number) {
  return { started_at: toIso(startedAt) };
}

export const LogLineSchema = z
  .strictObject({
    id: z.string(),
    at: TimeSchema,
    level: z.enum(LOG_LEVELS),
    service: z.string().nullable().describe("null for a line of a run."),
    run: z.string().nullable(),
    step: z.string().nullable(),
    text: z.string(),
  })
  .meta({ ref: "LogLine" });
export const LogListSchema = listOf(LogLineSchema, "LogList").extend({
  looked_to: TimeSchema.nullable().describe(
    "Up to when was looked, where few lines match and `next` goes on.",
  ),
});

export function presentLogLine(line: AnyLogLine, text: string) {
  const { id, at, level, service = null, runId: run = null, step = null } = line;
  return { id, at: toIso(at), level, service, run, step, text };
}

const BulkFilterSchema = z
  .strictObject({
    state: z.array(z.enum(RUN_STATES)).max(RUN_STATES.length).optional(),
    workflow: IdParam.optional().describe("Id or name of the workflow."),
    search: SearchParam,
    since: TimeParam.optional().describe("Created at this time or later."),
    until: TimeParam.optional().describe("Created before this time."),
  })
  .meta({ ref: "BulkFilter" });

export const NewBulkJobSchema = z
  .strictObject({
    action: z.enum(BULK_ACTIONS),
    runs: z.array(IdParam).min(1).max(BULK_RUN_COUNT_MAX).optional().describe("Ids of runs."),
    filter: BulkFilterSchema.optional().describe(
      `In place of \`runs\`: all that match, at most ${BULK_RUN_COUNT_MAX}.`,
    ),
    confirm: z
      .boolean()
      .default(false)
      .describe("Begin at once, also with what can be confirmed first: a filter, or `delete`."),
  })
  .meta({ ref: "NewBulkJob" });

export const BulkJobSchema = z
  .strictObject({
    id: z.string(),
    action: z.enum(BULK_ACTIONS),
    state: z.enum(["asked", "running", "done"]).describe("`asked`: it waits to be confirmed."),
    created_at: TimeSchema,
    count: z.int().describe("Runs that it is about."),
    is_more: z.boolean().describe("More runs match than one job takes."),
    done_count: z.int(),
    refused_count: z.int(),
    refusals: z
      .array(z.strictObject({ run: z.string(), message: z.string(), fix: z.string().nullable() }))
      .describe("The first of those that were refused."),
    can_undo: z.boolean(),
    undone_by: z.string().nullable().describe("Id of the job that takes it back."),
  })
  .meta({ ref: "BulkJob" });
export const BulkJobListSchema = z
  .strictObject({ items: z.array(BulkJobSchema) })
  .meta({ ref: "BulkJobList" });

export function presentBulkJob(job: BulkJob) {
  return {
    id: job.id,
    action: job.action,
    state: job.state,
    created_at: toIso(job.createdAt),
    count: job.count,
    is_more: job.isMore,
    done_count: job.doneCount,
    refused_count: job.refusedCount,
    refusals: job.refusals.map(({ id, message, fix = null }) => ({ run: id, message, fix })),
    can_undo: job.canUndo && job.state === "done",
    undone_by: job.undoneBy,
  };
}
