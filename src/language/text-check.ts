/** Checks the texts of a file that mean something: templates and conditions. */
import { ITEM_LOCALS, type StateField, type StateType } from "../domain/workflow.ts";
import { isJsonObject, type Json } from "../lib/json.ts";
import { parseCondition } from "./condition.ts";
import { lookUp, type NameScope } from "./lookup.ts";
import type { Path, Reporter } from "./report.ts";
import { type Placeholder, placeholders, type Reference } from "./template.ts";

export interface TextContext {
  readonly reporter: Reporter;
  /** Undefined when the file's state could not be read: what needs it is then not checked. */
  readonly fields: readonly StateField[] | undefined;
}

export interface TextPlace {
  readonly path: Path;
  readonly locals: ReadonlyMap<string, StateType>;
}

/** `${NAME}` takes a value from the environment, in the texts where that is possible. */
const VARIABLE = /\$\{[A-Za-z_][A-Za-z0-9_]*\}/g;

export function checkTemplate(template: string, place: TextPlace, context: TextContext): void {
  const seen = new Set<string>();
  for (const placeholder of placeholders(template)) {
    if (seen.has(placeholder.text)) continue;
    seen.add(placeholder.text);
    checkPlaceholder(placeholder, place, context);
  }
}

/** The same for a text with `${NAME}` of the environment in it. */
export function checkVariableTemplate(
  template: string,
  place: TextPlace,
  context: TextContext,
): void {
  checkTemplate(template.replaceAll(VARIABLE, ""), place, context);
}

/** Every text inside a value is a template; the keys of maps are not. */
export function checkTemplatesIn(value: Json, place: TextPlace, context: TextContext): void {
  const at = (key: string | number) => ({ ...place, path: [...place.path, key] });
  if (typeof value === "string") {
    checkTemplate(value, place, context);
  } else if (Array.isArray(value)) {
    const items: readonly Json[] = value;
    for (const [index, item] of items.entries()) checkTemplatesIn(item, at(index), context);
  } else if (isJsonObject(value)) {
    for (const [key, item] of Object.entries(value)) checkTemplatesIn(item, at(key), context);
  }
}

function checkPlaceholder(
  placeholder: Placeholder,
  { path, locals }: TextPlace,
  { fields, reporter }: TextContext,
): void {
  if (fields === undefined) return;
  const found = lookUp(placeholder, { locals, fields });
  if ("type" in found) return;
  reporter.error(path, {
    code: "unknown-placeholder",
    message: `${placeholder.text}${found.reason}.`,
    fix: itemFix(placeholder, locals) ?? "Use a state field, or an input of the node.",
    word: placeholder.text,
    among: found.among.map((name) => `{${name}}`),
    part: placeholder.text,
  });
}

function itemFix(reference: Reference, locals: TextPlace["locals"]): string | undefined {
  const isItem = ITEM_LOCALS.some((name) => name === reference.path[0] && !locals.has(name));
  if (!isItem || reference.fromState) return undefined;
  return "Use it in the node that a `parallel` edge runs for each item.";
}

/** Reports a condition that cannot be read, and names in it that mean nothing. */
export function checkCondition(text: string, place: TextPlace, context: TextContext): void {
  const { fields, reporter } = context;
  const reading = parseCondition(text);
  if ("problem" in reading) {
    const { column, message, fix } = reading.problem;
    const rest = text.slice(column - 1);
    reporter.error(place.path, {
      code: "bad-condition",
      message: `At column ${column} of the condition: ${message}`,
      fix,
      ...(rest === "" ? {} : { part: rest }),
    });
    return;
  }
  if (fields === undefined) return;
  const seen = new Set<string>();
  for (const reference of reading.references) {
    if (seen.has(reference.text)) continue;
    seen.add(reference.text);
    const found = lookUp(reference, { locals: place.locals, fields });
    if ("type" in found) continue;
    reporter.error(place.path, {
      code: "bad-condition",
      message: `\`${reference.text}\` in the condition${found.reason}.`,
      fix: itemFix(reference, place.locals) ?? "Use a state field.",
      word: reference.text,
      among: found.among,
      part: reference.text,
    });
  }
}

/** The type of what a template becomes: a lone placeholder keeps the type that it names. */
export function templateType(template: string, scope: Partial<NameScope>): StateType {
  const [only] = placeholders(template);
  if (only === undefined || only.text !== template) return { kind: "str" };
  if (scope.fields === undefined) return { kind: "any" };
  const found = lookUp(only, { locals: scope.locals ?? new Map(), fields: scope.fields });
  return "type" in found ? found.type : { kind: "any" };
}
