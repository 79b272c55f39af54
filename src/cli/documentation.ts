/** docs/cli.md: every command, flag, variable and exit code, made from the code; pure. */
import { VARIABLES } from "../config/schema.ts";
import { ERROR_CODES } from "../domain/error.ts";
import { markdownTable } from "../lib/markdown-table.ts";
import { type CommandDefinition, type FlagDefinitions, GLOBAL_FLAGS } from "./flag.ts";
import { flagLabel, flagText, usageLine } from "./help.ts";

const NOTICE = "<!-- Made by scripts/generate.ts: change the code, then run it. -->";

/** The whole page as Markdown. */
export function commandLineDocument(definitions: readonly CommandDefinition[]): string {
  const visible = definitions.filter((definition) => !definition.hidden);
  const parts = [
    "# The command line",
    NOTICE,
    "`agents` without a command starts everything. Results go to standard output; progress, notices and errors go to standard error.",
    "## Flags of every command",
    flagList(GLOBAL_FLAGS),
    ...visible.flatMap(commandSection),
    "## Settings",
    "A flag wins over the environment, that over `.env` in the working folder, that over `.env` in the data folder, that over the default. A variable that is set but empty means the default.",
    markdownTable(
      ["Variable", "Default", "Flag", "Meaning"],
      VARIABLES.map(({ name, info }) => [
        `\`${name}\``,
        info.default === undefined ? "" : `\`${info.default}\``,
        info.flag === undefined ? "" : `\`${info.flag}\``,
        info.description,
      ]),
    ),
    "## Exit codes",
    "0 means success; for `agents run` that the run succeeded.",
    markdownTable(["Code", "Failures"], exitCodeRows()),
  ];
  return `${parts.join("\n\n")}\n`;
}

function commandSection(command: CommandDefinition): string[] {
  const examples = command.examples ?? [];
  return [
    `## agents ${command.name}`,
    `${command.summary}.`,
    `\`\`\`text\n${usageLine(command)}\n\`\`\``,
    ...(command.details ?? []),
    ...(Object.keys(command.flags).length === 0 ? [] : [flagList(command.flags)]),
    ...(examples.length === 0 ? [] : [`\`\`\`sh\n${examples.join("\n")}\n\`\`\``]),
  ];
}

function flagList(flags: FlagDefinitions): string {
  return Object.entries(flags)
    .filter(([, definition]) => !definition.hidden)
    .map(([name, definition]) => `- \`${flagLabel(name, definition)}\`: ${flagText(definition)}`)
    .join("\n");
}

function exitCodeRows(): string[][] {
  const names = new Map<number, string[]>();
  for (const [name, { exit }] of Object.entries(ERROR_CODES)) {
    names.set(exit, [...(names.get(exit) ?? []), `\`${name}\``]);
  }
  return [...names]
    .toSorted(([left], [right]) => left - right)
    .map(([exit, codes]) => [String(exit), codes.join(", ")]);
}
