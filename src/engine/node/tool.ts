/** A node that calls one tool without a model. */
import { AppError } from "../../domain/error.ts";
import type { OpenTool } from "../../domain/tool.ts";
import type { ToolNode } from "../../domain/workflow.ts";
import { isJsonObject, type JsonObject } from "../../lib/json.ts";
import { renderValue } from "../../language/template.ts";
import type { NodeExecutor, StepContext } from "./executor.ts";
import { callOutside } from "./outside-call.ts";
import { toPatch } from "./result.ts";
import { runTool } from "./tool-call.ts";

type ToolInput = { readonly tool: string; readonly arguments: JsonObject };

export const toolNode: NodeExecutor<ToolNode, ToolInput> = {
  render: (node, scope) => {
    const input = renderValue(node.arguments, scope);
    return { tool: node.tool.name, arguments: isJsonObject(input) ? input : {} };
  },
  execute: async (node, { arguments: input }, step) => {
    const { name } = node.tool;
    const result = await callOutside(
      step,
      { ordinal: 0, name, input },
      async ({ idempotencyKey }) =>
        runTool(step, await open(node, step), { input, idempotencyKey, ordinal: 0 }),
    );
    return { patch: toPatch(node, result, `The result of tool \`${name}\``) };
  },
};

/** Opened within the call, so that a call from the journal starts no server. */
async function open(node: ToolNode, step: StepContext): Promise<OpenTool> {
  const servers = step.workflow.mcpServers;
  const [tool, second] = await step.tools.open([node.tool], { servers, signal: step.signal });
  if (tool !== undefined && second === undefined) return tool;
  throw new AppError("invalid", `\`${node.tool.name}\` is not one tool.`, {
    fix: `Name one tool of the server in node \`${node.id}\`.`,
  });
}
