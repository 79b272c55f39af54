import { loadConfig } from "../../config/load.ts";
import { AppError } from "../../domain/error.ts";
import { RUN_STATES_FINAL, type Run, type RunStore } from "../../domain/run.ts";
import type { CommandContext } from "../command.ts";
import { backgroundReporter } from "../error.ts";
import type { CANCEL } from "../definition.ts";
import { print } from "../terminal.ts";

export async function cancel(context: CommandContext<typeof CANCEL.flags>): Promise<number> {
  const config = await loadConfig(context.sources);
  const app = await context.loadApp();
  const product = await app.openProduct(config, backgroundReporter(context));
  try {
    const { runs } = product.store;
    const run = await findRun(runs, context.positionals[0] ?? "");
    if (RUN_STATES_FINAL.includes(run.state)) {
      print(context.terminal, `Run ${run.id} had already ${ENDED[run.state] ?? "ended"}.`);
      return 0;
    }
    const after = await runs.requestCancel(run.id);
    const text =
      after.state === "cancelled"
        ? `Run ${run.id} is cancelled.`
        : `Run ${run.id} is being cancelled: its worker ends the current step.`;
    print(context.terminal, text);
    return 0;
  } finally {
    await product.close();
  }
}

const ENDED: Readonly<Record<string, string>> = {
  succeeded: "succeeded",
  failed: "failed",
  cancelled: "been cancelled",
};

/** @throws AppError `not_found` when no run, or more than one, has an id like that. */
export async function findRun(runs: RunStore, idPart: string): Promise<Run> {
  const run = await runs.find(idPart);
  if (run !== undefined) return run;
  throw new AppError("not_found", `There is no run ${idPart}, or more than one begins like that.`, {
    fix: "Run `agents runs` for the ids.",
  });
}
