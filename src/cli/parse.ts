/** argv → command, flags and positionals, by the definitions. */
import { AppError } from "../domain/error.ts";
import { nearest } from "../lib/nearest.ts";
import {
  type CommandDefinition,
  type FlagDefinition,
  type FlagDefinitions,
  type FlagValues,
  GLOBAL_FLAGS,
} from "./flag.ts";

export type ParsedValue = boolean | number | string | readonly string[] | undefined;

export interface ParsedArguments {
  readonly flags: Readonly<Record<string, ParsedValue>>;
  readonly positionals: readonly string[];
  /** What flags set, by configuration variable. */
  readonly variables: Readonly<Record<string, { readonly flag: string; readonly value: string }>>;
}

/** Splits off the command's name; flags that every command knows may stand before it. */
export function splitCommand(argv: readonly string[]): {
  name: string | undefined;
  rest: readonly string[];
} {
  for (let index = 0; index < argv.length; index += 1) {
    const argument = argv[index] ?? "";
    if (!argument.startsWith("-")) {
      return { name: argument, rest: argv.toSpliced(index, 1) };
    }
    const flag = findFlag(argument.split("=", 1)[0] ?? "", GLOBAL_FLAGS);
    if (flag === undefined) break;
    if (flag.definition.type !== "boolean" && !argument.includes("=")) index += 1;
  }
  return { name: undefined, rest: argv };
}

/**
 * Reads the arguments of one command.
 * @throws AppError `usage` for an unknown flag (with the nearest), a missing or unfit value, too many
 * or too few positionals.
 */
export function parseArguments(
  command: CommandDefinition,
  argv: readonly string[],
): ParsedArguments {
  const reader = createReader(command);
  for (let index = 0; index < argv.length; index += 1) {
    const argument = argv[index] ?? "";
    if (argument === "--") {
      reader.positionals.push(...argv.slice(index + 1));
      break;
    }
    if (argument.startsWith("-") && argument.length > 1) {
      if (reader.readFlag(argument, argv[index + 1])) index += 1;
    } else {
      reader.positionals.push(argument);
    }
  }
  const asksHelp = reader.flags["help"] === true;
  if (!asksHelp) checkPositionals(command, reader.positionals);
  return { flags: reader.flags, positionals: reader.positionals, variables: reader.variables };
}

function createReader(command: CommandDefinition) {
  const definitions: FlagDefinitions = { ...command.flags, ...GLOBAL_FLAGS };
  const flags: Record<string, ParsedValue> = {};
  for (const [name, definition] of Object.entries(definitions)) {
    flags[name] = definition.type === "list" ? [] : undefined;
  }
  const variables: Record<string, { flag: string; value: string }> = {};

  function set(name: string, definition: FlagDefinition, given: { flag: string; value: string }) {
    if ("variable" in definition && definition.variable !== undefined) {
      variables[definition.variable] = given;
    }
    const before = flags[name];
    if (definition.type === "boolean") flags[name] = given.value === "on";
    else if (definition.type === "count") flags[name] = readCount(given);
    else if (definition.type === "list" && Array.isArray(before)) {
      flags[name] = [...before, given.value];
    } else {
      if (definition.type === "text") checkChoice(definition.choices, given);
      flags[name] = given.value;
    }
  }

  /** @returns whether the next argument was the flag's value. */
  function readFlag(argument: string, next: string | undefined): boolean {
    const { typed, inline } = splitValue(argument, definitions);
    const found = findFlag(typed, definitions);
    if (found === undefined) throw unknownFlag(command, typed, definitions);
    const { name, definition, negated } = found;
    if (definition.type === "boolean") {
      if (inline !== undefined) throw usage(command, `${typed} takes no value.`);
      set(name, definition, { flag: typed, value: negated ? "off" : "on" });
      return false;
    }
    if (inline !== undefined) {
      set(name, definition, { flag: typed, value: inline });
      return false;
    }
    if (next === undefined || (next.startsWith("-") && next.length > 1)) {
      throw usage(command, `${typed} needs a value: ${typed} ${definition.value}.`);
    }
    set(name, definition, { flag: typed, value: next });
    return true;
  }

  const positionals: string[] = [];
  return { flags, variables, positionals, readFlag };
}

/** `--name=value`, and `-n5` for a short flag that takes a value. */
function splitValue(
  argument: string,
  definitions: FlagDefinitions,
): { typed: string; inline: string | undefined } {
  const short = argument.startsWith("--") ? undefined : findFlag(argument.slice(0, 2), definitions);
  if (short !== undefined && short.definition.type !== "boolean" && argument.length > 2) {
    return { typed: argument.slice(0, 2), inline: argument.slice(2).replace(/^=/, "") };
  }
  const equals = argument.indexOf("=");
  if (equals === -1) return { typed: argument, inline: undefined };
  return { typed: argument.slice(0, equals), inline: argument.slice(equals + 1) };
}

function findFlag(
  typed: string,
  definitions: FlagDefinitions,
): { name: string; definition: FlagDefinition; negated: boolean } | undefined {
  for (const [name, definition] of Object.entries(definitions)) {
    if (
      typed === `--${name}` ||
      (definition.short !== undefined && typed === `-${definition.short}`)
    )
      return { name, definition, negated: false };
    const negative = definition.type === "boolean" && definition.negative === true;
    if (negative && typed === `--no-${name}`) return { name, definition, negated: true };
  }
  return undefined;
}

/** The flags of a command as they are typed, the hidden ones left out. */
export function flagNames(definitions: FlagDefinitions): string[] {
  return Object.entries(definitions).flatMap(([name, definition]) => {
    if (definition.hidden) return [];
    const negative = definition.type === "boolean" && definition.negative === true;
    return negative ? [`--${name}`, `--no-${name}`] : [`--${name}`];
  });
}

function unknownFlag(
  command: CommandDefinition,
  typed: string,
  definitions: FlagDefinitions,
): AppError {
  const suggestion = nearest(typed, flagNames(definitions));
  return new AppError("usage", `\`agents ${command.name}\` has no flag ${typed}.`, {
    fix:
      suggestion === undefined
        ? `Run \`agents help ${command.name}\` for its flags.`
        : `Did you mean ${suggestion}? \`agents help ${command.name}\` lists all.`,
  });
}

function usage(command: CommandDefinition, message: string): AppError {
  return new AppError("usage", message, { fix: `Run \`agents help ${command.name}\`.` });
}

function readCount(given: { flag: string; value: string }): number {
  if (!/^\d{1,9}$/.test(given.value) || Number(given.value) === 0) {
    throw new AppError("usage", `${given.flag} is ${JSON.stringify(given.value)}.`, {
      fix: "Give a whole number above 0.",
    });
  }
  return Number(given.value);
}

function checkChoice(
  choices: readonly string[] | undefined,
  given: { flag: string; value: string },
): void {
  if (choices === undefined || choices.includes(given.value)) return;
  throw new AppError("usage", `${given.flag} is ${JSON.stringify(given.value)}.`, {
    fix: chooseOf(given.value, choices),
  });
}

function chooseOf(value: string, choices: readonly string[]): string {
  const suggestion = nearest(value, choices);
  const hint = suggestion === undefined ? "" : `Did you mean ${suggestion}? `;
  return `${hint}Choose one of ${choices.join(", ")}.`;
}

function checkPositionals(command: CommandDefinition, positionals: readonly string[]): void {
  if (command.passThrough) return;
  const missing = command.positionals[positionals.length];
  if (missing?.required) throw usage(command, `\`agents ${command.name}\` needs ${missing.name}.`);
  const last = command.positionals.at(-1);
  const extra = positionals[command.positionals.length];
  if (extra !== undefined && !last?.repeatable) {
    throw usage(command, `\`agents ${command.name}\` does not take ${JSON.stringify(extra)}.`);
  }
  command.positionals.forEach((positional, index) => {
    const value = positionals[index];
    if (value === undefined || positional.choices === undefined) return;
    if (positional.choices.includes(value)) return;
    throw new AppError("usage", `${positional.name} is ${JSON.stringify(value)}.`, {
      fix: chooseOf(value, positional.choices),
    });
  });
}

/** The failure of a command that does not exist, with the nearest one. */
export function unknownCommand(name: string, names: readonly string[]): AppError {
  const suggestion = nearest(name, names);
  return new AppError("usage", `There is no command "${name}".`, {
    fix:
      suggestion === undefined
        ? "Run `agents help` for the commands."
        : `Did you mean \`agents ${suggestion}\`? \`agents help\` lists all commands.`,
  });
}

/** Whether the values are of the types that the definitions state; `parseArguments` sees to it. */
export function areFlagValues<Definitions extends FlagDefinitions>(
  values: Readonly<Record<string, ParsedValue>>,
  definitions: Definitions,
): values is Readonly<Record<string, ParsedValue>> & FlagValues<Definitions> {
  return Object.entries(definitions).every(([name, { type }]) => {
    const value = values[name];
    if (type === "list") return Array.isArray(value);
    return value === undefined || typeof value === VALUE_TYPES[type];
  });
}

const VALUE_TYPES = { boolean: "boolean", count: "number", text: "string" } as const;
