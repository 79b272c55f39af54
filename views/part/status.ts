import type { StoredEvent } from "../../src/domain/event.ts";
import type { PendingApproval, Run, RunState, RunStats } from "../../src/domain/run.ts";
import type { ProviderPause, ResourceSample, ServiceStatus } from "../../src/domain/service.ts";

export const RANGES = ["1h", "6h", "24h", "7d"] as const;
export type Range = (typeof RANGES)[number];

export interface Status {
  readonly counts: Readonly<Record<RunState, number>>;
  readonly stats: RunStats;
  /** The range before, of the same length. */
  readonly previous: RunStats;
  /** Those that are under way, and the newest. */
  readonly runs: readonly Run[];
  /** The newest of all runs, newest last. */
  readonly events: readonly StoredEvent[];
  readonly services: readonly ServiceStatus[];
  /** Runs that were taken up again after the last session ended without a clean shutdown. */
  readonly interrupted: readonly Run[];
  /** Steps that wait for a person, oldest first. */
  readonly approvals: readonly PendingApproval[];
  /** Newest first: those that failed within the range. */
  readonly failed: readonly Run[];
  /** Newest first: those that wait for a larger budget or for a provider. */
  readonly held: readonly Run[];
  readonly pauses: readonly ProviderPause[];
  /** What was read and put away, by the name of the alert: the state of it that was seen. */
  readonly acknowledged: Readonly<Record<string, string>>;
  readonly queueDepth: number;
  /** Oldest first. */
  readonly resources: readonly ResourceSample[];
  /** Of all processes together; null where it cannot be known. */
  readonly memoryBytes: number | null;
  readonly workflowCount: number;
  readonly range: Range;
  /** Whether the chat can be asked about what went wrong. */
  readonly canAsk: boolean;
  readonly now: number;
}
