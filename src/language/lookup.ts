/** Whether a name in a template or a condition means something, and of what type. */
import type { StateField, StateType } from "../domain/workflow.ts";
import type { Reference } from "./template.ts";
import { formatType } from "./type.ts";

export interface NameScope {
  /** Input names of the node, and the item of a map; they win over the state. */
  readonly locals: ReadonlyMap<string, StateType>;
  readonly fields: readonly StateField[];
}

export interface LookupFault {
  /** Follows the name: ` names no state field`, `: \`x\` has no field \`y\``. */
  readonly reason: string;
  /** References that would have been right. */
  readonly among: readonly string[];
}

export type Lookup = { readonly type: StateType } | LookupFault;

const LIST_INDEX = /^\d+$/;

export function lookUp(reference: Reference, { locals, fields }: NameScope): Lookup {
  const [name = "", ...rest] = reference.path;
  const prefix = reference.fromState ? "state." : "";
  const local = reference.fromState ? undefined : locals.get(name);
  if (local !== undefined) return lookInside(local, { rest, at: name });
  const field = fields.find((candidate) => candidate.name === name);
  if (field !== undefined) return lookInside(field.type, { rest, at: `${prefix}${name}` });
  const hasLocals = !reference.fromState && locals.size > 0;
  const known = [
    ...(hasLocals ? locals : []),
    ...fields.map((each): [string, StateType] => [each.name, each.type]),
  ];
  const fitting = known.filter(([at, type]) => "type" in lookInside(type, { rest, at }));
  return {
    reason: ` names no ${hasLocals || !reference.fromState ? "input and no " : ""}state field`,
    among: fitting.map(([each]) => [`${prefix}${each}`, ...rest].join(".")),
  };
}

function lookInside(
  outer: StateType,
  way: { readonly rest: readonly string[]; readonly at: string },
): Lookup {
  let type = outer;
  let { at } = way;
  for (const key of way.rest) {
    const inner = typeInside(type, key);
    if (inner === undefined && type.kind === "object") {
      const among = type.fields.map((each) => `${at}.${each.name}`);
      return { reason: `: \`${at}\` has no field \`${key}\``, among };
    }
    if (inner === undefined)
      return { reason: `: \`${at}\` is ${formatType(type)} and has no fields`, among: [at] };
    type = inner;
    at = `${at}.${key}`;
  }
  return { type };
}

function typeInside(type: StateType, key: string): StateType | undefined {
  if (type.kind === "any") return type;
  if (type.kind === "dict") return type.value;
  if (type.kind === "list") return LIST_INDEX.test(key) ? type.item : undefined;
  if (type.kind !== "object") return undefined;
  if (type.fields.length === 0) return { kind: "any" };
  return type.fields.find((field) => field.name === key)?.type;
}
