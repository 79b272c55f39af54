/** What the tests of the model port share. */
import type { ModelEvent, ModelPort, ModelRequest } from "../../src/domain/model.ts";
import type { RealProviderName } from "../../src/llm/provider.ts";
import type { ModelSettings } from "../../src/llm/settings.ts";
import type { ModelServer } from "../support/model-server.ts";

export const PROVIDERS: readonly RealProviderName[] = [
  "openai",
  "anthropic",
  "google",
  "ollama",
  "openai-compatible",
];

export const MODELS: Record<RealProviderName, string> = {
  openai: "gpt-4o-mini",
  anthropic: "claude-haiku-4-5",
  google: "gemini-2.5-flash-lite",
  ollama: "llama3.2:latest",
  "openai-compatible": "local-model",
};

export const KEYS = {
  openai: "sk-test-0123456789abcdef",
  anthropic: "sk-ant-test-0123456789",
  google: "AIzaTest0123456789",
  compatible: "compatible-secret-value",
};

export const NO_SETTINGS: ModelSettings = {
  provider: undefined,
  model: undefined,
  openai: { apiKey: undefined, baseUrl: undefined },
  anthropic: { apiKey: undefined, baseUrl: undefined },
  google: { apiKey: undefined, baseUrl: undefined },
  ollama: { baseUrl: "http://127.0.0.1:11434" },
  openaiCompatible: { apiKey: undefined, baseUrl: undefined },
  limits: {},
  own: {},
};

/** Settings with all keys that send every provider to one address each. */
export function settingsFor(baseUrlFor: (provider: RealProviderName) => string): ModelSettings {
  return {
    provider: undefined,
    model: undefined,
    openai: { apiKey: KEYS.openai, baseUrl: baseUrlFor("openai") },
    anthropic: { apiKey: KEYS.anthropic, baseUrl: baseUrlFor("anthropic") },
    google: { apiKey: KEYS.google, baseUrl: baseUrlFor("google") },
    ollama: { baseUrl: baseUrlFor("ollama") },
    openaiCompatible: { apiKey: KEYS.compatible, baseUrl: baseUrlFor("openai-compatible") },
    limits: {},
    own: {},
  };
}

export function serverSettings(server: ModelServer): ModelSettings {
  return settingsFor((provider) => server.baseUrlFor(provider));
}

export function requestFor(
  provider: RealProviderName,
  rest: Partial<ModelRequest> = {},
): ModelRequest {
  return {
    provider,
    model: MODELS[provider],
    messages: [
      { role: "system", text: "Be brief." },
      { role: "user", text: "What is new?" },
    ],
    tools: [],
    signal: new AbortController().signal,
    ...rest,
  };
}

export type End = Extract<ModelEvent, { type: "end" }>;

/** Reads a call to its end: the pieces, when each came, and the one end. */
export async function collect(
  port: ModelPort,
  request: ModelRequest,
): Promise<{ pieces: string[]; times: number[]; end: End; endedAt: number }> {
  const pieces: string[] = [];
  const times: number[] = [];
  const ends: End[] = [];
  for await (const event of port.call(request)) {
    if (event.type === "end") ends.push(event);
    else {
      pieces.push(event.text);
      times.push(performance.now());
    }
  }
  const [end] = ends;
  if (end === undefined || ends.length > 1) throw new Error(`${ends.length} ends in one stream`);
  return { pieces, times, end, endedAt: performance.now() };
}

/** The answer of a call that must succeed. */
export async function answerOf(port: ModelPort, request: ModelRequest) {
  const { end } = await collect(port, request);
  if (end.reason !== "finished") throw new Error(`not finished: ${JSON.stringify(end)}`);
  return end.answer;
}

/** The failure of a call that must fail, without the technical details. */
export async function failureOf(port: ModelPort, request: ModelRequest) {
  const { end } = await collect(port, request);
  if (end.reason !== "failed") throw new Error(`not failed: ${JSON.stringify(end)}`);
  const { details = "", ...error } = end.error;
  return { error, details, retryAfterMs: end.retryAfterMs };
}
