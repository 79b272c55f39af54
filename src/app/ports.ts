/** Models and the redactor, made from the settings. */
import type { Config } from "../config/config.ts";
import type { ModelPort } from "../domain/model.ts";
import { createRedactor } from "../lib/redact.ts";

/** The part of the settings that providers and tools are made from. */
export type ModelConfig = Pick<Config, "llm" | "tools">;

/**
 * A model port that is loaded at its first use. `current` is asked before each use: a key that was
 * saved while the process runs is taken up by the next call.
 */
export function createLazyModels(current: () => Promise<Config["llm"]>): ModelPort {
  let made: { settings: Config["llm"]; port: ModelPort } | undefined;
  const port = async () => {
    const settings = await current();
    if (made?.settings !== settings) {
      const { createModelPort } = await import("../llm/port.ts");
      made = { settings, port: createModelPort(settings) };
    }
    return made.port;
  };
  return {
    async *call(request) {
      const models = await port();
      yield* models.call(request);
    },
    resolve: async (wish) => (await port()).resolve(wish),
    estimateInputNanoUsd: async (request) => (await port()).estimateInputNanoUsd(request),
    contextWindow: async (model) => (await port()).contextWindow(model),
    // Asked only of a model that `resolve` has just found.
    accountOf: (choice) => made?.port.accountOf(choice),
  };
}

/** Blanks out every secret that this process knows. */
export function redactorFor(config: ModelConfig & Partial<Pick<Config, "secretKey">>) {
  const { llm, tools } = config;
  return createRedactor([
    llm.openai.apiKey,
    llm.anthropic.apiKey,
    llm.google.apiKey,
    llm.openaiCompatible.apiKey,
    tools.search.serper.apiKey,
    tools.search.tavily.apiKey,
    tools.search.brave.apiKey,
    ...Object.values(tools.variables),
    config.secretKey,
  ]);
}
