import * as z from "zod";
import { type ChatToolDeps, defineChatTool } from "../define-tool.ts";
import type { ChatTool } from "../tool.ts";
import { problemLines } from "./text.ts";

const input = z.strictObject({ yaml: z.string().describe("The whole file.") });

export function createValidateWorkflow(deps: ChatToolDeps): ChatTool {
  return defineChatTool(deps, {
    name: "validate_workflow",
    description:
      "Checks the YAML of a workflow and tells its errors and warnings with their lines. A workflow in your answer is checked anyway.",
    input,
    async run({ yaml }) {
      const { workflow, problems } = await deps.reader.source(yaml, "yaml", 0);
      const lines = problemLines(problems, yaml);
      const head =
        workflow === undefined
          ? "Not valid. It cannot run yet:"
          : `Valid: ${workflow.name}, ${workflow.nodes.length} nodes.${lines.length > 0 ? " Warnings:" : ""}`;
      return { text: [head, ...lines].join("\n") };
    },
  });
}
