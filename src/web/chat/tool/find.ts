/** What a model names, or a refusal that helps it to name it better. */
import { AppError } from "../../../domain/error.ts";
import type { Run } from "../../../domain/run.ts";
import type { Workflow, WorkflowRecord } from "../../../domain/workflow.ts";
import { clip } from "../../../lib/clip.ts";
import { nearest } from "../../../lib/nearest.ts";
import type { ChatToolDeps } from "../define-tool.ts";

const NAME_CHARS_MAX = 80;
/** Names that a wrong one is compared with. */
const CANDIDATE_COUNT_MAX = 200;

/** By id or name. @throws AppError `not_found`, as the others. */
export async function findWorkflow(
  { workflows }: Pick<ChatToolDeps, "workflows">,
  idOrName: string,
): Promise<WorkflowRecord> {
  const found = await workflows.get(idOrName);
  if (found !== undefined) return found;
  const names = (await workflows.list({ limit: CANDIDATE_COUNT_MAX })).map(({ name }) => name);
  const meant = nearest(idOrName, names);
  throw new AppError("not_found", `There is no workflow ${clip(idOrName, NAME_CHARS_MAX)}.`, {
    fix:
      meant === undefined
        ? "See list_workflows for those that are there."
        : `Write ${meant} instead.`,
  });
}

/** By id, or by the beginning or end of one. */
export async function findRun({ runs }: Pick<ChatToolDeps, "runs">, id: string): Promise<Run> {
  const found = await runs.find(id);
  if (found !== undefined) return found;
  throw new AppError("not_found", `There is no run ${clip(id, NAME_CHARS_MAX)}.`, {
    fix: "See list_runs for those that are there.",
  });
}

/** The newest version, ready to be run. @throws AppError `workflow_invalid`. */
export async function readNewest(
  { reader }: Pick<ChatToolDeps, "reader">,
  record: WorkflowRecord,
): Promise<Workflow> {
  const { workflow } = await reader.version(record.version);
  if (workflow !== undefined) return workflow;
  throw new AppError("workflow_invalid", `The workflow ${record.name} has errors.`, {
    fix: "Read it, mend it and save it first.",
  });
}
