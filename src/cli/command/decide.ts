import { AppError } from "../../domain/error.ts";
import type { PendingApproval } from "../../domain/run.ts";
import type { CommandContext } from "../command.ts";
import type { APPROVE } from "../definition.ts";
import { hintUnserved } from "../run-here.ts";
import { print } from "../terminal.ts";
import { BY_COMMAND_LINE } from "../follow-live.ts";
import { withRun } from "../with-run.ts";

type Context = CommandContext<typeof APPROVE.flags>;

export function approve(context: Context): Promise<number> {
  return decide(context, true);
}

export function reject(context: Context): Promise<number> {
  return decide(context, false);
}

const COUNT_MAX = 100;

async function decide(context: Context, approved: boolean): Promise<number> {
  const { flags, terminal, positionals } = context;
  return await withRun(context, async ({ product, run, served }) => {
    const { runs } = product.store;
    const pending = await runs.pendingApprovals({ runId: run.id, limit: COUNT_MAX });
    const step = chooseStep(pending, { runId: run.id, wanted: positionals[1] });
    await runs.decide(run.id, step, {
      approved,
      comment: flags.comment ?? null,
      by: BY_COMMAND_LINE,
    });
    const done = approved ? "approved" : "rejected";
    print(terminal, `Step ${step} of run ${run.id} is ${done}.`);
    if (!served) hintUnserved(terminal, run.id);
    return 0;
  });
}

/** @throws AppError `not_found`, `usage` when there is a choice. */
function chooseStep(
  pending: readonly PendingApproval[],
  { runId, wanted }: { runId: string; wanted: string | undefined },
): string {
  const [only, second] = pending;
  // The store says what became of a step that no longer waits.
  if (wanted !== undefined) return wanted;
  if (only === undefined) {
    throw new AppError("not_found", `Run ${runId} does not wait for an approval.`, {
      fix: "Run `agents approvals` for what waits.",
    });
  }
  if (second === undefined) return only.key;
  const keys = pending.map(({ key }) => key).join(", ");
  throw new AppError("usage", `Run ${runId} waits for ${pending.length} approvals.`, {
    fix: `Name the step: one of ${keys}.`,
  });
}
