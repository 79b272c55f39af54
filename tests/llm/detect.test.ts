// Six fakes that answer as the six servers document; none of them runs here.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { checkProvider, listModels } from "../../src/llm/check.ts";
import { detectLocalServers, type LocalServerKind } from "../../src/llm/detect.ts";
import { type ModelServer, startModelServer } from "../support/model-server.ts";
import { KEYS, NO_SETTINGS, PROVIDERS, serverSettings, settingsFor } from "./support.ts";

type Pages = Record<string, object>;

const list = (owner: string, ...ids: string[]) => ({
  object: "list",
  data: ids.map((id) => ({ id, object: "model", created: 1_700_000_000, owned_by: owner })),
});

const PAGES: Record<LocalServerKind, Pages> = {
  ollama: {
    "/api/version": { version: "0.12.3" },
    "/api/tags": {
      models: [
        { name: "llama3.2:latest", model: "llama3.2:latest", details: { family: "llama" } },
        { name: "nomic-embed-text:latest", details: { family: "nomic-bert" } },
      ],
    },
    "/v1/models": list("library", "llama3.2:latest"),
  },
  "lm-studio": {
    "/api/v0/models": {
      object: "list",
      data: [
        { id: "qwen3-8b", object: "model", type: "llm", state: "not-loaded" },
        { id: "gemma-3-4b", object: "model", type: "vlm", state: "loaded" },
        { id: "nomic-embed", object: "model", type: "embeddings", state: "loaded" },
      ],
    },
    "/v1/models": list("organization_owner", "qwen3-8b"),
  },
  "llama.cpp": {
    "/props": {
      default_generation_settings: { n_ctx: 4096 },
      total_slots: 1,
      model_path: "m.gguf",
    },
    "/v1/models": list("llamacpp", "m.gguf"),
  },
  vllm: {
    "/version": { version: "0.11.0" },
    "/v1/models": list("vllm", "meta-llama/Llama-3.2-3B"),
  },
  jan: { "/v1/models": list("jan", "jan-nano") },
  "docker-model-runner": { "/engines/v1/models": list("docker", "ai/smollm2") },
};
const KINDS = Object.keys(PAGES) as LocalServerKind[];

function serve(pages: Pages) {
  return Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch(request) {
      const page = pages[new URL(request.url).pathname];
      return page === undefined ? new Response("Not found", { status: 404 }) : Response.json(page);
    },
  });
}

const everywhere = (url: (kind: LocalServerKind) => string) =>
  Object.fromEntries(KINDS.map((kind) => [kind, url(kind)]));

describe("detectLocalServers()", () => {
  const fakes = new Map<LocalServerKind, ReturnType<typeof serve>>();
  let nowhere = "";
  beforeAll(async () => {
    for (const kind of KINDS) fakes.set(kind, serve(PAGES[kind]));
    const closed = serve({});
    nowhere = `http://127.0.0.1:${closed.port}`;
    await closed.stop(true);
  });
  afterAll(async () => {
    for (const fake of fakes.values()) await fake.stop(true);
  });
  const at = (kind: LocalServerKind) => `http://127.0.0.1:${fakes.get(kind)?.port}`;

  test("tells all six apart, with their models and the address to configure", async () => {
    expect(await detectLocalServers({ hosts: everywhere(at) })).toEqual([
      { kind: "ollama", name: "Ollama", baseUrl: at("ollama"), models: ["llama3.2:latest"] },
      {
        kind: "lm-studio",
        name: "LM Studio",
        baseUrl: `${at("lm-studio")}/v1`,
        models: ["gemma-3-4b", "qwen3-8b"],
      },
      {
        kind: "llama.cpp",
        name: "llama.cpp",
        baseUrl: `${at("llama.cpp")}/v1`,
        models: ["m.gguf"],
      },
      {
        kind: "vllm",
        name: "vLLM",
        baseUrl: `${at("vllm")}/v1`,
        models: ["meta-llama/Llama-3.2-3B"],
      },
      { kind: "jan", name: "Jan", baseUrl: `${at("jan")}/v1`, models: ["jan-nano"] },
      {
        kind: "docker-model-runner",
        name: "Docker Model Runner",
        baseUrl: `${at("docker-model-runner")}/engines/v1`,
        models: ["ai/smollm2"],
      },
    ]);
  });

  test("takes no server for another at the same port", async () => {
    // Each of the four that can be told by more than a list, asked where another one listens.
    for (const kind of ["ollama", "lm-studio", "llama.cpp", "vllm"] as const) {
      for (const other of KINDS.filter((each) => each !== kind)) {
        const hosts = { ...everywhere(() => nowhere), [kind]: at(other) };
        expect([kind, other, await detectLocalServers({ hosts })]).toEqual([kind, other, []]);
      }
    }
  });

  test("finds nothing where nothing is, and waits no longer than it was told to", async () => {
    expect(await detectLocalServers({ hosts: everywhere(() => nowhere) })).toEqual([]);
    const silent = Bun.serve({ port: 0, fetch: () => new Promise<Response>(() => {}) });
    const startedAt = performance.now();
    const hosts = everywhere(() => `http://127.0.0.1:${silent.port}`);
    expect(await detectLocalServers({ hosts, timeoutMs: 100 })).toEqual([]);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
    await silent.stop(true);
  });

  test("asks where OLLAMA_HOST says, in any of its forms", async () => {
    const { ollama: _ollama, ...hosts } = everywhere(() => nowhere);
    const port = fakes.get("ollama")?.port;
    for (const ollamaHost of [
      `127.0.0.1:${port}`,
      `0.0.0.0:${port}`,
      `:${port}`,
      `http://127.0.0.1:${port}`,
      `http://0.0.0.0:${port}/`,
    ]) {
      const found = await detectLocalServers({ hosts, ollamaHost });
      expect(found.map((server) => server.baseUrl)).toEqual([at("ollama")]);
    }
  });
});

test("detectLocalServers() keeps the path of an Ollama behind a proxy", async () => {
  using proxy = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch(request) {
      const { pathname } = new URL(request.url);
      if (pathname === "/ollama/api/version") return Response.json({ version: "0.9.0" });
      if (pathname === "/ollama/api/tags") return Response.json({ models: [{ name: "qwen3:8b" }] });
      return new Response(null, { status: 404 });
    },
  });
  const address = `http://127.0.0.1:${proxy.port}/ollama`;
  const found = await detectLocalServers({ ollamaHost: `${address}/` });
  expect(found.find(({ kind }) => kind === "ollama")?.baseUrl).toBe(address);
});

describe("checkProvider() and listModels()", () => {
  let server: ModelServer;
  beforeAll(async () => {
    server = await startModelServer();
  });
  afterAll(() => server.stop());

  for (const provider of PROVIDERS) {
    test(`${provider}: a right key and address give the models, a wrong model is refused`, async () => {
      const settings = serverSettings(server);
      const models = await listModels(settings, provider);
      expect(models.length).toBeGreaterThan(1);
      expect(await checkProvider(settings, provider)).toEqual({ ok: true, models });
      expect(await checkProvider(settings, provider, models[0])).toEqual({ ok: true, models });
      const wrong = await checkProvider(settings, provider, `${models[0]}-x`);
      expect(wrong).toMatchObject({ ok: false, error: { code: "unknown_model" } });
      if (!wrong.ok) expect(wrong.error.message).toContain(`Did you mean ${models[0]}`);
    });
  }

  test("openai: models that cannot chat are left out", async () => {
    expect(await listModels(serverSettings(server), "openai")).toEqual([
      "gpt-6-luna",
      "gpt-5-mini",
      "gpt-4o",
      "gpt-4o-mini",
    ]);
  });

  test("anthropic: a name that stands for a dated model is known", async () => {
    const settings = serverSettings(server);
    expect(await checkProvider(settings, "anthropic", "claude-haiku-4-5")).toMatchObject({
      ok: true,
    });
  });

  test("demo is always there", async () => {
    expect(await checkProvider(NO_SETTINGS, "demo")).toEqual({ ok: true, models: ["demo"] });
  });

  test("a wrong key, a missing key and nobody there are told apart", async () => {
    const settings = serverSettings(server);
    for (const provider of ["openai", "anthropic", "google"] as const) {
      const bad = {
        ...settings,
        [provider]: { ...settings[provider], apiKey: "bad-key-0123456789" },
      };
      expect(await checkProvider(bad, provider)).toMatchObject({
        ok: false,
        error: { code: "key_rejected" },
      });
      expect(await checkProvider(NO_SETTINGS, provider)).toMatchObject({
        ok: false,
        error: { code: "missing_key" },
      });
    }
    const closed = serve({});
    const baseUrl = `http://127.0.0.1:${closed.port}`;
    await closed.stop(true);
    expect(
      await checkProvider(
        settingsFor(() => baseUrl),
        "ollama",
      ),
    ).toMatchObject({
      ok: false,
      error: { code: "provider_unreachable" },
    });
  });

  test("a server without a list is proved by one small call", async () => {
    const { url } = server;
    const noList = Bun.serve({
      port: 0,
      async fetch(request) {
        if (request.method === "GET") return new Response("", { status: 404 });
        const { pathname } = new URL(request.url);
        return fetch(`${url}/openai-compatible${pathname}`, {
          method: "POST",
          headers: { authorization: request.headers.get("authorization") ?? "" },
          body: await request.text(),
        });
      },
    });
    const baseUrl = `http://127.0.0.1:${noList.port}/v1`;
    const settings = { ...NO_SETTINGS, openaiCompatible: { apiKey: KEYS.compatible, baseUrl } };
    const before = server.requests().length;
    expect(await checkProvider(settings, "openai-compatible", "any")).toEqual({
      ok: true,
      models: [],
    });
    expect(server.requests().slice(before)).toMatchObject([{ body: { max_tokens: 16 } }]);
    const bad = { ...settings, openaiCompatible: { apiKey: "bad-key-0123456789", baseUrl } };
    expect(await checkProvider(bad, "openai-compatible", "any")).toMatchObject({
      ok: false,
      error: { code: "key_rejected" },
    });
    await noList.stop(true);
  });
});
