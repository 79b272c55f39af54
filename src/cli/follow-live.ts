/**
 * Follows a run with its progress on standard error: redrawn in place on a terminal, a line per event
 * elsewhere, or not at all. Ctrl-C cancels the run and waits for its end; a second one, or SIGTERM,
 * stops following at once. On a terminal what the run asks can be answered.
 */
import type { StoredEvent } from "../domain/event.ts";
import type { PendingApproval, Run } from "../domain/run.ts";
import { STOP_GRACE_MS } from "../domain/service.ts";
import type { Clock } from "../lib/clock.ts";
import { clip } from "../lib/clip.ts";
import { eventLines, needsPerson, waitCommands } from "./event-text.ts";
import { followRun } from "./follow.ts";
import { printable } from "./format.ts";
import { createLiveRegion, redraw } from "./live-region.ts";
import { watchInner } from "./pending-within.ts";
import type { Product, Runner } from "./product.ts";
import { advance, beginProgress, type Progress } from "./progress.ts";
import { headerLine, keptLines, liveLines } from "./progress-view.ts";
import { canRedraw, columnsOf, printError, type Terminal } from "./terminal.ts";

const QUESTION_CHARS_MAX = 200;
/** Who acts, as it is kept with the run. */
export const BY_COMMAND_LINE = "command line";

export interface Followed {
  /** As it was when following ended: final, unless the user quit. */
  readonly run: Run;
  readonly progress: Progress;
  /** How long a runner in this process may still take. */
  readonly graceMs: number;
}

interface Surroundings {
  readonly store: Pick<Product["store"], "runs" | "changes">;
  readonly clock: Clock;
  readonly terminal: Terminal;
}

interface FollowOptions {
  /** `auto`: live on a terminal, else a line per event. */
  readonly mode: "auto" | "live" | "silent";
  readonly cancelOnInterrupt: boolean;
  /** What happened before this time is known: it is not shown again. */
  readonly since?: number;
  readonly runner?: Runner;
}

/** @throws what the runner's `drained` rejects with; AppError of the store. */
export async function followLive(
  { store, clock, terminal }: Surroundings,
  run: Run,
  { mode, cancelOnInterrupt, runner, since = 0 }: FollowOptions,
): Promise<Followed> {
  const view = createView(terminal, { run, mode, clock, since });
  const quit = new AbortController();
  let graceMs = STOP_GRACE_MS;
  let interruptCount = 0;
  const interrupt = (signal: "SIGINT" | "SIGTERM") => {
    interruptCount += 1;
    if (signal === "SIGINT" && interruptCount === 1 && cancelOnInterrupt) {
      view.notice("Cancelling the run. Ctrl-C again quits at once.");
      // A failure to write this shows in the next read of the same database.
      store.runs.requestCancel(run.id).catch(() => quit.abort());
      return;
    }
    if (signal === "SIGINT") graceMs = 0;
    quit.abort();
  };
  const stopListening = terminal.onInterrupt(interrupt);
  const failed = Promise.withResolvers<never>();
  runner?.drained.catch(failed.reject);
  const ended = new AbortController();
  const asking = ask(
    run,
    { runs: store.runs, clock, terminal, view, signal: ended.signal },
    { leave: () => quit.abort(), interrupt: () => interrupt("SIGINT") },
  );
  asking.catch(failed.reject);
  const leaving = () => ended.abort();
  quit.signal.addEventListener("abort", leaving);
  try {
    const last = await Promise.race([
      followRun({ store, clock }, run.id, { signal: quit.signal, onEvent: view.onEvent }),
      failed.promise,
    ]);
    ended.abort();
    await asking;
    return { run: last, progress: view.progress(), graceMs };
  } finally {
    ended.abort();
    quit.abort();
    stopListening();
    view.close();
  }
}

/** Asks where somebody can be asked, else tells. The questions come from a library that is loaded only there. */
async function ask(
  run: Run,
  options: {
    runs: Product["store"]["runs"];
    clock: Clock;
    terminal: Terminal;
    view: View;
    signal: AbortSignal;
  },
  on: { leave: () => void; interrupt: () => void },
): Promise<void> {
  const { view, ...rest } = options;
  const isWaiting = () => view.progress().phase === "waiting";
  if (!view.asks) {
    const onAsked = ({ runId, key, message, untilMs }: PendingApproval) => {
      const wait = { for: "approval", message, untilMs } as const;
      view.notice(`${runId} asks: ${clip(printable(message), QUESTION_CHARS_MAX)}`);
      for (const command of waitCommands(runId, key, wait)) view.notice(`    ${command}`);
    };
    return await watchInner(run, { ...rest, isWaiting, onAsked });
  }
  const { askApprovals } = await import("./ask-approvals.ts");
  await askApprovals(run, {
    ...rest,
    by: BY_COMMAND_LINE,
    isWaiting,
    begin: view.pause,
    end: view.goOn,
    onLeave: on.leave,
    onInterrupt: on.interrupt,
  });
}

interface View {
  /** Questions can be asked on it. */
  readonly asks: boolean;
  readonly onEvent: (stored: StoredEvent) => void;
  readonly notice: (text: string) => void;
  readonly progress: () => Progress;
  /** Draws nothing until `goOn`. */
  readonly pause: () => void;
  readonly goOn: (notice?: string) => void;
  readonly close: () => void;
}

interface ViewOptions {
  readonly run: Run;
  readonly mode: FollowOptions["mode"];
  readonly clock: Clock;
  readonly since: number;
}

function createView(terminal: Terminal, options: ViewOptions): View {
  const { mode } = options;
  if (mode === "silent") return createLineView(terminal, options, needsPerson);
  const style = { columns: columnsOf(terminal.errorOutput) - 1, color: terminal.color };
  printError(terminal, headerLine(beginProgress(options.run), style));
  if (mode === "auto" && !canRedraw(terminal, terminal.errorOutput))
    return createLineView(terminal, options, () => true);
  return createLiveView(terminal, options);
}

/** A line per event that is wanted. */
function createLineView(
  terminal: Terminal,
  { run, since }: ViewOptions,
  isWanted: (event: StoredEvent["event"]) => boolean,
): View {
  let progress = beginProgress(run);
  return {
    asks: false,
    onEvent(stored) {
      const wanted = stored.at >= since && isWanted(stored.event);
      const lines = wanted ? eventLines(progress, stored) : [];
      progress = advance(progress, stored);
      for (const line of lines) printError(terminal, line);
    },
    notice: (text) => printError(terminal, text),
    progress: () => progress,
    pause: () => undefined,
    goOn: () => undefined,
    close: () => undefined,
  };
}

function createLiveView(terminal: Terminal, { run, clock, since }: ViewOptions): View {
  const { errorOutput, color } = terminal;
  const asks = terminal.interactive && canRedraw(terminal, errorOutput);
  const style = () => ({ columns: columnsOf(errorOutput) - 1, color, asks });
  const region = createLiveRegion(errorOutput);
  const ended = new AbortController();
  let progress = beginProgress(run);
  let paused = false;
  /** What was to be printed while it was paused. */
  let held: string[] = [];
  const draw = () => {
    if (!paused) region.draw(liveLines(progress, { ...style(), nowMs: clock.now() }));
  };
  const keep = (lines: readonly string[]) => {
    if (paused) held.push(...lines);
    else region.print(lines);
  };
  void redraw(clock, draw, ended.signal);
  return {
    asks,
    onEvent(stored) {
      const lines = stored.at >= since ? keptLines(progress, stored, style()) : [];
      progress = advance(progress, stored);
      if (lines.length === 0) return;
      // First the region as it is now: a step that has ended must not be seen below its last line.
      draw();
      keep(lines);
    },
    notice: (text) => keep([text]),
    progress: () => progress,
    pause() {
      paused = true;
      region.clear();
    },
    goOn(notice) {
      paused = false;
      region.print(notice === undefined ? held : [notice, ...held]);
      held = [];
    },
    close() {
      ended.abort();
      region.clear();
    },
  };
}
