import type { StoredEvent } from "../../src/domain/event.ts";
import type { PendingApproval, Run, RunState, RunStats } from "../../src/domain/run.ts";
import type { ServiceStatus } from "../../src/domain/service.ts";

export const RANGES = ["1h", "6h", "24h", "7d"] as const;
export type Range = (typeof RANGES)[number];

export interface Status {
  readonly counts: Readonly<Record<RunState, number>>;
  readonly stats: RunStats;
  /** The range before, of the same length. */
  readonly previous: RunStats;
  /** The newest. */
  readonly runs: readonly Run[];
  /** The newest of all runs, newest last. */
  readonly events: readonly StoredEvent[];
  readonly services: readonly ServiceStatus[];
  /** Runs that were taken up again after the last session ended without a clean shutdown. */
  readonly interrupted: readonly Run[];
  /** Steps that wait for a person, oldest first. */
  readonly approvals: readonly PendingApproval[];
  readonly queueDepth: number;
  /** Of all processes together; null where it cannot be known. */
  readonly memoryBytes: number | null;
  readonly workflowCount: number;
  readonly range: Range;
  readonly now: number;
}
