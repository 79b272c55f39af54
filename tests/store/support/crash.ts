import type { MemoryNamespace } from "../../../src/domain/memory.ts";
import type { MergeModes } from "../../../src/domain/state.ts";

/** Steps in each run of the crash test. */
export const STEP_COUNT = 12;
/** Each step adds one to `sum`: a patch that was laid twice would show. */
export const MERGES: MergeModes = { sum: "sum" };
export function namespaceOf(runId: string): MemoryNamespace {
  return { scope: "workflow", agent: "echo", runId, nodeId: null };
}
