/** One model call: streamed to the log, checkpointed, and read back from the journal when it is there. */
import { AppError } from "../../domain/error.ts";
import type {
  ModelAnswer,
  ModelEvent,
  ModelMessage,
  ModelRequest,
  ToolCall,
} from "../../domain/model.ts";
import { abortable } from "../../lib/abortable.ts";
import { assert } from "../../lib/assert.ts";
import { defined } from "../../lib/defined.ts";
import { isJsonObject, type Json } from "../../lib/json.ts";
import { fromErrorRecord } from "../failure.ts";
import type { StepContext } from "./executor.ts";

/** What the engine reads of an answer; the rest is kept beside it in the journal. */
/** They cost nothing, however a call ends. */
const FREE_PROVIDERS: ReadonlySet<string> = new Set(["demo", "ollama"]);

export interface Answer {
  readonly text: string;
  readonly toolCalls: readonly ToolCall[];
  readonly finish: ModelAnswer["finish"];
  /** The attempt that made the call: an earlier one when the answer came from the journal. */
  readonly madeInAttempt: number;
}

/** @throws AppError as the provider failed, or the signal's reason. */
export async function callModel(
  step: StepContext,
  ordinal: number,
  request: Omit<ModelRequest, "signal">,
): Promise<Answer> {
  const place = { step: step.key, attempt: step.attempt, call: ordinal } as const;
  const { provider, model } = request;
  const call = await step.calls.perform(
    {
      ordinal,
      kind: "model",
      name: model,
      request: requestToJson(request),
      started: { type: "model.started", ...place, provider, model },
    },
    async () => {
      const { signal } = step;
      let begun = false;
      const onText = (text: string) => {
        begun = true;
        if (!signal.aborted) step.calls.emit({ type: "model.delta", ...place, text });
      };
      const stream = step.models.call({ ...request, signal });
      const answer = await abortable(signal, readStream(stream, onText)).catch((error: unknown) => {
        if (begun && !FREE_PROVIDERS.has(provider)) step.calls.addBroken();
        throw error;
      });
      const { usage, costNanoUsd } = answer;
      return {
        result: answerToJson(answer),
        usage,
        costNanoUsd,
        finished: (durationMs) => ({
          type: "model.finished",
          ...place,
          usage,
          costNanoUsd,
          durationMs,
        }),
      };
    },
  );
  return { ...answerFromJson(call.result), madeInAttempt: call.attempt };
}

async function readStream(
  stream: AsyncIterable<ModelEvent>,
  onText: (text: string) => void,
): Promise<ModelAnswer> {
  for await (const event of stream) {
    if (event.type === "text") onText(event.text);
    else if (event.reason === "finished") return event.answer;
    else if (event.reason === "failed") throw fromErrorRecord(event.error, event.retryAfterMs);
    else break;
  }
  throw new AppError("provider_unavailable", "The model's answer broke off.", {
    fix: "Try again; when it stays, check the provider's status page.",
  });
}

function requestToJson(request: Omit<ModelRequest, "signal">): Json {
  const { provider, model, temperature, maxTokens, messages, tools, output } = request;
  return {
    provider,
    model,
    ...defined({ temperature, maxTokens }),
    messages: messages.map(messageToJson),
    tools: tools.map((tool) => tool.name),
    structured: output !== undefined,
  };
}

function messageToJson(message: ModelMessage): Json {
  if (message.role !== "assistant") return message;
  return { ...message, toolCalls: message.toolCalls.map(toolCallToJson) };
}

function toolCallToJson({ id, name, arguments: input }: ToolCall): Json {
  return { id, name, arguments: input };
}

function answerToJson({ text, toolCalls, finish, model }: ModelAnswer): Json {
  return { text, toolCalls: toolCalls.map(toolCallToJson), finish, model };
}

function answerFromJson(json: Json): Omit<Answer, "madeInAttempt"> {
  assert(isJsonObject(json) && typeof json["text"] === "string", "a journaled answer has no text");
  const { text, toolCalls, finish } = json;
  return {
    text,
    toolCalls: Array.isArray(toolCalls) ? toolCalls.map(toolCallFromJson) : [],
    finish:
      finish === "tool_calls" || finish === "length" || finish === "refused" ? finish : "stop",
  };
}

function toolCallFromJson(json: Json): ToolCall {
  assert(isJsonObject(json), "a journaled tool call is no object");
  const { id, name, arguments: input = null } = json;
  assert(typeof id === "string" && typeof name === "string", "a journaled tool call has no name");
  return { id, name, arguments: input };
}
