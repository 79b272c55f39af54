import type { ApprovalNode } from "../../domain/workflow.ts";
import { defined } from "../../lib/defined.ts";
import { member, textOf } from "../raw.ts";
import { readTimeoutMs } from "../settings.ts";
import { checkTemplate } from "../text-check.ts";
import { formatType } from "../type.ts";
import { checkOuterTimeout, type NodeContext, type NodePart, type Own } from "./part.ts";

/** What an approval gives, by name. */
const RESULTS = { approved: "bool", comment: "str", by: "str" } as const;

export function readApprovalNode(part: NodePart, context: NodeContext): Own<ApprovalNode> {
  const { raw, path, locals } = part;
  const approval = member(raw, "approval");
  const message = textOf(member(approval, "message")) ?? "";
  checkTemplate(message, { path: [...path, "approval", "message"], locals }, context);
  checkOutputs(part, context);
  checkOuterTimeout(part, context.reporter);
  const waitMs = readTimeoutMs(approval);
  const onTimeout = member(approval, "on_timeout");
  if (onTimeout !== undefined && waitMs === undefined) {
    context.reporter.warning([...path, "approval", "on_timeout"], {
      code: "no-effect",
      message: "`on_timeout` has no effect without `timeout`: the run waits for ever.",
      fix: "Add `timeout:`, or remove it.",
      at: "key",
    });
  }
  return {
    kind: "approval",
    message,
    onTimeout: onTimeout === "approve" || onTimeout === "reject" ? onTimeout : "fail",
    onReject: member(approval, "on_reject") === "continue" ? "continue" : "fail",
    ...defined({ waitMs }),
  };
}

/** By name and type; a single bool may have any name. */
function checkOutputs({ raw, path, outputs }: NodePart, { reporter }: NodeContext): void {
  const [only, second] = outputs;
  if (only?.type.kind === "bool" && second === undefined && !isResult(only.name)) return;
  for (const [index, { name, type }] of outputs.entries()) {
    const wanted = isResult(name) ? RESULTS[name] : undefined;
    if (wanted === type.kind || (wanted !== undefined && type.kind === "any")) continue;
    reporter.error(member(raw, "outputs") === undefined ? path : [...path, "outputs", index], {
      code: "output-mismatch",
      message:
        wanted === undefined
          ? `An approval does not give \`${name}\`.`
          : `\`${name}\` of an approval is ${wanted}, and ${formatType(type)} here.`,
      fix:
        wanted === undefined
          ? "Name outputs `approved` (bool), `comment` (str), `by` (str), or one bool of any name."
          : `Give the state field the type ${wanted}.`,
      ...(wanted === undefined ? { word: name, among: Object.keys(RESULTS) } : {}),
    });
  }
}

function isResult(name: string): name is keyof typeof RESULTS {
  return Object.hasOwn(RESULTS, name);
}
