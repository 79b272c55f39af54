/** A value that JSON can hold. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

/** True for a plain JSON object: not null, not a list. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** undefined when the text is not JSON. */
export function parseJson(text: string): Json | undefined {
  try {
    const value: Json = JSON.parse(text);
    return value;
  } catch {
    return undefined;
  }
}

/** The value as lines to be compared: keys in the order of the alphabet, long texts broken where they have breaks. */
export function jsonLines(value: Json): string {
  return linesOf(value, "").join("\n");
}

function linesOf(value: Json, indent: string): string[] {
  if (typeof value === "string" && value.includes("\n")) {
    return ["|", ...value.split("\n").map((line) => `${indent}  ${line}`)];
  }
  if (Array.isArray(value) && value.length > 0) {
    return [
      "",
      ...value.flatMap((item: Json) => joined(`${indent}- `, linesOf(item, `${indent}  `))),
    ];
  }
  if (isJsonObject(value) && Object.keys(value).length > 0) {
    const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
    const lines = entries.flatMap(([name, item]) =>
      joined(`${indent}${name}: `, linesOf(item, `${indent}  `)),
    );
    return indent === "" ? lines : ["", ...lines];
  }
  return [JSON.stringify(value)];
}

function joined(head: string, [first = "", ...rest]: string[]): string[] {
  return [`${head}${first}`.trimEnd(), ...rest];
}
