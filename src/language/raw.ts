/**
 * Careful reading of a file whose shape may be wrong: what is not as it should be is undefined here,
 * and has been reported by the shape check. So the other checks go on with what is left.
 */
import { isJsonObject, type Json, type JsonObject } from "../lib/json.ts";
import type { Path } from "./report.ts";

const NOTHING: JsonObject = {};

export function mapOf(value: Json | undefined): JsonObject {
  return isJsonObject(value) ? value : NOTHING;
}

export function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

/** The text of a string that is not blank, trimmed. */
export function textOf(value: Json | undefined): string | undefined {
  const text = typeof value === "string" ? value.trim() : "";
  return text === "" ? undefined : text;
}

export function numberOf(value: Json | undefined): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

/** The member itself, never an inherited one; null counts as absent, as in CA. */
export function member(value: Json | undefined, key: string): Json | undefined {
  if (!isJsonObject(value) || !Object.hasOwn(value, key)) return undefined;
  return value[key] ?? undefined;
}

export function valueAt(value: Json | undefined, path: Path): Json | undefined {
  let inside = value;
  for (const key of path) {
    if (typeof key === "number") inside = listOf(inside)[key];
    else inside = isJsonObject(inside) && Object.hasOwn(inside, key) ? inside[key] : undefined;
  }
  return inside;
}

/** The paths that a pattern such as `nodes[].llm` has in a file. */
export function pathsOf(file: Json, pattern: string): Path[] {
  let paths: Path[] = [[]];
  for (const part of pattern.split(".")) {
    const name = part.replace("[]", "");
    const isList = part.endsWith("[]");
    paths = paths.flatMap((path) => {
      const found = path.concat(name);
      if (!isList) return [found];
      return listOf(valueAt(file, found)).map((_, index) => found.concat(index));
    });
  }
  return paths.filter((path) => (valueAt(file, path) ?? null) !== null);
}

/** The pattern of a path: `nodes[].llm` for `nodes[3].llm`. */
export function patternOf(path: Path): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === "number") return `${text}[]`;
    return text === "" ? key : `${text}.${key}`;
  }, "");
}
