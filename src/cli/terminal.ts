/** The terminal as commands see it: real streams in the product, plain ones in tests. */
import type { Readable, Writable } from "node:stream";

export const COLUMNS_DEFAULT = 80;
const COLUMNS_MIN = 20;

export type Interrupt = "SIGINT" | "SIGTERM";

export interface Output extends Writable {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

export interface Terminal {
  readonly input: Readable & { readonly isTTY?: boolean };
  /** For results. */
  readonly output: Output;
  /** For progress, notices and errors. */
  readonly errorOutput: Output;
  /** A person can be asked: input and output are a terminal, and this is not CI. */
  readonly interactive: boolean;
  readonly color: boolean;
  /** It only takes lines (TERM=dumb): no code may move its cursor. */
  readonly dumb: boolean;
  /** Calls `listener` for Ctrl-C and SIGTERM in place of ending the process. @returns the way back. */
  onInterrupt(listener: (signal: Interrupt) => void): () => void;
}

/** Writes a line, or lines, to standard output. */
export function print(terminal: Terminal, text = ""): void {
  terminal.output.write(`${text}\n`);
}

/** Writes a line, or lines, to standard error. */
export function printError(terminal: Terminal, text = ""): void {
  terminal.errorOutput.write(`${text}\n`);
}

/** The width to write for: that of the terminal, else 80. */
export function columnsOf(output: Output): number {
  // A terminal that does not know its size says 0.
  return Math.max(COLUMNS_MIN, output.columns || COLUMNS_DEFAULT);
}

/** True when lines that were written can be written over. */
export function canRedraw({ dumb }: Pick<Terminal, "dumb">, output: Output): boolean {
  return output.isTTY === true && !dumb;
}

/** All that is on standard input, as text without the last line's end. */
export async function readAll(input: Readable): Promise<string> {
  input.setEncoding("utf8");
  let text = "";
  for await (const part of input) text += String(part);
  return text.replace(/\r?\n$/, "");
}
