import { readSettings, loadConfig } from "../../config/load.ts";
import { AppError, ERROR_CODES } from "../../domain/error.ts";
import type { StoredEvent } from "../../domain/event.ts";
import { type Run, RUN_STATES_FINAL } from "../../domain/run.ts";
import { PROVIDERS, type Workflow } from "../../domain/workflow.ts";
import { defined } from "../../lib/defined.ts";
import type { CommandContext } from "../command.ts";
import { backgroundReporter } from "../error.ts";
import type { RUN } from "../definition.ts";
import { followRun } from "../follow.ts";
import { followLive, type Followed } from "../follow-live.ts";
import type { Product, Runner } from "../product.ts";
import { advance, beginProgress } from "../progress.ts";
import { endingLines, outputLines, runDocument } from "../run-result.ts";
import { columnsOf, print, printError } from "../terminal.ts";
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
    const worker = instance === undefined && !flags.detach ? `cli-${process.pid}` : undefined;
    const created = await createRun(context, product, { file, inputs, worker });
    if (flags.detach) return detach(context, created, instance !== undefined);
    const runner =
      worker === undefined
        ? undefined
        : product.startRunner({ worker, concurrency: 1, only: created.id });
    return await finish(context, product, { run: created, runner });
  } finally {
    await product.close();
  }
}

/** Prints the problems. @returns undefined when the file cannot be run. */
async function checkWorkflow(
  { flags, terminal }: Context,
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
  for (const problem of shown) printError(terminal, `${formatProblem(problem, source, file)}\n`);
  if (!faulty && workflow !== undefined) return workflow;
  const error = new AppError("workflow_invalid", `${file} cannot be run: ${verdict(problems)}.`, {
    fix: "Correct the file; `agents validate` checks it again.",
  });
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
    ...defined({ reservedFor: given.worker }),
  });
  return created;
}

function detach({ flags, terminal }: Context, created: Run, served: boolean): number {
  const text = flags.json ? JSON.stringify({ id: created.id, state: created.state }) : created.id;
  print(terminal, text);
  if (!served) {
    printError(terminal, "No server is running: the run waits for `agents start`.");
  }
  return 0;
}

async function finish(
  context: Context,
  product: Product,
  given: { run: Run; runner: Runner | undefined },
): Promise<number> {
  const { flags, terminal, clock } = context;
  const followed = await followLive({ store: product.store, clock, terminal }, given.run, {
    mode: flags.watch ? "live" : flags.json ? "silent" : "auto",
    cancelOnInterrupt: true,
    ...(given.runner === undefined ? {} : { runner: given.runner }),
  });
  if (given.runner === undefined) return reportRun(context, followed);
  await given.runner.stop({ graceMs: followed.graceMs });
  if (RUN_STATES_FINAL.includes(followed.run.state)) return reportRun(context, followed);
  // What was under way may have come to an end while this worker stopped: the last look says which.
  const last = await lookAt(product, { id: given.run.id, clock });
  return reportRun(context, { ...followed, ...last });
}

/** The run and its progress as they are now, however long it takes to end. */
async function lookAt(
  { store }: Product,
  { id, clock }: { id: string; clock: Context["clock"] },
): Promise<Pick<Followed, "run" | "progress">> {
  const events: StoredEvent[] = [];
  const ended = await followRun({ store, clock }, id, {
    signal: AbortSignal.abort(),
    onEvent: (stored) => events.push(stored),
  });
  return { run: ended, progress: events.reduce(advance, beginProgress(ended)) };
}

/** Prints the result of a run that was followed. @returns the exit code that its state means. */
export function reportRun(
  {
    flags,
    global,
    terminal,
  }: { flags: { readonly json?: boolean | undefined } } & Pick<Context, "global" | "terminal">,
  followed: Followed,
): number {
  const { run: ended, progress } = followed;
  if (!RUN_STATES_FINAL.includes(ended.state)) {
    printError(
      terminal,
      `Run ${ended.id} has not ended. A worker goes on with it; \`agents runs ${ended.id}\` shows it.`,
    );
    return ERROR_CODES.cancelled.exit;
  }
  if (flags.json) print(terminal, JSON.stringify(runDocument(ended, progress), null, 2));
  else {
    const style = { columns: columnsOf(terminal.output), color: terminal.color };
    const verbose = global.verbose === true;
    for (const line of endingLines(ended, progress, { ...style, verbose }))
      printError(terminal, line);
    for (const line of outputLines(progress.outputs, style)) print(terminal, line);
  }
  if (ended.state === "succeeded") return 0;
  if (ended.state === "failed") return ERROR_CODES[ended.error?.code ?? "run_failed"].exit;
  return ERROR_CODES.cancelled.exit;
}
