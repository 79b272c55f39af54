/**
 * Reads a condition into a tree. The grammar, loosest first:
 *
 *     or  ←  and  ←  not  ←  == != < <= > >= in, not in, is, is not  ←  + -  ←  * / %  ←  - +
 *
 * and at the bottom names (`x`, `state.x.y`, `items.0`, `items[0]`, `{state.x}`), numbers, texts, `true`,
 * `false`, `None`, lists, parentheses and the functions below. On the right of a comparison unquoted text
 * stands for itself (`state.status == approved`): that is how the replaced system wrote texts.
 */
import type { Json } from "../lib/json.ts";
import { nearest } from "../lib/nearest.ts";
import { readReference, type Reference } from "./template.ts";

export const CONDITION_CHARS_MAX = 4_000;
export const CONDITION_DEPTH_MAX = 32;

/** Each takes one value. */
export const CONDITION_FUNCTIONS = ["len", "lower", "upper"] as const;
export type ConditionFunction = (typeof CONDITION_FUNCTIONS)[number];

export type Comparison = "==" | "!=" | "<" | "<=" | ">" | ">=" | "in" | "not in" | "is" | "is not";
export type Arithmetic = "+" | "-" | "*" | "/" | "%";

/** `at` counts characters from 0. Chains of one operator are flat, so that only nesting makes depth. */
export type Expression =
  | { readonly kind: "literal"; readonly at: number; readonly value: Json }
  | {
      readonly kind: "name";
      readonly at: number;
      readonly text: string;
      readonly reference: Reference;
    }
  /** Unquoted text: what `otherwise` says when its first name exists, else the text itself. */
  | {
      readonly kind: "word";
      readonly at: number;
      readonly text: string;
      readonly otherwise?: Expression;
    }
  | { readonly kind: "list"; readonly at: number; readonly items: readonly Expression[] }
  | {
      readonly kind: "inside";
      readonly at: number;
      readonly of: Expression;
      readonly keys: readonly Expression[];
    }
  | {
      readonly kind: "call";
      readonly at: number;
      readonly name: ConditionFunction;
      readonly argument: Expression;
    }
  | { readonly kind: "not" | "negative"; readonly at: number; readonly of: Expression }
  | { readonly kind: "and" | "or"; readonly at: number; readonly parts: readonly Expression[] }
  | Chain<"compare", Comparison>
  | Chain<"arithmetic", Arithmetic>;

export interface Link<Operator> {
  readonly at: number;
  readonly operator: Operator;
  readonly operand: Expression;
}

interface Chain<Kind, Operator> {
  readonly kind: Kind;
  readonly at: number;
  readonly first: Expression;
  readonly rest: readonly Link<Operator>[];
}

/** Why a text is no condition. */
export class ConditionFault extends Error {
  override readonly name = "ConditionFault";
  readonly at: number;
  readonly fix: string;

  constructor(at: number, message: string, fix: string) {
    super(message);
    this.at = at;
    this.fix = fix;
  }
}

interface Cursor {
  readonly text: string;
  at: number;
  depth: number;
}

const END_OF_WORD = String.raw`(?![\p{ID_Continue}])`;
const SPACE = /\s*/uy;
const AND = new RegExp(`(?:and|AND)${END_OF_WORD}`, "uy");
const OR = new RegExp(`(?:or|OR)${END_OF_WORD}`, "uy");
const NOT = new RegExp(`(?:not|NOT)${END_OF_WORD}`, "uy");
const NOT_IN = new RegExp(String.raw`(?:not\s+in|NOT\s+IN)${END_OF_WORD}`, "uy");
const IN = new RegExp(`(?:in|IN)${END_OF_WORD}`, "uy");
const IS_NOT = new RegExp(String.raw`(?:is\s+not|IS\s+NOT)${END_OF_WORD}`, "uy");
const IS = new RegExp(`(?:is|IS)${END_OF_WORD}`, "uy");
const SYMBOLS = ["==", "!=", "<=", ">=", "<", ">"] as const;
const COMPARISON = /==(?!=)|!=(?!=)|<=|>=|<(?!>)|>/uy;
const NUMBER = /(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\p{ID_Continue}.])/uy;
const TEXT = /"(?:[^"\\]|\\[\s\S])*"|'(?:[^'\\]|\\[\s\S])*'/uy;
const PATH = /[\p{ID_Start}_][\p{ID_Continue}]*(?:\.[\p{ID_Continue}]+)*/uy;
const BRACED = /\{\s*([\p{ID_Start}_][\p{ID_Continue}]*(?:\.[\p{ID_Continue}]+)*)\s*\}/uy;
const STEP = /\.([\p{ID_Continue}]+)/uy;

const RESERVED = /^(?:and|or|not|in|is|AND|OR|NOT|IN|IS)$/;
const LITERALS: ReadonlyMap<string, Json> = new Map<string, Json>([
  ["true", true],
  ["True", true],
  ["TRUE", true],
  ["false", false],
  ["False", false],
  ["FALSE", false],
  ["null", null],
  ["None", null],
]);

/** @throws ConditionFault when the text is no condition. */
export function readCondition(text: string): Expression {
  if (text.length > CONDITION_CHARS_MAX) {
    const message = `The condition is longer than ${CONDITION_CHARS_MAX} characters.`;
    throw new ConditionFault(0, message, "Compute the answer in a node, and compare its result.");
  }
  if (text.trim() === "")
    throw new ConditionFault(0, "The condition is empty.", "Write one, such as `state.score > 8`.");
  const cursor: Cursor = { text, at: 0, depth: 0 };
  skipSpace(cursor);
  const expression = readOr(cursor);
  if (cursor.at < text.length) throw unexpected(cursor);
  return expression;
}

/** Takes the match at the cursor and the space behind it. */
function take(cursor: Cursor, pattern: RegExp): RegExpExecArray | undefined {
  pattern.lastIndex = cursor.at;
  const match = pattern.exec(cursor.text);
  if (match === null) return undefined;
  cursor.at += match[0].length;
  skipSpace(cursor);
  return match;
}

function skipSpace(cursor: Cursor): void {
  SPACE.lastIndex = cursor.at;
  cursor.at += SPACE.exec(cursor.text)?.[0].length ?? 0;
}

function takeSymbol(cursor: Cursor, symbol: string): boolean {
  if (!cursor.text.startsWith(symbol, cursor.at)) return false;
  cursor.at += symbol.length;
  skipSpace(cursor);
  return true;
}

function expectSymbol(cursor: Cursor, symbol: string): void {
  if (!takeSymbol(cursor, symbol)) throw unexpected(cursor, `\`${symbol}\``);
}

/** What is at the cursor instead of what was to come there. */
function unexpected(cursor: Cursor, wanted?: string): ConditionFault {
  const { text, at } = cursor;
  const expected = wanted === undefined ? "" : `; ${wanted} is expected`;
  const rest = text.slice(at);
  if (rest === "") {
    const message = `The condition ends too early${expected || "; a value is expected"}.`;
    return new ConditionFault(at, message, "Complete it, or take away what is too much.");
  }
  for (const [pattern, fix] of SLIPS) {
    const slip = pattern.exec(rest)?.[0];
    if (slip !== undefined) return notUnderstood(at, slip, { expected, fix });
  }
  const found = /^(?:[\p{ID_Continue}.]+|.)/su.exec(rest)?.[0] ?? rest;
  return notUnderstood(at, found, { expected, fix: "Put text in quotes, or correct this place." });
}

function notUnderstood(
  at: number,
  found: string,
  { expected, fix }: { expected: string; fix: string },
): ConditionFault {
  return new ConditionFault(at, `\`${found}\` is not understood here${expected}.`, fix);
}

/** How other languages write it. */
const SLIPS: readonly (readonly [RegExp, string])[] = [
  [/^&&?/, "Write `and`."],
  [/^\|\|?/, "Write `or`."],
  [/^(?:===|=(?![=<>]))/, "Write `==`."],
  [/^(?:!==|<>)/, "Write `!=`."],
  [/^=</, "Write `<=`."],
  [/^=>/, "Write `>=`."],
  [/^!(?!=)/, "Write `not`."],
  [/^[“”‘’„]/, "Write straight quotes."],
  [/^["']/, "Close the quote."],
  [
    /^(?:if|IF|then|THEN|else|ELSE)(?![\p{ID_Continue}])/u,
    "Use several routes, one for each case.",
  ],
];

function readOr(cursor: Cursor): Expression {
  return readParts(cursor, { kind: "or", pattern: OR, read: readAnd });
}

function readAnd(cursor: Cursor): Expression {
  return readParts(cursor, { kind: "and", pattern: AND, read: readNot });
}

function readParts(
  cursor: Cursor,
  level: { kind: "and" | "or"; pattern: RegExp; read: (cursor: Cursor) => Expression },
): Expression {
  const first = level.read(cursor);
  const parts = [first];
  while (take(cursor, level.pattern)) parts.push(level.read(cursor));
  return parts.length === 1 ? first : { kind: level.kind, at: first.at, parts };
}

function readNot(cursor: Cursor): Expression {
  let count = 0;
  const { at } = cursor;
  while (take(cursor, NOT)) count += 1;
  const of = readComparison(cursor);
  if (count === 0) return of;
  const not: Expression = { kind: "not", at, of };
  return count % 2 === 1 ? not : { kind: "not", at, of: not };
}

function readComparison(cursor: Cursor): Expression {
  const first = readSum(cursor);
  const rest: Link<Comparison>[] = [];
  for (;;) {
    const { at } = cursor;
    const operator = takeComparison(cursor);
    if (operator === undefined) break;
    rest.push({ at, operator, operand: readRight(cursor, operator) });
  }
  return rest.length === 0 ? first : { kind: "compare", at: first.at, first, rest };
}

function takeComparison(cursor: Cursor): Comparison | undefined {
  const text = take(cursor, COMPARISON)?.[0];
  if (text !== undefined) return SYMBOLS.find((symbol) => symbol === text);
  if (take(cursor, NOT_IN)) return "not in";
  if (take(cursor, IN)) return "in";
  if (take(cursor, IS_NOT)) return "is not";
  return take(cursor, IS) ? "is" : undefined;
}

function readRight(cursor: Cursor, operator: Comparison): Expression {
  const { at } = cursor;
  if (operator === "in" || operator === "not in") {
    const isList = cursor.text[at] === "[";
    return isList ? readPostfix(cursor, readList(cursor, readListed)) : readSum(cursor);
  }
  if (operator !== "is" && operator !== "is not") return readCompared(cursor);
  const operand = readSum(cursor);
  const isConstant =
    operand.kind === "literal" && (operand.value === null || typeof operand.value === "boolean");
  if (isConstant) return operand;
  const fix = `Write \`${operator === "is" ? "==" : "!="}\`.`;
  throw new ConditionFault(at, `\`${operator}\` compares with None, true and false only.`, fix);
}

const WORD = /[\p{ID_Continue}](?:[\p{ID_Continue}./:-]*[\p{ID_Continue}])?/uy;
const ONLY_NUMBER = /^(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
/** A date, a time, a version, an address: no sum that anybody writes. */
const DIGIT_GROUPS = /^\d+(?:[./:-]\d+){2,}$/;
/** What may follow unquoted text on the right of a comparison, and in the list behind `in`. */
const AFTER_WORDS = new RegExp(
  String.raw`$|[)\],]|[=!]=|[<>]|(?:and|AND|or|OR)${END_OF_WORD}`,
  "uy",
);
const AFTER_LISTED_WORDS = /[\],]/uy;

function readCompared(cursor: Cursor): Expression {
  return readWords(cursor, AFTER_WORDS) ?? readSum(cursor);
}

function readListed(cursor: Cursor): Expression {
  return readWords(cursor, AFTER_LISTED_WORDS) ?? readOr(cursor);
}

/** Unquoted text, where it cannot be anything else. */
function readWords(cursor: Cursor, follow: RegExp): Expression | undefined {
  const { at } = cursor;
  const words = takeWords(cursor);
  const end = cursor.at;
  cursor.at = at;
  follow.lastIndex = end;
  const isAlone = follow.test(cursor.text);
  const [first] = words;
  if (!isAlone || first === undefined || LITERALS.has(first)) return undefined;
  if (words.some((word) => word.startsWith("state."))) return undefined;
  const isName = /^[\p{ID_Start}_]/u.test(first);
  if (!isName && (words.length > 1 || !isText(first))) return undefined;
  const otherwise = isName && words.length === 1 ? tryRead(cursor, end) : undefined;
  const text = cursor.text.slice(at, end).trimEnd();
  cursor.at = end;
  return { kind: "word", at, text, ...(otherwise === undefined ? {} : { otherwise }) };
}

/** Whether a word that begins with a digit is no number. */
function isText(word: string): boolean {
  return DIGIT_GROUPS.test(word) || (/\p{L}/u.test(word) && !ONLY_NUMBER.test(word));
}

function takeWords(cursor: Cursor): string[] {
  const words: string[] = [];
  for (;;) {
    const before = cursor.at;
    const word = take(cursor, WORD)?.[0];
    if (word === undefined) return words;
    if (RESERVED.test(word)) {
      cursor.at = before;
      return words;
    }
    words.push(word);
  }
}

/** The text up to `end` as an ordinary value, when it is one. */
function tryRead(cursor: Cursor, end: number): Expression | undefined {
  const copy = { ...cursor };
  try {
    const value = readSum(copy);
    return copy.at === end ? value : undefined;
  } catch (error) {
    if (error instanceof ConditionFault) return undefined;
    throw error;
  }
}

function readSum(cursor: Cursor): Expression {
  return readArithmetic(cursor, { operators: ["+", "-"], read: readProduct });
}

function readProduct(cursor: Cursor): Expression {
  return readArithmetic(cursor, { operators: ["*", "/", "%"], read: readSigned });
}

function readArithmetic(
  cursor: Cursor,
  level: { operators: readonly Arithmetic[]; read: (cursor: Cursor) => Expression },
): Expression {
  const first = level.read(cursor);
  const rest: Link<Arithmetic>[] = [];
  for (;;) {
    const { at } = cursor;
    const operator = level.operators.find((symbol) => takeSymbol(cursor, symbol));
    if (operator === undefined) break;
    rest.push({ at, operator, operand: level.read(cursor) });
  }
  return rest.length === 0 ? first : { kind: "arithmetic", at: first.at, first, rest };
}

function readSigned(cursor: Cursor): Expression {
  const { at } = cursor;
  let sign: "" | "+" | "-" = "";
  for (;;) {
    if (takeSymbol(cursor, "-")) sign = sign === "-" ? "+" : "-";
    else if (takeSymbol(cursor, "+")) sign = sign === "-" ? "-" : "+";
    else break;
  }
  const of = readPostfix(cursor, readPrimary(cursor));
  if (sign === "") return of;
  const negative: Expression = { kind: "negative", at, of };
  return sign === "-" ? negative : { kind: "negative", at, of: negative };
}

function readPostfix(cursor: Cursor, of: Expression): Expression {
  const keys: Expression[] = [];
  for (;;) {
    const { at } = cursor;
    const name = take(cursor, STEP)?.[1];
    if (name !== undefined) {
      refuseMethod(cursor, name);
      keys.push({ kind: "literal", at, value: name });
    } else if (takeSymbol(cursor, "[")) {
      keys.push(readNested(cursor, at, readOr));
      expectSymbol(cursor, "]");
    } else {
      return keys.length === 0 ? of : { kind: "inside", at: of.at, of, keys };
    }
  }
}

/** Guards the depth of everything in brackets. */
function readNested(cursor: Cursor, at: number, read: (cursor: Cursor) => Expression): Expression {
  cursor.depth += 1;
  if (cursor.depth > CONDITION_DEPTH_MAX) {
    const message = `The condition nests deeper than ${CONDITION_DEPTH_MAX} levels.`;
    throw new ConditionFault(at, message, "Take brackets away.");
  }
  const expression = read(cursor);
  cursor.depth -= 1;
  return expression;
}

function readPrimary(cursor: Cursor): Expression {
  const { at } = cursor;
  if (takeSymbol(cursor, "(")) {
    const inner = readNested(cursor, at, readOr);
    expectSymbol(cursor, ")");
    return inner;
  }
  if (cursor.text[cursor.at] === "[") return readList(cursor, readOr);
  const quoted = take(cursor, TEXT)?.[0];
  if (quoted !== undefined) return { kind: "literal", at, value: unescape(quoted.slice(1, -1)) };
  const number = take(cursor, NUMBER)?.[0];
  if (number !== undefined) return readNumber(at, number);
  const braced = take(cursor, BRACED)?.[1];
  if (braced !== undefined) return nameOf(at, braced);
  return readNamed(cursor);
}

function readNumber(at: number, text: string): Expression {
  const value = Number(text);
  if (Number.isFinite(value)) return { kind: "literal", at, value };
  throw new ConditionFault(at, `The number ${text} is too large.`, "Write a smaller number.");
}

function readNamed(cursor: Cursor): Expression {
  const { at } = cursor;
  const text = take(cursor, PATH)?.[0];
  if (text === undefined || RESERVED.test(text)) {
    cursor.at = at;
    throw unexpected(cursor, "a value");
  }
  const literal = LITERALS.get(text);
  if (literal !== undefined) return { kind: "literal", at, value: literal };
  if (cursor.text[cursor.at] !== "(") return nameOf(at, text);
  const last = text.split(".").at(-1) ?? "";
  if (last !== text) refuseMethod(cursor, last);
  const name = CONDITION_FUNCTIONS.find((known) => known === text);
  if (name === undefined) throw unknownFunction(at, text);
  takeSymbol(cursor, "(");
  const argument = readNested(cursor, at, readOr);
  expectSymbol(cursor, ")");
  return { kind: "call", at, name, argument };
}

function nameOf(at: number, text: string): Expression {
  return { kind: "name", at, text, reference: readReference(text) };
}

function unknownFunction(at: number, name: string): ConditionFault {
  const known = nearest(name, CONDITION_FUNCTIONS);
  const fix =
    known === undefined
      ? `Use ${CONDITION_FUNCTIONS.join(", ")}, or compute the answer in a node.`
      : `Write \`${known}(…)\`.`;
  return new ConditionFault(at, `There is no function \`${name}\`.`, fix);
}

function refuseMethod(cursor: Cursor, name: string): void {
  if (cursor.text[cursor.at] !== "(") return;
  const known = CONDITION_FUNCTIONS.find((candidate) => candidate === name);
  const fix = `Write \`${known ?? "len"}(…)\` with the value in the brackets.`;
  throw new ConditionFault(cursor.at, `Values have no functions of their own (\`${name}\`).`, fix);
}

function readList(cursor: Cursor, read: (cursor: Cursor) => Expression): Expression {
  const { at } = cursor;
  expectSymbol(cursor, "[");
  const items: Expression[] = [];
  while (!takeSymbol(cursor, "]")) {
    if (items.length > 0) {
      expectSymbol(cursor, ",");
      if (takeSymbol(cursor, "]")) break;
    }
    items.push(readNested(cursor, at, read));
  }
  return { kind: "list", at, items };
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t" };

/** As in Python, a backslash before any other letter is a backslash. */
function unescape(text: string): string {
  return text.replaceAll(/\\([\s\S])/g, (whole: string, character: string) => {
    if ("\\\"'".includes(character)) return character;
    return ESCAPES[character] ?? whole;
  });
}
