/**
 * One call to a real model, streaming, through the AI SDK. Exactly one request: tools are only
 * described, never executed, and nothing is tried again, because the engine checkpoints each call.
 * The SDK may report a failure as a part of the stream or throw out of it; both end up in one place.
 */
import type { TextStreamPart, ToolSet } from "ai";
import type { ModelRequest } from "../domain/model.ts";
import type { Clock } from "../lib/clock.ts";
import { AnswerBuilder, type UnpricedAnswer } from "./answer.ts";
import { StallError } from "./failure.ts";
import { systemText, toInstructions, toSdkMessages } from "./message.ts";
import { closeObjects, type OutputMode } from "./output-schema.ts";
import type { Connection, LanguageModel, Provider } from "./provider.ts";

export interface CallTimeouts {
  /** Until the first piece: a local server may have to load the model, a large one to think. */
  readonly firstPieceMs: number;
  /** Between two pieces. */
  readonly pieceMs: number;
}

/** Some providers show nothing of a long thought: it may take this many times as long to begin. */
const THINKING_PATIENCE = 4;

export interface Call {
  readonly provider: Provider;
  readonly connection: Connection;
  readonly request: ModelRequest;
  readonly mode: OutputMode | undefined;
  readonly timeouts: CallTimeouts;
  readonly clock: Clock;
}

export type CallOutcome =
  | {
      readonly kind: "finished";
      readonly answer: UnpricedAnswer;
      /** False when the server did not say what the call used. */
      readonly isUsageKnown: boolean;
    }
  | { readonly kind: "aborted" }
  | { readonly kind: "failed"; readonly cause: unknown };

type StreamPart = TextStreamPart<ToolSet>;

/** How the provider is to be told of the schema; undefined for free text. */
export function outputMode(provider: Provider, request: ModelRequest): OutputMode | undefined {
  if (request.output === undefined) return undefined;
  return provider.outputMode(closeObjects(request.output.schema), request);
}

/** Yields the text as it arrives and returns how the call ended. Never throws. */
export async function* streamCall(call: Call): AsyncGenerator<string, CallOutcome> {
  const cut = new AbortController();
  const signal = AbortSignal.any([call.request.signal, cut.signal]);
  const answer = new AnswerBuilder(call.request);
  try {
    for await (const part of watch(sdkParts(call, signal), call)) {
      const text = answer.add(part);
      if (text !== "") yield text;
    }
    return { kind: "finished", answer: answer.finish(), isUsageKnown: answer.isUsageKnown };
  } catch (error) {
    // Whatever went wrong is the outcome; the caller translates it.
    return call.request.signal.aborted ? { kind: "aborted" } : { kind: "failed", cause: error };
  } finally {
    // Also when the consumer stops reading: the provider would go on, and be paid, otherwise.
    cut.abort();
  }
}

async function loadSdk() {
  const sdk = await import("ai");
  // A model given by name alone would go to Vercel's gateway: make that impossible.
  globalThis.AI_SDK_DEFAULT_PROVIDER ??= sdk.customProvider({});
  globalThis.AI_SDK_LOG_WARNINGS = false;
  return sdk;
}

async function* sdkParts(call: Call, signal: AbortSignal): AsyncGenerator<StreamPart> {
  const { provider, request, mode } = call;
  const [sdk, createModel] = await Promise.all([loadSdk(), provider.load(call.connection)]);
  const model = createModel(request.model);
  const instructions = systemText(request, mode);
  const result = sdk.streamText({
    model: mode?.kind === "native" ? withSchema(sdk, model, request) : model,
    ...(instructions === ""
      ? {}
      : { instructions: toInstructions(instructions, request, provider) }),
    messages: toSdkMessages(request, provider),
    tools: toSdkTools(sdk, request),
    ...(request.temperature === undefined ? {} : { temperature: request.temperature }),
    ...(request.reasoning === undefined ? {} : { reasoning: request.reasoning }),
    ...(request.maxTokens === undefined ? {} : { maxOutputTokens: request.maxTokens }),
    maxRetries: 0,
    abortSignal: signal,
    providerOptions: provider.callOptions(mode),
    // Failures arrive in the stream as well; without this the SDK prints them.
    onError() {},
  });
  yield* result.stream;
}

/**
 * Passes parts on as they come. Ends within milliseconds of an abort, and with a StallError when
 * nothing comes for too long, whatever the SDK is waiting for.
 */
async function* watch(parts: AsyncGenerator<StreamPart>, call: Call): AsyncGenerator<StreamPart> {
  const { signal } = call.request;
  const aborted = Promise.withResolvers<"aborted">();
  const onAbort = () => aborted.resolve("aborted");
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  const patience = call.request.reasoning === "high" ? THINKING_PATIENCE : 1;
  let limitMs = call.timeouts.firstPieceMs * patience;
  try {
    while (true) {
      const timer = new AbortController();
      const stalled = call.clock.sleep(limitMs, timer.signal).then(() => "stalled" as const);
      const next = parts.next();
      // The loser of the race may reject later, when nobody listens any more.
      next.catch(() => {});
      // oxlint-disable-next-line no-await-in-loop -- one part after the other is the point of a stream
      const winner = await Promise.race([next, stalled, aborted.promise]).finally(() => {
        timer.abort();
      });
      if (winner === "aborted") throw new DOMException("Aborted.", "AbortError");
      if (winner === "stalled") throw new StallError(limitMs);
      if (winner.done === true) return;
      yield winner.value;
      if (isOutput(winner.value)) limitMs = call.timeouts.pieceMs;
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

function isOutput(part: StreamPart): boolean {
  return part.type === "text-delta" || part.type === "reasoning-delta" || part.type === "tool-call";
}

type Sdk = Awaited<ReturnType<typeof loadSdk>>;

function toSdkTools(sdk: Sdk, request: ModelRequest): ToolSet {
  return Object.fromEntries(
    request.tools.map((spec) => [
      spec.name,
      { description: spec.description, inputSchema: sdk.jsonSchema(spec.parameters) },
    ]),
  );
}

/**
 * Gives the provider the schema as it is. The SDK's own `output` would parse the whole answer again
 * for every piece, and hold pieces back.
 */
function withSchema(sdk: Sdk, model: LanguageModel, { output }: ModelRequest): LanguageModel {
  if (output === undefined) return model;
  const { name, description } = output;
  return sdk.wrapLanguageModel({
    model,
    middleware: {
      specificationVersion: "v4",
      transformParams: async ({ params }) => ({
        ...params,
        responseFormat: {
          type: "json",
          name,
          schema: closeObjects(output.schema),
          ...(description === undefined ? {} : { description }),
        },
      }),
    },
  });
}
