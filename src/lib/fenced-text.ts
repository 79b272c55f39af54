/** A piece of a text with fenced code in it, as language models write it. */
export type TextPart =
  | { readonly kind: "prose"; readonly text: string }
  | {
      readonly kind: "code";
      readonly language: string;
      readonly text: string;
      /** Of code inside of a list item: how far it is indented, and the code with its fences as it is written. */
      readonly listed?: { readonly indent: number; readonly source: string };
    };

// The rest is taken whole and looked at by itself: a pattern that could refuse it would try every way to
// split a long line first.
const OPENING = /^( *)(`{3,}|~{3,})([^]*)$/;
/** Deeper than this below what it belongs to, it is code by its indentation. */
const INDENT_MAX = 3;
const MARKER = /^( *)(?:[-*+]|\d{1,9}[.)])(?= |$)/;

interface Fence {
  readonly mark: string;
  readonly language: string;
  readonly indent: number;
  /** Where the text of its list item begins; 0 outside of one. */
  readonly margin: number;
  /** Its first line, which may begin with the mark of its list item. */
  readonly line: string;
}

/**
 * Splits a text at its code fences (those of CommonMark, of three or more backticks or tildes), also in list items. A
 * fence that is never closed reaches to the end. Prose of nothing but white space is left out.
 */
export function splitFences(text: string): TextPart[] {
  const parts: TextPart[] = [];
  let lines: string[] = [];
  let fence: Fence | undefined;
  const margins = createMargins();

  function flush(closing?: string): void {
    if (fence !== undefined) parts.push(codeOf(fence, lines, closing));
    else if (lines.some((line) => line.trim() !== ""))
      parts.push({ kind: "prose", text: lines.join("\n") });
    lines = [];
  }

  for (const line of text.split(/\r\n|\r|\n/)) {
    if (fence !== undefined) {
      if (closes(line, fence)) {
        flush(line);
        fence = undefined;
      } else lines.push(line);
      continue;
    }
    const opening = openingOf(line, margins.below(line));
    if (opening === undefined) lines.push(line);
    else {
      flush();
      fence = opening;
    }
  }
  if (fence !== undefined || lines.length > 0) flush();
  return parts;
}

/** Puts code in list items back where it stands; other code stays a part of its own. */
export function joinLists(parts: readonly TextPart[]): TextPart[] {
  const joined: TextPart[] = [];
  for (const part of parts) {
    const text = part.kind === "prose" ? part.text : part.listed?.source;
    const last = joined.at(-1);
    if (text === undefined) joined.push(part);
    else if (last?.kind === "prose")
      joined.splice(-1, 1, { kind: "prose", text: `${last.text}\n${text}` });
    else joined.push({ kind: "prose", text });
  }
  return joined;
}

/** What is left of a list item whose code was taken out: without its indentation it would not be text any more. */
export function outdentItem(text: string, indent: number): string {
  const lines = text.split("\n");
  const isBeyond = (line: string) => line.trim() !== "" && indentOf(line) < indent;
  const end = lines.findIndex(isBeyond);
  const own = end === -1 ? lines.length : end;
  return lines.map((line, index) => (index < own ? line.slice(indent) : line)).join("\n");
}

function codeOf(fence: Fence, lines: readonly string[], closing: string | undefined): TextPart {
  const { language, indent, margin } = fence;
  const text = lines.map((line) => line.slice(Math.min(indent, indentOf(line)))).join("\n");
  const code = { kind: "code", language, text } as const;
  const all = closing === undefined ? lines : [...lines, closing];
  // What reaches out of its list item would end it there.
  const isOut = all.some((line) => line.trim() !== "" && indentOf(line) < margin);
  if (margin === 0 || isOut) return code;
  return { ...code, listed: { indent: margin, source: [fence.line, ...all].join("\n") } };
}

/** Follows where the texts of the list items begin that are open. */
function createMargins() {
  const margins: number[] = [];
  let wasBlank = true;

  /** Takes the marks of list items off the line. @returns where what follows stands, and what it belongs to. */
  return {
    below(line: string): { readonly start: number; readonly margin: number } {
      if (line.trim() === "") {
        wasBlank = true;
        return { start: 0, margin: 0 };
      }
      let start = indentOf(line);
      const begins = MARKER.test(line) || OPENING.test(line);
      // A paragraph goes on in a line that is not indented, without a blank one between.
      if (wasBlank || begins) while ((margins.at(-1) ?? 0) > start) margins.pop();
      wasBlank = false;
      for (;;) {
        const margin = margins.at(-1) ?? 0;
        const mark = start - margin > INDENT_MAX ? null : MARKER.exec(line.slice(start));
        if (mark === null) return { start, margin: Math.min(margin, start) };
        const end = start + mark[0].length;
        const gap = indentOf(line.slice(end));
        // Further away than this it is code by its indentation, which begins one space after the mark.
        start = end + (gap > INDENT_MAX + 1 || gap === line.length - end ? 1 : gap);
        margins.push(start);
        if (start >= line.length) return { start, margin: start };
      }
    },
  };
}

/** A backtick after the mark makes it code within a sentence. */
function openingOf(
  line: string,
  { start, margin }: { readonly start: number; readonly margin: number },
): Fence | undefined {
  const [, space = "", mark, rest = ""] = OPENING.exec(line.slice(start)) ?? [];
  const indent = start + space.length;
  if (mark === undefined || rest.includes("`") || indent - margin > INDENT_MAX) return undefined;
  const language = (/^[ \t]*(\S*)/.exec(rest)?.[1] ?? "").toLowerCase();
  return { mark, language, indent, margin, line };
}

/** A closing fence has the same sign, at least as often, and nothing else. */
function closes(line: string, { mark, margin }: Fence): boolean {
  const [, space = "", found] = /^( *)(`{3,}|~{3,})[ \t]*$/.exec(line) ?? [];
  if (found === undefined || space.length > margin + INDENT_MAX) return false;
  return found[0] === mark[0] && found.length >= mark.length;
}

function indentOf(line: string): number {
  const at = line.search(/[^ ]/);
  return at === -1 ? line.length : at;
}
