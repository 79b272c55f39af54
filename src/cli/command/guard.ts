import type { CommandContext } from "../command.ts";

export async function guard({ positionals, clock, loadApp }: CommandContext): Promise<number> {
  const app = await loadApp();
  return await app.runGuard(positionals, clock);
}
