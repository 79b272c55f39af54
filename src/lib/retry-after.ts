/**
 * Milliseconds that an HTTP answer asks to wait, from its header `Retry-After` (seconds or a date);
 * undefined when it says nothing that can be read. Never negative. Header names are in lower case.
 */
export function retryAfterMs(
  headers: Readonly<Record<string, string>>,
  nowMs: number,
): number | undefined {
  const value = headers["retry-after"]?.trim();
  if (value === undefined || value === "") return undefined;
  const seconds = Number(value);
  const ms = Number.isFinite(seconds) ? seconds * 1_000 : Date.parse(value) - nowMs;
  return Number.isNaN(ms) ? undefined : Math.max(0, Math.ceil(ms));
}
