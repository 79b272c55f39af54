/** The providers by name, and which provider a model name belongs to. */
import type { ProviderName } from "../domain/workflow.ts";
import type { Provider, RealProviderName } from "./provider.ts";
import { anthropic } from "./provider/anthropic.ts";
import { google } from "./provider/google.ts";
import { ollama } from "./provider/ollama.ts";
import { openai } from "./provider/openai.ts";
import { openaiCompatible } from "./provider/openai-compatible.ts";

export const REAL_PROVIDERS = {
  openai,
  anthropic,
  google,
  ollama,
  "openai-compatible": openaiCompatible,
} as const satisfies Record<RealProviderName, Provider>;

export const DEMO_MODEL = "demo";

/** Model names that only one provider can mean. Ollama's have a tag after a colon and no maker. */
const MODEL_NAMES: readonly (readonly [RegExp, ProviderName])[] = [
  [/^(?:gpt-(?!oss)|chatgpt-|codex-|ft:gpt-|o\d+(?:-|$))/, "openai"],
  [/^claude-/, "anthropic"],
  [/^(?:models\/)?gemini-/, "google"],
  [/^[\w.-]+:[\w.-]+$/, "ollama"],
  [/^demo$/, "demo"],
];

/** The provider that a model's name stands for; undefined when several could have it. */
export function inferProvider(model: string): ProviderName | undefined {
  return MODEL_NAMES.find(([pattern]) => pattern.test(model))?.[1];
}
