/** The places of a workflow file that a form offers, and where each stands in the text. */
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Pair,
  Scalar,
  type YAMLMap,
  type YAMLSeq,
} from "yaml";
import { findJsonFault } from "../lib/json-syntax.ts";
import { isJsonObject, type Json } from "../lib/json.ts";
import {
  type FieldSpec,
  flowFields,
  nodeFields,
  settingFields,
  stateFields,
} from "./editable-field.ts";
import { mapOf, member, textOf, valueAt } from "./raw.ts";
import type { Path } from "./report.ts";
import { readSource, readTree } from "./source.ts";

/** A text or a plain value that may be changed by itself. */
export interface EditablePlace {
  /** Stable while the names in the file are: `nodes/rate/prompt`, with `~1` for a slash in a name. */
  readonly path: string;
  /** `workflow`, the name of a state field, or the id of a node. */
  readonly owner: string;
  readonly label: string;
  readonly kind: "text" | "long" | "code" | "number" | "boolean";
  /** Without the line ends at its end; empty where nothing is written yet. */
  readonly value: string;
}

/** A map that is passed on the way to a place, and the pair of it that leads on. */
export interface Step {
  readonly map: YAMLMap;
  readonly pair: Pair;
}

/** Where the text of a place is, or where it would go. */
export type Slot =
  | { readonly kind: "written"; readonly node: Scalar }
  | {
      readonly kind: "missing";
      readonly map: YAMLMap;
      /** Undefined: before the first. */
      readonly after: Pair | undefined;
      /** The key, below the maps that are missing too. */
      readonly keys: readonly string[];
    };

type Plain = string | number | boolean;

export interface FoundPlace {
  readonly place: EditablePlace;
  /** Of the value in the whole file. */
  readonly keys: Path;
  /** Undefined where nothing is written, or null. */
  readonly raw: Plain | undefined;
  readonly isOptional: boolean;
  readonly slot: Slot;
  readonly steps: readonly Step[];
  readonly isFlow: boolean;
  /** The column of the list or map around it, blocks only; -1 outside of all. */
  readonly indent: number;
  readonly offset: number;
}

export interface OpenSource {
  readonly source: string;
  readonly format: "yaml" | "json";
  readonly value: Json;
  readonly places: readonly FoundPlace[];
}

/** Undefined for a text that cannot be read as one value. */
export function openSource(source: string): OpenSource | undefined {
  const format = isJsonText(source) ? "json" : "yaml";
  const { value, reporter } = readSource(source, format);
  if (value === undefined || reporter.errorCount() > 0) return undefined;
  const document = readTree(source);
  if (document === undefined) return undefined;
  const finder = createFinder(document, source);
  return { source, format, value, places: findPlaces(value, finder) };
}

function isJsonText(source: string): boolean {
  return findJsonFault(source.replace(/^\uFEFF/, "")) === undefined;
}

type Finder = ReturnType<typeof createFinder>;

function findPlaces(file: Json, { root, find }: Finder): FoundPlace[] {
  const groups: FoundPlace[][] = [];
  const add = (group: FoundPlace[]) => groups.push(inOrder(group));
  const flow = find(["flow"], { at: "flow", owner: "workflow", specs: flowFields() });
  const settings = { at: "config/llm", owner: "workflow", specs: settingFields() };
  add([...flow, ...find(["config", "llm"], settings)]);
  for (const name of Object.keys(mapOf(valueAt(file, ["state", "fields"])))) {
    const at = `state/fields/${escaped(name)}`;
    add(find(["state", "fields", name], { at, owner: name, specs: stateFields() }));
  }
  const nodes = member(file, "nodes");
  const list: readonly Json[] = Array.isArray(nodes) ? nodes : [];
  const ids = list.map((node) => textOf(member(node, "id")));
  for (const [index, node] of list.entries()) {
    const id = ids[index];
    if (id === undefined || ids.indexOf(id) !== ids.lastIndexOf(id)) continue;
    const specs = nodeFields(node);
    add(find(["nodes", index], { at: `nodes/${escaped(id)}`, owner: id, specs }));
  }
  const placed = groups.filter((group) => group.length > 0);
  return root === undefined ? [] : placed.toSorted(byFirst).flat();
}

const inOrder = (group: readonly FoundPlace[]) =>
  group.toSorted((left, right) => left.offset - right.offset);
const byFirst = (left: readonly FoundPlace[], right: readonly FoundPlace[]) =>
  (left[0]?.offset ?? 0) - (right[0]?.offset ?? 0);

interface Cursor {
  readonly node: unknown;
  readonly steps: readonly Step[];
  readonly isFlow: boolean;
  readonly indent: number;
}

interface Wanted {
  readonly at: string;
  readonly owner: string;
  readonly specs: readonly FieldSpec[];
}

function createFinder(document: Document.Parsed, source: string) {
  const shared = sharedAnchors(document.contents);
  const start = source.startsWith("\uFEFF") ? 1 : 0;
  const columnOf = (offset: number) =>
    offset - Math.max(start, source.lastIndexOf("\n", offset - 1) + 1);
  const isShared = (node: unknown) =>
    (isMap(node) || isSeq(node) || isScalar(node)) &&
    node.anchor !== undefined &&
    shared.has(node.anchor);

  /** Undefined where nothing stands, or where what stands is used elsewhere as well. */
  function enter(cursor: Cursor, key: string | number): Cursor | undefined {
    const { node, steps } = cursor;
    if (isSeq(node) && typeof key === "number") {
      const item = node.items[key];
      return isShared(item) ? undefined : { ...inside(cursor, node, node.range?.[0]), node: item };
    }
    if (!isMap(node)) return undefined;
    const pair = node.items.find((one) => nameOf(one) === key);
    if (pair === undefined || isShared(pair.value)) return undefined;
    const first = startOf(node.items[0]?.key);
    return {
      ...inside(cursor, node, first),
      steps: steps.concat({ map: node, pair }),
      node: pair.value,
    };
  }

  function inside(cursor: Cursor, around: YAMLMap | YAMLSeq, first = 0): Cursor {
    if (cursor.isFlow || around.flow === true) return { ...cursor, isFlow: true };
    return { ...cursor, indent: columnOf(first) };
  }

  function go(keys: Path): Cursor | undefined {
    const root: Cursor = { node: document.contents, steps: [], isFlow: false, indent: -1 };
    if (isShared(document.contents)) return undefined;
    return keys.reduce<Cursor | undefined>(
      (cursor, key) => (cursor === undefined ? undefined : enter(cursor, key)),
      root,
    );
  }

  /** @param base The way to the owner's map. */
  function find(base: Path, { at, owner, specs }: Wanted): FoundPlace[] {
    const home = go(base);
    if (home === undefined || !isMap(home.node)) return [];
    return specs.flatMap((spec) => {
      const place = { path: `${at}/${spec.at.map(escaped).join("/")}`, owner, label: spec.label };
      const keys = base.concat(spec.keys);
      const cursor = spec.keys.reduce<Cursor | undefined>(
        (inner, key) => (inner === undefined ? undefined : enter(inner, key)),
        home,
      );
      if (cursor !== undefined) return written(cursor, { spec, place, keys }, source);
      return spec.isUsual ? missing(home, { spec, place, keys }, inside) : [];
    });
  }

  return { root: document.contents ?? undefined, find };
}

interface Sought {
  readonly spec: FieldSpec;
  readonly place: Pick<EditablePlace, "path" | "owner" | "label">;
  readonly keys: Path;
}

function written(cursor: Cursor, { spec, place, keys }: Sought, source: string): FoundPlace[] {
  const { node, steps, isFlow, indent } = cursor;
  const pair = steps.at(-1)?.pair;
  if (!isScalar(node) || !node.range || node.tag !== undefined) return [];
  const raw = plainValue(node);
  const isUnwritten = node.source === "" && node.type === Scalar.PLAIN;
  if (raw === undefined && (spec.kind === "value" || pair?.value !== node)) return [];
  // `? key` and `{ key }` have no colon to write behind.
  if (isUnwritten && colonAfter(pair, source) === undefined) return [];
  const value = shown(node, raw, spec.kind);
  const kind = kindOf(spec.kind, raw, value);
  const offset = node.range[0];
  const { isOptional } = spec;
  const slot = { kind: "written" as const, node };
  return [
    {
      place: { ...place, kind, value },
      keys,
      raw,
      isOptional,
      slot,
      steps,
      isFlow,
      indent,
      offset,
    },
  ];
}

function shown(node: Scalar, raw: Plain | undefined, kind: FieldSpec["kind"]): string {
  if (raw === undefined) return "";
  // A number, and a `yes` where a text is expected, are shown as they are written.
  const isRead = typeof raw === "string" || (kind === "value" && typeof raw === "boolean");
  const text = isRead ? raw : (node.source ?? raw);
  return `${text}`.replace(/\n+$/, "");
}

/** What the reader of workflow files makes of a scalar: see `scalarValue` there. */
function plainValue(node: Scalar): Plain | undefined {
  const { value } = node;
  if (typeof value === "number" || typeof value === "boolean") return value;
  if (typeof value !== "string") return undefined;
  if (node.type !== Scalar.PLAIN) return value;
  if (/^(?:yes|on)$/i.test(value)) return true;
  return /^(?:no|off)$/i.test(value) ? false : value;
}

function kindOf(
  kind: FieldSpec["kind"],
  raw: Plain | undefined,
  value: string,
): EditablePlace["kind"] {
  if (kind === "value" && typeof raw === "number") return "number";
  if (kind === "value" && typeof raw === "boolean") return "boolean";
  if (kind === "long" || kind === "code") return kind;
  return value.includes("\n") ? "long" : "text";
}

/** A place for what is not written: behind the keys that come before it, in the innermost map that is there. */
function missing(
  home: Cursor,
  { spec, place, keys }: Sought,
  inside: (cursor: Cursor, around: YAMLMap, first?: number) => Cursor,
): FoundPlace[] {
  let cursor = home;
  let left = spec.keys.map(String);
  for (;;) {
    const { node } = cursor;
    // A merged map may say it already, and a value that is no map cannot take it.
    if (!isMap(node) || node.items.some((pair) => nameOf(pair) === "<<")) return [];
    const pair = node.items.find((one) => nameOf(one) === left[0]);
    if (pair === undefined) break;
    if (left.length === 1 || isAlias(pair.value) || !isMap(pair.value)) return [];
    if (pair.value.anchor !== undefined) return [];
    const first = startOf(node.items[0]?.key);
    cursor = {
      ...inside(cursor, node, first),
      steps: cursor.steps.concat({ map: node, pair }),
      node: pair.value,
    };
    left = left.slice(1);
  }
  const map = cursor.node;
  if (!isMap(map)) return [];
  const { isFlow, indent } = inside(cursor, map, startOf(map.items[0]?.key));
  const after = map.items.findLast((pair) => spec.after.includes(nameOf(pair)) && isShort(pair));
  const offset = (after === undefined ? startOf(map) : startOf(after.value)) ?? 0;
  const slot: Slot = { kind: "missing", map, after, keys: left };
  const found = { keys, raw: undefined, isOptional: true, slot, steps: cursor.steps };
  const kind = spec.kind === "value" ? "text" : spec.kind;
  return [{ ...found, place: { ...place, kind, value: "" }, isFlow, indent, offset }];
}

const BLOCKS: ReadonlySet<unknown> = new Set([Scalar.BLOCK_FOLDED, Scalar.BLOCK_LITERAL]);

function isShort({ value }: Pair): boolean {
  return isAlias(value) || (isScalar(value) && !BLOCKS.has(value.type));
}

/** Where the colon of a pair ends. */
export function colonAfter(pair: Pair | undefined, source: string): number | undefined {
  const key = pair?.key;
  if (!isScalar(key) || !key.range) return undefined;
  const colon = /[ \t]*:/y;
  colon.lastIndex = key.range[1];
  return colon.test(source) ? colon.lastIndex : undefined;
}

function sharedAnchors(contents: unknown): ReadonlySet<string> {
  const names = new Set<string>();
  const open: unknown[] = [contents];
  for (let index = 0; index < open.length; index += 1) {
    const node = open[index];
    if (isAlias(node)) names.add(node.source);
    else if (isSeq(node)) open.push(...node.items);
    else if (isMap(node)) open.push(...node.items.flatMap((pair) => [pair.key, pair.value]));
  }
  return names;
}

export function nameOf({ key }: Pair): string {
  if (!isScalar(key)) return "";
  return typeof key.value === "string" ? key.value : (key.source ?? "");
}

function startOf(node: unknown): number | undefined {
  if (!isScalar(node) && !isMap(node) && !isSeq(node) && !isAlias(node)) return undefined;
  return node.range?.[0];
}

function escaped(name: string): string {
  return name.replaceAll("~", "~0").replaceAll("/", "~1");
}

/** True when two values are the same to JSON, whatever the order of their keys. */
export function isSameJson(left: Json | undefined, right: Json | undefined): boolean {
  if (Array.isArray(left) && Array.isArray(right))
    return left.length === right.length && left.every((item, at) => isSameJson(item, right[at]));
  if (!isJsonObject(left) || !isJsonObject(right)) return Object.is(left, right);
  const names = Object.keys(left);
  if (names.length !== Object.keys(right).length) return false;
  return names.every((name) => Object.hasOwn(right, name) && isSameJson(left[name], right[name]));
}
