import * as z from "zod";
import { AppError } from "../../../domain/error.ts";
import type { Workflow, WorkflowRecord } from "../../../domain/workflow.ts";
import { derivedId } from "../../../lib/id.ts";
import { isJsonObject, type Json, type JsonObject, parseJson } from "../../../lib/json.ts";
import { pathTo } from "../../routes.ts";
import { type ChatToolDeps, defineChatTool } from "../define-tool.ts";
import type { ChatTool, ChatToolResult } from "../tool.ts";
import { findWorkflow, readNewest } from "./find.ts";

export const RUN_WORKFLOW = "run_workflow";

const input = z.strictObject({
  workflow: z.string().describe("Name or id of a saved workflow. Its newest version runs."),
  inputs: z
    .record(z.string(), z.unknown())
    .optional()
    .describe("A value for each input that the workflow asks for, by name."),
});

export function createRunWorkflow(deps: ChatToolDeps): ChatTool {
  return defineChatTool(deps, {
    name: RUN_WORKFLOW,
    description:
      "Starts a run of a saved workflow. The person is shown the inputs and decides first. It says that the run has begun; read_run tells later how it went.",
    input,
    asks: true,
    async check({ workflow, inputs = {} }) {
      await prepareRun(deps, workflow, jsonOf(inputs));
    },
    async run({ workflow: name, inputs = {} }, { seed, atMs, seen }) {
      const id = derivedId(atMs, `chat ${seed}`);
      // Begun before a crash: what it was begun with counts, also when the workflow has changed since.
      const begun = await deps.runs.get(id);
      if (begun !== undefined) return hasBegun(begun);
      const request = await prepareRun(deps, name, jsonOf(inputs));
      requireSeen(request.record, seen);
      const run = await deps.createRun(
        {
          workflowId: request.record.id,
          versionHash: request.record.version.hash,
          workflow: request.workflow,
          values: request.values,
          inputs: request.inputs,
          overrides: {},
        },
        { id },
      );
      return hasBegun(run);
    },
  });
}

/** @throws AppError `conflict` when another version is the newest by now than the one that was approved. */
function requireSeen({ name, version }: WorkflowRecord, seen: string | null): void {
  if (version.hash === seen) return;
  throw new AppError(
    "conflict",
    `${name} was changed after the person had looked: version ${version.number} is the newest.`,
    { fix: "Call again, so that the person sees what would run." },
  );
}

function hasBegun(run: { readonly id: string; readonly workflowName: string }): ChatToolResult {
  const text = `The run ${run.id} of ${run.workflowName} has begun. It has not ended yet.`;
  return { text, link: pathTo.run(run.id), runId: run.id };
}

function jsonOf(inputs: Readonly<Record<string, unknown>>): JsonObject {
  const json: Json | undefined = parseJson(JSON.stringify(inputs));
  return isJsonObject(json) ? json : {};
}

interface PreparedRun {
  readonly record: WorkflowRecord;
  readonly workflow: Workflow;
  readonly inputs: JsonObject;
  readonly values: JsonObject;
}

/** @throws AppError `not_found`, `workflow_invalid`, `invalid` with all that is wrong with the inputs. */
export async function prepareRun(
  deps: Pick<ChatToolDeps, "workflows" | "reader">,
  name: string,
  inputs: JsonObject,
): Promise<PreparedRun> {
  const record = await findWorkflow(deps, name);
  const workflow = await readNewest(deps, record);
  const { readInputs } = await import("../../../language/input.ts");
  const { values, problems } = readInputs(workflow, inputs);
  if (values !== undefined) return { record, workflow, inputs, values };
  const told = problems.map(({ message, fix }) => `${message} ${fix}`);
  throw new AppError("invalid", `The inputs do not fit ${record.name}. ${told.join(" ")}`, {
    fix: "Ask the person for what you do not know.",
  });
}
