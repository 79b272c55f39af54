/** Colours of code as kinds of its pieces, by the modes that editors have for these languages. */
import { javascript, json, typescript } from "@codemirror/legacy-modes/mode/javascript";
import { python } from "@codemirror/legacy-modes/mode/python";
import { shell } from "@codemirror/legacy-modes/mode/shell";
import { yaml } from "@codemirror/legacy-modes/mode/yaml";
import { type StreamParser, StringStream } from "@codemirror/streamparser";

export interface CodeToken {
  readonly text: string;
  /** Undefined for what has no colour. */
  readonly kind: CodeTokenKind | undefined;
}
export type CodeTokenKind = "key" | "string" | "comment" | "keyword" | "number";

/** Longer code, or a longer line of it, stays without colours. */
const HIGHLIGHT_CHARS_MAX = 20_000;
const LINE_CHARS_MAX = 1_000;
const TAB_SIZE = 4;
const INDENT = 2;
/** A mode may look at the same place more than once, but not forever. */
const STALL_COUNT_MAX = 10;

interface Mode {
  readonly parser: StreamParser<unknown>;
  readonly kinds: ReadonlyMap<string, CodeTokenKind>;
}

const KINDS: ReadonlyMap<string, CodeTokenKind> = new Map([
  ["comment", "comment"],
  ["string", "string"],
  ["number", "number"],
  ["atom", "number"],
  ["bool", "number"],
  ["keyword", "keyword"],
  ["meta", "keyword"],
  ["operatorKeyword", "keyword"],
  ["builtin", "keyword"],
  ["standard", "keyword"],
  ["def", "key"],
  ["definition", "key"],
  ["property", "key"],
  ["propertyName", "key"],
  ["typeName", "key"],
]);

/** This mode calls keys atoms, and everything between them meta. */
const YAML_KINDS: ReadonlyMap<string, CodeTokenKind> = new Map([
  ["comment", "comment"],
  ["string", "string"],
  ["number", "number"],
  ["keyword", "number"],
  ["atom", "key"],
]);

const MODES: ReadonlyMap<string, Mode> = new Map([
  ...named(["yaml", "yml"], { parser: yaml, kinds: YAML_KINDS }),
  ...named(["json", "jsonc", "json5", "jsonl"], { parser: json, kinds: KINDS }),
  ...named(["js", "javascript", "jsx", "mjs", "cjs"], { parser: javascript, kinds: KINDS }),
  ...named(["ts", "typescript", "tsx", "mts"], { parser: typescript, kinds: KINDS }),
  ...named(["py", "python", "python3"], { parser: python, kinds: KINDS }),
  ...named(["sh", "bash", "shell", "zsh", "console"], { parser: shell, kinds: KINDS }),
]);

function named(names: readonly string[], mode: Mode): (readonly [string, Mode])[] {
  return names.map((name) => [name, mode]);
}

/** @returns Undefined when there is nothing to colour: an unknown language, or too much. */
export function highlight(text: string, language: string): CodeToken[] | undefined {
  const mode = MODES.get(language.toLowerCase());
  if (mode === undefined || text.length > HIGHLIGHT_CHARS_MAX) return undefined;
  const lines = text.split("\n");
  if (lines.some((line) => line.length > LINE_CHARS_MAX)) return undefined;
  try {
    return tokensOf(mode, lines);
  } catch {
    // A mode that stumbles over odd code costs the colours, not the page.
    return undefined;
  }
}

function tokensOf({ parser: mode, kinds }: Mode, lines: readonly string[]): CodeToken[] {
  const tokens: CodeToken[] = [];
  const state = mode.startState?.(INDENT);
  for (const [index, line] of lines.entries()) {
    if (index > 0) push(tokens, "\n", undefined);
    if (line === "") mode.blankLine?.(state, INDENT);
    const stream = new StringStream(line, TAB_SIZE, INDENT);
    while (!stream.eol()) {
      const style = readToken(mode, stream, state);
      push(tokens, stream.current(), kindOf(style, kinds));
      stream.start = stream.pos;
    }
  }
  return tokens;
}

function readToken(
  mode: StreamParser<unknown>,
  stream: StringStream,
  state: unknown,
): string | null {
  for (let count = 0; count < STALL_COUNT_MAX; count += 1) {
    const style = mode.token(stream, state);
    if (stream.pos > stream.start) return style;
  }
  throw new Error("The mode does not move on.");
}

/** A style is one or more words, such as `propertyName.definition`; a key that is quoted is `string property`. */
function kindOf(
  style: string | null,
  kinds: ReadonlyMap<string, CodeTokenKind>,
): CodeTokenKind | undefined {
  const found = (style?.split(/[ .]/) ?? []).flatMap((word) => kinds.get(word) ?? []);
  return found.includes("key") ? "key" : found[0];
}

function push(tokens: CodeToken[], text: string, kind: CodeTokenKind | undefined): void {
  const last = tokens.at(-1);
  if (last !== undefined && (last.kind === kind || text.trim() === ""))
    tokens[tokens.length - 1] = { text: last.text + text, kind: last.kind };
  else tokens.push({ text, kind });
}
