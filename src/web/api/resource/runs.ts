import { z } from "zod";
import { type Run, RUN_STATES, type StepCall } from "../../../domain/run.ts";
import { defined } from "../../../lib/defined.ts";
import type { Json } from "../../../lib/json.ts";
import type { Kit } from "../../kit.ts";
import { requireRun } from "../../require.ts";
import { defineOperation, type Operation } from "../operation.ts";
import { decodeCursor, encodeCursor, linkToNext, pageOf } from "../page.ts";
import {
  IdParam,
  IdParams,
  PAGE_LENGTH_DEFAULT,
  PAGE_LENGTH_MAX,
  PageShape,
  SearchParam,
  TimeParam,
} from "../schema/common.ts";
import { EventListSchema, presentEvent, presentStep, StepListSchema } from "../schema/journal.ts";
import {
  ApprovalSchema,
  presentApproval,
  presentRun,
  presentRunSummary,
  presentRunDetail,
  presentSignal,
  RunDetailSchema,
  RunListSchema,
  RunSchema,
  SignalSchema,
} from "../schema/run.ts";

const EVENT_COUNT_MAX = 1_000;
const LimitParam = PageShape.limit;

export function runOperations(kit: Kit): Operation[] {
  return [
    listOperation(kit),
    getOperation(kit),
    ...journalOperations(kit),
    ...relatedOperations(kit),
  ];
}

function listOperation(kit: Kit): Operation {
  return defineOperation({
    id: "listRuns",
    method: "GET",
    path: "/runs",
    tag: "runs",
    summary: "List runs, the newest first",
    scope: "read",
    query: z.strictObject({
      ...PageShape,
      state: z
        .array(z.enum(RUN_STATES))
        .max(RUN_STATES.length)
        .optional()
        .describe("May come several times."),
      workflow: IdParam.optional().describe("Id or name of the workflow."),
      search: SearchParam.describe(
        "Beginnings of words of the id, the workflow's name or the inputs.",
      ),
      order: z
        .enum(["newest", "dearest"])
        .optional()
        .describe("`dearest`: of runs that have ended."),
      since: TimeParam.optional().describe("Created at this time or later."),
      until: TimeParam.optional().describe("Created before this time."),
    }),
    answer: { status: 200, description: "A page of runs.", schema: RunListSchema, isPage: true },
    async handle({ c, query }) {
      const { limit, state, search, since, until } = query;
      const { workflow, order, cursor } = query;
      const record = workflow === undefined ? undefined : await kit.deps.workflows.get(workflow);
      const page = await kit.deps.runs.page({
        limit,
        ...defined({
          states: state === undefined || state.length === 0 ? undefined : [...new Set(state)],
          workflowId: workflow === undefined ? undefined : (record?.id ?? workflow),
          search: search === "" ? undefined : search,
          sinceMs: since,
          untilMs: until,
          order,
          before: decodeCursor(cursor),
        }),
      });
      const next = page.next === undefined ? undefined : encodeCursor(page.next);
      const items = page.runs.map(presentRunSummary);
      const body = { items, next: next ?? null, is_partial: page.isPartial };
      return { body, headers: linkToNext(c, next) };
    },
  });
}

function getOperation(kit: Kit): Operation {
  return defineOperation({
    id: "getRun",
    method: "GET",
    path: "/runs/:id",
    tag: "runs",
    summary: "Read a run",
    scope: "read",
    params: IdParams,
    answer: { status: 200, description: "The run.", schema: RunDetailSchema },
    isTagged: true,
    async handle({ params }) {
      const run = await requireRun(kit.deps, params.id);
      return { body: presentRunDetail(run, await outputsOf(kit, run)) };
    },
  });
}

function journalOperations(kit: Kit): Operation[] {
  const { runs } = kit.deps;
  return [
    defineOperation({
      id: "listSteps",
      method: "GET",
      path: "/runs/:id/steps",
      tag: "runs",
      summary: "List what a run's steps did, in the order in which they began",
      scope: "read",
      params: IdParams,
      query: z.strictObject(PageShape),
      answer: {
        status: 200,
        description: "A page of attempts with their calls.",
        schema: StepListSchema,
        isPage: true,
      },
      async handle({ c, params, query }) {
        const { id } = await requireRun(kit.deps, params.id);
        const after = Number(decodeCursor(query.cursor) ?? -1);
        const { steps, calls } = await runs.journal(id);
        const rest = steps
          .slice(after + 1)
          .map((step, index) => ({ step, index: after + 1 + index }));
        const { items, next } = pageOf(rest, query.limit, ({ index }) => String(index));
        const callsBy = callsByAttempt(calls);
        const body = {
          items: items.map(({ step }) =>
            presentStep(step, callsBy.get(`${step.key} ${step.attempt}`) ?? []),
          ),
          next: next ?? null,
        };
        return { body, headers: linkToNext(c, next) };
      },
    }),
    defineOperation({
      id: "listEvents",
      method: "GET",
      path: "/runs/:id/events",
      tag: "runs",
      summary: "Read a run's log, oldest first",
      description: "Ask again with `after` for what has come meanwhile.",
      scope: "read",
      params: IdParams,
      query: z.strictObject({
        after: z.int().min(0).default(0).describe("Only events with a larger `seq`."),
        limit: z.int().min(1).max(EVENT_COUNT_MAX).default(200),
      }),
      answer: { status: 200, description: "A piece of the log.", schema: EventListSchema },
      async handle({ params, query }) {
        const { id } = await requireRun(kit.deps, params.id);
        const found = await runs.events(id, query.after, query.limit + 1);
        const items = found.slice(0, query.limit);
        return {
          body: {
            items: items.map(presentEvent),
            last_seq: items.at(-1)?.seq ?? query.after,
            has_more: found.length > items.length,
          },
        };
      },
    }),
  ];
}

function relatedOperations(kit: Kit): Operation[] {
  const { runs } = kit.deps;
  return [
    defineOperation({
      id: "listDescendants",
      method: "GET",
      path: "/runs/:id/descendants",
      tag: "runs",
      summary: "List the runs that were started or made directly from a run, oldest first",
      scope: "read",
      params: IdParams,
      query: z.strictObject({ limit: LimitParam }),
      answer: {
        status: 200,
        description: "The runs.",
        schema: z.strictObject({ items: z.array(RunSchema) }).meta({ ref: "Descendants" }),
      },
      async handle({ params, query }) {
        const { id } = await requireRun(kit.deps, params.id);
        return { body: { items: (await runs.descendants(id, query.limit)).map(presentRun) } };
      },
    }),
    defineOperation({
      id: "listSignals",
      method: "GET",
      path: "/runs/:id/signals",
      tag: "runs",
      summary: "List what came to a run from outside, oldest first",
      scope: "read",
      params: IdParams,
      answer: {
        status: 200,
        description: "The signals.",
        schema: z.strictObject({ items: z.array(SignalSchema) }).meta({ ref: "SignalList" }),
      },
      async handle({ params }) {
        const { id } = await requireRun(kit.deps, params.id);
        return { body: { items: (await runs.journal(id)).signals.map(presentSignal) } };
      },
    }),
    defineOperation({
      id: "listApprovals",
      method: "GET",
      path: "/approvals",
      tag: "approvals",
      summary: "List what waits for a person, oldest first",
      scope: "read",
      query: z.strictObject({
        run: IdParam.optional().describe("Only of this run."),
        limit: z.int().min(1).max(PAGE_LENGTH_MAX).default(PAGE_LENGTH_DEFAULT),
      }),
      answer: {
        status: 200,
        description: "The approvals.",
        schema: z.strictObject({ items: z.array(ApprovalSchema) }).meta({ ref: "ApprovalList" }),
      },
      async handle({ query }) {
        const { run: runId, limit } = query;
        const found = await runs.pendingApprovals({ limit, ...defined({ runId }) });
        return { body: { items: found.map(presentApproval) } };
      },
    }),
  ];
}

/** Calls belong to one attempt of one step. */
function callsByAttempt(calls: readonly StepCall[]): ReadonlyMap<string, StepCall[]> {
  const found = new Map<string, StepCall[]>();
  for (const call of calls) {
    const name = `${call.key} ${call.attempt}`;
    const known = found.get(name);
    if (known === undefined) found.set(name, [call]);
    else known.push(call);
  }
  return found;
}

/** Only the end of the log says them. */
async function outputsOf({ deps }: Kit, run: Run): Promise<Json> {
  if (run.state !== "succeeded") return null;
  const seq = await deps.runReader.lastSeq(run.id);
  const [last] = await deps.runs.events(run.id, seq - 1, 1);
  return last?.event.type === "run.succeeded" ? last.event.outputs : null;
}
