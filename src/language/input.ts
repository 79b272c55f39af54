/** What a run is given → the state it starts with. */
import type { StateField, StateType, Workflow } from "../domain/workflow.ts";
import type { Json, JsonObject } from "../lib/json.ts";
import { nearest } from "../lib/nearest.ts";
import { checkValue, fillDefaults, formatType, type ValueFault } from "./type.ts";

export interface InputProblem {
  /** The input's name, also when the fault is deep inside of it. */
  readonly field: string;
  readonly message: string;
  readonly fix: string;
}

export interface InputReading {
  /** The state at the start: a value for every field. Undefined when there is a problem. */
  readonly values: JsonObject | undefined;
  readonly problems: readonly InputProblem[];
}

/**
 * Builds the state that a run starts with: the inputs, else the defaults, else null. An input that
 * is null counts as not given. Nothing is converted; text from a form or a command line goes through
 * `parseInputText` first.
 */
export function readInputs(
  workflow: Workflow,
  raw: Readonly<Record<string, unknown>>,
): InputReading {
  const problems = Object.keys(raw)
    .filter((name) => workflow.state.every((field) => field.name !== name))
    .map((name) => unknownInput(name, workflow));
  const values = workflow.state.map((field): [string, Json] => {
    const given = Object.hasOwn(raw, field.name) ? raw[field.name] : undefined;
    if (given === undefined || given === null) {
      if (field.required) problems.push(missingInput(field));
      return [field.name, field.default];
    }
    const reading = readValue(field.type, given);
    problems.push(...reading.faults.map((fault) => badInput(field, fault)));
    return [field.name, reading.value];
  });
  return { values: problems.length === 0 ? Object.fromEntries(values) : undefined, problems };
}

function readValue(type: StateType, given: unknown): { value: Json; faults: ValueFault[] } {
  if (!isJson(given)) {
    return {
      value: null,
      faults: [{ path: "", message: "this is not a value that JSON can hold" }],
    };
  }
  const value = fillDefaults(type, given);
  return { value, faults: checkValue(type, value) };
}

/** Depth is bounded by what a request or a file can hold; cycles cannot come in as text. */
function isJson(value: unknown): value is Json {
  if (value === null || typeof value === "string" || typeof value === "boolean") return true;
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value !== "object") return false;
  return Object.values(value).every((item) => isJson(item));
}

function unknownInput(name: string, workflow: Workflow): InputProblem {
  const names = workflow.state.map((field) => field.name);
  const meant = nearest(name, names);
  return {
    field: name,
    message: `The workflow has no input \`${name}\`.`,
    fix: meant === undefined ? `Use one of: ${names.join(", ")}.` : `Write \`${meant}\` instead.`,
  };
}

function missingInput(field: StateField): InputProblem {
  const what = field.description === undefined ? "" : ` (${field.description})`;
  return {
    field: field.name,
    message: `The input \`${field.name}\` is required and was not given.`,
    fix: `Give \`${field.name}\` a value of type ${formatType(field.type)}${what}.`,
  };
}

function badInput(field: StateField, fault: ValueFault): InputProblem {
  const inner = fault.path.startsWith("[") ? fault.path : `.${fault.path}`;
  const place = fault.path === "" ? field.name : `${field.name}${inner}`;
  return {
    field: field.name,
    message: `The input \`${place}\` is not right: ${fault.message}.`,
    fix: `Give \`${field.name}\` ${EXAMPLES[field.type.kind]}.`,
  };
}

const EXAMPLES: Readonly<Record<StateType["kind"], string>> = {
  str: "a text",
  int: "a whole number, such as 3",
  float: "a number, such as 0.5",
  bool: "true or false",
  any: "a value",
  list: "a list, such as a, b, c or [1, 2, 3]",
  dict: 'a JSON object, such as {"a": 1}',
  object: 'a JSON object with its fields, such as {"name": "Ada"}',
};

const YES = /^(?:true|yes|y|on|1)$/i;
const NO = /^(?:false|no|n|off|0)$/i;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;

/**
 * Reads what a person typed for a field, on the command line or into a form. Text stays as it is,
 * yes and no are booleans, lists may be separated by lines or commas, the rest is JSON. What cannot be
 * read stays text, so `readInputs` can say what is wrong with it; blank means not given (null),
 * except for text.
 */
export function parseInputText(field: StateField, text: string): Json {
  return readText(field.type, text);
}

function readText(type: StateType, text: string): Json {
  if (type.kind === "str") return text;
  const word = text.trim();
  if (word === "") return null;
  if (type.kind === "bool") return YES.test(word) ? true : NO.test(word) ? false : text;
  if (type.kind === "int" || type.kind === "float") return NUMBER.test(word) ? Number(word) : text;
  if (type.kind === "list" && !word.startsWith("[")) return splitList(word, type.item);
  return readJson(text);
}

/** One item a line, or separated by commas when there is one line. */
function splitList(text: string, item: StateType): Json {
  if (item.kind === "object" || item.kind === "dict" || item.kind === "list") return readJson(text);
  const parts = text.includes("\n") ? text.split("\n") : text.split(",");
  const words = parts.map((part) => part.trim()).filter((part) => part !== "");
  return words.map((word) => (item.kind === "any" ? word : readText(item, word)));
}

function readJson(text: string): Json {
  try {
    const value: unknown = JSON.parse(text);
    return isJson(value) ? value : text;
  } catch {
    // Not JSON: `readInputs` says what was expected, with the text itself.
    return text;
  }
}
