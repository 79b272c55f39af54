import { defined } from "../../lib/defined.ts";
import type { CommandContext } from "../command.ts";
import type { RERUN } from "../definition.ts";
import { reservation, seeRunThrough } from "../run-here.ts";
import { withRun } from "../with-run.ts";

export async function rerun(context: CommandContext<typeof RERUN.flags>): Promise<number> {
  return await withRun(context, async ({ product, run, served }) => {
    const reservedFor = reservation(context.flags, served);
    const again = await product.actions.rerun(run.id, {
      source: "cli",
      ...defined({ reservedFor }),
    });
    return await seeRunThrough(context, product, { run: again, served });
  });
}
