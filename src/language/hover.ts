/** What a word of a workflow text means. */
import { END, START } from "../domain/workflow.ts";
import type { Vocabulary } from "./completion.ts";
import { patternOf } from "./raw.ts";
import { descriptionAt, schemasAt, shapeOf } from "./schema-lookup.ts";
import { openTree, type Spot, type Tree } from "./tree.ts";

export interface Hover {
  /** The word it is about, in characters of the text. */
  readonly from: number;
  readonly to: number;
  readonly title: string;
  /** A few words: the type, what it is. */
  readonly detail: string;
  readonly text: string;
}

/** Undefined where there is nothing to say. */
export function describeWorkflowAt(
  source: string,
  offset: number,
  vocabulary: Vocabulary,
): Hover | undefined {
  const tree = openTree(source);
  const spot = tree?.spotAt(offset);
  if (tree === undefined || spot === undefined) return undefined;
  if (spot.at === "value") {
    const named = describeName(spot, tree, vocabulary);
    if (named !== undefined) return { from: spot.from, to: spot.to, title: spot.text, ...named };
  }
  return describeKey(spot);
}

function describeKey(spot: Spot): Hover | undefined {
  const text = descriptionAt(spot.path);
  const key = spot.path.findLast((part) => typeof part === "string");
  if (text === undefined || typeof key !== "string") return undefined;
  const detail = [...new Set(schemasAt(spot.path).map(shapeOf))].join(" | ");
  return { from: spot.from, to: spot.to, title: key, detail, text };
}

function describeName(
  { path, text }: Spot,
  { names }: Tree,
  vocabulary: Vocabulary,
): Pick<Hover, "detail" | "text"> | undefined {
  const pattern = patternOf(path);
  if (pattern.startsWith("edges[]")) {
    if (text === START) return { detail: "end of the graph", text: "Where a run begins." };
    if (text === END) return { detail: "end of the graph", text: "Where a run ends." };
    const node = names.nodes.find(({ name }) => name === text);
    if (node !== undefined) return { detail: "node", text: "A step of this workflow." };
  }
  const field = names.fields.find(({ name }) => name === text);
  if (field !== undefined && /(?:outputs\[\]|_field|fields\[\]\.name)$/.test(pattern)) {
    return { detail: field.detail, text: "A field of the state." };
  }
  if (/^nodes\[\]\.tools?(?:\[\])?(?:\.name)?$/.test(pattern)) {
    const tool = vocabulary.tools.find(({ name }) => name === text);
    if (tool !== undefined) return { detail: "tool", text: tool.description };
  }
  if (/^nodes\[\]\.workflow(?:\.name)?$/.test(pattern)) {
    const workflow = vocabulary.workflows.find(({ name }) => name === text);
    if (workflow !== undefined) return { detail: "workflow", text: workflow.description };
  }
  return undefined;
}
