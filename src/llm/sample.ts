/** A JSON value that satisfies a JSON Schema, chosen by a seeded random source: the demo's answers. */
import { isJsonObject, type Json, type JsonObject } from "../lib/json.ts";
import type { SeededRandom } from "../lib/seeded-random.ts";
import { schemaTypes } from "./output-schema.ts";
import { sampleNumber, sampleText, type Vocabulary } from "./sample-scalar.ts";

export interface SampleOptions {
  readonly random: SeededRandom;
  readonly words: Vocabulary;
}

interface Place extends SampleOptions {
  readonly root: JsonObject;
  readonly depth: number;
  /** The property, or the list, that the value is for. */
  readonly name: string;
  readonly inList: boolean;
}

/** Deeper than this only what the schema demands is made, so that recursive schemas end. */
const DEPTH_SOFT_MAX = 4;
/** A schema that demands more than this has no finite value. */
const DEPTH_HARD_MAX = 64;
const LIST_LENGTH_MIN = 2;
const LIST_LENGTH_MAX = 4;
const MAP_SIZE_MIN = 2;
const MAP_SIZE_MAX = 3;
const UNIQUE_TRIES_MAX = 20;

/** A value for the schema. Patterns are not honoured; everything else that providers know is. */
export function sampleJson(schema: JsonObject, options: SampleOptions): Json {
  return sample(schema, { ...options, root: schema, depth: 0, name: "", inList: false });
}

function sample(schema: JsonObject, place: Place): Json {
  if (place.depth > DEPTH_HARD_MAX) return null;
  if (schema["const"] !== undefined) return schema["const"];
  const choices = asList(schema["enum"]);
  if (choices.length > 0) return pick(choices, place) ?? null;
  const merged = combine(schema, place);
  if (merged !== schema) return sample(merged, deeper(place));
  switch (chooseType(schema, place)) {
    case "object":
      return sampleObject(schema, place);
    case "array":
      return sampleList(schema, place);
    case "integer":
      return sampleNumber(schema, place.random, true);
    case "number":
      return sampleNumber(schema, place.random, false);
    case "boolean":
      return place.random.next() < 0.5;
    case "null":
      return null;
    default:
      return sampleText(schema, place);
  }
}

/** References, alternatives and intersections resolved one step; the schema itself when it has none. */
function combine(schema: JsonObject, place: Place): JsonObject {
  const { $ref, anyOf, oneOf, allOf, ...rest } = schema;
  if (typeof $ref === "string") return merge(rest, resolve($ref, place.root));
  const alternatives = [...asList(anyOf), ...asList(oneOf)].filter((part) => isJsonObject(part));
  if (alternatives.length > 0) return merge(rest, chooseAlternative(alternatives, place));
  const all = asList(allOf).filter((part) => isJsonObject(part));
  return all.length > 0 ? all.reduce(merge, rest) : schema;
}

function chooseAlternative(alternatives: readonly JsonObject[], place: Place): JsonObject {
  const ends = alternatives.filter((part) => !("$ref" in part) && !isNested(part));
  const full = alternatives.filter((part) => !schemaTypes(part).includes("null"));
  const usable = place.depth >= DEPTH_SOFT_MAX ? ends : full;
  return pick(usable.length > 0 ? usable : alternatives, place) ?? {};
}

function isNested(schema: JsonObject): boolean {
  return schemaTypes(schema).some((type) => type === "object" || type === "array");
}

function merge(left: JsonObject, right: JsonObject): JsonObject {
  const properties = { ...asObject(left["properties"]), ...asObject(right["properties"]) };
  const required = [...asList(left["required"]), ...asList(right["required"])];
  return {
    ...left,
    ...right,
    ...(Object.keys(properties).length > 0 ? { properties } : {}),
    ...(required.length > 0 ? { required } : {}),
  };
}

/** `#`, `#/$defs/name` and every other pointer into the schema. */
function resolve(reference: string, root: JsonObject): JsonObject {
  let current: Json = root;
  for (const part of reference.replace(/^#\/?/, "").split("/")) {
    if (part === "") continue;
    const key = decodeURIComponent(part).replaceAll("~1", "/").replaceAll("~0", "~");
    current = (isJsonObject(current) ? current[key] : undefined) ?? {};
  }
  return isJsonObject(current) ? current : {};
}

function chooseType(schema: JsonObject, place: Place): string {
  const types = schemaTypes(schema);
  const [first] = types;
  if (first === undefined) return "properties" in schema ? "object" : "string";
  const full = types.filter((type) => type !== "null");
  if (place.depth >= DEPTH_SOFT_MAX && types.includes("null")) return "null";
  return pick(full, place) ?? first;
}

function sampleObject(schema: JsonObject, place: Place): JsonObject {
  const properties = asObject(schema["properties"]);
  const required = asList(schema["required"]);
  const isDeep = place.depth >= DEPTH_SOFT_MAX;
  // A map, because a property may be called `__proto__`.
  const value = new Map<string, Json>();
  const put = (name: string, part: Json) => {
    value.set(name, sampleAt(part, { ...deeper(place), name, inList: false }));
  };
  for (const [name, part] of Object.entries(properties)) {
    if (!isDeep || required.includes(name)) put(name, part);
  }
  for (const name of required) {
    if (typeof name === "string" && !value.has(name)) put(name, mapPart(schema));
  }
  const isMap = Object.keys(properties).length === 0 && schema["additionalProperties"] !== false;
  const usual = isMap && !isDeep ? place.random.integer(MAP_SIZE_MIN, MAP_SIZE_MAX) : 0;
  const wanted = Math.max(numberOf(schema["minProperties"]) ?? 0, usual);
  const count = Math.min(numberOf(schema["maxProperties"]) ?? wanted, wanted);
  for (let index = 1; value.size < count; index += 1) {
    const name = place.words.label(place.random).replaceAll(/\W+/g, "_");
    put(value.has(name) ? `${name}_${index}` : name, mapPart(schema));
  }
  return Object.fromEntries(value);
}

function mapPart(schema: JsonObject): Json {
  return isJsonObject(schema["additionalProperties"]) ? schema["additionalProperties"] : {};
}

function sampleList(schema: JsonObject, place: Place): Json[] {
  const min = numberOf(schema["minItems"]) ?? 0;
  const max = numberOf(schema["maxItems"]) ?? Math.max(min, LIST_LENGTH_MAX);
  const usual = place.depth >= DEPTH_SOFT_MAX ? 0 : place.random.integer(LIST_LENGTH_MIN, max);
  const length = Math.min(max, Math.max(min, usual));
  const prefix = asList(schema["prefixItems"]);
  const list: Json[] = [];
  for (let index = 0; index < length; index += 1) {
    const part = prefix[index] ?? schema["items"] ?? {};
    if (part === false) break;
    const item = sampleItem(part, schema["uniqueItems"] === true ? list : [], place);
    if (item !== undefined) list.push(item);
  }
  return list;
}

/** An item unlike the taken ones; undefined when none is found. */
function sampleItem(part: Json, taken: readonly Json[], place: Place): Json | undefined {
  const inside = { ...deeper(place), inList: true };
  for (let tries = 0; tries < UNIQUE_TRIES_MAX; tries += 1) {
    const item = sampleAt(part, inside);
    const text = JSON.stringify(item);
    if (taken.every((other) => JSON.stringify(other) !== text)) return item;
  }
  return undefined;
}

function sampleAt(part: Json, place: Place): Json {
  return sample(isJsonObject(part) ? part : {}, place);
}

function deeper(place: Place): Place {
  return { ...place, depth: place.depth + 1 };
}

function pick<Item>(items: readonly Item[], place: Place): Item | undefined {
  return items[place.random.integer(0, items.length - 1)];
}

function asObject(value: Json | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}

function asList(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

function numberOf(value: Json | undefined): number | undefined {
  return typeof value === "number" ? value : undefined;
}
