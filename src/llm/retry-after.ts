/** When a provider says that it may be asked again. Every form that the five providers use, any length. */

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
/** `x-ratelimit-reset` is seconds to wait, epoch seconds or epoch milliseconds; these tell them apart. */
const EPOCH_SECONDS_MIN = 1_000_000_000;
const EPOCH_MS_MIN = 1_000_000_000_000;

export interface RetryHint {
  readonly headers: Readonly<Record<string, string>>;
  /** The answer's body, where Google and others write the delay. */
  readonly body: string;
  readonly nowMs: number;
}

/** Milliseconds to wait, as the answer asks; undefined when it says nothing. Never negative. */
export function readRetryAfterMs(hint: RetryHint): number | undefined {
  const ms = fromRetryAfter(hint) ?? fromBody(hint.body) ?? fromResets(hint);
  return ms === undefined ? undefined : Math.max(0, Math.ceil(ms));
}

function fromRetryAfter({ headers, nowMs }: RetryHint): number | undefined {
  const exact = Number(headers["retry-after-ms"] ?? Number.NaN);
  if (Number.isFinite(exact)) return exact;
  const value = headers["retry-after"];
  if (value === undefined) return undefined;
  const seconds = Number(value);
  return Number.isFinite(seconds) ? seconds * 1_000 : untilDate(value, nowMs);
}

/** Google's RetryInfo, and the sentence "Please try again in 1m20.5s" of OpenAI and Groq. */
function fromBody(body: string): number | undefined {
  const text =
    /"retryDelay"\s*:\s*"([^"]+)"/.exec(body)?.[1] ??
    /(?:try again|retry) in ((?:\d+(?:\.\d+)?\s?(?:ms|s|m|h|d)\s?)+)/i.exec(body)?.[1];
  return text === undefined ? undefined : parseDuration(text);
}

/**
 * Several limits may be reported, each with what remains of it. Those that are used up count; when
 * none is, the last one to be reset is the safe one.
 */
function fromResets({ headers, nowMs }: RetryHint): number | undefined {
  const limits = Object.entries(headers).flatMap(([name, value]) => {
    if (!/ratelimit.*reset|reset.*ratelimit/.test(name)) return [];
    const ms = parseReset(value, nowMs);
    if (ms === undefined) return [];
    const remaining = headers[name.replace("reset", "remaining")];
    return [{ ms, isUsedUp: remaining !== undefined && Number(remaining) === 0 }];
  });
  const usedUp = limits.filter((limit) => limit.isUsedUp);
  const relevant = usedUp.length > 0 ? usedUp : limits;
  return relevant.length === 0 ? undefined : Math.max(...relevant.map((limit) => limit.ms));
}

function parseReset(value: string, nowMs: number): number | undefined {
  const number = Number(value);
  if (!Number.isFinite(number)) return parseDuration(value) ?? untilDate(value, nowMs);
  if (number >= EPOCH_MS_MIN) return number - nowMs;
  return number >= EPOCH_SECONDS_MIN ? number * 1_000 - nowMs : number * 1_000;
}

/** `6m0s`, `1h2m3.5s`, `20ms`. */
function parseDuration(text: string): number | undefined {
  const trimmed = text.trim();
  if (!/^(?:\d+(?:\.\d+)?\s?(?:ms|s|m|h|d)\s?)+$/.test(trimmed)) return undefined;
  let ms = 0;
  for (const [, amount, unit] of trimmed.matchAll(/(\d+(?:\.\d+)?)\s?(ms|s|m|h|d)/g)) {
    ms += Number(amount) * (UNIT_MS[unit ?? ""] ?? 0);
  }
  return ms;
}

function untilDate(text: string, nowMs: number): number | undefined {
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : at - nowMs;
}
