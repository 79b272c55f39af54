import * as z from "zod";
import { formatDuration } from "../../../../views/part/duration.ts";
import { formatCost } from "../../../../views/part/money.ts";
import { RUN_STATES, type RunSummary } from "../../../domain/run.ts";
import { clip } from "../../../lib/clip.ts";
import { defined } from "../../../lib/defined.ts";
import { type ChatToolDeps, defineChatTool } from "../define-tool.ts";
import type { ChatTool } from "../tool.ts";
import { findWorkflow } from "./find.ts";
import { timeText } from "./text.ts";

const RUN_COUNT_MAX = 20;
const ERROR_CHARS_MAX = 160;

const input = z.strictObject({
  workflow: z.string().optional().describe("Name or id; runs of all workflows when left out."),
  state: z.enum(RUN_STATES).optional(),
  limit: z.int().min(1).max(RUN_COUNT_MAX).optional().describe("10 when left out."),
});

export function createListRuns(deps: ChatToolDeps): ChatTool {
  return defineChatTool(deps, {
    name: "list_runs",
    description: "Lists runs, newest first, with their states and what they cost.",
    input,
    async run({ workflow, state, limit = 10 }) {
      const record = workflow === undefined ? undefined : await findWorkflow(deps, workflow);
      const states = state === undefined ? undefined : [state];
      const page = await deps.runs.page({ limit, ...defined({ workflowId: record?.id, states }) });
      if (page.runs.length === 0) return { text: "There are no such runs." };
      const lines = page.runs.map((run) => lineOf(run, deps.now()));
      if (page.next !== undefined) lines.push("There are older ones.");
      return { text: lines.join("\n") };
    },
  });
}

function lineOf(run: RunSummary, now: number): string {
  const { id, workflowName, state, createdAt, startedAt, finishedAt, error } = run;
  const took = startedAt === null ? "" : `, ${formatDuration((finishedAt ?? now) - startedAt)}`;
  const cost = `, ${formatCost(run.costNanoUsd, run.unpricedCount)}`;
  const why = error === null ? "" : `: ${clip(error.message, ERROR_CHARS_MAX)}`;
  return `- ${id} ${workflowName}, ${state}, begun ${timeText(createdAt)}${took}${cost}${why}`;
}
