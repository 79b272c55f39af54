/**
 * A run, its steps, and the two ports that the engine runs on: a RunStore (the journal) and a Queue
 * (claims). Nothing here assumes one process, one machine or one SQL dialect. The rules that an
 * implementation keeps are in docs/ARCHITECTURE.md and held by `tests/conformance`.
 */
import type { Json, JsonObject } from "../lib/json.ts";
import type { ErrorRecord } from "./error.ts";
import type { RunEvent, StepKey, StoredEvent } from "./event.ts";
import type { Usage } from "./model.ts";
import type { ProviderName } from "./workflow.ts";

export const RUN_STATES = [
  "queued",
  "running",
  "waiting",
  "succeeded",
  "failed",
  "cancelled",
] as const;
export type RunState = (typeof RUN_STATES)[number];
export const RUN_STATES_FINAL: readonly RunState[] = ["succeeded", "failed", "cancelled"];
export type WaitingFor = "timer" | "rate_limit";

/** A worker that has not renewed its claim for this long has lost it. */
export const LEASE_MS = 15_000;
export const EVENT_COUNT_MAX = 100_000;
/** A step whose worker died this often is failed with `worker_crashed` rather than tried again. */
export const STEP_RECOVERY_COUNT_MAX = 5;

/** What the person who starts a run may set over the workflow file. */
export interface RunOverrides {
  readonly provider?: ProviderName;
  readonly model?: string;
}

export interface NewRun {
  readonly id: string;
  readonly workflowId: string;
  readonly versionHash: string;
  readonly workflowName: string;
  /** The node ids in order, for progress. */
  readonly nodeIds: readonly string[];
  readonly inputs: JsonObject;
  readonly overrides: RunOverrides;
  readonly source: "cli" | "dashboard" | "api";
  /**
   * A run that only its creator may claim (`agents run` without a server); any worker may once the
   * creator's claim has lapsed.
   */
  readonly reservedFor?: string;
}

export interface Totals {
  readonly usage: Usage;
  /** Sum of the calls with a known price. */
  readonly costNanoUsd: number;
  /** Calls whose price is not known: the cost is then a lower bound. */
  readonly unpricedCount: number;
}

export interface Run extends Totals {
  readonly id: string;
  readonly workflowId: string;
  readonly workflowName: string;
  readonly versionHash: string;
  readonly nodeIds: readonly string[];
  readonly state: RunState;
  readonly waitingFor: WaitingFor | null;
  /** When a waiting run goes on. */
  readonly dueAt: number | null;
  readonly inputs: JsonObject;
  readonly overrides: RunOverrides;
  readonly source: NewRun["source"];
  /** The workflow state: starts as inputs and defaults, changed by each succeeded step. */
  readonly values: JsonObject;
  readonly error: ErrorRecord | null;
  readonly cancelRequestedAt: number | null;
  readonly createdAt: number;
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
  /** Time spent running, without waiting; counted to the last renewal of the claim. */
  readonly activeMs: number;
  /** Ids of the nodes whose step has succeeded, in order. */
  readonly doneNodeIds: readonly string[];
  readonly worker: string | null;
}

export type StepState = "running" | "succeeded" | "failed" | "cancelled";

/** One attempt of one step. */
export interface StepAttempt extends Totals {
  readonly key: StepKey;
  readonly nodeId: string;
  readonly attempt: number;
  readonly state: StepState;
  readonly input: Json;
  readonly patch: JsonObject | null;
  readonly error: ErrorRecord | null;
  /** When a failed attempt is to be followed by the next; null when it is final. */
  readonly retryAt: number | null;
  readonly recoveryCount: number;
  readonly startedAt: number;
  readonly finishedAt: number | null;
}

/** A finished model or tool call inside an attempt: after a crash it is read, not made again. */
export interface StepCall {
  readonly key: StepKey;
  readonly attempt: number;
  /** 0, 1, 2 … within the attempt, model and tool calls together. */
  readonly ordinal: number;
  readonly kind: "model" | "tool";
  /** Model or tool name. */
  readonly name: string;
  readonly request: Json;
  readonly result: Json;
  readonly usage: Usage;
  readonly costNanoUsd: number | null;
  readonly startedAt: number;
  readonly finishedAt: number;
}

/** All that a run did: enough to go on from, on any worker. */
export interface Journal {
  readonly steps: readonly StepAttempt[];
  readonly calls: readonly StepCall[];
}

/** The right to execute a run until `epoch` is overtaken. Every journal write carries it. */
export interface Claim {
  readonly runId: string;
  readonly worker: string;
  readonly epoch: number;
  /** True when the run had been claimed before and not given back: its worker died. */
  readonly recovered: boolean;
}

export interface RunFilter {
  readonly states?: readonly RunState[];
  readonly workflowId?: string;
  /** Start of the id, or words of the workflow's name. */
  readonly search?: string;
  /** Keyset: only runs whose id sorts before this one. */
  readonly before?: string;
  readonly limit: number;
}

/** What the status page draws: counts and sums over a time range, in equal buckets, oldest first. */
export interface RunStats {
  readonly sinceMs: number;
  readonly bucketMs: number;
  readonly buckets: readonly {
    readonly created: number;
    readonly succeeded: number;
    readonly failed: number;
    readonly costNanoUsd: number;
    readonly tokens: number;
  }[];
}

/** All methods @throws AppError `database_locked`, `database_corrupt`, `disk_full`, `read_only`. */
export interface RunStore {
  /** Writes the run, its place in the queue and its first event in one transaction. Idempotent by id. */
  create(run: NewRun, values: JsonObject): Promise<{ created: boolean }>;
  get(id: string): Promise<Run | undefined>;
  /** Exact id, else the one run whose id ends or begins with the text; undefined when none or several. */
  find(idPart: string): Promise<Run | undefined>;
  /** Newest first. */
  list(filter: RunFilter): Promise<Run[]>;
  counts(): Promise<Record<RunState, number>>;
  stats(range: { sinceMs: number; untilMs: number; bucketCount: number }): Promise<RunStats>;
  journal(runId: string): Promise<Journal>;
  /** Events with `seq > after`, in order. */
  events(runId: string, after: number, limit: number): Promise<StoredEvent[]>;
  /** The newest events of all runs, newest last; `model.delta` left out. */
  recentEvents(limit: number): Promise<StoredEvent[]>;
  /**
   * Asks for the end of a run. Queued or waiting: cancelled at once. Running: marked, and `touch`
   * tells the worker. Final: nothing. @returns the run after it. @throws AppError `not_found`.
   */
  requestCancel(id: string): Promise<Run>;

  // Writes of the worker that holds the claim. All @throws AppError `lease_lost` for an old epoch, and
  // then change nothing.

  /**
   * Begins an attempt, or takes up the interrupted one (recoveryCount + 1 when the claim is a recovered
   * one). Writes `step.started`.
   */
  startStep(
    claim: Claim,
    step: { key: StepKey; nodeId: string; attempt: number; input: Json },
  ): Promise<StepAttempt>;
  /** Stores a finished call with its events; adds its usage and cost to the attempt and the run. */
  recordCall(claim: Claim, call: StepCall, events: readonly RunEvent[]): Promise<void>;
  appendEvents(claim: Claim, events: readonly RunEvent[]): Promise<void>;
  /**
   * Ends an attempt well: attempt, patch applied to the run's values, `step.succeeded`, and the
   * run's end when `outcome` is given, in one transaction.
   */
  succeedStep(
    claim: Claim,
    step: { key: StepKey; attempt: number; patch: JsonObject },
    outcome: { outputs: JsonObject } | undefined,
  ): Promise<void>;
  /**
   * Ends an attempt badly: `retry` parks the run as waiting until then (a durable timer, the claim is
   * given back) or, when `inPlace`, keeps the claim; without `retry` the run fails. `brokenCallCount`
   * model calls had begun to answer when they broke off: what they cost nobody said, so they count as
   * unpriced.
   */
  failStep(
    claim: Claim,
    step: { key: StepKey; attempt: number; error: ErrorRecord; brokenCallCount?: number },
    retry: { at: number; waitingFor: WaitingFor; inPlace: boolean } | undefined,
  ): Promise<void>;
  /** Fails the run outside any step (its workflow cannot be read, its time is over). */
  failRun(claim: Claim, error: ErrorRecord): Promise<void>;
  /** Ends a run whose cancellation was asked for; the running attempt becomes cancelled. */
  cancelRun(claim: Claim): Promise<void>;
}

export type ClaimStatus = "held" | "cancelled" | "lost";

/** Who executes what. On SQLite: columns of the run. */
export interface Queue {
  /** Takes up to `limit` runs that are due. Each claim raises the run's epoch and starts a lease. */
  fetch(worker: string, limit: number, only?: string): Promise<Claim[]>;
  /** Renews the leases; says which claims were lost and which runs are to be cancelled. */
  touch(claims: readonly Claim[]): Promise<ClaimStatus[]>;
  /** Gives a claim back unfinished: the run is due at once for any worker. Clean shutdown of a worker. */
  release(claim: Claim): Promise<void>;
  /** The worker with this name is known to be dead: its runs are due at once. @returns how many. */
  releaseWorker(worker: string): Promise<number>;
  /** When the next run is due, in epoch milliseconds; undefined when none is. */
  nextDueAt(): Promise<number | undefined>;
}

/** Tells that another process has changed the database. Lossy: look again on a timer too. */
export interface ChangeSignal {
  /** Calls `listener` after changes by any process; @returns the way to stop. */
  onChange(listener: () => void): () => void;
}
