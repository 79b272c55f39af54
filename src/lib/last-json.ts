import { type Json, parseJson } from "./json.ts";

/** Lines with brackets, from the beginning and from the end, on which the JSON may begin. */
const LINE_COUNT_MAX = 200;

/**
 * The JSON that a program has written: all of its output, else the object or list at its end, on one line or
 * on many, with a log before it, or the last one of JSON Lines. undefined when there is none.
 */
export function lastJson(output: string): Json | undefined {
  const whole = parseJson(output.trim());
  if (whole !== undefined) return whole;
  const end = Math.max(output.lastIndexOf("}"), output.lastIndexOf("]")) + 1;
  // What begins first is the outermost. After a long log it is looked for from the end.
  for (const start of starts(output.slice(0, end))) {
    const value = parseJson(output.slice(start, end));
    if (value !== undefined) return value;
  }
  return undefined;
}

/** Offsets of the first bracket of either kind in each line, in order. */
function starts(text: string): number[] {
  const lines = [...text.matchAll(/^[^\n]*[[{][^\n]*/gm)];
  const near =
    lines.length <= 2 * LINE_COUNT_MAX
      ? lines
      : [...lines.slice(0, LINE_COUNT_MAX), ...lines.slice(-LINE_COUNT_MAX)];
  return near.flatMap(({ 0: line, index }) =>
    ["{", "["].flatMap((bracket) => {
      const at = line.indexOf(bracket);
      return at < 0 ? [] : [index + at];
    }),
  );
}
