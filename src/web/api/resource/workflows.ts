import { z } from "zod";
import { AppError } from "../../../domain/error.ts";
import type { RunOverrides } from "../../../domain/run.ts";
import type {
  Problem,
  Workflow,
  WorkflowRecord,
  WorkflowVersion,
} from "../../../domain/workflow.ts";
import { defined } from "../../../lib/defined.ts";
import { derivedId } from "../../../lib/id.ts";
import type { JsonObject } from "../../../lib/json.ts";
import type { Kit } from "../../kit.ts";
import { RequestProblem } from "../../problem.ts";
import { requireWorkflow } from "../../require.ts";
import { API_PREFIX } from "../../routes.ts";
import { requireUsable } from "../../run-form.ts";
import { matchedMark, preconditionFailed, workflowTag } from "../etag.ts";
import { defineOperation, type Operation, type OperationInput } from "../operation.ts";
import { decodeCursor, linkToNext, pageOf } from "../page.ts";
import { invalidRequest } from "../request.ts";
import { IdParam, PageShape, SearchParam } from "../schema/common.ts";
import { NewRunSchema, presentRun, readBudget, RunSchema } from "../schema/run.ts";
import {
  presentDetail,
  presentMessage,
  presentVersion,
  presentWorkflow,
  SourceSchema,
  ValidationSchema,
  VersionListSchema,
  VersionSourceSchema,
  WorkflowDetailSchema,
  WorkflowListSchema,
} from "../schema/workflow.ts";

const WorkflowIdParam = IdParam.meta({ description: "Id or name.", examples: ["greeting"] });
const WorkflowParams = z.strictObject({ id: WorkflowIdParam });

const EXAMPLE_SOURCE = `schema_version: "1.0"
flow: { name: greeting }
state:
  fields:
    name: { type: str, required: true }
    text: { type: str, default: "" }
nodes:
  - { id: write, prompt: "Greet {name}.", output_schema: { type: str }, outputs: [text] }
edges:
  - { from: START, to: write }
  - { from: write, to: END }
`;
const SOURCE_EXAMPLE = { source: EXAMPLE_SOURCE };

export function workflowOperations(kit: Kit): Operation[] {
  return [
    ...readingOperations(kit),
    ...versionOperations(kit),
    ...savingOperations(kit),
    ...otherOperations(kit),
    startOperation(kit),
  ];
}

function readingOperations(kit: Kit): Operation[] {
  const { workflows } = kit.deps;
  return [
    defineOperation({
      id: "listWorkflows",
      method: "GET",
      path: "/workflows",
      tag: "workflows",
      summary: "List workflows, the newest first",
      scope: "read",
      query: z.strictObject({
        ...PageShape,
        search: SearchParam.describe("Words that are all in the name."),
      }),
      answer: {
        status: 200,
        description: "A page of workflows.",
        schema: WorkflowListSchema,
        isPage: true,
      },
      async handle({ c, query }) {
        const { limit, search, cursor } = query;
        const before = readPlace(decodeCursor(cursor));
        const found = await workflows.list({ limit: limit + 1, ...defined({ search, before }) });
        const { items, next } = pageOf(found, limit, ({ updatedAt, id }) => `${updatedAt}:${id}`);
        const body = { items: items.map(presentWorkflow), next: next ?? null };
        return { body, headers: linkToNext(c, next) };
      },
    }),
    defineOperation({
      id: "getWorkflow",
      method: "GET",
      path: "/workflows/:id",
      tag: "workflows",
      summary: "Read a workflow: its source, inputs and what is wrong with it",
      scope: "read",
      params: WorkflowParams,
      answer: { status: 200, description: "The workflow.", schema: WorkflowDetailSchema },
      isTagged: true,
      handle: async ({ params }) => show(kit, await requireWorkflow(kit.deps, params.id)),
    }),
  ];
}

function versionOperations(kit: Kit): Operation[] {
  const { workflows } = kit.deps;
  return [
    defineOperation({
      id: "listWorkflowVersions",
      method: "GET",
      path: "/workflows/:id/versions",
      tag: "workflows",
      summary: "List the versions of a workflow, the newest first",
      scope: "read",
      params: WorkflowParams,
      query: z.strictObject(PageShape),
      answer: {
        status: 200,
        description: "A page of versions.",
        schema: VersionListSchema,
        isPage: true,
      },
      async handle({ c, params, query }) {
        const { id } = await requireWorkflow(kit.deps, params.id);
        const before = Number(decodeCursor(query.cursor) ?? Number.MAX_SAFE_INTEGER);
        const older = (await workflows.versions(id)).filter(({ number }) => number < before);
        const { items, next } = pageOf(older, query.limit, ({ number }) => String(number));
        const body = { items: items.map(presentVersion), next: next ?? null };
        return { body, headers: linkToNext(c, next) };
      },
    }),
    defineOperation({
      id: "getWorkflowVersion",
      method: "GET",
      path: "/workflows/:id/versions/:number",
      tag: "workflows",
      summary: "Read one version with its source; it never changes",
      scope: "read",
      params: z.strictObject({
        id: WorkflowIdParam,
        number: z
          .string()
          .regex(/^[1-9]\d{0,8}$/, "This is no number of a version.")
          .describe("1, 2, 3 …"),
      }),
      answer: { status: 200, description: "The version.", schema: VersionSourceSchema },
      isTagged: true,
      async handle({ params }) {
        const record = await requireWorkflow(kit.deps, params.id);
        const version = await requireVersion(kit, record, Number(params.number));
        return { body: { ...presentVersion(version), source: version.source } };
      },
    }),
  ];
}

function savingOperations(kit: Kit): Operation[] {
  const { workflows } = kit.deps;
  return [
    defineOperation({
      id: "saveWorkflow",
      method: "POST",
      path: "/workflows",
      tag: "workflows",
      summary: "Save a workflow under the name in its file",
      description: "A new text makes a new version; the same text none.",
      scope: "write",
      body: SourceSchema,
      bodyExample: SOURCE_EXAMPLE,
      answer: {
        status: 201,
        description: "It is new.",
        schema: WorkflowDetailSchema,
        other: {
          status: 200,
          description: "There was one with this name; this is its newest version now.",
        },
        hasLocation: true,
      },
      isTagged: true,
      repetition: "repeatable",
      async handle({ body }) {
        const { workflow, text } = await readSource(kit, body);
        const known = await workflows.get(workflow.name);
        const isNew = known === undefined || known.name !== workflow.name;
        const record = await workflows.save({ ...text, ...describe(workflow) });
        const headers = { Location: `${API_PREFIX}/workflows/${record.id}` };
        return { ...(await show(kit, record)), status: isNew ? 201 : 200, headers };
      },
    }),
    defineOperation({
      id: "replaceWorkflow",
      method: "PUT",
      path: "/workflows/:id",
      tag: "workflows",
      summary: "Save a new version of a workflow",
      description: "The name in the file has to stay; another name is another workflow.",
      scope: "write",
      params: WorkflowParams,
      body: SourceSchema,
      bodyExample: SOURCE_EXAMPLE,
      answer: {
        status: 200,
        description: "The workflow as it is now.",
        schema: WorkflowDetailSchema,
      },
      isTagged: true,
      takesMatch: true,
      async handle({ c, params, body }) {
        const known = await requireWorkflow(kit.deps, params.id);
        const expected = matchedMark(c, known);
        const { workflow, text } = await readSource(kit, body);
        if (workflow.name !== known.name) {
          const message = `The file is named ${JSON.stringify(workflow.name)}, the workflow ${JSON.stringify(known.name)}.`;
          throw invalidRequest([{ in: "body", field: "/source", message }]);
        }
        const saved = workflows.save({ ...text, ...describe(workflow), ...defined({ expected }) });
        return show(kit, await orUnmatched(saved, expected));
      },
    }),
  ];
}

function otherOperations(kit: Kit): Operation[] {
  const { workflows } = kit.deps;
  return [
    defineOperation({
      id: "deleteWorkflow",
      method: "DELETE",
      path: "/workflows/:id",
      tag: "workflows",
      summary: "Delete a workflow that has no runs",
      scope: "write",
      params: WorkflowParams,
      answer: { status: 204, description: "It is gone." },
      takesMatch: true,
      refusals: [409],
      async handle({ c, params }) {
        const known = await requireWorkflow(kit.deps, params.id);
        const expected = matchedMark(c, known);
        await orUnmatched(workflows.remove(known.id, expected), expected);
        return {};
      },
    }),
    defineOperation({
      id: "validateWorkflow",
      method: "POST",
      path: "/validations",
      tag: "workflows",
      summary: "Check a workflow without saving it",
      scope: "read",
      body: SourceSchema,
      bodyExample: SOURCE_EXAMPLE,
      answer: { status: 200, description: "All that is wrong with it.", schema: ValidationSchema },
      async handle({ body }) {
        const { source, format = formatOf(source) } = body;
        const { workflow, problems } = await kit.reader.source(source, format);
        const messages = problems.map(presentMessage);
        return {
          body: { is_valid: workflow !== undefined, name: workflow?.name ?? null, messages },
        };
      },
    }),
  ];
}

function startOperation(kit: Kit): Operation {
  return defineOperation({
    id: "startRun",
    method: "POST",
    path: "/workflows/:id/runs",
    tag: "runs",
    summary: "Start a run of a workflow",
    description:
      "With an Idempotency-Key there is one run, however often it is sent, and whatever dies in between.",
    scope: "write",
    params: WorkflowParams,
    body: NewRunSchema,
    isBodyOptional: true,
    bodyExample: { inputs: { name: "Ada" } },
    answer: {
      status: 201,
      description: "The run, in the queue.",
      schema: RunSchema,
      hasLocation: true,
    },
    repetition: "repeatable",
    handle: (input) => start(kit, input),
  });
}

type StartInput = OperationInput<
  z.output<typeof WorkflowParams>,
  Record<string, never>,
  z.output<typeof NewRunSchema>
>;

async function start(kit: Kit, { params, body, idSeed }: StartInput) {
  const { deps } = kit;
  const record = await requireWorkflow(kit.deps, params.id);
  const version =
    body.version === undefined ? record.version : await requireVersion(kit, record, body.version);
  const { workflow, problems } = await kit.reader.version(version);
  if (workflow === undefined) throw invalidWorkflow(problems, "version");
  const { provider, model } = body;
  if (provider !== undefined) requireUsable(provider, deps.providers());
  const overrides: RunOverrides = defined({ provider, model, budget: readBudget(body.budget) });
  const run = await deps.createRun(
    {
      workflowId: record.id,
      versionHash: version.hash,
      workflow,
      overrides,
      ...(await readRunInputs(workflow, body.inputs)),
    },
    { source: "api", ...madeOnce({ idSeed }) },
  );
  return { body: presentRun(run), headers: { Location: `${API_PREFIX}/runs/${run.id}` } };
}

/** The id that a request makes each time that it comes. */
export function madeOnce({ idSeed }: Pick<StartInput, "idSeed">): { id?: string } {
  return idSeed === undefined ? {} : { id: derivedId(idSeed.atMs, idSeed.seed) };
}

/** @throws RequestProblem 422 with every input that is not right. */
export async function readRunInputs(
  workflow: Workflow,
  given: Readonly<Record<string, unknown>>,
): Promise<{ inputs: JsonObject; values: JsonObject }> {
  const { readInputs } = await import("../../../language/input.ts");
  const { values, problems } = readInputs(workflow, given);
  if (values !== undefined) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- It has been read as JSON.
    return { inputs: given as JsonObject, values };
  }
  throw invalidRequest(
    problems.map(({ field, message, fix }) => ({
      in: "body",
      field: `/inputs/${field}`,
      message,
      fix,
    })),
  );
}

async function show(kit: Kit, record: WorkflowRecord) {
  const reading = await kit.reader.version(record.version);
  return { body: presentDetail(record, reading), etag: workflowTag(record) };
}

async function requireVersion(
  { deps }: Kit,
  record: WorkflowRecord,
  number: number,
): Promise<WorkflowVersion> {
  const versions = await deps.workflows.versions(record.id);
  const version = versions.find((one) => one.number === number);
  if (version !== undefined) return version;
  throw new AppError("not_found", `The workflow ${record.name} has no version ${number}.`, {
    fix: `Use 1 to ${versions[0]?.number ?? 1}.`,
  });
}

interface Source {
  readonly source: string;
  readonly format: "yaml" | "json";
}

async function readSource(
  kit: Kit,
  body: z.output<typeof SourceSchema>,
): Promise<{ workflow: Workflow; text: Source }> {
  const { source, format = formatOf(source) } = body;
  const { workflow, problems } = await kit.reader.source(source, format);
  if (workflow === undefined) throw invalidWorkflow(problems, "source");
  return { workflow, text: { source, format } };
}

function describe({ name, description }: Workflow) {
  return { name, description: description ?? null };
}

function formatOf(source: string): Source["format"] {
  return source.trimStart().startsWith("{") ? "json" : "yaml";
}

function invalidWorkflow(problems: readonly Problem[], field: string): RequestProblem {
  const errors = problems.filter(({ severity }) => severity === "error");
  const [first] = errors;
  const where = first === undefined ? "" : ` Line ${first.line}: ${first.message}`;
  return new RequestProblem(422, "workflow_invalid", {
    message: `The workflow has ${errors.length} errors.${where}`,
    fix: "Correct what `errors` names, then send it again.",
    errors: errors.map(({ message, fix, line, column }) =>
      defined({ in: "body" as const, field: `/${field}`, message, line, column, fix }),
    ),
  });
}

/** A conflict that is one with what the request expected. */
async function orUnmatched<T>(write: Promise<T>, expected: object | undefined): Promise<T> {
  try {
    return await write;
  } catch (error) {
    const isLost = error instanceof AppError && error.code === "conflict";
    // A workflow with runs is a conflict as well; it says so by its own message.
    if (isLost && expected !== undefined && error.message.includes("meanwhile")) {
      throw preconditionFailed();
    }
    throw error;
  }
}

function readPlace(place: string | undefined): { updatedAt: number; id: string } | undefined {
  const [, updatedAt, id = ""] = /^(\d{1,15}):(.+)$/.exec(place ?? "") ?? [];
  return updatedAt === undefined ? undefined : { updatedAt: Number(updatedAt), id };
}
