/** YAML or JSON text → plain values, and the place of each of them in the text. */
import {
  type Alias,
  Composer,
  type CST,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  type Pair,
  type Scalar,
  Parser,
  type YAMLError,
  type YAMLMap,
  type YAMLSeq,
} from "yaml";
import { WORKFLOW_SOURCE_BYTES_MAX } from "../domain/workflow.ts";
import type { Json } from "../lib/json.ts";
import { findJsonFault } from "../lib/json-syntax.ts";
import {
  createReporter,
  type Finding,
  type Path,
  type Reporter,
  type Spot,
  spotKey,
} from "./report.ts";

/** Lists and maps inside each other, counted in the text. */
export const SOURCE_DEPTH_MAX = 64;
/** Values in the file, with what aliases stand for counted each time: the guard against alias bombs. */
export const SOURCE_VALUE_COUNT_MAX = 50_000;
/** Words, signs and line ends: no text below the limit on values needs as many. */
const LEXEME_COUNT_MAX = 10 * SOURCE_VALUE_COUNT_MAX;

/** Of `list` and `dict`, with the character before. */
const TYPE_NAME_CHARS = 5;
const TYPE_CHARS_MAX = 64;

const BYTE_ORDER_MARK = "\uFEFF";
const MERGE_KEY = "<<";
/** CA reads YAML 1.1, in which these plain words are booleans; keys stay words here. */
const YES = /^(?:yes|on)$/i;
const NO = /^(?:no|off)$/i;

export interface Source {
  /** Undefined when the text could not be read; the reporter then has the reason. */
  readonly value: Json | undefined;
  readonly reporter: Reporter;
}

/** Reads the text; syntax errors, duplicate keys and broken limits are in the reporter. */
export function readSource(source: string, format: "yaml" | "json"): Source {
  const spots = new Map<string, Spot>();
  const reporter = createReporter(source, spots);
  if (Buffer.byteLength(source) > WORKFLOW_SOURCE_BYTES_MAX) {
    reporter.errorAt(START_OF_TEXT, {
      code: "too-large",
      message: `The file is larger than ${WORKFLOW_SOURCE_BYTES_MAX / 1024} KiB.`,
      fix: "Move long texts out of the file, or split the workflow.",
    });
    return { value: undefined, reporter };
  }
  const document = readDocument(source, { format, reporter });
  if (document === undefined) return { value: undefined, reporter };
  return { value: toValue(document.contents, { spots, reporter, format }), reporter };
}

const START_OF_TEXT = { start: 0, end: 0 };
const TOO_MANY_VALUES: Finding = {
  code: "too-many-values",
  message: `The file holds more than ${SOURCE_VALUE_COUNT_MAX} values, aliases counted each time.`,
  fix: "Make the file smaller, or use fewer aliases.",
};

/** Undefined, with the reason reported, when the text is not one well-formed document. */
function readDocument(
  source: string,
  options: { format: "yaml" | "json"; reporter: Reporter },
): Document.Parsed | undefined {
  const { reporter } = options;
  const isJson = options.format === "json";
  if (isJson && !isValidJson(source, reporter)) return undefined;
  const tokens = readTokens(source, reporter);
  if (tokens === undefined) return undefined;
  const composer = new Composer({ uniqueKeys: false, version: "1.2" });
  const [document, second] = [...composer.compose(tokens, true, source.length)];
  // JSON that `JSON.parse` takes is right, whatever YAML thinks of its tabs and long keys.
  if (document === undefined || isJson) return document;
  for (const fault of telling([...document.errors, ...document.warnings])) {
    const start = startOf(fault, tokens);
    reporter.errorAt({ start, end: Math.max(start, fault.pos[1]) }, syntaxFinding(fault, source));
  }
  if (second !== undefined && second.contents !== null) {
    const start = second.range[0];
    reporter.errorAt(
      { start, end: start },
      {
        code: "many-documents",
        message: "The file holds more than one YAML document.",
        fix: "Keep one workflow a file and remove the `---` line.",
      },
    );
  }
  return reporter.errorCount() === 0 ? document : undefined;
}

/** The faults up to the first word that the parser has no place for: it finds none for all that follows either. */
function telling(faults: readonly YAMLError[]): readonly YAMLError[] {
  const lost = faults.findIndex((fault) => fault.code === "UNEXPECTED_TOKEN");
  return lost === -1 ? faults : faults.slice(0, lost + 1);
}

function syntaxFinding(
  fault: { code: string; message: string; pos: readonly [number, number] },
  source: string,
): Finding {
  const message = fault.message.split("\n", 1)[0] ?? "";
  const type = fault.code === "UNEXPECTED_TOKEN" ? typeAround(source, fault.pos[0]) : undefined;
  if (type !== undefined) {
    return {
      code: "syntax",
      message: `This is not valid YAML: inside of { } the type ${type} needs quotes.`,
      fix: `Write "${type}".`,
    };
  }
  const fixes: Readonly<Record<string, string>> = {
    TAB_AS_INDENT: "Indent with spaces.",
    BAD_INDENT: "Close an open bracket, or line this up with the lines around it.",
    MISSING_CHAR: "Close the quote or the bracket.",
    BLOCK_AS_IMPLICIT_KEY: "Put text that contains `: ` in quotes.",
    UNEXPECTED_TOKEN: message.includes("at node end")
      ? "Put the whole text in quotes: one that begins with {, [ or a quote ends where that is closed."
      : "Put text with special characters in quotes.",
    TAG_RESOLVE_FAILED: "Remove the tag; a workflow holds plain values only.",
  };
  return {
    code: "syntax",
    message: `This is not valid YAML: ${message.replace(/[.:]$/, "")}.`,
    fix: fixes[fault.code] ?? "Check indentation, quotes and brackets here and just above.",
  };
}

/** `list[str]` and the like, where its bracket stands at the offset: a list to YAML when it is not quoted. */
function typeAround(source: string, offset: number): string | undefined {
  const before = /\b(?:list|dict)$/i.exec(
    source.slice(Math.max(0, offset - TYPE_NAME_CHARS), offset),
  );
  const after = /^\[[\w\s,[\]]*\]/.exec(source.slice(offset, offset + TYPE_CHARS_MAX));
  return before === null || after === null ? undefined : `${before[0]}${after[0]}`;
}

function isValidJson(source: string, reporter: Reporter): boolean {
  const shift = source.startsWith(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK.length : 0;
  const fault = findJsonFault(source.slice(shift));
  if (fault === undefined) return true;
  const start = fault.offset + shift;
  const expected = { colon: "a `:`", "comma or end": "a `,` or a closing bracket" };
  const name =
    fault.expected === "colon" || fault.expected === "comma or end"
      ? expected[fault.expected]
      : `a ${fault.expected}`.replace("a end", "the end of the file");
  reporter.errorAt(
    { start, end: start },
    {
      code: "syntax",
      message: `This is not valid JSON: ${name} is expected here.`,
      fix: "Check commas, quotes and brackets; or name the file .yaml if it is YAML.",
    },
  );
  return false;
}

/** The tree of a text that may be half written, for editors; undefined when it nests too deep or is too long. */
export function readTree(source: string): Document.Parsed | undefined {
  const tokens = readTokens(source, createReporter(source, new Map()));
  if (tokens === undefined) return undefined;
  const composer = new Composer({ uniqueKeys: false, version: "1.2" });
  const [document] = composer.compose(tokens, true, source.length);
  return document;
}

/**
 * Stops as soon as the text nests too deep: the parser keeps its own stack and gets by, but
 * what comes after it recurses.
 */
function readTokens(source: string, reporter: Reporter): CST.Token[] | undefined {
  const parser = new Parser();
  const tokens: CST.Token[] = [];
  let lexemeCount = 0;
  let documentCount = 0;
  for (const lexeme of new Lexer().lex(source)) {
    const start = parser.offset;
    for (const token of parser.next(lexeme)) {
      tokens.push(token);
      if (token.type === "document") documentCount += 1;
    }
    lexemeCount += 1;
    if (lexemeCount > LEXEME_COUNT_MAX) {
      reporter.errorAt(START_OF_TEXT, TOO_MANY_VALUES);
      return undefined;
    }
    // Two are one too many already.
    if (documentCount > 2) return tokens;
    // The document is below all lists and maps on the stack, a plain value above them.
    if (parser.stack.length <= SOURCE_DEPTH_MAX + 2) continue;
    reporter.errorAt(
      { start, end: start },
      {
        code: "too-deep",
        message: `Lists and maps nest deeper than ${SOURCE_DEPTH_MAX} levels.`,
        fix: "Flatten the structure.",
      },
    );
    return undefined;
  }
  tokens.push(...parser.end());
  return tokens;
}

function* eachToken(tokens: readonly CST.Token[]): Generator<CST.Token> {
  const open = [...tokens];
  for (let token = open.pop(); token !== undefined; token = open.pop()) {
    yield token;
    if (token.type === "document" && token.value) open.push(token.value);
    if (!("items" in token)) continue;
    for (const { key, value } of token.items) {
      if (key) open.push(key);
      if (value) open.push(value);
    }
  }
}

/** An open quote swallows the text behind it; it is shown where it begins, not where the text ends. */
function startOf(fault: YAMLError, tokens: readonly CST.Token[]): number {
  let start = fault.pos[0];
  if (fault.code !== "MISSING_CHAR" || !fault.message.includes("quote")) return start;
  for (const token of eachToken(tokens)) {
    const isQuoted = token.type === "double-quoted-scalar" || token.type === "single-quoted-scalar";
    if (isQuoted && token.offset + token.source.length === fault.pos[0]) start = token.offset;
  }
  return start;
}

interface WalkOptions {
  readonly spots: Map<string, Spot>;
  readonly reporter: Reporter;
  readonly format: "yaml" | "json";
}

interface Walk extends WalkOptions {
  /** As the text is walked: an alias means the last anchor of its name above it. */
  readonly anchors: Map<string, Scalar | YAMLMap | YAMLSeq>;
  /** The lists and maps around the present node: an alias of one of them would go on for ever. */
  readonly active: Set<unknown>;
  valueCount: number;
}

/** Where a node's value goes in the tree, and where it stands in the text. */
interface Place {
  readonly path: Path;
  readonly spot: Spot;
}

/** Builds plain values from the document's nodes and notes where each stands. */
function toValue(contents: unknown, options: WalkOptions): Json | undefined {
  const walk: Walk = { ...options, anchors: new Map(), active: new Set(), valueCount: 0 };
  const spot = rangeOf(contents) ?? START_OF_TEXT;
  const value = walkNode(contents, { path: [], spot }, walk);
  if (walk.valueCount <= SOURCE_VALUE_COUNT_MAX) return value;
  options.reporter.errorAt(START_OF_TEXT, TOO_MANY_VALUES);
  return undefined;
}

function walkNode(node: unknown, place: Place, walk: Walk): Json {
  const { path, spot } = place;
  const key = spotKey(path);
  walk.valueCount += 1;
  if (walk.valueCount > SOURCE_VALUE_COUNT_MAX) return null;
  // What a map states itself is walked before what it merges in, and keeps its place.
  if (!walk.spots.has(key)) walk.spots.set(key, spot);
  if (isAlias(node)) return walkAlias(node, place, walk);
  if (!isScalar(node) && !isMap(node) && !isSeq(node)) return null;
  if (node.anchor !== undefined) walk.anchors.set(node.anchor, node);
  if (isScalar(node)) return scalarValue(node, walk.format);
  walk.active.add(node);
  const value = isMap(node)
    ? Object.fromEntries(walkMap(node, place, walk))
    : node.items.map((item, index) =>
        walkNode(item, { path: path.concat(index), spot: rangeOf(item) ?? spot }, walk),
      );
  walk.active.delete(node);
  return value;
}

function walkAlias(alias: Alias, place: Place, walk: Walk): Json {
  const target = walk.anchors.get(alias.source);
  if (target === undefined || walk.active.has(target)) {
    const fault =
      target === undefined ? "names no anchor above it" : "stands inside its own anchor";
    walk.reporter.errorAt(place.spot, {
      code: "bad-alias",
      message: `The alias \`*${alias.source}\` ${fault}.`,
      fix: `Put the anchor \`&${alias.source}\` on another value, above this line.`,
    });
    return null;
  }
  return walkNode(target, place, walk);
}

function walkMap(map: YAMLMap, { path, spot }: Place, walk: Walk): Map<string, Json> {
  const entries = new Map<string, Json>();
  const merges: { target: unknown; spot: Spot }[] = [];
  for (const pair of map.items) {
    const key = rangeOf(pair.key) ?? { start: spot.start, end: spot.start };
    const name = keyName(pair, key, walk.reporter);
    if (name === undefined) continue;
    const inside = { ...(rangeOf(pair.value) ?? { start: key.end, end: key.end }), key };
    if (name === MERGE_KEY && walk.format === "yaml") {
      const targets: unknown[] = isSeq(pair.value) ? pair.value.items : [pair.value];
      for (const target of targets) merges.push({ target: anchored(target, walk), spot: inside });
    } else if (entries.has(name)) {
      walk.reporter.errorAt(key, {
        code: "duplicate-key",
        message: `The key \`${name}\` is here twice in the same map.`,
        fix: "Keep one of the two; only the first was checked.",
      });
    } else {
      entries.set(name, walkNode(pair.value, { path: path.concat(name), spot: inside }, walk));
    }
  }
  for (const merge of merges) {
    for (const [name, value] of walkMerge(merge.target, { path, spot: merge.spot }, walk))
      if (!entries.has(name)) entries.set(name, value);
  }
  return entries;
}

function anchored(node: unknown, walk: Walk): unknown {
  return isAlias(node) ? walk.anchors.get(node.source) : node;
}

/** What `<<: *anchor` takes over; its keys keep the places they have at the anchor. */
function walkMerge(target: unknown, place: Place, walk: Walk): Map<string, Json> {
  if (!isMap(target) || walk.active.has(target)) {
    walk.reporter.errorAt(place.spot, {
      code: "bad-alias",
      message: "`<<` takes an alias of a map.",
      fix: "Write `<<: *name` with the anchor `&name` on a map above.",
    });
    return new Map();
  }
  walk.active.add(target);
  const entries = walkMap(target, place, walk);
  walk.active.delete(target);
  return entries;
}

function keyName({ key }: Pair, range: Range, reporter: Reporter): string | undefined {
  if (isScalar(key) && typeof key.value === "string") return key.value;
  if (isScalar(key) && key.value !== null && key.source !== undefined) return key.source;
  reporter.errorAt(range, {
    code: "bad-key",
    message: "A key must be a word.",
    fix: "Write `name: value`; put text that begins with { or [ in quotes.",
  });
  return undefined;
}

interface Range {
  readonly start: number;
  readonly end: number;
}

function rangeOf(node: unknown): Range | undefined {
  if (!isScalar(node) && !isMap(node) && !isSeq(node) && !isAlias(node)) return undefined;
  const range = node.range;
  return range ? { start: range[0], end: range[1] } : undefined;
}

function scalarValue(
  node: { value: unknown; type?: unknown; source?: string },
  format: "yaml" | "json",
): Json {
  const { value } = node;
  if (typeof value === "boolean" || typeof value === "number") return value;
  if (typeof value !== "string") return null;
  if (format === "json" || node.type !== "PLAIN") return value;
  if (YES.test(value)) return true;
  return NO.test(value) ? false : value;
}
