import { isJsonObject } from "../../lib/json.ts";
import { limitedFetch } from "../limited-fetch.ts";
import { listUnder, textOf } from "../models-body.ts";
import type { Provider } from "../provider.ts";

const API_PATH = "/v1";
/** Model families that make embeddings and cannot answer. */
const NO_CHAT = /bert/;

/** Ollama through its OpenAI-compatible API; its own `/api` is asked only for the list of models. */
export const ollama: Provider = {
  name: "ollama",
  label: "Ollama",
  keyVariable: undefined,
  isKeyRequired: false,
  keyPage: undefined,
  baseUrlVariable: "OLLAMA_BASE_URL",
  baseUrlDefault: undefined,
  modelDefault: undefined,
  priceId: undefined,
  cacheMark: undefined,
  takesPdf: false,
  // Ollama's address is commonly given without the path of the compatible API.
  connect(settings, apiBase) {
    const baseUrl = (apiBase ?? settings.ollama.baseUrl).trim().replace(/\/+$/, "");
    return {
      baseUrl: baseUrl.endsWith(API_PATH) ? baseUrl : `${baseUrl}${API_PATH}`,
      apiKey: undefined,
    };
  },
  async load({ baseUrl }) {
    const { createOpenAICompatible } = await import("@ai-sdk/openai-compatible");
    const provider = createOpenAICompatible({
      name: "ollama",
      baseURL: baseUrl,
      fetch: limitedFetch,
      includeUsage: true,
      supportsStructuredOutputs: true,
    });
    return (model) => provider.chatModel(model);
  },
  // With a grammar in force the model cannot call a tool, and without being told it fills the grammar
  // blindly.
  outputMode: (_schema, request) =>
    request.tools.length > 0 ? { kind: "words" } : { kind: "native", strict: true, told: true },
  callOptions: () => ({}),
  modelsRequest: ({ baseUrl }) => ({
    url: `${baseUrl.slice(0, -API_PATH.length)}/api/tags`,
    headers: {},
  }),
  parseModels: (body) =>
    listUnder(body, "models").flatMap((model) => {
      const details = model["details"];
      const family = isJsonObject(details) ? (textOf(details, "family") ?? "") : "";
      return NO_CHAT.test(family) ? [] : (textOf(model, "name") ?? []);
    }),
  unknownModelFix: (model) => `Get it with \`ollama pull ${model}\`, or name an installed model.`,
};
