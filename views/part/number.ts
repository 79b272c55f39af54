/** A whole number with separators: `12,345`. */
export function formatCount(count: number): string {
  return String(Math.round(count)).replaceAll(/\B(?=(?:\d{3})+$)/g, ",");
}

/** A number that must stay short: `950`, `12.3k`, `4.5M`. */
export function formatShort(count: number): string {
  if (count < 1000) return String(Math.round(count));
  if (count < 999_500) return `${trim(count / 1000)}k`;
  if (count < 999_500_000) return `${trim(count / 1_000_000)}M`;
  return `${trim(count / 1_000_000_000)}G`;
}

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"] as const;

export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? value : trim(value)} ${UNITS[unit] ?? "B"}`;
}

/** `1 run`, `2 runs`. */
export function plural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? "" : "s"}`;
}

function trim(value: number): string {
  return value < 99.95 ? value.toFixed(1).replace(/\.0$/, "") : String(Math.round(value));
}
