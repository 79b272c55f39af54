/** What a workflow text says, read loosely: for editors, while the text is being written. */
import { isMap, isScalar, isSeq, type Pair, type YAMLMap } from "yaml";
import type { Path } from "./report.ts";
import { readTree } from "./source.ts";

/** A place in the tree of a text. */
export interface Spot {
  /** Of the value, or of the value that the key is for. */
  readonly path: Path;
  readonly at: "key" | "value";
  /** Where the word or the text stands. */
  readonly from: number;
  readonly to: number;
  /** The text itself. */
  readonly text: string;
  /** The keys beside it, where it is a key or the value of one. */
  readonly siblings: readonly string[];
}

export interface Named {
  readonly name: string;
  readonly detail: string;
}

/** What the text itself gives names to. */
export interface Names {
  readonly nodes: readonly Named[];
  readonly fields: readonly Named[];
  readonly servers: readonly string[];
}

const NO_NAMES: Names = { nodes: [], fields: [], servers: [] };

export interface Tree {
  /** The smallest key or text that the offset stands in. */
  spotAt(offset: number): Spot | undefined;
  /** The key or text that has this word in it. */
  spotOf(word: string): Spot | undefined;
  readonly names: Names;
  /** The local names of the node that the path lies in: what is in its `inputs`. */
  localsAt(path: Path): readonly string[];
}

/** Undefined for a text that cannot be looked at: nested too deep, or too long. */
export function openTree(source: string): Tree | undefined {
  const contents: unknown = readTree(source)?.contents;
  if (contents === undefined || contents === null) return undefined;
  return {
    spotAt: (offset) =>
      findSpot(contents, (spot) => spot.from <= offset && offset <= spot.to && spot.to > spot.from),
    spotOf: (word) => findSpot(contents, (spot) => spot.text.includes(word)),
    names: namesIn(contents),
    localsAt(path) {
      const [list, index] = path;
      if (list !== "nodes" || typeof index !== "number") return [];
      return keyNames(child(child(child(contents, "nodes"), index), "inputs"));
    },
  };
}

interface Open {
  readonly node: unknown;
  readonly path: Path;
  readonly siblings: readonly string[];
}

/** No recursion: the text may be anything. */
function findSpot(contents: unknown, isWanted: (spot: Spot) => boolean): Spot | undefined {
  const open: Open[] = [{ node: contents, path: [], siblings: [] }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { node, path, siblings } = next;
    if (isScalar(node)) {
      const spot = toSpot(node, { path, at: "value", siblings });
      if (spot !== undefined && isWanted(spot)) return spot;
    } else if (isSeq(node)) {
      for (const [index, item] of node.items.entries())
        open.push({ node: item, path: path.concat(index), siblings: [] });
    } else if (isMap(node)) {
      const names = keyNames(node);
      for (const pair of node.items) {
        const name = keyOf(pair);
        const inside = { path: path.concat(name), siblings: names };
        const key = toSpot(pair.key, { ...inside, at: "key" });
        if (key !== undefined && isWanted(key)) return key;
        open.push({ ...inside, node: pair.value });
      }
    }
  }
  return undefined;
}

function toSpot(node: unknown, place: Pick<Spot, "path" | "at" | "siblings">): Spot | undefined {
  if (!isScalar(node) || !node.range) return undefined;
  const [from, to] = node.range;
  return { ...place, from, to, text: plainText(node.value) ?? "" };
}

function namesIn(contents: unknown): Names {
  if (!isMap(contents)) return NO_NAMES;
  const nodes = child(contents, "nodes");
  const fields = child(child(contents, "state"), "fields");
  const servers = child(child(contents, "config"), "mcp_servers");
  return {
    nodes: (isSeq(nodes) ? nodes.items : []).flatMap((node) => {
      const name = scalarText(child(node, "id"));
      return name === undefined ? [] : [{ name, detail: scalarText(child(node, "kind")) ?? "" }];
    }),
    fields: (isMap(fields) ? fields.items : []).map((pair) => ({
      name: keyOf(pair),
      detail: scalarText(pair.value) ?? scalarText(child(pair.value, "type")) ?? "",
    })),
    servers: keyNames(servers),
  };
}

function child(node: unknown, key: string | number): unknown {
  if (typeof key === "number") return isSeq(node) ? node.items[key] : undefined;
  if (!isMap(node)) return undefined;
  return node.items.find((pair) => keyOf(pair) === key)?.value;
}

function keyNames(node: unknown): string[] {
  return isMap(node) ? node.items.map((pair: Pair) => keyOf(pair)) : [];
}

function keyOf(pair: YAMLMap["items"][number]): string {
  return scalarText(pair.key) ?? "";
}

function scalarText(node: unknown): string | undefined {
  return isScalar(node) ? plainText(node.value) : undefined;
}

function plainText(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" ? `${value}` : undefined;
}
