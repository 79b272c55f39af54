/** Help texts, for a width; pure. */
import { wrapText } from "../lib/wrap-text.ts";
import {
  type CommandDefinition,
  type FlagDefinition,
  type FlagDefinitions,
  GLOBAL_FLAGS,
} from "./flag.ts";

const NAME_COLUMN_MAX = 26;
const COLUMNS_MAX = 100;

/** The list of commands. */
export function overviewHelp(commands: readonly CommandDefinition[], columns: number): string {
  const width = Math.min(columns, COLUMNS_MAX);
  const rows = commands
    .filter((command) => !command.hidden)
    .map((command) => ({ name: command.name, text: command.summary }));
  return [
    ...wrapText("agents runs LLM agent workflows durably, with a live dashboard.", width),
    "",
    "Usage: agents [COMMAND] [FLAGS]",
    "",
    "Commands:",
    ...table(rows, width),
    "",
    "Flags of every command:",
    ...table(flagRows(GLOBAL_FLAGS), width),
    "",
    ...wrapText(
      "Without a command, agents starts. `agents help COMMAND` says more about one.",
      width,
    ),
    "",
  ].join("\n");
}

/** The help of one command. */
export function commandHelp(command: CommandDefinition, columns: number): string {
  const width = Math.min(columns, COLUMNS_MAX);
  const flags = flagRows(command.flags);
  const lines = [`${command.summary}.`, "", `Usage: ${usageLine(command)}`];
  for (const paragraph of command.details ?? []) lines.push("", ...wrapText(paragraph, width));
  if (flags.length > 0) lines.push("", "Flags:", ...table(flags, width));
  lines.push("", "Flags of every command:", ...table(flagRows(GLOBAL_FLAGS), width));
  const examples = command.examples ?? [];
  if (examples.length > 0) lines.push("", "Examples:", ...examples.map((line) => `  ${line}`));
  return [...lines, ""].join("\n");
}

/** `agents run FILE [FLAGS]` */
export function usageLine(command: CommandDefinition): string {
  const positionals = command.positionals.map((positional) => {
    const name = positional.choices?.join("|") ?? positional.name;
    const many = positional.repeatable ? `${name}...` : name;
    return positional.required ? many : `[${many}]`;
  });
  const flags = Object.keys(command.flags).length > 0 ? ["[FLAGS]"] : [];
  const rest = command.passThrough ? ["-- PROGRAM..."] : [];
  return ["agents", command.name, ...positionals, ...flags, ...rest].join(" ");
}

/** A flag as help shows it: `-n, --lines COUNT`. */
export function flagLabel(name: string, definition: FlagDefinition): string {
  const short = definition.short === undefined ? "" : `-${definition.short}, `;
  const negative = definition.type === "boolean" && definition.negative === true;
  const value = definition.type === "boolean" ? "" : ` ${definition.value}`;
  return `${short}--${negative ? "[no-]" : ""}${name}${value}`;
}

/** What help says about a flag, with its choices and whether it may be repeated. */
export function flagText(definition: FlagDefinition): string {
  const choices =
    definition.type === "text" && definition.choices !== undefined
      ? `: ${definition.choices.join(", ")}`
      : "";
  return `${definition.description}${choices}${definition.type === "list" ? " (repeatable)" : ""}`;
}

function flagRows(flags: FlagDefinitions): { name: string; text: string }[] {
  return Object.entries(flags)
    .filter(([, definition]) => !definition.hidden)
    .map(([name, definition]) => ({
      name: flagLabel(name, definition),
      text: flagText(definition),
    }));
}

function table(rows: readonly { name: string; text: string }[], width: number): string[] {
  const column = Math.min(NAME_COLUMN_MAX, Math.max(...rows.map((row) => row.name.length)) + 2);
  return rows.flatMap(({ name, text }) => {
    const wrapped = wrapText(text, Math.max(20, width - column - 2));
    if (name.length + 2 > column) {
      return [`  ${name}`, ...wrapped.map((line) => `  ${" ".repeat(column)}${line}`)];
    }
    return wrapped.map((line, index) =>
      `  ${(index === 0 ? name : "").padEnd(column)}${line}`.trimEnd(),
    );
  });
}
