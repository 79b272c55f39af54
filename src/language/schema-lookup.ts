/** Finding the part of the JSON Schema that a place of a workflow file answers to. */
import { isJsonObject, type Json, type JsonObject } from "../lib/json.ts";
import type { Path } from "./report.ts";
import { workflowJsonSchema } from "./schema-json.ts";

const REF_PREFIX = "#/$defs/";
/** Unions inside of unions; the schema has fewer. */
const UNION_DEPTH_MAX = 8;

let known: JsonObject | undefined;

/** The schema of the whole file, made once. */
export function workflowSchemaJson(): JsonObject {
  return (known ??= workflowJsonSchema());
}

/** Every alternative that the schema has for a path, unions and references resolved; empty where it has none. */
export function schemasAt(path: Path): readonly JsonObject[] {
  return path.reduce<readonly JsonObject[]>(
    (found, key) => found.flatMap((schema) => stepInto(schema, key)),
    alternatives(workflowSchemaJson()),
  );
}

/** The first description of a path, that of a union before those of its alternatives. */
export function descriptionAt(path: Path): string | undefined {
  const key = path.at(-1);
  if (key === undefined) return textOf(workflowSchemaJson()["description"]);
  const candidates = schemasAt(path.slice(0, -1)).flatMap((schema) => childrenOf(schema, key));
  return candidates
    .flatMap((schema) => [schema].concat(alternatives(schema)))
    .map((schema) => textOf(schema["description"]))
    .find((text) => text !== undefined);
}

/** A map's keys with their schemas, of all alternatives; the first of a name wins. */
export function keysOf(
  schemas: readonly JsonObject[],
): ReadonlyMap<string, { readonly schema: JsonObject; readonly isRequired: boolean }> {
  const keys = new Map<string, { schema: JsonObject; isRequired: boolean }>();
  for (const schema of schemas) {
    const required = Array.isArray(schema["required"]) ? schema["required"] : [];
    const { properties } = schema;
    if (!isJsonObject(properties)) continue;
    for (const [name, value] of Object.entries(properties)) {
      if (!isJsonObject(value) || keys.has(name)) continue;
      keys.set(name, { schema: value, isRequired: required.includes(name) });
    }
  }
  return keys;
}

/** The values that are spelled out: of enums, constants and booleans. */
export function fixedValues(schemas: readonly JsonObject[]): string[] {
  const values = schemas.flatMap((schema): Json[] => {
    if (Array.isArray(schema["enum"])) return [...schema["enum"]];
    if (schema["const"] !== undefined) return [schema["const"]];
    return schema["type"] === "boolean" ? [true, false] : [];
  });
  return [...new Set(values.map(String))];
}

const TYPE_WORDS: ReadonlyMap<string, string> = new Map([
  ["object", "map"],
  ["array", "list"],
  ["string", "text"],
  ["integer", "whole number"],
  ["number", "number"],
  ["boolean", "true | false"],
]);

/** `text`, `list` and the like: what kinds of value a schema takes. */
export function shapeOf(schema: JsonObject): string {
  const kinds = alternatives(schema).map((one) => {
    if (Array.isArray(one["enum"])) return one["enum"].map(String).join(" | ");
    const { type } = one;
    return (typeof type === "string" ? TYPE_WORDS.get(type) : undefined) ?? "any";
  });
  return [...new Set(kinds)].join(" | ");
}

/** The alternatives of a union, however nested; a plain schema is its own. */
export function alternatives(schema: JsonObject, depth = 0): readonly JsonObject[] {
  const own = resolve(schema);
  const union = own["anyOf"] ?? own["oneOf"];
  if (!Array.isArray(union) || depth > UNION_DEPTH_MAX) return [own];
  return union.filter(isJsonObject).flatMap((one) => alternatives(one, depth + 1));
}

function stepInto(schema: JsonObject, key: string | number): readonly JsonObject[] {
  return childrenOf(schema, key).flatMap((child) => alternatives(child));
}

function childrenOf(schema: JsonObject, key: string | number): readonly JsonObject[] {
  if (typeof key === "number") {
    const { items } = schema;
    return isJsonObject(items) ? [items] : [];
  }
  const { properties, additionalProperties } = schema;
  const own =
    isJsonObject(properties) && Object.hasOwn(properties, key) ? properties[key] : undefined;
  if (isJsonObject(own)) return [own];
  return isJsonObject(additionalProperties) ? [additionalProperties] : [];
}

function resolve(schema: JsonObject): JsonObject {
  const ref = schema["$ref"];
  const definitions = workflowSchemaJson()["$defs"];
  if (typeof ref !== "string" || !ref.startsWith(REF_PREFIX) || !isJsonObject(definitions)) {
    return schema;
  }
  const target = definitions[ref.slice(REF_PREFIX.length)];
  return isJsonObject(target) ? target : schema;
}

function textOf(value: Json | undefined): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
