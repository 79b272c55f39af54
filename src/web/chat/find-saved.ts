import type { SavedWorkflow, WorkflowResult } from "../../../views/part/answer.tsx";
import type { WorkflowStore } from "../../domain/workflow.ts";

/** The stored workflow that has the name of this one. */
export async function findSaved(
  workflows: Pick<WorkflowStore, "get">,
  result: WorkflowResult | undefined,
): Promise<SavedWorkflow | undefined> {
  if (result?.workflow === undefined) return undefined;
  const record = await workflows.get(result.workflow.name);
  if (record === undefined || record.name !== result.workflow.name) return undefined;
  const { number, hash, source } = record.version;
  return { id: record.id, versionNumber: number, hash, isSame: source === result.source };
}
