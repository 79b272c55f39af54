/** The workflow format as an outline that a model reads: only keys that this version acts on. */
import { isJsonObject, type Json, type JsonObject } from "../../lib/json.ts";

/** Keys that files may have and that do nothing here, or that this version refuses. */
const LEFT_OUT: ReadonlySet<string> = new Set([
  "flow.tags",
  "flow.author",
  "nodes[].name",
  "nodes[].sandbox.enabled",
  "nodes[].log_prompts",
  "nodes[].log_artifacts",
  "nodes[].optimize",
  "nodes[].mlflow",
  "optimization",
  "memory",
  "webhook",
  "config.observability",
  "config.storage",
  "config.memory",
  "config.mlflow",
  "config.ab_test",
  "config.gates",
]);
const DEPTH_MAX = 8;

/** The keys of a workflow's JSON Schema, one a line, each with its type and what it is for. */
export function outlineSchema(schema: JsonObject): string {
  return properties(schema, { path: "", depth: 0 }).join("\n");
}

/** Every path that the outline has: `nodes[].outputs`. */
export function outlinePaths(schema: JsonObject): string[] {
  return paths(schema, "");
}

interface Spot {
  readonly path: string;
  readonly depth: number;
}

function properties(schema: JsonObject, { path, depth }: Spot): string[] {
  if (depth > DEPTH_MAX) return [];
  const required = list(schema["required"]);
  return keysOf(schema, path).flatMap(({ key, value, at }) => {
    const shape = shapeOf(value, at);
    const note = text(value["description"]) ?? text(shape.inner?.["description"]) ?? "";
    const must = required.includes(key) ? ", required" : "";
    const head = `${"  ".repeat(depth)}${key}: (${shape.label}${must})${note === "" ? "" : ` ${note}`}`;
    const { inner } = shape;
    return [head].concat(
      inner === undefined ? [] : properties(inner, { path: shape.path, depth: depth + 1 }),
    );
  });
}

function paths(schema: JsonObject, path: string): string[] {
  return keysOf(schema, path).flatMap(({ value, at }) => {
    const shape = shapeOf(value, at);
    return [at].concat(shape.inner === undefined ? [] : paths(shape.inner, shape.path));
  });
}

function keysOf(schema: JsonObject, path: string) {
  const map = schema["properties"];
  if (!isJsonObject(map)) return [];
  return Object.entries(map).flatMap(([key, value]) => {
    const at = path === "" ? key : `${path}.${key}`;
    return isJsonObject(value) && !LEFT_OUT.has(at) ? [{ key, value, at }] : [];
  });
}

interface Shape {
  readonly label: string;
  /** The schema of what is inside. */
  readonly inner: JsonObject | undefined;
  readonly path: string;
}

function shapeOf(schema: JsonObject, path: string): Shape {
  const choices = list(schema["anyOf"]).filter(isJsonObject);
  if (choices.length > 0) {
    const shapes = choices.map((choice) => shapeOf(choice, path));
    const inner = shapes.find((shape) => shape.inner !== undefined);
    return {
      label: shapes.map(({ label }) => label).join(" or "),
      inner: inner?.inner,
      path: inner?.path ?? path,
    };
  }
  const { items, additionalProperties } = schema;
  if (isJsonObject(items)) {
    const inner = shapeOf(items, `${path}[]`);
    return { ...inner, label: `list of ${inner.label}` };
  }
  if (isJsonObject(schema["properties"])) return { label: "map", inner: schema, path };
  if (isJsonObject(additionalProperties)) {
    const inner = shapeOf(additionalProperties, `${path}{}`);
    return { ...inner, label: `map of names to ${inner.label}` };
  }
  return { label: plainLabel(schema), inner: undefined, path };
}

function plainLabel(schema: JsonObject): string {
  const { const: only, type } = schema;
  const words = list(schema["enum"]);
  if (only !== undefined) return JSON.stringify(only);
  if (words.length > 0) return words.map(String).join(" | ");
  return text(type) ?? (schema["$ref"] === undefined ? "any value" : "map, as above");
}

function list(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

function text(value: Json | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}
