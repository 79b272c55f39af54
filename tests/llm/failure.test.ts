// Every way in which a call can fail, provoked over real HTTP in each provider's own shape.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { RealProviderName } from "../../src/llm/provider.ts";
import { createModelPort } from "../../src/llm/port.ts";
import { type ModelServer, type Play, startModelServer } from "../support/model-server.ts";
import {
  collect,
  failureOf,
  KEYS,
  NO_SETTINGS,
  PROVIDERS,
  requestFor,
  serverSettings,
  settingsFor,
} from "./support.ts";

const LABELS: Record<RealProviderName, string> = {
  openai: "OpenAI",
  anthropic: "Anthropic",
  google: "Google",
  ollama: "Ollama",
  "openai-compatible": "The OpenAI-compatible server",
};
const KEYED = [
  ["openai", "OPENAI_API_KEY", "https://platform.openai.com/api-keys"],
  ["anthropic", "ANTHROPIC_API_KEY", "https://console.anthropic.com/settings/keys"],
  ["google", "GOOGLE_API_KEY", "https://aistudio.google.com/apikey"],
] as const;
const NEVER = { firstPieceMs: 60_000, pieceMs: 60_000 };

let server: ModelServer;
beforeAll(async () => {
  server = await startModelServer();
});
afterAll(() => server.stop());

const port = (timeouts = NEVER) => createModelPort(serverSettings(server), { timeouts });

async function failAfter(play: Play, provider: RealProviderName) {
  server.next(play);
  return failureOf(port(), requestFor(provider));
}

for (const provider of PROVIDERS) {
  const label = LABELS[provider];
  const url = () =>
    provider === "ollama" ? `${server.baseUrlFor(provider)}/v1` : server.baseUrlFor(provider);

  describe(provider, () => {
    test("429 is rate_limited with the delay that the provider asks for", async () => {
      const { error, retryAfterMs } = await failAfter(
        { kind: "status", status: 429, message: "Slow down.", headers: { "retry-after": "3600" } },
        provider,
      );
      expect(error).toEqual({
        code: "rate_limited",
        message: `${label} limits the rate of requests.`,
        fix: "Wait and try again, run less at the same time, or use another model.",
      });
      expect(retryAfterMs).toBe(3_600_000);
    });

    test("5xx and 529 are provider_unavailable", async () => {
      const broken = await failAfter({ kind: "status", status: 500, message: "Oh no." }, provider);
      expect(broken.error).toEqual({
        code: "provider_unavailable",
        message: `${label} has a fault of its own (HTTP 500): Oh no.`,
        fix: "Try again later, or use another model.",
      });
      const busy = await failAfter(
        { kind: "status", status: 529, message: "Overloaded" },
        provider,
      );
      expect(busy.error).toMatchObject({
        code: "provider_unavailable",
        message: `${label} is overloaded (HTTP 529): Overloaded.`,
      });
    });

    test("other 4xx are provider_rejected with the provider's own words", async () => {
      const message = "max_tokens must be at most 4096";
      const { error } = await failAfter({ kind: "status", status: 400, message }, provider);
      expect(error).toEqual({
        code: "provider_rejected",
        message: `${label} refused the request (HTTP 400): ${message}.`,
        fix: "Change what the message names: the prompt, the settings or the output fields.",
      });
    });

    test("an unknown model is unknown_model with the nearest names", async () => {
      await using own = await startModelServer({
        models: { [provider]: ["no-such-modem", "no-such-model-20260101", "other"] },
      });
      const { error } = await failureOf(
        createModelPort(serverSettings(own)),
        requestFor(provider, { model: "no-such-model" }),
      );
      expect(error).toMatchObject({
        code: "unknown_model",
        message: `${label} has no model "no-such-model". Did you mean no-such-model-20260101, no-such-modem?`,
      });
    });

    test("nobody at the address is provider_unreachable and names the address", async () => {
      const free = Bun.serve({ port: 0, fetch: () => new Response("") });
      const baseUrl = `http://127.0.0.1:${free.port}/v1`;
      await free.stop(true);
      const { error } = await failureOf(
        createModelPort(settingsFor(() => baseUrl)),
        requestFor(provider),
      );
      expect(error.code).toBe("provider_unreachable");
      expect(error.message).toBe(`${label} cannot be reached at ${baseUrl}.`);
      expect(error.fix).toContain(
        provider === "ollama" ? "Start it with `ollama serve`" : "Check the network",
      );
    });

    test("a connection that breaks in the middle is provider_unreachable", async () => {
      server.next({ kind: "cut", pieces: ["One", " two"] });
      const { pieces, end } = await collect(port(), requestFor(provider));
      expect(pieces.join("")).toBe("One two");
      expect(end).toMatchObject({ reason: "failed", error: { code: "provider_unreachable" } });
    });

    test("a stream without its end mark is provider_unreachable, not an answer", async () => {
      server.next({ kind: "half", pieces: ["One", " two"] });
      const { pieces, end } = await collect(port(), requestFor(provider));
      expect(pieces.join("")).toBe("One two");
      expect(end).toMatchObject({ reason: "failed", error: { code: "provider_unreachable" } });
    });

    test("a server that never answers, and one that falls silent, is a timeout", async () => {
      server.next({ kind: "silence" }, { kind: "stall", pieces: ["One"] });
      const silent = await failureOf(
        port({ firstPieceMs: 50, pieceMs: 60_000 }),
        requestFor(provider),
      );
      expect(silent.error).toEqual({
        code: "timeout",
        message: `${label} sent nothing for 1 s.`,
        fix: `Try again, or check the load of ${url()}.`,
      });
      const stalled = await collect(
        port({ firstPieceMs: 5_000, pieceMs: 50 }),
        requestFor(provider),
      );
      expect(stalled.pieces).toEqual(["One"]);
      expect(stalled.end).toMatchObject({ reason: "failed", error: { code: "timeout" } });
    });

    test("no key gets into a message or into the details", async () => {
      const secrets = Object.values(KEYS);
      const message = `Refused ${secrets.join(" and ")}`;
      const { error, details } = await failAfter(
        { kind: "status", status: 400, message },
        provider,
      );
      expect(error.message).toContain("[redacted]");
      expect(details).toContain("[redacted]");
      for (const secret of secrets) expect(error.message + details).not.toContain(secret);
    });
  });
}

for (const [provider, variable, page] of KEYED) {
  test(`${provider}: a rejected key names ${variable}, and is not shown`, async () => {
    const settings = serverSettings(server);
    const badKey = `bad-${provider}-key-0123456789`;
    const badPort = createModelPort({
      ...settings,
      [provider]: { ...settings[provider], apiKey: badKey },
    });
    const { error, details } = await failureOf(badPort, requestFor(provider));
    expect(error).toEqual({
      code: "key_rejected",
      message: `${LABELS[provider]} rejected the key (HTTP ${provider === "google" ? 400 : 401}): API key not valid: [redacted].`,
      fix: `Set ${variable} to a valid key (${page}).`,
    });
    expect(details).not.toContain(badKey);
  });

  test(`${provider}: a missing key ends the call as missing_key`, async () => {
    const { error } = await failureOf(createModelPort(NO_SETTINGS), requestFor(provider));
    expect(error).toEqual({
      code: "missing_key",
      message: `${LABELS[provider]} needs a key, and ${variable} is not set.`,
      fix: `Set ${variable} in the environment or in .env (get one at ${page}), or use \`--provider demo\`, which works offline.`,
    });
  });
}

describe("errors inside a stream that began well", () => {
  const cases: [RealProviderName, string, string, string][] = [
    [
      "openai",
      'event: error\ndata: {"type":"error","code":"server_error","message":"It broke.","param":null,"sequence_number":9}\n\n',
      "provider_unavailable",
      "It broke.",
    ],
    [
      "anthropic",
      'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n',
      "provider_unavailable",
      "Anthropic is overloaded (HTTP 529): Overloaded.",
    ],
    [
      "google",
      'data: {"error":{"code":429,"message":"Quota.","status":"RESOURCE_EXHAUSTED"}}\n\n',
      "rate_limited",
      "Google limits the rate of requests.",
    ],
    [
      "openai-compatible",
      'data: {"error":{"message":"Out of memory.","type":"server_error","code":500}}\n\n',
      "provider_unavailable",
      "Out of memory.",
    ],
  ];
  for (const [provider, events, code, message] of cases) {
    test(`${provider}: ${code}`, async () => {
      server.next({ kind: "raw", pieces: ["One"], events });
      const { pieces, end } = await collect(port(), requestFor(provider));
      expect(pieces).toEqual(["One"]);
      expect(end).toMatchObject({ reason: "failed", error: { code } });
      expect(JSON.stringify(end)).toContain(message);
    });
  }

  test("events that are no JSON fail the call", async () => {
    server.next({ kind: "raw", pieces: ["One"], events: "data: {broken\n\n" });
    const { end } = await collect(port(), requestFor("openai-compatible"));
    expect(end).toMatchObject({ reason: "failed", error: { code: "provider_unavailable" } });
  });
});

describe("what is not what it seems", () => {
  test("openai: an account without credit is not a rate limit", async () => {
    const { error, retryAfterMs } = await failAfter(
      {
        kind: "status",
        status: 429,
        message: "You exceeded your current quota.",
        code: "insufficient_quota",
      },
      "openai",
    );
    expect(error).toEqual({
      code: "provider_rejected",
      message: "The account at OpenAI has no credit left: You exceeded your current quota.",
      fix: "Add credit to the account, or use another provider.",
    });
    expect(retryAfterMs).toBeUndefined();
  });

  test("google: the delay is in the body", async () => {
    const body = JSON.stringify({
      error: {
        code: 429,
        message: "You exceeded your current quota, please check your plan and billing details.",
        status: "RESOURCE_EXHAUSTED",
        details: [{ "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "34.5s" }],
      },
    });
    const { error, retryAfterMs } = await failAfter(
      { kind: "status", status: 429, body },
      "google",
    );
    expect([error.code, retryAfterMs]).toEqual(["rate_limited", 34_500]);
  });

  test("openai: 404 without a word of a model is a wrong address", async () => {
    const { error } = await failAfter(
      { kind: "status", status: 404, body: "404 page not found" },
      "openai",
    );
    expect(error.code).toBe("provider_rejected");
    expect(error.fix).toContain("openai-compatible");
  });

  test("a web page in place of an answer is provider_unavailable or broken off, never an answer", async () => {
    const page = Bun.serve({
      port: 0,
      fetch: () =>
        new Response("<html>Log in</html>", { headers: { "content-type": "text/html" } }),
    });
    const lost = createModelPort(settingsFor(() => `http://127.0.0.1:${page.port}/v1`));
    for (const provider of PROVIDERS) {
      const { error } = await failureOf(lost, requestFor(provider));
      expect([
        provider,
        ["provider_unavailable", "provider_unreachable"].includes(error.code),
      ]).toEqual([provider, true]);
    }
    await page.stop(true);
  });

  test("a consumer that stops reading ends the request", async () => {
    const gone = Promise.withResolvers<void>();
    const slow = Bun.serve({
      port: 0,
      fetch(request) {
        request.signal.addEventListener("abort", () => gone.resolve());
        return new Response(
          new ReadableStream({
            start(controller) {
              const chunk = {
                id: "1",
                model: "m",
                choices: [{ index: 0, delta: { content: "One" } }],
              };
              controller.enqueue(new TextEncoder().encode(`data: ${JSON.stringify(chunk)}\n\n`));
            },
          }),
          { headers: { "content-type": "text/event-stream" } },
        );
      },
    });
    const lonely = createModelPort(settingsFor(() => `http://127.0.0.1:${slow.port}/v1`));
    for await (const event of lonely.call(requestFor("ollama"))) {
      expect(event).toEqual({ type: "text", text: "One" });
      break;
    }
    await gone.promise;
    await slow.stop(true);
  });
});
