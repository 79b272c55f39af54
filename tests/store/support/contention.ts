/** What the processes of the contention test do together. */
export const RUN_COUNT = 30;
export const STEP_COUNT = 4;
/** Signals that each process sends to each run. */
export const SIGNAL_COUNT = 2;

export const runIds = Array.from({ length: RUN_COUNT }, (_, index) => `r${index + 10}`);

/** What one process has done, by its own account. */
export interface Report {
  readonly claimed: readonly string[];
  readonly written: readonly string[];
  readonly signalled: readonly number[];
  /** Runs whose approval it has decided. */
  readonly decided: readonly string[];
}
