/** Messages in the SDK's form, with the marks of what the provider is to keep for the next request. */
import type { FilePart, ModelMessage as SdkMessage, SystemModelMessage, TextPart } from "ai";
import { AppError } from "../domain/error.ts";
import type { ModelFile, ModelMessage, ModelRequest } from "../domain/model.ts";
import { outputInstructions, type OutputMode } from "./output-schema.ts";
import type { Provider } from "./provider.ts";
import { readThoughts } from "./thoughts.ts";

/** Below this a system prompt is shorter than what providers keep (1,024 to 4,096 tokens). */
const CACHED_SYSTEM_CHARS_MIN = 4_000;

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

/** The system text, marked to be kept where it will be sent again: in a tool loop, or when it is long. */
export function toInstructions(
  text: string,
  request: ModelRequest,
  { cacheMark }: Provider,
): SystemModelMessage {
  const isKept = request.tools.length > 0 || text.length >= CACHED_SYSTEM_CHARS_MIN;
  const isMarked = isKept && cacheMark !== undefined;
  return {
    role: "system",
    content: text,
    ...(isMarked ? { providerOptions: cacheMark } : {}),
  };
}

/**
 * The conversation without its system messages, which the SDK wants apart. With tools on offer the last
 * message is marked to be kept, because the next round repeats everything up to it; so is the last
 * file, because retries and other steps ask about it again. A lone long prompt is not marked:
 * keeping it costs a quarter more, and it is rarely sent twice.
 * @throws AppError `invalid` for a file that the provider does not take.
 */
export function toSdkMessages(request: ModelRequest, provider: Provider): SdkMessage[] {
  const messages = request.messages.flatMap((message): SdkMessage[] => {
    if (message.role === "tool") return [toolResult(message)];
    if (message.role === "assistant") return [assistantTurn(message, request)];
    return message.role === "user" ? [userTurn(message, provider)] : [];
  });
  const { cacheMark } = provider;
  const last = messages.at(-1);
  if (cacheMark === undefined || last === undefined || request.tools.length === 0) return messages;
  return [...messages.slice(0, -1), { ...last, providerOptions: cacheMark }];
}

function userTurn(
  { text, files = [] }: Extract<ModelMessage, { role: "user" }>,
  provider: Provider,
): SdkMessage {
  if (files.length === 0) return { role: "user", content: text };
  const parts = files.map((file) => filePart(file, provider));
  const last = parts.at(-1);
  const { cacheMark } = provider;
  if (last !== undefined && cacheMark !== undefined) last.providerOptions = cacheMark;
  return { role: "user", content: [...parts, { type: "text", text }] };
}

/** Text goes in as text: every model reads it, while few take it as a file. */
function filePart(file: ModelFile, provider: Provider): TextPart | FilePart {
  const { name, mediaType, data } = file;
  if (mediaType.startsWith("text/"))
    return {
      type: "text",
      text: `File ${JSON.stringify(name)}:\n${new TextDecoder().decode(data)}`,
    };
  if (mediaType === "application/pdf" && !provider.takesPdf) throw pdfRefused(name, provider);
  return { type: "file", data, mediaType, filename: name };
}

function pdfRefused(name: string, { label }: Provider): AppError {
  return new AppError("invalid", `${label} takes images and text but no PDF: "${name}".`, {
    fix: "Ask another provider in this node, or give it the document as text or as images.",
  });
}

function assistantTurn(
  message: Extract<ModelMessage, { role: "assistant" }>,
  request: ModelRequest,
): SdkMessage {
  const thought = readThoughts(message.thoughts, request);
  if (thought !== undefined) return { role: "assistant", content: thought };
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
