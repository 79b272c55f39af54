import type { CommandContext } from "../command.ts";
import type { RETRY } from "../definition.ts";
import { seeRunThrough } from "../run-here.ts";
import { BY_COMMAND_LINE } from "../follow-live.ts";
import { withRun } from "../with-run.ts";

export async function retry(context: CommandContext<typeof RETRY.flags>): Promise<number> {
  const { flags, clock } = context;
  return await withRun(context, async ({ product, run, served }) => {
    const since = clock.now();
    const { actions } = product;
    const by = BY_COMMAND_LINE;
    const retried =
      flags.from === undefined
        ? await actions.resume(run.id, { by })
        : await actions.retry(run.id, { from: flags.from, by });
    return await seeRunThrough(context, product, { run: retried, served, since });
  });
}
