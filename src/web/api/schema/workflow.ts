import { z } from "zod";
import {
  WORKFLOW_SOURCE_BYTES_MAX,
  type Problem,
  type Workflow,
  type WorkflowRecord,
  type WorkflowVersion,
} from "../../../domain/workflow.ts";
import { formatType } from "../../../language/type.ts";
import { JsonSchema, listOf, TimeSchema, toIso } from "./common.ts";

const VersionShape = {
  number: z.int().min(1).describe("1, 2, 3 … within the workflow."),
  hash: z.string().describe("SHA-256 of the source, hexadecimal."),
  format: z.enum(["yaml", "json"]),
  created_at: TimeSchema,
};

export const VersionSchema = z.strictObject(VersionShape).meta({ ref: "WorkflowVersion" });
export const VersionSourceSchema = z
  .strictObject({ ...VersionShape, source: z.string() })
  .meta({ ref: "WorkflowVersionSource" });
export const VersionListSchema = listOf(VersionSchema, "WorkflowVersionList");

const WorkflowShape = {
  id: z.string(),
  name: z.string(),
  description: z.string().nullable(),
  version: VersionSchema.describe("The newest one."),
  created_at: TimeSchema,
  updated_at: TimeSchema,
};
export const WorkflowSchema = z.strictObject(WorkflowShape).meta({ ref: "Workflow" });
export const WorkflowListSchema = listOf(WorkflowSchema, "WorkflowList");

export const MessageSchema = z
  .strictObject({
    severity: z.enum(["error", "warning"]),
    code: z.string().describe("Stable, in kebab-case."),
    message: z.string(),
    fix: z.string().nullable(),
    line: z.int(),
    column: z.int(),
    path: z.string().describe("Where in the file: `nodes[1].outputs[0]`."),
  })
  .meta({ ref: "WorkflowMessage" });

export const WorkflowDetailSchema = z
  .strictObject({
    ...WorkflowShape,
    source: z.string(),
    is_valid: z.boolean().describe("False: this version of agents can no longer run it."),
    messages: z.array(MessageSchema),
    nodes: z.array(z.strictObject({ id: z.string(), kind: z.string() })),
    inputs: z
      .array(
        z.strictObject({
          name: z.string(),
          type: z.string().describe("As a file states it: `list[str]`."),
          required: z.boolean(),
          default: JsonSchema,
          description: z.string().nullable(),
        }),
      )
      .describe("The fields of its state, which a run may be given."),
  })
  .meta({ ref: "WorkflowDetail" });

export const SourceSchema = z
  .strictObject({
    source: z
      .string()
      .min(1)
      .max(WORKFLOW_SOURCE_BYTES_MAX)
      .describe("The text of the file; its `flow.name` is the workflow's name."),
    format: z
      .enum(["yaml", "json"])
      .optional()
      .describe("By its first character when it is left out."),
  })
  .meta({ ref: "WorkflowSource" });

export const ValidationSchema = z
  .strictObject({
    is_valid: z.boolean(),
    name: z.string().nullable(),
    messages: z.array(MessageSchema),
  })
  .meta({ ref: "Validation" });

export function presentVersion({ number, hash, format, createdAt }: WorkflowVersion) {
  return { number, hash, format, created_at: toIso(createdAt) };
}

export function presentWorkflow(record: WorkflowRecord) {
  const { id, name, description, version, createdAt, updatedAt } = record;
  return {
    id,
    name,
    description,
    version: presentVersion(version),
    created_at: toIso(createdAt),
    updated_at: toIso(updatedAt),
  };
}

export function presentMessage(problem: Problem) {
  const { severity, code, message, fix = null, line, column, path } = problem;
  return { severity, code, message, fix, line, column, path };
}

export function presentDetail(
  record: WorkflowRecord,
  reading: { readonly workflow: Workflow | undefined; readonly problems: readonly Problem[] },
) {
  const { workflow, problems } = reading;
  return {
    ...presentWorkflow(record),
    source: record.version.source,
    is_valid: workflow !== undefined,
    messages: problems.map(presentMessage),
    nodes: (workflow?.nodes ?? []).map(({ id, kind }) => ({ id, kind })),
    inputs: (workflow?.state ?? []).map((field) => ({
      name: field.name,
      type: formatType(field.type),
      required: field.required,
      default: field.default,
      description: field.description ?? null,
    })),
  };
}
