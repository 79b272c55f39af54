/** argv → command → exit code. Nothing here ends the process. */
import { environmentFlag, processSources } from "../config/environment.ts";
import { AppError } from "../domain/error.ts";
import { systemClock } from "../lib/clock.ts";
import { reportError } from "./error.ts";
import { parseArguments, splitCommand, unknownCommand } from "./parse.ts";
import { loadApp } from "./product.ts";
import { COMMANDS, type Command } from "./registry.ts";
import { createProcessTerminal } from "./process-terminal.ts";
import { columnsOf, type Output, print, type Terminal } from "./terminal.ts";

/** Runs one command line in this process. @returns the exit code. */
export async function runCommandLine(argv: readonly string[]): Promise<number> {
  const terminal = createProcessTerminal(argv);
  let code: number;
  try {
    code = await dispatch(argv, terminal);
  } catch (error) {
    // The outermost boundary: every failure becomes a text and an exit code here.
    const verbose = argv.includes("--verbose") || environmentFlag("AGENTS_VERBOSE") === "on";
    code = reportError(error, terminal, verbose);
  }
  // What is still on its way into a pipe would be lost when the process ends.
  await Promise.all([flush(terminal.output), flush(terminal.errorOutput)]);
  return code;
}

/**
 * Ends a stream when all that was written to it has gone out. Bun says of a pipe that nothing is left while
 * its reader is behind (`writableLength` is 0, an empty write is done at once); only its end waits.
 */
async function flush(output: Output): Promise<void> {
  if (output.destroyed) return;
  await new Promise<void>((resolve) => {
    output.once("error", () => resolve());
    output.end(() => resolve());
  });
}

async function dispatch(argv: readonly string[], terminal: Terminal): Promise<number> {
  const command = chooseCommand(argv);
  const parsed = parseArguments(command.command.definition, command.rest);
  if (parsed.flags["help"] === true) {
    const help = await import("./help.ts");
    const columns = columnsOf(terminal.output);
    const definitions = COMMANDS.map(({ definition }) => definition);
    const named = command.named ? command.command.definition : undefined;
    const text =
      named === undefined
        ? help.overviewHelp(definitions, columns)
        : help.commandHelp(named, columns);
    print(terminal, text.trimEnd());
    return 0;
  }
  const sources = processSources(parsed.variables);
  try {
    return await command.command.run(parsed, { terminal, clock: systemClock, sources, loadApp });
  } catch (error) {
    // Who asked for JSON gets JSON, also of a failure; the text goes to standard error as always.
    if (parsed.flags["json"] === true) {
      print(terminal, JSON.stringify({ error: AppError.from(error).toRecord() }, null, 2));
    }
    throw error;
  }
}

function chooseCommand(argv: readonly string[]): {
  command: Command;
  rest: readonly string[];
  named: boolean;
} {
  const first = argv[0];
  if (first === "--version" || first === "-v") {
    return { command: findCommand("version"), rest: argv.slice(1), named: true };
  }
  const { name, rest } = splitCommand(argv);
  if (name === undefined) return { command: findCommand("start"), rest, named: false };
  return { command: findCommand(name), rest, named: true };
}

function findCommand(name: string): Command {
  const found = COMMANDS.find(({ definition }) => definition.name === name);
  if (found !== undefined) return found;
  const names = COMMANDS.flatMap(({ definition }) => (definition.hidden ? [] : [definition.name]));
  throw unknownCommand(name, names);
}
