/** Which time the metrics page shows: whole hours up to now, or whole days of UTC. */
import { HOURS_KEPT_MS } from "../domain/metrics.ts";
import {
  METRICS_RANGES,
  type MetricsChoice,
  type MetricsPreset,
} from "../../views/part/metrics.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const PRESET_DEFAULT: MetricsPreset = "7d";
const PRESETS: Readonly<Record<MetricsPreset, { lengthMs: number; spanMs: number }>> = {
  "24h": { lengthMs: DAY_MS, spanMs: HOUR_MS },
  "7d": { lengthMs: 7 * DAY_MS, spanMs: 6 * HOUR_MS },
  "30d": { lengthMs: 30 * DAY_MS, spanMs: DAY_MS },
  "90d": { lengthMs: 90 * DAY_MS, spanMs: DAY_MS },
};
/** Bars of a range of one's own. */
const SPAN_COUNT_MAX = 92;
const CUSTOM_DAYS_MAX = 3_660;

/** @param query What is asked for, all of it optional: `range`, `from`, `to`, `workflow`. */
export function readMetricsChoice(
  query: (name: string) => string | undefined,
  nowMs: number,
): MetricsChoice {
  const given = query("range");
  const isCustom = given === "custom";
  const preset = METRICS_RANGES.find((one) => one === given) ?? PRESET_DEFAULT;
  const usual = presetRange(preset, nowMs);
  const from = query("from") ?? "";
  const to = query("to") ?? "";
  const workflowId = query("workflow") || undefined;
  const days = { from: from || dayOf(usual.sinceMs), to: to || dayOf(usual.untilMs - 1) };
  if (!isCustom) {
    const shown = { from: dayOf(usual.sinceMs), to: dayOf(usual.untilMs - 1) };
    return { preset, ...usual, ...shown, workflowId, fault: undefined };
  }
  const [sinceMs, lastMs] = [midnight(days.from), midnight(days.to)];
  const fault = faultOf(sinceMs, lastMs);
  if (fault !== undefined || sinceMs === undefined || lastMs === undefined)
    return { preset: "custom", ...usual, ...days, workflowId, fault };
  const range = customRange(sinceMs, lastMs + DAY_MS, nowMs);
  return { preset: "custom", ...range, ...days, workflowId, fault: undefined };
}

function presetRange(preset: MetricsPreset, nowMs: number) {
  const { lengthMs, spanMs } = PRESETS[preset];
  // The hour, or day, that has begun is the last one.
  const edge = Math.max(HOUR_MS, spanMs >= DAY_MS ? DAY_MS : HOUR_MS);
  const untilMs = (Math.floor(nowMs / edge) + 1) * edge;
  return { sinceMs: untilMs - lengthMs, untilMs, spanMs };
}

function customRange(sinceMs: number, untilMs: number, nowMs: number) {
  const days = (untilMs - sinceMs) / DAY_MS;
  // Hours are kept for a while only.
  const hasHours = days <= 2 && sinceMs > nowMs - HOURS_KEPT_MS + DAY_MS;
  const spanMs = hasHours ? HOUR_MS : Math.ceil(days / SPAN_COUNT_MAX) * DAY_MS;
  return { sinceMs, untilMs, spanMs };
}

function faultOf(sinceMs: number | undefined, lastMs: number | undefined): string | undefined {
  if (sinceMs === undefined || lastMs === undefined)
    return "Give both days, as in 2026-11-20. Shown are the last 7 days.";
  if (lastMs < sinceMs) return "The last day is before the first. Shown are the last 7 days.";
  if ((lastMs - sinceMs) / DAY_MS >= CUSTOM_DAYS_MAX)
    return "Ten years are the most. Shown are the last 7 days.";
  return undefined;
}

/** Undefined for what is no day. */
function midnight(text: string): number | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return undefined;
  const at = Date.parse(`${text}T00:00:00Z`);
  return Number.isNaN(at) || dayOf(at) !== text ? undefined : at;
}

function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, "2026-11-20".length);
}
