/** Rows of the run tables as the domain's values. */
import type {
  Run,
  RunOrigin,
  RunSummary,
  Signal,
  StepAttempt,
  StepCall,
  Totals,
} from "../domain/run.ts";
import type { Usage } from "../domain/model.ts";
import type { runs, signals, stepCalls, steps } from "./schema.ts";

type RunRow = typeof runs.$inferSelect;
type StepRow = typeof steps.$inferSelect;
type CallRow = typeof stepCalls.$inferSelect;
type SignalRow = typeof signals.$inferSelect;

interface UsageColumns {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cacheReadTokens: number;
  readonly cacheWriteTokens: number;
  readonly reasoningTokens: number;
}

export function toRun(row: RunRow): Run {
  return { ...toRunSummary(row), inputs: row.inputs, values: row.values };
}

export function toRunSummary(row: Omit<RunRow, "inputs" | "values">): RunSummary {
  return {
    id: row.id,
    workflowId: row.workflowId,
    workflowName: row.workflowName,
    versionHash: row.versionHash,
    nodeIds: row.nodeIds,
    state: row.state,
    waitingFor: row.waitingFor,
    dueAt: row.state === "waiting" ? row.dueAt : null,
    overrides: row.overrides,
    source: row.source,
    origin: toOrigin(row),
    depth: row.depth,
    rootId: row.rootId,
    wakeCount: row.wakeCount,
    error: row.error,
    cancelRequestedAt: row.cancelRequestedAt,
    createdAt: row.createdAt,
    startedAt: row.startedAt,
    finishedAt: row.finishedAt,
    activeMs: row.activeMs,
    doneNodeIds: row.doneNodeIds,
    worker: row.worker,
    ...toTotals(row),
  };
}

function toOrigin(
  row: Pick<RunRow, "originKind" | "originRunId" | "originStep">,
): RunOrigin | null {
  const { originKind: kind, originRunId: runId, originStep: step } = row;
  if (kind === null || runId === null) return null;
  return { kind, runId, ...(step === null ? {} : { step }) };
}

export function toStepAttempt(row: StepRow): StepAttempt {
  return {
    key: row.key,
    nodeId: row.nodeId,
    attempt: row.attempt,
    state: row.state,
    input: row.input,
    patch: row.patch,
    error: row.error,
    retryAt: row.retryAt,
    wait: row.wait,
    next: row.next,
    startedSeq: row.seq,
    endedSeq: row.endedSeq,
    recoveryCount: row.recoveryCount,
    startedAt: row.startedAt,
    finishedAt: row.finishedAt,
    ...toTotals(row),
  };
}

export function toStepCall(row: CallRow): StepCall {
  return {
    key: row.key,
    attempt: row.attempt,
    ordinal: row.ordinal,
    kind: row.kind,
    name: row.name,
    request: row.request,
    result: row.result,
    usage: toUsage(row),
    costNanoUsd: row.costNanoUsd,
    startedAt: row.startedAt,
    finishedAt: row.finishedAt,
  };
}

export function toSignal(row: SignalRow): Signal {
  const { runId: _, ...signal } = row;
  return signal;
}

function toTotals(row: UsageColumns & Omit<Totals, "usage">): Totals {
  return {
    usage: toUsage(row),
    costNanoUsd: row.costNanoUsd,
    unpricedCount: row.unpricedCount,
  };
}

export function toUsage(row: UsageColumns): Usage {
  return {
    input: row.inputTokens,
    output: row.outputTokens,
    cacheRead: row.cacheReadTokens,
    cacheWrite: row.cacheWriteTokens,
    reasoning: row.reasoningTokens,
  };
}
