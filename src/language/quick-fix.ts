/** Where a problem stands in characters of the text, and what to write there when that alone mends it. */
import type { Problem } from "../domain/workflow.ts";

export interface ProblemRange {
  readonly from: number;
  /** After the last character; the same as `from` where something is missing. */
  readonly to: number;
}

export interface QuickFix extends ProblemRange {
  readonly insert: string;
}

/** A name, with the quotes or the brace around it that belong to the text. */
const WORD = /^(?<open>["'{]?)(?<name>[\p{L}_][\p{L}\p{N}_.-]*)(?<close>["'}]?)$/u;

/** @param lineStarts As `lineStartsOf` gives them. */
export function rangeOfProblem(
  problem: Problem,
  source: string,
  lineStarts: readonly number[],
): ProblemRange {
  const start = lineStarts[problem.line - 1];
  const from = Math.min(source.length, (start ?? source.length) + problem.column - 1);
  const text = problem.text ?? "";
  return { from, to: source.startsWith(text, from) ? from + text.length : from };
}

/** Undefined where more is needed than another word in the place of this one. */
export function quickFixOf(
  problem: Problem,
  source: string,
  lineStarts: readonly number[],
): QuickFix | undefined {
  if (problem.suggestion === undefined) return undefined;
  const { from, to } = rangeOfProblem(problem, source, lineStarts);
  const word = WORD.exec(source.slice(from, to))?.groups;
  if (word === undefined) return undefined;
  // The suggestion for a placeholder has its braces; two of them would stand for a brace.
  const name = problem.suggestion.replace(/^\{(.*)\}$/, "$1");
  const insert =
    word["open"] === "{" ? `{${name}}` : `${word["open"]}${problem.suggestion}${word["close"]}`;
  return { from, to, insert };
}

export function lineStartsOf(source: string): number[] {
  const starts = [0];
  for (let at = source.indexOf("\n"); at >= 0; at = source.indexOf("\n", at + 1))
    starts.push(at + 1);
  return starts;
}
