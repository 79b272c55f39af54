/**
 * A run, its steps, and the two ports that the engine runs on: a RunStore (the journal) and a Queue
 * (claims). Nothing here assumes one process, one machine or one SQL dialect. The rules that an
 * implementation keeps are in docs/ARCHITECTURE.md and held by `tests/conformance`.
 */
import type { Json, JsonObject } from "../lib/json.ts";
import type { ErrorRecord } from "./error.ts";
import type { RunEvent, StepKey, StoredEvent } from "./event.ts";
import type { NewMemory } from "./memory.ts";
import type { Usage } from "./model.ts";
import type { MergeModes } from "./state.ts";
import type { Budget, ProviderName } from "./workflow.ts";

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
export const WAITING_FOR = ["timer", "rate_limit", "budget", "approval", "signal", "run"] as const;
export type WaitingFor = (typeof WAITING_FOR)[number];

/** What a run waits for, as the end of a sentence. */
export const WAITING_WORDS: Readonly<Record<WaitingFor, string>> = {
  timer: "its time",
  rate_limit: "the provider's rate limit",
  budget: "a larger budget",
  approval: "an approval",
  signal: "a signal",
  run: "another run",
};

/** What a step waits for. */
export type Wait =
  | { readonly for: "timer"; readonly untilMs: number }
  /** The attempt goes on with its finished calls when the time has come. */
  | { readonly for: "rate_limit"; readonly untilMs: number }
  /** The attempt goes on with its finished calls once the run has been resumed. */
  | { readonly for: "budget" }
  /** A signal named by `approvalSignal`; null waits for ever. */
  | { readonly for: "approval"; readonly message: string; readonly untilMs: number | null }
  | { readonly for: "signal"; readonly name: string; readonly untilMs: number | null }
  /** The end of a run that this step has started. */
  | { readonly for: "run"; readonly runId: string };

/** Name of the signal that decides an approval. */
export function approvalSignal(key: StepKey): string {
  return `approval:${key}`;
}

/** What came to a run from outside. Kept until a step consumes it, also when it comes before the step waits. */
export interface Signal {
  /** 1, 2, 3 … within the run. */
  readonly seq: number;
  readonly name: string;
  readonly payload: Json;
  readonly at: number;
  /** Who sent it, for people; null when nobody said. */
  readonly by: string | null;
  readonly consumedBy: StepKey | null;
}

/** Payload of an approval's signal. */
export interface Decision {
  readonly approved: boolean;
  readonly comment: string | null;
}

/** A step that waits for a person. */
export interface PendingApproval {
  readonly runId: string;
  readonly workflowName: string;
  readonly key: StepKey;
  readonly nodeId: string;
  readonly message: string;
  readonly askedAt: number;
  readonly untilMs: number | null;
}

/** A worker that has not renewed its claim for this long has lost it. */
export const LEASE_MS = 15_000;
export const EVENT_COUNT_MAX = 100_000;
/** A step whose worker died this often is failed with `worker_crashed` rather than tried again. */
export const STEP_RECOVERY_COUNT_MAX = 10;
/** Executions of nodes in one run, items of maps included: where a cycle without an end is stopped. */
export const STEP_COUNT_MAX = 50_000;
/** Runs within runs. */
export const RUN_DEPTH_MAX = 10;
/** Signals that a run takes, consumed ones included. */
export const SIGNAL_COUNT_MAX = 10_000;

/** What the person who starts a run may set over the workflow file. */
export interface RunOverrides {
  readonly provider?: ProviderName;
  readonly model?: string;
  /**
   * Of an outermost run: wins over its workflow's budget, key by key. Of a run inside of another: the budget of
   * the outermost one, which all of them share; the run's own workflow may limit it further.
   */
  readonly budget?: Budget;
}

/** Where a run comes from when it is not a fresh one. */
export interface RunOrigin {
  /** `child`: started by a step of that run; `rerun`, `fork`: made from it by a person. */
  readonly kind: "child" | "rerun" | "fork";
  readonly runId: string;
  /** The step that started it, or that it was forked from. */
  readonly step?: StepKey;
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
  readonly source: "cli" | "dashboard" | "api" | "workflow" | "schedule";
  readonly origin?: RunOrigin;
  /**
   * Finished steps that a fork begins with: each the only attempt of its key. They cost nothing again. The new
   * run's log keeps the order of their `startedSeq` and `endedSeq`, which say what consumed what.
   */
  readonly steps?: readonly ForkedStep[];
  /** Where the values of a fork are not what its inputs and `steps` have left: kept in its log, for going back. */
  readonly set?: JsonObject;
  /**
   * A run that only its creator may claim (`agents run` without a server); any worker may once the
   * creator's claim has lapsed.
   */
  readonly reservedFor?: string;
}

export type ForkedStep = Pick<
  StepAttempt,
  "key" | "nodeId" | "state" | "input" | "patch" | "error" | "next" | "startedSeq" | "endedSeq"
>;

export interface Totals {
  readonly usage: Usage;
  /** Sum of the calls with a known price. */
  readonly costNanoUsd: number;
  /** Calls whose price is not known: the cost is then a lower bound. */
  readonly unpricedCount: number;
}

export interface TreeSpending {
  readonly costNanoUsd: number;
  /** Input and output. */
  readonly tokenCount: number;
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
  readonly origin: RunOrigin | null;
  /** How many runs it is inside of; 0 for one that no step has started. */
  readonly depth: number;
  /** The outermost run that this one belongs to; its own id when `depth` is 0. */
  readonly rootId: string;
  /** Raised by everything that a worker should look at: signals, decisions, ends of children, resuming. */
  readonly wakeCount: number;
  /** The workflow state: starts as inputs and defaults, changed by each succeeded step. */
  readonly values: JsonObject;
  readonly error: ErrorRecord | null;
  readonly cancelRequestedAt: number | null;
  readonly createdAt: number;
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
  /** Time spent running, without waiting, since a person last reopened it; counted to the last renewal of the claim. */
  readonly activeMs: number;
  /** Ids of the nodes whose step has succeeded, in order. */
  readonly doneNodeIds: readonly string[];
  readonly worker: string | null;
}

/** A run without what may be large: of a list of runs nothing else is read. */
export type RunSummary = Omit<Run, "values" | "inputs">;

export const STEP_STATES = [
  "running",
  "waiting",
  "succeeded",
  "skipped",
  "failed",
  "cancelled",
  "superseded",
] as const;
/** `superseded`: its result no longer counts, because a person went back to a step before it. */
export type StepState = (typeof STEP_STATES)[number];

/** One attempt of one step. A map is a step of its own (`draft`) beside those of its items (`draft[0]`). */
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
  /** While it is `waiting`. */
  readonly wait: Wait | null;
  /**
   * The nodes that its end leads to (END included), journaled because the values that decided may
   * change. null: it has not ended, or the run has failed with it. Items of a map lead nowhere: []. null for
   * a succeeded step of a run from before graphs could branch: then the only edge of its node was taken.
   */
  readonly next: readonly string[] | null;
  /** Position in the run's log at which the step began, and at which it ended: the order of what raced. */
  readonly startedSeq: number;
  readonly endedSeq: number | null;
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
  readonly signals: readonly Signal[];
}

/** One change of a step, written by the worker that holds the claim. */
export type StepWrite =
  /** Begins an attempt, or takes up one that was interrupted or waited (with the input it began with). */
  | {
      readonly type: "start";
      readonly key: StepKey;
      readonly nodeId: string;
      readonly attempt: number;
      readonly input: Json;
      /** It is a map of that many items. */
      readonly itemCount?: number;
    }
  /** Never begun: its condition was false. */
  | {
      readonly type: "skip";
      readonly key: StepKey;
      readonly nodeId: string;
      readonly next: readonly string[];
    }
  | {
      readonly type: "succeed";
      readonly key: StepKey;
      readonly attempt: number;
      readonly patch: JsonObject;
      readonly next: readonly string[];
      /** What is to be remembered, stored with the step or not at all. */
      readonly memories?: readonly NewMemory[];
      /** What a child run has cost; added to the attempt and the run. */
      readonly childTotals?: Totals;
      /** `seq` of the signal that it has answered to. */
      readonly consumes?: number;
      /** As in `fail`: calls that broke off before another model answered. */
      readonly brokenCallCount?: number;
    }
  /**
   * `brokenCallCount` model calls had begun to answer when they broke off: what they cost nobody said,
   * so they count as unpriced. A final failure that the run survives has `next`, and a `patch` for the
   * error field.
   */
  | {
      readonly type: "fail";
      readonly key: StepKey;
      readonly attempt: number;
      readonly error: ErrorRecord;
      readonly brokenCallCount?: number;
      readonly childTotals?: Totals;
      readonly retryAt: number | null;
      readonly next: readonly string[] | null;
      readonly patch?: JsonObject;
      /** `seq` of the signal that it has answered to (a rejection), so that the next attempt asks anew. */
      readonly consumes?: number;
    }
  | {
      readonly type: "wait";
      readonly key: StepKey;
      readonly attempt: number;
      readonly wait: Wait;
      readonly brokenCallCount?: number;
    };

/** Model calls of an attempt that had begun to answer when the end of the run broke them off. */
export interface BrokenCalls {
  readonly key: StepKey;
  readonly attempt: number;
  readonly count: number;
}

/** What becomes of the run with a write. */
export type RunTurn =
  | { readonly state: "succeeded"; readonly outputs: JsonObject }
  | { readonly state: "failed"; readonly error: ErrorRecord }
  /**
   * Nothing but waits is left: the claim is given back. Due at once when the run's `wakeCount` is no
   * longer `seenWakeCount`. `dueAt` null: only a wake goes on.
   */
  | {
      readonly state: "waiting";
      readonly for: WaitingFor;
      readonly dueAt: number | null;
      readonly seenWakeCount: number;
    };

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
  /** Created in this time, as the run's id says it; the end is not included. */
  readonly sinceMs?: number;
  readonly untilMs?: number;
  /** Each word begins a word of the run's id, of its workflow's name or of its inputs. */
  readonly search?: string;
  /** `dearest`: only runs that have ended, those that cost most first. */
  readonly order?: "newest" | "dearest";
  /** With `dearest`: that cost at least so much. */
  readonly minCostNanoUsd?: number;
  /** Keyset: only what follows this place, which is a run's id or the `next` of a page. */
  readonly before?: string;
  /** Keyset, the other way: only what comes before this place, and of that the last; not together with `before`. */
  readonly after?: string;
  readonly limit: number;
}

export interface RunPage {
  /** In the order asked for. */
  readonly runs: readonly RunSummary[];
  /** The place of the next page; undefined when nothing follows. */
  readonly next: string | undefined;
  /** Work is bounded: not all runs were looked at, and more that match may follow from `next` on. */
  readonly isPartial: boolean;
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
export type EndedRange = { readonly untilMs: number } | { readonly upToId: string };

export interface RunStore {
  /**
   * Writes the run, its place in the queue and its first events in one transaction. Idempotent by id.
   * @throws AppError `not_found` (no such workflow version, or no run that it is a child of); for a child
   * `conflict` when that run has ended or is to be cancelled, `limit_reached` beyond RUN_DEPTH_MAX.
   */
  create(run: NewRun, values: JsonObject): Promise<{ created: boolean }>;
  get(id: string): Promise<Run | undefined>;
  /** Exact id, else the one run whose id ends or begins with the text; undefined when none or several. */
  find(idPart: string): Promise<Run | undefined>;
  /** The runs of `page`, whole. */
  list(filter: RunFilter): Promise<Run[]>;
  /** Newest first, by id; with a search as they were created. What it costs does not grow with the number of runs. */
  page(filter: RunFilter): Promise<RunPage>;
  counts(): Promise<Record<RunState, number>>;
  /** Fewest rows are read for buckets of whole half hours that begin at one. */
  stats(range: { sinceMs: number; untilMs: number; bucketCount: number }): Promise<RunStats>;
  journal(runId: string): Promise<Journal>;
  /** Events with `seq > after`, in order. */
  events(runId: string, after: number, limit: number): Promise<StoredEvent[]>;
  /** The newest events of all runs, newest last; `model.delta` and `output.delta` left out. */
  recentEvents(limit: number): Promise<StoredEvent[]>;
  /**
   * Asks for the end of a run and of its children. Queued or waiting: cancelled at once. Running: marked,
   * and `touch` tells the worker. Final: nothing. (However a run ends, this is asked of its children, and a
   * run that it is a child of is woken.) @returns the run after it. @throws AppError `not_found`.
   */
  requestCancel(id: string): Promise<Run>;
  /**
   * Keeps a signal for a run and wakes it: a waiting run is due at once. Of several with the same name
   * each wait takes the first that nothing has consumed.
   * @throws AppError `not_found`; `conflict` when the run has ended; `limit_reached` above SIGNAL_COUNT_MAX; `invalid`
   * and `too_large` as `assertSignalFits`.
   */
  signal(
    runId: string,
    signal: { readonly name: string; readonly payload: Json; readonly by: string | null },
  ): Promise<Signal>;
  /**
   * Decides an approval: the first decision wins. @throws AppError `not_found` when no such step waits
   * for an approval; `conflict` when it has been decided, with the decision in the message.
   */
  decide(
    runId: string,
    key: StepKey,
    decision: Decision & { readonly by: string | null },
  ): Promise<Signal>;
  /** Oldest first. */
  pendingApprovals(filter: { runId?: string; limit: number }): Promise<PendingApproval[]>;
  /**
   * Lets a run go on that has ended badly or waits for a timer, a rate limit or its budget: queued, and the
   * times that it waits for (`retryAt`, `untilMs` of timers and rate limits) count as come.
   * `supersede`: attempts of these steps no longer count, nor do decisions that they have not consumed; other
   * failed attempts that ended the run get a `retryAt`, and they and cancelled ones are followed by another.
   * `values` replaces the run's values; `overrides` its overrides. A run that had ended has its whole time limit
   * again; that providers have asked for a pause is forgotten for one that waits for a rate limit. Writes
   * `run.resumed`. With `seenWakeCount`, `conflict` when the run's is another: somebody has let it go on meanwhile.
   * @returns the run after it. @throws AppError `not_found`; `conflict` for a run that is queued or running, that
   * has succeeded while nothing is superseded, or that waits for something else.
   */
  resume(
    id: string,
    change: {
      readonly supersede?: readonly StepKey[];
      readonly from?: StepKey;
      readonly values?: JsonObject;
      readonly overrides?: RunOverrides;
      readonly seenWakeCount?: number;
      readonly by: string | null;
    },
  ): Promise<Run>;
  /**
   * What an outermost run and all inside of it have spent so far, also those that have not ended.
   * @throws AppError `not_found`.
   */
  treeSpending(rootId: string): Promise<TreeSpending>;
  /**
   * Removes a run that has ended with the runs inside of it: their logs, steps and memories. Sums over time keep
   * what they were. @throws AppError `not_found`; `conflict` while it, one inside of it or the outermost run goes on.
   */
  remove(id: string): Promise<void>;
  /**
   * Removes outermost runs that have ended, as `remove`: about the oldest first, at most `limit`.
   * @param range Those that ended before `untilMs`; those up to `upToId`, itself included.
   * @returns how many; fewer than `limit` when no more are left.
   */
  removeEnded(range: EndedRange, limit: number): Promise<number>;
  /** Of the outermost runs that have ended the newest one behind the `count` newest; undefined when there is none. */
  findEndedBeyond(count: number): Promise<string | undefined>;
  /** Runs that were started or made directly from this one, oldest first. */
  descendants(id: string, limit: number): Promise<Run[]>;

  // Writes of the worker that holds the claim. All @throws AppError `lease_lost` for an old epoch, and
  // then change nothing.

  /**
   * Writes changes in this order and the turn of the run that they come to, in one transaction; patches
   * are laid over the run's values with `applyPatch`. May be repeated when its outcome is unknown: what
   * is already written is left as it is. Writes the events `step.*` and `run.*` and `events` before them.
   * @returns the attempts of the `start` entries, in order: of an interrupted attempt with the input,
   * totals and `recoveryCount` that it has (raised by one when the claim is a recovered one).
   */
  write(
    claim: Claim,
    change: {
      readonly steps: readonly StepWrite[];
      readonly turn?: RunTurn;
      /** Only with a turn that ends the run: what they cost nobody said, so they count as unpriced. */
      readonly brokenCalls?: readonly BrokenCalls[];
      readonly merges: MergeModes;
      readonly events?: readonly RunEvent[];
    },
  ): Promise<StepAttempt[]>;
  /** Stores a finished call with its events; adds its usage and cost to the attempt and the run. */
  recordCall(claim: Claim, call: StepCall, events: readonly RunEvent[]): Promise<void>;
  appendEvents(claim: Claim, events: readonly RunEvent[]): Promise<void>;
  /** Fails the run outside any step (its workflow cannot be read, its time is over). `brokenCalls` as in `write`. */
  failRun(claim: Claim, error: ErrorRecord, brokenCalls?: readonly BrokenCalls[]): Promise<void>;
  /** Ends a run whose cancellation was asked for; running and waiting attempts become cancelled. */
  cancelRun(claim: Claim, brokenCalls?: readonly BrokenCalls[]): Promise<void>;
}

export type ClaimStatus = "held" | "cancelled" | "lost";

/** Who executes what. On SQLite: columns of the run. */
export interface Queue {
  /**
   * Takes up to `limit` runs that are due. Each claim raises the run's epoch and starts a lease. `only`: this
   * run and those inside of it (`rootId`).
   */
  fetch(worker: string, limit: number, only?: string): Promise<Claim[]>;
  /** Renews the leases; says which claims were lost and which runs are to be cancelled. */
  touch(claims: readonly Claim[]): Promise<ClaimStatus[]>;
  /** Gives a claim back unfinished: the run is due at once for any worker. Clean shutdown of a worker. */
  release(claim: Claim): Promise<void>;
  /** The worker with this name is known to be dead: its runs are due at once. @returns how many. */
  releaseWorker(worker: string): Promise<number>;
  /** When the next run is due, in epoch milliseconds; undefined when none is. `only` as in `fetch`. */
  nextDueAt(only?: string): Promise<number | undefined>;
}

/** Tells that another process has changed the database. Lossy: look again on a timer too. */
export interface ChangeSignal {
  /** Calls `listener` after changes by any process; @returns the way to stop. */
  onChange(listener: () => void): () => void;
}
