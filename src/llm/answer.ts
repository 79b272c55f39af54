import type { TextStreamPart, ToolSet } from "ai";
import type { ModelAnswer, ModelRequest, ToolCall, Usage } from "../domain/model.ts";
import { InterruptedError } from "./failure.ts";
import { extractJson } from "./json-text.ts";
import { ANSWER_CHARS_MAX, answerTooLarge, TOOL_CALL_COUNT_MAX } from "./limited-fetch.ts";
import { toJson, TurnRecorder } from "./thoughts.ts";

export type UnpricedAnswer = Omit<ModelAnswer, "costNanoUsd">;

type StreamPart = TextStreamPart<ToolSet>;

/** Puts an answer together from the parts of the SDK's stream. */
export class AnswerBuilder {
  readonly #request: ModelRequest;
  #text = "";
  #chars = 0;
  readonly #toolCalls: ToolCall[] = [];
  #finish: ModelAnswer["finish"] | undefined;
  #isUsageKnown = false;
  #usage: Usage = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, reasoning: 0 };
  #model: string;
  readonly #turn = new TurnRecorder();

  constructor(request: ModelRequest) {
    this.#request = request;
    this.#model = request.model;
  }

  /** @returns the text in the part. @throws what the part reports as failed; AppError `too_large`. */
  add(part: StreamPart): string {
    if (part.type === "error") throw part.error;
    this.#chars += charsOf(part);
    if (this.#chars > ANSWER_CHARS_MAX || this.#toolCalls.length > TOOL_CALL_COUNT_MAX)
      throw answerTooLarge();
    this.#turn.add(part);
    if (part.type === "finish-step") this.#end(part);
    if (part.type === "tool-call") {
      const { toolCallId: id, toolName: name, input } = part;
      this.#toolCalls.push({ id, name, arguments: toJson(input) });
    }
    if (part.type !== "text-delta") return "";
    this.#text += part.text;
    return part.text;
  }

  /** False when the server did not say what the call used: then its price is not known either. */
  get isUsageKnown(): boolean {
    return this.#isUsageKnown;
  }

  /** @throws InterruptedError when the stream ended without saying so. */
  finish(): UnpricedAnswer {
    if (this.#finish === undefined) throw new InterruptedError("The stream had no end mark.");
    const thoughts = this.#turn.toJson(this.#request);
    return {
      text: this.#request.output === undefined ? this.#text : extractJson(this.#text),
      toolCalls: this.#toolCalls,
      finish: this.#finish,
      usage: this.#usage,
      model: this.#model,
      ...(thoughts === undefined ? {} : { thoughts }),
    };
  }

  #end(part: Extract<StreamPart, { type: "finish-step" }>): void {
    const { usage, response, finishReason } = part;
    this.#isUsageKnown = usage.inputTokens !== undefined || usage.outputTokens !== undefined;
    this.#usage = {
      input: usage.inputTokens ?? 0,
      output: usage.outputTokens ?? 0,
      cacheRead: usage.inputTokenDetails.cacheReadTokens ?? 0,
      cacheWrite: usage.inputTokenDetails.cacheWriteTokens ?? 0,
      reasoning: usage.outputTokenDetails.reasoningTokens ?? 0,
    };
    if (response.modelId !== "") this.#model = response.modelId;
    if (finishReason === "interrupted" || finishReason === "error") {
      throw new InterruptedError(`The answer ended as ${part.rawFinishReason ?? finishReason}.`);
    }
    if (finishReason === "length") this.#finish = "length";
    else if (finishReason === "content-filter") this.#finish = "refused";
    // Some servers give another reason although they call a tool, so the calls themselves decide.
    else this.#finish = this.#toolCalls.length > 0 ? "tool_calls" : "stop";
  }
}

function charsOf(part: StreamPart): number {
  if (part.type === "text-delta" || part.type === "reasoning-delta") return part.text.length;
  return part.type === "tool-input-delta" ? part.delta.length : 0;
}
