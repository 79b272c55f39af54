import { loadConfig } from "../../config/load.ts";
import { RUN_STATES, RUN_STATES_FINAL, type Run } from "../../domain/run.ts";
import type { CommandContext } from "../command.ts";
import { backgroundReporter } from "../error.ts";
import type { RUNS } from "../definition.ts";
import { followLive, type Followed } from "../follow-live.ts";
import { followRun } from "../follow.ts";
import {
  formatAge,
  formatCost,
  formatDuration,
  formatTable,
  formatTokens,
  printable,
} from "../format.ts";
import type { Product } from "../product.ts";
import { advance, beginProgress } from "../progress.ts";
import { endingLines, outputLines, runDocument } from "../run-result.ts";
import { columnsOf, print } from "../terminal.ts";
import { findRun } from "./cancel.ts";
import { reportRun } from "./run.ts";

const LIMIT_DEFAULT = 20;

type Context = CommandContext<typeof RUNS.flags>;

export async function runs(context: Context): Promise<number> {
  const config = await loadConfig(context.sources);
  const app = await context.loadApp();
  const product = await app.openProduct(config, backgroundReporter(context), { reads: true });
  try {
    const [id] = context.positionals;
    if (id === undefined) await listRuns(context, product);
    else {
      const run = await findRun(product.store.runs, id);
      if (context.flags.watch) return await watchRun(context, product, run);
      await showRun(context, product, run);
    }
    return 0;
  } finally {
    await product.close();
  }
}

async function listRuns({ flags, terminal, clock }: Context, product: Product): Promise<void> {
  const state = RUN_STATES.find((name) => name === flags.state);
  const found = await product.store.runs.list({
    limit: flags.limit ?? LIMIT_DEFAULT,
    ...(state === undefined ? {} : { states: [state] }),
  });
  if (flags.json) {
    print(terminal, JSON.stringify({ runs: found.map(summary) }, null, 2));
    return;
  }
  if (found.length === 0) {
    print(terminal, "No runs yet. Run `agents run FILE`.");
    return;
  }
  const rows = found.map((run) => [
    run.id,
    run.state,
    printable(run.workflowName),
    formatAge(run.createdAt, clock.now()),
    run.startedAt === null ? "" : formatDuration(run.activeMs),
    formatCost(run),
  ]);
  const header = ["ID", "STATE", "WORKFLOW", "CREATED", "TIME", "COST"];
  for (const line of formatTable([header, ...rows], columnsOf(terminal.output))) {
    print(terminal, line);
  }
}

/** A run in a list: without what needs its events. */
function summary(run: Run) {
  const {
    outputs: _outputs,
    demo: _demo,
    ...rest
  } = runDocument(run, { outputs: null, demo: false });
  return rest;
}

/** Exit code as that of `run`. */
async function watchRun(context: Context, product: Product, run: Run): Promise<number> {
  const { flags, terminal, clock } = context;
  const followed = await followLive({ store: product.store, clock, terminal }, run, {
    mode: flags.json ? "silent" : "live",
    cancelOnInterrupt: false,
  });
  return reportRun(context, followed);
}

async function showRun(context: Context, product: Product, run: Run): Promise<void> {
  const { flags, global, terminal, clock } = context;
  const { progress } = await readEvents(context, product, run);
  const { steps } = await product.store.runs.journal(run.id);
  if (flags.json) {
    const attempts = steps.map(
      ({ key, attempt, state, error, startedAt, finishedAt, ...step }) => ({
        step: key,
        attempt,
        state,
        error,
        input_tokens: step.usage.input,
        output_tokens: step.usage.output,
        duration_ms: finishedAt === null ? null : finishedAt - startedAt,
      }),
    );
    print(terminal, JSON.stringify({ ...runDocument(run, progress), steps: attempts }, null, 2));
    return;
  }
  const style = { columns: columnsOf(terminal.output), color: terminal.color };
  const lines = [
    `${printable(run.workflowName)}, created ${formatAge(run.createdAt, clock.now())}`,
  ];
  const rows = steps.map((step) => [
    `  ${step.key}`,
    step.attempt > 1 ? `${step.state} (attempt ${step.attempt})` : step.state,
    step.finishedAt === null ? "" : formatDuration(step.finishedAt - step.startedAt),
    formatTokens(step),
    formatCost(step),
  ]);
  lines.push(
    ...formatTable(rows, style.columns),
    ...endingLines(run, progress, { ...style, verbose: global.verbose === true }),
  );
  for (const line of [...lines, ...outputLines(progress.outputs, style)]) print(terminal, line);
}

/** What only the events know, as far as the run has come. */
async function readEvents(
  { clock }: Context,
  product: Product,
  run: Run,
): Promise<Pick<Followed, "progress">> {
  let progress = beginProgress(run);
  const ended = new AbortController();
  if (!RUN_STATES_FINAL.includes(run.state)) ended.abort();
  await followRun({ store: product.store, clock }, run.id, {
    signal: ended.signal,
    onEvent: (stored) => (progress = advance(progress, stored)),
  });
  return { progress };
}
