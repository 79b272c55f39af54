import { readSettings } from "../../config/load.ts";
import { AppError, ERROR_CODES, type ErrorRecord } from "../../domain/error.ts";
import type { Problem } from "../../domain/workflow.ts";
import type { CommandContext } from "../command.ts";
import type { VALIDATE } from "../definition.ts";
import { reportError } from "../error.ts";
import { print, printError } from "../terminal.ts";
import { readWorkflowFile } from "../workflow-file.ts";

/** Checks every file, also after a bad one. Exit code 0 when none has an error. */
export async function validate(context: CommandContext<typeof VALIDATE.flags>): Promise<number> {
  const { terminal, flags, global, positionals } = context;
  // A bad setting is reported before the files are read, as by every command.
  await readSettings(context.sources);
  const app = await context.loadApp();
  const [{ parseWorkflow }, { formatProblem }] = await Promise.all([
    import("../../language/parse.ts"),
    import("../../language/problem.ts"),
  ]);
  const knownTools = await app.toolNames();
  const results: FileResult[] = [];
  for (const name of positionals) {
    // In the order of the command line, so that the output is too.
    // oxlint-disable-next-line no-await-in-loop
    const read = await readWorkflowFile(name, terminal).catch((error: unknown) =>
      AppError.from(error),
    );
    if (read instanceof AppError) {
      results.push({ file: name, valid: false, problems: [], error: read.toRecord() });
      if (!flags.json) reportError(read, terminal, global.verbose === true);
      continue;
    }
    const { file, source, format } = read;
    const { problems } = parseWorkflow(source, { format, knownTools });
    const valid = problems.every(({ severity }) => severity !== "error");
    results.push({ file, valid, problems });
    if (flags.json) continue;
    for (const problem of problems)
      printError(terminal, `${formatProblem(problem, source, file)}\n`);
    print(terminal, `${file}: ${verdict(problems)}`);
  }
  if (flags.json) print(terminal, JSON.stringify({ files: results }, null, 2));
  const unread = results.find(({ error }) => error !== undefined)?.error;
  if (unread !== undefined) return ERROR_CODES[unread.code].exit;
  return results.every(({ valid }) => valid) ? 0 : ERROR_CODES.workflow_invalid.exit;
}

interface FileResult {
  readonly file: string;
  readonly valid: boolean;
  readonly problems: readonly Problem[];
  /** Why the file could not be read. */
  readonly error?: ErrorRecord;
}

/** `ok`, `2 errors, 1 warning`. */
export function verdict(problems: readonly Problem[]): string {
  const parts = (["error", "warning"] as const).flatMap((severity) => {
    const { length } = problems.filter((problem) => problem.severity === severity);
    return length === 0 ? [] : [`${length} ${severity}${length === 1 ? "" : "s"}`];
  });
  const errors = problems.some(({ severity }) => severity === "error");
  if (parts.length === 0) return "ok";
  return errors ? parts.join(", ") : `ok, ${parts.join(", ")}`;
}
