/** One node: its outputs against the state, its placeholders, its tools. */
import type { LlmNode, OutputField, StateField, StateType, ToolUse } from "../domain/workflow.ts";
import { defined } from "../lib/defined.ts";
import type { Json } from "../lib/json.ts";
import { listOf, mapOf, member, textOf } from "./raw.ts";
import type { Path, Reporter } from "./report.ts";
import { readLlm, readRetry, readTimeoutMs } from "./settings.ts";
import { readType } from "./state.ts";
import { type Placeholder, placeholders } from "./template.ts";
import { formatType, mergeTypes, requireAllFields } from "./type.ts";

/** Tools that CA has built in. One of them that this version lacks is unsupported, not unknown. */
export const CA_TOOLS: ReadonlySet<string> = new Set([
  "serper_search",
  "web_search",
  "web_scrape",
  "http_client",
  "file_read",
  "file_write",
  "file_glob",
  "file_move",
  "sql_query",
  "dataframe_to_csv",
  "json_parse",
  "yaml_parse",
  "shell",
  "process",
  "env_vars",
]);

export interface NodeContext {
  readonly reporter: Reporter;
  /** Undefined when the file's state could not be read: what needs it is then not checked. */
  readonly fields: readonly StateField[] | undefined;
  readonly config: Json | undefined;
  readonly knownTools: readonly string[];
}

/** Reads and checks `nodes[index]`; parts that are wrong have been reported and are left out. */
export function readNode(raw: Json, path: Path, context: NodeContext): LlmNode {
  const inputs = readInputs(raw, path, context);
  const prompt = textOf(member(raw, "prompt")) ?? "";
  const locals = Object.keys(inputs);
  checkPlaceholders(prompt, { path: [...path, "prompt"], locals }, context);
  const { config } = context;
  return {
    kind: "llm",
    id: textOf(member(raw, "id")) ?? "",
    inputs,
    prompt,
    outputs: readOutputs(raw, path, context),
    tools: readTools(raw, path, context),
    llm: readLlm(member(config, "llm"), member(raw, "llm")),
    retry: readRetry(member(config, "execution"), member(raw, "retry")),
    ...defined({
      description: textOf(member(raw, "description")),
      outputDescription: textOf(member(member(raw, "output_schema"), "description")),
      timeoutMs: readTimeoutMs(raw),
    }),
  };
}

function readInputs(raw: Json, path: Path, context: NodeContext): Record<string, string> {
  const entries: [string, string][] = [];
  for (const [name, template] of Object.entries(mapOf(member(raw, "inputs")))) {
    if (typeof template !== "string") continue;
    checkPlaceholders(template, { path: [...path, "inputs", name], locals: [] }, context);
    entries.push([name, template]);
  }
  return Object.fromEntries(entries);
}

interface TemplatePlace {
  readonly path: Path;
  /** The node's input names, as far as the template may use them. */
  readonly locals: readonly string[];
}

function checkPlaceholders(template: string, place: TemplatePlace, context: NodeContext): void {
  const { fields, reporter } = context;
  if (fields === undefined) return;
  const seen = new Set<string>();
  for (const placeholder of placeholders(template)) {
    if (seen.has(placeholder.text)) continue;
    seen.add(placeholder.text);
    const fault = findFault(placeholder, place.locals, fields);
    if (fault === undefined) continue;
    reporter.error(place.path, {
      code: "unknown-placeholder",
      message: fault.message,
      fix: "Use a state field, or an input of the node.",
      word: placeholder.text,
      among: fault.among,
      part: placeholder.text,
    });
  }
}

interface PlaceholderFault {
  readonly message: string;
  /** Placeholders that would have been right. */
  readonly among: readonly string[];
}

function findFault(
  placeholder: Placeholder,
  locals: readonly string[],
  fields: readonly StateField[],
): PlaceholderFault | undefined {
  const [name = "", ...rest] = placeholder.path;
  const prefix = placeholder.fromState ? "state." : "";
  if (!placeholder.fromState && locals.includes(name)) {
    if (rest.length === 0) return undefined;
    const message = `${placeholder.text}: the input \`${name}\` is text and has nothing inside.`;
    return { message, among: [`{${name}}`] };
  }
  const field = fields.find((candidate) => candidate.name === name);
  if (field === undefined) {
    const names = [...(placeholder.fromState ? [] : locals), ...fields.map((each) => each.name)];
    return {
      message: `${placeholder.text} names no ${placeholder.fromState ? "" : "input and no "}state field.`,
      among: names.map((each) => `{${[`${prefix}${each}`, ...rest].join(".")}}`),
    };
  }
  return findFaultInside(placeholder, { type: field.type, rest, at: `${prefix}${name}` });
}

function findFaultInside(
  placeholder: Placeholder,
  inside: { type: StateType; rest: readonly string[]; at: string },
): PlaceholderFault | undefined {
  let { type, at } = inside;
  for (const key of inside.rest) {
    const open = type.kind === "object" && type.fields.length === 0;
    if (open || type.kind === "any") return undefined;
    if (type.kind === "dict") {
      type = type.value;
    } else if (type.kind === "object") {
      const field: StateField | undefined = type.fields.find((each) => each.name === key);
      if (field === undefined) {
        const among = type.fields.map((each) => `{${at}.${each.name}}`);
        return { message: `${placeholder.text}: \`${at}\` has no field \`${key}\`.`, among };
      }
      type = field.type;
    } else {
      const message = `${placeholder.text}: \`${at}\` is ${formatType(type)} and has no fields.`;
      return { message, among: [`{${at}}`] };
    }
    at = `${at}.${key}`;
  }
  return undefined;
}

interface NamedOutput {
  readonly name: string;
  readonly type: StateType;
  readonly description?: string;
  /** Where its type is stated. */
  readonly path: Path;
}

function readOutputs(raw: Json, path: Path, context: NodeContext): OutputField[] {
  const names = readOutputNames(raw, [...path, "outputs"], context);
  const stated = readOutputSchema(member(raw, "output_schema"), { names, path }, context);
  return stated.map(({ name, type, description, path: typePath }) => {
    const state = context.fields?.find((field) => field.name === name);
    const merged = state === undefined ? type : mergeTypes(type, state.type);
    if (merged === undefined && state !== undefined) {
      const same = formatType(type) === formatType(state.type);
      context.reporter.error(typePath, {
        code: "type-mismatch",
        message: same
          ? `\`${name}\` has other fields here than in the state.`
          : `\`${name}\` is ${formatType(type)} here and ${formatType(state.type)} in the state.`,
        fix: same
          ? "Write the same `schema` in both places, or leave it out here."
          : `Write \`type: ${formatType(state.type)}\`, or change the state field.`,
      });
    }
    return defined({
      name,
      type: requireAllFields(merged ?? type),
      description: description ?? state?.description,
    });
  });
}

function readOutputNames(raw: Json, path: Path, { fields, reporter }: NodeContext): string[] {
  const names: string[] = [];
  for (const [index, entry] of listOf(member(raw, "outputs")).entries()) {
    const name = textOf(entry);
    if (name === undefined) continue;
    if (names.includes(name)) reportDuplicate([...path, index], `The output \`${name}\``, reporter);
    else names.push(name);
    if (fields === undefined || fields.some((field) => field.name === name)) continue;
    reporter.error([...path, index], {
      code: "unknown-field",
      message: `The state has no field \`${name}\` for this output.`,
      fix: `Add \`${name}\` to \`state.fields\`, with its type.`,
      word: name,
      among: fields.map((field) => field.name),
    });
  }
  return names;
}

interface OutputPlace {
  readonly names: readonly string[];
  /** Of the node. */
  readonly path: Path;
}

function readOutputSchema(
  schema: Json | undefined,
  { names, path }: OutputPlace,
  context: NodeContext,
): NamedOutput[] {
  const schemaPath = [...path, "output_schema"];
  const typeText = textOf(member(schema, "type"));
  if (schema === undefined || typeText === undefined) return [];
  const type = readType(typeText, [...schemaPath, "type"], context.reporter);
  if (type.kind === "object" || (type.kind === "any" && member(schema, "fields") !== undefined))
    return readOutputFields(schema, { names, path }, context);
  if (member(schema, "fields") !== undefined) {
    context.reporter.error([...schemaPath, "fields"], {
      code: "bad-schema",
      message: `\`fields\` is for \`type: object\`; the type here is ${formatType(type)}.`,
      fix: "Write `type: object`, or remove `fields`.",
      at: "key",
    });
  }
  const [name] = names;
  if (names.length > 1 && type.kind !== "any") {
    context.reporter.error([...schemaPath, "type"], {
      code: "output-mismatch",
      message: `One ${formatType(type)} cannot fill the ${names.length} outputs.`,
      fix: "Write `type: object` with one entry in `fields` for each output.",
    });
    return [];
  }
  return name === undefined ? [] : [{ name, type, path: [...schemaPath, "type"] }];
}

function readOutputFields(
  schema: Json,
  { names, path }: OutputPlace,
  context: NodeContext,
): NamedOutput[] {
  const { reporter } = context;
  const fieldsPath = [...path, "output_schema", "fields"];
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
  } else if (!reportInnerFields(outputs, { names, path }, context)) {
    reportMismatch(outputs, { names, path }, reporter);
  }
  return outputs.filter((output) => names.includes(output.name));
}

/** The likely mistake of listing what is inside of an object output instead of the output itself. */
function reportInnerFields(
  outputs: readonly NamedOutput[],
  { names, path }: OutputPlace,
  context: NodeContext,
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
  { names, path }: OutputPlace,
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

function readTools(raw: Json, path: Path, context: NodeContext): ToolUse[] {
  const { reporter, knownTools } = context;
  const tools: ToolUse[] = [];
  for (const [index, entry] of listOf(member(raw, "tools")).entries()) {
    const isText = typeof entry === "string";
    const name = textOf(isText ? entry : member(entry, "name"));
    if (name === undefined) continue;
    const namePath = [...path, "tools", index, ...(isText ? [] : ["name"])];
    if (tools.some((tool) => tool.name === name))
      reportDuplicate(namePath, `The tool \`${name}\``, reporter);
    else if (!knownTools.includes(name)) reportTool(name, namePath, context);
    tools.push({
      name,
      onError: member(entry, "on_error") === "continue" ? "continue" : "fail",
      config: member(entry, "config") ?? {},
    });
  }
  return tools;
}

function reportTool(name: string, path: Path, { reporter, knownTools }: NodeContext): void {
  const known = knownTools.length === 0 ? "none" : knownTools.join(", ");
  if (CA_TOOLS.has(name)) {
    reporter.error(path, {
      code: "unsupported",
      message: `The tool \`${name}\` is not part of this version.`,
      fix: `Remove it, or use one of: ${known}.`,
    });
    return;
  }
  reporter.error(path, {
    code: "unknown-tool",
    message: `There is no tool \`${name}\`.`,
    fix: `Use one of: ${known}.`,
    word: name,
    among: knownTools,
  });
}

function reportDuplicate(path: Path, what: string, reporter: Reporter): void {
  reporter.error(path, {
    code: "duplicate-name",
    message: `${what} is listed twice.`,
    fix: "Remove one of the two.",
  });
}
