/** The log of a run: a closed union. Every event is stored in `events` with a gapless `seq` per run. */
import type { Json } from "../lib/json.ts";
import type { ErrorRecord } from "./error.ts";
import type { Usage } from "./model.ts";

/** Names one execution of a node in a run: `write`, later `draft#2` (iteration) or `draft#2[5]` (item). */
export type StepKey = string;

interface StepRef {
  readonly step: StepKey;
  readonly attempt: number;
}

export type RunEvent =
  | { readonly type: "run.queued" }
  | { readonly type: "run.started"; readonly worker: string }
  /** Claimed again after its worker died; finished steps and calls are kept. */
  | { readonly type: "run.recovered"; readonly worker: string }
  | { readonly type: "run.waiting"; readonly for: "timer" | "rate_limit"; readonly untilMs: number }
  | { readonly type: "run.cancelling" }
  | { readonly type: "run.succeeded"; readonly outputs: Json }
  | { readonly type: "run.failed"; readonly error: ErrorRecord }
  | { readonly type: "run.cancelled" }
  | ({ readonly type: "step.started"; readonly node: string } & StepRef)
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
    } & StepRef)
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
  | ({ readonly type: "step.succeeded"; readonly patch: Json } & StepRef)
  /** `retryAtMs` is set when the step will be tried again. */
  | ({
      readonly type: "step.failed";
      readonly error: ErrorRecord;
      readonly retryAtMs?: number;
    } & StepRef);

export interface StoredEvent {
  readonly runId: string;
  readonly seq: number;
  readonly at: number;
  readonly event: RunEvent;
}
