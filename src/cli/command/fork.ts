import { AppError } from "../../domain/error.ts";
import { defined } from "../../lib/defined.ts";
import type { Json } from "../../lib/json.ts";
import type { CommandContext } from "../command.ts";
import type { FORK } from "../definition.ts";
import { reservation, seeRunThrough } from "../run-here.ts";
import { withRun } from "../with-run.ts";

export async function fork(context: CommandContext<typeof FORK.flags>): Promise<number> {
  const { flags } = context;
  const { from } = flags;
  if (from === undefined) {
    throw new AppError("usage", "`agents fork` needs the step to begin at.", {
      fix: "Add --from STEP; `agents runs ID` shows the steps of a run.",
    });
  }
  const set = Object.fromEntries(flags.set.map(readPair));
  return await withRun(context, async ({ product, run, served }) => {
    const reservedFor = reservation(flags, served);
    const forked = await product.actions.fork(run.id, {
      from,
      set,
      source: "cli",
      ...defined({ reservedFor }),
    });
    return await seeRunThrough(context, product, { run: forked, served });
  });
}

/** Text, unless it reads as JSON. The action holds it against the field's type. */
function readPair(pair: string): [name: string, value: Json] {
  const equals = pair.indexOf("=");
  if (equals < 1) {
    throw new AppError("usage", `--set ${JSON.stringify(pair)} is not of the form name=value.`, {
      fix: "Write --set name=value.",
    });
  }
  return [pair.slice(0, equals).trim(), pair.slice(equals + 1)];
}
