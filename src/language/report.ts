/** Collects problems: turns a path in the file into a place in its text. */
import type { Problem } from "../domain/workflow.ts";
import { defined } from "../lib/defined.ts";
import { nearest } from "../lib/nearest.ts";

/** A file that is wrong throughout is described by this many problems and a count of the rest. */
export const PROBLEM_COUNT_MAX = 200;
const TEXT_CHARS_MAX = 60;

/** Names and values of any length get into messages. */
const MESSAGE_CHARS_MAX = 400;

/** What can be wrong with a file; stable, for tools. */
export const PROBLEM_CODES = [
  // the text
  "too-large",
  "syntax",
  "many-documents",
  "too-deep",
  "too-many-values",
  "duplicate-key",
  "bad-key",
  "bad-alias",
  "empty-file",
  // the shape
  "unknown-key",
  "missing-key",
  "wrong-type",
  "bad-value",
  "empty-value",
  "out-of-range",
  "too-many",
  "bad-identifier",
  // what it means
  "bad-type",
  "bad-schema",
  "bad-default",
  "required-with-default",
  "duplicate-name",
  "reserved-name",
  "unknown-field",
  "unknown-node",
  "unknown-placeholder",
  "unknown-tool",
  "output-mismatch",
  "type-mismatch",
  "bad-edge",
  "bad-routes",
  "bad-condition",
  "bad-kind",
  "duplicate-edge",
  "no-start",
  "many-starts",
  "no-end",
  "unreachable",
  "dead-end",
  "endless",
  "parallel-write",
  "shadowed-name",
  // what it asks for
  "unsupported",
  "ignored-key",
  "no-effect",
  // the list itself
  "more-problems",
] as const;
export type ProblemCode = (typeof PROBLEM_CODES)[number];

export type Path = readonly (string | number)[];

/** Where a value stands in the text, in characters; `key` is where its key stands, if it has one. */
export interface Spot {
  readonly key?: { readonly start: number; readonly end: number };
  readonly start: number;
  readonly end: number;
}

export interface Finding {
  readonly code: ProblemCode;
  readonly message: string;
  /** Used as it is, unless `word` has a near neighbour and the fix is to write that. */
  readonly fix?: string;
  readonly suggestion?: string;
  /** A name that is not among the valid ones: the nearest becomes suggestion and fix. */
  readonly word?: string;
  readonly among?: Iterable<string>;
  /** What the place is: the key, or the value (which is the default). */
  readonly at?: "key" | "value";
  /** The part of the value that is wrong. */
  readonly part?: string;
}

export interface Reporter {
  readonly error: (path: Path, finding: Finding) => void;
  readonly warning: (path: Path, finding: Finding) => void;
  /** An error at a place of the text rather than of the tree. */
  readonly errorAt: (span: { start: number; end: number }, finding: Finding) => void;
  /** Errors so far, those above the limit included. */
  readonly errorCount: () => number;
  /** In the order of the text. */
  readonly problems: () => Problem[];
}

/** `nodes[1].outputs[0]` */
export function formatPath(path: Path): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === "number") return `${text}[${key}]`;
    return text === "" ? key : `${text}.${key}`;
  }, "");
}

/** The key of a path in a map of spots. */
export function spotKey(path: Path): string {
  return path.join("\u0000");
}

/** @param spots Where each path stands; a path that is not there is shown at its nearest ancestor. */
export function createReporter(source: string, spots: ReadonlyMap<string, Spot>): Reporter {
  const lineStarts = findLineStarts(source);
  const problems: Problem[] = [];
  let errorCount = 0;
  let leftOutCount = 0;

  function add(
    place: { severity: Problem["severity"]; path: Path; span: Span },
    finding: Finding,
  ): void {
    const { severity, path, span } = place;
    if (severity === "error") errorCount += 1;
    if (problems.length >= PROBLEM_COUNT_MAX) {
      leftOutCount += 1;
      return;
    }
    const meant =
      finding.word === undefined ? undefined : nearest(finding.word, finding.among ?? []);
    const text = source.slice(span.start, span.end).split(/\r?\n/, 1)[0]?.trim() ?? "";
    problems.push({
      severity,
      code: finding.code,
      message: shorten(finding.message),
      ...defined({
        fix:
          meant === undefined ? finding.fix && shorten(finding.fix) : `Write \`${meant}\` instead.`,
        text: text === "" ? undefined : text.slice(0, TEXT_CHARS_MAX),
        suggestion: meant ?? finding.suggestion,
      }),
      path: shorten(formatPath(path)),
      ...placeOf(span.start, lineStarts),
    });
  }

  function locate(path: Path, finding: Finding): Span {
    for (let length = path.length; length >= 0; length -= 1) {
      const spot = spots.get(spotKey(path.slice(0, length)));
      if (spot === undefined) continue;
      if (length < path.length) return narrow(spot.key ?? { start: spot.start, end: spot.start });
      if (finding.at === "key" && spot.key !== undefined) return spot.key;
      const inside = finding.part === undefined ? -1 : source.indexOf(finding.part, spot.start);
      if (finding.part === undefined || inside < 0 || inside >= spot.end) return spot;
      return { start: inside, end: inside + finding.part.length };
    }
    return { start: 0, end: 0 };
  }

  return {
    error: (path, finding) =>
      add({ severity: "error", path, span: locate(path, finding) }, finding),
    warning: (path, finding) =>
      add({ severity: "warning", path, span: locate(path, finding) }, finding),
    errorAt: (span, finding) => add({ severity: "error", path: [], span }, finding),
    errorCount: () => errorCount,
    problems() {
      const sorted = problems.toSorted((a, b) => a.line - b.line || a.column - b.column);
      const last = sorted.at(-1);
      if (leftOutCount === 0 || last === undefined) return sorted;
      const message = `${leftOutCount} more problems are not shown.`;
      const fix = "Mend these first, then check again.";
      const { line, column } = last;
      return [
        ...sorted,
        { severity: "error", code: "more-problems", message, fix, path: "", line, column },
      ];
    },
  };
}

interface Span {
  readonly start: number;
  readonly end: number;
}

/** A missing key is shown where it should be; nothing there is wrong by itself. */
function narrow(span: Span): Span {
  return { start: span.start, end: span.start };
}

function shorten(text: string): string {
  return text.length <= MESSAGE_CHARS_MAX ? text : `${text.slice(0, MESSAGE_CHARS_MAX - 1)}…`;
}

function findLineStarts(source: string): number[] {
  const starts = [0];
  for (let at = source.indexOf("\n"); at >= 0; at = source.indexOf("\n", at + 1))
    starts.push(at + 1);
  return starts;
}

function placeOf(offset: number, lineStarts: readonly number[]): { line: number; column: number } {
  let low = 0;
  let high = lineStarts.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((lineStarts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return { line: low + 1, column: offset - (lineStarts[low] ?? 0) + 1 };
}
