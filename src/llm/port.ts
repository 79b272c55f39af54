/** The port to language models: every provider behind one call, checked, priced and redacted. */
import { AppError } from "../domain/error.ts";
import type { ModelEvent, ModelPort, ModelRequest } from "../domain/model.ts";
import { estimateInputTokens } from "../domain/token-estimate.ts";
import { type Clock, systemClock } from "../lib/clock.ts";
import { createRedactor } from "../lib/redact.ts";
import { type Call, type CallOutcome, type CallTimeouts, outputMode, streamCall } from "./call.ts";
import { DEMO_PIECE_DELAY_MS, demoCall } from "./demo.ts";
import { accountOf } from "./account.ts";
import {
  type FailureContext,
  refusesSchema,
  refusesTemperature,
  refusesTools,
  toAppError,
  unknownModel,
} from "./failure.ts";
import { suggestModels } from "./models.ts";
import { findModelInfo, priceCall } from "./price.ts";
import type { RealProviderName } from "./provider.ts";
import { REAL_PROVIDERS } from "./registry.ts";
import { requireConnection, resolveModel } from "./resolve.ts";
import { type ModelSettings, settingsSecrets } from "./settings.ts";

/** A local server may load a large model first, and a hosted one think long, before anything comes. */
export const FIRST_PIECE_TIMEOUT_MS = 300_000;
export const PIECE_TIMEOUT_MS = 120_000;

export interface ModelPortOptions {
  readonly clock?: Clock;
  readonly timeouts?: CallTimeouts;
  /** Between two pieces of a demo answer; 0 gives the whole answer at once. */
  readonly demoDelayMs?: number;
}

const WORDS = { kind: "words" } as const;
const TIMEOUTS: CallTimeouts = {
  firstPieceMs: FIRST_PIECE_TIMEOUT_MS,
  pieceMs: PIECE_TIMEOUT_MS,
};

/** What a request can do without. */
const REFUSALS: readonly {
  readonly name: "temperature" | "tools";
  readonly has: (request: ModelRequest) => boolean;
  readonly is: (cause: unknown) => boolean;
  readonly without: (request: ModelRequest) => ModelRequest;
}[] = [
  {
    name: "temperature",
    has: ({ temperature }) => temperature !== undefined,
    is: refusesTemperature,
    without: ({ temperature: _temperature, ...request }) => request,
  },
  {
    name: "tools",
    has: ({ tools, toolsOptional = false }) => toolsOptional && tools.length > 0,
    is: refusesTools,
    without: (request) => ({ ...request, tools: [] }),
  },
];

/** The model port over the AI SDK; the demo provider answers without it. */
export function createModelPort(
  settings: ModelSettings,
  options: ModelPortOptions = {},
): ModelPort {
  const { clock = systemClock, timeouts = TIMEOUTS, demoDelayMs = DEMO_PIECE_DELAY_MS } = options;
  const redact = createRedactor(settingsSecrets(settings));
  /** Models that refused a schema: they are asked in words from then on. */
  const wordsOnly = new Set<string>();
  /** Models that refused a part of a request: they are not given one from then on. */
  const refusers = { temperature: new Set<string>(), tools: new Set<string>() };

  /**
   * Asks without what the model refuses. Not retries of one call: what is refused was neither answered nor
   * paid, and each is refused once at most.
   */
  async function* asAccepted(call: Omit<Call, "mode">): AsyncGenerator<ModelEvent, CallOutcome> {
    const { provider, connection } = call;
    const key = `${connection.baseUrl} ${call.request.model}`;
    let mode = wordsOnly.has(key) ? WORDS : outputMode(provider, call.request);
    const known = REFUSALS.filter(({ name, has }) => has(call.request) && refusers[name].has(key));
    let request = known.reduce((asked, { without }) => without(asked), call.request);
    const refused = new Set<Set<string>>();
    for (;;) {
      const outcome = yield* asText(streamCall({ ...call, request, mode }));
      if (outcome.kind === "finished") for (const models of refused) models.add(key);
      if (outcome.kind !== "failed") return outcome;
      if (mode?.kind === "native" && refusesSchema(outcome.cause)) {
        mode = WORDS;
        refused.add(wordsOnly);
        continue;
      }
      const refusal = REFUSALS.find(({ has, is }) => has(request) && is(outcome.cause));
      if (refusal === undefined) return outcome;
      request = refusal.without(request);
      refused.add(refusers[refusal.name]);
    }
  }

  async function* callReal(
    request: ModelRequest,
    name: RealProviderName,
  ): AsyncGenerator<ModelEvent> {
    const provider = REAL_PROVIDERS[name];
    const connection = requireConnection(provider, settings, request.apiBase);
    const context = { provider, connection, model: request.model, redact, nowMs: clock.now() };
    const outcome = yield* asAccepted({ provider, connection, request, timeouts, clock });
    yield await endOf(outcome, context);
  }

  return {
    async *call(request) {
      if (request.provider === "demo") {
        yield* demoCall(request, { clock, delayMs: demoDelayMs });
        return;
      }
      try {
        yield* callReal(request, request.provider);
      } catch (error) {
        // A stream never throws: a missing key is an end like any other.
        const failure = AppError.from(error);
        yield { type: "end", reason: "failed", error: failure.toRecord() };
      }
    },
    estimateInputNanoUsd: async (request) => {
      if (request.provider === "demo") return 0;
      const provider = REAL_PROVIDERS[request.provider];
      const input = estimateInputTokens(request);
      return priceCall({
        provider: request.provider,
        baseUrl: provider.connect(settings, request.apiBase).baseUrl ?? "",
        models: [request.model],
        usage: { input, output: 0, cacheRead: 0, cacheWrite: 0, reasoning: 0 },
        nowMs: clock.now(),
      });
    },
    contextWindow: (asked) => contextWindow(asked, settings, clock.now()),
    accountOf: (model) => accountOf(model, settings),
    resolve: (wish) => resolveModel(wish, { settings, redact, nowMs: clock.now() }),
  };
}

async function contextWindow(
  { provider, model, apiBase }: Pick<ModelRequest, "provider" | "model" | "apiBase">,
  ...[settings, nowMs]: [ModelSettings, number]
): Promise<number | undefined> {
  if (provider === "demo") return undefined;
  const { baseUrl = "" } = REAL_PROVIDERS[provider].connect(settings, apiBase);
  const known = await findModelInfo({ provider, baseUrl, models: [model], nowMs });
  return known?.model.context_window;
}

async function* asText(
  stream: AsyncGenerator<string, CallOutcome>,
): AsyncGenerator<ModelEvent, CallOutcome> {
  try {
    while (true) {
      // oxlint-disable-next-line no-await-in-loop -- a stream is read in order
      const step = await stream.next();
      if (step.done === true) return step.value;
      yield { type: "text", text: step.value };
    }
  } finally {
    // A consumer that stops early must not leave the request running.
    await stream.return({ kind: "aborted" });
  }
}

async function endOf(outcome: CallOutcome, context: FailureContext): Promise<ModelEvent> {
  if (outcome.kind === "aborted") return { type: "end", reason: "aborted" };
  if (outcome.kind === "failed") return failedEnd(outcome.cause, context);
  const { answer, isUsageKnown } = outcome;
  const costNanoUsd = await priceCall({
    provider: context.provider.name,
    baseUrl: context.connection.baseUrl,
    models: [answer.model, context.model],
    usage: isUsageKnown ? answer.usage : undefined,
    nowMs: context.nowMs,
  });
  return { type: "end", reason: "finished", answer: { ...answer, costNanoUsd } };
}

async function failedEnd(cause: unknown, context: FailureContext): Promise<ModelEvent> {
  const { error, details } = toAppError(cause, context);
  const shown =
    error.code === "unknown_model"
      ? unknownModel(context, cause, await suggestModels(context))
      : error;
  return {
    type: "end",
    reason: "failed",
    error: shown.toRecord(details),
    ...(shown.retryAfterMs === undefined ? {} : { retryAfterMs: shown.retryAfterMs }),
  };
}
