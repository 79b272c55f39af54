/** A workflow that is started by the clock. */
import type { JsonObject } from "../lib/json.ts";
import type { ErrorRecord } from "./error.ts";
import type { RunOverrides } from "./run.ts";

/** Schedules of one workflow. */
export const SCHEDULE_COUNT_MAX = 100;
/** A time counts as missed when it has passed longer ago than this. */
export const SCHEDULE_LATE_MS = 60_000;

/** What happens when the run that was started last is still under way. */
export const SCHEDULE_OVERLAPS = ["skip", "start"] as const;
export type ScheduleOverlap = (typeof SCHEDULE_OVERLAPS)[number];

/** What became of the newest time that has come. */
export type ScheduleOutcome = "started" | "overlapped" | "missed" | "failed";

/** What a person decides about a schedule. */
export interface SchedulePlan {
  /** Five fields, or a nickname such as `@daily`. */
  readonly cron: string;
  /** IANA name. */
  readonly timeZone: string;
  /** As given; defaults and types are those of the version that is started. */
  readonly inputs: JsonObject;
  readonly overrides: RunOverrides;
  readonly overlap: ScheduleOverlap;
  /** After times that were missed, one run is started. */
  readonly catchUp: boolean;
}

export interface Schedule extends SchedulePlan {
  readonly id: string;
  readonly workflowId: string;
  readonly workflowName: string;
  /** null while it is paused. */
  readonly nextAt: number | null;
  /** The newest time that has come, and what became of it. */
  readonly lastAt: number | null;
  readonly lastOutcome: ScheduleOutcome | null;
  readonly lastRunId: string | null;
  readonly lastError: ErrorRecord | null;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** All methods @throws AppError as `RunStore`. */
export interface ScheduleStore {
  /**
   * @param schedule.id A new one when it is left out. @throws AppError `not_found` (no such workflow), `limit_reached`
   * above SCHEDULE_COUNT_MAX.
   */
  create(
    schedule: SchedulePlan & {
      readonly id?: string;
      readonly workflowId: string;
      readonly nextAt: number | null;
    },
  ): Promise<Schedule>;
  /** Changes what is given. @throws AppError `not_found`. */
  update(
    id: string,
    change: Partial<SchedulePlan> & { readonly nextAt?: number | null },
  ): Promise<Schedule>;
  get(id: string): Promise<Schedule | undefined>;
  /** The next one first, paused ones last. */
  list(filter: { readonly workflowId?: string; readonly limit: number }): Promise<Schedule[]>;
  /** Those whose time has come, oldest first. */
  due(now: number, limit: number): Promise<Schedule[]>;
  /** When the next one is due. */
  nextDueAt(): Promise<number | undefined>;
  /**
   * Names the run that is to be started for the time `at`: the same again for a time that was taken up before
   * and not settled. undefined when the schedule is no longer due at that time.
   */
  takeUp(id: string, at: number, runId: string): Promise<string | undefined>;
  /** Notes what became of the time `at` and goes on to the next; nothing when that time is settled already. */
  settle(
    id: string,
    at: number,
    result: {
      readonly outcome: ScheduleOutcome;
      readonly runId?: string;
      readonly error?: ErrorRecord;
      readonly nextAt: number | null;
    },
  ): Promise<void>;
  /** @returns what was removed. @throws AppError `not_found`. */
  remove(id: string): Promise<Schedule>;
}
