/** What a run needs from the rest of the product, the same for the command line, the page and a worker. */
import { AppError } from "../domain/error.ts";
import type { ForkedStep, Run, RunOrigin, RunStore } from "../domain/run.ts";
import type { Problem, Workflow, WorkflowStore } from "../domain/workflow.ts";
import type { Clock } from "../lib/clock.ts";
import { newId } from "../lib/id.ts";
import type { JsonObject } from "../lib/json.ts";
import type { RunRequest, WebDeps } from "../web/deps.ts";

interface Stores {
  readonly runs: RunStore;
  readonly workflows: WorkflowStore;
}

/**
 * Reads a stored version.
 * @throws AppError `not_found`; `workflow_invalid` when this executable refuses a text that an older
 * one accepted.
 */
export async function loadWorkflow(
  workflows: WorkflowStore,
  version: { workflowId: string; hash: string },
  knownTools: readonly string[],
): Promise<Workflow> {
  const stored = await workflows.version(version.workflowId, version.hash);
  if (stored === undefined) {
    throw new AppError("not_found", "The workflow version of this run is no longer stored.", {
      fix: "Start a new run of the workflow.",
    });
  }
  const { parseWorkflow } = await import("../language/parse.ts");
  const { workflow, problems } = parseWorkflow(stored.source, {
    format: stored.format,
    knownTools,
  });
  if (workflow === undefined) throw invalidWorkflow(problems);
  return workflow;
}

/** Puts a run into the queue. */
export async function createRun(
  { runs }: Stores,
  request: RunRequest,
  made: {
    clock: Clock;
    source: Run["source"];
    reservedFor?: string;
    origin?: RunOrigin;
    steps?: readonly ForkedStep[];
    set?: JsonObject;
    /** A new one when it is left out. */
    id?: string;
  },
): Promise<Run> {
  const { clock, id = newId(clock.now()), ...rest } = made;
  await runs.create(
    {
      id,
      workflowId: request.workflowId,
      versionHash: request.versionHash,
      workflowName: request.workflow.name,
      nodeIds: request.workflow.nodes.map((node) => node.id),
      inputs: request.inputs,
      overrides: request.overrides,
      ...rest,
    },
    request.values,
  );
  const run = await runs.get(id);
  if (run === undefined) throw new AppError("internal", `Run ${id} was not stored.`);
  return run;
}

/** The same as the web apps are given it: begun on the dashboard, unless it is said otherwise. */
export function runCreator(stores: Stores, clock: Clock): WebDeps["createRun"] {
  return (request, made) => createRun(stores, request, { clock, source: "dashboard", ...made });
}

/** The problems travel as the cause, for whoever can show them at their places. */
export function invalidWorkflow(problems: readonly Problem[]): AppError {
  const errors = problems.filter(({ severity }) => severity === "error");
  const first = errors[0];
  const where = first === undefined ? "" : ` Line ${first.line}: ${first.message}`;
  return new AppError("workflow_invalid", `The workflow has ${errors.length} errors.${where}`, {
    fix: "Correct the file; `agents validate` shows every error with its place.",
    cause: problems,
  });
}
