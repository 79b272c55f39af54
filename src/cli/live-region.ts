/**
 * The last lines of a terminal, drawn again and again in place, with ordinary lines scrolling above
 * them. Nothing else may write to the output in between.
 */
import type { Clock } from "../lib/clock.ts";
import { cut } from "./format.ts";
import { columnsOf, type Output } from "./terminal.ts";

const REDRAW_MS = 120;
const ROWS_DEFAULT = 24;
const CLEAR_BELOW = "\u001B[J";
const HIDE_CURSOR = "\u001B[?25l";
const SHOW_CURSOR = "\u001B[?25h";

export interface LiveRegion {
  /** Writes lines that stay, above the region. */
  print(lines: readonly string[]): void;
  /** Replaces the region; lines that are too long or too many are cut. */
  draw(lines: readonly string[]): void;
  /** Removes the region; the cursor is shown again. */
  clear(): void;
}

function text(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join("");
}

export function createLiveRegion(output: Output): LiveRegion {
  let shown: readonly string[] = [];

  const erase = () => (shown.length === 0 ? "" : `\u001B[${shown.length}A\r${CLEAR_BELOW}`);
  const fit = (lines: readonly string[]) =>
    lines
      .slice(0, Math.max(1, (output.rows ?? ROWS_DEFAULT) - 1))
      .map((line) => cut(line, columnsOf(output) - 1));

  return {
    print(lines) {
      if (lines.length > 0) output.write(`${erase()}${text(lines)}${text(shown)}`);
    },
    draw(lines) {
      const next = fit(lines);
      const same = next.length === shown.length && next.every((line, i) => line === shown[i]);
      if (same) return;
      output.write(`${shown.length === 0 ? HIDE_CURSOR : ""}${erase()}${text(next)}`);
      shown = next;
    },
    clear() {
      if (shown.length > 0) output.write(`${erase()}${SHOW_CURSOR}`);
      shown = [];
    },
  };
}

/** Draws on a timer, so that pieces of an answer cost nothing each. */
export async function redraw(clock: Clock, draw: () => void, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    draw();
    // oxlint-disable-next-line no-await-in-loop
    await clock.sleep(REDRAW_MS, signal);
  }
}
