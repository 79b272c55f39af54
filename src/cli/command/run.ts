import { readSettings, loadConfig } from "../../config/load.ts";
import { AppError, ERROR_CODES } from "../../domain/error.ts";
import type { Run } from "../../domain/run.ts";
import { PROVIDERS, type Workflow } from "../../domain/workflow.ts";
import { defined } from "../../lib/defined.ts";
import type { CommandContext } from "../command.ts";
import { backgroundReporter } from "../error.ts";
import type { RUN } from "../definition.ts";
import type { Product } from "../product.ts";
import { plural } from "../format.ts";
import { reservation, seeRunThrough } from "../run-here.ts";
import { print, printError } from "../terminal.ts";
import {
  type WorkflowFile,
  checkInputs,
  gatherInputs,
  readWorkflowFile,
} from "../workflow-file.ts";

type Context = CommandContext<typeof RUN.flags>;

/** Runs a workflow file. Exit code 0 only when the run succeeded. */
export async function run(context: Context): Promise<number> {
  const { flags, terminal } = context;
  await readSettings(context.sources);
  const file = await readWorkflowFile(context.positionals[0] ?? "", terminal);
  const app = await context.loadApp();
  const workflow = await checkWorkflow(context, file, await app.toolNames());
  if (workflow === undefined) return ERROR_CODES.workflow_invalid.exit;
  const inputs = await gatherInputs(
    { pairs: flags.input, file: flags["input-file"] },
    workflow.state,
  );
  await checkInputs(workflow, inputs);
  const config = await loadConfig(context.sources);
  const instance = await app.readInstance(config.dataDir);
  const product = await app.openProduct(config, backgroundReporter(context));
  try {
    // Without a server, this process is the only worker that may take the run.
    const served = instance !== undefined;
    const worker = reservation(flags, served);
    const created = await createRun(context, product, { file, inputs, worker });
    return await seeRunThrough(context, product, { run: created, served });
  } finally {
    await product.close();
  }
}

/** More problems are counted only: a file that is no workflow at all has hundreds. */
const PROBLEM_COUNT_MAX = 10;

interface CheckContext extends Pick<CommandContext, "terminal"> {
  readonly flags: { readonly json?: boolean | undefined };
  /** What was to be done with the file. */
  readonly wish?: "run" | "drawn";
}

/** Prints the problems. @returns undefined when the file has errors. */
export async function checkWorkflow(
  { flags, terminal, wish = "run" }: CheckContext,
  { file, source, format }: WorkflowFile,
  knownTools: readonly string[],
): Promise<Workflow | undefined> {
  const [{ parseWorkflow }, { formatProblem }, { verdict }] = await Promise.all([
    import("../../language/parse.ts"),
    import("../../language/problem.ts"),
    import("./validate.ts"),
  ]);
  const { workflow, problems } = parseWorkflow(source, { format, knownTools });
  const faulty = problems.some(({ severity }) => severity === "error");
  const shown = flags.json && !faulty ? [] : problems;
  for (const problem of shown.slice(0, PROBLEM_COUNT_MAX))
    printError(terminal, `${formatProblem(problem, source, file)}\n`);
  const more = shown.length - PROBLEM_COUNT_MAX;
  if (more > 0) printError(terminal, `${plural(more, "problem")} more.\n`);
  if (!faulty && workflow !== undefined) return workflow;
  const error = new AppError(
    "workflow_invalid",
    `${file} cannot be ${wish}: ${verdict(problems)}.`,
    {
      fix: "Correct the file; `agents validate` lists every problem.",
    },
  );
  if (flags.json) print(terminal, JSON.stringify({ error: error.toRecord(), problems }, null, 2));
  printError(terminal, `error: ${error.message}\nFix: ${error.fix}`);
  return undefined;
}

async function createRun(
  { flags }: Context,
  product: Product,
  given: { file: WorkflowFile; inputs: Record<string, unknown>; worker: string | undefined },
): Promise<Run> {
  const { run: created } = await product.createRun({
    source: given.file.source,
    format: given.file.format,
    inputs: given.inputs,
    overrides: defined({
      provider: PROVIDERS.find((name) => name === flags.provider),
      model: flags.model,
    }),
    from: "cli",
    ...defined({ reservedFor: given.worker, folder: given.file.folder }),
  });
  return created;
}
