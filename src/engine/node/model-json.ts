/** Model calls as JSON: what the journal keeps of them, and what their cache key is made of. */
import type {
  ModelAnswer,
  ModelFile,
  ModelMessage,
  ModelRequest,
  ToolCall,
} from "../../domain/model.ts";
import { assert } from "../../lib/assert.ts";
import { defined } from "../../lib/defined.ts";
import { isJsonObject, type Json } from "../../lib/json.ts";

/** Raised when the same request would be asked of a model in other words. */
const CACHE_KEY_VERSION = 1;

/** A request without what only a call needs. */
export type Question = Omit<ModelRequest, "signal">;

/** What the engine reads of an answer; the rest is kept beside it in the journal. */
export type JournaledAnswer = Pick<ModelAnswer, "text" | "toolCalls" | "finish" | "thoughts">;

/** For people to read; files are named, and tools, but neither is repeated. */
export function requestToJson(question: Question): Json {
  const { provider, model, apiBase, temperature, maxTokens, reasoning, tools, output } = question;
  return {
    provider,
    model,
    ...defined({ apiBase, temperature, maxTokens, reasoning }),
    messages: question.messages.map(messageToJson),
    tools: tools.map((tool) => tool.name),
    structured: output !== undefined,
  };
}

/** SHA-256, hex, of everything that the answer depends on. */
export function cacheKey(question: Question): string {
  const { provider, model, apiBase, temperature, maxTokens, reasoning, tools, output } = question;
  const parts = [
    CACHE_KEY_VERSION,
    { provider, model, apiBase, temperature, maxTokens, reasoning },
    question.messages.map((message) =>
      message.role === "user"
        ? { ...message, files: (message.files ?? []).map(fileToJson) }
        : message,
    ),
    tools,
    output ?? null,
  ];
  return new Bun.CryptoHasher("sha256").update(JSON.stringify(parts)).digest("hex");
}

/** An answer's `thoughts` are with the answer already: here they would be kept once a round. */
function messageToJson(message: ModelMessage): Json {
  if (message.role === "assistant") {
    const { role, text, toolCalls } = message;
    return { role, text, toolCalls: toolCalls.map(toolCallToJson) };
  }
  if (message.role !== "user" || message.files === undefined) {
    const { role, text } = message;
    return message.role === "tool" ? message : { role, text };
  }
  return { role: "user", text: message.text, files: message.files.map(fileToJson) };
}

function fileToJson({ name, mediaType, hash, data }: ModelFile): Json {
  return { name, mediaType, hash, size: data.byteLength };
}

function toolCallToJson({ id, name, arguments: input }: ToolCall): Json {
  return { id, name, arguments: input };
}

export function answerToJson({ text, toolCalls, finish, model, thoughts }: ModelAnswer): Json {
  return {
    text,
    toolCalls: toolCalls.map(toolCallToJson),
    finish,
    model,
    ...defined({ thoughts }),
  };
}

export function answerFromJson(json: Json): JournaledAnswer {
  assert(isJsonObject(json) && typeof json["text"] === "string", "a journaled answer has no text");
  const { text, toolCalls, finish, thoughts } = json;
  return {
    text,
    toolCalls: Array.isArray(toolCalls) ? toolCalls.map(toolCallFromJson) : [],
    finish:
      finish === "tool_calls" || finish === "length" || finish === "refused" ? finish : "stop",
    ...defined({ thoughts }),
  };
}

function toolCallFromJson(json: Json): ToolCall {
  assert(isJsonObject(json), "a journaled tool call is no object");
  const { id, name, arguments: input = null } = json;
  assert(typeof id === "string" && typeof name === "string", "a journaled tool call has no name");
  return { id, name, arguments: input };
}
