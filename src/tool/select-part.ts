import { AppError } from "../domain/error.ts";
import type { Json } from "../lib/json.ts";

const KEYS_SHOWN_MAX = 20;

/** The part of a value at a path such as `items.0.name`. @throws AppError `invalid` that names what is there. */
export function selectPart(value: Json, path: string): Json {
  let current = value;
  for (const key of path.split(".").filter((part) => part !== "" && part !== "$")) {
    const next = own(current, key);
    if (next === undefined) {
      throw new AppError("invalid", `There is nothing at "${key}" of the path "${path}".`, {
        fix: `Use one of: ${keysOf(current)}.`,
      });
    }
    current = next;
  }
  return current;
}

/** Only what the value itself holds, so `constructor` and `length` lead nowhere. */
function own(value: Json, key: string): Json | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  return new Map<string, Json>(Object.entries(value)).get(key);
}

function keysOf(value: Json): string {
  if (typeof value !== "object" || value === null) return "no further path, this is a plain value";
  const keys = Object.keys(value);
  return keys.length === 0
    ? "no further path, this is empty"
    : keys.slice(0, KEYS_SHOWN_MAX).join(", ");
}
