/** Which model providers can be used as things are configured. */
import type { Config } from "../config/config.ts";
import { describePlace, type Settings } from "../config/load.ts";
import { withoutCredentials } from "../lib/without-credentials.ts";
import type { WebDeps } from "../web/deps.ts";

const OLLAMA = { name: "ollama", label: "Ollama", variable: "", address: "OLLAMA_BASE_URL" };

const KEYED = [
  { name: "openai", label: "OpenAI", part: "openai", prefix: "OPENAI" },
  { name: "anthropic", label: "Anthropic", part: "anthropic", prefix: "ANTHROPIC" },
  { name: "google", label: "Google Gemini", part: "google", prefix: "GOOGLE" },
  {
    name: "openai-compatible",
    label: "OpenAI-compatible server",
    part: "openaiCompatible",
    prefix: "OPENAI_COMPATIBLE",
  },
] as const;

/** False: everything is answered by the offline demo, which every page says. */
export function hasRealProvider(llm: Config["llm"]): boolean {
  if (llm.provider !== undefined) return llm.provider !== "demo";
  const keyed = [llm.openai, llm.anthropic, llm.google].some(({ apiKey }) => apiKey !== undefined);
  return keyed || llm.openaiCompatible.baseUrl !== undefined;
}

/** The settings with the key and address that someone is about to save. */
export function withProvider(
  llm: Config["llm"],
  wish: { provider: string; apiKey?: string; baseUrl?: string },
): Config["llm"] {
  if (wish.provider === "ollama")
    return wish.baseUrl === undefined ? llm : { ...llm, ollama: { baseUrl: wish.baseUrl } };
  const part = KEYED.find(({ name }) => name === wish.provider)?.part;
  if (part === undefined) return llm;
  const { apiKey = llm[part].apiKey, baseUrl = llm[part].baseUrl } = wish;
  return { ...llm, [part]: { apiKey, baseUrl } };
}

export function providerStatuses(settings: Settings): ReturnType<WebDeps["providers"]> {
  const { llm, origins } = settings;
  const originOf = (variable: string) => {
    const origin = origins[variable];
    return origin === undefined || origin.kind === "default" ? null : describePlace(origin);
  };
  const keyed = KEYED.map(({ name, label, part, prefix }) => {
    const { apiKey, baseUrl } = llm[part];
    const variable = `${prefix}_API_KEY`;
    const needsKey = part !== "openaiCompatible";
    return {
      name,
      label,
      variable,
      configured: needsKey ? apiKey !== undefined : baseUrl !== undefined,
      baseUrl: baseUrl === undefined ? null : withoutCredentials(baseUrl),
      origin: originOf(variable),
      isSaved: origins[variable]?.kind === "data_env_file",
      check: null,
    };
  });
  const ollama = {
    name: OLLAMA.name,
    label: OLLAMA.label,
    variable: OLLAMA.variable,
    configured: llm.provider === "ollama" || originOf(OLLAMA.address) !== null,
    baseUrl: withoutCredentials(llm.ollama.baseUrl),
    origin: originOf(OLLAMA.address),
    check: null,
  };
  return [...keyed, ollama];
}

/** Names of the providers that can be used as things are configured. */
export function usableProviders(settings: Settings): string[] {
  return providerStatuses(settings).flatMap(({ name, configured }) => (configured ? [name] : []));
}
