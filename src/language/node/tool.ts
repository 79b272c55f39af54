import type { ToolNode } from "../../domain/workflow.ts";
import { mapOf, member } from "../raw.ts";
import { checkTemplatesIn } from "../text-check.ts";
import { readTool } from "../tool-use.ts";
import type { NodeContext, NodePart, Own } from "./part.ts";

export function readToolNode(part: NodePart, context: NodeContext): Own<ToolNode> {
  const { raw, path, locals } = part;
  const given = mapOf(member(raw, "arguments"));
  checkTemplatesIn(given, { path: [...path, "arguments"], locals }, context);
  const tool = readTool(member(raw, "tool") ?? "", [...path, "tool"], context);
  if (tool?.name.endsWith(".*") === true) {
    context.reporter.error([...path, "tool"], {
      code: "unknown-tool",
      message: `\`${tool.name}\` is more than one tool; the node calls one.`,
      fix: "Name the tool.",
    });
  }
  return {
    kind: "tool",
    tool: tool ?? { name: "", onError: "fail", config: {} },
    arguments: given,
  };
}
