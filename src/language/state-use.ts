/** State fields that the file names outside of templates: they must exist and hold the right kind of value. */
import type { StateField, StateType } from "../domain/workflow.ts";
import type { Path } from "./report.ts";
import type { TextContext } from "./text-check.ts";

/** The field, when it is there and of the kind (or of no stated type); else that is reported. */
export function fieldOfKind(
  name: string,
  { path, kind }: { readonly path: Path; readonly kind: StateType["kind"] },
  { fields, reporter }: TextContext,
): StateField | undefined {
  if (fields === undefined) return undefined;
  const field = fields.find((each) => each.name === name);
  if (field === undefined) {
    reporter.error(path, {
      code: "unknown-field",
      message: `The state has no field \`${name}\`.`,
      fix: `Add \`${name}\` to \`state.fields\`, with type ${kind}.`,
      word: name,
      among: fields.map((each) => each.name),
    });
  } else if (field.type.kind !== kind && field.type.kind !== "any") {
    reporter.error(path, {
      code: "type-mismatch",
      message: `\`${name}\` must be a ${kind} here and is ${field.type.kind} in the state.`,
      fix: `Name a state field of type ${kind}.`,
    });
    return undefined;
  }
  return field;
}
