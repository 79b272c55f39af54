/**
 * Model and tool calls of one attempt, each checkpointed when it has finished. A call whose ordinal is
 * in the journal is read from there; so after a crash nothing that finished is made, or paid, again.
 *
 * Only the call that was in flight at the crash is made again: at least once for the outside, exactly
 * once for the run.
 */
import type { RunEvent, StepKey } from "../domain/event.ts";
import type { Usage } from "../domain/model.ts";
import type { StepCall } from "../domain/run.ts";
import { assert } from "../lib/assert.ts";
import type { Clock } from "../lib/clock.ts";
import type { Json } from "../lib/json.ts";
import type { EventBuffer } from "./event-buffer.ts";

export const NO_USAGE: Usage = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, reasoning: 0 };

interface CallSpec {
  /** 0, 1, 2 … within the attempt; taken before anything is awaited, so it does not depend on a race. */
  readonly ordinal: number;
  readonly kind: StepCall["kind"];
  readonly name: string;
  readonly request: Json;
  /** Left out where the call itself says when it goes out. */
  readonly started?: RunEvent;
}

interface MadeCall {
  /** Where only the finished call knows them: which of several models has answered. */
  readonly name?: string;
  readonly request?: Json;
  readonly result: Json;
  readonly usage: Usage;
  readonly costNanoUsd: number | null;
  readonly finished: (durationMs: number) => RunEvent;
}

export interface CallLog {
  /** The finished call from the journal, or the one that `make` makes, once it is recorded. */
  perform(call: CallSpec, make: () => Promise<MadeCall>): Promise<StepCall>;
  /** Sends a piece of an answer to the log. */
  emit(event: RunEvent): void;
  /** A model call broke off after it had begun to answer: it is paid for, but nobody said how much. */
  addBroken(): void;
  readonly brokenCount: number;
}

interface CallLogOptions {
  readonly key: StepKey;
  readonly attempt: number;
  readonly finished: ReadonlyMap<number, StepCall>;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly events: EventBuffer;
  /** Writes until it is written. */
  readonly record: (call: StepCall, events: readonly RunEvent[]) => Promise<void>;
}

export function createCallLog(options: CallLogOptions): CallLog {
  const { key, attempt, finished, signal, clock, events, record } = options;
  let brokenCount = 0;
  return {
    perform: async ({ ordinal, kind, name, request, started }, make) => {
      signal.throwIfAborted();
      const known = finished.get(ordinal);
      if (known !== undefined) {
        assert(known.kind === kind, `call ${ordinal} of ${key} is journaled as another kind`);
        return known;
      }
      const startedAt = clock.now();
      if (started !== undefined) events.add(started);
      const made = await make();
      const finishedAt = clock.now();
      const call: StepCall = {
        key,
        attempt,
        ordinal,
        kind,
        name: made.name ?? name,
        request: made.request ?? request,
        result: made.result,
        usage: made.usage,
        costNanoUsd: made.costNanoUsd,
        startedAt,
        finishedAt,
      };
      const waiting = await events.take();
      await record(call, [...waiting, made.finished(finishedAt - startedAt)]);
      return call;
    },
    emit: (event) => events.add(event),
    addBroken() {
      brokenCount += 1;
    },
    get brokenCount() {
      return brokenCount;
    },
  };
}
