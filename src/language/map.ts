/** `parallel` edges: which nodes are run once for each item of a list. */
import {
  ITEM_LOCALS,
  type MapSpec,
  type OutputField,
  type StateType,
  type WorkflowNode,
} from "../domain/workflow.ts";
import type { Json } from "../lib/json.ts";
import { listOf, member, numberOf, textOf } from "./raw.ts";
import type { Path } from "./report.ts";
import { fieldOfKind } from "./state-use.ts";
import type { TextContext } from "./text-check.ts";
import { formatType, mergeTypes } from "./type.ts";

export interface MappedNode {
  readonly spec: MapSpec;
  readonly itemType: StateType;
  /** Of what is collected. */
  readonly resultType: StateType;
  /** Of `parallel`. */
  readonly path: Path;
}

const ANY: StateType = { kind: "any" };

/** By the id of the node that is run for each item. */
export function readMaps(
  file: Json,
  { concurrency, ...context }: TextContext & { readonly concurrency: number },
): ReadonlyMap<string, MappedNode> {
  const maps = new Map<string, MappedNode>();
  for (const [index, edge] of listOf(member(file, "edges")).entries()) {
    const raw = member(edge, "parallel");
    const target = textOf(member(raw, "target_node"));
    const itemsField = textOf(member(raw, "items_field"));
    const collectField = textOf(member(raw, "collect_field"));
    if (target === undefined || itemsField === undefined || collectField === undefined) continue;
    const path = ["edges", index, "parallel"];
    const maxConcurrency = numberOf(member(raw, "max_concurrency")) ?? concurrency;
    const spec = { itemsField, collectField, maxConcurrency };
    const earlier = maps.get(target);
    if (earlier === undefined) maps.set(target, readMap(spec, path, context));
    else if (JSON.stringify(earlier.spec) !== JSON.stringify(spec))
      reportOther(target, path, context);
  }
  if (maps.size > 0) warnOfShadows(context);
  return maps;
}

function readMap(spec: MapSpec, path: Path, context: TextContext): MappedNode {
  const typeAt = (name: string, key: string) => {
    const type = fieldOfKind(name, { path: [...path, key], kind: "list" }, context)?.type;
    return type?.kind === "list" ? type.item : ANY;
  };
  return {
    spec,
    itemType: typeAt(spec.itemsField, "items_field"),
    resultType: typeAt(spec.collectField, "collect_field"),
    path,
  };
}

function reportOther(target: string, path: Path, { reporter }: TextContext): void {
  reporter.error(path, {
    code: "bad-edge",
    message: `Another \`parallel\` edge runs \`${target}\` in another way.`,
    fix: "Write the same in both, or give each a node of its own.",
    at: "key",
  });
}

function warnOfShadows({ fields, reporter }: TextContext): void {
  for (const name of ITEM_LOCALS) {
    if (fields?.some((field) => field.name === name) !== true) continue;
    reporter.warning(["state", "fields", name], {
      code: "shadowed-name",
      message: `In a node that runs for each item, \`{${name}}\` is not this field.`,
      fix: `Write \`{state.${name}}\` there for the field, or rename it.`,
      at: "key",
    });
  }
}

/** The names that the node of a map may use for its item. */
export function itemLocals(map: MappedNode | undefined): Map<string, StateType> {
  if (map === undefined) return new Map();
  return new Map<string, StateType>([
    ["item", map.itemType],
    ["index", { kind: "int" }],
  ]);
}

/** The list that collects must take what the node gives. */
export function checkMap(node: WorkflowNode, map: MappedNode, context: TextContext): void {
  const given = resultOf(node.outputs);
  if (mergeTypes(map.resultType, given) !== undefined) return;
  // A dict takes an object whatever its fields are.
  if (map.resultType.kind === "dict" && given.kind === "object") return;
  const { collectField } = map.spec;
  const wanted = formatType(map.resultType);
  if (node.outputs.length === 0) {
    context.reporter.error([...map.path, "collect_field"], {
      code: "type-mismatch",
      message: `\`${node.id}\` has no outputs: there is nothing to collect for \`${collectField}\`.`,
      fix: `Give \`${node.id}\` one output: a state field of type ${wanted}.`,
    });
    return;
  }
  context.reporter.error([...map.path, "collect_field"], {
    code: "type-mismatch",
    message: `\`${collectField}\` is list[${wanted}], and \`${node.id}\` gives ${describe(given)}.`,
    fix: `Write \`type: list[${formatType(given)}]\` for the state field, or change the outputs.`,
  });
}

function describe(type: StateType): string {
  const names = type.kind === "object" ? type.fields.map((field) => field.name) : [];
  return names.length === 0 ? formatType(type) : `an object of ${names.join(", ")}`;
}

/** The only output's value, else an object of all outputs. */
function resultOf(outputs: readonly OutputField[]): StateType {
  const [only] = outputs;
  if (only !== undefined && outputs.length === 1) return only.type;
  const fields = outputs.map(({ name, type }) => ({ name, type, required: true, default: null }));
  return { kind: "object", fields };
}
