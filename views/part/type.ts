import type { StateType } from "../../src/domain/workflow.ts";

/** A type as it is written in a workflow file: `list[str]`. */
export function typeText(type: StateType): string {
  if (type.kind === "list")
    return type.item.kind === "any" ? "list" : `list[${typeText(type.item)}]`;
  if (type.kind === "dict")
    return type.value.kind === "any"
      ? "dict"
      : `dict[${typeText(type.key)}, ${typeText(type.value)}]`;
  return type.kind;
}

/** How a value is typed into a form. */
export type InputKind = "text" | "integer" | "number" | "checkbox" | "lines" | "json";

const INPUT_KIND: Record<StateType["kind"], InputKind> = {
  str: "text",
  int: "integer",
  float: "number",
  bool: "checkbox",
  any: "json",
  list: "json",
  dict: "json",
  object: "json",
};

/** `lines` is one item a line, for lists of plain values; `json` is for everything with structure. */
export function inputKind(type: StateType): InputKind {
  const plain = type.kind === "list" && ["str", "int", "float"].includes(type.item.kind);
  return plain ? "lines" : INPUT_KIND[type.kind];
}
