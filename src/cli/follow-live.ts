/**
 * Follows a run with its progress on standard error: redrawn in place on a terminal, a line per event
 * elsewhere, or not at all. Ctrl-C cancels the run and waits for its end; a second one, or SIGTERM,
 * stops following at once.
 */
import type { Run } from "../domain/run.ts";
import { STOP_GRACE_MS } from "../domain/service.ts";
import type { Clock } from "../lib/clock.ts";
import { followRun } from "./follow.ts";
import { createLiveRegion, redraw } from "./live-region.ts";
import type { Product, Runner } from "./product.ts";
import {
  advance,
  beginProgress,
  eventLine,
  headerLine,
  keptLines,
  liveLines,
  type Progress,
} from "./progress.ts";
import type { StoredEvent } from "../domain/event.ts";
import { canRedraw, columnsOf, printError, type Terminal } from "./terminal.ts";

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
  readonly runner?: Runner;
}

/** @throws what the runner's `drained` rejects with; AppError of the store. */
export async function followLive(
  { store, clock, terminal }: Surroundings,
  run: Run,
  { mode, cancelOnInterrupt, runner }: FollowOptions,
): Promise<Followed> {
  const view = createView(terminal, { run, mode, clock });
  const quit = new AbortController();
  let graceMs = STOP_GRACE_MS;
  let interruptCount = 0;
  const stopListening = terminal.onInterrupt((signal) => {
    interruptCount += 1;
    if (signal === "SIGINT" && interruptCount === 1 && cancelOnInterrupt) {
      view.notice("Cancelling the run. Ctrl-C again quits at once.");
      // A failure to write this shows in the next read of the same database.
      store.runs.requestCancel(run.id).catch(() => quit.abort());
      return;
    }
    if (signal === "SIGINT") graceMs = 0;
    quit.abort();
  });
  const failed = Promise.withResolvers<never>();
  runner?.drained.catch(failed.reject);
  try {
    const ended = await Promise.race([
      followRun({ store, clock }, run.id, { signal: quit.signal, onEvent: view.onEvent }),
      failed.promise,
    ]);
    return { run: ended, progress: view.progress(), graceMs };
  } finally {
    quit.abort();
    stopListening();
    view.close();
  }
}

interface View {
  readonly onEvent: (stored: StoredEvent) => void;
  readonly notice: (text: string) => void;
  readonly progress: () => Progress;
  readonly close: () => void;
}

function createView(
  terminal: Terminal,
  { run, mode, clock }: { run: Run; mode: FollowOptions["mode"]; clock: Clock },
): View {
  const { errorOutput, color } = terminal;
  const style = () => ({ columns: columnsOf(errorOutput) - 1, color });
  let progress = beginProgress(run);
  if (mode === "silent") {
    return {
      onEvent: (stored) => (progress = advance(progress, stored)),
      notice: () => undefined,
      progress: () => progress,
      close: () => undefined,
    };
  }
  printError(terminal, headerLine(progress, style()));
  if (mode === "auto" && !canRedraw(terminal, errorOutput)) {
    return {
      onEvent(stored) {
        const line = eventLine(progress, stored);
        progress = advance(progress, stored);
        if (line !== undefined) printError(terminal, line);
      },
      notice: (text) => printError(terminal, text),
      progress: () => progress,
      close: () => undefined,
    };
  }

  const region = createLiveRegion(errorOutput);
  const ended = new AbortController();
  const draw = () => region.draw(liveLines(progress, { ...style(), nowMs: clock.now() }));
  void redraw(clock, draw, ended.signal);
  return {
    onEvent(stored) {
      const lines = keptLines(progress, stored, style());
      progress = advance(progress, stored);
      if (lines.length === 0) return;
      // First the region as it is now: a step that has ended must not be seen below its last line.
      draw();
      region.print(lines);
    },
    notice: (text) => region.print([text]),
    progress: () => progress,
    close() {
      ended.abort();
      region.clear();
    },
  };
}
