/** The one call that a node makes of the world outside: checkpointed, and in the log from begin to end. */
import { assert } from "../../lib/assert.ts";
import { isJsonObject, type Json } from "../../lib/json.ts";
import { RunAborted } from "../abort.ts";
import { NO_USAGE } from "../call-log.ts";
import type { StepContext } from "./executor.ts";

export interface OutsideCall {
  /** 0 but for nodes that call twice. */
  readonly ordinal: number;
  /** Names it in the log: the kind of the node, or the tool. */
  readonly name: string;
  /** As the log shows it. */
  readonly input: Json;
}

export interface OutsideCallKit {
  /**
   * Stays the same when the call is made again, after a crash and by a retry after a failure of the outside;
   * `runId/stepKey/attempt.ordinal` with the attempt that made it first.
   */
  readonly idempotencyKey: string;
  readonly onOutput: (stream: "stdout" | "stderr", text: string) => void;
}

/**
 * The result from the journal, or of `make`, which is then recorded. A call that fails is not recorded: it
 * ends the attempt. `make` ends when the signal aborts; it is waited for, so that nothing of it goes on beside
 * the next attempt. @throws what `make` throws, or the signal's reason.
 */
export async function callOutside(
  step: StepContext,
  { ordinal, name, input }: OutsideCall,
  make: (kit: OutsideCallKit) => Promise<Json>,
): Promise<Json> {
  const { signal, clock } = step;
  const place = { step: step.key, attempt: step.attempt, call: ordinal } as const;
  const idempotencyKey = `${step.run.id}/${step.key}/${step.firstAttempt}.${ordinal}`;
  const onOutput = (stream: "stdout" | "stderr", text: string) => {
    // A program that is being ended may still write.
    if (text !== "" && !signal.aborted)
      step.calls.emit({ type: "output.delta", ...place, stream, text });
  };
  const finish = (ok: boolean) => (durationMs: number) =>
    ({ type: "tool.finished", ...place, tool: name, ok, durationMs }) as const;

  const { result } = await step.calls.perform(
    {
      ordinal,
      kind: "tool",
      name,
      request: { input, idempotencyKey },
      started: { type: "tool.started", ...place, tool: name, input },
    },
    async () => {
      const startedAt = clock.now();
      try {
        const value = await make({ idempotencyKey, onOutput });
        return { result: { value }, usage: NO_USAGE, costNanoUsd: 0, finished: finish(true) };
      } catch (error) {
        // An aborted run says nothing of the call, which may be made again elsewhere.
        if (!(signal.aborted && signal.reason instanceof RunAborted))
          step.calls.emit(finish(false)(clock.now() - startedAt));
        throw error;
      }
    },
  );
  assert(isJsonObject(result) && result["value"] !== undefined, "a journaled call has no result");
  return result["value"];
}
