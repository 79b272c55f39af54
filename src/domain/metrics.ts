/** What runs have cost, taken and come to, over time and by what did it. */

/**
 * The store keeps hours for so long, days for ever. Long enough to set a week against the one before it hour by
 * hour; a range that begins earlier is one of whole days (UTC).
 */
export const HOURS_KEPT_MS = 15 * 24 * 3_600_000;

/** Half open, epoch milliseconds, whole hours (whole days where the store keeps only days). */
export interface MetricsRange {
  readonly sinceMs: number;
  readonly untilMs: number;
}

export interface MetricsFilter extends MetricsRange {
  readonly workflowId?: string;
}

interface Spending {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly costNanoUsd: number;
}

export interface RunSums extends Spending {
  readonly created: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly cancelled: number;
  /** Sum over the runs that ended, from their start to their end. */
  readonly durationMs: number;
  readonly durationMsMax: number;
}

export interface RunSpan extends RunSums {
  readonly startsAt: number;
  readonly spanMs: number;
}

export interface WorkflowSums extends RunSums {
  readonly workflowId: string;
  readonly workflowName: string;
}

export interface NodeSums extends Spending {
  readonly workflowId: string;
  readonly workflowName: string;
  readonly nodeId: string;
  /** Attempts that ended; what runs started by them have cost is counted with these runs. */
  readonly succeeded: number;
  readonly failed: number;
  readonly durationMs: number;
  readonly durationMsMax: number;
}

export type NodeTotals = Omit<NodeSums, "workflowId" | "workflowName" | "nodeId">;

export interface ModelSums extends Spending {
  /** As in the journal. */
  readonly model: string;
  readonly calls: number;
  readonly cacheReadTokens: number;
  readonly durationMs: number;
  readonly durationMsMax: number;
}

/** All methods @throws AppError as `RunStore`. Sums that begin in the range are counted. */
export interface MetricsStore {
  /** Oldest first, all spans of the range without gaps; `spanMs` is the width asked for, whole hours. */
  series(filter: MetricsFilter & { readonly spanMs: number }): Promise<RunSpan[]>;
  totals(filter: MetricsFilter): Promise<RunSums>;
  /** Dearest first, then the one with most runs. */
  byWorkflow(filter: MetricsFilter & { readonly limit: number }): Promise<WorkflowSums[]>;
  byNode(
    filter: MetricsFilter & { readonly order: "cost" | "duration"; readonly limit: number },
  ): Promise<NodeSums[]>;
  /** Of all nodes together: what the share of one is a share of. */
  nodeTotals(filter: MetricsFilter): Promise<NodeTotals>;
  byModel(filter: MetricsFilter & { readonly limit: number }): Promise<ModelSums[]>;
  /**
   * Removes the hours of days that began before `HOURS_KEPT_MS` ago, one day in a transaction; their days stay.
   * @returns how many days. To be called now and then; any number may call it, and it may be killed at any moment.
   */
  removeOldHours(): Promise<number>;
}
