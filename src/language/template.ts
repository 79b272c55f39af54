/**
 * Prompt templates: `{name}`, `{state.name}`, `{name.inner.deeper}`. A brace that does not enclose a
 * dotted name (JSON in a prompt, say) is ordinary text.
 */
import { AppError } from "../domain/error.ts";
import { isJsonObject, type Json } from "../lib/json.ts";

const PLACEHOLDER = /\{([\p{ID_Start}_][\p{ID_Continue}.]*)\}/gu;
const STATE_PREFIX = "state";

export interface Placeholder {
  /** As written, with its braces. */
  readonly text: string;
  /** `state.` stripped: the name, then the way inside it. */
  readonly path: readonly string[];
  /** Written as `{state.x}`: means the state even where a local name hides it. */
  readonly fromState: boolean;
}

/** The placeholders of a template in order of appearance, repeated ones included. */
export function placeholders(template: string): Placeholder[] {
  return Array.from(template.matchAll(PLACEHOLDER), (match) => readPlaceholder(match[1] ?? ""));
}

function readPlaceholder(inner: string): Placeholder {
  const path = inner.split(".");
  const fromState = path.length > 1 && path[0] === STATE_PREFIX;
  return { text: `{${inner}}`, path: fromState ? path.slice(1) : path, fromState };
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

function resolve(placeholder: Placeholder, scope: TemplateScope): Json {
  const [name = "", ...rest] = placeholder.path;
  const local = !placeholder.fromState && Object.hasOwn(scope.locals, name);
  let value = (local ? scope.locals : scope.values)[name];
  if (!local && !Object.hasOwn(scope.values, name)) value = undefined;
  for (const key of rest) {
    const inside: Json | undefined = value;
    value = isJsonObject(inside) && Object.hasOwn(inside, key) ? inside[key] : undefined;
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
