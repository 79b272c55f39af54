/**
 * What each provider writes on the wire, by hand and after its documentation: answers with cached and
 * reasoning tokens (which aimock drops), errors, and streams that can be cut anywhere.
 */
export type WireFormat = "responses" | "messages" | "gemini" | "chat";

export interface WireUsage {
  /** All of the prompt, the cached tokens included. */
  readonly input: number;
  /** All of the answer, the reasoning included. */
  readonly output: number;
  readonly cacheRead?: number;
  readonly cacheWrite?: number;
  readonly reasoning?: number;
}

export interface WireAnswer {
  readonly pieces: readonly string[];
  readonly usage?: WireUsage;
  readonly finish?: "stop" | "length" | "refused";
  /** The model that says it answered. */
  readonly model?: string;
}

const USAGE: WireUsage = { input: 10, output: 5 };

interface Encoder {
  start(answer: Required<WireAnswer>): string[];
  piece(text: string, answer: Required<WireAnswer>): string;
  end(answer: Required<WireAnswer>): string[];
}

/** The events of an answer: first those of the start, one for each piece, last those of the end. */
export function encodeAnswer(
  format: WireFormat,
  answer: WireAnswer,
  asked: string,
): { readonly start: string[]; readonly pieces: string[]; readonly end: string[] } {
  const full: Required<WireAnswer> = {
    usage: USAGE,
    finish: "stop",
    model: asked,
    ...answer,
  };
  const encoder = ENCODERS[format];
  return {
    start: encoder.start(full),
    pieces: full.pieces.map((text) => encoder.piece(text, full)),
    end: encoder.end(full),
  };
}

/** The body of a failed request, in the provider's own shape. */
export function encodeError(
  format: WireFormat,
  { status, message, code }: { status: number; message: string; code?: string },
): string {
  const type = ERROR_TYPES[status] ?? "invalid_request_error";
  if (format === "messages") {
    return JSON.stringify({ type: "error", error: { type, message } });
  }
  if (format === "gemini") {
    const name = GOOGLE_STATUS[status] ?? "INTERNAL";
    return JSON.stringify({ error: { code: status, message, status: name } });
  }
  return JSON.stringify({ error: { message, type, param: null, code: code ?? null } });
}

const ERROR_TYPES: Record<number, string> = {
  401: "authentication_error",
  403: "permission_error",
  404: "not_found_error",
  429: "rate_limit_error",
  500: "api_error",
  529: "overloaded_error",
};
const GOOGLE_STATUS: Record<number, string> = {
  400: "INVALID_ARGUMENT",
  401: "UNAUTHENTICATED",
  403: "PERMISSION_DENIED",
  404: "NOT_FOUND",
  429: "RESOURCE_EXHAUSTED",
  503: "UNAVAILABLE",
};

function data(value: unknown): string {
  return `data: ${JSON.stringify(value)}\n\n`;
}

function named(value: { type: string; [key: string]: unknown }): string {
  return `event: ${value.type}\n${data(value)}`;
}

const text = (answer: Required<WireAnswer>) => answer.pieces.join("");

const responses: Encoder = {
  start: ({ model }) => [
    named({
      type: "response.created",
      response: { id: "resp_1", created_at: 1_700_000_000, model, object: "response" },
    }),
    named({
      type: "response.output_item.added",
      output_index: 0,
      item: { type: "message", id: "msg_1", role: "assistant", status: "in_progress", content: [] },
    }),
  ],
  piece: (delta) =>
    named({
      type: "response.output_text.delta",
      item_id: "msg_1",
      output_index: 0,
      content_index: 0,
      delta,
    }),
  end: (answer) => {
    const { usage, model, finish } = answer;
    const reason = finish === "length" ? "max_output_tokens" : "content_filter";
    return [
      named({
        type: "response.output_item.done",
        output_index: 0,
        item: {
          type: "message",
          id: "msg_1",
          role: "assistant",
          status: "completed",
          content: [{ type: "output_text", text: text(answer), annotations: [] }],
        },
      }),
      named({
        type: finish === "stop" ? "response.completed" : "response.incomplete",
        response: {
          id: "resp_1",
          created_at: 1_700_000_000,
          model,
          output: [],
          incomplete_details: finish === "stop" ? null : { reason },
          usage: {
            input_tokens: usage.input,
            input_tokens_details: { cached_tokens: usage.cacheRead ?? 0 },
            output_tokens: usage.output,
            output_tokens_details: { reasoning_tokens: usage.reasoning ?? 0 },
            total_tokens: usage.input + usage.output,
          },
        },
      }),
    ];
  },
};

const messages: Encoder = {
  start: ({ model, usage }) => [
    named({
      type: "message_start",
      message: {
        id: "msg_1",
        type: "message",
        role: "assistant",
        model,
        content: [],
        stop_reason: null,
        stop_sequence: null,
        usage: {
          // Anthropic counts the cached tokens apart from the others.
          input_tokens: usage.input - (usage.cacheRead ?? 0) - (usage.cacheWrite ?? 0),
          cache_read_input_tokens: usage.cacheRead ?? 0,
          cache_creation_input_tokens: usage.cacheWrite ?? 0,
          output_tokens: 1,
        },
      },
    }),
    named({
      type: "content_block_start",
      index: 0,
      content_block: { type: "text", text: "" },
    }),
    named({ type: "ping" }),
  ],
  piece: (piece) =>
    named({
      type: "content_block_delta",
      index: 0,
      delta: { type: "text_delta", text: piece },
    }),
  end: ({ usage, finish }) => [
    named({ type: "content_block_stop", index: 0 }),
    named({
      type: "message_delta",
      delta: {
        stop_reason: { stop: "end_turn", length: "max_tokens", refused: "refusal" }[finish],
        stop_sequence: null,
      },
      usage: { output_tokens: usage.output },
    }),
    named({ type: "message_stop" }),
  ],
};

const gemini: Encoder = {
  start: () => [],
  piece: (piece, { model }) =>
    data({
      candidates: [{ content: { role: "model", parts: [{ text: piece }] }, index: 0 }],
      modelVersion: model,
    }),
  end: ({ usage, finish, model }) => [
    data({
      candidates: [
        {
          content: { role: "model", parts: [{ text: "" }] },
          finishReason: { stop: "STOP", length: "MAX_TOKENS", refused: "SAFETY" }[finish],
          index: 0,
        },
      ],
      usageMetadata: {
        promptTokenCount: usage.input,
        cachedContentTokenCount: usage.cacheRead ?? 0,
        // Google counts the thoughts apart from the answer.
        candidatesTokenCount: usage.output - (usage.reasoning ?? 0),
        thoughtsTokenCount: usage.reasoning ?? 0,
        totalTokenCount: usage.input + usage.output,
      },
      modelVersion: model,
    }),
  ],
};

function chatChunk(model: string, rest: object): string {
  return data({
    id: "chatcmpl-1",
    object: "chat.completion.chunk",
    created: 1_700_000_000,
    model,
    ...rest,
  });
}

const chat: Encoder = {
  start: ({ model }) => [
    chatChunk(model, {
      choices: [{ index: 0, delta: { role: "assistant", content: "" }, finish_reason: null }],
    }),
  ],
  piece: (content, { model }) =>
    chatChunk(model, { choices: [{ index: 0, delta: { content }, finish_reason: null }] }),
  end: ({ usage, finish, model }) => [
    chatChunk(model, {
      choices: [
        {
          index: 0,
          delta: {},
          finish_reason: { stop: "stop", length: "length", refused: "content_filter" }[finish],
        },
      ],
    }),
    chatChunk(model, {
      choices: [],
      usage: {
        prompt_tokens: usage.input,
        prompt_tokens_details: { cached_tokens: usage.cacheRead ?? 0 },
        completion_tokens: usage.output,
        completion_tokens_details: { reasoning_tokens: usage.reasoning ?? 0 },
        total_tokens: usage.input + usage.output,
      },
    }),
    "data: [DONE]\n\n",
  ],
};

const ENCODERS: Record<WireFormat, Encoder> = { responses, messages, gemini, chat };
