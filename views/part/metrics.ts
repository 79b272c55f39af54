import type {
  ModelSums,
  NodeSums,
  NodeTotals,
  RunSpan,
  RunSums,
  WorkflowSums,
} from "../../src/domain/metrics.ts";

export const METRICS_RANGES = ["24h", "7d", "30d", "90d"] as const;
export type MetricsPreset = (typeof METRICS_RANGES)[number];

export interface MetricsChoice {
  readonly preset: MetricsPreset | "custom";
  readonly sinceMs: number;
  readonly untilMs: number;
  readonly spanMs: number;
  /** As typed: days of UTC. */
  readonly from: string;
  readonly to: string;
  readonly workflowId: string | undefined;
  /** Why what was typed is no range. */
  readonly fault: string | undefined;
}

export interface Metrics {
  readonly choice: MetricsChoice;
  readonly workflows: readonly { readonly id: string; readonly name: string }[];
  readonly totals: RunSums;
  /** Of the range before, of the same length. */
  readonly previous: RunSums;
  readonly series: readonly RunSpan[];
  readonly byWorkflow: readonly WorkflowSums[];
  readonly slowest: readonly NodeSums[];
  readonly dearest: readonly NodeSums[];
  readonly nodeTotals: NodeTotals;
  readonly byModel: readonly ModelSums[];
}

export const METRICS_TABLES = ["series", "workflows", "nodes", "models"] as const;
export type MetricsTable = (typeof METRICS_TABLES)[number];

/** Of runs that ended by themselves; undefined when none has. */
export function successRateOf(sums: Pick<RunSums, "succeeded" | "failed">): number | undefined {
  const ended = sums.succeeded + sums.failed;
  return ended === 0 ? undefined : sums.succeeded / ended;
}

/** Of runs that have ended; 0 when none has. */
export function averageDurationMs(
  sums: Pick<RunSums, "succeeded" | "failed" | "durationMs"> & { readonly cancelled?: number },
): number {
  const ended = sums.succeeded + sums.failed + (sums.cancelled ?? 0);
  return ended === 0 ? 0 : sums.durationMs / ended;
}

/** The address of this choice, or of another form of it. */
export function metricsAddress(
  choice: Pick<MetricsChoice, "preset" | "from" | "to" | "workflowId">,
  place: { readonly path?: string; readonly table?: MetricsTable } = {},
): string {
  const query = new URLSearchParams();
  if (place.table !== undefined) query.set("table", place.table);
  query.set("range", choice.preset);
  if (choice.preset === "custom") {
    query.set("from", choice.from);
    query.set("to", choice.to);
  }
  if (choice.workflowId !== undefined) query.set("workflow", choice.workflowId);
  return `${place.path ?? "/metrics"}?${query.toString()}`;
}
