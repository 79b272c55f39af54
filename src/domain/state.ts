/** How the state of a run changes. Pure: the engine and every store compute the same. */
import { isJsonObject, type Json, type JsonObject } from "../lib/json.ts";
import type { MergeMode } from "./workflow.ts";

/** Merge modes other than `last`, by field. */
export type MergeModes = Readonly<Record<string, MergeMode>>;

/** Lays a step's patch over the values, each field by its mode. */
export function applyPatch(values: JsonObject, patch: JsonObject, modes: MergeModes): JsonObject {
  const merged = Object.entries(patch).map(([name, next]): [string, Json] => {
    const before = Object.hasOwn(values, name) ? values[name] : undefined;
    const mode = Object.hasOwn(modes, name) ? modes[name] : undefined;
    return [name, mergeValue(mode ?? "last", before ?? null, next)];
  });
  return { ...values, ...Object.fromEntries(merged) };
}

/** null is "nothing yet" on either side, except that `last` writes it. */
function mergeValue(mode: MergeMode, before: Json, next: Json): Json {
  if (mode === "last") return next;
  if (next === null) return before;
  switch (mode) {
    case "append":
      return [...toList(before), ...toList(next)];
    case "union":
      return unique([...toList(before), ...toList(next)]);
    case "object":
      return isJsonObject(before) && isJsonObject(next) ? { ...before, ...next } : next;
    case "sum":
    case "min":
    case "max":
      return typeof before === "number" && typeof next === "number"
        ? NUMBERS[mode](before, next)
        : next;
  }
}

const NUMBERS = {
  sum: (left: number, right: number) => left + right,
  min: Math.min,
  max: Math.max,
} as const;

function toList(value: Json): readonly Json[] {
  if (value === null) return [];
  return Array.isArray(value) ? value : [value];
}

/** Equal means equal as JSON with sorted keys. */
function unique(values: readonly Json[]): Json[] {
  return [...new Map(values.map((value) => [canonical(value), value])).values()];
}

function canonical(value: Json): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
