import { stat } from "node:fs/promises";
import { checkBindAddress } from "../config/bind.ts";
import { loadConfig, type Settings } from "../config/load.ts";
import type { CommandContext } from "./command.ts";
import { backgroundReporter } from "./error.ts";
import type { App } from "./product.ts";

/**
 * Refuses an address that other machines reach while nobody could prove to be let in: there has to be
 * an administrator password, or a token of the API that still counts.
 * @throws AppError `forbidden`.
 */
export async function checkAddress(
  context: Omit<CommandContext, "flags">,
  app: App,
  settings: Pick<Settings, "host" | "adminPasswordHash" | "databasePath">,
): Promise<void> {
  try {
    checkBindAddress(settings);
  } catch (error) {
    const exists = await stat(settings.databasePath).then(
      () => true,
      () => false,
    );
    // The database is opened only for this question, and never made for it.
    if (!exists) throw error;
    const config = await loadConfig(context.sources);
    const product = await app.openProduct(config, backgroundReporter(context), { reads: true });
    try {
      const tokens = await product.store.tokens.list();
      const now = context.clock.now();
      if (!tokens.some(({ expiresAt }) => expiresAt === null || expiresAt > now)) throw error;
    } finally {
      await product.close();
    }
  }
}
