/** A tool call as it is shown: what it asks for as it would be done now. */
import type { CallView, RunPlan, SavePlan } from "../../../views/part/call-card.tsx";
import { type CallRef, type ChatCall, NOTHING_SEEN } from "../../domain/conversation.ts";
import { AppError } from "../../domain/error.ts";
import type { WorkflowStore } from "../../domain/workflow.ts";
import type { Clock } from "../../lib/clock.ts";
import { diffTexts } from "../../lib/diff.ts";
import { isJsonObject, type Json } from "../../lib/json.ts";
import { type EstimateDeps, estimateSoon } from "../estimate-run.ts";
import type { WorkflowReader } from "../workflow-reader.ts";
import type { Decision } from "./answers.ts";
import { findWorkflow } from "./tool/find.ts";
import { prepareRun, RUN_WORKFLOW } from "./tool/run-workflow.ts";
import { SAVE_WORKFLOW, savedText } from "./tool/save-workflow.ts";

/** A larger workflow is not drawn. */
const DRAWN_NODE_COUNT_MAX = 200;

export interface CallViewDeps extends EstimateDeps {
  readonly workflows: WorkflowStore;
  readonly reader: Pick<WorkflowReader, "source" | "version">;
  readonly clock: Clock;
}

export async function viewCall(
  deps: CallViewDeps,
  ordinal: number,
  call: ChatCall,
): Promise<CallView> {
  const asks = call.tool === SAVE_WORKFLOW || call.tool === RUN_WORKFLOW;
  const view = { call, ordinal, asks };
  const isOpen = call.state === "asked" || call.state === "begun";
  if (!asks || !isOpen) return view;
  try {
    const plan =
      call.tool === SAVE_WORKFLOW ? await planSave(deps, call) : await planRun(deps, call);
    return { ...view, plan };
  } catch (error) {
    // What it needs has been deleted or changed since it was checked.
    const { code, message } = AppError.from(error);
    if (code === "internal" || code.startsWith("database")) throw error;
    return { ...view, problem: message };
  }
}

async function planSave(deps: CallViewDeps, call: ChatCall): Promise<SavePlan> {
  const source = savedText(textOf(call.arguments, "yaml"));
  const reading = await deps.reader.source(source, "yaml", DRAWN_NODE_COUNT_MAX);
  const { workflow, drawing } = reading;
  if (workflow === undefined) {
    throw new AppError("workflow_invalid", "This version of agents no longer accepts the file.");
  }
  const record = await deps.workflows.get(workflow.name);
  const before =
    record?.name === workflow.name
      ? {
          versionNumber: record.version.number,
          hash: record.version.hash,
          diff: diffTexts(record.version.source, source),
        }
      : undefined;
  return { kind: "save", source, workflow, drawing, before };
}

async function planRun(deps: CallViewDeps, call: ChatCall): Promise<RunPlan> {
  const given = isJsonObject(call.arguments) ? call.arguments["inputs"] : undefined;
  const named = textOf(call.arguments, "workflow");
  const { record, workflow, inputs, values } = await prepareRun(
    deps,
    named,
    isJsonObject(given) ? given : {},
  );
  const shown = Object.entries(inputs).map(([name, value]) => ({ name, value }));
  const defaults = workflow.state.filter(
    ({ name, default: value }) => value !== null && (inputs[name] ?? null) === null,
  );
  return {
    kind: "run",
    workflow: {
      id: record.id,
      name: record.name,
      versionNumber: record.version.number,
      hash: record.version.hash,
    },
    inputs: shown,
    defaultCount: defaults.length,
    estimate: await estimateSoon(deps, { workflowId: record.id, workflow, values }),
  };
}

function textOf(given: Json, name: string): string {
  const value = isJsonObject(given) ? given[name] : undefined;
  return typeof value === "string" ? value : "";
}

/**
 * What is there now that a call is against: the hash of a version, NOTHING_SEEN, or null for a call of another kind.
 * @throws AppError when the call makes no sense any more.
 */
export async function stateBefore(
  deps: Pick<CallViewDeps, "workflows" | "reader">,
  call: ChatCall,
): Promise<string | null> {
  if (call.tool === RUN_WORKFLOW) {
    return (await findWorkflow(deps, textOf(call.arguments, "workflow"))).version.hash;
  }
  if (call.tool !== SAVE_WORKFLOW) return null;
  const source = savedText(textOf(call.arguments, "yaml"));
  const name = (await deps.reader.source(source, "yaml", 0)).workflow?.name ?? "";
  const record = await deps.workflows.get(name);
  return record?.name === name ? record.version.hash : NOTHING_SEEN;
}

/** What a button of a call card has sent; undefined when it is not one of ours. */
export function readDecision(
  text: string,
): (Pick<CallRef, "ordinal" | "number"> & Decision) | undefined {
  const [, ordinal, number, word, seen = null] =
    /^(\d{1,9})-(\d{1,9})-(?:(approve)(?:-(new|[0-9a-f]{64}))?|decline)$/.exec(text) ?? [];
  if (ordinal === undefined) return undefined;
  const approved = word === "approve";
  return { ordinal: Number(ordinal), number: Number(number), approved, seen };
}
