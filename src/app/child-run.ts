/** A run inside of a run: the step of one workflow that is another workflow. */
import { AppError } from "../domain/error.ts";
import type { ChildRun } from "../engine/node/executor.ts";
import type { Clock } from "../lib/clock.ts";
import { nearest } from "../lib/nearest.ts";
import type { Store } from "../store/store.ts";
import { createRun, loadWorkflow } from "./workflow-runs.ts";

const NAME_COUNT_MAX = 200;

/** @throws AppError `not_found`, `workflow_invalid`, `invalid` (inputs). */
export async function startChild(
  store: Pick<Store, "runs" | "workflows">,
  child: ChildRun,
  { clock, toolNames }: { clock: Clock; toolNames: readonly string[] },
): Promise<void> {
  const record = await store.workflows.get(child.workflow);
  if (record === undefined) throw await noWorkflow(store, child.workflow);
  const version = { workflowId: record.id, hash: record.version.hash };
  const workflow = await loadWorkflow(store.workflows, version, toolNames);
  const { readInputs } = await import("../language/input.ts");
  const { values, problems } = readInputs(workflow, child.inputs);
  if (values === undefined) {
    const [first] = problems;
    throw new AppError("invalid", `Workflow \`${workflow.name}\`: ${first?.message ?? ""}`, {
      fix: first?.fix ?? "Give it the inputs that it needs.",
    });
  }
  await createRun(
    store,
    {
      workflowId: record.id,
      versionHash: record.version.hash,
      workflow,
      values,
      inputs: child.inputs,
      overrides: child.overrides,
    },
    {
      clock,
      id: child.id,
      source: "workflow",
      origin: { kind: "child", runId: child.parent.id, step: child.step },
    },
  );
}

async function noWorkflow(
  { workflows }: Pick<Store, "workflows">,
  name: string,
): Promise<AppError> {
  const known = await workflows.list({ limit: NAME_COUNT_MAX });
  const meant = nearest(
    name,
    known.map((record) => record.name),
  );
  const fix =
    meant === undefined
      ? "Put its file beside this one, or save it on the dashboard; workflows are found by `flow.name`."
      : `Write \`${meant}\`, or save a workflow with that name.`;
  return new AppError("not_found", `There is no workflow named \`${name}\`.`, { fix });
}
