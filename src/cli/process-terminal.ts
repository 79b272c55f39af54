import { environmentFlag } from "../config/environment.ts";
import type { Interrupt, Terminal } from "./terminal.ts";

/** The terminal of this process. Colours follow --no-color, NO_COLOR, FORCE_COLOR and the output. */
export function createProcessTerminal(argv: readonly string[]): Terminal {
  const { stdin, stdout, stderr } = process;
  // Who reads our output may go at any time (`| head`, a closed terminal), and a file that takes it may
  // grow no more: a server must not end by that.
  for (const output of [stdout, stderr]) output.on("error", () => undefined);
  const dumb = environmentFlag("TERM") === "dumb";
  const refused = argv.includes("--no-color") || environmentFlag("NO_COLOR") !== undefined || dumb;
  return {
    input: stdin,
    output: stdout,
    errorOutput: stderr,
    interactive: stdin.isTTY && stdout.isTTY && !dumb && environmentFlag("CI") === undefined,
    dumb,
    color: !refused && (stdout.isTTY || environmentFlag("FORCE_COLOR") !== undefined),
    onInterrupt(listener) {
      const onSignal = (signal: NodeJS.Signals) => {
        if (isInterrupt(signal)) listener(signal);
      };
      for (const signal of SIGNALS) process.on(signal, onSignal);
      return () => {
        for (const signal of SIGNALS) process.off(signal, onSignal);
      };
    },
  };
}

const SIGNALS: readonly Interrupt[] = ["SIGINT", "SIGTERM"];

function isInterrupt(signal: string): signal is Interrupt {
  return signal === "SIGINT" || signal === "SIGTERM";
}
