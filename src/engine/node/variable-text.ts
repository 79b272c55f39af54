/**
 * Texts with `${NAME}` in them, for headers and the environment of programs. A variable's value is
 * filled in for the call alone: the step's input, its journal and its log keep the name. Which places are
 * variables is fixed before anything is rendered, so a value of the state that reads `${NAME}` is a text.
 */
import { AppError } from "../../domain/error.ts";
import { createMask, type Mask } from "../../lib/mask.ts";
import { renderTemplate, type TemplateScope } from "../../language/template.ts";

const VARIABLE = /\$\{([A-Za-z_][A-Za-z0-9_]*)\}/;

/** A plain text, or its pieces where variables are among them. Kept with the step's input. */
export type VariableText = string | readonly Piece[];
type Piece = string | { readonly variable: string };
export type VariableTexts = { readonly [name: string]: VariableText };

/** @throws AppError `invalid` as `renderTemplate`. */
export function renderVariableTexts(
  templates: Readonly<Record<string, string>>,
  scope: TemplateScope,
): VariableTexts {
  return Object.fromEntries(
    Object.entries(templates).map(([name, template]) => [name, renderOne(template, scope)]),
  );
}

function renderOne(template: string, scope: TemplateScope): VariableText {
  // Splitting by a pattern with a group leaves the names at the odd places.
  const parts = template.split(VARIABLE);
  if (parts.length === 1) return renderTemplate(template, scope);
  return parts.flatMap((part, index): Piece[] => {
    if (index % 2 === 1) return [{ variable: part }];
    return part === "" ? [] : [renderTemplate(part, scope)];
  });
}

export interface FilledTexts {
  readonly texts: Readonly<Record<string, string>>;
  /** Blanks out the variables' values. */
  readonly mask: Mask;
}

/** @throws AppError `missing_key` for a variable that is not set, or that workflows may not use. */
export function fillVariables(
  texts: VariableTexts,
  variable: (name: string) => string | undefined,
): FilledTexts {
  const values = new Map<string, string>();
  const read = (name: string): string => {
    const value = values.get(name) ?? variable(name);
    if (value === undefined) throw missing(name);
    values.set(name, value);
    return value;
  };
  const filled = Object.entries(texts).map(([name, text]): [string, string] => [
    name,
    typeof text === "string"
      ? text
      : text.map((part) => (typeof part === "string" ? part : read(part.variable))).join(""),
  ]);
  return { texts: Object.fromEntries(filled), mask: createMask([...values.values()]) };
}

function missing(name: string): AppError {
  return new AppError(
    "missing_key",
    `The variable \`${name}\` is not set, or workflows may not use it.`,
    { fix: `Set ${name} in the environment and name it in ALLOWED_VARIABLES.` },
  );
}
