/** What a command looks like from outside, as data: parsing, help, docs and completion read this. */
import type { VariableName } from "../config/schema.ts";

interface FlagBase {
  /** A sentence fragment without a full stop, as help shows it. */
  readonly description: string;
  readonly short?: string;
  /** Left out of help and completion. */
  readonly hidden?: true;
}

export type FlagDefinition =
  /** `negative`: `--no-name` is understood too. */
  | (FlagBase & {
      readonly type: "boolean";
      readonly negative?: true;
      readonly variable?: VariableName;
    })
  | (FlagBase & {
      readonly type: "text" | "count";
      /** The word for the value in help: `PORT`. */
      readonly value: string;
      readonly choices?: readonly string[];
      readonly complete?: "file" | "folder";
      readonly variable?: VariableName;
    })
  /** May be given several times. */
  | (FlagBase & { readonly type: "list"; readonly value: string; readonly complete?: "file" });

export type FlagDefinitions = Readonly<Record<string, FlagDefinition>>;

type FlagValue<Definition extends FlagDefinition> = Definition["type"] extends "boolean"
  ? boolean | undefined
  : Definition["type"] extends "count"
    ? number | undefined
    : Definition["type"] extends "list"
      ? readonly string[]
      : string | undefined;

/** The values of a command's flags; undefined where a flag was not given. */
export type FlagValues<Definitions extends FlagDefinitions> = {
  readonly [Name in keyof Definitions]: FlagValue<Definitions[Name]>;
};

export interface Positional {
  /** As shown: `FILE`, `ID`. */
  readonly name: string;
  readonly required: boolean;
  readonly repeatable?: true;
  readonly choices?: readonly string[];
  readonly complete?: "file" | "command";
}

export interface CommandDefinition<Definitions extends FlagDefinitions = FlagDefinitions> {
  readonly name: string;
  /** One line, at most 60 characters, for the list of commands. */
  readonly summary: string;
  /** Paragraphs for the command's own help. */
  readonly details?: readonly string[];
  readonly examples?: readonly string[];
  readonly positionals: readonly Positional[];
  readonly flags: Definitions;
  readonly hidden?: true;
  /** Takes everything after `--` as it is. */
  readonly passThrough?: true;
}

/** Keeps the exact types of the flags. */
export function define<const Definitions extends FlagDefinitions>(
  definition: CommandDefinition<Definitions>,
): CommandDefinition<Definitions> {
  return definition;
}

/** Understood by every command. */
export const GLOBAL_FLAGS = {
  "data-dir": {
    type: "text",
    value: "FOLDER",
    description: "Folder for the database, logs and secrets",
    complete: "folder",
    variable: "AGENTS_DATA_DIR",
  },
  verbose: {
    type: "boolean",
    description: "Show technical details",
    variable: "AGENTS_VERBOSE",
  },
  "no-color": { type: "boolean", description: "No colours (also: NO_COLOR)" },
  help: { type: "boolean", short: "h", description: "Show help" },
} as const satisfies FlagDefinitions;
