import * as z from "zod";
import { clip } from "../../../lib/clip.ts";
import { type ChatToolDeps, defineChatTool } from "../define-tool.ts";
import type { ChatTool } from "../tool.ts";
import { timeText } from "./text.ts";

const WORKFLOW_COUNT_MAX = 40;
const DESCRIPTION_CHARS_MAX = 120;

const input = z.strictObject({
  search: z.string().max(200).optional().describe("Words that the name has."),
});

export function createListWorkflows(deps: ChatToolDeps): ChatTool {
  return defineChatTool(deps, {
    name: "list_workflows",
    description: `Lists the workflows that are saved, those changed last first, at most ${WORKFLOW_COUNT_MAX}.`,
    input,
    async run({ search = "" }) {
      const found = await deps.workflows.list({ limit: WORKFLOW_COUNT_MAX + 1, search });
      if (found.length === 0) {
        return { text: search === "" ? "No workflow is saved yet." : "No workflow has that name." };
      }
      const lines = found.slice(0, WORKFLOW_COUNT_MAX).map((record) => {
        const { name, description, version, updatedAt } = record;
        const what = description === null ? "" : `: ${clip(description, DESCRIPTION_CHARS_MAX)}`;
        return `- ${name} (version ${version.number}, changed ${timeText(updatedAt)})${what}`;
      });
      if (found.length > WORKFLOW_COUNT_MAX) lines.push("There are more: search by name.");
      return { text: lines.join("\n") };
    },
  });
}
