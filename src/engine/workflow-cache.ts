import type { Workflow } from "../domain/workflow.ts";

/** Workflows that a runner keeps in memory. */
export const WORKFLOW_CACHE_COUNT_MAX = 100;

export type LoadWorkflow = (workflowId: string, versionHash: string) => Promise<Workflow>;

/** Versions are immutable, so what was read once stays true. The oldest entry goes first. */
export function cacheWorkflows(load: LoadWorkflow): LoadWorkflow {
  const known = new Map<string, Promise<Workflow>>();
  return (workflowId, versionHash) => {
    const key = `${workflowId}/${versionHash}`;
    const hit = known.get(key);
    if (hit !== undefined) return hit;
    const loading = load(workflowId, versionHash);
    known.set(key, loading);
    // A failure is not kept: the next run asks again.
    loading.catch(() => known.delete(key));
    const [oldest] = known.keys();
    if (known.size > WORKFLOW_CACHE_COUNT_MAX && oldest !== undefined) known.delete(oldest);
    return loading;
  };
}
