/** The log of a run: a closed union. Every event is stored in `events` with a gapless `seq` per run. */
import type { Json, JsonObject } from "../lib/json.ts";
import type { ErrorRecord } from "./error.ts";
import type { Usage } from "./model.ts";
import type { Wait, WaitingFor } from "./run.ts";

/**
 * Names one execution of a node in a run: `write`, in its second iteration `write#2`, as item of a map
 * `write[5]` or `write#2[5]`. Never a position, so any interleaving of branches keeps the keys.
 */
export type StepKey = string;

/** True for the step of one item of a map. */
export function isItemKey(key: StepKey): boolean {
  return key.endsWith("]");
}

/** The map that an item belongs to: `write#2` of `write#2[5]`; undefined for a step that is no item. */
export function mapKeyOf(key: StepKey): StepKey | undefined {
  return isItemKey(key) ? key.slice(0, key.lastIndexOf("[")) : undefined;
}

/** The node that a key names an execution of. */
export function nodeIdOf(key: StepKey): string {
  return key.replace(/(#\d+)?(\[\d+\])?$/, "");
}

interface StepRef {
  readonly step: StepKey;
  readonly attempt: number;
}

/** Values that a fork has over what the steps that it took over have left; they end at `afterSeq`. */
export interface ForkedValues {
  readonly values: JsonObject;
  readonly afterSeq: number;
}

export type RunEvent =
  | { readonly type: "run.queued" }
  | { readonly type: "run.started"; readonly worker: string }
  /** Claimed again after its worker died; finished steps and calls are kept. */
  | { readonly type: "run.recovered"; readonly worker: string }
  /** `untilMs` null: until somebody or something wakes it. */
  | {
      readonly type: "run.waiting";
      readonly for: WaitingFor;
      readonly untilMs: number | null;
    }
  /** Made from another run; the steps it begins with follow. */
  | {
      readonly type: "run.forked";
      readonly from: string;
      readonly fromStep: StepKey;
      readonly set?: ForkedValues;
    }
  /** A person let it go on; with `from`, from that step anew. */
  | { readonly type: "run.resumed"; readonly by: string | null; readonly from?: StepKey }
  | { readonly type: "signal.received"; readonly name: string; readonly by: string | null }
  /** A decision has come; the step goes on with it. */
  | {
      readonly type: "approval.decided";
      readonly step: StepKey;
      readonly approved: boolean;
      readonly comment: string | null;
      readonly by: string | null;
    }
  | { readonly type: "run.cancelling" }
  | { readonly type: "run.succeeded"; readonly outputs: Json }
  | { readonly type: "run.failed"; readonly error: ErrorRecord }
  | { readonly type: "run.cancelled" }
  /** `itemCount`: it is a map of that many items. */
  | ({
      readonly type: "step.started";
      readonly node: string;
      readonly itemCount?: number;
    } & StepRef)
  | { readonly type: "step.skipped"; readonly step: StepKey; readonly node: string }
  | ({ readonly type: "step.waiting"; readonly wait: Wait } & StepRef)
  /** The loop went on although its condition had not become true. */
  | ({ readonly type: "loop.exhausted"; readonly iterationCount: number } & StepRef)
  | ({
      readonly type: "model.started";
      readonly call: number;
      readonly provider: string;
      readonly model: string;
    } & StepRef)
  /** A piece of the answer as it arrives; pieces are joined for up to 100 ms. */
  | ({ readonly type: "model.delta"; readonly call: number; readonly text: string } & StepRef)
  | ({
      readonly type: "model.finished";
      readonly call: number;
      readonly usage: Usage;
      readonly costNanoUsd: number | null;
      readonly durationMs: number;
      /** The answer to an equal request was used again. */
      readonly cached?: true;
    } & StepRef)
  /** This model could not be used; the next of the node's fallbacks is asked. */
  | ({
      readonly type: "model.fallback";
      readonly call: number;
      readonly provider: string;
      readonly model: string;
      readonly error: ErrorRecord;
    } & StepRef)
  /** What a program that a step has started writes; joined like `model.delta`. */
  | ({
      readonly type: "output.delta";
      readonly call: number;
      readonly stream: "stdout" | "stderr";
      readonly text: string;
    } & StepRef)
  /** Also of nodes that call something outside: `tool` is then `http`, `code`, `cli` or `agent`. */
  | ({
      readonly type: "tool.started";
      readonly call: number;
      readonly tool: string;
      readonly input: Json;
    } & StepRef)
  | ({
      readonly type: "tool.finished";
      readonly call: number;
      readonly tool: string;
      readonly ok: boolean;
      readonly durationMs: number;
    } & StepRef)
  | ({
      readonly type: "step.succeeded";
      readonly patch: Json;
      readonly next: readonly string[];
    } & StepRef)
  /** `retryAtMs` is set when the step will be tried again; `next` when the run survives the failure. */
  | ({
      readonly type: "step.failed";
      readonly error: ErrorRecord;
      readonly retryAtMs?: number;
      readonly next?: readonly string[];
    } & StepRef);

export interface StoredEvent {
  readonly runId: string;
  readonly seq: number;
  readonly at: number;
  readonly event: RunEvent;
}
