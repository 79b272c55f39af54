import { resolve } from "node:path";
import { readSettings } from "../../config/load.ts";
import type { CommandContext } from "../command.ts";
import type { BACKUP, RESTORE } from "../definition.ts";
import { print } from "../terminal.ts";

export async function backup(context: CommandContext<typeof BACKUP.flags>): Promise<number> {
  const { sources, terminal, positionals, loadApp } = context;
  const [file] = positionals;
  const settings = await readSettings(sources);
  const app = await loadApp();
  const target = file === undefined ? undefined : resolve(sources.workingDir, file);
  print(terminal, `Saved ${await app.backUpDatabase(settings, target)}`);
  return 0;
}

export async function restore(context: CommandContext<typeof RESTORE.flags>): Promise<number> {
  const { sources, terminal, positionals, flags, loadApp } = context;
  const file = resolve(sources.workingDir, positionals[0] ?? "");
  const settings = await readSettings(sources);
  const app = await loadApp();
  const aside = await app.restoreDatabase(settings, file, { stage: flags.stage === true });
  if (flags.stage === true) print(terminal, `The next start puts ${file} in place.`);
  else print(terminal, `${file} is the database now.`);
  if (aside !== undefined) print(terminal, `The one before is ${aside}`);
  return 0;
}
