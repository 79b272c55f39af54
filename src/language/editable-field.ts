/** Which keys of a workflow file a person may want to change in a form, and what they are called there. */
import { isJsonObject, type Json } from "../lib/json.ts";
import { kindOf } from "./kind.ts";
import { listOf, mapOf, member, textOf } from "./raw.ts";
import type { Path } from "./report.ts";
import type { NodeKind } from "../domain/workflow.ts";

export interface FieldSpec {
  /** From the owner's map to the value. */
  readonly keys: Path;
  /** The same in names that stay: an item of a list is named, where it has a name. */
  readonly at: readonly string[];
  readonly label: string;
  /** `value`: what is written says whether it is a text, a number or a boolean. */
  readonly kind: "text" | "long" | "code" | "value";
  /** Emptied, it goes. */
  readonly isOptional: boolean;
  /** Offered before it is written. */
  readonly isUsual: boolean;
  /** Keys that it is written behind. */
  readonly after: readonly string[];
}

type Traits = Partial<Pick<FieldSpec, "isOptional" | "isUsual" | "after" | "at">>;

function field(
  keys: Path,
  label: string,
  { kind = "text", ...traits }: Traits & { kind?: FieldSpec["kind"] } = {},
): FieldSpec {
  const at = keys.map(String);
  return { keys, at, label, kind, isOptional: false, isUsual: false, after: [], ...traits };
}

const OPTIONAL = { isOptional: true };

export function flowFields(): readonly FieldSpec[] {
  return [
    field(["description"], "Description", { isOptional: true, isUsual: true, after: ["name"] }),
  ];
}

/** The model of the whole workflow, as far as the file says it. */
export function settingFields(): readonly FieldSpec[] {
  return modelFields([], { isUsual: false });
}

export function stateFields(): readonly FieldSpec[] {
  return [
    field(["description"], "Description", OPTIONAL),
    field(["default"], "Default", { kind: "value", isOptional: true }),
  ];
}

export function nodeFields(node: Json): readonly FieldSpec[] {
  const about = { isOptional: true, isUsual: true, after: ["id", "kind"] };
  return [
    field(["description"], "Description", about),
    field(["when"], "Only when", OPTIONAL),
    ...OWN_FIELDS[kindOf(node)](node),
    ...answerFields(member(node, "output_schema")),
  ];
}

const prompt = (isOptional: boolean) => field(["prompt"], "Prompt", { kind: "long", isOptional });

const OWN_FIELDS: Readonly<Record<NodeKind, (node: Json) => readonly FieldSpec[]>> = {
  llm: () => [prompt(false), ...modelFields(["llm"], { isUsual: true })],
  code: () => [prompt(true), field(["code"], "Code", { kind: "code" })],
  tool: (node) => [...nameFields(node, "tool", "Tool"), ...eachOf(node, ["arguments"], "Argument")],
  http: (node) => [
    field(["http", "url"], "Address"),
    field(["http", "body"], "Body", { kind: "long", isOptional: true }),
    ...eachOf(node, ["http", "query"], "Query"),
    ...eachOf(node, ["http", "headers"], "Header"),
    ...eachOf(node, ["http", "body"], "Body"),
  ],
  cli: (node) => [
    prompt(true),
    ...listOf(member(member(node, "cli"), "command")).map((_, index) =>
      field(["cli", "command", index], index === 0 ? "Program" : `Argument ${index}`),
    ),
  ],
  agent: () => [
    prompt(false),
    field(["agent", "url"], "Address"),
    field(["agent", "name"], "Agent"),
  ],
  workflow: (node) => [
    ...nameFields(node, "workflow", "Workflow"),
    ...eachOf(node, ["workflow", "inputs"], "Input"),
  ],
  approval: () => [field(["approval", "message"], "Question", { kind: "long" })],
  wait: (node) =>
    isJsonObject(member(node, "wait") ?? null)
      ? [
          field(["wait", "seconds"], "How long", { kind: "value" }),
          field(["wait", "until"], "Until"),
          field(["wait", "signal"], "Signal"),
        ]
      : [field(["wait"], "How long", { kind: "value" })],
};

function modelFields(base: Path, { isUsual }: { readonly isUsual: boolean }): FieldSpec[] {
  const traits = { isOptional: true, isUsual, after: ["id", "kind", "description"] };
  const inside = { ...traits, after: base.length === 0 ? [] : traits.after };
  return [
    field(base.concat("provider"), "Provider", inside),
    field(base.concat("model"), "Model", { ...inside, after: [...inside.after, "provider"] }),
    field(base.concat("temperature"), "Temperature", { kind: "value", isOptional: true }),
    field(base.concat("max_tokens"), "Longest answer, in tokens", {
      kind: "value",
      isOptional: true,
    }),
  ];
}

/** A name alone, or the `name` of a map. */
function nameFields(node: Json, key: string, label: string): FieldSpec[] {
  return [field(isJsonObject(member(node, key) ?? null) ? [key, "name"] : [key], label)];
}

function eachOf(node: Json, base: Path, label: string): FieldSpec[] {
  const map = base.reduce<Json | undefined>((inner, key) => member(inner, String(key)), node);
  return Object.keys(mapOf(map)).map((name) =>
    field(base.concat(name), `${label} ${name}`, { kind: "value" }),
  );
}

/** What a model is told about its answer. */
function answerFields(schema: Json | undefined): FieldSpec[] {
  const base = ["output_schema"];
  const fields = listOf(member(schema, "fields")).flatMap((one, index) => {
    const name = textOf(member(one, "name"));
    if (name === undefined) return [];
    const at = [...base, "fields", name, "description"];
    return [
      field([...base, "fields", index, "description"], `Output ${name}`, { ...OPTIONAL, at }),
    ];
  });
  return [field([...base, "description"], "Answer", OPTIONAL), ...fields];
}
