import { loadConfig } from "../../config/load.ts";
import {
  RUN_STATES,
  RUN_STATES_FINAL,
  type Run,
  type StepAttempt,
  type WaitingFor,
} from "../../domain/run.ts";
import { wrapText } from "../../lib/wrap-text.ts";
import type { CommandContext } from "../command.ts";
import { backgroundReporter } from "../error.ts";
import type { RUNS } from "../definition.ts";
import { followLive, type Followed } from "../follow-live.ts";
import { followRun } from "../follow.ts";
import { waitCommands } from "../event-text.ts";
import { formatAge, formatCost, formatDuration, formatTable, printable } from "../format.ts";
import type { Product } from "../product.ts";
import { advance, beginProgress } from "../progress.ts";
import { endingLines, outputLines, reportRun, runDocument } from "../run-result.ts";
import { questionLines } from "../progress-view.ts";
import { stepDocument, stepLines, waitSentence } from "../step-table.ts";
import { columnsOf, print } from "../terminal.ts";
import { findRun } from "../with-run.ts";

const LIMIT_DEFAULT = 20;
const DESCENDANT_COUNT_MAX = 50;

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
      if (context.flags.watch) {
        const instance = await app.readInstance(config.dataDir);
        return await watchRun(context, product, { run, served: instance !== undefined });
      }
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
    runState(run),
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

/** What a person may have to do is seen in the list. */
function runState({ state, waitingFor }: Run): string {
  return state === "waiting" && waitingFor !== null ? WAITING_STATES[waitingFor] : state;
}

const WAITING_STATES: Readonly<Record<WaitingFor, string>> = {
  timer: "waiting",
  rate_limit: "rate limited",
  budget: "out of budget",
  approval: "needs approval",
  signal: "awaits signal",
  run: "awaits a run",
};

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
async function watchRun(
  context: Context,
  product: Product,
  { run, served }: { run: Run; served: boolean },
): Promise<number> {
  const { flags, terminal, clock } = context;
  const followed = await followLive({ store: product.store, clock, terminal }, run, {
    mode: flags.json ? "silent" : "live",
    cancelOnInterrupt: false,
  });
  return reportRun(context, { ...followed, served });
}

async function showRun(context: Context, product: Product, run: Run): Promise<void> {
  const { flags, terminal } = context;
  const { runs: store } = product.store;
  const { progress } = await readEvents(context, product, run);
  const [{ steps }, descendants] = await Promise.all([
    store.journal(run.id),
    store.descendants(run.id, DESCENDANT_COUNT_MAX),
  ]);
  if (flags.json) {
    const document = {
      ...runDocument(run, progress),
      steps: steps.map(stepDocument),
      descendants: descendants.map(({ id, workflowName, state, origin }) => ({
        id,
        workflow: workflowName,
        state,
        kind: origin?.kind ?? null,
        step: origin?.step ?? null,
      })),
    };
    print(terminal, JSON.stringify(document, null, 2));
    return;
  }
  for (const line of runLines(context, { run, progress, steps, descendants }))
    print(terminal, line);
}

interface Shown {
  readonly run: Run;
  readonly progress: Followed["progress"];
  readonly steps: readonly StepAttempt[];
  readonly descendants: readonly Run[];
}

function runLines({ global, terminal, clock }: Context, shown: Shown): string[] {
  const { run, progress, steps, descendants } = shown;
  const nowMs = clock.now();
  const style = { columns: columnsOf(terminal.output), color: terminal.color };
  const head = `${printable(run.workflowName)}, created ${formatAge(run.createdAt, nowMs)}${originText(run)}`;
  return [
    ...wrapText(head, style.columns),
    ...stepLines(steps, { columns: style.columns, nowMs }),
    ...endingLines(run, progress, { ...style, verbose: global.verbose === true }),
    ...steps.flatMap((step) => waitLines(run, step, style.columns)),
    ...descendantLines(descendants, style.columns),
    ...outputLines(progress.outputs, style),
  ];
}

/** What a step waits for, and what ends it. */
function waitLines(run: Run, { key, wait }: StepAttempt, columns: number): string[] {
  if (wait === null || RUN_STATES_FINAL.includes(run.state)) return [];
  const commands = waitCommands(run.id, key, wait).map((command) => `    ${command}`);
  return questionLines("? ", waitSentence(key, wait), columns).concat(commands);
}

function originText({ origin }: Run): string {
  if (origin === null) return "";
  const { kind, runId, step } = origin;
  if (kind === "rerun") return `, again after run ${runId}`;
  return kind === "fork"
    ? `, forked from run ${runId} at ${step ?? "a step"}`
    : `, started by step ${step ?? ""} of run ${runId}`;
}

function descendantLines(descendants: readonly Run[], columns: number): string[] {
  if (descendants.length === 0) return [];
  const rows = descendants.map((run) => [
    `  ${run.id}`,
    runState(run),
    printable(run.workflowName),
    run.origin === null ? "" : DESCENDANT_WORDS[run.origin.kind](run.origin.step ?? ""),
  ]);
  return ["Runs from this one:", ...formatTable(rows, columns)];
}

const DESCENDANT_WORDS = {
  child: (step: string) => `by step ${step}`,
  rerun: () => "run again",
  fork: (step: string) => `forked at ${step}`,
} as const;

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
