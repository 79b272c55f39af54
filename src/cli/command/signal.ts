import { AppError } from "../../domain/error.ts";
import type { Json } from "../../lib/json.ts";
import type { CommandContext } from "../command.ts";
import type { SIGNAL } from "../definition.ts";
import { hintUnserved } from "../run-here.ts";
import { print } from "../terminal.ts";
import { BY_COMMAND_LINE } from "../follow-live.ts";
import { withRun } from "../with-run.ts";

export async function signal(context: CommandContext<typeof SIGNAL.flags>): Promise<number> {
  const { flags, terminal, positionals } = context;
  const name = positionals[1] ?? "";
  const payload = readData(flags.data);
  return await withRun(context, async ({ product, run, served }) => {
    await product.store.runs.signal(run.id, { name, payload, by: BY_COMMAND_LINE });
    print(terminal, `Signal ${name} is sent to run ${run.id}.`);
    if (!served) hintUnserved(terminal, run.id);
    return 0;
  });
}

function readData(text: string | undefined): Json {
  if (text === undefined) return null;
  try {
    const value: Json = JSON.parse(text);
    return value;
  } catch (cause) {
    throw new AppError("usage", "The --data is not JSON.", {
      fix: `Write JSON, such as --data '{"amount": 12}', or --data '"text"'.`,
      cause,
    });
  }
}
