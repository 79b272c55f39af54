/** How tools word what they tell the model: short, and cut where it would take the place of the rest. */
import type { Problem } from "../../../domain/workflow.ts";
import { clip } from "../../../lib/clip.ts";
import type { Json, JsonObject } from "../../../lib/json.ts";

const PROBLEM_COUNT_MAX = 30;

/** `2026-05-01 12:00:00 UTC`. */
export function timeText(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

export function valueText(value: Json, charsMax: number): string {
  const text = JSON.stringify(value);
  const more = text.length - charsMax;
  return more > 0 ? `${clip(text, charsMax)} (cut, ${text.length} characters in all)` : text;
}

/** One line for each key, each cut, and those that come too late left out. */
export function objectLines(
  values: JsonObject,
  limits: { readonly valueCharsMax: number; readonly charsMax: number },
): string[] {
  const lines: string[] = [];
  let left = limits.charsMax;
  const entries = Object.entries(values);
  for (const [index, [name, value]] of entries.entries()) {
    const line = `- ${clip(name, 80)}: ${valueText(value, limits.valueCharsMax)}`;
    if (line.length > left) return [...lines, `- … ${entries.length - index} more left out`];
    left -= line.length;
    lines.push(line);
  }
  return lines;
}

/** With their places in the text, errors first. */
export function problemLines(problems: readonly Problem[], source: string): string[] {
  const lines = source.split("\n");
  const sorted = problems.toSorted((a, b) => rank(a) - rank(b));
  const told = sorted.slice(0, PROBLEM_COUNT_MAX).map((problem) => {
    const { severity, line, column, message, fix, suggestion } = problem;
    const meant = suggestion === undefined ? "" : ` Did you mean \`${suggestion}\`?`;
    const mend = fix === undefined ? "" : ` Fix: ${fix}`;
    const text = clip(lines[line - 1]?.trim() ?? "", 120);
    return `- ${severity}, line ${line}, column ${column}: ${message}${meant}${mend}\n    ${text}`;
  });
  const more = sorted.length - told.length;
  return more > 0 ? [...told, `… and ${more} more`] : told;
}

function rank({ severity }: Problem): number {
  return severity === "error" ? 0 : 1;
}
