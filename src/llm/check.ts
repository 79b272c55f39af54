/** Whether a provider can be used as it is configured, found out with one real request. */
import { AppError } from "../domain/error.ts";
import type { ProviderName } from "../domain/workflow.ts";
import { systemClock } from "../lib/clock.ts";
import { createRedactor } from "../lib/redact.ts";
import { streamCall } from "./call.ts";
import { type FailureContext, toAppError, unknownModel } from "./failure.ts";
import { fetchModels, MODEL_LIST_TIMEOUT_MS, requireModels } from "./models.ts";
import { nearestModels } from "./nearest-model.ts";
import { DEMO_MODEL, REAL_PROVIDERS } from "./registry.ts";
import { requireConnection } from "./resolve.ts";
import { type ModelSettings, settingsSecrets } from "./settings.ts";

export type ProviderCheck =
  | { readonly ok: true; readonly models: string[] }
  | { readonly ok: false; readonly error: AppError };

/** OpenAI refuses a lower limit. */
const PROBE_TOKENS_MAX = 16;

/**
 * Names of the models that can be used. Empty when the server has no list.
 * @throws AppError `missing_key`, `key_rejected`, `provider_*`, `rate_limited`.
 */
export async function listModels(
  settings: ModelSettings,
  provider: ProviderName,
): Promise<string[]> {
  if (provider === "demo") return [DEMO_MODEL];
  return requireModels(contextFor(settings, provider));
}

/**
 * Asks the provider for its models, which proves address and key, and looks whether `model` is among
 * them. Where there is no list, makes the smallest call. Never throws an expected failure.
 */
export async function checkProvider(
  settings: ModelSettings,
  provider: ProviderName,
  model?: string,
): Promise<ProviderCheck> {
  if (provider === "demo") return { ok: true, models: [DEMO_MODEL] };
  try {
    return await check({ ...contextFor(settings, provider), model: model ?? "" });
  } catch (error) {
    if (error instanceof AppError) return { ok: false, error };
    throw error;
  }
}

async function check(context: FailureContext): Promise<ProviderCheck> {
  const { provider, connection, model } = context;
  const list = await fetchModels({ provider, connection });
  if (list.kind === "failed") return { ok: false, error: toAppError(list.cause, context).error };
  if (list.kind === "listed") {
    if (model === "" || (await knows(context, list.models)))
      return { ok: true, models: list.models };
    const suggestions = nearestModels(model, list.models);
    return { ok: false, error: unknownModel(context, undefined, suggestions) };
  }
  const probe = model === "" ? provider.modelDefault : model;
  if (probe === undefined) return { ok: true, models: [] };
  const error = await probeCall({ ...context, model: probe });
  return error === undefined ? { ok: true, models: [] } : { ok: false, error };
}

/** A list names the dated form of a model; whether another name means one is asked for itself. */
async function knows(context: FailureContext, models: readonly string[]): Promise<boolean> {
  const { provider, connection, model } = context;
  if (models.includes(model) || models.includes(`${model}:latest`)) return true;
  if (!provider.isKeyRequired) return false;
  const { url, headers } = provider.modelsRequest(connection);
  const modelUrl = `${url.replace(/\?.*$/, "")}/${encodeURIComponent(model)}`;
  try {
    const signal = AbortSignal.timeout(MODEL_LIST_TIMEOUT_MS);
    return (await fetch(modelUrl, { headers, signal })).ok;
  } catch {
    // The list came a moment ago; without an answer now, the list decides.
    return false;
  }
}

async function probeCall(context: FailureContext): Promise<AppError | undefined> {
  const { provider, connection, model } = context;
  const stream = streamCall({
    provider,
    connection,
    request: {
      provider: provider.name,
      model,
      messages: [{ role: "user", text: "Hi" }],
      tools: [],
      maxTokens: PROBE_TOKENS_MAX,
      signal: AbortSignal.timeout(MODEL_LIST_TIMEOUT_MS),
    },
    mode: undefined,
    timeouts: { firstPieceMs: MODEL_LIST_TIMEOUT_MS, pieceMs: MODEL_LIST_TIMEOUT_MS },
    clock: systemClock,
  });
  let step = await stream.next();
  // oxlint-disable-next-line no-await-in-loop -- a stream is read in order
  while (step.done !== true) step = await stream.next();
  return step.value.kind === "failed" ? toAppError(step.value.cause, context).error : undefined;
}

function contextFor(settings: ModelSettings, name: Exclude<ProviderName, "demo">): FailureContext {
  const provider = REAL_PROVIDERS[name];
  return {
    provider,
    connection: requireConnection(provider, settings, undefined),
    model: "",
    redact: createRedactor(settingsSecrets(settings)),
    nowMs: systemClock.now(),
  };
}
