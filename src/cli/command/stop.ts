import { readSettings } from "../../config/load.ts";
import type { CommandContext } from "../command.ts";
import { print } from "../terminal.ts";

export async function stop({ sources, terminal, loadApp }: CommandContext): Promise<number> {
  const { dataDir } = await readSettings(sources);
  const app = await loadApp();
  const { url } = await app.stopInstance(dataDir);
  print(terminal, `Stopped the server${url === null ? "" : ` on ${url}`}.`);
  return 0;
}
