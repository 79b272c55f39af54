/** A node's `outputs` and `output_schema`, held against each other and against the state. */
import type { NodeKind, OutputField, StateField, StateType } from "../domain/workflow.ts";
import { defined } from "../lib/defined.ts";
import type { Json } from "../lib/json.ts";
import { listOf, member, textOf } from "./raw.ts";
import type { Path, Reporter } from "./report.ts";
import { readType } from "./state.ts";
import type { TextContext } from "./text-check.ts";
import { formatType, mergeTypes, requireAllFields } from "./type.ts";

export interface OutputPlace {
  /** Of the node. */
  readonly path: Path;
  readonly kind: NodeKind;
  /** A map collects its results: nothing else reaches the state, so its outputs need not be there. */
  readonly isMapped: boolean;
}

interface NamedOutput {
  readonly name: string;
  readonly type: StateType;
  readonly description?: string;
  /** Where its type is stated. */
  readonly path: Path;
}

/** What a node writes, with the types of its schema and of the state put together. */
export function readOutputs(raw: Json, place: OutputPlace, context: TextContext): OutputField[] {
  const schema = member(raw, "output_schema");
  const isModel = place.kind === "llm";
  const names = readNames(raw, place, context);
  if (schema === undefined) return isModel ? [] : fromState(names, context.fields);
  return readSchema(schema, { ...place, names }, context).map((output) => {
    const type = mergeWithState(output, context);
    const description =
      output.description ?? context.fields?.find(({ name }) => name === output.name)?.description;
    return defined({
      name: output.name,
      // A model answers every field; other results may leave out what is not required.
      type: isModel ? requireAllFields(type) : type,
      description,
    });
  });
}

/** Without a schema the state says what a result must be. */
function fromState(
  names: readonly string[],
  fields: readonly StateField[] | undefined,
): OutputField[] {
  return names.map((name) => {
    const field = fields?.find((each) => each.name === name);
    const type: StateType = field?.type ?? { kind: "any" };
    return defined({ name, type, description: field?.description });
  });
}

function mergeWithState(
  { name, type, path }: NamedOutput,
  { fields, reporter }: TextContext,
): StateType {
  const field = fields?.find((each) => each.name === name);
  if (field === undefined) return type;
  const merged = mergeTypes(type, field.type) ?? mergeWithItem(type, field);
  if (merged !== undefined) return merged;
  const same = formatType(type) === formatType(field.type);
  reporter.error(path, {
    code: "type-mismatch",
    message: same
      ? `\`${name}\` has other fields here than in the state.`
      : `\`${name}\` is ${formatType(type)} here and ${formatType(field.type)} in the state.`,
    fix: same
      ? "Write the same `schema` in both places, or leave it out here."
      : `Write \`type: ${formatType(field.type)}\`, or change the state field.`,
  });
  return type;
}

/** A step may add one item to a list that it shares with others. */
function mergeWithItem(type: StateType, field: StateField): StateType | undefined {
  const adds = field.merge === "append" || field.merge === "union";
  return adds && field.type.kind === "list" ? mergeTypes(type, field.type.item) : undefined;
}

function readNames(raw: Json, place: OutputPlace, { fields, reporter }: TextContext): string[] {
  const path = [...place.path, "outputs"];
  const stated = member(raw, "outputs");
  if (stated === undefined && place.kind !== "llm") return namesOfSchema(raw);
  const names: string[] = [];
  const isTyped = place.isMapped && member(raw, "output_schema") !== undefined;
  for (const [index, entry] of listOf(stated).entries()) {
    const name = textOf(entry);
    if (name === undefined) continue;
    if (names.includes(name)) reportDuplicate([...path, index], `The output \`${name}\``, reporter);
    else names.push(name);
    if (isTyped || fields === undefined || fields.some((field) => field.name === name)) continue;
    reporter.error([...path, index], {
      code: "unknown-field",
      message: `The state has no field \`${name}\` for this output.`,
      fix: `Add \`${name}\` to \`state.fields\`, with its type.`,
      word: name,
      among: fields.map((field) => field.name),
    });
  }
  if (place.kind === "llm" && Array.isArray(stated) && stated.length === 0) {
    reporter.error(path, {
      code: "empty-value",
      message: "A model's answer must go somewhere: `outputs` is empty.",
      fix: "Add a state field to `outputs`.",
      at: "key",
    });
  }
  return names;
}

/** `outputs` may be left out where the schema has the names. */
function namesOfSchema(raw: Json): string[] {
  const fields = listOf(member(member(raw, "output_schema"), "fields"));
  return [...new Set(fields.flatMap((field) => textOf(member(field, "name")) ?? []))];
}

interface SchemaPlace extends OutputPlace {
  readonly names: readonly string[];
}

function readSchema(schema: Json, place: SchemaPlace, context: TextContext): NamedOutput[] {
  const { names } = place;
  const path = [...place.path, "output_schema"];
  const typeText = textOf(member(schema, "type"));
  if (typeText === undefined) return [];
  const type = readType(typeText, [...path, "type"], context.reporter);
  if (type.kind === "object" || (type.kind === "any" && member(schema, "fields") !== undefined))
    return readFields(schema, place, context);
  if (member(schema, "fields") !== undefined) {
    context.reporter.error([...path, "fields"], {
      code: "bad-schema",
      message: `\`fields\` is for \`type: object\`; the type here is ${formatType(type)}.`,
      fix: "Write `type: object`, or remove `fields`.",
      at: "key",
    });
  }
  const [name] = names;
  const isOne = names.length === 1 || type.kind === "any";
  if (!isOne && (names.length > 1 || place.kind !== "llm")) {
    context.reporter.error([...path, "type"], {
      code: "output-mismatch",
      message: `One ${formatType(type)} cannot fill the ${names.length} outputs.`,
      fix:
        names.length === 0
          ? "Name the state field in `outputs`."
          : "Write `type: object` with one entry in `fields` for each output.",
    });
    return [];
  }
  return name === undefined ? [] : [{ name, type, path: [...path, "type"] }];
}

function readFields(schema: Json, place: SchemaPlace, context: TextContext): NamedOutput[] {
  const { reporter } = context;
  const fieldsPath = [...place.path, "output_schema", "fields"];
  const outputs: NamedOutput[] = [];
  for (const [index, entry] of listOf(member(schema, "fields")).entries()) {
    const name = textOf(member(entry, "name"));
    const entryPath = [...fieldsPath, index];
    const type = readType(entry, entryPath, reporter);
    if (name === undefined) continue;
    if (outputs.some((output) => output.name === name)) {
      reportDuplicate([...entryPath, "name"], `The field \`${name}\``, reporter);
      continue;
    }
    const description = textOf(member(entry, "description"));
    outputs.push({ name, type, ...defined({ description }), path: [...entryPath, "type"] });
  }
  if (member(schema, "fields") === undefined) {
    reporter.error(fieldsPath, {
      code: "missing-key",
      message: "`output_schema` with `type: object` has no `fields`.",
      fix: "Add `fields:` with one entry for each output.",
    });
  } else if (!reportInnerFields(outputs, place, context)) {
    reportMismatch(outputs, place, reporter);
  }
  return outputs.filter((output) => place.names.includes(output.name));
}

/** The likely mistake of listing what is inside of an object output instead of the output itself. */
function reportInnerFields(
  outputs: readonly NamedOutput[],
  { names, path }: SchemaPlace,
  context: TextContext,
): boolean {
  const [only] = names;
  const state = context.fields?.find((field) => field.name === only);
  if (only === undefined || names.length > 1 || state?.type.kind !== "object") return false;
  if (outputs.some((output) => output.name === only)) return false;
  context.reporter.error([...path, "output_schema", "fields"], {
    code: "output-mismatch",
    message: `\`fields\` must name the output \`${only}\`, not what is inside of it.`,
    fix: `Write \`fields: [{name: ${only}, type: object, schema: {…}}]\`.`,
    at: "key",
  });
  return true;
}

function reportMismatch(
  outputs: readonly NamedOutput[],
  { names, path }: SchemaPlace,
  reporter: Reporter,
): void {
  const described = new Set(outputs.map((output) => output.name));
  const undescribed = names.filter((name) => !described.has(name));
  for (const output of outputs) {
    if (names.includes(output.name)) continue;
    reporter.error([...output.path.slice(0, -1), "name"], {
      code: "output-mismatch",
      message: `\`${output.name}\` is not one of the node's \`outputs\`.`,
      fix: `Add \`${output.name}\` to \`outputs\`, or remove it here.`,
      word: output.name,
      among: undescribed,
    });
  }
  for (const name of undescribed) {
    reporter.error([...path, "outputs", names.indexOf(name)], {
      code: "output-mismatch",
      message: `The output \`${name}\` is not described in \`output_schema.fields\`.`,
      fix: `Add \`{name: ${name}, type: …}\` to the fields, or remove the output.`,
    });
  }
}

export function reportDuplicate(path: Path, what: string, reporter: Reporter): void {
  reporter.error(path, {
    code: "duplicate-name",
    message: `${what} is listed twice.`,
    fix: "Remove one of the two.",
  });
}
