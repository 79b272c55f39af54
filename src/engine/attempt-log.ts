/** Attempts and finished calls of the steps of a run that are still open, as the journal has them. */
import type { StepKey } from "../domain/event.ts";
import type { StepAttempt, StepCall } from "../domain/run.ts";
import { isJsonObject, type Json } from "../lib/json.ts";
import { keepsCalls } from "./retry.ts";

export interface FinishedCalls {
  /** By ordinal. */
  readonly calls: Map<number, StepCall>;
  /** The earliest attempt whose calls still stand. */
  readonly firstAttempt: number;
}

export interface AttemptLog {
  put(attempt: StepAttempt): void;
  putCall(call: StepCall): void;
  /** The step has ended: nothing asks for it again. */
  forget(key: StepKey): void;
  newest(key: StepKey): StepAttempt | undefined;
  /**
   * How often the step has been tried since it began, or was stopped with its run; the newest included. A person who
   * lets it go on after its last try grants one more.
   */
  tryCount(key: StepKey): number;
  /**
   * Calls that the newest attempt goes on from: its own, and those of the attempts before it that failed for
   * outside reasons (a rate limit in the tenth tool round does not make the nine before it again).
   */
  finishedCalls(key: StepKey): FinishedCalls;
  /** Why the newest refused answer of a step was refused; undefined when none was. */
  correction(key: StepKey): string | undefined;
}

export function createAttemptLog(): AttemptLog {
  /** Oldest first. */
  const attempts = new Map<StepKey, StepAttempt[]>();
  const calls = new Map<StepKey, StepCall[]>();
  const of = (key: StepKey): readonly StepAttempt[] => attempts.get(key) ?? [];
  return {
    put: (attempt) => {
      const list = attempts.get(attempt.key);
      if (list === undefined) attempts.set(attempt.key, [attempt]);
      else if (list.at(-1)?.attempt === attempt.attempt) list[list.length - 1] = attempt;
      else list.push(attempt);
    },
    putCall: (call) => {
      const list = calls.get(call.key);
      if (list === undefined) calls.set(call.key, [call]);
      else list.push(call);
    },
    forget: (key) => {
      attempts.delete(key);
      calls.delete(key);
    },
    newest: (key) => of(key).at(-1),
    tryCount: (key) => {
      const list = of(key);
      let count = Math.min(1, list.length);
      while (isRetried(list.at(-1 - count))) count += 1;
      return count;
    },
    finishedCalls: (key) => finishedCalls(of(key), calls.get(key) ?? []),
    correction: (key) => {
      const refused = of(key).findLast(
        ({ state, error }) => state !== "superseded" && error?.code === "output_invalid",
      );
      return refused?.error?.details ?? refused?.error?.message;
    },
  };
}

function isRetried(attempt: StepAttempt | undefined): boolean {
  return attempt?.state === "failed" && attempt.retryAt !== null;
}

function finishedCalls(
  attempts: readonly StepAttempt[],
  calls: readonly StepCall[],
): FinishedCalls {
  const finished = new Map<number, StepCall>();
  const newest = attempts.at(-1);
  let firstAttempt = newest?.attempt ?? 1;
  for (const attempt of attempts.toReversed()) {
    if (attempt !== newest && !isContinued(attempt)) break;
    firstAttempt = attempt.attempt;
    for (const call of calls)
      if (call.attempt === firstAttempt && (attempt === newest || !isFatal(call.result)))
        finished.set(call.ordinal, call);
  }
  return { calls: finished, firstAttempt };
}

function isContinued({ state, error }: StepAttempt): boolean {
  return state === "cancelled" || (state === "failed" && error !== null && keepsCalls(error.code));
}

/** A tool's failure that failed its attempt: the next attempt makes that call again. */
function isFatal(result: Json): boolean {
  return isJsonObject(result) && result["fatal"] === true;
}
