/** CA's type strings: read, write, check a value, and turn into JSON Schema. */
import type { StateField, StateType } from "../domain/workflow.ts";
import { defined } from "../lib/defined.ts";
import { isJsonObject, type Json, type JsonObject } from "../lib/json.ts";
import { nearest } from "../lib/nearest.ts";

export const TYPE_DEPTH_MAX = 16;
/** A value that is wrong throughout is described by its first faults. */
const FAULT_COUNT_MAX = 20;

const NAMES = new Set(["str", "int", "float", "bool", "list", "dict", "object"]);
/** Names from other languages. */
const ALIASES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    string: "str",
    text: "str",
    integer: "int",
    number: "float",
    double: "float",
    boolean: "bool",
    array: "list",
    map: "dict",
    mapping: "dict",
  }),
);
const KEY_KINDS: ReadonlySet<StateType["kind"]> = new Set(["str", "int", "float", "bool", "any"]);
const ANY: StateType = { kind: "any" };

interface TypeFault {
  readonly message: string;
  /** The whole type text as it was most likely meant. */
  readonly suggestion?: string;
}
export type TypeReading = { readonly type: StateType } | TypeFault;

/** Reads `str int float bool list dict list[T] dict[K, V] object`, nested at will. */
export function parseType(text: string): TypeReading {
  const tokens = text.match(/[\p{L}\p{N}_]+|[^\s\p{L}\p{N}_]/gu) ?? [];
  let index = 0;

  function readOne(depth: number): StateType | TypeFault {
    const name = tokens[index];
    if (depth > TYPE_DEPTH_MAX)
      return { message: `The type nests deeper than ${TYPE_DEPTH_MAX} levels.` };
    if (name === undefined) return { message: "The type ends too early." };
    index += 1;
    if (!NAMES.has(name)) return unknownName(text, name);
    const stated: StateType[] = [];
    if (tokens[index] === "[") {
      do {
        index += 1;
        const argument = readOne(depth + 1);
        if ("message" in argument) return argument;
        stated.push(argument);
      } while (tokens[index] === ",");
      if (tokens[index] !== "]") return { message: "A `]` is missing." };
      index += 1;
    }
    return build(name, stated);
  }

  const type = readOne(1);
  if ("message" in type) return type;
  const rest = tokens[index];
  return rest === undefined ? { type } : { message: `The \`${rest}\` after the type is too much.` };
}

function unknownName(text: string, name: string): TypeFault {
  const known = ALIASES.get(name.toLowerCase()) ?? nearest(name, NAMES);
  const message = `\`${name}\` is not a type.`;
  if (known === undefined) return { message };
  const whole = new RegExp(`(?<![\\p{L}\\p{N}_])${name}(?![\\p{L}\\p{N}_])`, "gu");
  return { message, suggestion: text.replace(whole, known) };
}

function build(name: string, stated: readonly StateType[]): StateType | TypeFault {
  const [first = ANY, second = ANY] = stated;
  switch (name) {
    case "list":
      if (stated.length > 1) return { message: "A list has one item type: `list[str]`." };
      return { kind: "list", item: first };
    case "dict":
      if (stated.length === 0) return { kind: "dict", key: { kind: "str" }, value: ANY };
      if (stated.length !== 2)
        return { message: "A dict has a key and a value type: `dict[str, int]`." };
      if (!KEY_KINDS.has(first.kind))
        return { message: `${formatType(first)} cannot be the key of a dict.` };
      return { kind: "dict", key: first, value: second };
    default:
      if (stated.length > 0) return { message: `\`${name}\` takes nothing in brackets.` };
      return name === "object" ? { kind: "object", fields: [] } : { kind: simpleKind(name) };
  }
}

function simpleKind(name: string): "str" | "int" | "float" | "bool" | "any" {
  return name === "str" || name === "int" || name === "float" || name === "bool" ? name : "any";
}

/** The type as a file would state it; the fields of an object are left out. */
export function formatType(type: StateType): string {
  if (type.kind === "list")
    return type.item.kind === "any" ? "list" : `list[${formatType(type.item)}]`;
  if (type.kind !== "dict") return type.kind;
  if (type.value.kind === "any" && type.key.kind === "str") return "dict";
  return `dict[${formatType(type.key)}, ${formatType(type.value)}]`;
}

export interface ValueFault {
  /** Place inside the value, such as `tags[0]`; empty for the value itself. */
  readonly path: string;
  readonly message: string;
}

/**
 * All that is wrong with a value. Strict: every field of an object is there and no other, an `int`
 * is a whole number, nothing is converted. A field of an object that is not `required` may be null.
 */
export function checkValue(type: StateType, value: unknown): ValueFault[] {
  const faults: ValueFault[] = [];
  collectFaults(type, { value, path: "" }, faults);
  return faults.slice(0, FAULT_COUNT_MAX);
}

interface Place {
  readonly value: unknown;
  readonly path: string;
}

function collectFaults(type: StateType, place: Place, faults: ValueFault[]): void {
  const { value, path } = place;
  if (faults.length >= FAULT_COUNT_MAX) return;
  if (!HAS_KIND[type.kind](value)) {
    faults.push({ path, message: `expected ${formatType(type)}, got ${describeValue(value)}` });
    return;
  }
  if (type.kind === "list" && Array.isArray(value)) {
    const items: readonly unknown[] = value;
    for (const [index, item] of items.entries())
      collectFaults(type.item, { value: item, path: `${path}[${index}]` }, faults);
  }
  if (!isJsonObject(value)) return;
  if (type.kind === "dict") collectDictFaults(type, { value, path }, faults);
  if (type.kind === "object" && type.fields.length > 0)
    collectObjectFaults(type.fields, { value, path }, faults);
}

const HAS_KIND: Readonly<Record<StateType["kind"], (value: unknown) => boolean>> = {
  any: (value) => value !== undefined,
  str: (value) => typeof value === "string",
  int: (value) => Number.isInteger(value),
  float: (value) => Number.isFinite(value),
  bool: (value) => typeof value === "boolean",
  list: (value) => Array.isArray(value),
  dict: (value) => isJsonObject(value),
  object: (value) => isJsonObject(value),
};

function collectDictFaults(
  type: Extract<StateType, { kind: "dict" }>,
  place: { value: JsonObject; path: string },
  faults: ValueFault[],
): void {
  for (const [key, item] of Object.entries(place.value)) {
    const path = `${place.path}[${JSON.stringify(key)}]`;
    if (!new RegExp(keyPattern(type.key), "u").test(key))
      faults.push({ path, message: `the key must be ${formatType(type.key)}` });
    collectFaults(type.value, { value: item, path }, faults);
  }
}

function collectObjectFaults(
  fields: readonly StateField[],
  place: { value: JsonObject; path: string },
  faults: ValueFault[],
): void {
  const at = (name: string) => (place.path === "" ? name : `${place.path}.${name}`);
  for (const field of fields) {
    const path = at(field.name);
    if (!Object.hasOwn(place.value, field.name)) faults.push({ path, message: "is missing" });
    else if (place.value[field.name] !== null || field.required)
      collectFaults(field.type, { value: place.value[field.name], path }, faults);
  }
  const names = fields.map((field) => field.name);
  for (const key of Object.keys(place.value)) {
    if (names.includes(key)) continue;
    const known = nearest(key, names);
    const hint = known === undefined ? `known are ${names.join(", ")}` : `did you mean ${known}?`;
    faults.push({ path: at(key), message: `is not a known field (${hint})` });
  }
}

/** What dict keys look like in JSON, where every key is text. */
function keyPattern(type: StateType): string {
  if (type.kind === "int") return "^-?(0|[1-9][0-9]*)$";
  if (type.kind === "float") return "^-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?[0-9]+)?$";
  return type.kind === "bool" ? "^(true|false)$" : "";
}

/** A value in a few words for a message: `text "abc"`, `the number 3.5`, `a list`. */
export function describeValue(value: unknown): string {
  if (typeof value === "string") {
    const short = value.length > 30 ? `${value.slice(0, 29)}…` : value;
    return `text ${JSON.stringify(short)}`;
  }
  if (typeof value === "number") return `the number ${value}`;
  if (typeof value === "boolean") return String(value);
  if (value === null || value === undefined) return "nothing";
  return Array.isArray(value) ? "a list" : "a map";
}

/**
 * JSON Schema of a type, in the form that strict providers take: objects with fields are closed and
 * require every field (one that is not `required` may be null).
 */
export function typeToJsonSchema(type: StateType, description?: string): JsonObject {
  return { ...schemaOf(type), ...(description === undefined ? {} : { description }) };
}

const SIMPLE_SCHEMAS = {
  any: {},
  str: { type: "string" },
  int: { type: "integer" },
  float: { type: "number" },
  bool: { type: "boolean" },
} as const;

function schemaOf(type: StateType): JsonObject {
  if (type.kind === "list") return { type: "array", items: schemaOf(type.item) };
  if (type.kind === "object") return { type: "object", ...closedObject(type.fields) };
  if (type.kind !== "dict") return SIMPLE_SCHEMAS[type.kind];
  const pattern = keyPattern(type.key);
  return {
    type: "object",
    ...(pattern === "" ? {} : { propertyNames: { pattern } }),
    additionalProperties: schemaOf(type.value),
  };
}

function closedObject(fields: readonly StateField[]): JsonObject {
  if (fields.length === 0) return { additionalProperties: true };
  return {
    properties: Object.fromEntries(fields.map((field) => [field.name, fieldSchema(field)])),
    required: fields.map((field) => field.name),
    additionalProperties: false,
  };
}

function fieldSchema(field: StateField): JsonObject {
  if (field.required) return typeToJsonSchema(field.type, field.description);
  const note = field.description === undefined ? {} : { description: field.description };
  return { anyOf: [typeToJsonSchema(field.type), { type: "null" }], ...note };
}

/** The value with the defaults of absent object fields filled in, at every depth. */
export function fillDefaults(type: StateType, value: Json): Json {
  if (type.kind === "list" && Array.isArray(value)) {
    const items: readonly Json[] = value;
    return items.map((item) => fillDefaults(type.item, item));
  }
  if (!isJsonObject(value)) return value;
  if (type.kind === "dict") {
    const entries = Object.entries(value);
    return Object.fromEntries(entries.map(([key, item]) => [key, fillDefaults(type.value, item)]));
  }
  if (type.kind !== "object") return value;
  const entries = new Map(Object.entries(value));
  for (const field of type.fields) {
    const given = entries.get(field.name);
    if (given !== undefined) entries.set(field.name, fillDefaults(field.type, given));
    else if (!field.required) entries.set(field.name, field.default);
  }
  return Object.fromEntries(entries);
}

/**
 * What two statements of one type say together, or undefined when they contradict each other. An
 * element without a type and an object without fields take what the other one says.
 */
export function mergeTypes(left: StateType, right: StateType): StateType | undefined {
  if (left.kind === "any") return right;
  if (right.kind === "any") return left;
  if (left.kind === "list" && right.kind === "list") {
    const item = mergeTypes(left.item, right.item);
    return item && { kind: "list", item };
  }
  if (left.kind === "dict" && right.kind === "dict") {
    const key = mergeTypes(left.key, right.key);
    const value = mergeTypes(left.value, right.value);
    return key && value && { kind: "dict", key, value };
  }
  if (left.kind === "object" && right.kind === "object") return mergeObjects(left, right);
  return left.kind === right.kind ? left : undefined;
}

type ObjectType = Extract<StateType, { kind: "object" }>;

function mergeObjects(left: ObjectType, right: ObjectType): StateType | undefined {
  if (left.fields.length === 0) return right;
  if (right.fields.length === 0) return left;
  if (left.fields.length !== right.fields.length) return undefined;
  const fields: StateField[] = [];
  for (const field of left.fields) {
    const other = right.fields.find((candidate) => candidate.name === field.name);
    const type = other && mergeTypes(field.type, other.type);
    if (other === undefined || type === undefined) return undefined;
    const description = field.description ?? other.description;
    fields.push({ ...field, type, ...(description === undefined ? {} : { description }) });
  }
  return { kind: "object", fields };
}

/** The type with every field of every object `required`: what a model must answer. */
export function requireAllFields(type: StateType): StateType {
  if (type.kind === "list") return { kind: "list", item: requireAllFields(type.item) };
  if (type.kind === "dict")
    return { kind: "dict", key: type.key, value: requireAllFields(type.value) };
  if (type.kind !== "object") return type;
  const fields = type.fields.map(({ name, type: inner, description }) =>
    defined({ name, type: requireAllFields(inner), required: true, default: null, description }),
  );
  return { kind: "object", fields };
}

/** Gives the one `object` inside a type its fields; undefined when there is none. */
export function withFields(type: StateType, fields: readonly StateField[]): StateType | undefined {
  if (type.kind === "object") return { kind: "object", fields };
  if (type.kind === "list") {
    const item = withFields(type.item, fields);
    return item && { kind: "list", item };
  }
  if (type.kind !== "dict") return undefined;
  const value = withFields(type.value, fields);
  return value && { kind: "dict", key: type.key, value };
}
