import type { Claim, NewRun, Queue, RunStore } from "../../../src/domain/run.ts";
import type { WorkflowRecord, WorkflowStore } from "../../../src/domain/workflow.ts";

/** Saves a workflow that runs can be made of. */
export function saveWorkflow(
  workflows: Pick<WorkflowStore, "save">,
  name = "echo",
): Promise<WorkflowRecord> {
  return workflows.save({ name, description: null, source: `name: ${name}`, format: "yaml" });
}

export function newRun(workflow: WorkflowRecord, id: string, more: Partial<NewRun> = {}): NewRun {
  return {
    id,
    workflowId: workflow.id,
    versionHash: workflow.version.hash,
    workflowName: workflow.name,
    nodeIds: ["read", "write"],
    inputs: { topic: "tea" },
    overrides: {},
    source: "cli",
    ...more,
  };
}

/** Claims one run that must be due. */
export async function claim(queue: Queue, worker: string, runId: string): Promise<Claim> {
  const [claimed] = await queue.fetch(worker, 1, runId);
  if (claimed === undefined) throw new Error(`Run ${runId} is not to be had.`);
  return claimed;
}

/** Creates a run and claims it. */
export async function startRun(
  ports: { runs: RunStore; queue: Queue },
  run: NewRun,
  worker = "worker-1",
): Promise<Claim> {
  await ports.runs.create(run, { topic: "tea" });
  return await claim(ports.queue, worker, run.id);
}
