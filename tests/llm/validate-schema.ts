/** A small JSON Schema validator, written apart from the code that it judges. */
import type { Json, JsonObject } from "../../src/lib/json.ts";

interface Place {
  readonly root: Json;
  readonly path: string;
}

/** Everything wrong with the value, as `path: reason`. */
export function violations(
  value: Json,
  schema: Json,
  { root, path }: Place = { root: schema, path: "$" },
): string[] {
  if (typeof schema !== "object" || schema === null || Array.isArray(schema)) {
    return schema === false ? [`${path}: not allowed`] : [];
  }
  const rules = schema as Record<string, Json>;
  const found: string[] = [];
  const check = (isFine: boolean, reason: string) => {
    if (!isFine) found.push(`${path}: ${reason}`);
  };
  const reference = rules["$ref"];
  if (typeof reference === "string") {
    let target: Json | undefined = root;
    for (const key of reference.split("/").slice(1)) {
      target = (target as Record<string, Json> | undefined)?.[key];
    }
    found.push(...violations(value, target ?? false, { root, path }));
  }
  if ("const" in rules) check(Bun.deepEquals(value, rules["const"]), "const");
  const choices = rules["enum"];
  if (Array.isArray(choices))
    check(
      choices.some((each) => Bun.deepEquals(each, value)),
      "enum",
    );
  const anyOf = (rules["anyOf"] ?? rules["oneOf"]) as Json[] | undefined;
  if (anyOf !== undefined) {
    check(
      anyOf.some((each) => violations(value, each, { root, path }).length === 0),
      "anyOf",
    );
  }
  for (const each of (rules["allOf"] ?? []) as Json[]) {
    found.push(...violations(value, each, { root, path }));
  }
  const types = rules["type"] === undefined ? [] : [rules["type"]].flat();
  if (types.length > 0)
    check(
      types.includes(typeOf(value)) || (types.includes("number") && typeOf(value) === "integer"),
      `type ${typeOf(value)}`,
    );
  if (typeof value === "number") checkNumber(value, rules, check);
  if (typeof value === "string") {
    check(value.length >= Number(rules["minLength"] ?? 0), "minLength");
    check(value.length <= Number(rules["maxLength"] ?? Number.POSITIVE_INFINITY), "maxLength");
    const format = FORMATS[JSON.stringify(rules["format"] ?? "").slice(1, -1)];
    if (format !== undefined) check(format.test(value), `format of ${value}`);
  }
  if (Array.isArray(value)) {
    check(value.length >= Number(rules["minItems"] ?? 0), "minItems");
    check(value.length <= Number(rules["maxItems"] ?? Number.POSITIVE_INFINITY), "maxItems");
    if (rules["uniqueItems"] === true) {
      check(
        new Set(value.map((item: Json) => JSON.stringify(item))).size === value.length,
        "unique",
      );
    }
    value.forEach((item: Json, index: number) => {
      found.push(...violations(item, rules["items"] ?? true, { root, path: `${path}[${index}]` }));
    });
  } else if (typeof value === "object" && value !== null) {
    found.push(...objectViolations(value as JsonObject, rules, { root, path }));
  }
  return found;
}

const FORMATS: Record<string, RegExp> = {
  date: /^\d{4}-\d{2}-\d{2}$/,
  "date-time": /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/,
  email: /^[^@\s]+@[^@\s]+\.[a-z]+$/,
  uri: /^https:\/\/\S+$/,
  uuid: /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
};

function checkNumber(
  value: number,
  rules: Record<string, Json>,
  check: (isFine: boolean, reason: string) => void,
) {
  check(value >= Number(rules["minimum"] ?? Number.NEGATIVE_INFINITY), "minimum");
  check(value <= Number(rules["maximum"] ?? Number.POSITIVE_INFINITY), "maximum");
  check(value > Number(rules["exclusiveMinimum"] ?? Number.NEGATIVE_INFINITY), "exclusiveMinimum");
  check(value < Number(rules["exclusiveMaximum"] ?? Number.POSITIVE_INFINITY), "exclusiveMaximum");
  const step = rules["multipleOf"];
  if (typeof step === "number") {
    const times = value / step;
    check(Math.abs(times - Math.round(times)) < 1e-6, "multipleOf");
  }
}

function objectViolations(
  value: JsonObject,
  rules: Record<string, Json>,
  { root, path }: Place,
): string[] {
  const properties = (rules["properties"] ?? {}) as JsonObject;
  const found: string[] = [];
  for (const name of (rules["required"] ?? []) as string[]) {
    if (!Object.hasOwn(value, name)) found.push(`${path}.${name}: missing`);
  }
  const count = Object.keys(value).length;
  if (count < Number(rules["minProperties"] ?? 0)) found.push(`${path}: minProperties`);
  if (count > Number(rules["maxProperties"] ?? Number.POSITIVE_INFINITY)) {
    found.push(`${path}: maxProperties`);
  }
  for (const [name, item] of Object.entries(value)) {
    const schema = Object.hasOwn(properties, name)
      ? properties[name]
      : (rules["additionalProperties"] ?? true);
    found.push(...violations(item, schema ?? true, { root, path: `${path}.${name}` }));
  }
  return found;
}

function typeOf(value: Json): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value;
}
