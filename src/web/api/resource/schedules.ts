import { z } from "zod";
import { AppError } from "../../../domain/error.ts";
import type { Schedule } from "../../../domain/schedule.ts";
import { defined } from "../../../lib/defined.ts";
import type { JsonObject } from "../../../lib/json.ts";
import type { Kit } from "../../kit.ts";
import type { FieldProblem } from "../../problem.ts";
import { requireSchedule, requireWorkflow } from "../../require.ts";
import { API_PREFIX } from "../../routes.ts";
import { readWhen } from "../../schedule-form.ts";
import { defineOperation, type Operation } from "../operation.ts";
import { invalidRequest } from "../request.ts";
import { IdParam, IdParams } from "../schema/common.ts";
import {
  NewScheduleSchema,
  presentSchedule,
  ScheduleChangeSchema,
  ScheduleListSchema,
  ScheduleSchema,
} from "../schema/schedule.ts";
import { madeOnce, readRunInputs } from "./workflows.ts";

const SCHEDULE_ANSWER_COUNT_MAX = 500;

export function scheduleOperations(kit: Kit): Operation[] {
  return [...readingOperations(kit), createOperation(kit), ...changingOperations(kit)];
}

function readingOperations({ deps }: Kit): Operation[] {
  return [
    defineOperation({
      id: "listSchedules",
      method: "GET",
      path: "/schedules",
      tag: "schedules",
      summary: "List schedules, the next one first, paused ones last",
      scope: "read",
      query: z.strictObject({
        workflow: IdParam.optional().describe("Id of the workflow."),
        limit: z.int().min(1).max(SCHEDULE_ANSWER_COUNT_MAX).default(100),
      }),
      answer: { status: 200, description: "The schedules.", schema: ScheduleListSchema },
      async handle({ query }) {
        const { workflow: workflowId, limit } = query;
        const found = await deps.schedules.list({ limit, ...defined({ workflowId }) });
        return { body: { items: found.map(presentSchedule) } };
      },
    }),
    defineOperation({
      id: "getSchedule",
      method: "GET",
      path: "/schedules/:id",
      tag: "schedules",
      summary: "Read a schedule",
      scope: "read",
      params: IdParams,
      answer: { status: 200, description: "The schedule.", schema: ScheduleSchema },
      isTagged: true,
      async handle({ params }) {
        const schedule = await requireSchedule(deps, params.id);
        return { body: presentSchedule(schedule) };
      },
    }),
  ];
}

function createOperation(kit: Kit): Operation {
  const { deps } = kit;
  return defineOperation({
    id: "createSchedule",
    method: "POST",
    path: "/workflows/:id/schedules",
    tag: "schedules",
    summary: "Start a workflow by the clock",
    scope: "write",
    params: z.strictObject({ id: IdParam.describe("Id or name of the workflow.") }),
    body: NewScheduleSchema,
    bodyExample: { cron: "30 9 * * 1-5", time_zone: "Europe/Berlin", inputs: { name: "Ada" } },
    answer: {
      status: 201,
      description: "The schedule.",
      schema: ScheduleSchema,
      hasLocation: true,
    },
    repetition: "once",
    async handle({ params, body, idSeed }) {
      const record = await requireWorkflow(kit.deps, params.id);
      const { cron, timeZone, nextAt } = readTime(body.cron, body.time_zone, deps.clock.now());
      const { provider, model, overlap, catch_up: catchUp, paused } = body;
      const schedule = await deps.schedules.create({
        ...madeOnce({ idSeed }),
        workflowId: record.id,
        cron,
        timeZone,
        inputs: await readInputs(kit, record.id, body.inputs),
        overrides: defined({ provider, model }),
        overlap,
        catchUp,
        nextAt: paused ? null : nextAt,
      });
      const headers = { Location: `${API_PREFIX}/schedules/${schedule.id}` };
      return { body: presentSchedule(schedule), headers };
    },
  });
}

function changingOperations(kit: Kit): Operation[] {
  const { deps } = kit;
  return [
    defineOperation({
      id: "changeSchedule",
      method: "PATCH",
      path: "/schedules/:id",
      tag: "schedules",
      summary: "Change, pause or go on with a schedule",
      scope: "write",
      params: IdParams,
      body: ScheduleChangeSchema,
      bodyExample: { paused: true },
      answer: { status: 200, description: "The schedule.", schema: ScheduleSchema },
      isTagged: true,
      async handle({ params, body }) {
        const known = await requireSchedule(deps, params.id);
        const wanted = [body.cron ?? known.cron, body.time_zone ?? known.timeZone] as const;
        const { cron, timeZone, nextAt } = readTime(...wanted, deps.clock.now());
        const { overlap, catch_up: catchUp, paused = known.nextAt === null } = body;
        const inputs =
          body.inputs === undefined
            ? undefined
            : await readInputs(kit, known.workflowId, body.inputs);
        const change = defined({ inputs, overlap, catchUp });
        const schedule = await deps.schedules.update(known.id, {
          ...change,
          cron,
          timeZone,
          nextAt: paused ? null : nextAt,
        });
        return { body: presentSchedule(schedule) };
      },
    }),
    defineOperation({
      id: "deleteSchedule",
      method: "DELETE",
      path: "/schedules/:id",
      tag: "schedules",
      summary: "Remove a schedule; its runs stay",
      scope: "write",
      params: IdParams,
      answer: { status: 204, description: "It is gone." },
      async handle({ params }) {
        await deps.schedules.remove(params.id);
        return {};
      },
    }),
  ];
}

/** @throws RequestProblem 422 for a time that there is not. */
function readTime(
  cron: string,
  timeZone: string,
  now: number,
): Pick<Schedule, "cron" | "timeZone"> & { nextAt: number } {
  const unused = { time: "", weekday: "", monthday: "" };
  const reading = readWhen({ frequency: "cron", cron, timeZone, ...unused }, now);
  if (!("errors" in reading)) return reading;
  const { cron: cronError, timeZone: zoneError } = reading.errors;
  const problems: FieldProblem[] = [];
  if (cronError !== undefined) problems.push({ in: "body", field: "/cron", message: cronError });
  if (zoneError !== undefined) {
    problems.push({ in: "body", field: "/time_zone", message: zoneError });
  }
  throw invalidRequest(problems);
}

/** Held against the newest version: what it does not take would fail at each time. */
async function readInputs(
  kit: Kit,
  workflowId: string,
  given: Readonly<Record<string, unknown>>,
): Promise<JsonObject> {
  const record = await requireWorkflow(kit.deps, workflowId);
  const { workflow } = await kit.reader.version(record.version);
  if (workflow === undefined) {
    throw new AppError("workflow_invalid", `The workflow ${record.name} has errors.`, {
      fix: "Mend its file and save it again.",
    });
  }
  return (await readRunInputs(workflow, given)).inputs;
}
