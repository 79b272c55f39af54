/** What setup works on: what was found, the answers, and the answers that need no questions. */
import type { Settings } from "../config/load.ts";
import type { VariableName } from "../config/schema.ts";
import type { ProviderName } from "../domain/workflow.ts";
import type { LocalServer, ProviderCheck, ProviderSettings } from "./product.ts";

export interface SetupFound {
  /** The values that hold now: defaults for the answers. */
  readonly settings: Settings;
  readonly servers: readonly LocalServer[];
  /** Of the MLflow that is installed; undefined when none is. */
  readonly mlflowVersion: string | undefined;
  readonly exampleCount: number;
  readonly suggestion: Suggestion;
  /** Makes one real request. */
  checkProvider(settings: ProviderSettings): Promise<ProviderCheck>;
}

export interface SetupAnswers {
  /** Undefined: whichever has a key, else demo. */
  readonly provider: ProviderName | undefined;
  /** A key to store; undefined keeps what is set. */
  readonly apiKey: string | undefined;
  readonly baseUrl: string | undefined;
  readonly model: string | undefined;
  readonly mlflow: boolean;
  readonly installMlflow: boolean;
  readonly workflowsDir: string;
  readonly examples: boolean;
  readonly open: boolean;
}

export const LABELS: Readonly<Record<ProviderName, string>> = {
  openai: "OpenAI",
  anthropic: "Anthropic",
  google: "Google Gemini",
  ollama: "Ollama",
  "openai-compatible": "Another server with the OpenAI API",
  demo: "Demo",
};

type KeyedProvider = Exclude<ProviderName, "demo" | "ollama">;

export const KEY_VARIABLES: Readonly<Record<KeyedProvider, VariableName>> = {
  openai: "OPENAI_API_KEY",
  anthropic: "ANTHROPIC_API_KEY",
  google: "GOOGLE_API_KEY",
  "openai-compatible": "OPENAI_COMPATIBLE_API_KEY",
};

/** The key that is set for a provider. */
export function keyOf({ llm }: Pick<Settings, "llm">, provider: ProviderName): string | undefined {
  if (provider === "demo" || provider === "ollama") return undefined;
  return llm[provider === "openai-compatible" ? "openaiCompatible" : provider].apiKey;
}

/** The address that is set for a provider. */
export function baseUrlOf(
  { llm }: Pick<Settings, "llm">,
  provider: ProviderName,
): string | undefined {
  if (provider === "demo") return undefined;
  return llm[provider === "openai-compatible" ? "openaiCompatible" : provider].baseUrl;
}

export interface Suggestion {
  readonly provider: ProviderName | undefined;
  readonly baseUrl: string | undefined;
  readonly model: string | undefined;
}

/** What is set; else a provider whose key is there; else a server on this machine that has models. */
export function suggestProvider(
  settings: Pick<Settings, "llm">,
  servers: readonly LocalServer[],
): Suggestion {
  const { provider, model } = settings.llm;
  if (provider !== undefined) {
    return { provider, baseUrl: baseUrlOf(settings, provider), model };
  }
  const keyed = (["openai", "anthropic", "google"] as const).find(
    (name) => keyOf(settings, name) !== undefined,
  );
  if (keyed !== undefined) return { provider: keyed, baseUrl: undefined, model };
  const server = servers.find(({ models }) => models.length > 0);
  if (server === undefined) return { provider: undefined, baseUrl: undefined, model };
  return { provider: server.provider, baseUrl: server.baseUrl, model: model ?? server.models[0] };
}

/** The variables that the answers set in the data folder's `.env`. */
export function changesOf(
  answers: SetupAnswers,
): Partial<Record<VariableName, string | undefined>> {
  const { provider, apiKey, baseUrl } = answers;
  const changes: Partial<Record<VariableName, string | undefined>> = {
    AGENTS_PROVIDER: provider,
    AGENTS_MODEL: answers.model,
    AGENTS_MLFLOW: answers.mlflow ? "on" : "off",
    AGENTS_WORKFLOWS_DIR: answers.workflowsDir,
    AGENTS_OPEN: answers.open ? "on" : "off",
  };
  if (provider === "ollama" && baseUrl !== undefined) changes.OLLAMA_BASE_URL = baseUrl;
  if (provider === "openai-compatible" && baseUrl !== undefined) {
    changes.OPENAI_COMPATIBLE_BASE_URL = baseUrl;
  }
  const keyed = provider !== undefined && provider !== "demo" && provider !== "ollama";
  if (keyed && apiKey !== undefined) changes[KEY_VARIABLES[provider]] = apiKey;
  return changes;
}
