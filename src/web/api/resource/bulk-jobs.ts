/** What is done with many runs at once. */
import type { z } from "zod";
import { BULK_JOB_COUNT_MAX, type BulkJob } from "../../../domain/bulk-job.ts";
import type { RunFilter } from "../../../domain/run.ts";
import { defined } from "../../../lib/defined.ts";
import type { Kit } from "../../kit.ts";
import { API_PREFIX } from "../../routes.ts";
import { defineOperation, type Operation } from "../operation.ts";
import { invalidRequest } from "../request.ts";
import { IdParams } from "../schema/common.ts";
import {
  BulkJobListSchema,
  BulkJobSchema,
  NewBulkJobSchema,
  presentBulkJob,
} from "../schema/maintenance.ts";
import { madeOnce } from "./workflows.ts";

export function bulkOperations(kit: Kit): Operation[] {
  return [createOperation(kit), ...readingOperations(kit), ...goingOnOperations(kit)];
}

function madeJob(job: BulkJob) {
  const headers = { Location: `${API_PREFIX}/bulk-jobs/${job.id}` };
  return { body: presentBulkJob(job), headers };
}

function createOperation(kit: Kit): Operation {
  return defineOperation({
    id: "createBulkJob",
    method: "POST",
    path: "/bulk-jobs",
    tag: "runs",
    summary: "Cancel, resume, run again or delete many runs",
    description:
      "It goes on by itself, also after a restart; read it to see how far it is. A filter, and `delete`, wait to be confirmed unless `confirm` is true.",
    scope: "write",
    body: NewBulkJobSchema,
    bodyExample: { action: "cancel", filter: { state: ["queued"] }, confirm: true },
    answer: { status: 201, description: "The job.", schema: BulkJobSchema, hasLocation: true },
    repetition: "repeatable",
    async handle({ body, idSeed }) {
      const { action, runs, filter, confirm } = body;
      const isSure = confirm || (runs !== undefined && action !== "delete");
      const made = { ...madeOnce({ idSeed }), isSure };
      if (runs !== undefined && filter === undefined)
        return madeJob(await kit.bulkJobs.ofRuns(action, runs, made));
      if (filter !== undefined && runs === undefined)
        return madeJob(await kit.bulkJobs.ofFilter(action, await readFilter(kit, filter), made));
      const message = "Give either `runs` or `filter`.";
      throw invalidRequest([{ in: "body", field: "/runs", message }]);
    },
  });
}

type Filter = NonNullable<z.output<typeof NewBulkJobSchema>["filter"]>;

async function readFilter({ deps }: Kit, filter: Filter): Promise<Omit<RunFilter, "limit">> {
  const { state, workflow, search, since, until } = filter;
  const record = workflow === undefined ? undefined : await deps.workflows.get(workflow);
  return defined({
    states: state === undefined || state.length === 0 ? undefined : [...new Set(state)],
    workflowId: workflow === undefined ? undefined : (record?.id ?? workflow),
    search: search === "" ? undefined : search,
    sinceMs: since,
    untilMs: until,
  });
}

function readingOperations({ bulkJobs }: Kit): Operation[] {
  return [
    defineOperation({
      id: "listBulkJobs",
      method: "GET",
      path: "/bulk-jobs",
      tag: "runs",
      summary: "List jobs over many runs, the newest first",
      description: `The last ${BULK_JOB_COUNT_MAX} are kept.`,
      scope: "read",
      answer: { status: 200, description: "The jobs.", schema: BulkJobListSchema },
      async handle() {
        const items = await bulkJobs.list(BULK_JOB_COUNT_MAX);
        return { body: { items: items.map(presentBulkJob) } };
      },
    }),
    defineOperation({
      id: "getBulkJob",
      method: "GET",
      path: "/bulk-jobs/:id",
      tag: "runs",
      summary: "Read how far a job is",
      scope: "read",
      params: IdParams,
      answer: { status: 200, description: "The job.", schema: BulkJobSchema },
      isTagged: true,
      handle: async ({ params }) => ({ body: presentBulkJob(await bulkJobs.get(params.id)) }),
    }),
  ];
}

function goingOnOperations({ bulkJobs }: Kit): Operation[] {
  return [
    defineOperation({
      id: "confirmBulkJob",
      method: "POST",
      path: "/bulk-jobs/:id/confirmation",
      tag: "runs",
      summary: "Begin a job that waits to be confirmed",
      description: "Confirmed twice, it begins once.",
      scope: "write",
      params: IdParams,
      answer: { status: 200, description: "The job.", schema: BulkJobSchema },
      handle: async ({ params }) => ({ body: presentBulkJob(await bulkJobs.confirm(params.id)) }),
    }),
    defineOperation({
      id: "undoBulkJob",
      method: "POST",
      path: "/bulk-jobs/:id/undo",
      tag: "runs",
      summary: "Take back what a job has done",
      description: "Makes one job, however often it is asked. What was deleted does not come back.",
      scope: "write",
      params: IdParams,
      answer: {
        status: 201,
        description: "The job that takes it back.",
        schema: BulkJobSchema,
        hasLocation: true,
      },
      refusals: [409],
      handle: async ({ params }) => madeJob(await bulkJobs.undo(params.id)),
    }),
  ];
}
