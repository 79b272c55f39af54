/** The tool calls that a model asked for in one answer: made in parallel, each checkpointed. */
import { AppError } from "../../domain/error.ts";
import type { ModelMessage, ToolCall } from "../../domain/model.ts";
import {
  TOOL_OUTPUT_CHARS_MAX,
  TOOL_TIMEOUT_MS,
  type Tool,
  type ToolPort,
} from "../../domain/tool.ts";
import type { LlmNode, ToolUse } from "../../domain/workflow.ts";
import { abortable } from "../../lib/abortable.ts";
import { assert } from "../../lib/assert.ts";
import { isJsonObject, type Json } from "../../lib/json.ts";
import { startTimer } from "../../lib/timer.ts";
import { NO_USAGE } from "../call-log.ts";
import { fromErrorRecord, readErrorRecord, toErrorRecord } from "../failure.ts";
import type { StepContext } from "./executor.ts";

/** Tool calls of one answer that are made; the model is told that the others were not. */
export const TOOL_CALLS_PER_ROUND_MAX = 32;

const NOT_CALLED = `Not called: an answer may ask for at most ${TOOL_CALLS_PER_ROUND_MAX} tool calls.`;

export interface OpenTool {
  readonly use: ToolUse;
  readonly tool: Tool;
}

export type ToolMessage = Extract<ModelMessage, { role: "tool" }>;

/** @throws AppError `invalid` for a tool that is not there, and what `check` throws. */
export function openTools(node: LlmNode, tools: ToolPort): readonly OpenTool[] {
  return node.tools.map((use) => {
    const tool = tools.get(use.name);
    if (tool === undefined) {
      throw new AppError("invalid", `There is no tool named \`${use.name}\`.`, {
        fix: `Use one of these in node \`${node.id}\`: ${tools.names.join(", ")}.`,
      });
    }
    tool.check();
    return { use, tool };
  });
}

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
  const idempotencyKey = `${step.runId}/${step.key}/${round.askedInAttempt}.${ordinal}`;
  const { result } = await step.calls.perform(
    {
      ordinal,
      kind: "tool",
      name: call.name,
      request: { id: call.id, arguments: call.arguments, idempotencyKey },
      started: { type: "tool.started", ...place, input: call.arguments },
    },
    async () => {
      const outcome = await runTool(step, open, { call, idempotencyKey });
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

async function runTool(
  step: StepContext,
  open: readonly OpenTool[],
  { call, idempotencyKey }: { readonly call: ToolCall; readonly idempotencyKey: string },
): Promise<ToolOutcome> {
  const found = open.find(({ tool }) => tool.spec.name === call.name);
  try {
    return { ok: true, text: toText(await runOpenTool(step, found, { call, idempotencyKey })) };
  } catch (error) {
    // The run or the attempt is over: that is no answer of the tool.
    step.signal.throwIfAborted();
    const failure = toToolError(call.name, error);
    // Wrong arguments and unknown names are the model's mistake, which it can mend when told;
    // `on_error` speaks of tools that fail.
    const fatal = failure.code !== "invalid" && found?.use.onError === "fail";
    const record = toErrorRecord(failure, step.redact);
    return { ok: false, text: `Error: ${failure.message}`, fatal, error: { ...record } };
  }
}

async function runOpenTool(
  step: StepContext,
  found: OpenTool | undefined,
  { call, idempotencyKey }: { readonly call: ToolCall; readonly idempotencyKey: string },
): Promise<Json> {
  if (found === undefined)
    throw new AppError("invalid", `There is no tool named \`${call.name}\`.`);
  if (!isJsonObject(call.arguments))
    throw new AppError("invalid", `The arguments of \`${call.name}\` must be a JSON object.`);
  const limit = new AbortController();
  const onAbort = () => limit.abort(step.signal.reason);
  step.signal.addEventListener("abort", onAbort, { once: true });
  const stopTimer = startTimer(step.clock, TOOL_TIMEOUT_MS, () => {
    limit.abort(
      new AppError(
        "timeout",
        `Tool \`${call.name}\` took longer than ${TOOL_TIMEOUT_MS / 1000} s.`,
      ),
    );
  });
  try {
    const context = { signal: limit.signal, idempotencyKey, config: found.use.config };
    return await abortable(limit.signal, found.tool.run(call.arguments, context));
  } finally {
    stopTimer();
    step.signal.removeEventListener("abort", onAbort);
  }
}

/** A tool that breaks its contract has failed like any other. */
function toToolError(name: string, error: unknown): AppError {
  if (error instanceof AppError) return error;
  return new AppError("tool_failed", `Tool \`${name}\` failed unexpectedly.`, { cause: error });
}

function toText(result: Json): string {
  const text = typeof result === "string" ? result : JSON.stringify(result);
  if (text.length <= TOOL_OUTPUT_CHARS_MAX) return text;
  const kept = text.slice(0, TOOL_OUTPUT_CHARS_MAX).toWellFormed();
  return `${kept}\n[Cut: the first ${TOOL_OUTPUT_CHARS_MAX} of ${text.length} characters.]`;
}
