import * as z from "zod";
import { type ChatToolDeps, defineChatTool } from "../define-tool.ts";
import type { ChatTool } from "../tool.ts";

export function createListTools(deps: ChatToolDeps): ChatTool {
  return defineChatTool(deps, {
    name: "list_tools",
    description: "Lists the tools that nodes of a workflow can use.",
    input: z.strictObject({}),
    async run() {
      const tools = await deps.tools();
      if (tools.length === 0) return { text: "There are no tools." };
      const lines = tools.map(({ name, description }) => `- ${name}: ${description}`);
      return { text: lines.join("\n") };
    },
  });
}
