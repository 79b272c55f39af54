/** Differences of two texts, by lines and, in a line that was changed, by words. */
import { diffWordsWithSpace, structuredPatch } from "diff";

/** A longer text is compared as far as this. */
const CHARS_MAX = 400_000;
/** Of texts that have little in common the edits are no help, and finding them takes long. */
const EDIT_COUNT_MAX = 1_000;
const CONTEXT_LINE_COUNT = 3;
/** Words of a longer line are not compared. */
const LINE_CHARS_MAX = 2_000;

export interface DiffPart {
  readonly text: string;
  readonly isChanged: boolean;
}

export interface DiffLine {
  readonly kind: "same" | "removed" | "added";
  /** Its number in the text before; undefined for one that was added. */
  readonly before: number | undefined;
  /** Its number in the text after; undefined for one that was removed. */
  readonly after: number | undefined;
  /** The line; of one that was changed, which of its words were. */
  readonly parts: readonly DiffPart[];
}

/** Lines that belong together: what has changed, and a few lines around it. */
export interface DiffHunk {
  readonly before: number;
  readonly after: number;
  readonly lines: readonly DiffLine[];
}

export interface TextDiff {
  readonly hunks: readonly DiffHunk[];
  readonly addedCount: number;
  readonly removedCount: number;
  /** Not all could be compared: the texts are too long, or have too little in common. */
  readonly isPartial: boolean;
}

/** How `after` came from `before`; no hunks when they are the same. The line break at the end does not count. */
export function diffTexts(before: string, after: string): TextDiff {
  const [left, right] = [prepare(before), prepare(after)];
  const isPartial = before.length > CHARS_MAX || after.length > CHARS_MAX;
  const patch = structuredPatch("", "", left, right, undefined, undefined, {
    context: CONTEXT_LINE_COUNT,
    maxEditLength: EDIT_COUNT_MAX,
  });
  if (patch === undefined) return { ...replaced(left, right), isPartial: true };
  const hunks = patch.hunks.map((hunk) => ({
    before: hunk.oldStart,
    after: hunk.newStart,
    lines: pairWords(numbered(hunk)),
  }));
  return { ...countLines(hunks), isPartial };
}

/**
 * The lines that are the same in both texts and in no hunk: those before each hunk, in its place, and last those
 * after all of them. @param after The text that the difference leads to.
 */
export function equalStretches(diff: TextDiff, after: string): DiffLine[][] {
  const lines = linesOf(prepare(after));
  let shift = 0;
  let next = 1;
  const upTo = (end: number): DiffLine[] =>
    lines.slice(next - 1, end - 1).map((line, index) => ({
      kind: "same",
      before: next + index + shift,
      after: next + index,
      parts: [whole(line, false)],
    }));
  const stretches = diff.hunks.map((hunk) => {
    const first = hunk.lines.find((line) => line.after !== undefined)?.after;
    const stretch = first === undefined ? [] : upTo(first);
    const count = (kind: DiffLine["kind"]) =>
      hunk.lines.filter((line) => line.kind === kind).length;
    shift += count("removed") - count("added");
    next = (first ?? next) + hunk.lines.length - count("removed");
    return stretch;
  });
  return [...stretches, upTo(lines.length + 1)];
}

/** A line of the one text beside what stands for it in the other. */
export interface DiffRow {
  readonly before: DiffLine | undefined;
  readonly after: DiffLine | undefined;
}

/** Lines side by side: those that were removed beside those that took their place. */
export function pairLines(lines: readonly DiffLine[]): DiffRow[] {
  const rows: DiffRow[] = [];
  for (let index = 0; index < lines.length;) {
    const line = lines[index];
    if (line?.kind === "same") {
      rows.push({ before: line, after: line });
      index += 1;
      continue;
    }
    const removedCount = runLength(lines, index, "removed");
    const addedCount = runLength(lines, index + removedCount, "added");
    const [removed, added] = [
      lines.slice(index, index + removedCount),
      lines.slice(index + removedCount, index + removedCount + addedCount),
    ];
    for (let row = 0; row < Math.max(removedCount, addedCount); row += 1)
      rows.push({ before: removed[row], after: added[row] });
    index += removedCount + addedCount;
  }
  return rows;
}

/** The words of two short texts: what of each is not in the other. */
export function diffWords(
  before: string,
  after: string,
): { readonly before: readonly DiffPart[]; readonly after: readonly DiffPart[] } {
  if (before.length > LINE_CHARS_MAX || after.length > LINE_CHARS_MAX) {
    return { before: [whole(before, true)], after: [whole(after, true)] };
  }
  const changes = diffWordsWithSpace(before, after);
  const pick = (skip: "added" | "removed", changed: "added" | "removed") =>
    changes
      .filter((change) => !change[skip])
      .map((change) => ({ text: change.value, isChanged: change[changed] }));
  return { before: pick("added", "removed"), after: pick("removed", "added") };
}

function prepare(text: string): string {
  const cut = text.slice(0, CHARS_MAX).replaceAll("\r\n", "\n");
  return cut === "" || cut.endsWith("\n") ? cut : `${cut}\n`;
}

interface PatchHunk {
  readonly oldStart: number;
  readonly newStart: number;
  readonly lines: readonly string[];
}

function numbered(hunk: PatchHunk): DiffLine[] {
  let before = hunk.oldStart;
  let after = hunk.newStart;
  return hunk.lines.map((line): DiffLine => {
    const parts = [whole(line.slice(1), false)];
    if (line.startsWith("+")) return { kind: "added", before: undefined, after: after++, parts };
    if (line.startsWith("-")) return { kind: "removed", before: before++, after: undefined, parts };
    return { kind: "same", before: before++, after: after++, parts };
  });
}

/** Lines that were removed and as many that were put in their place are told apart by words. */
function pairWords(lines: readonly DiffLine[]): DiffLine[] {
  const result = [...lines];
  for (let index = 0; index < result.length;) {
    const removedCount = runLength(result, index, "removed");
    const addedCount = runLength(result, index + removedCount, "added");
    if (removedCount === addedCount) {
      for (let offset = 0; offset < removedCount; offset += 1)
        markWords(result, index + offset, index + removedCount + offset);
    }
    index += Math.max(1, removedCount + addedCount);
  }
  return result;
}

function runLength(lines: readonly DiffLine[], from: number, kind: DiffLine["kind"]): number {
  let length = 0;
  while (lines[from + length]?.kind === kind) length += 1;
  return length;
}

function markWords(lines: DiffLine[], removedAt: number, addedAt: number): void {
  const [removed, added] = [lines[removedAt], lines[addedAt]];
  if (removed === undefined || added === undefined) return;
  const words = diffWords(textOf(removed), textOf(added));
  // Nothing in common but spaces: marking all of it says nothing.
  if (!words.before.some((part) => !part.isChanged && part.text.trim() !== "")) return;
  lines[removedAt] = { ...removed, parts: words.before };
  lines[addedAt] = { ...added, parts: words.after };
}

function textOf(line: DiffLine): string {
  return line.parts.map((part) => part.text).join("");
}

function whole(text: string, isChanged: boolean): DiffPart {
  return { text, isChanged };
}

/** One text in place of the other, without a look at what they share. */
function replaced(before: string, after: string): Omit<TextDiff, "isPartial"> {
  const lines = [
    ...linesOf(before).map((line) => `-${line}`),
    ...linesOf(after).map((line) => `+${line}`),
  ];
  const hunk = { before: 1, after: 1, lines: numbered({ oldStart: 1, newStart: 1, lines }) };
  return countLines([hunk]);
}

function linesOf(text: string): string[] {
  return text === "" ? [] : text.slice(0, -1).split("\n");
}

function countLines(hunks: readonly DiffHunk[]): Omit<TextDiff, "isPartial"> {
  const lines = hunks.flatMap((hunk) => hunk.lines);
  return {
    hunks,
    addedCount: lines.filter((line) => line.kind === "added").length,
    removedCount: lines.filter((line) => line.kind === "removed").length,
  };
}
