/** What is done with many runs at once, one after the other, also over a restart. */

export const BULK_ACTIONS = ["cancel", "resume", "rerun", "delete"] as const;
export type BulkAction = (typeof BULK_ACTIONS)[number];

/** Runs of one job. */
export const BULK_RUN_COUNT_MAX = 1_000;
/** Jobs that are kept; those under way are always. */
export const BULK_JOB_COUNT_MAX = 50;
/** Refusals that are named. */
export const BULK_REFUSAL_COUNT_MAX = 100;

export interface BulkRefusal {
  readonly id: string;
  readonly message: string;
  readonly fix: string | undefined;
}

export interface BulkJob {
  readonly id: string;
  readonly action: BulkAction;
  /** `asked`: it waits to be confirmed. */
  readonly state: "asked" | "running" | "done";
  readonly createdAt: number;
  readonly count: number;
  /** More runs match than one job takes. */
  readonly isMore: boolean;
  readonly doneCount: number;
  readonly refusedCount: number;
  /** The first of those that were refused. */
  readonly refusals: readonly BulkRefusal[];
  readonly canUndo: boolean;
  /** The job that takes back what this one has done. */
  readonly undoneBy: string | null;
}

export interface NewBulkJob {
  readonly id: string;
  readonly action: BulkAction;
  readonly state: "asked" | "running";
  readonly isMore: boolean;
  /** Each once. */
  readonly runIds: readonly string[];
}

/** A run that is the next of a job. */
export interface BulkItem {
  readonly runId: string;
  /** It was begun before, and nobody knows how far that came. */
  readonly isRepeated: boolean;
}

export interface BulkOutcome {
  readonly runId: string;
  /** The run that was changed or made; null when it was refused. */
  readonly changedRunId: string | null;
  readonly refusal: Omit<BulkRefusal, "id"> | null;
}

/** All methods @throws AppError; those that name a job `not_found`. */
export interface BulkJobStore {
  /** Made once, however often. Drops the oldest above BULK_JOB_COUNT_MAX. */
  create(job: NewBulkJob): Promise<BulkJob>;
  get(id: string): Promise<BulkJob>;
  /** Newest first. */
  list(limit: number): Promise<BulkJob[]>;
  /** Those that are under way, oldest first. */
  running(): Promise<string[]>;
  /** @returns whether it was `asked` until now. */
  confirm(id: string): Promise<boolean>;
  /** The next runs of a job, noted as begun; none: it is done. Those that were begun before come first. */
  begin(id: string, limit: number): Promise<BulkItem[]>;
  /** What has become of runs that were begun; noted once. */
  finish(id: string, outcomes: readonly BulkOutcome[]): Promise<void>;
  /**
   * Makes a running job of the runs that this one has changed, in the same step in which this one is undone.
   * @returns that job's id, the same each time. @throws AppError `conflict` when there is nothing to undo.
   */
  undo(id: string, undoing: { readonly id: string; readonly action: BulkAction }): Promise<string>;
}
