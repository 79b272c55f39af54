import * as z from "zod";
import { AppError } from "../../../domain/error.ts";
import type { WorkflowRecord, WorkflowVersion } from "../../../domain/workflow.ts";
import { pathTo } from "../../routes.ts";
import { type ChatToolDeps, defineChatTool } from "../define-tool.ts";
import type { ChatTool } from "../tool.ts";
import { findWorkflow } from "./find.ts";

/** Below what a tool may say, so that no line is ever cut without the model knowing how to go on. */
const SOURCE_CHARS_MAX = 7_000;

const input = z.strictObject({
  workflow: z.string().describe("Its name or id."),
  version: z.int().min(1).optional().describe("The newest one when left out."),
  from_line: z.int().min(1).optional().describe("For a long file: where to read on."),
});

export function createReadWorkflow(deps: ChatToolDeps): ChatTool {
  return defineChatTool(deps, {
    name: "read_workflow",
    description: "Reads the YAML file of a saved workflow.",
    input,
    async run({ workflow, version: number, from_line: fromLine = 1 }) {
      const record = await findWorkflow(deps, workflow);
      const version = await findVersion(deps, record, number);
      const { lines, isLast, next } = pageOf(version.source, fromLine);
      const place = fromLine === 1 && isLast ? "" : `, lines ${fromLine} to ${next - 1}`;
      const newest = version.number === record.version.number ? " (the newest)" : "";
      const head = `${record.name}, version ${version.number}${newest}, ${version.format}${place}:`;
      const more = isLast ? [] : [`The file goes on: call again with from_line ${next}.`];
      return { text: [head, ...lines, ...more].join("\n"), link: pathTo.workflow(record.id) };
    },
  });
}

async function findVersion(
  { workflows }: ChatToolDeps,
  record: WorkflowRecord,
  number: number | undefined,
): Promise<WorkflowVersion> {
  if (number === undefined || number === record.version.number) return record.version;
  const versions = await workflows.versions(record.id);
  const found = versions.find((one) => one.number === number);
  if (found !== undefined) return found;
  throw new AppError("not_found", `${record.name} has no version ${number}.`, {
    fix: `Its versions are 1 to ${versions[0]?.number ?? record.version.number}.`,
  });
}

/** @throws AppError `not_found` behind the end. */
function pageOf(source: string, fromLine: number) {
  const all = source.trimEnd().split("\n");
  if (fromLine > all.length) {
    throw new AppError("not_found", `The file has ${all.length} lines.`, {
      fix: "Read from an earlier line.",
    });
  }
  const lines: string[] = [];
  let left = SOURCE_CHARS_MAX;
  for (const line of all.slice(fromLine - 1)) {
    left -= line.length + 1;
    if (lines.length > 0 && left < 0) break;
    lines.push(line);
  }
  const next = fromLine + lines.length;
  return { lines, next, isLast: next > all.length };
}
