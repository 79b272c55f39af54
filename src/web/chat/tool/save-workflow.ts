import * as z from "zod";
import { NOTHING_SEEN } from "../../../domain/conversation.ts";
import { AppError } from "../../../domain/error.ts";
import type { Workflow } from "../../../domain/workflow.ts";
import { WORKFLOW_SOURCE_BYTES_MAX } from "../../../domain/workflow.ts";
import { MASK } from "../../../lib/redact.ts";
import { pathTo } from "../../routes.ts";
import { type ChatToolDeps, defineChatTool } from "../define-tool.ts";
import type { ChatTool } from "../tool.ts";
import { problemLines } from "./text.ts";

export const SAVE_WORKFLOW = "save_workflow";

const input = z.strictObject({
  yaml: z.string().describe("The whole file. Its flow.name says which workflow it is."),
});

export function createSaveWorkflow(deps: ChatToolDeps): ChatTool {
  return defineChatTool(deps, {
    name: SAVE_WORKFLOW,
    description:
      "Saves a workflow: a new one, or a new version of the one that has its name. The person is shown the difference and decides first. Use it when the person asks to save.",
    input,
    asks: true,
    async check({ yaml }) {
      await readValid(deps, savedText(yaml));
    },
    async run({ yaml }, { seen }) {
      const source = savedText(yaml);
      const { name, description = null } = await readValid(deps, source);
      const before = await deps.workflows.get(name);
      if (before?.name === name && before.version.source === source) {
        const text = `Nothing to save: version ${before.version.number} of ${name}, the newest, has this very text.`;
        return { text, link: pathTo.workflow(before.id) };
      }
      // Of two at the same time one is refused by the store; what was not looked at is not written over.
      const base = baseOf(seen);
      const saved = await deps.workflows.save({ name, description, source, format: "yaml", base });
      return {
        text: `Saved as version ${saved.version.number} of ${name}.`,
        link: pathTo.workflow(saved.id),
      };
    },
  });
}

/** @returns null for no version. */
function baseOf(seen: string | null): string | null {
  if (seen !== null) return seen === NOTHING_SEEN ? null : seen;
  throw new AppError("conflict", "Nobody has seen what this would change.", { fix: "Call again." });
}

/** As a workflow is saved from an answer, so that the same file is the same version. */
export function savedText(yaml: string): string {
  return `${yaml.replaceAll("\r\n", "\n").trimEnd()}\n`;
}

/** @throws AppError `too_large`, `workflow_invalid`, `invalid` for a text with a secret that was blanked out. */
async function readValid(deps: ChatToolDeps, source: string): Promise<Workflow> {
  if (Buffer.byteLength(source) > WORKFLOW_SOURCE_BYTES_MAX) {
    throw new AppError("too_large", "The workflow is too large.", {
      fix: `Keep it under ${WORKFLOW_SOURCE_BYTES_MAX / 1024} KiB.`,
    });
  }
  if (source.includes(MASK)) {
    throw new AppError("invalid", `The file contains ${MASK}, which stands for a secret.`, {
      fix: "Name a variable there, such as ${API_KEY}, or ask the person to edit the file.",
    });
  }
  const { workflow, problems } = await deps.reader.source(source, "yaml", 0);
  if (workflow !== undefined) return workflow;
  const lines = problemLines(
    problems.filter(({ severity }) => severity === "error"),
    source,
  );
  throw new AppError("workflow_invalid", `The workflow is not valid.\n${lines.join("\n")}\n`, {
    fix: "Correct the errors and call again with the whole file.",
  });
}
