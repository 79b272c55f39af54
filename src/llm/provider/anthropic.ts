import { limitedFetch } from "../limited-fetch.ts";
import { idsOfData } from "../models-body.ts";
import { hasObjectRoot, isStrict } from "../output-schema.ts";
import type { Provider } from "../provider.ts";
import { normaliseBaseUrl } from "../settings.ts";

const BASE_URL = "https://api.anthropic.com/v1";
const API_VERSION = "2023-06-01";

export const anthropic: Provider = {
  name: "anthropic",
  label: "Anthropic",
  keyVariable: "ANTHROPIC_API_KEY",
  isKeyRequired: true,
  keyPage: "https://console.anthropic.com/settings/keys",
  baseUrlVariable: "ANTHROPIC_BASE_URL",
  baseUrlDefault: BASE_URL,
  modelDefault: "claude-haiku-4-5",
  priceId: "anthropic",
  cacheMark: { anthropic: { cacheControl: { type: "ephemeral" } } },
  takesPdf: true,
  connect: (settings, apiBase) => ({
    baseUrl: normaliseBaseUrl(apiBase ?? settings.anthropic.baseUrl ?? BASE_URL, "/v1"),
    apiKey: settings.anthropic.apiKey,
  }),
  async load({ baseUrl, apiKey }) {
    const { createAnthropic } = await import("@ai-sdk/anthropic");
    const provider = createAnthropic({
      baseURL: baseUrl,
      apiKey: apiKey ?? "",
      fetch: limitedFetch,
    });
    return (model) => provider.messages(model);
  },
  // The package itself falls back to a forced tool call where the native way would lose data, and to
  // an unforced one for models that refuse force. Only the instructions make the latter reliable.
  outputMode: (schema) =>
    hasObjectRoot(schema)
      ? { kind: "native", strict: true, told: !isStrict(schema) }
      : { kind: "words" },
  // Pings show that a long thought is still going on.
  callOptions: () => ({ anthropic: { includePings: true } }),
  modelsRequest: ({ baseUrl, apiKey }) => ({
    url: `${baseUrl}/models?limit=1000`,
    headers: { "x-api-key": apiKey ?? "", "anthropic-version": API_VERSION },
  }),
  parseModels: idsOfData,
  unknownModelFix: () =>
    "Use a model from https://docs.anthropic.com/en/docs/about-claude/models/overview.",
};
