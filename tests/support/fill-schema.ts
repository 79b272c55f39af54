/** JSON as tests walk through it. */
export type Value =
  | null
  | boolean
  | number
  | string
  | readonly Value[]
  | { readonly [key: string]: Value };

/** The value at a path of keys and indexes; undefined where the path leads nowhere. */
export function at(
  value: Value | undefined,
  ...path: readonly (string | number)[]
): Value | undefined {
  let current = value;
  for (const key of path) {
    if (typeof current !== "object" || current === null) return undefined;
    current = Object.entries(current).find(([name]) => name === String(key))?.[1];
  }
  return current;
}

export function listAt(
  value: Value | undefined,
  ...path: readonly (string | number)[]
): readonly Value[] {
  const found = at(value, ...path);
  return Array.isArray(found) ? found : [];
}

/** The plainest value that satisfies a JSON Schema. */
export function fillSchema(schema: Value | undefined, root: Value | undefined = schema): Value {
  const constant = at(schema, "const") ?? at(schema, "enum", 0);
  if (constant !== undefined) return constant;
  const reference = at(schema, "$ref");
  if (typeof reference === "string") {
    return fillSchema(at(root, ...reference.split("/").slice(1)), root);
  }
  const choice = at(schema, "anyOf", 0) ?? at(schema, "oneOf", 0);
  if (choice !== undefined) return fillSchema(choice, root);
  const type = at(schema, "type", 0) ?? at(schema, "type");
  const isObject = at(schema, "properties") !== undefined;
  switch (typeof type === "string" ? type : isObject ? "object" : "string") {
    case "object":
      return fillObject(schema, root);
    case "array":
      return Array.from({ length: Math.max(2, numberAt(schema, "minItems", 0)) }, () =>
        fillSchema(at(schema, "items"), root),
      );
    case "integer":
      return numberAt(schema, "minimum", 42);
    case "number":
      return numberAt(schema, "minimum", 0.5);
    case "boolean":
      return true;
    case "null":
      return null;
    default:
      return "mock text".padEnd(numberAt(schema, "minLength", 0), ".");
  }
}

function fillObject(schema: Value | undefined, root: Value | undefined): Value {
  const properties = at(schema, "properties");
  const entries =
    typeof properties === "object" && properties !== null ? Object.entries(properties) : [];
  if (entries.length > 0) {
    return Object.fromEntries(entries.map(([name, part]) => [name, fillSchema(part, root)]));
  }
  if (at(schema, "additionalProperties") === false) return {};
  return { first: fillSchema(at(schema, "additionalProperties"), root) };
}

function numberAt(schema: Value | undefined, key: string, otherwise: number): number {
  const found = at(schema, key);
  return typeof found === "number" ? found : otherwise;
}
