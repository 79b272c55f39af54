/**
 * An answer with tool calls as its provider wants it back in the next round: with the signed or encrypted
 * reasoning that came with it, in its order. Anthropic and Gemini refuse the round without it, OpenAI's
 * models lose their train of thought.
 */
import type { AssistantModelMessage, TextStreamPart, ToolSet } from "ai";
import type { ModelRequest } from "../domain/model.ts";
import { isJsonObject, type Json, type JsonObject } from "../lib/json.ts";

type AssistantParts = Exclude<AssistantModelMessage["content"], string>;
type Options = Record<string, JsonObject>;

interface Part {
  readonly type: "text" | "reasoning" | "tool-call";
  readonly id: string;
  readonly name: string;
  text: string;
  input: Json;
  options: Options | undefined;
}

/** Collects the parts of one answer as they arrive. */
export class TurnRecorder {
  readonly #parts: Part[] = [];

  add(part: TextStreamPart<ToolSet>): void {
    if (part.type === "tool-call") {
      const { toolCallId: id, toolName: name, input, providerMetadata } = part;
      const options = toOptions(providerMetadata);
      this.#parts.push({ type: "tool-call", id, name, text: "", input: toJson(input), options });
      return;
    }
    const isText =
      part.type === "text-start" || part.type === "text-delta" || part.type === "text-end";
    if (!isText && !isReasoning(part)) return;
    const open = this.#open(isText ? "text" : "reasoning", part.id);
    if ("text" in part) open.text += part.text;
    // The signature comes last; what came before it is the same or less.
    open.options = toOptions(part.providerMetadata) ?? open.options;
  }

  /** Undefined when the text and the calls alone are enough. */
  toJson({ provider, model }: Pick<ModelRequest, "provider" | "model">): Json | undefined {
    const isCall = this.#parts.some(({ type }) => type === "tool-call");
    const isMore = this.#parts.some(
      ({ type, options }) => type === "reasoning" || isSigned(options),
    );
    if (!isCall || !isMore) return undefined;
    const parts = this.#parts.map(({ options, ...part }) => ({
      ...part,
      ...(options === undefined ? {} : { options }),
    }));
    return { provider, model, parts };
  }

  #open(type: Part["type"], id: string): Part {
    const known = this.#parts.findLast((part) => part.type === type && part.id === id);
    if (known !== undefined) return known;
    const part: Part = { type, id, name: "", text: "", input: null, options: undefined };
    this.#parts.push(part);
    return part;
  }
}

/** The parts of an assistant's turn; undefined when the thoughts are not those of the model that is asked. */
export function readThoughts(
  thoughts: Json | undefined,
  { provider, model }: Pick<ModelRequest, "provider" | "model">,
): AssistantParts | undefined {
  if (!isJsonObject(thoughts)) return undefined;
  if (thoughts["provider"] !== provider || thoughts["model"] !== model) return undefined;
  const parts = thoughts["parts"];
  if (!Array.isArray(parts)) return undefined;
  const list: readonly Json[] = parts;
  return list.flatMap(readPart);
}

/** Gemini signs calls themselves. Other things that come with a part, such as its id, are not asked for again. */
function isSigned(options: Options | undefined): boolean {
  return Object.values(options ?? {}).some((values) => "thoughtSignature" in values);
}

function isReasoning(part: TextStreamPart<ToolSet>) {
  return (
    part.type === "reasoning-start" ||
    part.type === "reasoning-delta" ||
    part.type === "reasoning-end"
  );
}

function readPart(part: Json): AssistantParts {
  if (!isJsonObject(part)) return [];
  const { type, id, name, text, input = null, options } = part;
  if (typeof text !== "string" || typeof id !== "string" || typeof name !== "string") return [];
  const kept = toOptions(options);
  const more = kept === undefined ? {} : { providerOptions: kept };
  if (type === "tool-call") return [{ type, toolCallId: id, toolName: name, input, ...more }];
  if (type === "reasoning") return [{ type, text, ...more }];
  // Anthropic refuses an empty text; a signature may hang on one all the same.
  if (type !== "text" || (text === "" && !isSigned(kept))) return [];
  return [{ type, text, ...more }];
}

function toOptions(metadata: unknown): Options | undefined {
  const json = toJson(metadata);
  if (!isJsonObject(json)) return undefined;
  const entries = Object.entries(json).flatMap(([name, value]) =>
    isJsonObject(value) ? [[name, value] as const] : [],
  );
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

/** What came from a provider came out of JSON, so it goes back into it. */
export function toJson(value: unknown): Json {
  const text = JSON.stringify(value);
  return text === undefined ? null : JSON.parse(text);
}
