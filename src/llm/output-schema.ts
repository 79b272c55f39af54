/** How a JSON Schema for the answer is told to a model: by the provider's own means or in words. */
import { isJsonObject, type Json, type JsonObject } from "../lib/json.ts";

/**
 * `native`: the provider enforces the schema; `strict` is false where its strict mode would refuse
 * it. `words`: only the instructions ask for JSON. `told` repeats the schema in the instructions.
 */
export type OutputMode =
  | { readonly kind: "native"; readonly strict: boolean; readonly told: boolean }
  | { readonly kind: "words" };

/** The instructions that ask for JSON of this schema. */
export function outputInstructions(schema: JsonObject): string {
  return [
    "Answer with one JSON value and nothing else: no Markdown, no explanation before or after it.",
    "The JSON must satisfy this JSON Schema:",
    JSON.stringify(schema),
  ].join("\n");
}

/** True when the root is an object, which most providers insist on. */
export function hasObjectRoot(schema: JsonObject): boolean {
  return schema["type"] === "object";
}

/** OpenAI: at most this many levels of nesting in strict mode. */
const STRICT_DEPTH_MAX = 10;
/** Keywords that OpenAI's strict mode does not know. */
const STRICT_REFUSES = [
  "allOf",
  "oneOf",
  "not",
  "if",
  "then",
  "else",
  "dependentRequired",
  "dependentSchemas",
  "patternProperties",
  "prefixItems",
  "uniqueItems",
  "propertyNames",
];

/**
 * True when OpenAI's strict mode takes the schema: every object is closed and all its properties are
 * required, and every value has a type. Maps and free-form objects are not.
 */
export function isStrict(schema: JsonObject, depth = 1): boolean {
  if (depth > STRICT_DEPTH_MAX) return false;
  if (STRICT_REFUSES.some((keyword) => keyword in schema)) return false;
  if ("$ref" in schema || "enum" in schema || "const" in schema) return true;
  const anyOf = schema["anyOf"];
  if (Array.isArray(anyOf)) return anyOf.every((choice) => isStrictPart(choice, depth));
  const types = schemaTypes(schema);
  if (types.length === 0) return false;
  if (types.includes("object") && !isClosedObject(schema, depth)) return false;
  return !types.includes("array") || isStrictPart(schema["items"], depth);
}

function isStrictPart(part: Json | undefined, depth: number): boolean {
  return isJsonObject(part) && isStrict(part, depth + 1);
}

function isClosedObject(schema: JsonObject, depth: number): boolean {
  const properties = schema["properties"];
  if (!isJsonObject(properties) || schema["additionalProperties"] !== false) return false;
  const required = schema["required"];
  const names = Object.keys(properties);
  return (
    Array.isArray(required) &&
    names.every((name) => required.includes(name)) &&
    Object.values(properties).every((property) => isStrictPart(property, depth))
  );
}

/** The `type` keyword as a list; empty when there is none. */
export function schemaTypes(schema: JsonObject): string[] {
  const type = schema["type"];
  const types: readonly Json[] = Array.isArray(type) ? type : [type ?? null];
  return types.filter((name) => typeof name === "string");
}

/**
 * The schema with every object closed whose properties are all listed, as far as nothing says that
 * more may follow: providers enforce only closed objects.
 */
export function closeObjects(schema: JsonObject): JsonObject {
  const closed: Record<string, Json> = {};
  for (const [key, value] of Object.entries(schema)) closed[key] = closePart(key, value);
  if (isJsonObject(schema["properties"]) && !("additionalProperties" in schema)) {
    closed["additionalProperties"] = false;
  }
  return closed;
}

function closePart(key: string, value: Json): Json {
  if (key === "properties" || key === "$defs") {
    if (!isJsonObject(value)) return value;
    return Object.fromEntries(
      Object.entries(value).map(([name, part]) => [
        name,
        isJsonObject(part) ? closeObjects(part) : part,
      ]),
    );
  }
  if (key === "anyOf" && Array.isArray(value)) {
    return value.map((part: Json) => (isJsonObject(part) ? closeObjects(part) : part));
  }
  const isSchema = key === "items" || key === "additionalProperties";
  return isSchema && isJsonObject(value) ? closeObjects(value) : value;
}

/** True when some object in the schema may hold anything: no properties and nothing said of others. */
export function hasFreeObject(schema: JsonObject): boolean {
  const isFree =
    schemaTypes(schema).includes("object") &&
    !("properties" in schema) &&
    !isJsonObject(schema["additionalProperties"]);
  return isFree || parts(schema).some(hasFreeObject);
}

function parts(schema: JsonObject): JsonObject[] {
  const maps = [schema["properties"], schema["$defs"]].filter((map) => isJsonObject(map));
  const lists = [schema["anyOf"], schema["oneOf"], schema["allOf"]];
  return [
    ...maps.flatMap((map) => Object.values(map)),
    ...lists.flatMap((list): readonly Json[] => (Array.isArray(list) ? list : [])),
    schema["items"] ?? null,
    schema["additionalProperties"] ?? null,
  ].filter((part) => isJsonObject(part));
}
