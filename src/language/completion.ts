/** What may be written at a place of a workflow text: from the JSON Schema, the text itself and the product. */
import { END, START } from "../domain/workflow.ts";
import { ITEM_LOCALS } from "../domain/workflow.ts";
import type { JsonObject } from "../lib/json.ts";
import { patternOf } from "./raw.ts";
import type { Path } from "./report.ts";
import {
  alternatives,
  descriptionAt,
  fixedValues,
  keysOf,
  schemasAt,
  shapeOf,
} from "./schema-lookup.ts";
import { openTree, type Spot, type Tree } from "./tree.ts";

/** Names that a file may use and that it does not define itself. */
export interface Vocabulary {
  readonly tools: readonly { readonly name: string; readonly description: string }[];
  readonly models: readonly { readonly name: string; readonly provider: string }[];
  readonly workflows: readonly { readonly name: string; readonly description: string }[];
}

export interface Completion {
  readonly label: string;
  /** Written in place of the word, when it is not the label. */
  readonly insert?: string;
  readonly kind: "key" | "value" | "node" | "field" | "tool" | "model" | "workflow" | "type";
  /** A few words beside the label. */
  readonly detail?: string;
  /** What it is, in sentences. */
  readonly info?: string;
}

export interface CompletionList {
  /** The word that is completed, in characters of the text. */
  readonly from: number;
  readonly to: number;
  readonly options: readonly Completion[];
  /** False when there are more than could be given: those that fit what has been typed. */
  readonly isComplete: boolean;
}

/** More are not shown; one goes on typing. */
export const COMPLETION_COUNT_MAX = 100;
/** Stands where the cursor is while the text is read. */
const MARK = "zzcursorzz";
const TYPES = ["str", "int", "float", "bool", "list[str]", "list[int]", "dict[str, str]", "object"];
/** Keys without any effect are not worth proposing. */
const USELESS = /^Accepted (?:and ignored|without effect)\.$/;

/** @param offset Where the cursor is, in characters of the text. */
export function completeWorkflow(
  source: string,
  offset: number,
  vocabulary: Vocabulary,
): CompletionList {
  const before = /[\p{L}\p{N}_.*:/-]*$/u.exec(source.slice(lineStart(source, offset), offset));
  const from = offset - wordOf(before?.[0] ?? "").length;
  const to = offset + (/^[\p{L}\p{N}_.*-]*/u.exec(source.slice(offset))?.[0].length ?? 0);
  const found = locate(source, { from, to, offset });
  if (found === undefined) return { from, to, options: [], isComplete: false };
  const placeholder = inPlaceholder(source, offset, found);
  const options =
    placeholder === undefined
      ? optionsAt({ ...found, source, from, to }, vocabulary)
      : placeholderOptions(found);
  const start = placeholder ?? from;
  if (options.length <= COMPLETION_COUNT_MAX) return { from: start, to, options, isComplete: true };
  const typed = source.slice(start, offset).toLowerCase();
  const fitting = options.filter(({ label }) => isFitting(label.toLowerCase(), typed));
  return {
    from: start,
    to,
    options: fitting.slice(0, COMPLETION_COUNT_MAX),
    isComplete: false,
  };
}

/** A colon ends a key; in `ollama/llama3:8b` it is part of the word. */
function wordOf(text: string): string {
  const colon = text.lastIndexOf(":");
  return colon === text.length - 1 ? "" : text;
}

/** Every letter that was typed comes in this order. */
function isFitting(label: string, typed: string): boolean {
  let at = 0;
  for (const letter of typed) {
    at = label.indexOf(letter, at) + 1;
    if (at === 0) return false;
  }
  return true;
}

interface Found {
  readonly tree: Tree;
  readonly spot: Spot;
  /** The entry of a list that has just been begun: a value, or the first key of a map. */
  readonly isFirst: boolean;
}

interface Cursor {
  readonly from: number;
  readonly to: number;
  readonly offset: number;
}

/** Reads the text with a word where the cursor is: as a key where a key may stand, else as a value. */
function locate(source: string, { from, to, offset }: Cursor): Found | undefined {
  const head = source.slice(lineStart(source, from), from);
  const tail = source.slice(to, lineEnd(source, to));
  const mayBeKey = /^\s*(?:- +)*$/.test(head);
  const marks = mayBeKey && tail.trim() === "" ? [`${MARK}:`, MARK] : [MARK];
  for (const mark of marks) {
    const tree = openTree(source.slice(0, offset) + mark + source.slice(offset));
    const spot = tree?.spotOf(MARK);
    if (tree === undefined || spot === undefined) continue;
    const isFirst = spot.at === "key" && spot.siblings.length === 1 && head.trim() !== "";
    return { tree, spot, isFirst };
  }
  return undefined;
}

/** Where the name begins, when the cursor stands in a `{placeholder}` of a text. */
function inPlaceholder(source: string, offset: number, { spot }: Found): number | undefined {
  if (spot.at === "key") return undefined;
  const open = /\{([\p{L}\p{N}_.]*)$/u.exec(source.slice(lineStart(source, offset), offset));
  return open === null || !spot.text.includes(`{${open[1] ?? ""}${MARK}`)
    ? undefined
    : offset - (open[1]?.length ?? 0);
}

function placeholderOptions({ tree, spot }: Found): Completion[] {
  const locals = tree.localsAt(spot.path);
  return [
    ...locals.map((label): Completion => ({ label, kind: "field", detail: "input of this node" })),
    ...tree.names.fields.map(({ name, detail }): Completion => ({
      label: name,
      kind: "field",
      detail,
    })),
    ...ITEM_LOCALS.map((label): Completion => ({ label, kind: "field", detail: "of a map" })),
  ];
}

interface Place extends Found {
  readonly source: string;
  readonly from: number;
  readonly to: number;
}

function optionsAt(place: Place, vocabulary: Vocabulary): Completion[] {
  const { spot, isFirst } = place;
  if (spot.at === "value") return valueOptions(spot.path, place, vocabulary);
  const parent = spot.path.slice(0, -1);
  const keys = keyOptions(parent, place);
  return isFirst ? [...valueOptions(parent, place, vocabulary), ...keys] : keys;
}

function keyOptions(parent: Path, { spot, source, from, to }: Place): Completion[] {
  const taken = new Set(spot.siblings);
  const line = source.slice(lineStart(source, from), from);
  const isInline = /[{,]\s*$/.test(line) || line.includes("{");
  const hasColon = /^\s*:/.test(source.slice(to, lineEnd(source, to)));
  const column = isInline ? 0 : from - lineStart(source, from);
  const found = [...keysOf(schemasAt(parent))].filter(([name]) => !taken.has(name));
  return found
    .map(([name, { schema, isRequired }]) => {
      const info = descriptionAt(parent.concat(name)) ?? "";
      const shape = shapeOf(schema);
      const insert = hasColon ? name : name + opening(schema, isInline ? undefined : column);
      const detail = isRequired ? `${shape}, required` : shape;
      return {
        isRequired,
        completion: { label: name, insert, kind: "key", detail, info } as const,
      };
    })
    .filter(({ completion }) => !USELESS.test(completion.info))
    .toSorted((a, b) => Number(b.isRequired) - Number(a.isRequired))
    .map(({ completion }) => completion);
}

/** What follows a key: the next line for a map or a list, else a space. */
function opening(schema: JsonObject, column: number | undefined): string {
  const [first, ...others] = alternatives(schema);
  if (column === undefined || first === undefined || others.length > 0) return ": ";
  const indent = " ".repeat(column + 2);
  if (first["type"] === "array") return `:\n${indent}- `;
  return first["type"] === "object" ? `:\n${indent}` : ": ";
}

const EDGE_START = "edges[].from";
const NODE_PLACES: ReadonlySet<string> = new Set([
  EDGE_START,
  "edges[].to",
  "edges[].to[]",
  "edges[].routes[].to",
  "edges[].loop.exit_to",
  "edges[].parallel.target_node",
  "nodes[].on_error.route",
]);
const FIELD_PLACES: ReadonlySet<string> = new Set([
  "nodes[].outputs[]",
  "nodes[].output_schema.fields[].name",
  "nodes[].on_error.error_field",
  "edges[].loop.condition_field",
  "edges[].parallel.items_field",
  "edges[].parallel.collect_field",
  "nodes[].when",
  "edges[].routes[].condition.logic",
]);
const TOOL_PLACES: ReadonlySet<string> = new Set([
  "nodes[].tool",
  "nodes[].tool.name",
  "nodes[].tools[]",
  "nodes[].tools[].name",
]);

function valueOptions(path: Path, { tree }: Place, vocabulary: Vocabulary): Completion[] {
  const pattern = patternOf(path);
  const info = descriptionAt(path) ?? "";
  const fixed = fixedValues(schemasAt(path)).map((label): Completion => {
    // A number in quotes stays a text.
    const insert = label === "1.0" ? `"${label}"` : label;
    return { label, insert, kind: "value", info };
  });
  return [...fixed, ...namesAt(pattern, tree, vocabulary)];
}

function namesAt(pattern: string, { names }: Tree, vocabulary: Vocabulary): Completion[] {
  if (NODE_PLACES.has(pattern)) {
    const ends = pattern === EDGE_START ? [START] : pattern.endsWith("target_node") ? [] : [END];
    return [
      ...names.nodes.map(({ name, detail }): Completion => ({ label: name, kind: "node", detail })),
      ...ends.map((label): Completion => ({ label, kind: "node", detail: "of the graph" })),
    ];
  }
  if (FIELD_PLACES.has(pattern)) {
    return names.fields.map(({ name, detail }) => ({ label: name, kind: "field", detail }));
  }
  if (TOOL_PLACES.has(pattern)) {
    return [
      ...vocabulary.tools.map(({ name, description }): Completion => ({
        label: name,
        kind: "tool",
        info: description,
      })),
      ...names.servers.map((name): Completion => ({
        label: `${name}.*`,
        insert: `"${name}.*"`,
        kind: "tool",
        detail: "all of this MCP server",
      })),
    ];
  }
  if (pattern === "nodes[].workflow" || pattern === "nodes[].workflow.name") {
    return vocabulary.workflows.map(({ name, description }) => ({
      label: name,
      kind: "workflow",
      info: description,
    }));
  }
  const last = pattern.split(".").at(-1);
  if (last === "model") {
    return vocabulary.models.map(({ name, provider }) => ({
      label: name,
      kind: "model",
      detail: provider,
    }));
  }
  const isType = last === "type" && !pattern.startsWith("config");
  return isType ? TYPES.map((label) => typeOption(label)) : [];
}

/** In a map on one line the brackets of a type need quotes, and elsewhere they do no harm. */
function typeOption(label: string): Completion {
  return label.includes("[")
    ? { label, insert: `"${label}"`, kind: "type" }
    : { label, kind: "type" };
}

function lineStart(source: string, offset: number): number {
  return source.lastIndexOf("\n", offset - 1) + 1;
}

function lineEnd(source: string, offset: number): number {
  const end = source.indexOf("\n", offset);
  return end === -1 ? source.length : end;
}
