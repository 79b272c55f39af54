/** The tool calls that a model asked for in one answer: made in parallel, each checkpointed. */
import { AppError } from "../../domain/error.ts";
import type { ModelMessage, ToolCall } from "../../domain/model.ts";
import { type OpenTool, TOOL_OUTPUT_CHARS_MAX, TOOL_TIMEOUT_MS } from "../../domain/tool.ts";
import { assert } from "../../lib/assert.ts";
import { isJsonObject, type Json, type JsonObject } from "../../lib/json.ts";
import { withTimeLimit } from "../../lib/time-limit.ts";
import { NO_USAGE } from "../call-log.ts";
import { fromErrorRecord, readErrorRecord, toErrorRecord } from "../failure.ts";
import type { StepContext } from "./executor.ts";

/** Tool calls of one answer that are made; the model is told that the others were not. */
export const TOOL_CALLS_PER_ROUND_MAX = 32;

const NOT_CALLED = `Not called: an answer may ask for at most ${TOOL_CALLS_PER_ROUND_MAX} tool calls.`;

export type ToolMessage = Extract<ModelMessage, { role: "tool" }>;

interface ToolRound {
  readonly calls: readonly ToolCall[];
  /** Ordinal of the first call; the others follow in the order of the answer. */
  readonly firstOrdinal: number;
  /** The attempt that asked for them: part of the idempotency key, so retries of a call keep it. */
  readonly askedInAttempt: number;
}

/**
 * @returns one message a call, in order. All calls are awaited and recorded before a failure is thrown.
 * @throws AppError of the first tool that failed with `on_error: fail`, or the signal's reason.
 */
export async function callTools(
  step: StepContext,
  open: readonly OpenTool[],
  round: ToolRound,
): Promise<readonly ToolMessage[]> {
  const settled = await Promise.allSettled(
    round.calls.map(async (call, index) => {
      if (index >= TOOL_CALLS_PER_ROUND_MAX) return NOT_CALLED;
      return callTool(step, open, { call, ordinal: round.firstOrdinal + index, round });
    }),
  );
  return settled.map((result, index) => {
    if (result.status === "rejected") throw result.reason;
    const call = round.calls[index];
    assert(call !== undefined, "a tool answered that was not called");
    return { role: "tool", callId: call.id, name: call.name, text: result.value };
  });
}

interface OneCall {
  readonly call: ToolCall;
  readonly ordinal: number;
  readonly round: ToolRound;
}

async function callTool(
  step: StepContext,
  open: readonly OpenTool[],
  { call, ordinal, round }: OneCall,
): Promise<string> {
  const place = { step: step.key, attempt: step.attempt, call: ordinal, tool: call.name } as const;
  const idempotencyKey = `${step.run.id}/${step.key}/${round.askedInAttempt}.${ordinal}`;
  const { result } = await step.calls.perform(
    {
      ordinal,
      kind: "tool",
      name: call.name,
      request: { id: call.id, arguments: call.arguments, idempotencyKey },
      started: { type: "tool.started", ...place, input: call.arguments },
    },
    async () => {
      const outcome = await answerCall(step, open, { call, ordinal, idempotencyKey });
      return {
        result: outcome,
        usage: NO_USAGE,
        costNanoUsd: 0,
        finished: (durationMs) => ({
          type: "tool.finished",
          ...place,
          ok: outcome.ok,
          durationMs,
        }),
      };
    },
  );
  assert(isJsonObject(result) && typeof result["text"] === "string", "a tool result has no text");
  const error = result["fatal"] === true ? readErrorRecord(result["error"]) : undefined;
  if (error !== undefined) throw fromErrorRecord(error);
  return result["text"];
}

/** What is kept of a tool call. `fatal`: the failure fails the step. */
type ToolOutcome =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly text: string; readonly fatal: boolean; readonly error: Json };

async function answerCall(
  step: StepContext,
  open: readonly OpenTool[],
  { call, ...place }: Omit<ToolRun, "input"> & { readonly call: ToolCall },
): Promise<ToolOutcome> {
  const found = open.find(({ tool }) => tool.spec.name === call.name);
  try {
    if (found === undefined) throw unknownTool(call.name, open);
    if (!isJsonObject(call.arguments))
      throw new AppError("invalid", `The arguments of \`${call.name}\` must be a JSON object.`);
    const result = await runTool(step, found, { input: call.arguments, ...place });
    return { ok: true, text: toText(result) };
  } catch (error) {
    // The run or the attempt is over: that is no answer of the tool.
    step.signal.throwIfAborted();
    const failure = AppError.from(error);
    // Wrong arguments and unknown names are the model's mistake, which it can mend when told;
    // `on_error` speaks of tools that fail.
    const fatal = failure.code !== "invalid" && found?.use.onError === "fail";
    const record = toErrorRecord(failure, step.redact);
    // What to do instead is said for the model, not only for people.
    const text = failure.fix === undefined ? failure.message : `${failure.message} ${failure.fix}`;
    return { ok: false, text: `Error: ${text}`, fatal, error: { ...record } };
  }
}

function unknownTool(name: string, open: readonly OpenTool[]): AppError {
  const names = open.map(({ tool }) => tool.spec.name).join(", ");
  return new AppError("invalid", `There is no tool named \`${name}\`.`, {
    fix: `Use one of: ${names}.`,
  });
}

interface ToolRun {
  readonly input: JsonObject;
  readonly idempotencyKey: string;
  /** Of the call that its output belongs to; 0 for a step's only call. */
  readonly ordinal?: number;
}

/**
 * Runs a tool once, under its time limit; what it writes meanwhile goes to the log of the run. Not checkpointed.
 * @throws AppError as `Tool.run`, `timeout` at the limit, `tool_failed` for a tool that breaks its contract;
 * the signal's reason.
 */
export async function runTool(
  step: StepContext,
  { use, tool }: OpenTool,
  { input, idempotencyKey, ordinal = 0 }: ToolRun,
): Promise<Json> {
  const { name } = tool.spec;
  const { timeoutMs = TOOL_TIMEOUT_MS } = use;
  const place = { step: step.key, attempt: step.attempt, call: ordinal } as const;
  const reason = () =>
    new AppError("timeout", `Tool \`${name}\` took longer than ${timeoutMs / 1000} s.`, {
      fix: "Raise the tool's `timeout`, or ask it for less.",
    });
  const run = (signal: AbortSignal) => {
    const onOutput = (stream: "stdout" | "stderr", text: string) => {
      // A program that is being ended may still write.
      if (!signal.aborted) step.calls.emit({ type: "output.delta", ...place, stream, text });
    };
    return tool.run(input, { signal, idempotencyKey, config: use.config, onOutput });
  };
  try {
    const { signal, clock } = step;
    return await withTimeLimit({ signal, clock, ms: timeoutMs, reason }, run);
  } catch (error) {
    step.signal.throwIfAborted();
    if (error instanceof AppError) throw error;
    throw new AppError("tool_failed", `Tool \`${name}\` failed unexpectedly.`, { cause: error });
  }
}

function toText(result: Json): string {
  const text = typeof result === "string" ? result : JSON.stringify(result);
  if (text.length <= TOOL_OUTPUT_CHARS_MAX) return text;
  const kept = text.slice(0, TOOL_OUTPUT_CHARS_MAX).toWellFormed();
  return `${kept}\n[Cut: the first ${TOOL_OUTPUT_CHARS_MAX} of ${text.length} characters.]`;
}
