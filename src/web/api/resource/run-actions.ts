/** What can be done with a run. */
import { z } from "zod";
import type { Run } from "../../../domain/run.ts";
import type { Json, JsonObject } from "../../../lib/json.ts";
import { defined } from "../../../lib/defined.ts";
import type { Kit, WebContext } from "../../kit.ts";
import { requireRun } from "../../require.ts";
import { API_PREFIX } from "../../routes.ts";
import { defineOperation, type Operation } from "../operation.ts";
import { IdParams, JsonObjectSchema, JsonSchema, Word } from "../schema/common.ts";
import {
  BudgetSchema,
  presentRun,
  presentSignal,
  readBudget,
  RunSchema,
  SignalSchema,
} from "../schema/run.ts";
import { madeOnce } from "./workflows.ts";

const BY_LENGTH_MAX = 100;
const COMMENT_LENGTH_MAX = 10_000;
const StepParam = z.string().min(1).max(300);
const By = z
  .string()
  .trim()
  .min(1)
  .max(BY_LENGTH_MAX)
  .optional()
  .describe("Who does it, for the log.");

export function runActionOperations(kit: Kit): Operation[] {
  return [...goingOn(kit), ...makingAnew(kit), ...answering(kit)];
}

/** Who acts, as it is kept with the run. */
function actor({ access }: Kit, c: WebContext, by: string | undefined): string {
  return by ?? access.tokenOf(c)?.name ?? "api";
}

function madeRun(run: Run) {
  return { body: presentRun(run), headers: { Location: `${API_PREFIX}/runs/${run.id}` } };
}

function goingOn(kit: Kit): Operation[] {
  const { runs, actions } = kit.deps;
  const answer = { status: 200, description: "The run as it is now.", schema: RunSchema } as const;
  return [
    defineOperation({
      id: "cancelRun",
      method: "POST",
      path: "/runs/:id/cancellation",
      tag: "runs",
      summary: "Cancel a run and the runs inside of it",
      description: "One that is running ends within moments; one that has ended stays as it is.",
      scope: "write",
      params: IdParams,
      answer,
      repetition: "repeatable",
      handle: async ({ params }) => ({ body: presentRun(await runs.requestCancel(params.id)) }),
    }),
    defineOperation({
      id: "resumeRun",
      method: "POST",
      path: "/runs/:id/resumptions",
      tag: "runs",
      summary: "Let a run go on where it stopped",
      description:
        "For one that has failed or was cancelled, or that waits for a timer, a rate limit or its budget.",
      scope: "write",
      params: IdParams,
      body: z
        .strictObject({
          budget: BudgetSchema.optional().describe("Wins over what it had."),
          by: By,
        })
        .meta({ ref: "Resumption" }),
      isBodyOptional: true,
      bodyExample: { budget: { max_cost_usd: 2 } },
      answer,
      repetition: "once",
      async handle({ c, params, body }) {
        const budget = readBudget(body.budget);
        const by = actor(kit, c, body.by);
        return {
          body: presentRun(await actions.resume(params.id, { by, ...defined({ budget }) })),
        };
      },
    }),
    defineOperation({
      id: "retryRun",
      method: "POST",
      path: "/runs/:id/retries",
      tag: "runs",
      summary: "Go back to a step of a run that has ended",
      description: "The step and all that followed from it are done anew.",
      scope: "write",
      params: IdParams,
      body: z
        .strictObject({
          from: StepParam.describe("A step, or a node for its last execution."),
          by: By,
        })
        .meta({ ref: "Retry" }),
      bodyExample: { from: "write" },
      answer,
      repetition: "once",
      async handle({ c, params, body }) {
        const by = actor(kit, c, body.by);
        return { body: presentRun(await actions.retry(params.id, { from: body.from, by })) };
      },
    }),
  ];
}

function makingAnew(kit: Kit): Operation[] {
  const { actions } = kit.deps;
  const answer = {
    status: 201,
    description: "The new run.",
    schema: RunSchema,
    hasLocation: true,
  } as const;
  return [
    defineOperation({
      id: "rerunRun",
      method: "POST",
      path: "/runs/:id/reruns",
      tag: "runs",
      summary: "Start a new run of the same version with the same inputs",
      scope: "write",
      params: IdParams,
      answer,
      repetition: "repeatable",
      async handle({ params, idSeed }) {
        return madeRun(await actions.rerun(params.id, { source: "api", ...madeOnce({ idSeed }) }));
      },
    }),
    defineOperation({
      id: "forkRun",
      method: "POST",
      path: "/runs/:id/forks",
      tag: "runs",
      summary: "Start a new run in the middle of an old one",
      description: "What did not follow from the step is taken over, and costs nothing again.",
      scope: "write",
      params: IdParams,
      body: z
        .strictObject({
          from: StepParam.describe("A step, or a node for its last execution."),
          set: JsonObjectSchema.default({}).describe(
            "Values to begin with in place of those that there were.",
          ),
        })
        .meta({ ref: "Fork" }),
      bodyExample: { from: "write", set: { name: "Grace" } },
      answer,
      repetition: "repeatable",
      async handle({ params, body, idSeed }) {
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- It has been read as JSON.
        const set = body.set as JsonObject;
        const made = { source: "api", ...madeOnce({ idSeed }) } as const;
        return madeRun(await actions.fork(params.id, { from: body.from, set, ...made }));
      },
    }),
  ];
}

function answering(kit: Kit): Operation[] {
  const { runs } = kit.deps;
  return [
    defineOperation({
      id: "decideApproval",
      method: "POST",
      path: "/runs/:id/decisions",
      tag: "approvals",
      summary: "Approve or reject what a step asks",
      description: "The first decision counts.",
      scope: "write",
      params: IdParams,
      body: z
        .strictObject({
          step: StepParam.describe("`step` of the approval."),
          approved: z.boolean(),
          comment: Word.max(COMMENT_LENGTH_MAX).optional(),
          by: By,
        })
        .meta({ ref: "Decision" }),
      bodyExample: { step: "review", approved: true, comment: "Gladly." },
      answer: {
        status: 200,
        description: "The decision, as it came to the run.",
        schema: SignalSchema,
      },
      repetition: "once",
      async handle({ c, params, body }) {
        const { id } = await requireRun(kit.deps, params.id);
        const { step, approved, comment = null } = body;
        const by = actor(kit, c, body.by);
        return { body: presentSignal(await runs.decide(id, step, { approved, comment, by })) };
      },
    }),
    defineOperation({
      id: "sendSignal",
      method: "POST",
      path: "/runs/:id/signals",
      tag: "runs",
      summary: "Send a signal to a run",
      description: "It is kept until a step takes it, also when it comes before the step waits.",
      scope: "write",
      params: IdParams,
      body: z
        .strictObject({
          name: z.string().min(1).max(300),
          payload: JsonSchema.optional().describe("null when it is left out; at most 64 KiB."),
          by: By,
        })
        .meta({ ref: "NewSignal" }),
      bodyExample: { name: "delivered", payload: { count: 3 } },
      answer: { status: 201, description: "The signal.", schema: SignalSchema },
      repetition: "once",
      async handle({ c, params, body }) {
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- It has been read as JSON.
        const payload = (body.payload ?? null) as Json;
        const by = actor(kit, c, body.by);
        return {
          body: presentSignal(await runs.signal(params.id, { name: body.name, payload, by })),
        };
      },
    }),
  ];
}
