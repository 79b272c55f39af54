/** Where in the text of a file a value is written, added or taken out, and with what around it. */
import { isAlias, isMap, isScalar, isSeq, type Pair, Scalar } from "yaml";
import { colonAfter, type FoundPlace, type Slot, type Step } from "./editable-place.ts";
import { needsIndicator, type ScalarStyle, writeBlock, writeInline } from "./scalar-text.ts";

export interface Splice {
  readonly from: number;
  readonly to: number;
  readonly insert: string;
}

/** The text and the place in it. */
export interface Site {
  readonly source: string;
  readonly found: FoundPlace;
  readonly isJson: boolean;
}

export interface Writing {
  readonly text: string;
  readonly style: ScalarStyle;
}

const INDENT = 2;
const INDICATOR_MAX = 9;

export function spliced(source: string, splices: readonly Splice[]): string {
  // From behind; of two at one place the first comes first in the text.
  const ordered = splices.toReversed().toSorted((left, right) => right.from - left.from);
  return ordered.reduce(
    (text, { from, to, insert }) => text.slice(0, from) + insert + text.slice(to),
    source,
  );
}

export function isBlock(style: ScalarStyle): boolean {
  return style === "literal" || style === "folded";
}

/** Another value in one line, where a value stands. */
export function inPlace({ source, found }: Site, node: Scalar, text: string): readonly Splice[] {
  const { from, to, isUnwritten } = spanOf(node, { source, found });
  if (isUnwritten) return [{ from, to, insert: ` ${text}` }];
  const block = blockOf(node, source, found.indent);
  if (block === undefined) return [{ from, to, insert: text }];
  return [{ from, to: block.contentEnd, insert: text + block.rest }];
}

/** A block where a value stands. Blank lines behind the value stay, and how they count. */
export function asBlock(site: Site, node: Scalar, writing: Writing & { tail: string }) {
  const { source, found } = site;
  const lineEnd = lineEndOf(source);
  const old = blockOf(node, source, found.indent);
  const indent = indentFor(writing.text, found.indent, old?.indent);
  const content = writeBlock(writing.text, writing.style, { indent, lineEnd });
  const { from, to, isUnwritten } = spanOf(node, site);
  if (old === undefined) {
    const header = headerOf(writing, { indent: indent - found.indent });
    const end = lineBreakAfter(to, source);
    const splices: Splice[] = [{ from: end, to: end, insert: lineEnd + content }];
    return [{ from, to, insert: isUnwritten ? ` ${header}` : header }, ...splices];
  }
  const { hasIndicator, chomp } = old;
  const header = headerOf(writing, { indent: indent - found.indent, hasIndicator, chomp });
  const { contentStart, contentEnd } = old;
  const first: Splice = { from, to: from + old.headerChars, insert: header };
  if (contentEnd > contentStart)
    return [first, { from: contentStart, to: contentEnd, insert: content }];
  const isOpen = source[contentStart - 1] === "\n";
  const insert = isOpen ? content + lineEnd : lineEnd + content;
  return [first, { from: contentStart, to: contentStart, insert }];
}

function headerOf(
  { text, style, tail }: Writing & { readonly tail: string },
  old: { readonly indent: number; readonly hasIndicator?: boolean; readonly chomp?: string },
): string {
  const indicator = old.hasIndicator === true || needsIndicator(text) ? `${old.indent}` : "";
  const chomp = old.chomp ?? (tail === "" ? "-" : "");
  return `${style === "literal" ? "|" : ">"}${indicator}${chomp}`;
}

function indentFor(text: string, around: number, old: number | undefined): number {
  const usual = Math.max(around, 0) + INDENT;
  if (old === undefined || old <= around) return usual;
  return needsIndicator(text) && old - around > INDICATOR_MAX ? usual : old;
}

interface Block {
  /** Of `|2-` and the like. */
  readonly headerChars: number;
  /** What stands behind it in its line. */
  readonly rest: string;
  readonly hasIndicator: boolean;
  readonly chomp: string;
  readonly contentStart: number;
  /** Before the last line end of the content; the same as its start where there is none. */
  readonly contentEnd: number;
  readonly indent: number | undefined;
}

const BLOCK_HEADER = /^[|>](?<signs>[-+1-9]{0,2})/;

/** Undefined for a value that is no block. */
function blockOf(node: unknown, source: string, around: number): Block | undefined {
  if (!isScalar(node) || !node.range) return undefined;
  if (node.type !== Scalar.BLOCK_LITERAL && node.type !== Scalar.BLOCK_FOLDED) return undefined;
  const [from, to] = node.range;
  const signs = BLOCK_HEADER.exec(source.slice(from, to))?.groups?.["signs"] ?? "";
  const headerChars = 1 + signs.length;
  const headerEnd = lineBreakAfter(from, source);
  const contentStart = Math.min(to, afterBreak(headerEnd, source));
  const content = source.slice(contentStart, to);
  const indicator = /\d/.exec(signs)?.[0];
  const indent =
    indicator === undefined
      ? /^ *(?=[^ \r\n])/m.exec(content)?.[0].length
      : Math.max(around, 0) + Number(indicator);
  const end = endOfContent(content, indent ?? 0);
  return {
    headerChars,
    rest: source.slice(from + headerChars, headerEnd),
    hasIndicator: indicator !== undefined,
    chomp: /[-+]/.exec(signs)?.[0] ?? "",
    contentStart,
    contentEnd: contentStart + end,
    indent,
  };
}

/** Without the blank lines at the end: no longer than the indentation, they are not of the content. */
function endOfContent(content: string, indent: number): number {
  let end = content.length;
  for (;;) {
    const start = lineStart(end, content);
    const line = content.slice(start, end).replace(/\r$/, "");
    if (line.length > indent || line.trim() !== "")
      return end - (content[end - 1] === "\r" ? 1 : 0);
    if (start === 0) return 0;
    end = start - 1;
  }
}

/** Where a value stands, or would stand behind its colon. */
function spanOf(node: Scalar, { source, found }: Pick<Site, "source" | "found">) {
  const [from, to] = node.range ?? [0, 0, 0];
  const isUnwritten = node.source === "" && node.type === Scalar.PLAIN;
  const colon = isUnwritten ? colonAfter(found.steps.at(-1)?.pair, source) : undefined;
  return colon === undefined
    ? { from, to, isUnwritten: false }
    : { from: colon, to: colon, isUnwritten: true };
}

/** A new pair, with the maps around it that are missing too. */
export function insertion(
  site: Site,
  slot: Extract<Slot, { kind: "missing" }>,
  writing: Writing,
): readonly Splice[] {
  return site.found.isFlow
    ? flowInsertion(site, slot, writeInline(writing.text, writing.style))
    : blockInsertion(site, slot, writing);
}

function blockInsertion(
  { source, found: { indent } }: Site,
  { map, after, keys }: Extract<Slot, { kind: "missing" }>,
  writing: Writing,
): readonly Splice[] {
  const lineEnd = lineEndOf(source);
  const depth = keys.length - 1;
  const inner = indent + depth * INDENT;
  const outer = keys.slice(0, -1).map((key, level) => `${spaces(indent + level * INDENT)}${key}:`);
  const last = `${spaces(inner)}${keys[depth]}:`;
  const value = isBlock(writing.style)
    ? headerOf({ ...writing, tail: "" }, { indent: INDENT }) +
      lineEnd +
      writeBlock(writing.text, writing.style, { indent: inner + INDENT, lineEnd })
    : writeInline(writing.text, writing.style);
  const lines = [...outer, `${last} ${value}`].join(lineEnd);
  if (after === undefined) {
    const at = startOf(map.items[0]?.key);
    return [{ from: at, to: at, insert: lines.trimStart() + lineEnd + spaces(indent) }];
  }
  const at = lineBreakAfter(pairEnd(after, source), source);
  return [{ from: at, to: at, insert: lineEnd + lines }];
}

function flowInsertion(
  { source, isJson }: Site,
  { map, after, keys }: Extract<Slot, { kind: "missing" }>,
  value: string,
): readonly Splice[] {
  const name = (key: string) => (isJson ? JSON.stringify(key) : key);
  const body = keys.reduceRight((text, key, level) => {
    const pair = `${name(key)}: ${text}`;
    return level === 0 ? pair : `{ ${pair} }`;
  }, value);
  const first = map.items[0];
  if (first === undefined) {
    const [from = 0, to = 0] = map.range ?? [];
    return [{ from: from + 1, to: to - 1, insert: ` ${body} ` }];
  }
  const beside = after ?? first;
  const key = startOf(beside.key);
  const lead = source.slice(lineStart(key, source), key);
  const gap = isBlank(lead) ? lineEndOf(source) + lead : " ";
  if (after === undefined) return [{ from: key, to: key, insert: `${body},${gap}` }];
  const at = pairEnd(after, source);
  return [{ from: at, to: at, insert: `,${gap}${body}` }];
}

/** Takes out a pair with its line. */
export function removal({ map, pair }: Step, source: string): readonly Splice[] {
  const from = startOf(pair.key);
  const to = pairEnd(pair, source);
  if (map.flow === true) return flowRemoval({ map, pair }, { from, to }, source);
  const start = lineStart(from, source);
  const next = afterBreak(lineBreakAfter(to, source), source);
  if (isBlank(source.slice(start, from))) return [{ from: start, to: next, insert: "" }];
  // The first of a list's item: what follows moves up behind the dash.
  const lead = /^(?:[ \t]*\r?\n)*[ \t]*/.exec(source.slice(next))?.[0].length ?? 0;
  return [{ from, to: next + lead, insert: "" }];
}

function flowRemoval(
  { map, pair }: Step,
  { from, to }: { from: number; to: number },
  source: string,
): readonly Splice[] {
  const start = lineStart(from, source);
  const standsFirst = isBlank(source.slice(start, from));
  const comma = commaAfter(to, source);
  if (comma !== undefined) {
    const end = lineBreakAfter(comma, source);
    if (standsFirst && isBlank(source.slice(comma + 1, end)))
      return [{ from: start, to: afterBreak(end, source), insert: "" }];
    const gap = /^[ \t]*/.exec(source.slice(comma + 1))?.[0].length ?? 0;
    return [{ from, to: comma + 1 + gap, insert: "" }];
  }
  const previous = map.items[map.items.indexOf(pair) - 1];
  const before = previous === undefined ? undefined : commaAfter(pairEnd(previous, source), source);
  if (before === undefined) return [{ from, to, insert: "" }];
  const end = lineBreakAfter(to, source);
  if (isBlank(source.slice(before + 1, from))) return [{ from: before, to, insert: "" }];
  const gone = [{ from: before, to: before + 1, insert: "" }];
  return standsFirst && isBlank(source.slice(to, end))
    ? [...gone, { from: Math.max(before + 1, breakBefore(start, source)), to: end, insert: "" }]
    : [...gone, { from, to, insert: "" }];
}

/** The comma behind a value, comments and line ends between them left aside. */
function commaAfter(offset: number, source: string): number | undefined {
  const gap = /(?:\s|#[^\n]*)*,/y;
  gap.lastIndex = offset;
  return gap.test(source) ? gap.lastIndex - 1 : undefined;
}

function pairEnd(pair: Pair, source: string): number {
  return nodeEnd(pair.value, source) ?? colonAfter(pair, source) ?? startOf(pair.key);
}

/** Where the last word of a value ends; undefined for one that is not written. */
function nodeEnd(node: unknown, source: string): number | undefined {
  if (isMap(node) && node.flow !== true) {
    const last = node.items.at(-1);
    return last === undefined ? undefined : pairEnd(last, source);
  }
  if (isSeq(node) && node.flow !== true) return nodeEnd(node.items.at(-1), source);
  if (isScalar(node) && node.source === "" && node.type === Scalar.PLAIN) return undefined;
  const block = blockOf(node, source, 0);
  if (block !== undefined && block.contentEnd > block.contentStart) return block.contentEnd;
  if (block !== undefined) return startOf(node) + block.headerChars + block.rest.length;
  return rangeOf(node)?.[1];
}

function rangeOf(node: unknown): readonly number[] | undefined {
  const isNode = isScalar(node) || isMap(node) || isSeq(node) || isAlias(node);
  return isNode ? (node.range ?? undefined) : undefined;
}

function startOf(node: unknown): number {
  return rangeOf(node)?.[0] ?? 0;
}

function lineEndOf(source: string): string {
  return /\r?\n/.exec(source)?.[0] ?? "\n";
}

function lineStart(offset: number, source: string): number {
  return source.lastIndexOf("\n", offset - 1) + 1;
}

/** The line end at or behind an offset, or the end of the text. */
function lineBreakAfter(offset: number, source: string): number {
  const at = source.indexOf("\n", offset);
  if (at === -1) return source.length;
  return at > offset && source[at - 1] === "\r" ? at - 1 : at;
}

function afterBreak(offset: number, source: string): number {
  if (source.startsWith("\r\n", offset)) return offset + 2;
  return source[offset] === "\n" ? offset + 1 : offset;
}

/** The beginning of the line end before the line that starts at an offset. */
function breakBefore(start: number, source: string): number {
  if (start === 0) return 0;
  return source[start - 2] === "\r" ? start - 2 : start - 1;
}

function isBlank(text: string): boolean {
  return /^[ \t]*$/.test(text);
}

function spaces(count: number): string {
  return " ".repeat(Math.max(0, count));
}
