/** What the pages of a run read. */
import type { RunDetail } from "../../views/run.tsx";
import type { Run } from "../domain/run.ts";
import type { WebDeps } from "./deps.ts";
import type { WorkflowReader } from "./workflow-reader.ts";

export type Version = Pick<RunDetail, "workflow" | "drawing" | "versionNumber">;

export const NO_VERSION: Version = { workflow: undefined, drawing: undefined };

/** The version that a run executes; empty when it cannot be read any more. */
export async function readVersion(
  {
    deps,
    reader,
  }: {
    readonly deps: Pick<WebDeps, "workflows">;
    readonly reader: Pick<WorkflowReader, "version">;
  },
  run: Pick<Run, "workflowId" | "versionHash">,
): Promise<Version> {
  const version = await deps.workflows.version(run.workflowId, run.versionHash);
  if (version === undefined) return NO_VERSION;
  const { workflow, drawing } = await reader.version(version);
  return { workflow, drawing, versionNumber: version.number };
}
