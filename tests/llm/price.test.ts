import { expect, test } from "bun:test";
import { calcPrice } from "@pydantic/genai-prices";
import fc from "fast-check";
import type { Usage } from "../../src/domain/model.ts";
import { priceCall } from "../../src/llm/price.ts";
import type { RealProviderName } from "../../src/llm/provider.ts";

const NOW = Date.parse("2026-11-20T12:00:00Z");

interface Asked extends Partial<Usage> {
  readonly input: number;
  readonly output: number;
  readonly baseUrl?: string;
  readonly nowMs?: number;
}

function price(provider: RealProviderName, model: string, asked: Asked) {
  const { baseUrl = "https://example.com/v1", nowMs = NOW, ...usage } = asked;
  return priceCall({
    provider,
    baseUrl,
    models: [model],
    usage: { cacheRead: 0, cacheWrite: 0, reasoning: 0, ...usage },
    nowMs,
  });
}

// Dollars for a million tokens, from the providers' price pages; a dollar is 1,000,000,000 here.
for (const [name, actual, expected] of [
  // 0.15 in, 0.075 cached, 0.60 out: 1,000 × 0.15 + 200 × 0.075 + 300 × 0.60 = 345 millionths.
  [
    "openai",
    price("openai", "gpt-4o-mini", { input: 1_200, cacheRead: 200, output: 300 }),
    345_000,
  ],
  // 1 in, 0.10 cached, 1.25 written, 5 out: 100 + 20 + 250 + 1,500 = 1,870 millionths.
  [
    "anthropic",
    price("anthropic", "claude-haiku-4-5-20251001", {
      input: 500,
      cacheRead: 200,
      cacheWrite: 200,
      output: 300,
    }),
    1_870_000,
  ],
  // 0.10 in, 0.01 cached, 0.40 out, thoughts included: 80 + 2 + 120 = 202 millionths.
  [
    "google",
    price("google", "gemini-2.5-flash-lite", {
      input: 1_000,
      cacheRead: 200,
      output: 300,
      reasoning: 250,
    }),
    202_000,
  ],
  // 3 cents a million: a single token is 75 billionths, which cents would lose.
  ["one cached token", price("openai", "gpt-4o-mini", { input: 1, cacheRead: 1, output: 0 }), 75],
  // Above 200,000 tokens of prompt everything costs more: 250,000 × 2.50 + 1,000 × 15.
  ["a tier", price("google", "gemini-2.5-pro", { input: 250_000, output: 1_000 }), 640_000_000],
  [
    "the tier's edge",
    price("google", "gemini-2.5-pro", { input: 200_000, output: 0 }),
    250_000_000,
  ],
  ["an unknown model", price("openai", "made-up", { input: 1, output: 1 }), null],
  ["ollama", price("ollama", "llama3.2", { input: 1_000, output: 1_000 }), 0],
] as const) {
  test(`priceCall() is right for ${name}`, async () => {
    expect(await actual).toBe(expected);
  });
}

test("priceCall() takes the price of the day", async () => {
  const usage = { input: 1_000_000, output: 0 };
  const before = { nowMs: Date.parse("2026-12-31T00:00:00Z") };
  const after = { nowMs: Date.parse("2027-01-02T00:00:00Z") };
  expect(await price("google", "gemini-3.8-flash", { ...usage, ...before })).toBe(750_000_000);
  expect(await price("google", "gemini-3.8-flash", { ...usage, ...after })).toBe(1_500_000_000);
});

test("priceCall() knows a compatible server by its address, and calls a local one free", async () => {
  const usage = { input: 1_000_000, output: 0 };
  const at = (baseUrl: string, model: string) =>
    price("openai-compatible", model, { ...usage, baseUrl });
  expect(await at("https://api.deepseek.com", "deepseek-chat")).toBeGreaterThan(0);
  expect(await at("https://unknown.example.com/v1", "deepseek-chat")).toBeNull();
  for (const host of ["127.0.0.1:1234", "localhost:8080", "192.168.1.7:8000", "[::1]:1"]) {
    expect(await at(`http://${host}/v1`, "qwen3-8b")).toBe(0);
  }
  // A gateway on this machine in front of a hosted model.
  expect(await at("http://127.0.0.1:4000/v1", "gpt-4o-mini")).toBeNull();
});

test("priceCall() does not know the price of a call whose use is not known", async () => {
  const call = { provider: "openai", baseUrl: "", models: ["gpt-4o-mini"], nowMs: NOW } as const;
  expect(await priceCall({ ...call, usage: undefined })).toBeNull();
});

test("property: priceCall() agrees with the price library to its rounding", async () => {
  const models = [
    ["openai", "gpt-6-luna"],
    ["openai", "gpt-5.6-luna"],
    ["anthropic", "claude-sonnet-5"],
    ["google", "gemini-2.5-pro"],
    ["google", "gemini-3.5-flash-lite"],
  ] as const;
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...models),
      fc.tuple(fc.nat(400_000), fc.nat(100_000), fc.nat(100_000), fc.nat(100_000)),
      async ([provider, model], [fresh, cacheRead, cacheWrite, output]) => {
        const input = fresh + cacheRead + cacheWrite;
        const usage = {
          input_tokens: input,
          cache_read_tokens: cacheRead,
          cache_write_tokens: cacheWrite,
          output_tokens: output,
        };
        const options = { providerId: provider, timestamp: new Date(NOW) };
        const theirs = (calcPrice(usage, model, options)?.total_price ?? Number.NaN) * 1e9;
        const ours = await price(provider, model, { input, output, cacheRead, cacheWrite });
        expect(Number.isInteger(ours)).toBe(true);
        expect(Math.abs((ours ?? 0) - theirs)).toBeLessThan(0.51);
      },
    ),
  );
});
