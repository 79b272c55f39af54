/**
 * The conditions of `routes` and `when`. The language is that of `condition-syntax.ts`; what values mean
 * is Python's: empty is false, `true` equals 1, `and` and `or` give one of their operands and look no
 * further than they must. Nothing is converted and nothing is guessed: a name without a value or a
 * comparison that makes no sense is an error, never false.
 */
import { AppError } from "../domain/error.ts";
import { isJsonObject, type Json } from "../lib/json.ts";
import {
  type Arithmetic,
  type Comparison,
  ConditionFault,
  type ConditionFunction,
  type Expression,
  readCondition,
} from "./condition-syntax.ts";
import { findInside, findNamed, type Reference, type TemplateScope } from "./template.ts";
import { describeValue } from "./type.ts";

/** Conditions are read once and kept; the oldest go first. */
const CACHE_COUNT_MAX = 1_000;
const MESSAGE_TEXT_CHARS_MAX = 200;
/** Lists and objects that nest deeper than this are not compared. */
const COMPARED_DEPTH_MAX = 200;

export interface ConditionProblem {
  readonly message: string;
  /** Counts from 1, in the text of the condition. */
  readonly column: number;
  readonly fix: string;
}

/** A name that a condition looks up. */
export interface ConditionName extends Reference {
  /** As written, without braces. */
  readonly text: string;
  readonly column: number;
}

export type ConditionReading =
  /** In order of appearance. Unquoted text on the right of a comparison is not among them. */
  { readonly references: readonly ConditionName[] } | { readonly problem: ConditionProblem };

type Parsed = { readonly expression: Expression } | { readonly problem: ConditionProblem };

const cache = new Map<string, Parsed>();

/** Checks a condition and says which names must have a value for it. */
export function parseCondition(text: string): ConditionReading {
  const parsed = parse(text);
  if ("problem" in parsed) return parsed;
  const references: ConditionName[] = [];
  collectNames(parsed.expression, references);
  return { references };
}

/**
 * Whether the condition holds. Names without `state.` mean a local value before a field of the state.
 * @throws AppError `condition_failed` with the place and the reason when it cannot be evaluated.
 */
export function evaluateCondition(text: string, scope: TemplateScope): boolean {
  const parsed = parse(text);
  if ("problem" in parsed) throw conditionFailed(text, parsed.problem);
  try {
    return isTruthy(evaluate(parsed.expression, scope));
  } catch (error) {
    if (error instanceof ConditionFault) throw conditionFailed(text, toProblem(error));
    throw error;
  }
}

/** As in Python: false, null, 0 and everything empty are not. */
export function isTruthy(value: Json): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (isJsonObject(value)) return Object.keys(value).length > 0;
  return Boolean(value);
}

function parse(text: string): Parsed {
  const known = cache.get(text);
  if (known !== undefined) return known;
  const parsed = parseNew(text);
  const oldest = cache.size < CACHE_COUNT_MAX ? undefined : cache.keys().next().value;
  if (oldest !== undefined) cache.delete(oldest);
  cache.set(text, parsed);
  return parsed;
}

function parseNew(text: string): Parsed {
  try {
    return { expression: readCondition(text) };
  } catch (error) {
    if (error instanceof ConditionFault) return { problem: toProblem(error) };
    throw error;
  }
}

function toProblem({ at, message, fix }: ConditionFault): ConditionProblem {
  return { message, column: at + 1, fix };
}

function conditionFailed(text: string, { message, column, fix }: ConditionProblem): AppError {
  const line = text.trim().replaceAll(/\s+/g, " ");
  const short =
    line.length > MESSAGE_TEXT_CHARS_MAX ? `${line.slice(0, MESSAGE_TEXT_CHARS_MAX - 1)}…` : line;
  const place = `The condition \`${short}\` cannot be evaluated at column ${column}`;
  return new AppError("condition_failed", `${place}: ${message}`, { fix });
}

function collectNames(expression: Expression, names: ConditionName[]): void {
  if (expression.kind === "name") {
    const { text, at, reference } = expression;
    names.push({ text, column: at + 1, ...reference });
    return;
  }
  for (const part of partsOf(expression)) collectNames(part, names);
}

function partsOf(expression: Expression): readonly Expression[] {
  switch (expression.kind) {
    case "literal":
    case "name":
    case "word":
      return [];
    case "list":
      return expression.items;
    case "inside":
      return [expression.of, ...expression.keys];
    case "call":
      return [expression.argument];
    case "not":
    case "negative":
      return [expression.of];
    case "and":
    case "or":
      return expression.parts;
    case "compare":
    case "arithmetic":
      return [expression.first, ...expression.rest.map(({ operand }) => operand)];
  }
}

type Kind<Name extends Expression["kind"]> = Extract<Expression, { kind: Name }>;

function evaluate(expression: Expression, scope: TemplateScope): Json {
  switch (expression.kind) {
    case "literal":
      return expression.value;
    case "name":
      return valueOfName(expression, scope);
    case "word":
      return valueOfWord(expression, scope);
    case "list":
      return expression.items.map((item) => evaluate(item, scope));
    case "inside":
      return valueInside(expression, scope);
    case "call":
      return callFunction(expression, evaluate(expression.argument, scope));
    case "not":
      return !isTruthy(evaluate(expression.of, scope));
    case "negative":
      return -numberOf(evaluate(expression.of, scope), { at: expression.at, operator: "-" });
    case "and":
    case "or":
      return evaluateParts(expression, scope);
    case "compare":
      return evaluateComparisons(expression, scope);
    case "arithmetic":
      return evaluateArithmetic(expression, scope);
  }
}

function valueOfName({ at, text, reference }: Kind<"name">, scope: TemplateScope): Json {
  let value = findNamed(reference, scope);
  if (value === undefined) {
    const fix = `Give it a value before this step, correct the name, or put text in quotes.`;
    throw new ConditionFault(at, `\`${text}\` has no value.`, fix);
  }
  for (const key of reference.path.slice(1)) value = inside(value, key, at);
  return value;
}

function valueOfWord({ text, otherwise }: Kind<"word">, scope: TemplateScope): Json {
  if (otherwise === undefined) return text;
  const [first] = firstNames(otherwise);
  if (first === undefined || findNamed(first, scope) === undefined) return text;
  return evaluate(otherwise, scope);
}

function firstNames(expression: Expression): readonly ConditionName[] {
  const names: ConditionName[] = [];
  collectNames(expression, names);
  return names;
}

function valueInside({ of, keys }: Kind<"inside">, scope: TemplateScope): Json {
  let value = evaluate(of, scope);
  for (const key of keys) value = inside(value, evaluate(key, scope), key.at);
  return value;
}

/** A negative index counts from the end. */
function inside(value: Json, key: Json, at: number): Json {
  let name: string | undefined;
  if (typeof key === "string") name = key;
  if (typeof key === "number" && Number.isInteger(key))
    name = String(Array.isArray(value) && key < 0 ? value.length + key : key);
  if (name === undefined) {
    const message = `${describeValue(key)} is neither a key nor a whole number.`;
    throw new ConditionFault(
      at,
      message,
      "Use an index such as `[0]` or a key such as `['name']`.",
    );
  }
  const found = findInside(value, name);
  if (found !== undefined) return found;
  if (Array.isArray(value)) {
    const message = `The list has ${value.length} items and none at ${JSON.stringify(key)}.`;
    throw new ConditionFault(at, message, "Ask for `len(…)` before, or use another index.");
  }
  if (isJsonObject(value)) {
    const message = `There is no key ${JSON.stringify(name)} in the map.`;
    throw new ConditionFault(at, message, `Ask for \`'${name}' in …\` before, or use another key.`);
  }
  const message = `There is nothing inside ${describeValue(value)}; ${JSON.stringify(name)} cannot be read.`;
  throw new ConditionFault(at, message, "Look only inside lists and maps.");
}

function callFunction({ at, name }: { at: number; name: ConditionFunction }, value: Json): Json {
  if (typeof value === "string") {
    if (name === "len") return Array.from(value).length;
    return name === "lower" ? value.toLowerCase() : value.toUpperCase();
  }
  if (name === "len" && Array.isArray(value)) return value.length;
  if (name === "len" && isJsonObject(value)) return Object.keys(value).length;
  const wanted = name === "len" ? "text, a list or a map" : "text";
  const message = `\`${name}\` takes ${wanted}, and was given ${describeValue(value)}.`;
  throw new ConditionFault(at, message, `Give it ${wanted}.`);
}

/** The operand that decides, as in Python. */
function evaluateParts({ kind, parts }: Kind<"and" | "or">, scope: TemplateScope): Json {
  let value: Json = null;
  for (const part of parts) {
    value = evaluate(part, scope);
    if (isTruthy(value) === (kind === "or")) break;
  }
  return value;
}

/** `a < b < c` is `a < b and b < c`. */
function evaluateComparisons({ first, rest }: Kind<"compare">, scope: TemplateScope): boolean {
  let left = evaluate(first, scope);
  for (const { at, operator, operand } of rest) {
    const right = evaluate(operand, scope);
    if (!compare({ left, right, at }, operator)) return false;
    left = right;
  }
  return true;
}

interface Pair {
  readonly left: Json;
  readonly right: Json;
  readonly at: number;
}

function compare(pair: Pair, operator: Comparison): boolean {
  switch (operator) {
    case "==":
      return isEqual(pair);
    case "!=":
      return !isEqual(pair);
    case "in":
      return isIn(pair);
    case "not in":
      return !isIn(pair);
    case "is":
      return pair.left === pair.right;
    case "is not":
      return pair.left !== pair.right;
    case "<":
      return order(pair, operator) < 0;
    case "<=":
      return order(pair, operator) <= 0;
    case ">":
      return order(pair, operator) > 0;
    case ">=":
      return order(pair, operator) >= 0;
  }
}

function isEqual({ left, right, at }: Pair, depth = 0): boolean {
  if (depth > COMPARED_DEPTH_MAX) {
    const message = `The values nest deeper than ${COMPARED_DEPTH_MAX} levels.`;
    throw new ConditionFault(at, message, "Compare parts of them.");
  }
  if (isList(left) && isList(right)) {
    if (left.length !== right.length) return false;
    return left.every((item, index) =>
      isEqual({ left: item, right: right[index] ?? null, at }, depth + 1),
    );
  }
  if (isJsonObject(left) && isJsonObject(right)) {
    const entries = Object.entries(left);
    if (entries.length !== Object.keys(right).length) return false;
    return entries.every(([key, item]) => {
      const other = findInside(right, key);
      return other !== undefined && isEqual({ left: item, right: other, at }, depth + 1);
    });
  }
  return plain(left) === plain(right);
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

/** True and false count as 1 and 0. */
function plain(value: Json): Json {
  return typeof value === "boolean" ? Number(value) : value;
}

function isIn({ left, right, at }: Pair): boolean {
  if (isList(right)) return right.some((item) => isEqual({ left, right: item, at }));
  if (isJsonObject(right) && (typeof left === "string" || typeof left === "number"))
    return Object.hasOwn(right, String(left));
  if (typeof right === "string" && typeof left === "string") return right.includes(left);
  const message = `\`in\` cannot look for ${describeValue(left)} in ${describeValue(right)}.`;
  throw new ConditionFault(
    at,
    message,
    "Look for a value in a list, or for text in a map or text.",
  );
}

/** Negative when the left one comes first. */
function order({ left, right, at }: Pair, operator: Comparison): number {
  const [first, second] = [plain(left), plain(right)];
  if (typeof first === "number" && typeof second === "number") return first - second;
  if (typeof first === "string" && typeof second === "string") {
    if (first === second) return 0;
    return first < second ? -1 : 1;
  }
  const message = `\`${operator}\` cannot compare ${describeValue(left)} with ${describeValue(right)}.`;
  throw new ConditionFault(at, message, "Compare two numbers or two texts.");
}

function evaluateArithmetic({ first, rest }: Kind<"arithmetic">, scope: TemplateScope): number {
  const [start] = rest;
  let total = numberOf(evaluate(first, scope), { at: first.at, operator: start?.operator ?? "+" });
  for (const { at, operator, operand } of rest) {
    const right = numberOf(evaluate(operand, scope), { at, operator });
    if (right === 0 && (operator === "/" || operator === "%"))
      throw new ConditionFault(at, "This divides by 0.", "Ask whether it is 0 before.");
    total = compute(total, right, operator);
    if (!Number.isFinite(total))
      throw new ConditionFault(at, "The number is too large.", "Use smaller numbers.");
  }
  return total;
}

function numberOf(value: Json, place: { at: number; operator: Arithmetic }): number {
  if (typeof value === "number") return value;
  const message = `\`${place.operator}\` takes numbers, and was given ${describeValue(value)}.`;
  throw new ConditionFault(place.at, message, "Use numbers only.");
}

function compute(left: number, right: number, operator: Arithmetic): number {
  switch (operator) {
    case "+":
      return left + right;
    case "-":
      return left - right;
    case "*":
      return left * right;
    case "/":
      return left / right;
    case "%": {
      const rest = left % right;
      // The sign of the divisor, as in Python.
      return rest !== 0 && rest < 0 !== right < 0 ? rest + right : rest;
    }
  }
}
