/**
 * What a call costs. Prices come from `@pydantic/genai-prices`; the sum is made here in whole
 * trillionths of a dollar and rounded once, so that no cent is lost to floating point.
 */
import type { Usage } from "../domain/model.ts";
import type { RealProviderName } from "./provider.ts";
import { inferProvider, REAL_PROVIDERS } from "./registry.ts";
import { isLocalUrl } from "./settings.ts";

export interface PricedCall {
  readonly provider: RealProviderName;
  readonly baseUrl: string;
  /** Names to look up, the most exact first: the model that answered, then the one that was asked for. */
  readonly models: readonly string[];
  /** Undefined when the provider did not say. */
  readonly usage: Usage | undefined;
  /** Prices change by date and time of day. */
  readonly nowMs: number;
}

type PriceModule = typeof import("@pydantic/genai-prices");
type Prices = NonNullable<ReturnType<PriceModule["calcPrice"]>>["model_price"];

/** A price is dollars for a million tokens, so a millionth of it is for one, in trillionths of a dollar. */
const PICO_USD_PER_TOKEN = 1_000_000;
/** Some are dollars for a thousand requests. */
const PICO_USD_PER_REQUEST = 1_000_000_000;
const PICO_PER_NANO = 1_000n;

/** Billionths of a dollar; 0 for a model on this machine, null when the price is not known. */
export async function priceCall(call: PricedCall): Promise<number | null> {
  if (call.provider === "ollama") return 0;
  if (call.provider === "openai-compatible" && isLocalUrl(call.baseUrl)) {
    // A local gateway to a hosted model is not free; what it costs is not known here.
    return call.models.some((model) => inferProvider(model) !== undefined) ? null : 0;
  }
  if (call.usage === undefined) return null;
  const found = await findModelInfo(call);
  return found === undefined ? null : costNanoUsd(found.model_price, call.usage);
}

/** What is known of the first of these models that is known, with the prices of this moment. */
export async function findModelInfo(call: Omit<PricedCall, "usage">) {
  const { calcPrice } = await import("@pydantic/genai-prices");
  const providerId = REAL_PROVIDERS[call.provider].priceId;
  const options = {
    timestamp: new Date(call.nowMs),
    ...(providerId === undefined ? { providerApiUrl: call.baseUrl } : { providerId }),
  };
  for (const model of call.models) {
    const found = calcPrice({ input_tokens: 0, output_tokens: 0 }, model, options);
    if (found) return found;
  }
  return undefined;
}

function costNanoUsd(prices: Prices, usage: Usage): number | null {
  if (prices["input_mtok"] === undefined || prices["output_mtok"] === undefined) return null;
  const cached = usage.cacheRead + usage.cacheWrite;
  const input = Math.max(usage.input, cached);
  // Cached tokens without a price of their own are paid as input, thoughts as output.
  const priced: readonly (readonly [key: string, otherwise: string, tokens: number])[] = [
    ["input_mtok", "input_mtok", input - cached],
    ["cache_read_mtok", "input_mtok", usage.cacheRead],
    ["cache_write_mtok", "input_mtok", usage.cacheWrite],
    ["output_mtok", "output_mtok", Math.max(0, usage.output - usage.reasoning)],
    ["output_reasoning_mtok", "output_mtok", usage.reasoning],
  ];
  let pico = BigInt(Math.round(priceAt(prices["requests_kcount"], input) * PICO_USD_PER_REQUEST));
  for (const [key, otherwise, tokens] of priced) {
    const price = priceAt(prices[key] ?? prices[otherwise], input);
    pico += BigInt(tokens) * BigInt(Math.round(price * PICO_USD_PER_TOKEN));
  }
  return Number((pico + PICO_PER_NANO / 2n) / PICO_PER_NANO);
}

/** Prices may rise with the length of the whole prompt. */
function priceAt(price: Prices[string], inputTokens: number): number {
  if (price === undefined || typeof price === "number") return price ?? 0;
  let current = price.base;
  for (const tier of price.tiers) if (inputTokens > tier.start) current = tier.price;
  return current;
}
