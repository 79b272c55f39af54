/**
 * The journal of one run in memory, kept equal to the stored one by the worker that holds the claim
 * (its only writer). Starts as what the store has, so a crash leaves nothing to reconstruct.
 */
import type { StepKey } from "../domain/event.ts";
import type { Journal, StepAttempt, StepCall } from "../domain/run.ts";
import { isJsonObject, type Json, type JsonObject } from "../lib/json.ts";
import type { LatestAttempts } from "./plan.ts";
import { isTransient } from "./retry.ts";

export interface History {
  readonly attempts: LatestAttempts;
  readonly values: JsonObject;
  put(attempt: StepAttempt): void;
  putCall(call: StepCall): void;
  patch(patch: JsonObject): void;
  /**
   * Finished calls that the newest attempt of a step goes on from, by ordinal: its own, and those of
   * the attempts before it that failed for outside reasons (a rate limit in the tenth tool round
   * does not make the nine before it again).
   */
  finishedCalls(key: StepKey): Map<number, StepCall>;
  /** Why the newest refused answer of a step was refused; undefined when none was. */
  correction(key: StepKey): string | undefined;
}

export function createHistory(journal: Journal, initialValues: JsonObject): History {
  const latest = new Map<StepKey, StepAttempt>();
  const byKey = new Map<StepKey, StepAttempt[]>();
  const calls = new Map<StepKey, StepCall[]>();
  let values = initialValues;

  const put = (attempt: StepAttempt) => {
    const list = byKey.get(attempt.key) ?? [];
    byKey.set(attempt.key, [...list.filter((old) => old.attempt !== attempt.attempt), attempt]);
    const newest = latest.get(attempt.key);
    if (newest === undefined || newest.attempt <= attempt.attempt) latest.set(attempt.key, attempt);
  };
  const putCall = (call: StepCall) => {
    const list = calls.get(call.key);
    if (list === undefined) calls.set(call.key, [call]);
    else list.push(call);
  };
  const newestFirst = (key: StepKey) =>
    (byKey.get(key) ?? []).toSorted((left, right) => right.attempt - left.attempt);

  journal.steps.forEach(put);
  journal.calls.forEach(putCall);
  return {
    attempts: latest,
    get values() {
      return values;
    },
    put,
    putCall,
    patch: (patch) => {
      values = { ...values, ...patch };
    },
    finishedCalls: (key) => {
      const finished = new Map<number, StepCall>();
      const all = calls.get(key);
      if (all === undefined) return finished;
      const [newest, ...earlier] = newestFirst(key);
      for (const attempt of [newest, ...earlier]) {
        if (attempt === undefined) break;
        if (attempt !== newest && !(attempt.error !== null && isTransient(attempt.error.code)))
          break;
        for (const call of all)
          if (call.attempt === attempt.attempt && (attempt === newest || !isFatal(call.result)))
            finished.set(call.ordinal, call);
      }
      return finished;
    },
    correction: (key) => {
      const refused = newestFirst(key).find((attempt) => attempt.error?.code === "output_invalid");
      return refused?.error?.details ?? refused?.error?.message;
    },
  };
}

/** A tool's failure that failed its attempt: the next attempt makes that call again. */
function isFatal(result: Json): boolean {
  return isJsonObject(result) && result["fatal"] === true;
}
