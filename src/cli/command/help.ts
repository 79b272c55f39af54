import type { CommandContext } from "../command.ts";
import { commandHelp, overviewHelp } from "../help.ts";
import { unknownCommand } from "../parse.ts";
import { COMMANDS } from "../registry.ts";
import { columnsOf, print } from "../terminal.ts";

export async function help({ positionals, terminal }: CommandContext): Promise<number> {
  const columns = columnsOf(terminal.output);
  const definitions = COMMANDS.map(({ definition }) => definition);
  const [name] = positionals;
  if (name === undefined) {
    print(terminal, overviewHelp(definitions, columns).trimEnd());
    return 0;
  }
  const definition = definitions.find((candidate) => candidate.name === name);
  if (definition === undefined) {
    throw unknownCommand(
      name,
      definitions.flatMap((candidate) => (candidate.hidden ? [] : [candidate.name])),
    );
  }
  print(terminal, commandHelp(definition, columns).trimEnd());
  return 0;
}
