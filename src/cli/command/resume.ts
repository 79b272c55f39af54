import { AppError } from "../../domain/error.ts";
import type { Run } from "../../domain/run.ts";
import type { Budget } from "../../domain/workflow.ts";
import { defined } from "../../lib/defined.ts";
import { parseDurationMs } from "../../lib/duration.ts";
import type { CommandContext } from "../command.ts";
import type { RESUME } from "../definition.ts";
import { seeRunThrough } from "../run-here.ts";
import { BY_COMMAND_LINE } from "../follow-live.ts";
import { withRun } from "../with-run.ts";

const NANO_USD = 1_000_000_000;

export async function resume(context: CommandContext<typeof RESUME.flags>): Promise<number> {
  const { flags, clock } = context;
  const budget = readBudget(flags);
  return await withRun(context, async ({ product, run, served }) => {
    // Where no server runs, what is under way only needs somebody who executes it: this process.
    const isLeft = !served && Object.keys(budget).length === 0 && goesOnByItself(run);
    if (isLeft) return await seeRunThrough(context, product, { run, served });
    const since = clock.now();
    const resumed = await product.actions.resume(run.id, { by: BY_COMMAND_LINE, budget });
    return await seeRunThrough(context, product, { run: resumed, served, since });
  });
}

/** True for a run that needs a worker, an answer or a signal, and not to be let go on. */
function goesOnByItself({ state, waitingFor }: Run): boolean {
  if (state === "queued" || state === "running") return true;
  return waitingFor === "approval" || waitingFor === "signal" || waitingFor === "run";
}

/** @throws AppError `usage`. */
function readBudget(flags: CommandContext<typeof RESUME.flags>["flags"]): Budget {
  const usd = flags["max-cost-usd"];
  if (usd !== undefined && !(Number(usd) > 0)) {
    throw new AppError("usage", `--max-cost-usd ${usd} is not an amount of money.`, {
      fix: "Write a number above 0, such as --max-cost-usd 2.50.",
    });
  }
  const duration = flags["max-duration"];
  const maxDurationMs = duration === undefined ? undefined : readDurationMs(duration);
  return defined({
    maxDurationMs,
    maxCostNanoUsd: usd === undefined ? undefined : Math.round(Number(usd) * NANO_USD),
    maxTokens: flags["max-tokens"],
  });
}

/** @throws AppError `usage`. */
function readDurationMs(text: string): number {
  const ms = Number(text) > 0 ? Number(text) * 1000 : parseDurationMs(text);
  if (ms !== undefined && ms > 0) return Math.round(ms);
  throw new AppError("usage", `--max-duration ${text} is not a time.`, {
    fix: "Write seconds above 0, or a text such as --max-duration 12h.",
  });
}
