/** Numbers, times and tables as people read them in a terminal; pure. */
import type { Totals } from "../domain/run.ts";

const NANO_PER_USD = 1_000_000_000;
const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** To what width columns give way before the first one does. */
const OTHER_COLUMN_MIN = 6;

/** `340 ms`, `2.1 s`, `3 min 12 s`, `2 h 5 min`, `13 d 4 h`. */
export function formatDuration(ms: number): string {
  if (ms < SECOND_MS) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < MINUTE_MS) return `${(Math.floor(ms / 100) / 10).toFixed(1)} s`;
  if (ms < HOUR_MS) {
    return `${Math.floor(ms / MINUTE_MS)} min ${Math.floor((ms % MINUTE_MS) / SECOND_MS)} s`;
  }
  if (ms < DAY_MS) {
    return `${Math.floor(ms / HOUR_MS)} h ${Math.floor((ms % HOUR_MS) / MINUTE_MS)} min`;
  }
  return `${Math.floor(ms / DAY_MS)} d ${Math.floor((ms % DAY_MS) / HOUR_MS)} h`;
}

/** `just now`, `5 min ago`, `3 h ago`, `2026-11-20`. */
export function formatAge(at: number, nowMs: number): string {
  const ms = nowMs - at;
  if (ms < MINUTE_MS) return "just now";
  if (ms < HOUR_MS) return `${Math.floor(ms / MINUTE_MS)} min ago`;
  if (ms < DAY_MS) return `${Math.floor(ms / HOUR_MS)} h ago`;
  return new Date(at).toISOString().slice(0, 10);
}

/** `2026-12-04 14:25`, in the time of this machine. */
export function formatTime(at: number): string {
  // Swedish writes dates as ISO does.
  return new Date(at).toLocaleString("sv-SE").slice(0, "2026-12-04 14:25".length);
}

export function formatCount(count: number): string {
  return count.toLocaleString("en-US");
}

export function formatTokens(totals: Pick<Totals, "usage">): string {
  return `${formatCount(totals.usage.input + totals.usage.output)} tokens`;
}

/** `$0.0012`; says so when the prices of some or all calls are not known. */
export function formatCost(totals: Pick<Totals, "costNanoUsd" | "unpricedCount">): string {
  const usd = totals.costNanoUsd / NANO_PER_USD;
  if (totals.unpricedCount > 0) return usd === 0 ? "cost unknown" : `at least ${formatUsd(usd)}`;
  return formatUsd(usd);
}

function formatUsd(usd: number): string {
  if (usd === 0) return "$0";
  if (usd >= 1) return `$${usd.toFixed(2)}`;
  return `$${usd.toFixed(6).replace(/0{1,4}$/, "")}`;
}

/** `1 item`, `1,200 items`. */
export function plural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? "" : "s"}`;
}

export function toUsd(nanoUsd: number): number {
  return nanoUsd / NANO_PER_USD;
}

/** Cuts text to a width, with an ellipsis; colours are kept. */
export function cut(text: string, columns: number): string {
  if (columns <= 0) return "";
  if (Bun.stringWidth(text) <= columns) return text;
  return Bun.sliceAnsi(text, 0, columns, { ellipsis: "…" });
}

/** Pads by visible width. */
export function pad(text: string, columns: number): string {
  return text + " ".repeat(Math.max(0, columns - Bun.stringWidth(text)));
}

/**
 * Columns as wide as their widest cell; the widest one gives way until the table fits. The first column
 * names the row (an id that is typed again), so it is cut only when the others cannot give more.
 */
export function formatTable(rows: readonly (readonly string[])[], columns: number): string[] {
  const gap = 2;
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => Bun.stringWidth(row[column] ?? ""))),
  );
  const available = columns - gap * (widths.length - 1);
  let excess = widths.reduce((sum, width) => sum + width, 0) - available;
  while (excess > 0) {
    const others = Math.max(0, ...widths.slice(1));
    const widest = others > OTHER_COLUMN_MIN ? widths.indexOf(others, 1) : 0;
    widths[widest] = (widths[widest] ?? 0) - 1;
    excess -= 1;
  }
  return rows.map((row) =>
    row
      .map((cell, column) => pad(cut(cell, widths[column] ?? 0), widths[column] ?? 0))
      .join(" ".repeat(gap))
      .trimEnd(),
  );
}

/** Text from outside as it may be shown: without control characters that could steer the terminal. */
export function printable(text: string): string {
  // eslint-disable-next-line no-control-regex -- Control characters are what is looked for.
  return Bun.stripANSI(text).replaceAll(/[\u0000-\u0008\u000B-\u001F\u007F-\u009F]/g, "");
}
