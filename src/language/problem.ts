/** A problem as terminal text. */
import type { Problem } from "../domain/workflow.ts";

export const PROBLEM_WIDTH_MAX = 80;
const INDENT = "  ";
/** Columns of a long source line that are shown before the offending text, at least. */
const LEAD_COLUMNS = 20;
/** A line may be as long as the file; this much on either side is more than is shown. */
const EXCERPT_CHARS_MAX = 200;
const ELLIPSIS = "…";

/**
 * The problem as lines of at most 80 columns without colours: place, severity and message; the
 * source line with a caret; the nearest valid name; the fix. The end of a line has no newline.
 */
export function formatProblem(problem: Problem, source: string, file: string): string {
  const place = `:${problem.line}:${problem.column}:`;
  const head = `${shortFile(file, PROBLEM_WIDTH_MAX - place.length)}${place}`;
  const lines = wrap("", `${head} ${problem.severity}: ${printable(problem.message)}`, INDENT);
  lines.push(...excerpt(problem, source));
  if (problem.suggestion !== undefined)
    lines.push(...wrap(INDENT, `Did you mean \`${printable(problem.suggestion)}\`?`, INDENT));
  if (problem.fix !== undefined)
    lines.push(...wrap(INDENT, `Fix: ${printable(problem.fix)}`, `${INDENT}     `));
  return lines.join("\n");
}

/** A path that fits: its end is what tells files apart. */
function shortFile(file: string, columnCount: number): string {
  const name = printable(file);
  if (Bun.stringWidth(name) <= columnCount) return name;
  const characters = Array.from(name);
  while (Bun.stringWidth(characters.join("")) > columnCount - ELLIPSIS.length) characters.shift();
  return `${ELLIPSIS}${characters.join("")}`;
}

/** The line of the problem and a line with carets below the offending text. */
function excerpt(problem: Problem, source: string): string[] {
  const line = source.split("\n", problem.line)[problem.line - 1]?.replace(/\r$/, "") ?? "";
  if (line.trim() === "") return [];
  const gutter = `${String(problem.line).padStart(4)} | `;
  const at = problem.column - 1;
  const from = Math.max(0, at - EXCERPT_CHARS_MAX);
  const before = cells(line.slice(from, at));
  const rest = cells(line.slice(at, at + EXCERPT_CHARS_MAX));
  const room = PROBLEM_WIDTH_MAX - gutter.length;
  const isLong = from > 0 || widthOf([...before, ...rest]) > room;
  const leadColumns = Math.max(LEAD_COLUMNS, room - ELLIPSIS.length - widthOf(rest));
  const cut = isLong ? before.length - lastThatFit(before, leadColumns) : 0;
  const lead = cut > 0 ? [ELLIPSIS, ...before.slice(cut)] : before;
  const tailRoom = room - widthOf(lead);
  const tail =
    widthOf(rest) <= tailRoom
      ? rest
      : [...rest.slice(0, firstThatFit(rest, tailRoom - 1)), ELLIPSIS];
  const isHere = problem.text !== undefined && line.startsWith(problem.text, problem.column - 1);
  const wanted = isHere ? widthOf(cells(problem.text ?? "")) : 1;
  const carets = "^".repeat(Math.max(1, Math.min(wanted, widthOf(tail))));
  return [
    `${gutter}${[...lead, ...tail].join("")}`,
    `${" ".repeat(gutter.length - 2)}| ${" ".repeat(widthOf(lead))}${carets}`,
  ];
}

/** The text in characters as they are shown. */
function cells(text: string): string[] {
  const segments = new Intl.Segmenter(undefined, { granularity: "grapheme" }).segment(
    printable(text),
  );
  return Array.from(segments, ({ segment }) => segment);
}

function widthOf(shown: readonly string[]): number {
  return Bun.stringWidth(shown.join(""));
}

function firstThatFit(shown: readonly string[], columnCount: number): number {
  let count = 0;
  let width = 0;
  for (const cell of shown) {
    width += Bun.stringWidth(cell);
    if (width > columnCount) break;
    count += 1;
  }
  return count;
}

function lastThatFit(shown: readonly string[], columnCount: number): number {
  return firstThatFit(shown.toReversed(), columnCount);
}

/** A file may hold anything: control characters would reach the terminal and act there. */
function printable(text: string): string {
  return text.replaceAll("\t", " ").replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, "\uFFFD");
}

/**
 * Breaks at spaces; a word that is wider than a line is broken where the line ends.
 * @param first Indentation of the first line. @param hanging That of the others.
 */
function wrap(first: string, text: string, hanging: string): string[] {
  const lines: string[] = [];
  let line = first;
  let isEmpty = true;
  for (const word of text.split(" ")) {
    const longer = isEmpty ? `${line}${word}` : `${line} ${word}`;
    if (Bun.stringWidth(longer) <= PROBLEM_WIDTH_MAX) {
      line = longer;
    } else {
      if (!isEmpty) lines.push(line);
      const pieces = breakWord(`${isEmpty ? line : hanging}${word}`, hanging);
      lines.push(...pieces.slice(0, -1));
      line = pieces.at(-1) ?? hanging;
    }
    isEmpty = false;
  }
  return [...lines, line];
}

function breakWord(text: string, hanging: string): string[] {
  const pieces: string[] = [];
  let rest = Array.from(text);
  while (widthOf(rest) > PROBLEM_WIDTH_MAX) {
    const count = firstThatFit(rest, PROBLEM_WIDTH_MAX);
    pieces.push(rest.slice(0, count).join(""));
    rest = Array.from(`${hanging}${rest.slice(count).join("")}`);
  }
  return [...pieces, rest.join("")];
}
