/** A piece of a text with fenced code in it, as language models write it. */
export type TextPart =
  | { readonly kind: "prose"; readonly text: string }
  | { readonly kind: "code"; readonly language: string; readonly text: string };

// The rest is taken whole and looked at by itself: a pattern that could refuse it would try every way to
// split a long line first.
const OPENING = /^ {0,3}(`{3,}|~{3,})([^]*)$/;

/**
 * Splits a text at its code fences (those of CommonMark, of three or more backticks or tildes). A fence
 * that is never closed reaches to the end. Prose of nothing but white space is left out.
 */
export function splitFences(text: string): TextPart[] {
  const parts: TextPart[] = [];
  let lines: string[] = [];
  let fence: { readonly mark: string; readonly language: string } | undefined;

  function flush(): void {
    const joined = lines.join("\n");
    if (fence !== undefined) parts.push({ kind: "code", language: fence.language, text: joined });
    else if (joined.trim() !== "") parts.push({ kind: "prose", text: joined });
    lines = [];
  }

  for (const line of text.split(/\r\n|\r|\n/)) {
    const opening = fence === undefined ? openingOf(line) : undefined;
    if (opening !== undefined) {
      flush();
      fence = opening;
    } else if (fence !== undefined && closes(line, fence.mark)) {
      flush();
      fence = undefined;
    } else lines.push(line);
  }
  if (fence !== undefined || lines.length > 0) flush();
  return parts;
}

/** A backtick after the mark makes it code within a sentence. */
function openingOf(line: string): { mark: string; language: string } | undefined {
  const [, mark, rest = ""] = OPENING.exec(line) ?? [];
  if (mark === undefined || rest.includes("`")) return undefined;
  return { mark, language: (/^[ \t]*(\S*)/.exec(rest)?.[1] ?? "").toLowerCase() };
}

/** A closing fence has the same sign, at least as often, and nothing else. */
function closes(line: string, mark: string): boolean {
  const found = /^ {0,3}(`{3,}|~{3,})[ \t]*$/.exec(line)?.[1];
  return found !== undefined && found[0] === mark[0] && found.length >= mark.length;
}
