/** What the model providers are configured with, and where their servers are. */
import { isIP } from "node:net";
import type { ProviderLimits } from "../domain/model.ts";
import type { ProviderName } from "../domain/workflow.ts";

export interface KeyedSettings {
  readonly apiKey: string | undefined;
  readonly baseUrl: string | undefined;
}

/** The same shape as the `llm` part of the product's configuration. */
export interface ModelSettings {
  readonly provider: ProviderName | undefined;
  readonly model: string | undefined;
  readonly openai: KeyedSettings;
  readonly anthropic: KeyedSettings;
  readonly google: KeyedSettings;
  readonly ollama: { readonly baseUrl: string };
  readonly openaiCompatible: KeyedSettings;
  /** Of each provider, all workers together. */
  readonly limits: ProviderLimits;
  /** What counts for one of them in place of that, and its model where `model` is not for it. */
  readonly own: Readonly<Partial<Record<ProviderName, OwnSettings>>>;
}

export interface OwnSettings {
  readonly model?: string;
  readonly limits?: ProviderLimits;
}

/** Where Ollama listens when nobody says otherwise: with this address alone it is not "configured". */
const OLLAMA_ADDRESSES_DEFAULT = new Set(["127.0.0.1:11434", "localhost:11434", "[::1]:11434"]);

/** True when the user has pointed the product at an Ollama server of their own choice. */
export function ollamaIsConfigured(settings: ModelSettings): boolean {
  return !OLLAMA_ADDRESSES_DEFAULT.has(parseUrl(settings.ollama.baseUrl)?.host ?? "");
}

/** Every configured secret, for the redactor. */
export function settingsSecrets(settings: ModelSettings): (string | undefined)[] {
  return [
    settings.openai.apiKey,
    settings.anthropic.apiKey,
    settings.google.apiKey,
    settings.openaiCompatible.apiKey,
  ];
}

/** A base URL without trailing slashes; `path` is added where the URL has no path of its own. */
export function normaliseBaseUrl(baseUrl: string, path: string): string {
  const trimmed = baseUrl.trim().replace(/\/+$/, "");
  return parseUrl(trimmed)?.pathname === "/" ? `${trimmed}${path}` : trimmed;
}

/** True when the address is this machine or in a private network, so that its use costs nothing. */
export function isLocalUrl(url: string): boolean {
  const host = parseUrl(url)?.hostname.replace(/^\[|\]$/g, "") ?? "";
  // Names are no addresses, however they begin: `10.example.com` is anybody's.
  if (isIP(host) === 0)
    return /^(?:localhost|host\.docker\.internal)$|\.(?:localhost|local|internal|lan)$/.test(host);
  return /^::1$|^(?:127|10)\.|^192\.168\.|^172\.(?:1[6-9]|2\d|3[01])\.|^(?:fc|fd)[0-9a-f]{2}:/.test(
    host,
  );
}

export function parseUrl(url: string): URL | undefined {
  return URL.canParse(url) ? new URL(url) : undefined;
}
