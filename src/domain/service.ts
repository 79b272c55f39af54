/** A supervised child process, and what is known of the product's own life. */

export const SERVICE_STATES = [
  "starting",
  "running",
  "backing_off",
  "stopping",
  "stopped",
  "failed",
  "disabled",
] as const;
export type ServiceState = (typeof SERVICE_STATES)[number];

/** A service that was ready and died is running again after at most RESTART_DELAY_MS_MAX. */
export const RESTART_DELAY_MS_FIRST = 250;
export const RESTART_DELAY_MS_MAX = 5_000;
/** Between SIGTERM and SIGKILL. */
export const STOP_GRACE_MS = 5_000;

export interface ServiceStatus {
  /** `dashboard`, `worker-1`, `mlflow`, … */
  readonly name: string;
  readonly state: ServiceState;
  readonly pid: number | null;
  readonly url: string | null;
  readonly restartCount: number;
  /** When it last became ready. */
  readonly since: number | null;
  /** Why it is not running, and what to do. */
  readonly message: string | null;
  readonly fix: string | null;
}

/** What the processes of the product took at a moment; null is what cannot be known here. */
export interface ResourceSample {
  readonly at: number;
  /** Of all processors together, since the sample before; 1 is all of them all of the time. */
  readonly cpuShare: number | null;
  readonly memoryBytes: number | null;
  /** Free for this user where the data folder is. */
  readonly diskFreeBytes: number | null;
  readonly databaseBytes: number | null;
  readonly queueDepth: number | null;
}

/** A provider has asked all workers to leave it alone for a while. */
export interface ProviderPause {
  /** `openai` and what tells this account from another one of that provider. */
  readonly account: string;
  readonly untilAt: number;
}

/** The one row that tells a clean end from a crash. */
export interface SessionRecord {
  readonly startedAt: number;
  readonly pid: number;
  readonly url: string;
  readonly clean: boolean;
  readonly version: string;
}

export interface SystemStore {
  /** Marks the session dirty. @returns the session before it, when there was one. */
  beginSession(session: Omit<SessionRecord, "clean">): Promise<SessionRecord | undefined>;
  endSession(): Promise<void>;
  session(): Promise<SessionRecord | undefined>;
  /**
   * Runs that were under way when the last session ended without a clean shutdown, those that its
   * workers gave back in their last moment included.
   */
  interruptedRunIds(): Promise<string[]>;
  saveService(status: ServiceStatus): Promise<void>;
  services(): Promise<ServiceStatus[]>;
  /** Those that are not over yet. */
  providerPauses(nowMs: number): Promise<ProviderPause[]>;
  setting(key: string): Promise<string | undefined>;
  setSetting(key: string, value: string): Promise<void>;
}

/** Whether the database can be used. `degraded`: the product runs, reads stay where possible, writes are refused. */
export type DatabaseHealth =
  | { readonly state: "ok" }
  | {
      readonly state: "degraded";
      readonly code: string;
      readonly message: string;
      readonly fix: string;
    };
