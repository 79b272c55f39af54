/** JSON as the formatter writes it: a list of plain values stands on one line where it fits. */
import { isJsonObject, type Json } from "../../src/lib/json.ts";

const COLUMNS_MAX = 100;

export function jsonText(value: Json): string {
  return `${write(value, "", 0)}\n`;
}

/** @param lead Characters before the value on its line. */
function write(value: Json, indent: string, lead: number): string {
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    const items: readonly Json[] = value;
    const isPlain = items.every((item) => typeof item !== "object" || item === null);
    const line = `[${items.map((item) => JSON.stringify(item)).join(", ")}]`;
    if (isPlain && lead + line.length + 1 <= COLUMNS_MAX) return line;
    const lines = items.map((item) => `${inner}${write(item, inner, inner.length)}`);
    return `[\n${lines.join(",\n")}\n${indent}]`;
  }
  if (!isJsonObject(value)) return JSON.stringify(value);
  const entries = Object.entries(value);
  if (entries.length === 0) return "{}";
  const lines = entries.map(([key, item]) => {
    const head = `${inner}${JSON.stringify(key)}: `;
    return `${head}${write(item, inner, head.length)}`;
  });
  return `{\n${lines.join(",\n")}\n${indent}}`;
}
