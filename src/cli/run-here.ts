/**
 * A run that was started or let go on by this command: executed by the server's workers, or by this process
 * where no server runs; followed to its end, and its result printed.
 */
import type { StoredEvent } from "../domain/event.ts";
import { type Run, RUN_STATES_FINAL } from "../domain/run.ts";
import { wrapText } from "../lib/wrap-text.ts";
import type { CommandContext } from "./command.ts";
import { followRun } from "./follow.ts";
import { followLive, type Followed } from "./follow-live.ts";
import type { Product } from "./product.ts";
import { advance, beginProgress } from "./progress.ts";
import { reportRun } from "./run-result.ts";
import { columnsOf, print, printError } from "./terminal.ts";

type Context = Pick<CommandContext, "global" | "terminal" | "clock"> & {
  readonly flags: {
    readonly json?: boolean | undefined;
    readonly watch?: boolean | undefined;
    readonly detach?: boolean | undefined;
  };
};

/** The name under which this process executes runs. */
function ownWorkerName(): string {
  return `cli-${process.pid}`;
}

/** The only worker that may take a new run: this process, where no server runs and it stays. */
export function reservation(
  flags: { readonly detach?: boolean | undefined },
  served: boolean,
): string | undefined {
  return served || flags.detach ? undefined : ownWorkerName();
}

/** @returns the exit code that the end of the run means. */
export async function seeRunThrough(
  context: Context,
  product: Product,
  { run, served, since = 0 }: { run: Run; served: boolean; since?: number },
): Promise<number> {
  if (context.flags.detach) return detach(context, run, served);
  const { flags, terminal, clock } = context;
  const runner = served
    ? undefined
    : product.startRunner({ worker: ownWorkerName(), concurrency: RUN_COUNT_MAX, only: run.id });
  const followed = await followLive({ store: product.store, clock, terminal }, run, {
    mode: flags.watch ? "live" : flags.json ? "silent" : "auto",
    cancelOnInterrupt: true,
    since,
    ...(runner === undefined ? {} : { runner }),
  });
  if (runner === undefined) return reportRun(context, { ...followed, served });
  await runner.stop({ graceMs: followed.graceMs });
  if (RUN_STATES_FINAL.includes(followed.run.state))
    return reportRun(context, { ...followed, served });
  // What was under way may have come to an end while this worker stopped: the last look says which.
  const last = await lookAt(product, { id: run.id, clock });
  return reportRun(context, { ...last, served });
}

/** The run itself and those inside of it. */
const RUN_COUNT_MAX = 16;

/** What to do about a run that no worker of a server takes; an `agents run` in another terminal may have it. */
export function hintUnserved(terminal: CommandContext["terminal"], runId: string): void {
  hint(terminal, `Where no other terminal has the run, ${goesOn(runId)}`);
}

function goesOn(runId: string): string {
  return `\`agents start\` or \`agents resume ${runId}\` goes on with it.`;
}

function hint(terminal: CommandContext["terminal"], text: string): void {
  const lines = wrapText(`No server is running. ${text}`, columnsOf(terminal.errorOutput));
  for (const line of lines) printError(terminal, line);
}

function detach({ flags, terminal }: Context, run: Run, served: boolean): number {
  print(terminal, flags.json ? JSON.stringify({ id: run.id, state: run.state }) : run.id);
  if (!served) hint(terminal, `The run waits: ${goesOn(run.id)}`);
  return 0;
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
