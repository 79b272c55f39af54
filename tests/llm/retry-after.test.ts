import { expect, test } from "bun:test";
import { readRetryAfterMs } from "../../src/llm/retry-after.ts";

const NOW = Date.parse("2026-11-20T12:00:00Z");
const read = (headers: Record<string, string>, body = "") =>
  readRetryAfterMs({ headers, body, nowMs: NOW });

for (const [name, headers, expected] of [
  ["retry-after in seconds", { "retry-after": "20" }, 20_000],
  ["retry-after of days", { "retry-after": "172800" }, 172_800_000],
  ["retry-after as a date", { "retry-after": "Fri, 20 Nov 2026 12:01:30 GMT" }, 90_000],
  ["retry-after in the past", { "retry-after": "Fri, 20 Nov 2026 11:00:00 GMT" }, 0],
  ["retry-after-ms before retry-after", { "retry-after-ms": "350", "retry-after": "1" }, 350],
  ["OpenAI's duration", { "x-ratelimit-reset-requests": "1h6m0.5s" }, 3_960_500],
  ["OpenAI's milliseconds", { "x-ratelimit-reset-tokens": "20ms" }, 20],
  [
    "OpenAI: only the limit that is used up",
    {
      "x-ratelimit-remaining-requests": "4999",
      "x-ratelimit-reset-requests": "6m0s",
      "x-ratelimit-remaining-tokens": "0",
      "x-ratelimit-reset-tokens": "1.5s",
    },
    1_500,
  ],
  [
    "the last of several limits when none says that it is used up",
    { "x-ratelimit-reset-requests": "2s", "x-ratelimit-reset-tokens": "9s" },
    9_000,
  ],
  ["Anthropic's time", { "anthropic-ratelimit-requests-reset": "2026-11-20T12:00:45Z" }, 45_000],
  ["epoch seconds", { "x-ratelimit-reset": String(NOW / 1_000 + 30) }, 30_000],
  ["epoch milliseconds", { "x-ratelimit-reset": String(NOW + 30_000) }, 30_000],
  ["seconds to wait", { "x-ratelimit-reset": "12" }, 12_000],
  ["nothing", { "content-type": "text/plain" }, undefined],
  ["nonsense", { "retry-after": "soon", "x-ratelimit-reset": "later" }, undefined],
] as const) {
  test(`readRetryAfterMs() reads ${name}`, () => {
    expect(read(headers)).toBe(expected);
  });
}

test("readRetryAfterMs() reads the body when the headers say nothing", () => {
  expect(read({}, '{"retryDelay": "34.074824224s"}')).toBe(34_075);
  expect(read({}, "Rate limit reached. Please try again in 1m20.5s. Visit")).toBe(80_500);
  expect(read({}, "Please try again in 240ms.")).toBe(240);
  expect(read({}, "Try again later.")).toBeUndefined();
});
