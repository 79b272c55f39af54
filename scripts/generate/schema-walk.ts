/** The JSON Schema of workflow files as sections: one for each kind of map, in the order of the file. */
import { assert } from "../../src/lib/assert.ts";
import { BYTE_SIZE } from "../../src/lib/byte-size.ts";
import { DURATION } from "../../src/lib/duration.ts";
import { isJsonObject, type Json, type JsonObject } from "../../src/lib/json.ts";

export interface Key {
  readonly name: string;
  /** Where it stands in a file: `nodes[].retry.delay`. */
  readonly path: string;
  readonly schema: JsonObject;
  readonly required: boolean;
}

export interface Section {
  /** Everywhere in a file that takes these keys; the first is the section's name. */
  readonly paths: string[];
  readonly keys: readonly Key[];
}

/** The one map that is used at several places by reference. */
export const SHARED_SECTION = "schema.NAME";

const NUMBER_MAX = Number.MAX_SAFE_INTEGER;

/** Texts with a form of their own; any other pattern is that of names. */
const FORMS: Readonly<Record<string, string>> = {
  [DURATION.source]: "duration",
  [BYTE_SIZE.source]: "size",
};

/** All maps with keys of their own; maps that take the same keys are one section. */
export function sectionsOf(root: JsonObject): Section[] {
  const sections = new Map<string, Section>();

  function visit(json: Json | undefined, path: string): void {
    if (!isJsonObject(json)) return;
    for (const option of listOf(json["anyOf"])) visit(option, path);
    visit(json["items"], `${path}[]`);
    visit(json["additionalProperties"], `${path}.NAME`);
    if (!isJsonObject(json["properties"])) return;
    const same = JSON.stringify(json["properties"]);
    const known = sections.get(same);
    if (known !== undefined) {
      known.paths.push(path);
      return;
    }
    const keys = keysOf(json, path);
    sections.set(same, { paths: [path], keys });
    for (const key of keys) visit(key.schema, key.path);
  }

  visit(root, "");
  for (const [name, definition] of Object.entries(mapOf(root["$defs"]))) {
    assert(name === "__schema0", "the only shared schema is that of `schema` maps");
    visit(definition, "schema");
  }
  return [...sections.values()];
}

function keysOf(json: JsonObject, path: string): Key[] {
  const required = listOf(json["required"]);
  return Object.entries(mapOf(json["properties"])).map(([name, schema]) => {
    assert(isJsonObject(schema), "a property has a schema");
    return {
      name,
      path: path === "" ? name : `${path}.${name}`,
      schema,
      required: required.includes(name),
    };
  });
}

/** What a value may be, in words. */
export function describeType(schema: JsonObject): string {
  const { type, enum: choices } = schema;
  if (schema["$ref"] !== undefined) return "map of name to type or map";
  if (schema["const"] !== undefined) return `\`${JSON.stringify(schema["const"])}\``;
  if (Array.isArray(choices)) return listOf(choices).map(quoted).join(", ");
  const options = listOf(schema["anyOf"]).filter(isJsonObject);
  if (options.length > 0) return options.map((option) => describeType(option)).join("; or ");
  if (Array.isArray(type))
    return listOf(type)
      .map((each) => describeType({ type: each }))
      .join(", ");
  if (type === "array") return describeList(schema);
  if (type === "object") return describeMap(schema);
  if (type === "boolean") return "true or false";
  if (type === "number" || type === "integer") return describeNumber(schema);
  if (type !== "string") return "anything";
  if (schema["format"] === "uri") return "address";
  const { pattern } = schema;
  return typeof pattern === "string" ? (FORMS[pattern] ?? "name") : "text";
}

function describeList(schema: JsonObject): string {
  const most = schema["maxItems"];
  const limit = typeof most === "number" ? `, at most ${most}` : "";
  return `list of ${plural(describeType(mapOf(schema["items"])))}${limit}`;
}

function plural(text: string): string {
  if (text.includes("`")) return text;
  return text.replace(/^(text|map|name)\b/, "$1s");
}

function describeMap(schema: JsonObject): string {
  if (schema["properties"] !== undefined) return "map";
  const values = schema["additionalProperties"];
  const isOpen = !isJsonObject(values) || Object.keys(values).length === 0;
  return isOpen ? "map of anything" : `map of name to ${describeType(values)}`;
}

function describeNumber(schema: JsonObject): string {
  const noun = schema["type"] === "integer" ? "whole number" : "number";
  const { minimum, exclusiveMinimum, maximum } = schema;
  const least =
    typeof minimum === "number"
      ? `from ${minimum}`
      : typeof exclusiveMinimum === "number"
        ? `above ${exclusiveMinimum}`
        : "";
  const most = typeof maximum === "number" && maximum < NUMBER_MAX ? `to ${maximum}` : "";
  return [noun, least, most].filter((part) => part !== "").join(" ");
}

function quoted(value: Json): string {
  return `\`${typeof value === "string" ? value : JSON.stringify(value)}\``;
}

function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

function mapOf(value: Json | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}
