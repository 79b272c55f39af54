import { loadConfig } from "../config/load.ts";
import { AppError } from "../domain/error.ts";
import type { Run, RunStore } from "../domain/run.ts";
import type { CommandContext } from "./command.ts";
import { backgroundReporter } from "./error.ts";
import type { Product } from "./product.ts";

interface FoundRun {
  readonly product: Product;
  readonly run: Run;
  /** A server runs on the data folder: its workers execute runs. */
  readonly served: boolean;
}

/** Opens the product and finds the run that the first word names, for as long as `work` takes. */
export async function withRun(
  context: Pick<CommandContext, "sources" | "loadApp" | "terminal" | "global" | "positionals">,
  work: (found: FoundRun) => Promise<number>,
): Promise<number> {
  const config = await loadConfig(context.sources);
  const app = await context.loadApp();
  const instance = await app.readInstance(config.dataDir);
  const product = await app.openProduct(config, backgroundReporter(context));
  try {
    const run = await findRun(product.store.runs, context.positionals[0] ?? "");
    return await work({ product, run, served: instance !== undefined });
  } finally {
    await product.close();
  }
}

/** @throws AppError `not_found` when no run, or more than one, has an id like that. */
export async function findRun(runs: RunStore, idPart: string): Promise<Run> {
  const run = await runs.find(idPart);
  if (run !== undefined) return run;
  throw new AppError("not_found", `There is no run ${idPart}, or more than one begins like that.`, {
    fix: "Run `agents runs` for the ids.",
  });
}
