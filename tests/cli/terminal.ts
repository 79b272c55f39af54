import { PassThrough } from "node:stream";
import { S_STEP_ACTIVE } from "@clack/prompts";
import type { Interrupt, Terminal } from "../../src/cli/terminal.ts";

/** A terminal without a terminal: key presses go in by `press`, what is written is collected. */
export function createTestTerminal(
  options: { tty?: boolean; columns?: number; dumb?: boolean } = {},
) {
  const { tty = true, columns = 80, dumb = false } = options;
  const size = { isTTY: tty, columns, rows: 24 };
  const input = Object.assign(new PassThrough(), { isTTY: tty, setRawMode: () => undefined });
  const output = Object.assign(new PassThrough(), size);
  const errorOutput = Object.assign(new PassThrough(), size);
  let written = "";
  let errors = "";
  const waiting = new Set<() => void>();
  output.on("data", (chunk) => {
    written += String(chunk);
    for (const look of waiting) look();
  });
  errorOutput.on("data", (chunk) => {
    errors += String(chunk);
    for (const look of waiting) look();
  });
  const listeners = new Set<(signal: Interrupt) => void>();
  const terminal: Terminal = {
    input,
    output,
    errorOutput,
    interactive: tty,
    dumb,
    color: false,
    onInterrupt(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  let seen = 0;
  return {
    terminal,
    written: () => Bun.stripANSI(written),
    errors: () => Bun.stripANSI(errors),
    interrupt: (signal: Interrupt) => {
      for (const listener of listeners) listener(signal);
    },
    press(name: string, sequence = "") {
      input.emit("keypress", sequence, { name });
    },
    cancel() {
      input.emit("keypress", "\u0003", { name: "c", ctrl: true, sequence: "\u0003" });
    },
    type(text: string) {
      for (const letter of text) input.emit("keypress", letter, { name: letter, sequence: letter });
    },
    /** Resolves when the question is open, after those that were shown before. */
    async asks(question: string): Promise<void> {
      const found = Promise.withResolvers<void>();
      const look = () => {
        const text = Bun.stripANSI(written);
        const wanted = `${S_STEP_ACTIVE}  ${question}`;
        const at = text.indexOf(wanted, seen);
        if (at === -1) return;
        seen = at + wanted.length;
        waiting.delete(look);
        found.resolve();
      };
      waiting.add(look);
      look();
      await found.promise;
    },
  };
}
