/** What the pages of a run read. */
import type { RunDetail } from "../../views/run.tsx";
import { AppError } from "../domain/error.ts";
import type { Run } from "../domain/run.ts";
import type { WebDeps } from "./deps.ts";
import type { Kit } from "./kit.ts";

export type Version = Pick<RunDetail, "workflow" | "drawing">;

export const NO_VERSION: Version = { workflow: undefined, drawing: undefined };

/** The version that a run executes; empty when it cannot be read any more. */
export async function readVersion(
  { deps, reader }: Pick<Kit, "deps" | "reader">,
  run: Pick<Run, "workflowId" | "versionHash">,
): Promise<Version> {
  const version = await deps.workflows.version(run.workflowId, run.versionHash);
  return version === undefined ? NO_VERSION : await reader.version(version);
}

/** @throws AppError `not_found` */
export async function requireRun(deps: Pick<WebDeps, "runs">, id: string): Promise<Run> {
  const run = await deps.runs.get(id);
  if (run === undefined) throw noRun(id);
  return run;
}

export function noRun(id: string): AppError {
  return new AppError("not_found", `There is no run ${id}.`, {
    fix: "Go to the list of runs and choose one.",
  });
}
