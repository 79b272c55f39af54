import { limitedFetch } from "../limited-fetch.ts";
import { idsOfData } from "../models-body.ts";
import { isStrict } from "../output-schema.ts";
import type { Provider } from "../provider.ts";
import { isLocalUrl, normaliseBaseUrl } from "../settings.ts";

/** Any other server that speaks OpenAI's chat completions: LM Studio, llama.cpp, vLLM, OpenRouter, Groq … */
export const openaiCompatible: Provider = {
  name: "openai-compatible",
  label: "The OpenAI-compatible server",
  keyVariable: "OPENAI_COMPATIBLE_API_KEY",
  isKeyRequired: false,
  keyPage: undefined,
  baseUrlVariable: "OPENAI_COMPATIBLE_BASE_URL",
  baseUrlDefault: undefined,
  modelDefault: undefined,
  priceId: undefined,
  cacheMark: undefined,
  takesPdf: true,
  connect(settings, apiBase) {
    const { baseUrl: configured, apiKey } = settings.openaiCompatible;
    const baseUrl = apiBase ?? configured;
    if (baseUrl === undefined) return { baseUrl: undefined, apiKey };
    // Local servers all answer below /v1; hosted ones have paths of their own, or none.
    return { baseUrl: normaliseBaseUrl(baseUrl, isLocalUrl(baseUrl) ? "/v1" : ""), apiKey };
  },
  async load({ baseUrl, apiKey }) {
    const { createOpenAICompatible } = await import("@ai-sdk/openai-compatible");
    const provider = createOpenAICompatible({
      name: "compatible",
      baseURL: baseUrl,
      fetch: limitedFetch,
      includeUsage: true,
      supportsStructuredOutputs: true,
      ...(apiKey === undefined ? {} : { apiKey }),
    });
    return (model) => provider.chatModel(model);
  },
  // llama.cpp refuses a schema beside tools; what takes it cannot be told from outside.
  outputMode: (schema, request) =>
    request.tools.length > 0
      ? { kind: "words" }
      : { kind: "native", strict: isStrict(schema), told: true },
  callOptions: (mode) =>
    mode?.kind === "native" ? { compatible: { strictJsonSchema: mode.strict } } : {},
  modelsRequest: ({ baseUrl, apiKey }) => ({
    url: `${baseUrl}/models`,
    headers: apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` },
  }),
  parseModels: idsOfData,
  unknownModelFix: () => "Name a model that the server has loaded.",
};
