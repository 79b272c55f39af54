/** How a text is written as one value of a YAML or JSON file, in the style that it had where that is possible. */

export type ScalarStyle = "plain" | "single" | "double" | "literal" | "folded";

export interface ScalarPlace {
  /** Undefined for a value that is not written yet. */
  readonly style: ScalarStyle | undefined;
  /** Whether the present value has several lines. */
  readonly hadLines: boolean;
  readonly isJson: boolean;
  /** Inside of { } or [ ]: no blocks. */
  readonly isFlow: boolean;
}

const FOLD_CHARS = 80;
/** Characters that only an escape writes safely. */
// oxlint-disable-next-line no-control-regex -- these are what is looked for
const UNPRINTABLE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/;
const UNPRINTABLE_TO_JSON = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g;
/** What YAML, of any version, begins otherwise than a word, and what stands for something else than text. */
const INDICATOR = /^[-?:,[\]{}#&*!|>'"%@`~=<]/;
const OTHER_THAN_TEXT =
  /^(?:y|n|yes|no|on|off|true|false|null|[-+]?\.?(?:inf|nan)|\d{4}-\d\d?-\d\d?.*|[-+.]?\d[\da-fox_.,:+-]*)$/i;

/** The styles that a text may have at a place, the best first. The last one is always right. */
export function stylesFor(text: string, place: ScalarPlace): readonly ScalarStyle[] {
  if (place.isJson) return ["double"];
  const hasLines = text.includes("\n");
  const { style } = place;
  const own = style === "double" && hasLines && !place.hadLines ? undefined : style;
  const wanted: (ScalarStyle | undefined)[] = [own, hasLines ? "literal" : undefined];
  if (style === undefined) wanted.push("plain");
  wanted.push("double");
  const fitting = wanted.filter((one) => one !== undefined && fits(text, one, place.isFlow));
  return [...new Set(fitting)].filter((one) => one !== undefined);
}

function fits(text: string, style: ScalarStyle, isFlow: boolean): boolean {
  if (style === "double") return true;
  if (UNPRINTABLE.test(text) || !text.isWellFormed()) return false;
  if (style === "single") return !text.includes("\n");
  if (style === "plain") return isPlain(text, isFlow);
  if (isFlow || /(?:^|\n)[ \t]*$/.test(text)) return false;
  return style === "literal" || !/^[ \t]|\n[ \t]|[ \t](?:\n|$)/.test(text);
}

function isPlain(text: string, isFlow: boolean): boolean {
  if (text === "" || text !== text.trim() || /[\n\t]|: | #|:$/.test(text)) return false;
  if (isFlow && /[,[\]{}]/.test(text)) return false;
  return !INDICATOR.test(text) && !OTHER_THAN_TEXT.test(text);
}

/** A text in one line: as a word, or in quotes. JSON where `style` is `double`. */
export function writeInline(text: string, style: ScalarStyle): string {
  if (style === "plain") return text;
  if (style === "single") return `'${text.replaceAll("'", "''")}'`;
  return JSON.stringify(text).replace(
    UNPRINTABLE_TO_JSON,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Whether a block of the text has to say how far it is indented. */
export function needsIndicator(text: string): boolean {
  return /^\n* /.test(text);
}

/** The lines of a block, without the last line end. */
export function writeBlock(
  text: string,
  style: ScalarStyle,
  { indent, lineEnd }: { readonly indent: number; readonly lineEnd: string },
): string {
  const pad = " ".repeat(indent);
  const lines = style === "folded" ? foldedLines(text, FOLD_CHARS - indent) : text.split("\n");
  return lines.map((line) => (line === "" ? "" : pad + line)).join(lineEnd);
}

/** A line end between two lines is written as an empty line; a blank may be written as a line end. */
function foldedLines(text: string, width: number): string[] {
  const unfolded = text.replace(/(?<=[^\n])\n+(?=[^\n])/g, (ends) => `${ends}\n`).split("\n");
  return unfolded.flatMap((line) => wrap(line, width));
}

/** Breaks at single blanks only: others would not come back as they were. */
function wrap(line: string, width: number): string[] {
  const lines: string[] = [];
  let present = "";
  for (const word of line.split(/(?<=\S) (?=\S)/)) {
    if (present !== "" && present.length + 1 + word.length > width) {
      lines.push(present);
      present = word;
    } else {
      present = present === "" ? word : `${present} ${word}`;
    }
  }
  return [...lines, present];
}
