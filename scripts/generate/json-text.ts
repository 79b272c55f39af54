/** JSON as the formatter writes it: a list of plain values stands on one line where it fits. */
import { isJsonObject, type Json } from "../../src/lib/json.ts";

const COLUMNS_MAX = 100;

export function jsonText(value: Json): string {
  return `${write(value, { indent: "", before: 0, after: 0 })}\n`;
}

interface Place {
  readonly indent: string;
  /** Characters before the value on its line, and behind it. */
  readonly before: number;
  readonly after: number;
}

function write(value: Json, { indent, before, after }: Place): string {
  const inner = `${indent}  `;
  // All but the last have a comma behind them.
  const placeOf = (head: string, isLast: boolean): Place => ({
    indent: inner,
    before: head.length,
    after: isLast ? 0 : 1,
  });
  if (Array.isArray(value)) {
    const items: readonly Json[] = value;
    const isPlain = items.every((item) => typeof item !== "object" || item === null);
    const line = `[${items.map((item) => JSON.stringify(item)).join(", ")}]`;
    if (isPlain && before + line.length + after <= COLUMNS_MAX) return line;
    const lines = items.map(
      (item, index) => inner + write(item, placeOf(inner, index === items.length - 1)),
    );
    return `[\n${lines.join(",\n")}\n${indent}]`;
  }
  if (!isJsonObject(value)) return JSON.stringify(value);
  const entries = Object.entries(value);
  if (entries.length === 0) return "{}";
  const lines = entries.map(([key, item], index) => {
    const head = `${inner}${JSON.stringify(key)}: `;
    return head + write(item, placeOf(head, index === entries.length - 1));
  });
  return `{\n${lines.join(",\n")}\n${indent}}`;
}
