/** Fills in the provider and the model that a workflow left open, and checks that they can be used. */
import { AppError } from "../domain/error.ts";
import type { ProviderName } from "../domain/workflow.ts";
import { unknownModel } from "./failure.ts";
import { requireModels } from "./models.ts";
import type { Connection, Provider } from "./provider.ts";
import { DEMO_MODEL, inferProvider, REAL_PROVIDERS } from "./registry.ts";
import { isLocalUrl, type ModelSettings, ollamaIsConfigured, parseUrl } from "./settings.ts";

export interface ModelChoice {
  readonly provider?: ProviderName;
  readonly model?: string;
  readonly apiBase?: string;
}

export interface ResolvedModel {
  readonly provider: ProviderName;
  readonly model: string;
  readonly apiBase?: string;
}

export interface ResolveContext {
  readonly settings: ModelSettings;
  readonly redact: (text: string) => string;
  readonly nowMs: number;
}

const DEMO_HINT = "or use `--provider demo`, which works offline";

/** The contract is that of `ModelPort.resolve`. */
export async function resolveModel(
  wish: ModelChoice,
  context: ResolveContext,
): Promise<ResolvedModel> {
  const { settings } = context;
  const name = wish.provider ?? chooseProvider(wish, settings);
  const apiBase = wish.apiBase === undefined ? {} : { apiBase: wish.apiBase };
  if (name === "demo") return { provider: name, model: DEMO_MODEL, ...apiBase };
  const provider = REAL_PROVIDERS[name];
  const connection = requireConnection(provider, settings, wish.apiBase);
  const model = wish.model ?? configuredModel(name, settings) ?? provider.modelDefault;
  if (model !== undefined) {
    refuseForeignModel(provider, connection, model);
    return { provider: name, model, ...apiBase };
  }
  const models = await requireModels({ provider, connection, model: "", ...context });
  const [first] = models;
  if (first === undefined) throw noModel(provider, connection);
  return { provider: name, model: first, ...apiBase };
}

/**
 * Where calls to the provider go.
 * @throws AppError `missing_key` for a key or an address that is not set; `forbidden` as below.
 */
export function requireConnection(
  provider: Provider,
  settings: ModelSettings,
  apiBase: string | undefined,
): Connection {
  const { baseUrl, apiKey } = provider.connect(settings, apiBase);
  if (apiBase !== undefined && baseUrl !== undefined && apiKey !== undefined)
    refuseForeignAddress(provider, settings, baseUrl);
  if (baseUrl === undefined) {
    throw new AppError("missing_key", `${provider.baseUrlVariable} is not set.`, {
      fix: `Set ${provider.baseUrlVariable} to the address of the server, such as http://127.0.0.1:1234/v1, ${DEMO_HINT}.`,
    });
  }
  if (provider.isKeyRequired && (apiKey === undefined || apiKey === "")) {
    const place = provider.keyPage === undefined ? "" : ` (get one at ${provider.keyPage})`;
    throw new AppError(
      "missing_key",
      `${provider.label} needs a key, and ${provider.keyVariable} is not set.`,
      {
        fix: `Set ${provider.keyVariable} in the environment or in .env${place}, ${DEMO_HINT}.`,
      },
    );
  }
  return { baseUrl, apiKey };
}

/**
 * A workflow file may come from anyone, so its `api_base` gets a key only where the user would send it
 * too: this machine, the private network, the provider's own server or the configured one.
 */
function refuseForeignAddress(provider: Provider, settings: ModelSettings, baseUrl: string): void {
  const own = provider.connect(settings, undefined).baseUrl;
  const trusted = [own, provider.baseUrlDefault].map((url) => url && parseUrl(url)?.origin);
  if (isLocalUrl(baseUrl) || trusted.includes(parseUrl(baseUrl)?.origin)) return;
  throw new AppError(
    "forbidden",
    `The workflow's api_base ${baseUrl} would be given the key of ${provider.label}.`,
    {
      fix: `If that address is yours, set ${provider.baseUrlVariable} to it; else remove api_base.`,
    },
  );
}

function chooseProvider(wish: ModelChoice, settings: ModelSettings): ProviderName {
  const byName = wish.model === undefined ? undefined : inferProvider(wish.model);
  const bySetting = settings.model === undefined ? undefined : inferProvider(settings.model);
  return byName ?? settings.provider ?? bySetting ?? firstConfigured(settings);
}

function firstConfigured(settings: ModelSettings): ProviderName {
  if (settings.openai.apiKey !== undefined) return "openai";
  if (settings.anthropic.apiKey !== undefined) return "anthropic";
  if (settings.google.apiKey !== undefined) return "google";
  if (settings.openaiCompatible.baseUrl !== undefined) return "openai-compatible";
  return ollamaIsConfigured(settings) ? "ollama" : "demo";
}

/** The model of the settings counts only for the provider that it was set for; the others have their own. */
function configuredModel(provider: ProviderName, settings: ModelSettings): string | undefined {
  const own = settings.own[provider]?.model;
  if (settings.model === undefined) return own;
  const owner = settings.provider ?? inferProvider(settings.model) ?? firstConfigured(settings);
  return owner === provider ? settings.model : own;
}

/** A provider at its own address has only its own models; a gateway may have any. */
function refuseForeignModel(provider: Provider, connection: Connection, model: string): void {
  const owner = inferProvider(model);
  if (owner === undefined || owner === "demo" || owner === provider.name) return;
  if (connection.baseUrl !== provider.baseUrlDefault) return;
  throw new AppError(
    "unknown_model",
    `"${model}" is a model of ${REAL_PROVIDERS[owner].label}, not of ${provider.label}.`,
    {
      fix: `Name a model of ${provider.label}, such as ${provider.modelDefault}, or the provider ${owner}.`,
    },
  );
}

function noModel(provider: Provider, connection: Connection): AppError {
  if (provider.name === "ollama") {
    return new AppError("unknown_model", `Ollama at ${connection.baseUrl} has no model yet.`, {
      fix: "Get one with `ollama pull llama3.2`.",
    });
  }
  const error = unknownModel({ provider, model: "" }, undefined);
  return new AppError("unknown_model", `No model is named, and ${connection.baseUrl} lists none.`, {
    fix: "Name the model, with `--model`, AGENTS_MODEL or in the workflow.",
    cause: error,
  });
}
