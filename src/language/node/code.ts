import type { CodeNode } from "../../domain/workflow.ts";
import { member, textOf } from "../raw.ts";
import { readSandbox } from "../sandbox.ts";
import type { NodeContext, NodePart, Own } from "./part.ts";

export function readCodeNode({ raw, path }: NodePart, context: NodeContext): Own<CodeNode> {
  return {
    kind: "code",
    language: member(raw, "language") === "javascript" ? "javascript" : "python",
    code: textOf(member(raw, "code")) ?? "",
    sandbox: readSandbox(raw, path, context.reporter),
  };
}
