/** What a model is asked to answer, and what its answer says. */
import type { LlmNode, OutputField, StateType } from "../domain/workflow.ts";
import { isJsonObject, type Json, type JsonObject } from "../lib/json.ts";
import { checkValue, formatType, typeToJsonSchema } from "./type.ts";

/** Where an answer begins to be JSON is tried at this many brackets before it counts as plain text. */
const JSON_START_COUNT_MAX = 50;

/** JSON Schema of the answer: an object with one property for each output, all of them required. */
export function outputJsonSchema(node: LlmNode): JsonObject {
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
export function readOutput(node: LlmNode, text: string): OutputReading {
  const answer = findJson(text);
  const [only, second] = node.outputs;
  const named = isJsonObject(answer) ? answer : undefined;
  const hasNames = node.outputs.some((output) => named && Object.hasOwn(named, output.name));
  if (only !== undefined && second === undefined && !hasNames) return readBare(only, text, answer);
  if (named === undefined) {
    const names = node.outputs.map((output) => `"${output.name}"`).join(", ");
    const issue =
      text.trim() === ""
        ? "The answer is empty."
        : `The answer is not a JSON object with the keys ${names}.`;
    return { issues: [issue] };
  }
  const issues: string[] = [];
  const patch = node.outputs.map((output): [string, Json] => {
    const value = Object.hasOwn(named, output.name) ? named[output.name] : undefined;
    if (value === undefined) {
      issues.push(`"${output.name}" is missing; it must be ${formatType(output.type)}.`);
      return [output.name, null];
    }
    const kept = dropUnasked(output.type, value);
    issues.push(...issuesOf(output, kept));
    return [output.name, kept];
  });
  return issues.length === 0 ? { patch: Object.fromEntries(patch) } : { issues };
}

/** The answer to a single output, given without its name. */
function readBare(output: OutputField, text: string, answer: Json | undefined): OutputReading {
  if (text.trim() === "") return { issues: ["The answer is empty."] };
  if (output.type.kind === "str") return { patch: { [output.name]: bareText(text) } };
  if (answer === undefined) {
    const issue = `The answer is not JSON; "${output.name}" must be ${formatType(output.type)}.`;
    return { issues: [issue] };
  }
  const kept = dropUnasked(output.type, answer);
  const issues = issuesOf(output, kept);
  return issues.length === 0 ? { patch: { [output.name]: kept } } : { issues };
}

/** A text answered as a JSON string loses its quotes; any other text is the value itself. */
function bareText(text: string): string {
  const value = tryJson(text.trim());
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
  const whole = tryJson(text.trim());
  if (whole !== undefined) return whole;
  const fenced = FENCE.exec(text)?.[1];
  const inFence = fenced === undefined ? undefined : tryJson(fenced.trim());
  if (inFence !== undefined) return inFence;
  let from = 0;
  for (let tries = 0; tries < JSON_START_COUNT_MAX; tries += 1) {
    const start = text.slice(from).search(/[[{]/);
    if (start < 0) return undefined;
    from += start;
    const end = findClose(text, from);
    const value = end === undefined ? undefined : tryJson(text.slice(from, end + 1));
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

function tryJson(text: string): Json | undefined {
  try {
    const value: Json = JSON.parse(text);
    return value;
  } catch {
    // Not JSON: the caller looks elsewhere in the answer.
    return undefined;
  }
}
