import { RUN_STATES_FINAL } from "../../domain/run.ts";
import type { CommandContext } from "../command.ts";
import type { CANCEL } from "../definition.ts";
import { print } from "../terminal.ts";
import { withRun } from "../with-run.ts";

export async function cancel(context: CommandContext<typeof CANCEL.flags>): Promise<number> {
  return await withRun(context, async ({ product, run }) => {
    if (RUN_STATES_FINAL.includes(run.state)) {
      print(context.terminal, `Run ${run.id} had already ${ENDED[run.state] ?? "ended"}.`);
      return 0;
    }
    const after = await product.store.runs.requestCancel(run.id);
    const text =
      after.state === "cancelled"
        ? `Run ${run.id} is cancelled.`
        : `Run ${run.id} is being cancelled: its worker ends the current step.`;
    print(context.terminal, text);
    return 0;
  });
}

const ENDED: Readonly<Record<string, string>> = {
  succeeded: "succeeded",
  failed: "failed",
  cancelled: "been cancelled",
};
