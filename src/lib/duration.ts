/** A time span as people write it: `90s`, `15m`, `2h`, `14d`, `1.5h`. */
export const DURATION = /^\d+(?:\.\d+)?\s*(?:ms|s|m|h|d)$/;

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** Milliseconds, or undefined for a text that is no time span. */
export function parseDurationMs(text: string): number | undefined {
  const word = text.trim();
  if (!DURATION.test(word)) return undefined;
  const unit = /[a-z]+$/.exec(word)?.[0] ?? "";
  return Math.round(Number.parseFloat(word) * (UNIT_MS[unit] ?? 1));
}
