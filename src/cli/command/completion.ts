import type { CommandContext } from "../command.ts";
import { completionScript } from "../completion.ts";
import { SHELLS } from "../definition.ts";
import { COMMANDS } from "../registry.ts";
import { print } from "../terminal.ts";

export async function completion({ positionals, terminal }: CommandContext): Promise<number> {
  const shell = SHELLS.find((name) => name === positionals[0]) ?? "bash";
  const definitions = COMMANDS.map(({ definition }) => definition);
  print(terminal, completionScript(shell, definitions).trimEnd());
  return 0;
}
