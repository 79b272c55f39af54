/** A run read in pieces, for pages: what it costs does not grow with what the run has done. */
import type { StepKey } from "./event.ts";
import type { RunSummary, StepAttempt, StepCall, StepState } from "./run.ts";
import type { JsonObject } from "../lib/json.ts";

/** Larger values are left out of pieces; `RunReader.step` has them. */
export const PIECE_BYTES_MAX = 20_000;

/** A run with its values, unless these are large. */
export interface RunGlance extends RunSummary {
  readonly inputs: JsonObject;
  readonly values: JsonObject;
  /** What of it was left out (and is empty here), with its size. */
  readonly omitted: { readonly inputs?: number; readonly values?: number };
}

/** An attempt; what was left out of it is null. */
export interface StepPiece extends StepAttempt {
  readonly omitted: { readonly input?: number; readonly patch?: number };
}

/** A call; what was left out of it is null. */
export interface CallPiece extends StepCall {
  readonly omitted: { readonly request?: number; readonly result?: number };
}

/** What all attempts of a node come to, without those of items. */
export interface NodeOverview {
  readonly nodeId: string;
  /** The newest attempt of its newest execution. */
  readonly newest: StepPiece;
  /** Executions: more than one in a loop. */
  readonly roundCount: number;
  readonly attemptCount: number;
  readonly failedCount: number;
  /** Where its attempts that count have led to. */
  readonly next: readonly string[];
}

/** How far a map is. */
export interface ItemCounts {
  /** Items that have begun, or been skipped, by the state of their last attempt. */
  readonly states: Readonly<Partial<Record<StepState, number>>>;
  /** All of them, also those that have not begun. */
  readonly count: number;
}

/** All @throws AppError as `RunStore`. */
export interface RunReader {
  glance(runId: string): Promise<RunGlance | undefined>;
  /** The number of the newest event; 0 when there is none. */
  lastSeq(runId: string): Promise<number>;
  /** Attempts that are no items, in order: the last before a `startedSeq`, or the first after one. */
  steps(
    runId: string,
    window: { readonly before?: number; readonly after?: number; readonly limit: number },
  ): Promise<StepPiece[]>;
  /** In the order of the file's nodes as they began; grows with the run, so it is for large runs read rarely. */
  overview(runId: string): Promise<NodeOverview[]>;
  /** The last attempts of items of a map, from the item with this number on. */
  items(
    runId: string,
    window: { readonly map: StepKey; readonly from: number; readonly limit: number },
  ): Promise<StepPiece[]>;
  /** The first items whose last attempt is in such a state, with the number that follows the last of them. */
  itemCounts(runId: string, map: StepKey): Promise<ItemCounts>;
  /** Items that have failed for good or wait, in order of their number. */
  notableItems(runId: string, map: StepKey, limit: number): Promise<StepPiece[]>;
  /** Calls of an attempt, in order. */
  calls(
    runId: string,
    window: { readonly key: StepKey; readonly attempt: number; readonly limit: number },
  ): Promise<CallPiece[]>;
  /** All of a step: its attempts and their calls, whole. */
  step(
    runId: string,
    key: StepKey,
  ): Promise<{ readonly attempts: readonly StepAttempt[]; readonly calls: readonly StepCall[] }>;
}
