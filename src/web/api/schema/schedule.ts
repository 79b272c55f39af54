import { z } from "zod";
import { type Schedule, SCHEDULE_OVERLAPS } from "../../../domain/schedule.ts";
import { PROVIDERS } from "../../../domain/workflow.ts";
import {
  ErrorSchema,
  JsonObjectSchema,
  listOf,
  presentError,
  TimeSchema,
  toIso,
  toIsoOrNull,
  Word,
} from "./common.ts";

const CRON_LENGTH_MAX = 200;
const ZONE_LENGTH_MAX = 100;

export const ScheduleSchema = z
  .strictObject({
    id: z.string(),
    workflow: z.string(),
    workflow_id: z.string(),
    cron: z.string(),
    time_zone: z.string(),
    inputs: JsonObjectSchema,
    provider: z.enum(PROVIDERS).nullable(),
    model: z.string().nullable(),
    overlap: z.enum(SCHEDULE_OVERLAPS),
    catch_up: z.boolean(),
    paused: z.boolean(),
    next_at: TimeSchema.nullable().describe("null while it is paused."),
    last_at: TimeSchema.nullable().describe("The newest time that has come."),
    last_outcome: z.enum(["started", "overlapped", "missed", "failed"]).nullable(),
    last_run: z.string().nullable(),
    last_error: ErrorSchema.nullable(),
    created_at: TimeSchema,
    updated_at: TimeSchema,
  })
  .meta({ ref: "Schedule" });
export const ScheduleListSchema = listOf(ScheduleSchema, "ScheduleList")
  .pick({ items: true })
  .meta({ ref: "ScheduleList" });

const PlanShape = {
  cron: Word.max(CRON_LENGTH_MAX).describe("Five fields, or a nickname such as `@daily`."),
  time_zone: Word.max(ZONE_LENGTH_MAX).describe("As `Europe/Berlin`."),
  inputs: JsonObjectSchema.describe(
    "Of each run; defaults are those of the version that is started.",
  ),
  overlap: z
    .enum(SCHEDULE_OVERLAPS)
    .describe("What happens while the last run is still under way."),
  catch_up: z.boolean().describe("After times that were missed, one run is started."),
  paused: z.boolean(),
};

export const NewScheduleSchema = z
  .strictObject({
    ...PlanShape,
    time_zone: PlanShape.time_zone.default("UTC"),
    inputs: PlanShape.inputs.default({}),
    overlap: PlanShape.overlap.default("skip"),
    catch_up: PlanShape.catch_up.default(true),
    paused: PlanShape.paused.default(false),
    provider: z.enum(PROVIDERS).optional(),
    model: Word.max(200).optional(),
  })
  .meta({ ref: "NewSchedule" });
export const ScheduleChangeSchema = z
  .strictObject(PlanShape)
  .partial()
  .meta({ ref: "ScheduleChange", description: "What is left out stays." });

export function presentSchedule(schedule: Schedule) {
  const { overrides } = schedule;
  return {
    id: schedule.id,
    workflow: schedule.workflowName,
    workflow_id: schedule.workflowId,
    cron: schedule.cron,
    time_zone: schedule.timeZone,
    inputs: schedule.inputs,
    provider: overrides.provider ?? null,
    model: overrides.model ?? null,
    overlap: schedule.overlap,
    catch_up: schedule.catchUp,
    paused: schedule.nextAt === null,
    next_at: toIsoOrNull(schedule.nextAt),
    last_at: toIsoOrNull(schedule.lastAt),
    last_outcome: schedule.lastOutcome,
    last_run: schedule.lastRunId,
    last_error: presentError(schedule.lastError),
    created_at: toIso(schedule.createdAt),
    updated_at: toIso(schedule.updatedAt),
  };
}
