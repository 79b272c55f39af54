/**
 * The `.env` format: `NAME=value` a line. Understood: `export `, comments, single quotes (taken as
 * they are), double quotes (`\n \r \t \" \\ \$`), quoted values over several lines. Nothing is ever
 * evaluated: `$NAME` and `$(command)` are plain text.
 */
export interface EnvEntry {
  readonly name: string;
  readonly value: string;
  /** Where the entry begins and ends; lines count from 1. */
  readonly line: number;
  readonly lineEnd: number;
}

export interface EnvFile {
  readonly entries: readonly EnvEntry[];
  /** Lines that are neither an entry, a comment nor empty. */
  readonly malformed: readonly { readonly line: number; readonly text: string }[];
}

const ASSIGNMENT = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=[^\S\n]*(.*)$/s;
const COMMENTED = /^\s*#\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=/;
const PLAIN = /^[A-Za-z0-9_./:@%+,~=?&-]+$/;
const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t" };

function linesOf(text: string): string[] {
  return text
    .replace(/^\uFEFF/, "")
    .replace(/\r$/, "")
    .split(/\r\n|\n/);
}

/** Reads a whole file; never throws. A name that is given twice appears twice. */
export function parseEnvFile(text: string): EnvFile {
  const lines = linesOf(text);
  const entries: EnvEntry[] = [];
  const malformed: { line: number; text: string }[] = [];
  for (let index = 0; index < lines.length; index += 1) {
    const line = lines[index] ?? "";
    if (/^\s*(#|$)/.test(line)) continue;
    const [, name, rest] = ASSIGNMENT.exec(line) ?? [];
    const read = name === undefined ? undefined : readValue(lines, index, rest ?? "");
    if (name === undefined || read === undefined) {
      malformed.push({ line: index + 1, text: line });
      continue;
    }
    entries.push({ name, value: read.value, line: index + 1, lineEnd: read.lastIndex + 1 });
    index = read.lastIndex;
  }
  return { entries, malformed };
}

function readValue(
  lines: readonly string[],
  index: number,
  rest: string,
): { value: string; lastIndex: number } | undefined {
  const quote = rest[0];
  if (quote !== '"' && quote !== "'") {
    return { value: rest.replace(/(^|\s)#.*$/s, "").trim(), lastIndex: index };
  }
  const text = [rest.slice(1), ...lines.slice(index + 1)].join("\n");
  const end = closingQuote(text, quote);
  if (end === undefined) return undefined;
  const after = text.slice(end + 1).split("\n", 1)[0] ?? "";
  if (!/^\s*(#.*)?$/s.test(after)) return undefined;
  const inside = text.slice(0, end);
  const lastIndex = index + inside.split("\n").length - 1;
  return { value: quote === '"' ? unescape(inside) : inside, lastIndex };
}

function closingQuote(text: string, quote: string): number | undefined {
  for (let index = 0; index < text.length; index += 1) {
    if (quote === '"' && text[index] === "\\") index += 1;
    else if (text[index] === quote) return index;
  }
  return undefined;
}

function unescape(text: string): string {
  return text.replace(/\\([nrt"\\$])/g, (_, letter: string) => ESCAPES[letter] ?? letter);
}

/** `NAME=value`, quoted where it must be: reading it gives the same value back. */
export function formatEnvEntry(name: string, value: string): string {
  if (PLAIN.test(value)) return `${name}=${value}`;
  // Other programs that read the file may replace $NAME inside double quotes.
  if (!/['\r\n]/.test(value)) return `${name}='${value}'`;
  const escaped = value
    .replace(/["\\]/g, "\\$&")
    .replaceAll("\n", "\\n")
    .replaceAll("\r", "\\r")
    .replaceAll("\t", "\\t");
  return `${name}="${escaped}"`;
}

/**
 * Changes some names in a file's text and keeps every other line as it is. A name is replaced where
 * it stands, else put in the place of its commented-out line (`# NAME=…`), else added at the end;
 * `undefined` comments it out.
 */
export function updateEnvText(
  text: string,
  changes: Readonly<Record<string, string | undefined>>,
): string {
  const lines: (string | undefined)[] = linesOf(text);
  const added: string[] = [];
  const { entries } = parseEnvFile(text);
  for (const [name, value] of Object.entries(changes)) {
    const own = entries.filter((entry) => entry.name === name);
    const last = own.at(-1);
    for (const entry of own) {
      for (let index = entry.line - 1; index < entry.lineEnd; index += 1) lines[index] = undefined;
    }
    const entryText = value === undefined ? undefined : formatEnvEntry(name, value);
    if (last !== undefined) lines[last.line - 1] = entryText ?? `# ${name}=`;
    else if (entryText !== undefined) place(lines, added, { name, entryText });
  }
  const kept = lines.filter((line) => line !== undefined).join("\n");
  if (added.length === 0) return kept;
  return `${kept === "" || kept.endsWith("\n") ? kept : `${kept}\n`}${added.join("\n")}\n`;
}

function place(
  lines: (string | undefined)[],
  added: string[],
  entry: { name: string; entryText: string },
): void {
  const index = lines.findIndex(
    (line) => line !== undefined && COMMENTED.exec(line)?.[1] === entry.name,
  );
  if (index === -1) added.push(entry.entryText);
  else lines[index] = entry.entryText;
}
