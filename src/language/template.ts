/**
 * Prompt templates: `{name}`, `{state.name}`, `{name.inner.deeper}`, `{list.0}`. A brace that does not
 * enclose a dotted name (JSON in a prompt, say) is ordinary text.
 */
import { AppError } from "../domain/error.ts";
import { isJsonObject, type Json } from "../lib/json.ts";

const NAME = String.raw`\{([\p{ID_Start}_][\p{ID_Continue}.]*)\}`;
const PLACEHOLDER = new RegExp(NAME, "gu");
const ONLY_PLACEHOLDER = new RegExp(`^${NAME}$`, "u");
const LIST_INDEX = /^(?:0|[1-9][0-9]*)$/;
const STATE_PREFIX = "state";

/** A name of the state or of a local value, and the way inside it. */
export interface Reference {
  /** `state.` stripped: the name, then the way inside it. */
  readonly path: readonly string[];
  /** Written as `state.x`: means the state even where a local name hides it. */
  readonly fromState: boolean;
}

export interface Placeholder extends Reference {
  /** As written, with its braces. */
  readonly text: string;
}

/** The placeholders of a template in order of appearance, repeated ones included. */
export function placeholders(template: string): Placeholder[] {
  return Array.from(template.matchAll(PLACEHOLDER), (match) => readPlaceholder(match[1] ?? ""));
}

function readPlaceholder(inner: string): Placeholder {
  return { text: `{${inner}}`, ...readReference(inner) };
}

/** Reads `name.inner` and `state.name.inner`. */
export function readReference(text: string): Reference {
  const path = text.split(".");
  const fromState = path.length > 1 && path[0] === STATE_PREFIX;
  return { path: fromState ? path.slice(1) : path, fromState };
}

export interface TemplateScope {
  /** A node's own input names: they hide state fields of the same name. */
  readonly locals: Readonly<Record<string, Json>>;
  /** The workflow's state. */
  readonly values: Readonly<Record<string, Json>>;
}

/**
 * Fills in the placeholders in one pass: what a value contains is never read as a template. Text
 * goes in as it is, lists and objects as JSON, and null as nothing (an input that was not given
 * leaves no word behind in the prompt).
 * @throws AppError `invalid` when a placeholder names nothing, or looks inside null or a simple value.
 */
export function renderTemplate(template: string, scope: TemplateScope): string {
  return template.replaceAll(PLACEHOLDER, (_, inner: string) =>
    toText(resolve(readPlaceholder(inner), scope)),
  );
}

/**
 * Fills in every text inside a value; keys stay as they are. A text that is one placeholder and nothing
 * else becomes the value that it names, with its type.
 * @throws AppError `invalid` as `renderTemplate` does.
 */
export function renderValue(value: Json, scope: TemplateScope): Json {
  if (typeof value === "string") {
    const inner = ONLY_PLACEHOLDER.exec(value)?.[1];
    return inner === undefined
      ? renderTemplate(value, scope)
      : resolve(readPlaceholder(inner), scope);
  }
  if (isJsonObject(value)) {
    const entries = Object.entries(value);
    return Object.fromEntries(entries.map(([key, item]) => [key, renderValue(item, scope)]));
  }
  if (!Array.isArray(value)) return value;
  const items: readonly Json[] = value;
  return items.map((item) => renderValue(item, scope));
}

/** The value of a reference's first name, or undefined when nothing has that name. */
export function findNamed(reference: Reference, scope: TemplateScope): Json | undefined {
  const [name = ""] = reference.path;
  if (!reference.fromState && Object.hasOwn(scope.locals, name)) return scope.locals[name];
  return Object.hasOwn(scope.values, name) ? scope.values[name] : undefined;
}

/** What an object has under its own key, or a list at the index; undefined when there is nothing. */
export function findInside(value: Json, key: string): Json | undefined {
  if (Array.isArray(value)) {
    const items: readonly Json[] = value;
    return LIST_INDEX.test(key) ? items[Number(key)] : undefined;
  }
  return isJsonObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

function resolve(placeholder: Placeholder, scope: TemplateScope): Json {
  let value = findNamed(placeholder, scope);
  for (const key of placeholder.path.slice(1)) {
    if (value === undefined) break;
    value = findInside(value, key);
  }
  if (value === undefined) {
    throw new AppError("invalid", `The placeholder ${placeholder.text} has no value.`, {
      fix: `Give ${placeholder.path.join(".")} a value before this step, or take the placeholder out of the prompt.`,
    });
  }
  return value;
}

function toText(value: Json): string {
  if (value === null) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}
