/** What a model is asked to answer, and how answers and other results become a patch of the state. */
import type { OutputField, StateType } from "../domain/workflow.ts";
import { isJsonObject, type Json, type JsonObject, parseJson } from "../lib/json.ts";
import { checkValue, describeValue, fillDefaults, formatType, typeToJsonSchema } from "./type.ts";

/** Where an answer begins to be JSON is tried at this many brackets before it counts as plain text. */
const JSON_START_COUNT_MAX = 50;

/** What is expected of an answer; an LLM node is one. */
export interface Expected {
  readonly outputs: readonly OutputField[];
  readonly outputDescription?: string;
}

/** JSON Schema of the answer: an object with one property for each output, all of them required. */
export function outputJsonSchema(node: Expected): JsonObject {
  return {
    type: "object",
    properties: Object.fromEntries(
      node.outputs.map((output) => [
        output.name,
        typeToJsonSchema(output.type, output.description),
      ]),
    ),
    required: node.outputs.map((output) => output.name),
    additionalProperties: false,
    ...(node.outputDescription === undefined ? {} : { description: node.outputDescription }),
  };
}

export type OutputReading = { readonly patch: JsonObject } | { readonly issues: readonly string[] };

/**
 * Reads a model's answer into a patch of the state. A code fence and words around the JSON are
 * skipped, fields nobody asked for are dropped, and a node with a single output may be answered with the
 * bare value. The issues are sentences that tell the model what to correct.
 */
export function readOutput({ outputs }: Expected, text: string): OutputReading {
  const answer = findJson(text);
  const [only, second] = outputs;
  const named = isJsonObject(answer) ? answer : undefined;
  const hasNames = outputs.some((output) => named && Object.hasOwn(named, output.name));
  if (only !== undefined && second === undefined && !hasNames) return readBare(only, text, answer);
  if (named !== undefined) return readNamed(outputs, named);
  const empty = text.trim() === "";
  const issue = `The answer is not a JSON object with the keys ${quotedNames(outputs)}.`;
  return { issues: [empty ? "The answer is empty." : issue] };
}

/**
 * Reads what a tool, code, a command, a person or another workflow gave back into a patch of the state.
 * A single output takes the whole result, or its own key of it when the whole does not have its type;
 * several are the keys of an object. Fields nobody asked for are dropped and nothing is converted.
 */
export function readResult(outputs: readonly OutputField[], result: Json): OutputReading {
  const [only, second] = outputs;
  if (only === undefined) return { patch: {} };
  const whole = second === undefined ? readOne(only, result) : undefined;
  if (whole !== undefined && "patch" in whole) return whole;
  if (!isJsonObject(result)) {
    const given = describeValue(result);
    const issue = `The result is ${given}, not an object with the keys ${quotedNames(outputs)}.`;
    return whole ?? { issues: [issue] };
  }
  if (whole !== undefined && !Object.hasOwn(result, only.name)) return whole;
  return readNamed(outputs, result);
}

function quotedNames(outputs: readonly OutputField[]): string {
  return outputs.map((output) => `"${output.name}"`).join(", ");
}

/** Each output from its own key. */
function readNamed(outputs: readonly OutputField[], named: JsonObject): OutputReading {
  const issues: string[] = [];
  const patch = outputs.map((output): [string, Json] => {
    const value = Object.hasOwn(named, output.name) ? named[output.name] : undefined;
    if (value === undefined) {
      issues.push(`"${output.name}" is missing; it must be ${formatType(output.type)}.`);
      return [output.name, null];
    }
    const read = readOne(output, value);
    if ("issues" in read) issues.push(...read.issues);
    return [output.name, "patch" in read ? (read.patch[output.name] ?? null) : null];
  });
  return issues.length === 0 ? { patch: Object.fromEntries(patch) } : { issues };
}

/** Fields of an object that may be left out get their defaults. */
function readOne(output: OutputField, value: Json): OutputReading {
  const kept = fillDefaults(output.type, dropUnasked(output.type, value));
  const issues = issuesOf(output, kept);
  return issues.length === 0 ? { patch: { [output.name]: kept } } : { issues };
}

/** The answer to a single output, given without its name. */
function readBare(output: OutputField, text: string, answer: Json | undefined): OutputReading {
  if (text.trim() === "") return { issues: ["The answer is empty."] };
  if (output.type.kind === "str") return { patch: { [output.name]: bareText(text) } };
  if (answer === undefined) {
    const issue = `The answer is not JSON; "${output.name}" must be ${formatType(output.type)}.`;
    return { issues: [issue] };
  }
  return readOne(output, answer);
}

/** A text answered as a JSON string loses its quotes; any other text is the value itself. */
function bareText(text: string): string {
  const value = parseJson(text.trim());
  return typeof value === "string" ? value : text.trim();
}

function issuesOf(output: OutputField, value: Json): string[] {
  return checkValue(output.type, value).map(({ path, message }) => {
    const inner = path === "" || path.startsWith("[") ? path : `.${path}`;
    return `"${output.name}${inner.replaceAll('"', "'")}": ${message}.`;
  });
}

/** The value without the fields that its type does not name. */
function dropUnasked(type: StateType, value: Json): Json {
  if (type.kind === "list" && Array.isArray(value)) {
    const items: readonly Json[] = value;
    return items.map((item) => dropUnasked(type.item, item));
  }
  if (!isJsonObject(value)) return value;
  if (type.kind === "dict") {
    const entries = Object.entries(value);
    return Object.fromEntries(entries.map(([key, item]) => [key, dropUnasked(type.value, item)]));
  }
  if (type.kind !== "object" || type.fields.length === 0) return value;
  return Object.fromEntries(
    type.fields.flatMap(({ name, type: inner }) => {
      const item = Object.hasOwn(value, name) ? value[name] : undefined;
      return item === undefined ? [] : [[name, dropUnasked(inner, item)]];
    }),
  );
}

const FENCE = /```(?:json)?[ \t]*\n([\s\S]*?)\n?[ \t]*```/i;

/** The JSON in an answer: all of it, else what a code fence holds, else the first object or list in it. */
function findJson(text: string): Json | undefined {
  const whole = parseJson(text.trim());
  if (whole !== undefined) return whole;
  const fenced = FENCE.exec(text)?.[1];
  const inFence = fenced === undefined ? undefined : parseJson(fenced.trim());
  if (inFence !== undefined) return inFence;
  let from = 0;
  for (let tries = 0; tries < JSON_START_COUNT_MAX; tries += 1) {
    const start = text.slice(from).search(/[[{]/);
    if (start < 0) return undefined;
    from += start;
    const end = findClose(text, from);
    const value = end === undefined ? undefined : parseJson(text.slice(from, end + 1));
    if (value !== undefined) return value;
    from += 1;
  }
  return undefined;
}

/** Where the bracket at `start` is closed, with brackets in strings left out of account. */
function findClose(text: string, start: number): number | undefined {
  let depth = 0;
  let inString = false;
  for (let index = start; index < text.length; index += 1) {
    const character = text[index] ?? "";
    if (inString) {
      if (character === "\\") index += 1;
      else if (character === '"') inString = false;
    } else if (character === '"') {
      inString = true;
    } else if ("[{".includes(character)) {
      depth += 1;
    } else if ("]}".includes(character)) {
      depth -= 1;
      if (depth === 0) return index;
    }
  }
  return undefined;
}
