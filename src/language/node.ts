/** One node: what all nodes have, and what its kind adds. */
import {
  ITEM_LOCALS,
  type NodeKind,
  type StateType,
  type WorkflowNode,
} from "../domain/workflow.ts";
import { defined } from "../lib/defined.ts";
import type { Json } from "../lib/json.ts";
import { checkKind, kindOf } from "./kind.ts";
import { itemLocals, type MappedNode } from "./map.ts";
import { readAgentNode } from "./node/agent.ts";
import { readApprovalNode } from "./node/approval.ts";
import { readCliNode } from "./node/cli.ts";
import { readCodeNode } from "./node/code.ts";
import { readHttpNode } from "./node/http.ts";
import { readLlmNode } from "./node/llm.ts";
import type { NodeContext, NodePart, Own } from "./node/part.ts";
import { readToolNode } from "./node/tool.ts";
import { readWaitNode } from "./node/wait.ts";
import { readWorkflowNode } from "./node/workflow.ts";
import { readOnError } from "./on-error.ts";
import { readOutputs } from "./output-schema.ts";
import { mapOf, member, textOf } from "./raw.ts";
import type { Path } from "./report.ts";
import { readRetry, readTimeoutMs } from "./settings.ts";
import { checkCondition, checkTemplate, templateType, type TextPlace } from "./text-check.ts";

export interface NodesContext extends NodeContext {
  /** By id. */
  readonly maps: ReadonlyMap<string, MappedNode>;
}

/** Reads and checks `nodes[index]`; parts that are wrong have been reported and are left out. */
export function readNode(raw: Json, path: Path, context: NodesContext): WorkflowNode {
  const id = textOf(member(raw, "id")) ?? "";
  const kind = kindOf(raw);
  checkKind(raw, path, context.reporter);
  const map = context.maps.get(id);
  const isMapped = map !== undefined;
  const items = itemLocals(map);
  const inputs = readInputs(raw, { path: [...path, "inputs"], locals: items }, context);
  const locals = new Map<string, StateType>([
    ...items,
    ...Object.entries(inputs).map(([name, template]): [string, StateType] => [
      name,
      templateType(template, { locals: items, ...defined({ fields: context.fields }) }),
    ]),
  ]);
  const outputs = readOutputs(raw, { path, kind, isMapped }, context);
  const when = textOf(member(raw, "when"));
  if (when !== undefined) checkCondition(when, { path: [...path, "when"], locals }, context);
  return {
    id,
    inputs,
    outputs,
    retry: readRetry(member(context.config, "execution"), member(raw, "retry"), kind),
    onError: readOnError(raw, { path, isMapped }, context),
    ...defined({
      description: textOf(member(raw, "description")),
      when,
      timeoutMs: readTimeoutMs(raw),
      map: map?.spec,
    }),
    ...READERS[kind]({ raw, path, locals, outputs }, context),
  };
}

type Reader<Kind extends NodeKind> = (
  part: NodePart,
  context: NodeContext,
) => Own<Extract<WorkflowNode, { kind: Kind }>>;

/** The next kind is one file in `node/` and one line here. */
const READERS: { readonly [Kind in NodeKind]: Reader<Kind> } = {
  llm: readLlmNode,
  code: readCodeNode,
  tool: readToolNode,
  http: readHttpNode,
  cli: readCliNode,
  agent: readAgentNode,
  workflow: readWorkflowNode,
  approval: readApprovalNode,
  wait: readWaitNode,
};

function readInputs(raw: Json, place: TextPlace, context: NodesContext): Record<string, string> {
  const entries: [string, string][] = [];
  for (const [name, template] of Object.entries(mapOf(member(raw, "inputs")))) {
    if (typeof template !== "string") continue;
    const path = [...place.path, name];
    checkTemplate(template, { ...place, path }, context);
    entries.push([name, template]);
    if (place.locals.size > 0 && ITEM_LOCALS.some((local) => local === name)) {
      context.reporter.error(path, {
        code: "reserved-name",
        message: `\`${name}\` is the name for the item in a node that runs for each item.`,
        fix: "Choose another name for the input.",
        at: "key",
      });
    }
  }
  return Object.fromEntries(entries);
}
