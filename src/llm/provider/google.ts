import type { Json } from "../../lib/json.ts";
import { limitedFetch } from "../limited-fetch.ts";
import { listUnder, textOf } from "../models-body.ts";
import { hasFreeObject } from "../output-schema.ts";
import type { Provider } from "../provider.ts";
import { normaliseBaseUrl } from "../settings.ts";

const BASE_URL = "https://generativelanguage.googleapis.com/v1beta";

export const google: Provider = {
  name: "google",
  label: "Google",
  keyVariable: "GOOGLE_API_KEY",
  isKeyRequired: true,
  keyPage: "https://aistudio.google.com/apikey",
  baseUrlVariable: "GOOGLE_BASE_URL",
  baseUrlDefault: BASE_URL,
  modelDefault: "gemini-3.5-flash-lite",
  priceId: "google",
  cacheMark: undefined,
  takesPdf: true,
  connect: (settings, apiBase) => ({
    baseUrl: normaliseBaseUrl(apiBase ?? settings.google.baseUrl ?? BASE_URL, "/v1beta"),
    apiKey: settings.google.apiKey,
  }),
  async load({ baseUrl, apiKey }) {
    const { createGoogle } = await import("@ai-sdk/google");
    const provider = createGoogle({ baseURL: baseUrl, apiKey: apiKey ?? "", fetch: limitedFetch });
    return (model) => provider.languageModel(model);
  },
  // Constrained decoding fills an object without stated properties with nothing: ask in words.
  outputMode: (schema) =>
    hasFreeObject(schema) ? { kind: "words" } : { kind: "native", strict: true, told: false },
  callOptions: () => ({}),
  modelsRequest: ({ baseUrl, apiKey }) => ({
    url: `${baseUrl}/models?pageSize=1000`,
    headers: { "x-goog-api-key": apiKey ?? "" },
  }),
  parseModels: (body) =>
    listUnder(body, "models").flatMap((model) => {
      const methods = model["supportedGenerationMethods"];
      const canChat =
        !Array.isArray(methods) || methods.some((name: Json) => name === "generateContent");
      return canChat ? (textOf(model, "name")?.replace(/^models\//, "") ?? []) : [];
    }),
  unknownModelFix: () => "Use a model from https://ai.google.dev/gemini-api/docs/models.",
};
