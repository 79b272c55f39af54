import { writeFile } from "node:fs/promises";
import { fileError } from "../../config/file-error.ts";
import { readSettings } from "../../config/load.ts";
import { ERROR_CODES } from "../../domain/error.ts";
import type { Workflow } from "../../domain/workflow.ts";
import type { CommandContext } from "../command.ts";
import type { GRAPH } from "../file-definition.ts";
import { print } from "../terminal.ts";
import { readWorkflowFile } from "../workflow-file.ts";
import { checkWorkflow } from "./run.ts";

/** Prints the graph of a file that can be run. */
export async function graph(context: CommandContext<typeof GRAPH.flags>): Promise<number> {
  const { flags, terminal, positionals } = context;
  await readSettings(context.sources);
  const file = await readWorkflowFile(positionals[0] ?? "", terminal);
  const app = await context.loadApp();
  const workflow = await checkWorkflow(
    { terminal, flags: {}, wish: "drawn" },
    file,
    await app.toolNames(),
  );
  if (workflow === undefined) return ERROR_CODES.workflow_invalid.exit;
  const text = await draw(workflow, flags.format ?? "text");
  if (flags.output === undefined) {
    print(terminal, text.trimEnd());
    return 0;
  }
  await writeFile(flags.output, text).catch((error: unknown) => {
    throw fileError(error, `write ${flags.output}`);
  });
  print(terminal, `The graph is in ${flags.output}.`);
  return 0;
}

async function draw(workflow: Workflow, format: string): Promise<string> {
  if (format === "svg") return (await import("../../graph/svg.ts")).toSvg(workflow);
  if (format === "mermaid") return (await import("../../graph/mermaid.ts")).toMermaid(workflow);
  const { toLines } = await import("../../graph/text.ts");
  return `${toLines(workflow).join("\n")}\n`;
}
