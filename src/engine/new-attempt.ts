import type { StepKey } from "../domain/event.ts";
import type { StepAttempt } from "../domain/run.ts";
import type { Json } from "../lib/json.ts";
import { NO_USAGE } from "./call-log.ts";

/** An attempt as it begins, before the store has given it its place in the log. */
export function newAttempt(start: {
  readonly key: StepKey;
  readonly nodeId: string;
  readonly attempt: number;
  readonly input: Json;
  readonly startedAt: number;
}): StepAttempt {
  return {
    ...start,
    state: "running",
    patch: null,
    error: null,
    retryAt: null,
    wait: null,
    next: null,
    startedSeq: 0,
    endedSeq: null,
    recoveryCount: 0,
    finishedAt: null,
    usage: NO_USAGE,
    costNanoUsd: 0,
    unpricedCount: 0,
  };
}
