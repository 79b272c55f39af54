import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { AppError } from "../../src/domain/error.ts";
import { createModelPort } from "../../src/llm/port.ts";
import type { ModelChoice } from "../../src/llm/resolve.ts";
import type { ModelSettings } from "../../src/llm/settings.ts";
import { type ModelServer, startModelServer } from "../support/model-server.ts";
import { KEYS, NO_SETTINGS } from "./support.ts";

let server: ModelServer;
beforeAll(async () => {
  server = await startModelServer();
});
afterAll(() => server.stop());

const openai = { openai: { apiKey: KEYS.openai, baseUrl: undefined } };
const anthropic = { anthropic: { apiKey: KEYS.anthropic, baseUrl: undefined } };
const google = { google: { apiKey: KEYS.google, baseUrl: undefined } };
const OWN = { openai: { model: "gpt-own" } };
const ALL = { ...openai, ...anthropic, ...google };

function resolve(wish: ModelChoice, settings: Partial<ModelSettings>) {
  return createModelPort({ ...NO_SETTINGS, ...settings }).resolve(wish);
}

async function refusal(wish: ModelChoice, settings: Partial<ModelSettings>) {
  const error = await resolve(wish, settings).then(
    (resolved) => new Error(`resolved to ${JSON.stringify(resolved)}`),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof AppError)) throw error;
  return { code: error.code, message: error.message, fix: error.fix };
}

describe("resolve() fills in", () => {
  const table: [string, ModelChoice, Partial<ModelSettings>, object][] = [
    ["nothing set: demo", {}, {}, { provider: "demo", model: "demo" }],
    ["first key: openai", {}, ALL, { provider: "openai", model: "gpt-6-luna" }],
    [
      "first key: anthropic",
      {},
      { ...anthropic, ...google },
      { provider: "anthropic", model: "claude-haiku-4-5" },
    ],
    ["first key: google", {}, google, { provider: "google", model: "gemini-3.5-flash-lite" }],
    [
      "the setting before the first key",
      {},
      { ...ALL, provider: "google" },
      { provider: "google", model: "gemini-3.5-flash-lite" },
    ],
    [
      "the setting's model for the setting's provider",
      {},
      { ...ALL, provider: "anthropic", model: "claude-sonnet-5" },
      { provider: "anthropic", model: "claude-sonnet-5" },
    ],
    [
      "a model setting alone chooses its provider",
      {},
      { ...ALL, model: "gemini-2.5-pro" },
      { provider: "google", model: "gemini-2.5-pro" },
    ],
    [
      "the setting's model not for another provider",
      { provider: "openai" },
      { ...ALL, provider: "anthropic", model: "claude-sonnet-5" },
      { provider: "openai", model: "gpt-6-luna" },
    ],
    [
      "the provider's own model in place of its usual one",
      { provider: "openai" },
      { ...ALL, provider: "anthropic", model: "claude-sonnet-5", own: OWN },
      { provider: "openai", model: "gpt-own" },
    ],
    [
      "the setting's model before the provider's own",
      {},
      { ...ALL, provider: "openai", model: "gpt-5", own: OWN },
      { provider: "openai", model: "gpt-5" },
    ],
    [
      "the own model of the provider that has a key",
      {},
      { ...openai, own: OWN },
      { provider: "openai", model: "gpt-own" },
    ],
    [
      "explicit provider and model",
      { provider: "openai", model: "gpt-5-mini" },
      { ...ALL, provider: "google" },
      { provider: "openai", model: "gpt-5-mini" },
    ],
    [
      "gemini- is Google's, before the setting",
      { model: "gemini-2.5-flash-lite" },
      { ...ALL, provider: "openai" },
      { provider: "google", model: "gemini-2.5-flash-lite" },
    ],
    [
      "claude- is Anthropic's",
      { model: "claude-opus-5" },
      ALL,
      { provider: "anthropic", model: "claude-opus-5" },
    ],
    ["o4-mini is OpenAI's", { model: "o4-mini" }, ALL, { provider: "openai", model: "o4-mini" }],
    [
      "a tag is Ollama's",
      { model: "llama3.2:3b" },
      ALL,
      { provider: "ollama", model: "llama3.2:3b" },
    ],
    [
      "a name that several have goes to the setting",
      { model: "gpt-oss-20b" },
      {
        ...ALL,
        provider: "openai-compatible",
        openaiCompatible: { apiKey: undefined, baseUrl: "http://127.0.0.1:9/v1" },
      },
      { provider: "openai-compatible", model: "gpt-oss-20b" },
    ],
    [
      "--provider demo answers for any model",
      { provider: "demo", model: "gemini-2.5-flash-lite" },
      {},
      { provider: "demo", model: "demo" },
    ],
    [
      "the node's own address is kept",
      { provider: "openai", model: "x", apiBase: "http://127.0.0.1:9/v1" },
      openai,
      { provider: "openai", model: "x", apiBase: "http://127.0.0.1:9/v1" },
    ],
    [
      "a gateway may have any model",
      { provider: "anthropic", model: "gemini-2.5-flash-lite" },
      { anthropic: { apiKey: KEYS.anthropic, baseUrl: "http://127.0.0.1:9/v1" } },
      { provider: "anthropic", model: "gemini-2.5-flash-lite" },
    ],
  ];
  for (const [name, wish, settings, expected] of table) {
    test(name, async () => {
      expect<object>(await resolve(wish, settings)).toEqual(expected);
    });
  }

  test("the first model of a local server, when none is named", async () => {
    expect(await resolve({}, { ollama: { baseUrl: server.baseUrlFor("ollama") } })).toEqual({
      provider: "ollama",
      model: "llama3.2:latest",
    });
    const baseUrl = server.baseUrlFor("openai-compatible");
    expect(await resolve({}, { openaiCompatible: { apiKey: undefined, baseUrl } })).toEqual({
      provider: "openai-compatible",
      model: "local-model",
    });
  });
});

describe("resolve() refuses", () => {
  test("a provider without a key, naming the variable and the demo", async () => {
    expect(await refusal({ model: "gemini-2.5-flash-lite" }, openai)).toEqual({
      code: "missing_key",
      message: "Google needs a key, and GOOGLE_API_KEY is not set.",
      fix: "Set GOOGLE_API_KEY in the environment or in .env (get one at https://aistudio.google.com/apikey), or use `--provider demo`, which works offline.",
    });
  });

  test("openai-compatible without an address", async () => {
    expect(await refusal({ provider: "openai-compatible", model: "x" }, {})).toEqual({
      code: "missing_key",
      message: "OPENAI_COMPATIBLE_BASE_URL is not set.",
      fix: "Set OPENAI_COMPATIBLE_BASE_URL to the address of the server, such as http://127.0.0.1:1234/v1, or use `--provider demo`, which works offline.",
    });
  });

  test("a model of another provider", async () => {
    expect(await refusal({ provider: "openai", model: "claude-haiku-4-5" }, ALL)).toEqual({
      code: "unknown_model",
      message: '"claude-haiku-4-5" is a model of Anthropic, not of OpenAI.',
      fix: "Name a model of OpenAI, such as gpt-6-luna, or the provider anthropic.",
    });
  });

  test("an Ollama that is not running, when it would have to say what it has", async () => {
    const free = Bun.serve({ port: 0, fetch: () => new Response("") });
    const baseUrl = `http://127.0.0.1:${free.port}`;
    await free.stop(true);
    expect(await refusal({ provider: "ollama" }, { ollama: { baseUrl } })).toEqual({
      code: "provider_unreachable",
      message: `Ollama cannot be reached at ${baseUrl}/v1.`,
      fix: "Start it with `ollama serve`, or set OLLAMA_BASE_URL.",
    });
  });

  test("an Ollama without a model", async () => {
    await using empty = await startModelServer({ models: { ollama: [] } });
    const baseUrl = empty.baseUrlFor("ollama");
    expect(await refusal({ provider: "ollama" }, { ollama: { baseUrl } })).toEqual({
      code: "unknown_model",
      message: `Ollama at ${baseUrl}/v1 has no model yet.`,
      fix: "Get one with `ollama pull llama3.2`.",
    });
  });
});

test("resolve() refuses to send a key to an address that only the workflow names", async () => {
  const wish = { provider: "openai", model: "gpt-6-luna" } as const;
  const foreign = "https://collector.example/v1";
  expect(await refusal({ ...wish, apiBase: foreign }, ALL)).toEqual({
    code: "forbidden",
    message: `The workflow's api_base ${foreign} would be given the key of OpenAI.`,
    fix: "If that address is yours, set OPENAI_BASE_URL to it; else remove api_base.",
  });
  for (const name of ["10.example.com", "127.0.0.1.example.com", "192.168.example.com"])
    expect(await refusal({ ...wish, apiBase: `https://${name}/v1` }, ALL)).toMatchObject({
      code: "forbidden",
    });
  const trusted = { openai: { apiKey: KEYS.openai, baseUrl: "https://collector.example" } };
  const places = [
    [{ ...wish, apiBase: foreign }, trusted],
    [{ ...wish, apiBase: "https://api.openai.com/v1" }, trusted],
    [{ ...wish, apiBase: "http://192.168.0.7:8080/v1" }, ALL],
  ] as const;
  for (const [allowed, settings] of places)
    expect(await resolve(allowed, settings)).toEqual(allowed);
});
