/** What an execution begins with: its rendered input, or the reason why it does not begin. Pure. */
import { AppError } from "../domain/error.ts";
import { MAP_ITEM_COUNT_MAX, type WorkflowNode } from "../domain/workflow.ts";
import { evaluateCondition } from "../language/condition.ts";
import { renderValue, type TemplateScope } from "../language/template.ts";
import { isJsonObject, type Json, type JsonObject } from "../lib/json.ts";

export type Render = (node: WorkflowNode, scope: TemplateScope) => JsonObject;

export type Beginning =
  | { readonly kind: "begin"; readonly input: JsonObject; readonly items?: readonly Json[] }
  /** Its condition is false. */
  | { readonly kind: "skip" }
  | { readonly kind: "refuse"; readonly error: AppError };

interface BeginOptions {
  readonly node: WorkflowNode;
  readonly values: JsonObject;
  readonly item: { readonly value: Json; readonly index: number } | undefined;
  /** Only the first attempt asks the node's condition. */
  readonly isFirst: boolean;
}

/** A failure here is one of the step, so it is given back, not thrown. */
export function beginStep(
  { node, values, item, isFirst }: BeginOptions,
  render: Render,
): Beginning {
  try {
    const scope = scopeOf(node, values, item);
    if (isFirst && node.when !== undefined && !evaluateCondition(node.when, scope))
      return { kind: "skip" };
    return { kind: "begin", input: render(node, scope) };
  } catch (error) {
    return { kind: "refuse", error: AppError.from(error) };
  }
}

function scopeOf(
  node: WorkflowNode,
  values: JsonObject,
  item: BeginOptions["item"],
): TemplateScope {
  const place = item === undefined ? {} : { item: item.value, index: item.index };
  const inputs = renderValue(node.inputs, { locals: place, values });
  return { locals: { ...place, ...(isJsonObject(inputs) ? inputs : {}) }, values };
}

/** The items of a map, or why they are none. */
export function beginMap(itemsField: string, values: JsonObject): Beginning {
  const items = values[itemsField] ?? null;
  if (!Array.isArray(items)) {
    return refuse("invalid", `\`${itemsField}\` is not a list.`, {
      fix: `Give \`${itemsField}\` a list before this step.`,
    });
  }
  const list: readonly Json[] = items;
  if (list.length > MAP_ITEM_COUNT_MAX) {
    const message = `\`${itemsField}\` has ${list.length} items; a map takes at most ${MAP_ITEM_COUNT_MAX}.`;
    return refuse("limit_reached", message, { fix: "Split the list over several steps or runs." });
  }
  return { kind: "begin", input: { items: list }, items: list };
}

function refuse(...[code, message, options]: ConstructorParameters<typeof AppError>): Beginning {
  return { kind: "refuse", error: new AppError(code, message, options) };
}
