import { limitedFetch } from "../limited-fetch.ts";
import { idsOfData } from "../models-body.ts";
import { hasObjectRoot, isStrict } from "../output-schema.ts";
import type { Provider } from "../provider.ts";
import { normaliseBaseUrl } from "../settings.ts";

const BASE_URL = "https://api.openai.com/v1";
/** Listed beside the chat models, but of no use in a workflow. */
const NO_CHAT =
  /embedding|whisper|tts|dall-e|image|moderation|realtime|audio|transcribe|^(?:babbage|davinci|sora)/;

/** The Responses API. Nothing is stored at OpenAI beyond the call. */
export const openai: Provider = {
  name: "openai",
  label: "OpenAI",
  keyVariable: "OPENAI_API_KEY",
  isKeyRequired: true,
  keyPage: "https://platform.openai.com/api-keys",
  baseUrlVariable: "OPENAI_BASE_URL",
  baseUrlDefault: BASE_URL,
  modelDefault: "gpt-6-luna",
  priceId: "openai",
  cacheMark: undefined,
  takesPdf: true,
  connect: (settings, apiBase) => ({
    baseUrl: normaliseBaseUrl(apiBase ?? settings.openai.baseUrl ?? BASE_URL, "/v1"),
    apiKey: settings.openai.apiKey,
  }),
  async load({ baseUrl, apiKey }) {
    const { createOpenAI } = await import("@ai-sdk/openai");
    const provider = createOpenAI({ baseURL: baseUrl, apiKey: apiKey ?? "", fetch: limitedFetch });
    return (model) => provider.responses(model);
  },
  // Strict mode refuses maps and free-form objects; without it the schema is only a hint.
  outputMode(schema) {
    if (!hasObjectRoot(schema)) return { kind: "words" };
    const strict = isStrict(schema);
    return { kind: "native", strict, told: !strict };
  },
  callOptions: (mode) => ({
    openai: {
      store: false,
      ...(mode?.kind === "native" ? { strictJsonSchema: mode.strict } : {}),
    },
  }),
  modelsRequest: ({ baseUrl, apiKey }) => ({
    url: `${baseUrl}/models`,
    headers: { authorization: `Bearer ${apiKey ?? ""}` },
  }),
  parseModels: (body) => idsOfData(body).filter((id) => !NO_CHAT.test(id)),
  unknownModelFix: () => "Use a model from https://platform.openai.com/docs/models.",
};
