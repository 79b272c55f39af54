/** What the conformance suites share. Nothing here knows an implementation. */
import type { ErrorRecord } from "../../src/domain/error.ts";
import type { RunEvent } from "../../src/domain/event.ts";
import type {
  Claim,
  Queue,
  Run,
  RunStore,
  RunTurn,
  StepAttempt,
  StepCall,
  StepWrite,
  Wait,
} from "../../src/domain/run.ts";
import type { WorkflowStore } from "../../src/domain/workflow.ts";
import type { ManualClock } from "../store/support/manual-clock.ts";

export interface StoreUnderTest extends AsyncDisposable {
  readonly runs: RunStore;
  readonly queue: Queue;
  /** Runs refer to versions that were saved. */
  readonly workflows: Pick<WorkflowStore, "save">;
  readonly clock: ManualClock;
}

export interface Implementation {
  /** An empty store on a clock of its own. */
  readonly setup: () => Promise<StoreUnderTest>;
}

export const FAILURE: ErrorRecord = {
  code: "timeout",
  message: "Too slow.",
  fix: "Wait.",
  details: "x",
};
export const NO_USAGE = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, reasoning: 0 };
export const NO_TOTALS = { usage: NO_USAGE, costNanoUsd: 0, unpricedCount: 0 };
export const INPUT = { prompt: "hello" };

/** One of each change; the key is also the node, unless another is named. */
export function start(key = "read", more: Partial<StepWriteOf<"start">> = {}): StepWrite {
  return { type: "start", key, nodeId: key, attempt: 1, input: INPUT, ...more };
}

export function skip(key = "read", next: readonly string[] = []): StepWrite {
  return { type: "skip", key, nodeId: key, next };
}

export function succeed(key = "read", more: Partial<StepWriteOf<"succeed">> = {}): StepWrite {
  return { type: "succeed", key, attempt: 1, patch: {}, next: [], ...more };
}

export function fail(key = "read", more: Partial<StepWriteOf<"fail">> = {}): StepWrite {
  return { type: "fail", key, attempt: 1, error: FAILURE, retryAt: null, next: null, ...more };
}

export function wait(on: Wait, key = "read", attempt = 1): StepWrite {
  return { type: "wait", key, attempt, wait: on };
}

type StepWriteOf<Type extends StepWrite["type"]> = Extract<StepWrite, { type: Type }>;

export const APPROVAL = {
  for: "approval",
  message: "Send it?",
  untilMs: null,
} as const satisfies Wait;
export const SUCCEEDED: RunTurn = { state: "succeeded", outputs: { answer: 2 } };
export const FAILED: RunTurn = { state: "failed", error: FAILURE };

export function waiting(more: Partial<Extract<RunTurn, { state: "waiting" }>> = {}): RunTurn {
  return { state: "waiting", for: "timer", dueAt: null, seenWakeCount: 0, ...more };
}

/** A write of these changes and, after them, this turn. */
export function write(
  { runs }: Pick<StoreUnderTest, "runs">,
  claim: Claim,
  change: { steps?: readonly StepWrite[]; turn?: RunTurn } & Partial<
    Pick<Parameters<RunStore["write"]>[1], "merges" | "events" | "brokenCalls">
  >,
): Promise<StepAttempt[]> {
  return runs.write(claim, { steps: [], merges: {}, ...change });
}

export function call(ordinal: number, more: Partial<StepCall> = {}): StepCall {
  return {
    key: "read",
    attempt: 1,
    ordinal,
    kind: "model",
    name: "m",
    request: { n: ordinal },
    result: ["ok", null],
    usage: { input: 10, output: 5, cacheRead: 2, cacheWrite: 1, reasoning: 3 },
    costNanoUsd: 700,
    startedAt: 1,
    finishedAt: 2,
    ...more,
  };
}

export function delta(text: string): RunEvent {
  return { type: "model.delta", step: "read", attempt: 1, call: 0, text };
}

export async function types(runs: RunStore, id: string): Promise<string[]> {
  return (await runs.events(id, 0, 1000)).map((stored) => stored.event.type);
}

/** Events after a number. */
export async function eventsAfter(runs: RunStore, id: string, after: number): Promise<RunEvent[]> {
  return (await runs.events(id, after, 1000)).map((stored) => stored.event);
}

export async function get(runs: RunStore, id: string): Promise<Run> {
  const run = await runs.get(id);
  if (run === undefined) throw new Error(`There is no run ${id}.`);
  return run;
}

/** The attempts of a run, by `key/attempt`. */
export async function stepsOf(runs: RunStore, id: string): Promise<Record<string, StepAttempt>> {
  const { steps } = await runs.journal(id);
  return Object.fromEntries(steps.map((step) => [`${step.key}/${step.attempt}`, step]));
}

/** Everything that can be seen of a run. */
export async function pictureOf(runs: RunStore, id: string): Promise<readonly unknown[]> {
  return [await runs.get(id), await runs.journal(id), await runs.events(id, 0, 1000)];
}

/** Calls that all fail, by their message. */
export async function messageOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return "";
}
