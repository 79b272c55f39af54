/** Messages in the SDK's form. */
import type { ModelMessage as SdkMessage } from "ai";
import type { ModelMessage, ModelRequest } from "../domain/model.ts";
import { outputInstructions, type OutputMode } from "./output-schema.ts";

/** All system messages, then what the answer must look like, where the provider does not enforce it. */
export function systemText(request: ModelRequest, mode: OutputMode | undefined): string {
  const texts = request.messages
    .filter((message) => message.role === "system")
    .map((message) => message.text);
  const isTold = mode?.kind === "words" || mode?.told === true;
  const schema = isTold ? request.output?.schema : undefined;
  // Whoever wrote the messages may have told it already.
  if (schema !== undefined && !texts.some((text) => text.includes(JSON.stringify(schema)))) {
    texts.push(outputInstructions(schema));
  }
  return texts.join("\n\n");
}

/** The conversation without its system messages, which the SDK wants apart. */
export function toSdkMessages(messages: readonly ModelMessage[]): SdkMessage[] {
  return messages.flatMap((message): SdkMessage[] => {
    if (message.role === "tool") return [toolResult(message)];
    if (message.role === "assistant") return [assistantTurn(message)];
    return message.role === "user" ? [{ role: "user", content: message.text }] : [];
  });
}

function assistantTurn(message: Extract<ModelMessage, { role: "assistant" }>): SdkMessage {
  // Anthropic refuses an empty text.
  const said = message.text === "" ? [] : [{ type: "text" as const, text: message.text }];
  const called = message.toolCalls.map(({ id, name, arguments: input }) => ({
    type: "tool-call" as const,
    toolCallId: id,
    toolName: name,
    input,
  }));
  return { role: "assistant", content: [...said, ...called] };
}

function toolResult(message: Extract<ModelMessage, { role: "tool" }>): SdkMessage {
  const output = { type: "text" as const, value: message.text };
  const { callId: toolCallId, name: toolName } = message;
  return { role: "tool", content: [{ type: "tool-result", toolCallId, toolName, output }] };
}
