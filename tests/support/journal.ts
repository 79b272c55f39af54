/** A step's life in the journal, written as a worker does: for tests that need runs in some state. */
import type { Claim, RunStore } from "../../src/domain/run.ts";
import type { Json, JsonObject } from "../../src/lib/json.ts";

interface Step {
  readonly key: string;
  readonly attempt?: number;
}

export async function beginStep(
  runs: RunStore,
  claim: Claim,
  step: Step & { readonly nodeId?: string; readonly input?: Json },
): Promise<void> {
  const { key, attempt = 1, nodeId = key, input = {} } = step;
  await runs.write(claim, { steps: [{ type: "start", key, nodeId, attempt, input }], merges: {} });
}

/** Ends a step well; with `last` the run too. */
export async function endStep(
  runs: RunStore,
  claim: Claim,
  step: Step & { readonly patch: JsonObject; readonly last?: boolean },
): Promise<void> {
  const { key, attempt = 1, patch, last = false } = step;
  const next = last ? ["END"] : [];
  await runs.write(claim, {
    steps: [{ type: "succeed", key, attempt, patch, next }],
    merges: {},
    ...(last ? { turn: { state: "succeeded", outputs: patch } } : {}),
  });
}

/** Lets a step wait for an approval, and parks its run. */
export async function askApproval(
  runs: RunStore,
  claim: Claim,
  { key, message }: { readonly key: string; readonly message: string },
): Promise<void> {
  const wait = { for: "approval", message, untilMs: null } as const;
  await runs.write(claim, {
    steps: [{ type: "wait", key, attempt: 1, wait }],
    merges: {},
    turn: { state: "waiting", for: "approval", dueAt: null, seenWakeCount: 0 },
  });
}
