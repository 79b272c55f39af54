/** The typed state: `state.fields`, and the `schema` maps of objects at any depth. */
import {
  MERGE_MODES,
  type MergeMode,
  type StateField,
  type StateType,
} from "../domain/workflow.ts";
import { defined } from "../lib/defined.ts";
import { isJsonObject, type Json } from "../lib/json.ts";
import { mapOf, member, textOf, valueAt } from "./raw.ts";
import type { Path, Reporter } from "./report.ts";
import { checkValue, fillDefaults, formatType, parseType, withFields } from "./type.ts";

/** Stands for a type that could not be read: everything agrees with it, so one mistake is one problem. */
const UNREADABLE: StateType = { kind: "any" };
/** Would change the prototype of the objects that hold the state. */
const FORBIDDEN_NAME = "__proto__";

/** The fields of the state, or undefined when the file has none that could be read. */
export function readState(file: Json, reporter: Reporter): StateField[] | undefined {
  const path = ["state", "fields"];
  const raw = valueAt(file, path);
  return isJsonObject(raw) ? readFields(raw, path, reporter) : undefined;
}

function readFields(raw: Json, path: Path, reporter: Reporter): StateField[] {
  return Object.entries(mapOf(raw)).map(([name, entry]) => {
    const fieldPath = [...path, name];
    if (name === FORBIDDEN_NAME) {
      reporter.error(fieldPath, {
        code: "bad-identifier",
        message: `\`${name}\` cannot be the name of a field.`,
        fix: "Choose another name.",
        at: "key",
      });
    }
    return readField({ name, entry, path: fieldPath }, reporter);
  });
}

function readField(
  field: { name: string; entry: Json; path: Path },
  reporter: Reporter,
): StateField {
  const { name, entry, path } = field;
  const type = readType(entry, path, reporter);
  const required = member(entry, "required") === true;
  const stated = member(entry, "default") ?? null;
  if (required && stated !== null) {
    reporter.error([...path, "default"], {
      code: "required-with-default",
      message: `\`${name}\` is required and has a default: the default would never be used.`,
      fix: "Remove `required: true` or the `default`.",
      at: "key",
    });
  }
  return {
    name,
    type,
    required,
    default: stated === null ? null : readDefault(stated, { name, type, path }, reporter),
    ...defined({
      description: textOf(member(entry, "description")),
      merge: readMerge(entry, { name, type, path }, reporter),
    }),
  };
}

/** Types that a way of merging is for; those not listed take any. */
const MERGED_KINDS: Readonly<Partial<Record<MergeMode, readonly StateType["kind"][]>>> = {
  append: ["list"],
  union: ["list"],
  sum: ["int", "float"],
  min: ["int", "float"],
  max: ["int", "float"],
  object: ["dict", "object"],
};

function readMerge(
  entry: Json,
  field: { name: string; type: StateType; path: Path },
  reporter: Reporter,
): MergeMode | undefined {
  const stated = member(entry, "merge");
  const merge = MERGE_MODES.find((mode) => mode === stated);
  const kinds = merge === undefined ? undefined : MERGED_KINDS[merge];
  const { kind } = field.type;
  if (kinds === undefined || kind === "any" || kinds.includes(kind)) return merge;
  reporter.error([...field.path, "merge"], {
    code: "type-mismatch",
    message: `\`merge: ${merge}\` is for ${kinds.join(" and ")}, and \`${field.name}\` is ${formatType(field.type)}.`,
    fix: `Write \`merge: ${fittingMerge(kind)}\`, or change the type.`,
  });
  return merge;
}

function fittingMerge(kind: StateType["kind"]): MergeMode {
  return MERGE_MODES.find((mode) => MERGED_KINDS[mode]?.includes(kind) === true) ?? "last";
}

/**
 * The type of a state field, an output or a field of an object: a type text alone, or a map with
 * `type` and, for objects, `schema`.
 */
export function readType(entry: Json, path: Path, reporter: Reporter): StateType {
  const text = textOf(entry) ?? textOf(member(entry, "type"));
  if (text === undefined) return UNREADABLE;
  const typePath = typeof entry === "string" ? path : [...path, "type"];
  const reading = parseType(text);
  if ("message" in reading) {
    reporter.error(typePath, {
      code: "bad-type",
      message: reading.message,
      fix:
        reading.suggestion === undefined
          ? "Write str, int, float, bool, list[…], dict[…, …] or object."
          : `Write \`${reading.suggestion}\`.`,
      ...defined({ suggestion: reading.suggestion }),
    });
    return UNREADABLE;
  }
  const schema = member(entry, "schema");
  if (!isJsonObject(schema)) return reading.type;
  const fields = readFields(schema, [...path, "schema"], reporter);
  const type = withFields(reading.type, fields);
  if (type !== undefined) return type;
  reporter.error([...path, "schema"], {
    code: "bad-schema",
    message: `A \`schema\` is for objects; the type here is ${formatType(reading.type)}.`,
    fix: "Write `type: object` (or list[object]), or remove `schema`.",
    at: "key",
  });
  return reading.type;
}

function readDefault(
  stated: Json,
  field: { name: string; type: StateType; path: Path },
  reporter: Reporter,
): Json {
  const value = fillDefaults(field.type, stated);
  for (const fault of checkValue(field.type, value)) {
    const where = fault.path === "" ? "" : `\`${fault.path}\`: `;
    const quotable = field.type.kind === "str" && typeof stated !== "object";
    reporter.error([...field.path, "default"], {
      code: "bad-default",
      message: `The default of \`${field.name}\` does not fit its type: ${where}${fault.message}.`,
      fix: quotable
        ? "Put it in quotes."
        : `Write a value of type ${formatType(field.type)}, or change the type.`,
    });
  }
  return value;
}
